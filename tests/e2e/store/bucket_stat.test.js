// SPDX-License-Identifier: Apache-2.0
// GetBucketStat: what a bucket holds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
});
after(all.run);

const stat = bucket => request(store, "GET", bucket, "", { query: { stat: "" } });
const numbers = async bucket => {
	const got = await stat(bucket);
	assert.equal(got.status, 200, got.text);
	return Object.fromEntries([...got.text.matchAll(/<(\w+)>(\d+)<\/\1>/g)]
		.map(([, name, value]) => [name, Number(value)]));
};
const put = (key, size) => request(store, "PUT", "stat-a", key, { body: "x".repeat(size) });

test("objects and their bytes, as they come and go", async () => {
	assert.equal((await request(store, "PUT", "stat-a")).status, 200);
	const empty = await numbers("stat-a");
	assert.equal(empty.Storage, 0);
	assert.equal(empty.ObjectCount, 0);
	assert.equal(empty.MultipartUploadCount, 0);
	assert.equal(empty.LastModifiedTime, 0, "there is nothing yet");
	await put("a", 1000);
	await put("b", 2_000_000);
	await put("a", 500);
	const some = await numbers("stat-a");
	assert.ok(Math.abs(some.LastModifiedTime - Date.now() / 1000) < 900);
	assert.equal(some.Storage, 2_000_500);
	assert.equal(some.ObjectCount, 2);
	assert.equal(some.StandardStorage, 2_000_500);
	assert.equal(some.StandardObjectCount, 2);
	for (const name of ["InfrequentAccess", "Archive", "ColdArchive", "DeepColdArchive"]) {
		assert.equal(some[`${name}Storage`], 0);
		assert.equal(some[`${name}RealStorage`], 0);
		assert.equal(some[`${name}ObjectCount`], 0);
	}
	await request(store, "DELETE", "stat-a", "b");
	assert.equal((await numbers("stat-a")).Storage, 500);
	assert.equal((await numbers("stat-a")).ObjectCount, 1);
	assert.equal((await numbers("uploads")).ObjectCount, 0, "each bucket has its own");
});

test("uploads that are not complete", async () => {
	const begun = await request(store, "POST", "stat-a", "up", { query: { uploads: "" } });
	const uploadId = begun.xml("UploadId");
	assert.equal((await request(store, "PUT", "stat-a", "up", { query: { partNumber: "1", uploadId }, body: "x".repeat(700) })).status, 200);
	const some = await numbers("stat-a");
	assert.equal(some.MultipartUploadCount, 1);
	assert.equal(some.MultipartPartStorage, 700);
	assert.equal(some.ObjectCount, 1);
	assert.equal((await request(store, "DELETE", "stat-a", "up", { query: { uploadId } })).status, 204);
	assert.equal((await numbers("stat-a")).MultipartUploadCount, 0);
});

test("only the owner may see them, of a bucket that there is", async () => {
	assert.equal((await send(`${store}/uploads?stat`)).status, 403);
	assert.equal((await stat("stat-nowhere")).xml("Code"), "NoSuchBucket");
});
