// SPDX-License-Identifier: Apache-2.0
// One object: preview, signed URL, copy, headers.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { goTo, openConsole } from "../lib/console.js";
import { request, send } from "../lib/oss.js";
import { PNG } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
	await request(server.store, "PUT", "things");
});
after(all.run);

const put = (key, body, type, headers = {}) =>
	request(server.store, "PUT", "things", key, { body, headers: { "Content-Type": type, ...headers } });

const SCRIPT = "<script>parent.hit = 1; globalThis.hit = 1; document.title = 'hit'</script>";

test("texts and images are shown in a frame that may do nothing", async t => {
	await put("page.html", `<h1>Hello</h1>${SCRIPT}`, "text/html");
	await put("one.png", PNG, "image/png");
	await put("bad.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="parent.hit=1"><script>parent.hit = 1</script><circle r="5"/></svg>`,
		"image/svg+xml");
	await put("data.bin", "binary", "application/octet-stream");
	const page = await openConsole(t, browser, server, "object/things/page.html");
	const frame = page.frameLocator("iframe");
	await frame.getByText("<h1>Hello</h1><script>").waitFor();
	assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
	for (const key of ["one.png", "bad.svg"]) {
		await goTo(page, `object/things/${key}`);
		await page.getByTitle(`Preview of ${key}`).waitFor();
		const href = await frame.locator("image").getAttribute("href");
		assert.match(href, key === "one.png" ? /^data:image\/png;base64,iVBOR/ : /^data:image\/svg\+xml;base64,PHN2Z/);
		assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
	}
	await goTo(page, "object/things/data.bin");
	await page.getByText("No preview of this kind of object").waitFor();
	assert.equal(await page.locator("iframe").count(), 0);
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
});

test("a signed URL works for whoever has it, as long as was chosen", async t => {
	await put("dir/shared.txt", "shared", "text/plain");
	const page = await openConsole(t, browser, server, "object/things/dir/shared.txt");
	await page.getByLabel("Valid for").selectOption("86400");
	await page.getByRole("button", { name: "Make URL" }).click();
	const result = page.getByRole("textbox", { name: "Signed URL" });
	const url = await result.inputValue();
	assert.equal(new URL(url).searchParams.get("x-oss-expires"), "86400");
	assert.equal((await send(url)).text, "shared");
	assert.equal((await send(url.replace(/(x-oss-signature=)./, (_, name) => `${name}x`))).status, 403);
	await page.getByLabel("Valid for").selectOption({ label: "Another number of seconds" });
	await page.getByLabel("Another number of seconds").fill("90");
	await page.getByLabel("Browsers save it").check();
	await page.getByRole("button", { name: "Make URL" }).click();
	await page.waitForFunction(() => document.querySelector("textarea").value.includes("x-oss-expires=90"));
	const answer = await send(await result.inputValue());
	assert.match(answer.headers["content-disposition"], /^attachment; filename\*=UTF-8''shared\.txt$/);
});

test("an object is downloaded under its name", async t => {
	await put("dir/名 é.txt", "content", "text/plain");
	const page = await openConsole(t, browser, server, `object/things/dir/${encodeURIComponent("名 é.txt")}`);
	const [download] = await Promise.all([page.waitForEvent("download"),
		page.getByRole("button", { name: "Download" }).click()]);
	assert.equal(download.suggestedFilename(), "名 é.txt");
	assert.equal(await readFile(await download.path(), "utf8"), "content");
});

test("an object is copied, and does not replace another unless asked to; then it is moved", async t => {
	await put("from + ü.txt", "original", "text/plain");
	await put("taken.txt", "taken", "text/plain");
	const page = await openConsole(t, browser, server, `object/things/${encodeURIComponent("from + ü.txt")}`);
	const dialog = page.getByRole("dialog");
	await page.getByRole("button", { name: "Copy or move" }).click();
	await dialog.getByLabel("Name of the copy").fill("taken.txt");
	await dialog.getByRole("button", { name: "Copy" }).click();
	await dialog.getByText("FileAlreadyExists").waitFor();
	assert.equal((await request(server.store, "GET", "things", "taken.txt")).text, "taken");
	await dialog.getByLabel("Replace an object").check();
	await dialog.getByLabel("Delete the original").check();
	await dialog.getByRole("button", { name: "Copy" }).click();
	await page.getByRole("heading", { name: "taken.txt" }).waitFor();
	assert.equal((await request(server.store, "GET", "things", "taken.txt")).text, "original");
	assert.equal((await request(server.store, "HEAD", "things", "from + ü.txt")).status, 404);
});

