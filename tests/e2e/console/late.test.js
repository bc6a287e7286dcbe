// SPDX-License-Identifier: Apache-2.0
// Answers that come late: they overwrite nothing that somebody has entered meanwhile, no form can be
// used before it is loaded, and nothing is said before it is so. The answers are the server's own,
// held back until the test lets them go.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { openConsole } from "../lib/console.js";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

/**
 * Holds back the answers to what `wanted` says of (method, URL): {held(n), release(), pass()}.
 * `release` lets go what is held; `pass` everything from now on.
 */
async function hold(page, wanted) {
	const waiting = [];
	let passing = false, seen = 0;
	const come = new EventTarget();
	await page.route(url => url.origin === server.store || url.pathname === "/grant", async route => {
		const asked = route.request();
		if (passing || !wanted(asked.method(), new URL(asked.url())))
			return route.continue();
		const answer = await route.fetch();
		seen++;
		await new Promise(go => {
			waiting.push(go);
			come.dispatchEvent(new Event("held"));
		});
		await route.fulfill({ response: answer }).catch(() => {}); // the page may have left
	});
	return {
		async held(count) {
			while (seen < count)
				await new Promise(done => come.addEventListener("held", done, { once: true }));
		},
		release: () => waiting.splice(0).forEach(go => go()),
		pass() {
			passing = true;
			this.release();
		},
	};
}

const make = (bucket, query, body) => request(server.store, "PUT", bucket, "", { query, body });
const aclOf = async bucket => (await request(server.store, "GET", bucket, "", { query: { acl: "" } })).xml("Grant");

test("a bucket's ACL cannot be chosen before it is known, and what is chosen is what is saved", async t => {
	await make("late-acl");
	await request(server.store, "PUT", "late-acl", "", { query: { acl: "" }, headers: { "x-oss-acl": "public-read" } });
	const page = await openConsole(t, browser, server, "buckets");
	const info = await hold(page, (method, { search }) => method === "GET" && /bucketInfo|stat/.test(search));
	await page.evaluate(() => {
		location.hash = "#/settings/late-acl";
	});
	await info.held(2);
	const acl = page.getByLabel("ACL");
	const save = page.getByRole("button", { name: "Save" });
	assert.equal(await acl.isDisabled(), true, "not loaded");
	assert.equal(await save.isDisabled(), true);
	info.release();
	await page.waitForFunction(() => !document.querySelector("select:not([aria-label])")?.matches(":disabled"));
	assert.equal(await acl.inputValue(), "public-read");

	// Whatever is asked for again after this comes when the next choice has been made.
	await acl.selectOption("private");
	await save.click();
	await page.getByText("Saved.").waitFor();
	await acl.selectOption("public-read-write");
	info.pass();
	await save.click();
	await page.getByText("Saved.").waitFor();
	await page.waitForFunction(() => !document.querySelector("fieldset:disabled"));
	assert.equal(await acl.inputValue(), "public-read-write");
	assert.equal(await aclOf("late-acl"), "public-read-write");
});

test("an ACL cannot be changed while it is being saved", async t => {
	await make("late-save");
	const page = await openConsole(t, browser, server, "settings/late-save");
	const acl = page.getByLabel("ACL");
	await acl.selectOption("public-read");
	const put = await hold(page, method => method === "PUT");
	await page.getByRole("button", { name: "Save" }).click();
	await put.held(1);
	assert.equal(await acl.isDisabled(), true);
	assert.equal(await page.getByText("Saved.").count(), 0, "not yet");
	put.pass();
	await page.getByText("Saved.").waitFor();
	assert.equal(await acl.inputValue(), await aclOf("late-save"));
});

test("no CORS rule can be made before those that there are have come", async t => {
	await make("late-cors");
	await make("late-cors", { cors: "" }, "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.example.com"
		+ "</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>");
	const page = await openConsole(t, browser, server, "buckets");
	const cors = await hold(page, (method, { search }) => method === "GET" && /cors/.test(search));
	await page.evaluate(() => {
		location.hash = "#/cors/late-cors";
	});
	await cors.held(1);
	for (const name of ["Create rule", "Preset: browser upload", "Save rules", "Test"])
		assert.equal(await page.getByRole("button", { name, exact: true }).isDisabled(), true, name);
	assert.equal(await page.getByLabel("Vary: Origin").isDisabled(), true);
	assert.equal(await page.getByText("There are no rules.").isVisible(), false, "nobody knows yet");
	cors.pass();
	await page.getByRole("button", { name: "Create rule" }).click();
	assert.equal(await page.getByRole("heading", { name: /^Rule \d$/ }).count(), 2);
});

