// SPDX-License-Identifier: Apache-2.0
// A bucket with many objects: it is scrolled to its end and searched, while the length of each
// frame is measured. CONSOLE_OBJECTS says how many.
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { openConsole } from "../lib/console.js";
import { headersV4 } from "../lib/sign.js";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const OBJECTS = Number(process.env.CONSOLE_OBJECTS ?? 100_000);
const CONNECTIONS = 64;

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
	assert.equal((await request(server.store, "PUT", "crowd")).status, 200);
	await fillBucket();
});
after(all.run);

const keyOf = index => `object-${String(index).padStart(6, "0")}.txt`;

async function fillBucket() {
	const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
	const { hostname, port } = new URL(server.store);
	const put = key => new Promise((done, fail) => {
		const headers = headersV4({ method: "PUT", bucket: "crowd", key });
		const sent = httpRequest({ agent, hostname, port, method: "PUT", path: `/crowd/${key}`,
			headers: { ...headers, "Content-Length": 1 } }, response => {
			response.resume();
			response.on("end", () => response.statusCode === 200 ? done() : fail(new Error(`status ${response.statusCode}`)));
		});
		sent.on("error", fail);
		sent.end("x");
	});
	let next = 0;
	await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
		while (next < OBJECTS)
			await put(keyOf(next++));
	}));
	agent.destroy();
}

/** From now on, notes how long each frame takes. */
const watchFrames = page => page.evaluate(() => {
	const frames = globalThis.frames_ = { longest: 0, count: 0 };
	let before = performance.now();
	const next = now => {
		frames.longest = Math.max(frames.longest, now - before);
		frames.count++;
		before = now;
		requestAnimationFrame(next);
	};
	requestAnimationFrame(next);
});

const frames = page => page.evaluate(() => {
	const { longest, count } = globalThis.frames_;
	globalThis.frames_.longest = 0;
	return `longest frame ${Math.round(longest)} ms of ${count}`;
});

/** Scrolls as far as there is anything, a part of the way in each frame, until all is listed. */
const scrollThrough = (page, rows) => page.getByRole("grid").evaluate((grid, rows) => new Promise(done => {
	const step = () => {
		grid.scrollTop += grid.clientHeight * 3;
		if (Number(grid.getAttribute("aria-rowcount")) === rows + 1
			&& grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 1)
			done();
		else
			requestAnimationFrame(step);
	};
	step();
}), rows);

test(`${OBJECTS} objects are scrolled through and searched`, { timeout: 300_000 }, async t => {
	const page = await openConsole(t, browser, server, "objects/crowd");
	const row = index => page.getByRole("link", { name: keyOf(index), exact: true });
	await row(0).waitFor();
	await watchFrames(page);
	await scrollThrough(page, OBJECTS);
	await row(OBJECTS - 1).waitFor();
	t.diagnostic(`scrolling: ${await frames(page)}`);
	assert.ok(await page.locator(".object-row").count() < 100, "only rows in sight are elements");
	assert.equal(await page.getByRole("row", { name: keyOf(OBJECTS - 1) }).getAttribute("aria-rowindex"), String(OBJECTS + 1));
	await page.getByText(`${new Intl.NumberFormat("en-GB").format(OBJECTS)} listed`, { exact: true }).waitFor();

	// In the middle, each row is where its number says.
	const middle = Math.floor(OBJECTS / 2);
	await page.getByRole("grid").evaluate((grid, at) => {
		grid.scrollTop = grid.scrollHeight * at;
	}, 0.5);
	await row(middle).waitFor();
	const shown = await page.locator(".object-row:has(.cell-name a):visible").evaluateAll(nodes =>
		nodes.map(node => [Number(node.getAttribute("aria-rowindex")), node.querySelector("a").textContent]));
	for (const [index, name] of shown)
		assert.equal(name, keyOf(index - 2));
	t.diagnostic(`jumping: ${await frames(page)}`);

	const search = page.getByLabel("Name begins with");
	await search.pressSequentially(keyOf(middle).slice(0, -6), { delay: 30 });
	await page.getByText("100 listed", { exact: true }).waitFor();
	await row(Math.floor(middle / 100) * 100).waitFor();
	t.diagnostic(`searching: ${await frames(page)}`);
	await page.getByLabel("Select all that are listed").check();
	await page.getByText("100 of 100 selected").waitFor();
	t.diagnostic(`selecting: ${await frames(page)}`);
});
