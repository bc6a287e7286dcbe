// SPDX-License-Identifier: Apache-2.0
// Pictures before they are sent: made smaller, and measured, in Chromium and in Firefox.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { withExif } from "../lib/exif.js";
import { noFirefox, openFirefox, startFirefox } from "../lib/firefox.js";
import { IMAGES } from "../lib/images.js";
import { getObject } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, chromium, firefox;
before(async () => {
	server = await startServer(all);
	chromium = await startBrowser(all);
	firefox = noFirefox ? null : await startFirefox(all);
});
after(all.run);

/** In the page: a picture with a colour in each corner, clear in its middle if `clear`. */
function paint([width, height, type, clear]) {
	const canvas = Object.assign(document.createElement("canvas"), { width, height });
	const context = canvas.getContext("2d");
	for (const [i, colour] of ["red", "lime", "blue", "yellow"].entries()) {
		context.fillStyle = colour;
		context.fillRect(i % 2 * width / 2, (i >> 1) * height / 2, width / 2, height / 2);
	}
	if (clear)
		context.clearRect(width / 4, height / 4, width / 2, height / 2);
	return canvas.toDataURL(type, 0.9).split(",")[1];
}

/** In the page: what becomes of a file; its size, and the colours of its corners and its middle. */
async function make([base64, name, type, options]) {
	const { createPictures } = await import("/client/pictures.js");
	const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
	const file = new File([bytes], name, { type, lastModified: 1234 });
	const result = await createPictures(options)(file);
	const told = { same: result === file, name: result.name, type: result.type, lastModified: result.lastModified,
		bytes: btoa(String.fromCharCode(...new Uint8Array(await result.arrayBuffer()))) };
	const bitmap = await createImageBitmap(result, { imageOrientation: "none" }).catch(() => null);
	if (!bitmap)
		return told;
	const { width, height } = bitmap;
	const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
	context.drawImage(bitmap, 0, 0);
	const near = value => value < 64 ? 0 : value > 192 ? 1 : 0.5;
	const at = (x, y) => [...context.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data].map(near).join("");
	return { ...told, width, height, middle: at(0.5, 0.5),
		corners: [at(0.1, 0.1), at(0.9, 0.1), at(0.1, 0.9), at(0.9, 0.9)] };
}

const [RED, LIME, BLUE, YELLOW] = ["1001", "0101", "0011", "1101"];

async function checkAll(evaluate) {
	const jpeg = withExif(Buffer.from(await evaluate(paint, [1200, 800, "image/jpeg"]), "base64"), 6);
	assert.ok(jpeg.includes("POSTERNCAM"));
	const photo = await evaluate(make, [jpeg.toString("base64"), "photo.jpg", "image/jpeg", { maxWidth: 300, maxHeight: 300 }]);
	// It lay on its side: what was left is above.
	assert.deepEqual([photo.width, photo.height], [200, 300]);
	assert.deepEqual(photo.corners, [BLUE, RED, YELLOW, LIME]);
	assert.deepEqual([photo.name, photo.type, photo.lastModified], ["photo.jpg", "image/jpeg", 1234]);
	const bytes = Buffer.from(photo.bytes, "base64");
	for (const told of ["Exif", "POSTERNCAM", "GPS"])
		assert.ok(!bytes.includes(told), told);

	const small = await evaluate(make, [jpeg.toString("base64"), "small.jpg", "image/jpeg", {}]);
	assert.deepEqual([small.width, small.height, small.same], [800, 1200, false]);
	assert.ok(!Buffer.from(small.bytes, "base64").includes("POSTERNCAM"));

	const png = await evaluate(paint, [400, 400, "image/png", true]);
	const clear = await evaluate(make, [png, "clear.png", "image/png", { maxWidth: 100 }]);
	assert.deepEqual([clear.width, clear.height, clear.type, clear.middle], [100, 100, "image/png", "0000"]);
	assert.deepEqual(clear.corners, [RED, LIME, BLUE, YELLOW]);
	const white = await evaluate(make, [png, "a.b/clear.png", "image/png", { maxWidth: 100, type: "image/jpeg" }]);
	assert.deepEqual([white.type, white.middle, white.name.slice(-9)], ["image/jpeg", "1111", "clear.jpg"]);

	// What moves, is broken, or is no picture comes back as it was.
	const moving = Buffer.from(png, "base64");
	const animated = Buffer.concat([moving.subarray(0, 33), Buffer.from("\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\0\0\0\0", "latin1"),
		moving.subarray(33)]);
	for (const [name, type, content] of [["moving.png", "image/png", animated], ["broken.jpg", "image/jpeg", Buffer.from("no picture")],
		["a.gif", "image/gif", IMAGES[2].bytes], ["a.txt", "text/plain", Buffer.from("text")],
		["a.svg", "image/svg+xml", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>")]]) {
		const result = await evaluate(make, [content.toString("base64"), name, type, { maxWidth: 10 }]);
		assert.equal(result.same, true, name);
	}
}

test("Chromium: turned the right way, smaller, and without the place", async t => {
	const page = await openPage(t, chromium, `${server.app}/nothing`);
	await checkAll((run, args) => page.evaluate(run, args));
});

test("Firefox: turned the right way, smaller, and without the place", { skip: noFirefox }, async t => {
	const page = await openFirefox(t, firefox, `${server.app}/nothing`);
	await checkAll((run, args) => page.evaluate(run, args));
});

/** In the page: what a check says of a file, and what the page would tell of it. */
async function judge([base64, name, type, checks]) {
	const { createChecks } = await import("/client/checks.js");
	const { explain } = await import("/client/texts.js");
	const error = await createChecks(checks)(new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], name, { type }));
	return error && { kind: error.kind, facts: error.facts, told: explain(error).message };
}

