// SPDX-License-Identifier: Apache-2.0
// A server whose memory for requests is small, and what it says of it.
import assert from "node:assert/strict";
import { send } from "./oss.js";
import { pause, startServer } from "./server.js";

export const MIB = 1 << 20;

export function startSmall(t, mib, ...more) {
	return startServer(t, { args: ["--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0", "--server-memory", String(mib * MIB), ...more] });
}

export async function metric(server, name) {
	const { text } = await send(`${server.console}/metrics`);
	return Number(new RegExp(`^postern_${name} (\\d+)$`, "m").exec(text)[1]);
}

export async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, what);
		await pause(50);
	}
}

/** Sends until it is taken: 503 says that it may be tried again. */
export async function insist(send) {
	for (;;) {
		const answer = await send();
		if (answer.status !== 503)
			return answer;
		assert.equal(answer.headers["retry-after"], "1");
		await pause(20);
	}
}
