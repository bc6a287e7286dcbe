// SPDX-License-Identifier: Apache-2.0
// What can be asked of an object without its content: GetObjectMeta and GetObjectAcl.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { aliClient, refusal, SIGNATURES } from "../lib/ali.js";
import { connect } from "../lib/http.js";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const [key, acl] of [["inherits", "default"], ["shown", "public-read"], ["hidden", "private"]]) {
		assert.equal((await request(store, "PUT", "uploads", key, { body: "123456789",
			headers: { "x-oss-object-acl": acl, "x-oss-meta-a": "b", "Cache-Control": "no-cache" } })).status, 200);
	}
});
after(all.run);

const setAcl = acl => request(store, "PUT", "uploads", "", { query: { acl: "" }, headers: { "x-oss-acl": acl } });
const head = key => request(store, "HEAD", "uploads", key, { query: { objectMeta: "" } });
const errorOf = answer => Buffer.from(answer.headers["x-oss-err"] ?? "", "base64").toString();

/** The head of an answer to GET; the connection must end behind it. */
async function getHead(path, more = "") {
	const connection = await connect(store);
	try {
		await connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
		const got = await connection.response({ method: "HEAD" });
		if (got.status === 200)
			assert.equal((await connection.closed()).length, 0, "no content comes");
		return got;
	} finally {
		connection.destroy();
	}
}

test("HEAD ?objectMeta: size, tag, time, checksum, and nothing of the user's", async () => {
	const got = await head("inherits");
	assert.equal(got.status, 200);
	assert.equal(got.headers["content-length"], "9");
	assert.equal(got.headers.etag, "\"25F9E794323B453885F5181F1B624D0B\"");
	assert.equal(got.headers["x-oss-hash-crc64ecma"], "11051210869376104954");
	assert.ok(Math.abs(Date.parse(got.headers["last-modified"]) - Date.now()) < 600_000);
	for (const name of ["x-oss-meta-a", "cache-control", "content-type", "content-md5"])
		assert.equal(got.headers[name], undefined, name);
});

test("GET ?objectMeta says the same, without content, and closes", async () => {
	const got = await getHead("/uploads/shown?objectMeta");
	assert.equal(got.status, 200);
	assert.equal(got.headers.get("content-length"), "9");
	assert.equal(got.headers.get("connection"), "close");
	assert.equal(got.headers.get("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
});

test("HEAD ?objectMeta leaves the connection open", async () => {
	const connection = await connect(store);
	try {
		for (let i = 0; i < 2; i++) {
			await connection.send("HEAD /uploads/shown?objectMeta HTTP/1.1\r\nHost: localhost\r\n\r\n");
			const got = await connection.response({ method: "HEAD" });
			assert.equal(got.status, 200);
			assert.equal(got.headers.get("connection"), null);
		}
	} finally {
		connection.destroy();
	}
});

test("what is not there", async () => {
	const missing = await head("missing");
	assert.equal(missing.status, 404);
	assert.match(errorOf(missing), /<Code>NoSuchKey<.*<Key>missing</s);
	const got = await request(store, "GET", "uploads", "missing", { query: { objectMeta: "" } });
	assert.equal(got.status, 404);
	assert.equal(got.xml("Code"), "NoSuchKey");
	assert.match(errorOf(await request(store, "HEAD", "nosuchbucket", "k", { query: { objectMeta: "" } })),
		/<Code>NoSuchBucket</);
});

test("who may: as with GetObject, down to whether it exists", async () => {
	const asked = async () => {
		const statuses = {};
		for (const key of ["inherits", "shown", "hidden", "missing"]) {
			const meta = await send(`${store}/uploads/${key}?objectMeta`, "HEAD");
			assert.equal((await send(`${store}/uploads/${key}`)).status, meta.status, key);
			statuses[key] = meta.status;
		}
		return statuses;
	};
	assert.deepEqual(await asked(), { inherits: 403, shown: 200, hidden: 403, missing: 403 });
	await setAcl("public-read");
	assert.deepEqual(await asked(), { inherits: 200, shown: 200, hidden: 403, missing: 404 });
	await setAcl("private");
});

test("GetObjectAcl: what it was stored with, for the owner alone", async () => {
	for (const [key, acl] of [["inherits", "default"], ["shown", "public-read"], ["hidden", "private"]]) {
		const got = await request(store, "GET", "uploads", key, { query: { acl: "" } });
		assert.equal(got.status, 200, got.text);
		assert.equal(got.xml("Grant"), acl);
		assert.match(got.text, /<AccessControlPolicy><Owner><ID>postern<\/ID>/);
	}
	assert.equal((await send(`${store}/uploads/shown?acl`)).status, 403);
	assert.equal((await request(store, "GET", "uploads", "missing", { query: { acl: "" } })).xml("Code"),
		"NoSuchKey");
	assert.equal((await request(store, "GET", "nosuchbucket", "k", { query: { acl: "" } })).xml("Code"),
		"NoSuchBucket");
});

for (const [version, v4] of SIGNATURES) {
	test(`ali-oss with ${version} asks about objects`, async () => {
		const client = aliClient(server, { v4 });
		const { status, res } = await client.getObjectMeta("inherits");
		assert.equal(status, 200);
		assert.equal(res.headers["content-length"], "9");
		assert.equal(await refusal(client.getObjectMeta("missing")), "404 NoSuchKey");
		const { acl, owner } = await client.getACL("shown");
		assert.equal(acl, "public-read");
		assert.deepEqual(owner, { id: "postern", displayName: "postern" });
	});
}
