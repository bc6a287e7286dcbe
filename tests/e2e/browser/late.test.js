// SPDX-License-Identifier: Apache-2.0
// The upload page when its scripts or the application server are slow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holdAnswers, startBrowser } from "../lib/browser.js";
import { request } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

test("nothing can be chosen before the page's script is there to see it", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const scripts = await holdAnswers(page, ({ url }) => url.endsWith("/page.js"));
	await page.goto(server.page, { waitUntil: "commit" });
	await scripts.count(1);
	const fields = page.locator("input, button:visible");
	await fields.first().waitFor({ state: "attached" });
	assert.equal(await page.locator("input:enabled, button:enabled:visible").count(), 0);
	await scripts.release();
	await page.getByText(/^(Types|At least|Up to)/).waitFor();
	await upload.choose(testFile("early.bin"));
	await upload.row("early.bin").waitFor();
});

test("the names are those asked for when Upload was pressed, however late the grant is", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const grants = await holdAnswers(page, ({ url }) => url.endsWith("/grant"));
	await page.goto(server.page);
	await grants.count(1);
	const random = page.getByLabel("Store under random names");
	await upload.choose(testFile("named.bin"), testFile("b.bin"));
	await upload.pressUpload();
	await random.check();
	await upload.choose(testFile("made-up.bin"));
	await upload.pressUpload();
	await random.uncheck();
	await grants.release();
	for (const name of ["named.bin", "b.bin", "made-up.bin"])
		await upload.become(name, "done");
	assert.match(await upload.row("named.bin").innerText(), /Stored as \S*named\.bin/);
	assert.match(await upload.row("made-up.bin").innerText(), /Stored as \S*\/\w{20}\.bin/);
	assert.equal(await random.isChecked(), false);
	const list = await request(server.store, "GET", "uploads", "", { query: { "list-type": "2" } });
	assert.doesNotMatch(list.text, /made-up/);
});
