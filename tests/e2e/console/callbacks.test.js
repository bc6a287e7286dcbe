// SPDX-License-Identifier: Apache-2.0
// The callback history: what was sent, why it failed, and sending it again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { openConsole } from "../lib/console.js";
import { base64Json, request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all, { command: "store", env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	browser = await startBrowser(all);
	await request(server.store, "PUT", "uploads");
});
after(all.run);

const upload = (key, callbackUrl) => request(server.store, "PUT", "uploads", key, { body: "hello",
	headers: { "x-oss-callback": base64Json({ callbackUrl, callbackBody: "object=${object}" }) } });

const record = (page, key) => page.getByRole("listitem").filter({
	has: page.getByRole("link", { name: `uploads/${key}`, exact: true }) });

test("callbacks appear by themselves, with each URL that was tried and the answer", async t => {
	const sink = await startSink(t, says("{\"Status\":\"OK\"}"));
	const closed = await closedPort();
	const page = await openConsole(t, browser, server, "callbacks");
	await page.getByText("No callback has been sent yet.").waitFor();
	await upload("dir/<b>.txt", `${closed}/first;${sink.url}/second`);
	const one = record(page, "dir/<b>.txt");
	await one.getByText("Succeeded").waitFor();
	await one.getByText(/PutObject · 5 B · /).waitFor();
	await one.getByText(`${closed}/first`).waitFor();
	await one.getByText(/^no answer, \d+ ms$/).waitFor();
	await one.getByText(/^status 200, \d+ ms$/).waitFor();
	await one.getByText("Answer", { exact: true }).click();
	await one.getByText("{\"Status\":\"OK\"}").waitFor();
});

test("one that failed says why, is sent again, and both are kept", async t => {
	let broken = true;
	const sink = await startSink(t, (_, response) => broken
		? says("<img src=x onerror=globalThis.hit=1>", 500, "text/html")(_, response)
		: says("{\"ok\":true}")(_, response));
	const page = await openConsole(t, browser, server, "callbacks");
	await upload("failing.txt", sink.url);
	const failed = record(page, "failing.txt");
	await failed.getByText("Failed", { exact: true }).waitFor();
	await failed.getByText("Error status : 500.").waitFor();
	await failed.getByText("Answer", { exact: true }).click();
	await failed.getByText("<img src=x onerror=globalThis.hit=1>").waitFor();
	broken = false;
	await page.getByLabel("Keep up to date").uncheck();
	await failed.getByRole("button", { name: "Send again: failing.txt" }).click();
	await record(page, "failing.txt").nth(1).waitFor();
	await record(page, "failing.txt").first().getByText("Succeeded").waitFor();
	await record(page, "failing.txt").last().getByText("Failed", { exact: true }).waitFor();
	assert.equal(sink.requests.length, 2);
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
	await page.reload();
	await record(page, "failing.txt").nth(1).waitFor();
	assert.equal(await record(page, "failing.txt").count(), 2);
});

test("older ones are shown on demand", async t => {
	const sink = await startSink(t, says("{}"));
	for (let i = 0; i < 60; i++)
		await upload(`page-${i}.txt`, sink.url);
	const page = await openConsole(t, browser, server, "callbacks");
	await record(page, "page-59.txt").waitFor();
	assert.equal(await page.locator(".callback").count(), 50);
	assert.equal(await record(page, "page-9.txt").count(), 0);
	await page.getByRole("button", { name: "Show older ones" }).click();
	await record(page, "page-0.txt").waitFor();
	assert.deepEqual(await page.locator(".callback a").evaluateAll(
		links => links.map(link => link.textContent).filter(text => text.includes("page-"))),
	Array.from({ length: 60 }, (_, i) => `uploads/page-${59 - i}.txt`));
});

test("none is left out if more than a page come between two looks", async t => {
	const sink = await startSink(t, says("{}"));
	await upload("before.txt", sink.url);
	const page = await openConsole(t, browser, server, "callbacks");
	await record(page, "before.txt").waitFor();
	await page.getByLabel("Keep up to date").uncheck();
	for (let i = 0; i < 70; i++)
		await upload(`between-${i}.txt`, sink.url);
	await page.getByRole("button", { name: "Refresh" }).click();
	await record(page, "between-69.txt").waitFor();
	assert.deepEqual(await page.locator(".callback a").evaluateAll(
		links => links.map(link => link.textContent).filter(text => text.includes("between-"))),
	Array.from({ length: 70 }, (_, i) => `uploads/between-${69 - i}.txt`));
});

test("as many are shown as the store keeps, and no more", async t => {
	const sink = await startSink(t, says("{}"));
	const page = await openConsole(t, browser, server, "callbacks");
	await page.locator(".callback").first().waitFor();
	await page.getByLabel("Keep up to date").uncheck();
	for (let i = 0; i < 1000; i += 20)
		await Promise.all(Array.from({ length: 20 }, (_, n) => upload(`many-${i + n}.txt`, sink.url)));
	await upload("last.txt", sink.url);
	await page.getByRole("button", { name: "Refresh" }).click();
	await record(page, "last.txt").waitFor();
	assert.equal(await page.locator(".callback").count(), 1000);
	assert.equal(await page.getByRole("button", { name: "Show older ones" }).isHidden(), true);
});
