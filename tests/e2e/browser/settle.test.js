// SPDX-License-Identifier: Apache-2.0
// An upload that is not decided when the store answers: the page waits for what becomes of it.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const all = cleanups();
let browser;
before(async () => {
	browser = await startBrowser(all);
});
after(all.run);

async function startWith(t, configuration, env = {}) {
	const data = await temporaryFolder(t);
	await writeFile(join(data, "postern.ini"), configuration);
	return await startServer(t, { data, env, args: ["--data", join(data, "data"), "--config", join(data, "postern.ini"),
		"--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"] });
}

/** Uploads from the application server's own origin, with a form of one key. */
async function upload(t, server, patienceMs) {
	const page = await openPage(t, browser, `${server.app}/upload/`);
	return await page.evaluate(async patience => {
		const { createUploader } = await import("/client/postern-upload.js");
		const { createSettle } = await import("/client/settle.js");
		const uploader = createUploader({ grantUrl: "/grant?profile=one&filename=a.txt&type=text/plain",
			settle: createSettle({ patienceMs: patience }) });
		const one = uploader.add(new File(["text"], "a.txt", { type: "text/plain" }));
		one.start();
		await one.finished;
		return { state: one.state, kind: one.error?.kind, json: one.result?.json };
	}, patienceMs);
}

test("an upload whose callback was lost is done once the application server has found it", async t => {
	const receiver = await closedPort();
	const server = await startWith(t, "[app]\nexpire_seconds = 10\nreconcile_seconds = 1\n[profile one]\nkey = ${uuid}\n",
		{ POSTERN_APP_CALLBACK_URL: receiver, POSTERN_STORE_CALLBACK_ALLOW: new URL(receiver).host });
	const { state, kind, json } = await upload(t, server, 300_000);
	assert.deepEqual([state, kind, json.state], ["done", undefined, "found"]);
});

test("one that cannot be checked is not confirmed, and the page knows that it is pending", async t => {
	const server = await startWith(t, "[app]\nclamd = unix:/nonexistent/clamd\n[profile one]\nkey = ${uuid}\n"
		+ "checks = virus\non_unknown = pending\n");
	const { state, kind, json } = await upload(t, server, 3000);
	assert.deepEqual([state, kind, json.Status], ["unconfirmed", "pending", "Pending"]);
});
