// SPDX-License-Identifier: Apache-2.0
// The upload page and the element in Firefox: what depends on the browser, and not all that is tested in
// Chromium.
import assert from "node:assert/strict";
import axe from "axe-core";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { startBadNetwork } from "../lib/bad_network.js";
import { noFirefox, openFirefox, startFirefox } from "../lib/firefox.js";
import { IMAGES } from "../lib/images.js";
import { getObject, request, sha256 } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

/** The client sends a large file in parts of this size. */
const PART = 8 << 20;

const all = cleanups();
let server, network, browser, folder;
before(async () => {
	if (noFirefox)
		return;
	network = await startBadNetwork(all);
	server = await startServer(all, { env: network.env });
	network.leadTo(server);
	browser = await startFirefox(all);
	folder = await temporaryFolder(all);
});
after(all.run);

/** A test that needs Firefox. */
const inFirefox = (name, run) => test(name, { skip: noFirefox }, run);

async function fileOf({ name, buffer }) {
	await writeFile(join(folder, name), buffer);
	return join(folder, name);
}

async function openPage(t, at = server) {
	Object.assign(network.how, { bytesPerSecond: Infinity, stopAt: Infinity });
	const page = await openFirefox(t, browser, at.page);
	await ready(page);
	return page;
}

const ready = page => page.waitForFunction(() => /^(Types|Up to)/.test(document.getElementById("limits").textContent));

/** Chooses files, and presses Upload. */
async function send(page, ...paths) {
	await (await page.$("#files")).uploadFile(...paths);
	await page.waitForFunction(count => document.querySelectorAll("#list > li").length >= count, {}, paths.length);
	await page.click("#upload");
}

/** Waits until all rows have come into the state, and returns what they say. */
async function become(page, state) {
	await page.waitForFunction(state => [...document.querySelectorAll("#list > li")]
		.every(row => row.dataset.state === state), {}, state).catch(async error => {
		throw new Error(`not ${state}: ${await page.$eval("#list", list => list.innerText)}`, { cause: error });
	});
	return page.$$eval("#list > li", rows => rows.map(row => row.innerText));
}

/** What axe finds wrong, as text. */
async function violations(page) {
	await page.evaluate(axe.source);
	return page.evaluate(async () => {
		const { violations } = await globalThis.axe.run(document);
		return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
	});
}

inFirefox("files go up, pictures are seen, and the callback's answer is shown", async t => {
	const page = await openPage(t);
	const { bytes } = IMAGES[1];
	const text = testFile("firefox.txt", 300_000);
	await send(page, await fileOf({ name: "picture.jpg", buffer: bytes }), await fileOf(text));
	const [picture, other] = await become(page, "done");
	assert.match(picture, /Stored as user-dir-prefix\/picture\.jpg\.[^]*"Status"/);
	assert.match(other, /Stored as user-dir-prefix\/firefox\.txt\./);
	assert.equal(sha256(await getObject(server.store, "user-dir-prefix/firefox.txt")), sha256(text.buffer));
	assert.equal((await page.$$("#list canvas")).length, 1);
	assert.deepEqual(await violations(page), []);
	for (const width of [320, 1280]) {
		await page.setViewport({ width, height: 800 });
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth
			- document.documentElement.clientWidth), 0, `${width}`);
		const path = fileURLToPath(new URL(`../../../build/screenshots/firefox-${width}.png`, import.meta.url));
		await mkdir(dirname(path), { recursive: true });
		await page.screenshot({ path });
	}
});

inFirefox("dropped files are taken, and the sum of many is told", async t => {
	const page = await openPage(t);
	await page.evaluate(() => {
		const transfer = new DataTransfer();
		for (let i = 0; i < 200; i++)
			transfer.items.add(new File([`${i}`], `fox-${i}.txt`, { type: "text/plain" }));
		document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
	});
	await page.waitForFunction(() => !document.getElementById("upload").disabled);
	await page.click("#upload");
	await page.waitForFunction(() => document.getElementById("news").textContent === "200 files uploaded, 0 not.");
	assert.match(await page.$eval("#sums", node => node.textContent), /^200 of 200 files/);
	assert.ok((await page.$$("#list > li")).length < 60);
});

inFirefox("a large file goes on after a reload", async t => {
	const page = await openPage(t);
	const size = 40 << 20;
	const file = testFile("film.bin", size);
	const path = await fileOf(file);
	const before = network.seen.bytes;
	network.how.stopAt = before + 4.5 * PART;
	const confirm = dialog => dialog.accept();
	page.on("dialog", confirm);
	await send(page, path);
	await network.stopped();
	await page.reload();
	await ready(page);
	network.how.stopAt = Infinity;
	await send(page, path);
	const [told] = await become(page, "done");
	const [, key] = /Stored as (\S+)\./.exec(told);
	assert.equal(sha256(await getObject(server.store, key)), sha256(file.buffer));
	const sent = network.seen.bytes - before;
	t.diagnostic(`${sent} bytes for ${size}`);
	assert.ok(sent < size + 4 * PART + (1 << 20), `${sent} bytes`);
});

inFirefox("a bucket without a CORS rule is named", async t => {
	const other = await startServer(t);
	await request(other.store, "DELETE", "uploads", "", { query: { cors: "" } });
	const page = await openPage(t, other);
	await send(page, await fileOf(testFile("cors.txt")));
	const [told] = await become(page, "failed");
	assert.match(told, /CORS rules are to blame/);
});

inFirefox("a store that is gone is tried again, and the file goes up when it is back", async t => {
	const page = await openPage(t);
	network.how.cutAt = [network.seen.bytes + 200_000];
	await send(page, await fileOf(testFile("cut.bin", 1_000_000)));
	await become(page, "done");
	assert.equal(network.how.cutAt.length, 0);
});

inFirefox("the element: keys are the field's value, and required means required", async t => {
	const page = await openFirefox(t, browser, `${server.app}/nothing`);
	await page.evaluate(() => {
		document.body.innerHTML = "<form><postern-upload name=photos multiple required></postern-upload></form>";
		return import("/client/element.js");
	});
	assert.equal(await page.evaluate(() => document.querySelector("form").checkValidity()), false);
	await page.evaluate(() => document.querySelector("postern-upload").add([new File(["1"], "e1.txt"), new File(["2"], "e2.txt")]));
	await page.waitForFunction(() => document.querySelector("postern-upload").value.length === 2);
	assert.deepEqual(await page.evaluate(() => new FormData(document.querySelector("form")).getAll("photos")),
		["user-dir-prefix/e1.txt", "user-dir-prefix/e2.txt"]);
	assert.equal(await page.evaluate(() => document.querySelector("form").checkValidity()), true);
});
