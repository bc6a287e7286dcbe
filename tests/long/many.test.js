// SPDX-License-Identifier: Apache-2.0
// Ten thousand files (LONG_FILES) through the upload page: all arrive, and the page does not grow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startBrowser } from "../e2e/lib/browser.js";
import { request } from "../e2e/lib/oss.js";
import { openUploadPage } from "../e2e/lib/page.js";
import { cleanups, startServer } from "../e2e/lib/server.js";

const FILES = Number(process.env.LONG_FILES ?? 10_000);
/** What a file may take of the page's memory. */
const BYTES_A_FILE = 4096;

/** How many objects begin so. */
async function count(store, prefix) {
	let objects = 0;
	let marker = "";
	do {
		const { text } = await request(store, "GET", "uploads", "", { query: { prefix, marker, "max-keys": "1000" } });
		objects += text.match(/<Key>/g)?.length ?? 0;
		marker = /<NextMarker>([^<]*)</.exec(text)?.[1] ?? "";
	} while (marker);
	return objects;
}

test(`${FILES} files: all arrive, with few elements and bounded memory`, async t => {
	const all = cleanups();
	t.after(all.run);
	const server = await startServer(all);
	const browser = await startBrowser(all);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	page.setDefaultTimeout(1_800_000);
	await upload.open();
	const session = await page.context().newCDPSession(page);
	await session.send("HeapProfiler.enable");
	await session.send("Performance.enable");
	const measured = async () => {
		await session.send("HeapProfiler.collectGarbage");
		const { metrics } = await session.send("Performance.getMetrics");
		return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
	};
	const before = await measured();
	await page.evaluate(files => {
		const transfer = new DataTransfer();
		for (let i = 0; i < files; i++)
			transfer.items.add(new File([`file ${i}`], `many-${i}.txt`, { type: "text/plain" }));
		document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
	}, FILES);
	await upload.row("many-0.txt").waitFor();
	const added = await measured();
	await upload.pressUpload();
	await page.getByText(`${FILES} of ${FILES} files`).waitFor();
	const sent = await measured();
	for (const [when, { JSHeapUsedSize, Nodes }] of Object.entries({ before, added, sent }))
		t.diagnostic(`${when}: ${Math.round(JSHeapUsedSize / 1000)} kB of heap, ${Nodes} nodes`);
	assert.ok(sent.JSHeapUsedSize - before.JSHeapUsedSize < FILES * BYTES_A_FILE, "heap of the page");
	assert.ok(sent.Nodes < before.Nodes + 5000, `${sent.Nodes} nodes`);
	assert.equal(upload.posts, FILES);
	assert.equal(upload.grants, Math.ceil(FILES / 1000));
	assert.equal(await count(server.store, "user-dir-prefix/many-"), FILES);
});
