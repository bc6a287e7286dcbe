// SPDX-License-Identifier: Apache-2.0
// Uppy as npm has it, unmodified, with postern in the place of its Companion.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { getObject, listObjects, sha256 } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const SCRIPT = fileURLToPath(new URL("../../node_modules/uppy/dist/uppy.min.js", import.meta.url));
const PART = 5 * 1024 * 1024;

/** In the page. */
function setUp() {
	const { Uppy, AwsS3, GoldenRetriever } = globalThis.Uppy;
	const uppy = new Uppy({ id: "test" })
		.use(AwsS3, { companionEndpoint: location.origin, shouldUseMultipart: file => file.size > 1000 })
		.use(GoldenRetriever);
	globalThis.uppy = uppy;
	globalThis.events = [];
	for (const name of ["restored", "upload-success", "upload-error", "complete"])
		uppy.on(name, (file, what) => globalThis.events.push({ name, message: what?.message,
			location: what?.body?.location, key: what?.body?.key }));
	const input = document.createElement("input");
	input.type = "file";
	input.addEventListener("change", () => {
		for (const data of input.files)
			uppy.addFile({ name: data.name, type: data.type, data, source: "input" });
	});
	document.body.append(input);
}

let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});

/** An empty page of the application server's origin, which the first start's CORS rule admits. */
async function load(page) {
	await page.goto(`${server.app}/nothing`);
	await page.setContent("<!DOCTYPE html><title>uppy</title>");
	await page.addScriptTag({ path: SCRIPT });
	await page.evaluate(setUp);
}

async function openUppy(t) {
	const page = await openPage(t, browser);
	await load(page);
	return page;
}

/** Waits for an event of Uppy's; an upload that failed ends the wait. */
async function event(page, wanted) {
	await page.waitForFunction(name => globalThis.events.some(one =>
		one.name === name || one.name === "upload-error"), wanted);
	const events = await page.evaluate(() => globalThis.events);
	const found = events.find(one => one.name === wanted);
	assert.ok(found, JSON.stringify(events));
	return found;
}

/** In the page: whether the retriever has written down the upload. */
async function remembers() {
	const read = request => new Promise((done, fail) => {
		request.onsuccess = () => done(request.result);
		request.onerror = fail;
	});
	for (const { name } of await indexedDB.databases()) {
		const db = await read(indexedDB.open(name));
		const texts = [];
		for (const store of db.objectStoreNames)
			texts.push(JSON.stringify(await read(db.transaction(store).objectStore(store).getAll())));
		db.close();
		if (texts.some(text => text.includes("uploadId")))
			return true;
	}
	return false;
}

/** A file whose parts all differ. */
async function makeFile(t, name, size) {
	const bytes = Buffer.alloc(size);
	for (let at = 0; at + 4 <= size; at += 4)
		bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
	const path = join(await temporaryFolder(t), name);
	await writeFile(path, bytes);
	return { path, bytes };
}

/** The numbers of the parts that the page puts. */
function watchParts(page) {
	const numbers = [];
	page.on("request", request => {
		if (request.method() === "PUT")
			numbers.push(Number(new URL(request.url()).searchParams.get("partNumber")));
	});
	return numbers;
}

test("a small file goes as a form, for one key", async t => {
	const page = await openUppy(t), file = await makeFile(t, "small.bin", 900);
	await page.setInputFiles("input", file.path);
	await page.evaluate(() => void globalThis.uppy.upload());
	const { key } = await event(page, "upload-success");
	assert.equal(sha256(await getObject(server.store, key)), sha256(file.bytes));
});

test("after a reload only the missing parts are sent", async t => {
	const page = await openUppy(t), file = await makeFile(t, "film.bin", 4 * PART + 4711);
	const before = new Set(await listObjects(server.store));
	const parts = watchParts(page);
	// The third part never arrives.
	const isThird = url => url.href.startsWith(server.store) && url.searchParams.get("partNumber") === "3";
	let reached;
	const third = new Promise(done => {
		reached = done;
	});
	let blocked = true;
	await page.route(isThird, route => blocked ? reached() : route.continue());
	await page.setInputFiles("input", file.path);
	await page.evaluate(() => void globalThis.uppy.upload());
	await third;
	assert.deepEqual(parts, [1, 2, 3]);
	// What the retriever knows is written with a delay of its own.
	await page.waitForFunction(remembers);
	await load(page);
	blocked = false;
	await event(page, "restored");
	parts.length = 0;
	assert.equal(await page.evaluate(() => globalThis.uppy.getFiles()[0].isGhost), true);
	await page.setInputFiles("input", file.path);
	assert.equal(await page.evaluate(() => globalThis.uppy.getFiles().length), 1);
	await page.evaluate(() => void globalThis.uppy.emit("restore-confirmed"));
	const { key, location } = await event(page, "upload-success");
	assert.deepEqual(parts, [3, 4, 5]);
	assert.equal(location, `${server.store}/uploads/${key}`);
	assert.equal(sha256(await getObject(server.store, key)), sha256(file.bytes));
	assert.deepEqual((await listObjects(server.store)).filter(one => !before.has(one)), [key]);
	await server.logged(new RegExp("target=\"/s3/multipart/[^\"]*complete[^\"]*\" status=200"));
});
