// SPDX-License-Identifier: Apache-2.0
// The events of the application server: states, filter, the JSON, and delivering again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holdAnswers, startBrowser } from "../lib/browser.js";
import { openConsole } from "../lib/console.js";
import { allDelivered, metric, startAt, until, upload } from "../lib/events.js";
import { cleanups, startServer } from "../lib/server.js";
import { startSink } from "../lib/sink.js";

const all = cleanups();
let server, browser, sink;
let status = 500;
before(async () => {
	sink = await startSink(all, (_, response) => {
		response.writeHead(status);
		response.end();
	});
	server = await startAt(all, sink.url, { POSTERN_APP_EVENTS_TRIES: "1" });
	browser = await startBrowser(all);
});
after(all.run);

const row = (page, key) => page.locator(".event").filter({ has: page.getByText(key, { exact: true }) });
const inState = (one, text) => one.locator(".title").getByText(text, { exact: true });

test("events appear by themselves; a dead letter says why, shows its JSON, and is delivered again", async t => {
	const page = await openConsole(t, browser, server, "events");
	await page.getByText("There are no events here.").waitFor();
	const { key } = await upload(server, "<b> & c.txt", "hello");
	const one = row(page, key);
	await inState(one, "Dead letter").waitFor();
	await one.getByText("answered with status 500").waitFor();
	await one.getByText(/^1 · postern\.upload\.confirmed · .* · tries: 1$/).waitFor();
	await page.getByText(/^Waiting: 0 · the oldest: – · dead letters: 1$/).waitFor();
	await one.getByText("Event", { exact: true }).click();
	await one.getByText(`"object": "${key}"`).waitFor();
	status = 204;
	await one.getByRole("button", { name: "Deliver again: event 1" }).click();
	await inState(one, "Delivered").waitFor();
	// What was open stays so.
	assert.ok(await one.locator("pre").isVisible());
	assert.equal(await one.getByText("answered with status 500").isVisible(), false);
	await page.getByText(/· dead letters: 0$/).waitFor();
	await one.getByRole("link", { name: "To the object" }).click();
	await page.getByRole("heading", { name: /<b> & c\.txt/ }).waitFor();
});

test("those of one state, and all dead letters at once", async t => {
	status = 500;
	for (let i = 0; i < 3; i++)
		await upload(server, `dead-${i}.txt`);
	await until("given up", async () => await metric(server, "dead") === 3);
	status = 200;
	await upload(server, "good.txt");
	await until("delivered", async () => await metric(server, "delivered_total") === 2);
	const page = await openConsole(t, browser, server, "events");
	await row(page, "user-dir-prefix/good.txt").waitFor();
	const filter = page.getByLabel("State");
	await filter.selectOption("dead");
	await row(page, "user-dir-prefix/good.txt").waitFor({ state: "detached" });
	assert.equal(await page.locator(".event").count(), 3);
	await filter.selectOption("waiting");
	await page.getByText("There are no events here.").waitFor();
	await filter.selectOption("dead");
	await page.locator(".event").nth(2).waitFor();
	await page.getByRole("button", { name: "Deliver all dead letters again" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText(/Each has the same id as before/).waitFor();
	await dialog.getByRole("button", { name: "Deliver all dead letters again" }).click();
	await dialog.waitFor({ state: "detached" });
	await page.getByText("There are no events here.").waitFor();
	await until("delivered", async () => await metric(server, "delivered_total") === 5);
	await filter.selectOption("");
	for (let i = 0; i < 3; i++)
		await inState(row(page, `user-dir-prefix/dead-${i}.txt`), "Delivered").waitFor();
});

test("older ones are shown on demand", async t => {
	status = 200;
	for (let i = 0; i < 55; i += 5)
		await Promise.all(Array.from({ length: 5 }, (_, n) => upload(server, `page-${i + n}.txt`)));
	await allDelivered(server);
	const page = await openConsole(t, browser, server, "events");
	await page.locator(".event").nth(49).waitFor();
	assert.equal(await page.locator(".event").count(), 50);
	await page.getByRole("button", { name: "Show older ones" }).click();
	await row(page, "user-dir-prefix/good.txt").waitFor();
	const ids = await page.locator(".event").evaluateAll(nodes => nodes.map(node => Number(node.dataset.id)));
	assert.deepEqual(ids, [...ids].sort((a, b) => b - a));
});

test("an answer about another state than the chosen one changes nothing", async t => {
	const page = await openConsole(t, browser, server, "events");
	await page.locator(".event").first().waitFor();
	await page.getByLabel("Keep up to date").uncheck();
	const held = await holdAnswers(page, ({ url }) => url.includes("/events?"));
	await page.getByLabel("State").selectOption("kept");
	await held.count(1);
	await page.getByLabel("State").selectOption("delivered");
	await held.release();
	await inState(page.locator(".event").first(), "Delivered").waitFor();
	assert.equal(await page.getByLabel("State").inputValue(), "delivered");
	assert.equal(await page.getByText("There are no events here.").isVisible(), false);
});

test("without events there is no such view", async t => {
	const other = await startServer(t);
	const page = await openConsole(t, browser, other, "events");
	await page.getByRole("heading", { name: "Buckets" }).waitFor();
	assert.equal(await page.getByRole("link", { name: "Events" }).count(), 0);
});
