// SPDX-License-Identifier: Apache-2.0
// The same file twice: the second is not sent, if it is the same user's.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { bearer, token } from "../lib/jwt.js";
import { listObjects, request } from "../lib/oss.js";
import { startWith } from "../lib/parts.js";
import { cleanups, temporaryFolder } from "../lib/server.js";

const all = cleanups();
const SECRET = "a secret that has more than thirty-two bytes";
let browser, jwt;
before(async () => {
	browser = await startBrowser(all);
	const file = join(await temporaryFolder(all), "secret");
	await writeFile(file, SECRET, { mode: 0o600 });
	jwt = `auth = jwt\njwt_secret_file = ${file}\n`;
});
after(all.run);

/** A page of the application server for a user who is logged in, and what it sends to the store. */
async function open(t, server, sub) {
	const page = await openPage(t, browser, `${server.app}/upload/`);
	const headers = bearer(token({ alg: "HS256", secret: SECRET }, { sub }));
	const sent = [];
	const asked = [];
	page.on("request", one => {
		if (one.url().startsWith(server.store) && /POST|PUT/.test(one.method()))
			sent.push(one.method());
		if (new URL(one.url()).pathname === "/duplicates")
			asked.push(one.url());
	});
	const upload = content => page.evaluate(async ({ text, headers: own }) => {
		const { createUploader } = await import("/client/postern-upload.js");
		const { createDuplicates } = await import("/client/duplicates.js");
		const { multipart } = await import("/client/multipart.js");
		globalThis.uploader ??= createUploader({ names: "random",
			getGrant: async url => (await fetch(url, { headers: own })).json(),
			large: createDuplicates({ headers: own, large: multipart({ from: 100, headers: own }) }) });
		const one = globalThis.uploader.add(new File([text], "a.txt", { type: "text/plain" }));
		one.start();
		await one.finished;
		return { state: one.state, key: one.key, duplicate: one.result?.duplicate, error: one.error?.message };
	}, { text: content, headers });
	return { upload, sent, asked };
}

for (const [what, content, method] of [["by a form", "hello", "POST"], ["in parts", "hello ".repeat(50), "PUT"]])
	test(`the same file twice, ${what}`, async t => {
		const server = await startWith(t, `[app]\n${jwt}duplicates = subject\n`);
		const ann = await open(t, server, "ann");
		const first = await ann.upload(content);
		assert.deepEqual([first.state, first.duplicate], ["done", undefined], first.error);
		assert.deepEqual(ann.sent, [method]);
		const second = await ann.upload(content);
		assert.deepEqual([second.state, second.duplicate, second.key], ["done", true, first.key], second.error);
		assert.deepEqual(ann.sent, [method], "nothing more was sent");
		const bob = await open(t, server, "bob");
		const other = await bob.upload(content);
		assert.deepEqual([other.state, other.duplicate, bob.sent], ["done", undefined, [method]], "another user's is");
		assert.equal((await listObjects(server.store)).length, 2);
		await request(server.store, "DELETE", "uploads", first.key);
		const again = await ann.upload(content);
		assert.deepEqual([again.state, again.duplicate, ann.sent], ["done", undefined, [method, method]], "what was deleted, too");
	});

test("where it is off, both are sent, and the server is asked once", async t => {
	const server = await startWith(t, `[app]\n${jwt}`);
	const ann = await open(t, server, "ann");
	for (let i = 0; i < 2; i++)
		assert.equal((await ann.upload("hello")).state, "done");
	assert.deepEqual([ann.sent, ann.asked.length], [["POST", "POST"], 1]);
});
