// SPDX-License-Identifier: Apache-2.0
// Folders of a version that made no sums of blocks: there is one CRC-64 for all of a file.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { truncate } from "node:fs/promises";
import { after, before, test } from "node:test";
import { damage, flipBit, forgetPages, forgetSums, whereIs } from "../lib/disk.js";
import { download, request } from "../lib/oss.js";
import { cleanups, startServer, Server, temporaryFolder } from "../lib/server.js";

const MIB = 1 << 20;
const BUCKET = "open";
const all = cleanups();
const objects = {};
let data, store, server;

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204, `${got.status} ${got.text}`);
	return got;
}

const ask = (method, key, more) => request(store, method, BUCKET, key, more);

async function makeParts(key, parts) {
	const id = (await ok(ask("POST", key, { query: { uploads: "" } }))).xml("UploadId");
	for (const [i, body] of parts.entries())
		await ok(ask("PUT", key, { query: { partNumber: String(i + 1), uploadId: id }, body }));
	await ok(ask("POST", key, { query: { uploadId: id }, headers: { "x-oss-complete-all": "yes" } }));
	return Buffer.concat(parts);
}

before(async () => {
	data = await temporaryFolder(all);
	const first = new Server(data, {});
	await first.ready();
	({ store } = first);
	await ok(ask("PUT", "", { headers: { "x-oss-acl": "public-read" } }));
	for (const name of ["file", "file-whole"]) {
		objects[name] = { bytes: randomBytes(3 * MIB + 5), at: name === "file" ? MIB : undefined };
		await ok(ask("PUT", name, { body: objects[name].bytes }));
	}
	for (const name of ["parts", "parts-whole"])
		objects[name] = { bytes: await makeParts(name, [randomBytes(MIB), randomBytes(MIB + 3), randomBytes(10)]),
			at: name === "parts" ? MIB + 50 : undefined };
	await first.stop();
	assert.equal(await forgetSums(data), 6);
	for (const { bytes, at } of Object.values(objects))
		if (at !== undefined)
			await damage(data, bytes, at);
	server = await startServer(all, { data });
	({ store } = server);
});
after(all.run);

test("what is whole is answered, warm and cold", async () => {
	for (const name of ["file-whole", "parts-whole"]) {
		const { bytes } = objects[name];
		for (let round = 0; round < 2; round++) {
			await forgetPages(data);
			const got = await download(`${store}/${BUCKET}/${name}`);
			assert.ok(got.complete && got.bytes.equals(bytes), name);
			const range = await download(`${store}/${BUCKET}/${name}`, { Range: `bytes=7-${bytes.length - 3}` });
			assert.equal(range.status, 206);
			assert.ok(range.complete && range.bytes.equals(bytes.subarray(7, bytes.length - 2)), name);
		}
	}
});

test("a whole answer with damage does not come to its end", async () => {
	for (const [name, end] of [["file", 3 * MIB + 5], ["parts", 2 * MIB + 3]]) {
		for (let round = 0; round < 2; round++) {
			await forgetPages(data);
			const got = await download(`${store}/${BUCKET}/${name}`);
			assert.equal(got.status, 200);
			assert.ok(!got.complete && got.bytes.length < end, `${name}: ${got.bytes.length} bytes`);
		}
		await server.logged(new RegExp(`is damaged: bucket=open key="?${name}"? `));
	}
});

test("nothing is copied of what is damaged, not even a range beside it", async () => {
	for (const name of Object.keys(objects)) {
		const whole = objects[name].at === undefined;
		const source = { "x-oss-copy-source": `/${BUCKET}/${name}` };
		const copied = await ask("PUT", `copy-${name}`, { headers: source });
		assert.equal(copied.status, whole ? 200 : 500, `${name}: ${copied.text}`);
		const there = await download(`${store}/${BUCKET}/copy-${name}`);
		assert.equal(there.status, whole ? 200 : 404);
		assert.ok(!whole || there.bytes.equals(objects[name].bytes));
		const id = (await ok(ask("POST", "target", { query: { uploads: "" } }))).xml("UploadId");
		const part = await ask("PUT", "target", { query: { partNumber: "1", uploadId: id },
			headers: { ...source, "x-oss-copy-source-range": `bytes=${MIB + 100}-${MIB + 199}` } });
		assert.equal(part.status, whole ? 200 : 500, part.text);
		if (whole) {
			await ok(ask("POST", "target", { query: { uploadId: id }, headers: { "x-oss-complete-all": "yes" } }));
			assert.ok((await ask("GET", "target")).body.equals(objects[name].bytes.subarray(MIB + 100, MIB + 200)));
		}
	}
});

test("a file that is cut short is told of, whatever is asked for", async () => {
	const { bytes } = objects["file-whole"];
	const { path } = await whereIs(data, bytes.subarray(0, 100));
	await truncate(path, 2 * MIB);
	const range = await download(`${store}/${BUCKET}/file-whole`, { Range: `bytes=${MIB}-${3 * MIB}` });
	assert.ok(!range.complete && range.bytes.equals(bytes.subarray(MIB, MIB + range.bytes.length)), "a range");
	await server.logged(/key="?file-whole"? version=\S+ file=large\/\S+ offset=2097152 /);
});

test("what is uploaded now has sums", async () => {
	const bytes = randomBytes(2 * MIB);
	await ok(ask("PUT", "new", { body: bytes }));
	const { path, offset } = await damage(data, bytes, MIB);
	const range = (first, last) =>
		download(`${store}/${BUCKET}/new`, { Range: `bytes=${first}-${last}` });
	assert.equal((await range(MIB - 5, MIB + 5)).status, 500, "in front of it, and it");
	const cut = await range(MIB - 256 * 1024, MIB + 5);
	assert.ok(cut.status === 206 && !cut.complete && cut.bytes.length <= 256 * 1024, "the block behind is not sent");
	assert.ok((await range(0, 99)).bytes.equals(bytes.subarray(0, 100)), "what is beside it is answered");
	await flipBit(path, offset);
	assert.ok((await download(`${store}/${BUCKET}/new`)).bytes.equals(bytes));
});
