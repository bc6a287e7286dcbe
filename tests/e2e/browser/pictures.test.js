// SPDX-License-Identifier: Apache-2.0
// Small pictures of pictures in the list, and where pictures come from: the camera, and what was copied.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { screenshot, startBrowser } from "../lib/browser.js";
import { withExif } from "../lib/exif.js";
import { IMAGES } from "../lib/images.js";
import { getObject } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

/** Counts object URLs from the page's beginning. */
function countUrls() {
	const counts = globalThis.urls = { made: 0, open: 0, most: 0 };
	const { createObjectURL, revokeObjectURL } = URL;
	URL.createObjectURL = what => {
		counts.made++;
		counts.most = Math.max(counts.most, ++counts.open);
		return createObjectURL(what);
	};
	URL.revokeObjectURL = url => {
		counts.open--;
		revokeObjectURL(url);
	};
}

/** Drops pictures of the same bytes with names of their own. */
const dropPictures = (page, base64, count) => page.evaluate(async ([base64, count]) => {
	const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
	const transfer = new DataTransfer();
	for (let i = 0; i < count; i++)
		transfer.items.add(new File([bytes], `p-${String(i).padStart(4, "0")}.png`, { type: "image/png" }));
	document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
}, [base64, count]);

test("pictures have thumbnails, other files their extension, and what cannot be decoded too", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	const files = IMAGES.map(({ name, type, bytes }) => ({ name: `real.${name}`, mimeType: type, buffer: bytes }));
	await upload.choose(...files, testFile("broken.png", 500, "image/png"), testFile("report.pdf", 500),
		testFile("noextension", 5), testFile("<b>.html", 5));
	for (const { name } of files) {
		const canvas = upload.row(name).locator("canvas");
		await canvas.waitFor();
		assert.ok(await canvas.evaluate(node => node.getContext("2d").getImageData(48, 48, 1, 1).data[3]) > 0, name);
	}
	for (const [name, kind] of [["report.pdf", "PDF"], ["broken.png", "PNG"], ["noextension", ""], ["<b>.html", "HTML"]]) {
		assert.equal(await upload.row(name).locator(".kind").textContent(), kind);
		assert.equal(await upload.row(name).locator("canvas").count(), 0);
	}
	await screenshot(page, "page-thumbnails");
});

test("of a thousand pictures those in sight are opened, two at a time, and closed again", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await page.addInitScript(countUrls);
	await upload.open();
	await dropPictures(page, IMAGES[0].bytes.toString("base64"), 1000);
	await upload.row("p-0000.png").locator("canvas").waitFor();
	await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
	await upload.row("p-0999.png").locator("canvas").waitFor();
	await page.waitForFunction(() => globalThis.urls.open === 0);
	const { made, most } = await page.evaluate(() => globalThis.urls);
	assert.ok(most <= 2, `${most} at a time`);
	assert.ok(made < 200, `${made} in all`);
});

test("a telephone offers its camera, if pictures are wanted", async t => {
	const phone = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
	const upload = await openUploadPage(t, browser, server, phone);
	await upload.open();
	const camera = upload.page.locator("#camera");
	assert.equal(await camera.getAttribute("capture"), "environment");
	assert.equal(await camera.getAttribute("accept"), "image/*");
	const [chooser] = await Promise.all([upload.page.waitForEvent("filechooser"),
		upload.page.getByText("Take a photo").click()]);
	await chooser.setFiles([{ name: "photo.png", mimeType: "image/png", buffer: IMAGES[0].bytes }]);
	await upload.row("photo.png").locator("canvas").waitFor();

	for (const [types, accept] of [["text/plain image/png", "image/png"], ["text/plain", ""]]) {
		const choosy = await startServer(t, { env: { POSTERN_APP_ALLOWED_TYPES: types } });
		const other = await openUploadPage(t, browser, choosy, phone);
		await other.open();
		assert.equal(await other.page.locator("#camera").getAttribute("accept"), accept);
		assert.equal(await other.page.getByText("Take a photo").isVisible(), accept !== "");
	}
	const desk = await openUploadPage(t, browser, server);
	await desk.open();
	assert.equal(await desk.page.getByText("Take a photo").isVisible(), false);
});

test("pictures are made smaller if that is wished, and tell no place; what was chosen is what the row says", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	const box = page.getByLabel("Make pictures smaller, without their place");
	await upload.choose(testFile("plain.txt", 10));
	await upload.row("plain.txt").waitFor();
	assert.equal(await box.isVisible(), false);
	const photo = withExif(IMAGES[1].bytes, 6);
	await upload.choose({ name: "wished.jpg", mimeType: "image/jpeg", buffer: photo });
	await box.check();
	await upload.pressUpload();
	await upload.become("wished.jpg", "done");
	await upload.become("plain.txt", "done");
	await box.uncheck();
	await upload.choose({ name: "asis.jpg", mimeType: "image/jpeg", buffer: photo });
	await upload.pressUpload();
	await upload.become("asis.jpg", "done");
	const [wished, asis] = await Promise.all(["wished", "asis"].map(name =>
		getObject(server.store, `user-dir-prefix/${name}.jpg`)));
	assert.ok(asis.equals(photo));
	assert.ok(!wished.includes("POSTERNCAM"));
	assert.equal(wished.subarray(0, 2).toString("hex"), "ffd8");
	assert.equal((await getObject(server.store, "user-dir-prefix/plain.txt")).length, 10);
});

test("a picture that was copied is pasted", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await page.evaluate(base64 => {
		const data = new DataTransfer();
		data.items.add(new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], "image.png", { type: "image/png" }));
		document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
	}, IMAGES[0].bytes.toString("base64"));
	await upload.row("image.png").locator("canvas").waitFor();
	await upload.pressUpload();
	await upload.become("image.png", "done");
});
