// SPDX-License-Identifier: Apache-2.0
// The objects of a bucket: folders, search, uploads, downloads, deleting, odd names, the keyboard.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { goTo, openConsole } from "../lib/console.js";
import { request } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

const EVIL = "<img src=x onerror=globalThis.hit=1>";

/** A bucket with objects of its own. */
async function bucketWith(name, keys) {
	assert.equal((await request(server.store, "PUT", name)).status, 200);
	for (const key of keys)
		assert.equal((await request(server.store, "PUT", name, key, { body: `body of ${key}` })).status, 200);
}

/** The names in the list, as they are shown. */
const names = page => page.locator(".object-row .cell-name a:visible").allInnerTexts();

async function shows(page, ...expected) {
	for (let tries = 0; ; tries++) {
		const shown = await names(page);
		if (JSON.stringify(shown) === JSON.stringify(expected))
			return;
		if (tries === 200)
			assert.deepEqual(shown, expected);
		await page.waitForTimeout(25);
	}
}

test("folders are opened, left, and searched by prefix", async t => {
	await bucketWith("folders", ["a.txt", "dir/b.txt", "dir/sub/c.txt", "dir/blue.txt", "z.txt"]);
	const page = await openConsole(t, browser, server, "objects/folders");
	await shows(page, "a.txt", "dir/", "z.txt");
	await page.getByText("3 listed").waitFor();
	await page.getByRole("link", { name: "dir/", exact: true }).click();
	await shows(page, "b.txt", "blue.txt", "sub/");
	await page.getByLabel("Name begins with").fill("bl");
	await shows(page, "blue.txt");
	assert.match(page.url(), /#\/objects\/folders\/dir\/\?search=bl$/);
	await page.reload();
	await shows(page, "blue.txt");
	await page.getByLabel("Name begins with").fill("");
	await page.getByLabel("Without folders").check();
	await shows(page, "b.txt", "blue.txt", "sub/c.txt");
	await page.getByRole("navigation", { name: "Folder" }).getByRole("link", { name: "folders" }).click();
	await shows(page, "a.txt", "dir/", "z.txt");
});

test("names that are HTML, or that browsers resolve, are names", async t => {
	const keys = [EVIL, "../up.txt", "a/../b", "per%cent", "plus+ sp ace", "q?u#e", "中文.txt", "quote\"'"].sort();
	await bucketWith("odd", keys);
	const page = await openConsole(t, browser, server, "objects/odd");
	await page.getByLabel("Without folders").check();
	await shows(page, ...keys);
	for (const key of keys) {
		await goTo(page, `objects/odd?flat=1`);
		await page.getByRole("link", { name: key, exact: true }).click();
		await page.getByRole("heading", { name: key, exact: true }).waitFor();
		await page.getByText(`${Buffer.byteLength(`body of ${key}`)} bytes`).waitFor();
	}
	await goTo(page, "objects/odd?flat=1");
	await page.getByLabel("Select all that are listed").check();
	await page.getByRole("button", { name: "Delete" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText(EVIL).waitFor();
	await dialog.getByRole("button", { name: "Delete" }).click();
	await page.getByText("0 listed").waitFor();
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
	assert.equal(await page.locator("img").count(), 0);
	assert.doesNotMatch((await request(server.store, "GET", "odd")).text, /<Key>/);
});

test("names that no XML can hold are listed, opened and deleted", async t => {
	const keys = ["bell\u0007.txt", "esc\u001b[31m/a.txt", "plus+%41.txt"];
	await bucketWith("control", keys);
	const page = await openConsole(t, browser, server, "objects/control");
	const lists = [];
	page.on("request", sent => sent.url().includes("/control/?") && lists.push(new URL(sent.url()).searchParams));
	await page.getByLabel("Without folders").check();
	await page.getByText("3 listed").waitFor();
	assert.deepEqual(await page.locator(".object-row .cell-name a:visible").evaluateAll(links => links.map(link => link.textContent)), keys);
	assert.ok(lists.length > 0 && lists.every(query => query.get("encoding-type") === "url"));
	await goTo(page, `object/control/${encodeURIComponent(keys[0])}`);
	await page.getByText(`${`body of ${keys[0]}`.length} bytes`).waitFor();
	await goTo(page, "objects/control?flat=1");
	await page.getByLabel("Select all that are listed").check();
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
	await page.getByText("0 listed").waitFor();
	for (const key of keys)
		assert.equal((await request(server.store, "HEAD", "control", key)).status, 404);
});

test("files are uploaded by form, into the folder that is shown", async t => {
	await bucketWith("into", ["there/old.txt"]);
	const page = await openConsole(t, browser, server, "objects/into/there/");
	const posted = [];
	page.on("request", request => request.method() === "POST" && posted.push(request.headers()["content-type"]));
	await shows(page, "old.txt");
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	const files = [testFile("one.bin", 300_000), testFile("two.txt", 10, "text/plain"), testFile("empty.txt", 0, "text/plain")];
	await chooser.setFiles(files);
	await page.getByText("3 of 3 done, 0 failed").first().waitFor();
	await shows(page, "empty.txt", "old.txt", "one.bin", "two.txt");
	for (const { name, buffer, mimeType } of files) {
		const stored = await request(server.store, "GET", "into", `there/${name}`);
		assert.deepEqual(stored.body, buffer);
		assert.equal(stored.headers["content-type"], mimeType);
	}
	assert.ok(posted.length >= 3 && posted.every(type => type.startsWith("multipart/form-data")));
	await page.getByRole("button", { name: "Clear finished" }).click();
	await page.getByRole("region", { name: "Uploads" }).waitFor({ state: "hidden" });
});

test("a folder is uploaded with what is in it", async t => {
	await bucketWith("trees", []);
	const folder = join(await temporaryFolder(t), "tree");
	await mkdir(join(folder, "deep", "er"), { recursive: true });
	await writeFile(join(folder, "top.txt"), "top");
	await writeFile(join(folder, "deep", "er", "leaf.txt"), "leaf");
	const page = await openConsole(t, browser, server, "objects/trees");
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload a folder" }).click()]);
	await chooser.setFiles(folder);
	await page.getByText("2 of 2 done, 0 failed").first().waitFor();
	await shows(page, "tree/");
	assert.equal((await request(server.store, "GET", "trees", "tree/deep/er/leaf.txt")).text, "leaf");
	assert.equal((await request(server.store, "GET", "trees", "tree/top.txt")).text, "top");
});

test("files that are dropped on the list are uploaded", async t => {
	await bucketWith("dropped", []);
	const page = await openConsole(t, browser, server, "objects/dropped");
	await page.getByText("0 listed").waitFor();
	const data = await page.evaluateHandle(() => {
		const transfer = new DataTransfer();
		for (const name of ["a.txt", "b.txt"])
			transfer.items.add(new File([`dropped ${name}`], name, { type: "text/plain" }));
		return transfer;
	});
	await page.getByRole("grid").dispatchEvent("drop", { dataTransfer: data });
	await shows(page, "a.txt", "b.txt");
	assert.equal((await request(server.store, "GET", "dropped", "b.txt")).text, "dropped b.txt");
});

test("an upload shows its progress, is cancelled, and sent again", async t => {
	await bucketWith("slow", []);
	const page = await openConsole(t, browser, server, "objects/slow");
	const session = await page.context().newCDPSession(page);
	await session.send("Network.enable");
	const throttle = bytes => session.send("Network.emulateNetworkConditions",
		{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
	await throttle(50_000);
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("large.bin", 3_000_000)]);
	await page.getByRole("gridcell", { name: /^Sending, [1-9]\d? %$/ }).waitFor();
	await page.getByRole("button", { name: "Cancel all" }).click();
	await page.getByRole("gridcell", { name: "Cancelled" }).waitFor();
	assert.equal((await request(server.store, "HEAD", "slow", "large.bin")).status, 404);
	await throttle(-1);
	await page.getByRole("grid", { name: "Uploads" }).focus();
	await page.keyboard.press("Enter");
	await page.getByRole("gridcell", { name: "Uploaded" }).waitFor();
	assert.equal((await request(server.store, "HEAD", "slow", "large.bin")).headers["content-length"], "3000000");
});

test("an upload that fails says why", async t => {
	await bucketWith("long", []);
	const page = await openConsole(t, browser, server, `objects/long/${"a".repeat(1020)}/`);
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("a.txt")]);
	await page.getByRole("gridcell", { name: /^Failed: The specified object is not valid|^Failed: .*name/ }).waitFor();
});

test("an upload whose connection breaks is sent again by itself", async t => {
	await bucketWith("broken", []);
	const page = await openConsole(t, browser, server, "objects/broken");
	let broken = 0;
	await page.route(url => url.href === `${server.store}/broken`, route =>
		route.request().method() === "POST" && broken++ === 0 ? route.abort("connectionreset") : route.continue());
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("a${filename}b.txt")]);
	await page.getByRole("gridcell", { name: "Uploaded" }).waitFor();
	assert.equal(broken, 2);
	await shows(page, "a${filename}b.txt");
});

