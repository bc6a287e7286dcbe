// SPDX-License-Identifier: Apache-2.0
// The upload page on a network that is slow, breaks, or turns bits over: a proxy between the browser and
// the store. What is asserted are bytes and counts, not times.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBadNetwork } from "../lib/bad_network.js";
import { startBrowser } from "../lib/browser.js";
import { getObject, listObjects, sha256 } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const MEBIBYTE = 1 << 20;
const MARK = Buffer.from("turn over the bit behind this:");

const all = cleanups();
let server, network, browser, folder;
before(async () => {
	network = await startBadNetwork(all);
	server = await startServer(all, { env: network.env });
	network.leadTo(server);
	browser = await startBrowser(all);
	folder = await temporaryFolder(all);
});
after(all.run);

/** A page, and a network that is well. */
async function open(t) {
	Object.assign(network.how, { bytesPerSecond: Infinity, cutAt: [], stopAt: Infinity, flip: null, flips: 0 });
	Object.assign(network.seen, { bytes: 0, cuts: 0, flips: 0 });
	const upload = await openUploadPage(t, browser, server);
	return upload.open();
}

/** A file with a mark at every 100 kB. */
async function marked(name, size) {
	const { buffer } = testFile(name, size);
	for (let at = 50_000; at + MARK.length < size; at += 100_000)
		MARK.copy(buffer, at);
	await writeFile(join(folder, name), buffer);
	return { path: join(folder, name), buffer };
}

/** What became of a file: large ones have names that the application server has made up. */
async function stored(upload, name) {
	const [, key] = /Stored as (.+?)\. /.exec(await upload.row(name).locator(".answer").textContent() + " ")
		?? assert.fail("no key");
	return sha256(await getObject(server.store, key));
}

/** States that the upload was in, from the moment when Upload is pressed. */
const watch = page => page.evaluate(() => {
	globalThis.states = [];
	new MutationObserver(changes => {
		for (const { target } of changes)
			globalThis.states.push(target.getAttribute("data-state"));
	}).observe(document.getElementById("list"), { subtree: true, attributeFilter: ["data-state"] });
});

test("a connection that breaks in a form: it is sent again by itself", async t => {
	const upload = await open(t);
	const file = await marked("cut.bin", 3_000_000);
	network.how.cutAt = [1_000_000, 2_500_000];
	await upload.choose(file.path);
	await watch(upload.page);
	await upload.pressUpload();
	await upload.become("cut.bin", "done");
	assert.equal(network.seen.cuts, 2);
	assert.ok((await upload.page.evaluate(() => globalThis.states)).includes("retrying"));
	assert.equal(await stored(upload, "cut.bin"), sha256(file.buffer));
});

test("a connection that breaks in a part: that part is sent again, and no other", async t => {
	const upload = await open(t);
	const size = 33 * MEBIBYTE;
	const file = await marked("cut-parts.bin", size);
	network.how.cutAt = [6, 18, 30].map(at => at * MEBIBYTE);
	await upload.choose(file.path);
	await upload.pressUpload();
	await upload.become("cut-parts.bin", "done");
	assert.equal(network.seen.cuts, 3);
	assert.ok(network.seen.bytes < size + 3 * 8 * MEBIBYTE + MEBIBYTE, `${network.seen.bytes} bytes`);
	assert.equal(await stored(upload, "cut-parts.bin"), sha256(file.buffer));
});

test("a slow network is waited for, and nothing is sent twice", async t => {
	const upload = await open(t);
	// Some megabytes are under way before the browser feels that it is slow.
	const file = await marked("slow.bin", 15_000_000);
	network.how.bytesPerSecond = 2_000_000;
	await upload.choose(file.path);
	await watch(upload.page);
	await upload.pressUpload();
	await upload.row("slow.bin").getByText(/Sending, [1-9]\d? %/).waitFor();
	await upload.become("slow.bin", "done");
	assert.deepEqual(await upload.page.evaluate(() => globalThis.states), ["signing", "sending", "done"]);
	assert.ok(network.seen.bytes < 15_010_000, `${network.seen.bytes} bytes`);
});

test("a bit that was turned over in a form or in a part is noticed, and the bytes are sent again", async t => {
	for (const [name, size] of [["flipped.bin", 1_000_000], ["flipped-parts.bin", 17 * MEBIBYTE]]) {
		const upload = await open(t);
		const file = await marked(name, size);
		network.how.flip = MARK;
		network.how.flips = 1;
		await upload.choose(file.path);
		await watch(upload.page);
		await upload.pressUpload();
		await upload.become(name, "done");
		assert.equal(network.seen.flips, 1);
		assert.equal(await stored(upload, name), sha256(file.buffer), name);
	}
});

test("a network that always turns a bit over: neither a form nor a part comes to its end as uploaded", async t => {
	for (const [name, size] of [["always.bin", 400_000], ["always-parts.bin", 17 * MEBIBYTE]]) {
		const upload = await open(t);
		// Not the waiting between the attempts is what is tested.
		await upload.page.clock.install();
		const before = (await listObjects(server.store)).length;
		const file = await marked(name, size);
		network.how.flip = MARK;
		network.how.flips = Infinity;
		await upload.choose(file.path);
		await upload.pressUpload();
		const row = upload.row(name);
		const failed = upload.become(name, "failed");
		let over = false;
		failed.finally(() => {
			over = true;
		}).catch(() => {});
		const waits = row.and(upload.page.locator('[data-state="retrying"]'));
		while (!over) {
			if (await waits.count() > 0)
				await upload.page.clock.fastForward(20_000);
			await new Promise(done => setTimeout(done, 100));
		}
		await failed;
		assert.match(await row.innerText(), /received other bytes than were sent/);
		assert.ok(network.seen.flips >= 6, `${network.seen.flips} attempts`);
		if (size > 16 * MEBIBYTE)
			assert.deepEqual((await listObjects(server.store)).length, before);
	}
});
