// SPDX-License-Identifier: Apache-2.0
// The index is lost or damaged: `postern rebuild` makes it anew from the log, also in a folder that a
// version has written whose log did not have all of it (format-2.tar.gz).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { flipBit } from "../lib/disk.js";
import { request } from "../lib/oss.js";
import { BIN, Server, temporaryFolder } from "../lib/server.js";

function rebuild(data) {
	const { status, stdout, stderr } = spawnSync(BIN, ["rebuild", "--data", data], { encoding: "utf8" });
	return { status, stdout, stderr };
}

/** Runs `what` with the store of the folder. */
async function withStore(data, what) {
	const server = new Server(data, {});
	await server.ready();
	try {
		return await what(server.store);
	} finally {
		await server.stop();
	}
}

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204, `${got.status} ${got.text}`);
	return got;
}

/** All versions of a bucket with their bytes, and its uploads with their parts, as text. */
async function everything(store, bucket) {
	const versions = (await ok(request(store, "GET", bucket, "", { query: { versions: "" } }))).text;
	const uploads = (await ok(request(store, "GET", bucket, "", { query: { uploads: "" } }))).text;
	const found = [versions, uploads];
	for (const [, key, id] of versions.matchAll(/<Version>.*?<Key>(.*?)<\/Key>.*?<VersionId>(.*?)<\/VersionId>/gs)) {
		const got = await ok(request(store, "GET", bucket, key, { query: { versionId: id } }));
		found.push(`${key} ${id} ${got.body.toString("base64")} ${got.headers["x-oss-hash-crc64ecma"]}`);
	}
	for (const [, key, id] of uploads.matchAll(/<Key>(.*?)<\/Key>.*?<UploadId>(.*?)<\/UploadId>/gs))
		found.push((await ok(request(store, "GET", bucket, key, { query: { uploadId: id } }))).text);
	return found;
}

test("a folder of format 2 is made whole by a start, and then needs no index", async t => {
	const data = await temporaryFolder(t);
	execFileSync("tar", ["xzf", join(import.meta.dirname, "format-2.tar.gz"), "-C", data]);
	const early = rebuild(data);
	assert.equal(early.status, 1, "the log alone is not enough");
	assert.match(early.stderr, /does not have all that the index has yet/);
	const before = await withStore(data, store => everything(store, "bucket"));
	assert.ok(before.length > 40, `${before.length}`);
	assert.match(readFileSync(join(data, "format"), "utf8"), /^postern store 3\nsince \d+\n$/);
	rmSync(join(data, "index"), { recursive: true });
	const done = rebuild(data);
	assert.equal(done.status, 0, done.stderr);
	assert.deepEqual(await withStore(data, store => everything(store, "bucket")), before);
});

test("a damaged index", async t => {
	const data = await temporaryFolder(t);
	const body = randomBytes(1000);
	const large = randomBytes(3 << 20);
	await withStore(data, async store => {
		for (let i = 0; i < 200; i++)
			await ok(request(store, "PUT", "uploads", `object-${i}`, { body }));
		await ok(request(store, "PUT", "uploads", "large", { body: large }));
		await ok(request(store, "DELETE", "uploads", "object-7"));
	});
	for (const name of readdirSync(join(data, "index")).filter(name => name.endsWith(".sst")))
		await flipBit(join(data, "index", name), 100);
	const broken = new Server(data, {});
	await assert.rejects(broken.ready(), /the index cannot be read: Corruption.*`postern rebuild`/);
	const done = rebuild(data);
	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /200 objects\n.*damaged\/index/s);
	assert.ok(existsSync(join(data, "damaged", "index", "CURRENT")), "the old one is kept");
	await withStore(data, async store => {
		assert.equal((await request(store, "GET", "uploads", "object-7")).status, 404);
		assert.deepEqual((await ok(request(store, "GET", "uploads", "object-8"))).body, body);
		assert.deepEqual((await ok(request(store, "GET", "uploads", "large"))).body, large);
		await ok(request(store, "PUT", "uploads", "another", { body: large }));
		assert.deepEqual((await ok(request(store, "GET", "uploads", "large"))).body, large);
	});
});

test("it is refused while the folder is in use, and without one", async t => {
	const data = await temporaryFolder(t);
	await withStore(data, async () => {
		const { status, stderr } = rebuild(data);
		assert.equal(status, 1);
		assert.match(stderr, /in use by another process/);
	});
	assert.equal(spawnSync(BIN, ["rebuild", "something"]).status, 2);
});