test("many are selected, downloaded, and deleted, folders with all that is in them", async t => {
	await bucketWith("many", ["a.txt", "b.txt", "dir/c.txt", "dir/sub/d.txt", "keep.txt"]);
	const page = await openConsole(t, browser, server, "objects/many");
	await shows(page, "a.txt", "b.txt", "dir/", "keep.txt");
	for (const name of ["a.txt", "dir/"])
		await page.getByLabel(`Select ${name}`).check();
	await page.getByText("2 of 4 selected").waitFor();
	const [download] = await Promise.all([page.waitForEvent("download"),
		page.getByRole("button", { name: "Download" }).click()]);
	assert.equal(download.suggestedFilename(), "a.txt");
	assert.equal(await readFile(await download.path(), "utf8"), "body of a.txt");
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("dialog").getByText("Folders are deleted with all that is in them.").waitFor();
	await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
	await shows(page, "b.txt", "keep.txt");
	assert.deepEqual([...(await request(server.store, "GET", "many")).text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key),
		["b.txt", "keep.txt"]);
});

test("the keyboard alone is enough", async t => {
	await bucketWith("keys", ["a.txt", "b.txt", "c.txt", "dir/d.txt"]);
	const page = await openConsole(t, browser, server, "objects/keys");
	await shows(page, "a.txt", "b.txt", "c.txt", "dir/");
	const grid = page.getByRole("grid", { name: "Objects of keys" });
	const active = () => grid.evaluate(node =>
		document.getElementById(node.getAttribute("aria-activedescendant"))?.querySelector("a")?.textContent);
	await grid.focus();
	assert.equal(await active(), "a.txt");
	await page.keyboard.press("ArrowDown");
	assert.equal(await active(), "b.txt");
	await page.keyboard.press("Space");
	await page.getByText("1 of 4 selected").waitFor();
	assert.equal(await page.getByRole("row", { selected: true }).count(), 1);
	await page.keyboard.press("End");
	assert.equal(await active(), "dir/");
	await page.keyboard.press("Control+a");
	await page.getByText("4 of 4 selected").waitFor();
	await page.keyboard.press("Control+a");
	await page.getByText("4 listed").waitFor();
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Space");
	await page.getByText("1 of 4 selected").waitFor();
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Delete");
	const dialog = page.getByRole("dialog");
	await dialog.getByText("b.txt").waitFor();
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	assert.equal(await grid.evaluate(node => node === document.activeElement), true);
	await page.keyboard.press("Delete");
	await dialog.getByRole("button", { name: "Delete" }).focus();
	await page.keyboard.press("Enter");
	await shows(page, "a.txt", "c.txt", "dir/");
	await grid.focus();
	await page.keyboard.press("End");
	await page.keyboard.press("Enter");
	await shows(page, "d.txt");
});
