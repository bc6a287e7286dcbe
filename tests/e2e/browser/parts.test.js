// SPDX-License-Identifier: Apache-2.0
// Large files in parts, against the real application server and store.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { screenshot, startBrowser } from "../lib/browser.js";
import { violations } from "../lib/console.js";
import { getObject, listObjects, sha256 } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
let server, browser, folder;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
	folder = await temporaryFolder(all);
});
after(all.run);

const MEBIBYTE = 1 << 20;

async function largeFile(name, size) {
	const file = testFile(name, size, "video/mp4");
	await writeFile(join(folder, name), file.buffer);
	return { ...file, path: join(folder, name) };
}

/** What is asked of application server and store for parts, as "METHOD last words". */
function watch(page) {
	const seen = [];
	page.on("request", request => {
		const { pathname, searchParams } = new URL(request.url());
		if (request.method() === "OPTIONS")
			return;
		if (request.method() === "PUT")
			seen.push(`put ${searchParams.get("partNumber")}`);
		else if (pathname.startsWith("/s3/multipart"))
			seen.push(`${request.method()} ${pathname.split("/").slice(4).join("/").replace(/^\S{10,}/, "ID").replace(/ID\w*/, "ID")}`);
	});
	return { all: seen, puts: () => seen.filter(line => line.startsWith("put ")) };
}

/** Lets `left` parts go; the others are on their way until the page is reloaded. open() lets all go. */
async function startGate(page) {
	const parts = /partNumber=/;
	const hold = (route, request) =>
		request.method() !== "PUT" || gate.left-- > 0 ? route.continue() : undefined;
	const gate = { left: 0, open: () => page.unroute(parts, hold) };
	await page.route(parts, hold);
	return gate;
}

/** The only object of this content. */
async function contentIs(row, buffer) {
	const [, key] = /Stored as (\S+)\./.exec(await row.innerText());
	assert.equal(sha256(await getObject(server.store, key)), sha256(buffer));
}

test("a large file goes in parts, and is confirmed", async t => {
	const file = await largeFile("film.mp4", 41 * MEBIBYTE);
	const upload = await openUploadPage(t, browser, server);
	const requests = watch(upload.page);
	await upload.open();
	await upload.choose(file.path);
	await upload.pressUpload();
	const row = await upload.become(file.name, "done");
	await contentIs(row, file.buffer);
	assert.equal(requests.puts().length, 6);
	assert.equal(upload.posts, 0);
});

test("reloaded three times, it is complete, and at most what was on its way is sent again", async t => {
	const file = await largeFile("long.mp4", 122 * MEBIBYTE);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const requests = watch(page);
	const gate = await startGate(page);
	for (let reload = 0; reload < 3; reload++) {
		await upload.open();
		gate.left = 2;
		await upload.choose(file.path);
		const arrived = page.waitForResponse(response =>
			response.request().method() === "PUT" && response.status() === 200);
		await upload.pressUpload();
		await arrived;
	}
	await upload.open();
	await gate.open();
	await upload.choose(file.path);
	await upload.pressUpload();
	const row = await upload.become(file.name, "done");
	await contentIs(row, file.buffer);
	// Four are on their way together, and one that has just arrived may not be written down yet.
	const parts = Math.ceil(122 / 8);
	assert.ok(requests.puts().length <= parts + 3 * 5, `${requests.puts()}`);
	assert.equal(new Set(requests.puts()).size, parts);
	t.diagnostic(`${requests.puts().length} parts were sent for ${parts}`);
});

test("dropped, it goes on after a reload by a button, and is not chosen again", async t => {
	const parts = Math.ceil(41 / 8);
	const file = await largeFile("dropped.mp4", 41 * MEBIBYTE);
	const small = await largeFile("dropped.txt", 1000);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const requests = watch(page);
	const unfinished = page.getByRole("region", { name: "Not finished" });
	const gate = await startGate(page);
	await upload.open();
	gate.left = 2;
	await upload.drop(file.path, small.path);
	await upload.row("dropped.txt").waitFor();
	const arrived = page.waitForResponse(response => response.request().method() === "PUT" && response.status() === 200);
	await upload.pressUpload();
	await arrived;
	// Another page does not offer what this one is sending.
	const other = await page.context().newPage();
	await other.goto(server.page);
	await other.getByText(/^(Types|At least|Up to)/).waitFor();
	await other.evaluate(() => navigator.locks.query());
	assert.equal(await other.getByRole("region", { name: "Not finished" }).count(), 0);
	await other.close();

	await upload.open();
	await unfinished.getByText("dropped.mp4").waitFor();
	assert.equal(await unfinished.getByRole("listitem").count(), 1);
	assert.deepEqual(await violations(page), []);
	await page.setViewportSize({ width: 320, height: 700 });
	assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
	await screenshot(page, "unfinished");
	await gate.open();
	await unfinished.getByRole("button", { name: "Go on with dropped.mp4" }).click();
	await contentIs(await upload.become("dropped.mp4", "done"), file.buffer);
	assert.ok(requests.puts().length <= parts + 5, `${requests.puts()}`);
	assert.equal(new Set(requests.puts()).size, parts);
	assert.equal(await unfinished.count(), 0);
	await upload.open();
	assert.equal(await unfinished.count(), 0);
});

