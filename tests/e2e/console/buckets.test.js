// SPDX-License-Identifier: Apache-2.0
// Buckets: the list, creating, access, deleting and what stops it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { goTo, openConsole } from "../lib/console.js";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

test("a bucket is created with an ACL, counted, made private, and deleted", async t => {
	const page = await openConsole(t, browser, server);
	await page.getByRole("button", { name: "Create bucket" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel("Name").fill("Not-A-Name");
	await dialog.getByRole("button", { name: "Create bucket" }).click();
	assert.equal(await dialog.getByLabel("Name").evaluate(input => input.validity.patternMismatch), true);
	await dialog.getByLabel("Name").fill("photos");
	await dialog.getByLabel("Access (ACL)").selectOption("public-read");
	await dialog.getByRole("button", { name: "Create bucket" }).click();
	await row(page, "photos").waitFor();

	await request(server.store, "PUT", "photos", "a.txt", { body: "hello" });
	assert.equal((await send(`${server.store}/photos/a.txt`)).text, "hello");
	await page.reload();
	await row(page, "photos").getByRole("cell", { name: "5 B", exact: true }).first().waitFor();

	await row(page, "photos").getByRole("link", { name: "Settings of photos" }).click();
	await page.getByLabel("Access (ACL)").and(page.locator("select")).selectOption("private");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved.").waitFor();
	assert.equal((await send(`${server.store}/photos/a.txt`)).status, 403);
	await page.reload();
	await page.getByText(`${server.store}/photos`).waitFor();
	assert.equal(await page.getByLabel("Access (ACL)").and(page.locator("select")).inputValue(), "private");

	await page.getByRole("button", { name: "Delete bucket" }).click();
	await dialog.getByText("It cannot be deleted yet").waitFor();
	await dialog.getByText("a.txt").waitFor();
	await dialog.getByRole("button", { name: "Delete" }).click();
	await dialog.getByText("BucketNotEmpty").waitFor();
	await request(server.store, "DELETE", "photos", "a.txt");
	await dialog.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("heading", { name: "Buckets" }).waitFor();
	assert.equal((await request(server.store, "GET", "photos", "", { query: { acl: "" } })).status, 404);
	await row(page, "uploads").waitFor();
	assert.equal(await row(page, "photos").count(), 0);
});

test("an unfinished upload stops a bucket from being deleted, and can be aborted there", async t => {
	await request(server.store, "PUT", "parts");
	const started = await request(server.store, "POST", "parts", "big.bin", { query: { uploads: "" } });
	assert.equal(started.status, 200);
	const page = await openConsole(t, browser, server);
	await page.getByRole("button", { name: "Delete bucket parts" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText("Unfinished multipart uploads: 1").waitFor();
	await dialog.getByRole("button", { name: "Abort all unfinished uploads" }).click();
	await dialog.getByText("It is empty.").waitFor();
	await dialog.getByRole("button", { name: "Delete", exact: true }).click();
	await dialog.waitFor({ state: "detached" });
	await row(page, "parts").waitFor({ state: "detached" });
});

test("the list is narrowed by name", async t => {
	for (const name of ["alpha", "beta"])
		await request(server.store, "PUT", name);
	const page = await openConsole(t, browser, server);
	await row(page, "alpha").waitFor();
	await page.getByLabel("Filter by name").fill("bet");
	await row(page, "alpha").waitFor({ state: "hidden" });
	assert.equal(await row(page, "beta").isVisible(), true);
});

test("a bucket that is not there is told in the store's own words", async t => {
	const page = await openConsole(t, browser, server);
	await goTo(page, "objects/nowhere");
	await page.getByRole("alert").getByText("NoSuchBucket").waitFor();
});
