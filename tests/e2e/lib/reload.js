// SPDX-License-Identifier: Apache-2.0
// An application server whose configuration is in a file that a test changes while it runs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startApp } from "./credentials.js";
import { until } from "./parts.js";
import { temporaryFolder } from "./server.js";

export const TAKEN = /the configuration was read again/;
export const REFUSED = /the configuration is refused: the old one goes on/;

/** The options of a key. */
export const pair = ({ id, secret }) => [`access_key_id = ${id}`, `access_key_secret = ${secret}`];

/**
 * Makes `server` read another configuration: `reload(lines, pattern)` writes the lines of the file,
 * which begin in [app], and waits until the log says so behind what it has said. Returns what it has.
 */
export async function startWithFile(t, store, lines, how = {}) {
	const folder = await temporaryFolder(t);
	const file = join(folder, "postern.ini");
	const write = list => writeFile(file, ["[app]", ...list, ""].join("\n"), { mode: 0o600 });
	await write(lines);
	const app = await startApp(t, store, how.env ?? {}, { ...how, args: ["--config", file, ...how.args ?? []] });
	const reload = async (list, pattern = TAKEN) => {
		await write(list);
		const before = app.log.length;
		app.signal("SIGHUP");
		await until(`in the log: ${pattern}`, () => pattern.test(app.log.slice(before)));
		return app.log.slice(before);
	};
	return { app, reload, folder };
}
