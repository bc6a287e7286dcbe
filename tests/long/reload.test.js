// SPDX-License-Identifier: Apache-2.0
// A large file whose page is reloaded many times while it goes up. LONG_BYTES (2 GiB) and LONG_RELOADS
// (10) make it shorter.
import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startBrowser } from "../e2e/lib/browser.js";
import { objectHash } from "../e2e/lib/oss.js";
import { openUploadPage } from "../e2e/lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../e2e/lib/server.js";

const BYTES = Number(process.env.LONG_BYTES ?? 2 ** 31);
const RELOADS = Number(process.env.LONG_RELOADS ?? 10);
const PART = 8 << 20;
/** Parts that are on their way together, at most, and one that has arrived but is not written down yet. */
const TOGETHER = 4 + 1;

/** A file of which no two parts are the same, and its hash. */
async function writeFile(path, size) {
	const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
	const hash = createHash("sha256");
	const zeros = Buffer.alloc(1 << 20);
	const file = await open(path, "w");
	for (let at = 0; at < size; at += zeros.length) {
		const piece = stream.update(zeros.subarray(0, Math.min(zeros.length, size - at)));
		hash.update(piece);
		await file.write(piece);
	}
	await file.close();
	return hash.digest("hex");
}

test(`${BYTES} bytes, reloaded ${RELOADS} times: complete, and little is sent twice`, async t => {
	const all = cleanups();
	t.after(all.run);
	const server = await startServer(all, { env: { POSTERN_APP_MAX_SIZE: String(2 * BYTES) } });
	const browser = await startBrowser(all);
	const path = join(await temporaryFolder(all), "film.bin");
	const hash = await writeFile(path, BYTES);
	const parts = Math.ceil(BYTES / PART);
	assert.ok(parts > RELOADS * TOGETHER, "too short for so many reloads");

	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	page.setDefaultTimeout(1_800_000);
	const begun = [];
	let arrived = 0;
	let enough = Infinity;
	let tell = () => {};
	const numberOf = request => request.method() === "PUT" ? new URL(request.url()).searchParams.get("partNumber") : null;
	page.on("request", request => {
		if (numberOf(request))
			begun.push(numberOf(request));
	});
	page.on("response", response => {
		if (numberOf(response.request()) && response.status() === 200 && ++arrived >= enough)
			tell();
	});
	for (let reload = 1; reload <= RELOADS; reload++) {
		await upload.open();
		await upload.choose(path);
		enough = Math.max(arrived + 1, Math.floor(parts * reload / (RELOADS + 1)));
		const reached = new Promise(done => {
			tell = done;
		});
		await upload.pressUpload();
		await reached;
		t.diagnostic(`reload ${reload}: ${arrived} parts have arrived, ${begun.length} were begun`);
	}
	await upload.open();
	await upload.choose(path);
	await upload.pressUpload();
	const row = await upload.become("film.bin", "done");
	const [, key] = /Stored as (\S+)\./.exec(await row.innerText());
	assert.equal(new Set(begun).size, parts);
	assert.ok(begun.length <= parts + RELOADS * TOGETHER, `${begun.length} parts were sent for ${parts}`);
	t.diagnostic(`${begun.length} parts were sent for ${parts}`);
	assert.equal(await objectHash(server.store, key), hash);
});