// The chooser of the browser cannot be operated from here: a handle of a file in the page's own folder is given instead.
test("chosen where the browser has handles, it goes on after a reload by a button", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const gate = await startGate(page);
	const sizes = { "picked.mp4": 17 * MEBIBYTE, "picked.txt": 1000 };
	await page.addInitScript(files => {
		window.showOpenFilePicker = async options => {
			const folder = await navigator.storage.getDirectory();
			window.offered = options;
			return Promise.all(Object.entries(files).map(async ([name, size]) => {
				const handle = await folder.getFileHandle(name, { create: true });
				const out = await handle.createWritable();
				await out.write(Uint8Array.from({ length: size }, (_, i) => i * 2654435761 >>> 13));
				await out.close();
				return handle;
			}));
		};
	}, sizes);
	await upload.open();
	gate.left = 2;
	await page.getByText("Choose files").click();
	await upload.row("picked.txt").waitFor();
	assert.equal(await page.evaluate(() => window.offered.multiple), true);
	const arrived = page.waitForResponse(response => response.request().method() === "PUT" && response.status() === 200);
	await upload.pressUpload();
	await arrived;
	await upload.open();
	await gate.open();
	await page.getByRole("button", { name: "Go on with picked.mp4" }).click();
	const expected = Buffer.from(Uint8Array.from({ length: sizes["picked.mp4"] }, (_, i) => i * 2654435761 >>> 13));
	await contentIs(await upload.become("picked.mp4", "done"), expected);

	// Who chooses nothing is not troubled.
	await page.evaluate(() => {
		window.showOpenFilePicker = async () => {
			throw new DOMException("The user aborted a request.", "AbortError");
		};
	});
	await page.getByText("Choose files").click();
	await upload.drop((await largeFile("after.txt", 1000)).path);
	await upload.row("after.txt").waitFor();
	assert.doesNotMatch(await page.locator("#news").innerText(), /abort/i);

	// Where that chooser does not open, the other one does.
	await page.evaluate(() => {
		window.showOpenFilePicker = async () => {
			throw new TypeError("Failed to execute 'showOpenFilePicker'");
		};
	});
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByText("Choose files").click()]);
	await chooser.setFiles((await largeFile("other.txt", 1000)).path);
	await upload.row("other.txt").waitFor();
});

test("what is not finished is forgotten, or has gone", async t => {
	const files = [await largeFile("first.mp4", 17 * MEBIBYTE), await largeFile("second.mp4", 17 * MEBIBYTE)];
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.throttle(100_000);
	await upload.drop(...files.map(({ path }) => path));
	await upload.row("second.mp4").waitFor();
	await upload.pressUpload();
	await upload.become("first.mp4", "sending");
	await upload.become("second.mp4", "sending");
	await upload.open();
	await page.getByRole("button", { name: "Forget first.mp4" }).click();
	assert.equal(await page.getByRole("button", { name: "Go on with first.mp4" }).count(), 0);
	await rm(files[1].path);
	await page.getByRole("button", { name: "Go on with second.mp4" }).click();
	await page.getByText("It was moved, deleted or changed after you chose it.").waitFor();
});

test("a part that is damaged on its way is sent again, and the file is what it was", async t => {
	const file = await largeFile("damaged.mp4", 17 * MEBIBYTE);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	let damaged = 0;
	await page.route(/partNumber=2&/, async (route, request) => {
		if (request.method() !== "PUT" || damaged++ > 0)
			return route.continue();
		const bytes = Buffer.from(file.buffer.subarray(8 * MEBIBYTE, 16 * MEBIBYTE));
		bytes[1000] ^= 1;
		return route.continue({ postData: bytes });
	});
	const requests = watch(page);
	await upload.open();
	await upload.choose(file.path);
	await upload.pressUpload();
	const row = await upload.become(file.name, "done");
	await contentIs(row, file.buffer);
	assert.equal(requests.puts().filter(line => line === "put 2").length, 2);
});

test("cancelled, nothing is left; a small file beside it is not disturbed", async t => {
	const before = (await listObjects(server.store)).length;
	const file = await largeFile("given-up.mp4", 33 * MEBIBYTE);
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.throttle(MEBIBYTE / 4);
	await upload.choose(file.path, (await largeFile("small.txt", 1000)).path);
	const aborted = page.waitForRequest(request => request.method() === "DELETE");
	await upload.pressUpload();
	await upload.row(file.name).getByText(/Sending, [1-9]\d* %/).waitFor();
	await page.getByRole("button", { name: `Cancel ${file.name}` }).click();
	assert.equal((await (await aborted).response()).status(), 200);
	await upload.become("small.txt", "done");
	assert.equal((await listObjects(server.store)).length, before + 1);
});

test("two tabs with one file: it is sent once", async t => {
	const file = await largeFile("shared.mp4", 33 * MEBIBYTE);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	const other = await upload.page.context().newPage();
	const second = Object.assign(Object.create(Object.getPrototypeOf(upload)), { page: other, server, requests: [] });
	other.on("filechooser", () => {});
	await second.open();
	const requests = [watch(upload.page), watch(other)];
	await upload.throttle(MEBIBYTE / 4);
	await upload.choose(file.path);
	await upload.pressUpload();
	await upload.row(file.name).getByText(/Sending, [1-9]\d* %/).waitFor();
	await second.choose(file.path);
	await second.pressUpload();
	await second.become(file.name, "retrying");
	await upload.throttle(-1);
	await upload.become(file.name, "done");
	await contentIs(await second.become(file.name, "done"), file.buffer);
	assert.equal(requests[0].puts().length, 5);
	assert.equal(requests[1].puts().length, 0);
});
