// SPDX-License-Identifier: Apache-2.0
// Many files on the upload page, folders, and all of them at once. What is asserted are counts, not
// times: those are told.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { screenshot, startBrowser } from "../lib/browser.js";
import { request } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

/** The keys that begin so, up to 1,000. */
async function stored(prefix) {
	const list = await request(server.store, "GET", "uploads", "", { query: { prefix, "max-keys": "1000" } });
	assert.equal(list.status, 200);
	return [...list.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
}

/** Drops `count` files with names of their own on the page. */
const dropMany = (page, count) => page.evaluate(count => {
	const transfer = new DataTransfer();
	for (let i = 0; i < count; i++)
		transfer.items.add(new File([`${i}`], `file-${String(i).padStart(5, "0")}.txt`, { type: "text/plain" }));
	const start = performance.now();
	document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
	return new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))));
}, count);

// `make test-long` has ten thousand of them.
const FILES = 3000;

test("thousands of files: only the rows in sight are elements, wherever the window is", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	t.diagnostic(`added in ${Math.round(await dropMany(page, FILES))} ms`);
	await upload.row("file-00000.txt").waitFor();
	const rows = () => page.locator("#list > li").count();
	assert.ok(await rows() < 60, `${await rows()} rows`);
	assert.equal(await upload.row("file-00000.txt").getAttribute("aria-setsize"), String(FILES));
	await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
	await upload.row("file-02999.txt").waitFor();
	assert.equal(await upload.row("file-02999.txt").getAttribute("aria-posinset"), String(FILES));
	assert.ok(await rows() < 60, `${await rows()} rows`);
	await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
	await upload.row("file-01500.txt").waitFor();
	assert.ok(await rows() < 60, `${await rows()} rows`);
});

test("hundreds of files go up, and the sum of them is told", async t => {
	const count = 300;
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await dropMany(page, count);
	await page.evaluate(() => {
		const frames = globalThis.frames_ = { longest: 0 };
		let last = performance.now();
		const next = now => {
			frames.longest = Math.max(frames.longest, now - last);
			last = now;
			requestAnimationFrame(next);
		};
		requestAnimationFrame(next);
	});
	await upload.pressUpload();
	await page.getByText(`${count} of ${count} files`).waitFor({ timeout: 60_000 });
	t.diagnostic(`longest frame ${Math.round(await page.evaluate(() => globalThis.frames_.longest))} ms`);
	await page.getByRole("status").getByText(`${count} files uploaded, 0 not.`).waitFor({ state: "attached" });
	assert.equal(await page.getByRole("progressbar", { name: "Progress of all files" }).evaluate(bar => bar.value), 1);
	assert.equal(upload.posts, count);
	assert.equal(upload.grants, 1);
	assert.equal((await stored("user-dir-prefix/file-")).length, count);
	await screenshot(page, "many");
});

test("all are paused, resumed and cancelled", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.throttle(10_000);
	const files = ["a", "b", "c", "d"].map(name => testFile(`${name}.bin`, 300_000));
	await upload.choose(...files);
	await upload.pressUpload();
	await upload.become("a.bin", "sending");
	await page.getByRole("button", { name: "Pause all" }).click();
	for (const { name } of files)
		await upload.become(name, "paused");
	await page.getByRole("button", { name: "Resume all" }).click();
	await upload.become("a.bin", "sending");
	await page.getByRole("button", { name: "Pause a.bin" }).click();
	await upload.become("a.bin", "paused");
	await page.getByRole("button", { name: "Cancel all" }).click();
	for (const { name } of files)
		await upload.become(name, "aborted");
	await upload.throttle(-1);
	await page.getByRole("button", { name: "Try all again" }).click();
	for (const { name } of files)
		await upload.become(name, "done");
});

test("a folder keeps the paths of its files", async t => {
	const folder = await temporaryFolder(t);
	await mkdir(join(folder, "trip/day one"), { recursive: true });
	await writeFile(join(folder, "trip/plan.txt"), "plan");
	await writeFile(join(folder, "trip/day one/photo.jpg"), "photo");
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await page.locator("#folder").setInputFiles(join(folder, "trip"));
	await upload.pressUpload();
	await upload.become("trip/plan.txt", "done");
	await upload.become("trip/day one/photo.jpg", "done");
	assert.deepEqual(await stored("user-dir-prefix/trip/"),
		["user-dir-prefix/trip/day one/photo.jpg", "user-dir-prefix/trip/plan.txt"]);
});

test("pasted files are taken", async t => {
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.page.evaluate(() => {
		const clipboardData = new DataTransfer();
		clipboardData.items.add(new File(["x"], "pasted.png", { type: "image/png" }));
		document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
	});
	await upload.row("pasted.png").waitFor();
});

test("in Chinese, and back", async t => {
	const upload = await openUploadPage(t, browser, server, { locale: "zh-CN" });
	const { page } = upload;
	await page.goto(server.page);
	await page.getByText(/^每个文件不超过/).waitFor();
	assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
	await page.locator("#files").setInputFiles(testFile("one.txt"));
	await page.getByRole("button", { name: "上传", exact: true }).click();
	await upload.row("one.txt").getByText("上传成功").waitFor();
	await page.getByRole("button", { name: "English" }).click();
	await upload.row("one.txt").getByText("Uploaded").waitFor();
	await page.getByText(/^Up to/).waitFor();
});

test("without a network it waits, and goes on by itself", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.choose(testFile("patient.bin"));
	await page.context().setOffline(true);
	await upload.pressUpload();
	await upload.become("patient.bin", "retrying");
	await upload.row("patient.bin").getByText("Waiting for the network").waitFor();
	assert.equal(upload.posts, 0);
	await page.context().setOffline(false);
	await upload.become("patient.bin", "done");
	assert.equal(upload.posts, 1);
});
