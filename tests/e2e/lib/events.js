// SPDX-License-Identifier: Apache-2.0
// What the tests of events share: uploads that cause them, and what `postern events` says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { postForm, send } from "./oss.js";
import { BIN, startServer } from "./server.js";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** @param {string | (() => string)} what is missing, said when nothing has come of it */
export async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, typeof what === "function" ? what() : what);
		await new Promise(done => setTimeout(done, 50));
	}
}

export async function startAt(t, url, env = {}, data = undefined) {
	return startServer(t, { data, env: { POSTERN_APP_EVENTS_URL: url, POSTERN_APP_EVENTS_SECRET: SECRET,
		...env } });
}

export async function upload(server, name, content = name, headers = {}) {
	const grant = JSON.parse((await send(`${server.app}/grant`)).text);
	const got = await postForm(server.store, { key: grant.dir + name, ...grant.fields },
		{ name, type: "text/plain", content }, { headers });
	assert.equal(got.status, 200, got.text);
	return { key: grant.dir + name, id: grant.id };
}

/** A number of `/metrics`; not a number while it is not known. */
export const metric = async (server, name) => Number(new RegExp(`^postern_app_events_${name} (\\d+)$`, "m")
	.exec((await send(`${server.console}/metrics`)).text)?.[1]);

/** `postern events`. */
export async function events(server, ...args) {
	return (await promisify(execFile)(BIN, ["events", ...args, "--data", server.data])).stdout;
}

/** Waits until the ledger has no event that waits; the metric says how it was a second ago. */
export const allDelivered = server => until("all are delivered",
	async () => await events(server, "list", "--state", "waiting") === "");
