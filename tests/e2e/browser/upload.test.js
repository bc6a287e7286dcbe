// SPDX-License-Identifier: Apache-2.0
// The main job: choose a file, press Upload, see what the application server answered.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { screenshot, startBrowser } from "../lib/browser.js";
import { getObject, listObjects, sha256 } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

/** Where the page puts a file of this name: the store adds a folder to it. */
async function stored(name) {
	const keys = await listObjects(server.store);
	return keys.find(key => key.endsWith(`/${name}`)) ?? null;
}

test("a chosen file goes to the store, and the answer to the callback is shown", async t => {
	const folder = await temporaryFolder(t);
	const file = testFile("holiday.bin", 3_000_000);
	await writeFile(join(folder, file.name), file.buffer);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	assert.notEqual(new URL(page.url()).origin, new URL(server.store).origin);
	await upload.choose(join(folder, file.name));
	await upload.row(file.name).getByText("Ready", { exact: true }).waitFor();

	// The bar's value is an attribute: every step it takes is seen.
	await page.evaluate(() => {
		globalThis.seen = [];
		new MutationObserver(records => {
			for (const record of records)
				globalThis.seen.push(Number(record.target.getAttribute("value")));
		}).observe(document.querySelector("progress"), { attributeFilter: ["value"] });
	});
	await upload.throttle(3_000_000);
	await upload.pressUpload();
	const row = await upload.become(file.name, "done");
	// The bar of all files is moved twenty times a second at most.
	await page.waitForFunction(() => globalThis.seen.at(-1) === 1);
	const steps = await page.evaluate(() => globalThis.seen);
	assert.ok(steps.some(value => value > 0 && value < 1), `the bar moved: ${steps}`);
	assert.deepEqual(steps, [...steps].sort((a, b) => a - b), "the bar never goes back");

	assert.deepEqual(JSON.parse(await row.locator("pre").textContent()), { Status: "OK" });
	const key = await stored(file.name);
	assert.match(await row.locator(".answer-title").textContent(), new RegExp(`Stored as ${key}\\.`));
	assert.equal(sha256(await getObject(server.store, key)), sha256(file.buffer));
	assert.equal(upload.posts, 1);
	await screenshot(page, "uploaded");
});

test("several files with difficult names, byte for byte", async t => {
	const names = ["with space.txt", "it's \"quoted\".txt", "报告 2026.pdf", "100% + a&b=c;d.txt",
		"😀.png", "<img src=x onerror=alert(1)>.gif", "empty", "${filename}.txt", "a'(b)!*~.txt"];
	const files = names.map((name, i) => testFile(name, name === "empty" ? 0 : 1000 + i));
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.choose(...files);
	await upload.pressUpload();
	for (const { name, buffer } of files) {
		await upload.become(name, "done");
		// The store puts the file's name in place of ${filename}, as OSS does.
		const key = await stored(name.replace("${filename}", name));
		assert.notEqual(key, null, `${name} is in the store`);
		await upload.row(name).getByText(`Stored as ${key}.`).waitFor();
		assert.equal(sha256(await getObject(server.store, key)), sha256(buffer), name);
	}
	assert.equal(await upload.page.locator("#list img").count(), 0);
});

test("dropped files are taken", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	const data = await page.evaluateHandle(() => {
		const transfer = new DataTransfer();
		transfer.items.add(new File(["one"], "dropped-1.txt", { type: "text/plain" }));
		transfer.items.add(new File(["two"], "dropped-2.txt", { type: "text/plain" }));
		return transfer;
	});
	await page.dispatchEvent("#drop", "dragover", { dataTransfer: data });
	assert.equal(await page.locator("#drop.over").count(), 1);
	await page.dispatchEvent("#drop", "drop", { dataTransfer: data });
	assert.equal(await page.locator("#drop.over").count(), 0);
	await upload.pressUpload();
	await upload.become("dropped-1.txt", "done");
	await upload.become("dropped-2.txt", "done");
	assert.equal((await getObject(server.store, await stored("dropped-2.txt"))).toString(), "two");
});

test("an upload cancelled on its way leaves nothing, and can be tried again", async t => {
	const file = testFile("cancelled.bin", 2_000_000);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.throttle(30_000);
	await upload.choose(file);
	await upload.pressUpload();
	const row = upload.row(file.name);
	await row.getByText(/Sending, [1-9]\d* %/).waitFor();
	await row.getByRole("button", { name: `Cancel ${file.name}` }).click();
	await upload.become(file.name, "aborted");
	await row.getByText("Cancelled", { exact: true }).waitFor();
	assert.equal(await stored(file.name), null);

	await upload.throttle(-1);
	await row.getByRole("button", { name: `Try again ${file.name}` }).click();
	await upload.become(file.name, "done");
	assert.equal(sha256(await getObject(server.store, await stored(file.name))), sha256(file.buffer));
});

test("random names keep the extension", async t => {
	const before = new Set(await listObjects(server.store));
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.choose(testFile("secret plans.jpeg"));
	await upload.page.getByLabel("Store under random names").check();
	await upload.pressUpload();
	await upload.become("secret plans.jpeg", "done");
	const fresh = (await listObjects(server.store)).filter(key => !before.has(key));
	assert.equal(fresh.length, 1);
	assert.match(fresh[0], /\/[0-9a-v]{20}\.jpeg$/);
});

test("finished files can be cleared, others removed", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.choose(testFile("first.txt"));
	await upload.pressUpload();
	await upload.become("first.txt", "done");
	await upload.choose(testFile("second.txt"));
	await page.getByRole("button", { name: "Clear finished" }).click();
	assert.equal(await upload.row("first.txt").count(), 0);
	assert.equal(await upload.row("second.txt").count(), 1);
	await page.getByRole("button", { name: "Remove second.txt" }).click();
	assert.equal(await page.locator("#list > li").count(), 0);
	assert.equal(await page.getByRole("button", { name: "Upload", exact: true }).isDisabled(), true);
});