async function measureAll(evaluate) {
	const jpeg = withExif(Buffer.from(await evaluate(paint, [300, 200, "image/jpeg"]), "base64"), 6).toString("base64");
	const judged = (checks, [content, name, type] = [jpeg, "photo.jpg", "image/jpeg"]) => evaluate(judge, [content, name, type, checks]);
	// It lies on its side, and is seen 200 wide and 300 high.
	assert.equal(await judged({ minWidth: 200, maxWidth: 200, minHeight: 300, maxHeight: 300 }), null);
	assert.deepEqual(await judged({ minWidth: 201 }), { kind: "dimensions", facts: ["small", 200, 300, 201, 0],
		told: "The picture has 200 × 300 pixels, which is too small." });
	assert.deepEqual((await judged({ minHeight: 301 })).facts, ["small", 200, 300, 0, 301]);
	assert.deepEqual((await judged({ maxWidth: 199, maxHeight: 1000 })).facts, ["large", 200, 300, 199, 1000]);
	assert.deepEqual((await judged({ maxWidth: 1000, maxHeight: 299 })).facts, ["large", 200, 300, 1000, 299]);
	assert.deepEqual((await judged({ minWidth: 1 }, [btoa("no picture"), "a.jpg", "image/jpeg"])).facts, ["unknown"]);
	for (const { bytes, name, type } of IMAGES)
		assert.equal((await judged({ minWidth: 5000 }, [bytes.toString("base64"), name, type])).facts[0], "small", type);
}

test("Chromium: pictures are measured as they are seen", async t => {
	const page = await openPage(t, chromium, `${server.app}/nothing`);
	await measureAll((run, args) => page.evaluate(run, args));
});

test("Firefox: pictures are measured as they are seen", { skip: noFirefox }, async t => {
	const page = await openFirefox(t, firefox, `${server.app}/nothing`);
	await measureAll((run, args) => page.evaluate(run, args));
});

test("a page that forbids pictures measures all the same", async t => {
	const context = await chromium.newContext();
	t.after(() => context.close());
	const page = await context.newPage();
	await page.route("**/forbids", route => route.fulfill({ contentType: "text/html", body: "<!DOCTYPE html><title>x</title>",
		headers: { "Content-Security-Policy": "img-src 'none'" } }));
	await page.goto(`${server.app}/forbids`);
	const refused = page.waitForEvent("console", message => /img-src/.test(message.text()));
	const { facts } = await page.evaluate(judge, [IMAGES[0].bytes.toString("base64"), "a.png", "image/png", { minWidth: 5000 }]);
	await refused;
	assert.equal(facts[0], "small");
});

test("it works in a worker; what arrives at the store tells no place", async t => {
	const page = await openPage(t, chromium, server.page);
	const jpeg = withExif(IMAGES[1].bytes, 1);
	const worker = page.waitForEvent("worker");
	const keys = await page.evaluate(async base64 => {
		const { createPictures } = await import("/client/pictures.js");
		const { createUploader } = await import("/client/postern-upload.js");
		const smaller = createPictures();
		const uploader = createUploader();
		const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
		return Promise.all(["1", "2", "3"].map(async name => {
			const upload = uploader.add(await smaller(new File([bytes], `worker-${name}.jpg`, { type: "image/jpeg" })));
			upload.start();
			await upload.finished;
			return upload.result?.key;
		}));
	}, jpeg.toString("base64"));
	assert.match((await worker).url(), /\/client\/pictures_worker\.js$/);
	for (const key of keys) {
		const stored = await getObject(server.store, key);
		assert.equal(stored.subarray(0, 2).toString("hex"), "ffd8");
		assert.ok(!stored.includes("POSTERNCAM"));
	}
});

test("a page that forbids workers does it itself", async t => {
	const page = await openPage(t, chromium, `${server.app}/nothing`);
	const { type, same } = await page.evaluate(async base64 => {
		const { createPictures } = await import("/client/pictures.js");
		const file = new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], "a.png", { type: "image/png" });
		const smaller = createPictures({ type: "image/webp", makeWorker: () => {
			throw new Error("forbidden");
		} });
		const [result] = await Promise.all([smaller(file), smaller(file)]);
		return { type: result.type, same: result === file };
	}, IMAGES[0].bytes.toString("base64"));
	assert.deepEqual([type, same], ["image/webp", false]);
});