test("headers and metadata are shown and changed", async t => {
	await put("meta.txt", "m", "text/plain", { "x-oss-meta-author": "alice", "Cache-Control": "no-cache" });
	const page = await openConsole(t, browser, server, "object/things/meta.txt");
	await page.getByText("x-oss-meta-author").waitFor();
	const meta = page.getByLabel("User metadata");
	assert.equal(await meta.inputValue(), "author: alice");
	assert.equal(await page.getByLabel("cache-control").inputValue(), "no-cache");
	await meta.fill("no colon");
	await page.getByRole("button", { name: "Save headers" }).click();
	await page.getByText("This line is not name: value: no colon").waitFor();
	await meta.fill("author: bob\nColour: blue");
	await page.getByLabel("content-type").fill("text/markdown");
	await page.getByLabel("cache-control").fill("");
	await page.getByRole("button", { name: "Save headers" }).click();
	await page.getByText("Saved.").waitFor();
	const { headers } = await request(server.store, "HEAD", "things", "meta.txt");
	assert.equal(headers["x-oss-meta-author"], "bob");
	assert.equal(headers["x-oss-meta-colour"], "blue");
	assert.equal(headers["content-type"], "text/markdown");
	assert.equal(headers["cache-control"], undefined);
	await page.getByText("x-oss-meta-colour").waitFor();
});

test("what the form of the headers does not show stays as it was, and so it does in a copy", async t => {
	const aclOf = async key => /<Grant>(.*)<\/Grant>/.exec((await request(server.store, "GET", "things", key, { query: { acl: "" } })).text)[1];
	const kept = async key => {
		const { headers } = await request(server.store, "HEAD", "things", key);
		return [await aclOf(key), headers["x-oss-storage-class"], headers["content-language"]];
	};
	await put("secret.txt", "s", "text/plain", { "x-oss-object-acl": "private", "x-oss-storage-class": "IA",
		"Content-Language": "de" });
	assert.deepEqual(await kept("secret.txt"), ["private", "IA", "de"]);
	const page = await openConsole(t, browser, server, "object/things/secret.txt");
	await page.getByLabel("cache-control").fill("no-store");
	await page.getByRole("button", { name: "Save headers" }).click();
	await page.getByText("Saved.").waitFor();
	assert.deepEqual(await kept("secret.txt"), ["private", "IA", "de"]);
	await page.getByLabel("cache-control").fill("no-cache");
	await page.getByRole("button", { name: "Save headers" }).click();
	await page.locator(".facts").getByText("no-cache").waitFor();

	// What somebody else has stored meanwhile does not get the headers of what was there.
	await put("secret.txt", "another", "text/plain", { "x-oss-object-acl": "private", "x-oss-storage-class": "IA",
		"Content-Language": "de" });
	await page.getByLabel("cache-control").fill("public");
	await page.getByRole("button", { name: "Save headers" }).click();
	await page.getByText("PreconditionFailed").waitFor();
	assert.equal((await request(server.store, "HEAD", "things", "secret.txt")).headers["cache-control"], undefined);

	const dialog = page.getByRole("dialog");
	await page.getByRole("button", { name: "Copy or move" }).click();
	await dialog.getByLabel("Name of the copy").fill("renamed.txt");
	await dialog.getByLabel("Delete the original").check();
	await dialog.getByRole("button", { name: "Copy" }).click();
	await page.getByRole("heading", { name: "renamed.txt" }).waitFor();
	assert.deepEqual(await kept("renamed.txt"), ["private", "IA", "de"]);
});

test("an object is deleted after a question", async t => {
	await put("gone.txt", "g", "text/plain");
	const page = await openConsole(t, browser, server, "object/things/gone.txt");
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("grid").waitFor();
	assert.equal((await request(server.store, "HEAD", "things", "gone.txt")).status, 404);
});