test("the list of objects that comes late keeps the selection, the search, and tells the truth", async t => {
	await make("late-list");
	for (const key of ["a.txt", "b.txt", "c.txt"])
		await request(server.store, "PUT", "late-list", key, { body: key });
	const page = await openConsole(t, browser, server, "objects/late-list");
	await page.getByText("3 listed").waitFor();
	const list = await hold(page, (method, { search }) => method === "GET" && /list-type/.test(search));
	const selected = page.getByRole("row", { selected: true });

	// What an upload that has arrived brings about.
	await page.getByLabel("Select a.txt").check();
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([{ name: "d.txt", mimeType: "text/plain", buffer: Buffer.from("d") }]);
	await list.held(1);
	await page.getByLabel("Select b.txt").check();
	await page.getByText("2 of 3 selected").waitFor();
	list.release();
	await page.getByText("2 of 4 selected").waitFor();
	assert.equal(await selected.count(), 2);

	// A search that is answered after the next one was typed.
	const search = page.getByRole("searchbox");
	await search.fill("a");
	await list.held(2);
	await search.fill("b");
	await list.held(3);
	list.pass();
	await page.getByText("1 listed").waitFor();
	assert.equal(await search.inputValue(), "b");
	assert.deepEqual(await page.locator(".object-row a:visible").allTextContents(), ["b.txt"]);
});

test("the grid is drawn before its state is told", async t => {
	await make("late-grid");
	for (const key of ["a.txt", "b.txt"])
		await request(server.store, "PUT", "late-grid", key, { body: key });
	const page = await openConsole(t, browser, server, "objects/late-grid");
	await page.getByText("2 listed").waitFor();
	// At each change of the status, what the rows say: nothing waits for the next frame.
	await page.evaluate(() => {
		globalThis.told = [];
		const status = document.querySelector(".count");
		new MutationObserver(() => globalThis.told.push([status.textContent,
			document.querySelectorAll("[role=row][aria-selected=true]:not([hidden])").length]))
			.observe(status, { childList: true, characterData: true, subtree: true });
		globalThis.requestAnimationFrame = () => 0;
	});
	await page.getByRole("grid").focus();
	await page.keyboard.press("Space");
	await page.getByText("1 of 2 selected").waitFor();
	await page.keyboard.press("Control+a");
	await page.getByText("2 of 2 selected").waitFor();
	assert.deepEqual(await page.evaluate(() => globalThis.told), [["1 of 2 selected", 1], ["2 of 2 selected", 2]]);
});

test("a dialog's fields rest while what they ask for is done", async t => {
	const page = await openConsole(t, browser, server, "buckets");
	const put = await hold(page, method => method === "PUT");
	await page.getByRole("button", { name: "Create bucket" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel("Name").fill("late-made");
	await dialog.getByRole("button", { name: "Create bucket" }).click();
	await put.held(1);
	assert.equal(await dialog.locator("input, select").evaluateAll(
		nodes => nodes.every(node => node.matches(":disabled"))), true);
	put.pass();
	await page.getByRole("link", { name: "late-made" }).first().waitFor();
});

test("headers of an object can be changed when they are known", async t => {
	await make("late-head");
	await request(server.store, "PUT", "late-head", "k", { body: "k", headers: { "Content-Type": "text/css" } });
	const page = await openConsole(t, browser, server, "buckets");
	const head = await hold(page, method => method === "HEAD");
	await page.evaluate(() => {
		location.hash = "#/object/late-head/k";
	});
	await head.held(1);
	assert.equal(await page.getByLabel("content-type").count(), 0);
	head.release();
	const type = page.getByLabel("content-type");
	await type.fill("text/html");
	await page.getByRole("button", { name: "Save headers" }).click();
	await head.held(2);
	await type.fill("text/plain");
	head.pass();
	await page.locator("dl").getByText("text/html").waitFor();
	assert.equal(await type.inputValue(), "text/plain");
});

test("the upload page takes files before it knows the limits, and keeps them", async t => {
	const page = await openPage(t, browser);
	const grant = await hold(page, (_, { pathname }) => pathname === "/grant");
	await page.goto(server.page);
	await grant.held(1);
	await page.locator("#files").setInputFiles([{ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") }]);
	await page.locator("#random").check();
	grant.pass();
	await page.getByText(/Up to .* each/).waitFor();
	assert.equal(await page.locator("#random").isChecked(), true);
	await page.locator("#upload").click();
	await page.getByText("a.txt").first().waitFor();
	await page.locator("#clear:not([disabled])").waitFor();
});
