// SPDX-License-Identifier: Apache-2.0
// A log that has become shorter, or whose last record is damaged, while the server was away.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { flipBit, whereIs } from "../lib/disk.js";
import { request } from "../lib/oss.js";
import { Server, startServer, temporaryFolder } from "../lib/server.js";

const KIB = 1 << 10;

const names = folder => readdir(folder).catch(() => []);

async function put(store, key, body) {
	const got = await request(store, "PUT", "uploads", key, { body });
	assert.equal(got.status, 200, got.text);
}

test("a segment that was cut short after a clean stop", async t => {
	const data = await temporaryFolder(t);
	const first = new Server(data, {});
	await first.ready();
	const objects = [];
	for (let i = 0; i < 30; i++) {
		objects.push(randomBytes(10 * KIB));
		await put(first.store, `object-${i}`, objects[i]);
	}
	await first.stop();
	const { path, offset } = await whereIs(data, objects[12].subarray(5000, 5100));
	await truncate(path, offset);
	const more = randomBytes(10 * KIB);
	for (let round = 0; round < 2; round++) {
		const server = await startServer(t, { data });
		for (const [i, bytes] of objects.entries()) {
			const got = await request(server.store, "GET", "uploads", `object-${i}`);
			assert.equal(got.status, i < 12 ? 200 : 500, `object-${i}: ${got.status}`);
			assert.ok(i >= 12 || got.body.equals(bytes));
		}
		assert.equal((await stat(path)).size, offset, "what is missing is not made up");
		assert.match(server.log, /segment 0000000000000001 is cut short/);
		await put(server.store, "more", more);
		await server.stop();
	}
	const server = await startServer(t, { data });
	assert.ok((await request(server.store, "GET", "uploads", "more")).body.equals(more));
	const replaced = randomBytes(9);
	await put(server.store, "object-20", replaced);
	assert.ok((await request(server.store, "GET", "uploads", "object-20")).body.equals(replaced));
});

for (const bits of [1, 2]) {
	test(`a large object whose record is damaged in ${bits} bits`, async t => {
		const data = await temporaryFolder(t);
		const first = new Server(data, {});
		await first.ready();
		const bytes = randomBytes(1 << 20);
		await put(first.store, "large", bytes);
		const { path, offset } = await whereIs(data, Buffer.from("largeContent-Type")).catch(() =>
			whereIs(data, Buffer.from("large\x02")));
		await first.kill();
		for (let bit = 0; bit < bits; bit++)
			await flipBit(path, offset + 2 + bit);
		const server = await startServer(t, { data });
		const got = await request(server.store, "GET", "uploads", "large");
		if (bits === 1) {
			assert.equal(got.status, 200);
			assert.ok(got.body.equals(bytes));
			return;
		}
		assert.equal(got.status, 404);
		const kept = (await names(join(data, "damaged"))).filter(name => name.startsWith("large-"));
		assert.equal(kept.length, 1, server.log);
		assert.ok((await readFile(join(data, "damaged", kept[0]))).subarray(0, bytes.length).equals(bytes));
		assert.match(server.log, /is kept as damaged\/large-/);
		assert.match(server.log, /is kept as damaged\/segment-/);
	});
}

test("the number of a file that has gone is not given again as long as the index has it", async t => {
	const data = await temporaryFolder(t);
	const large = join(data, "large/0000000000000");
	const first = new Server(data, {});
	await first.ready();
	await put(first.store, "gone", randomBytes(600 * KIB));
	await first.kill();
	// Each start that replays something flushes the index then; the next has nothing to replay.
	for (let replayed = true; replayed;) {
		const server = new Server(data, {});
		await server.ready();
		replayed = / store: replayed \d+ changes/.test(server.log);
		await server.kill();
	}
	// As the collector leaves it when it is killed behind the removal of a part's file.
	const [file] = await names(large);
	await rm(join(large, file));
	const server = await startServer(t, { data });
	const bytes = randomBytes(600 * KIB);
	await put(server.store, "new", bytes);
	assert.ok(!(await names(large)).includes(file), `${file} is another object's now`);
	const got = await request(server.store, "GET", "uploads", "new");
	assert.ok(got.body.equals(bytes));
});
