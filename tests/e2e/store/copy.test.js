// SPDX-License-Identifier: Apache-2.0
// CopyObject: bytes, headers, conditions, and who may.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { aliClient, refusal, SIGNATURES } from "../lib/ali.js";
import { connect } from "../lib/http.js";
import { getObject, listObjects, request, send, sha256 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const MIB = 1 << 20;

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	await request(store, "PUT", "target");
	await put("source", "of the source", { "Content-Type": "text/x-source", "Cache-Control": "no-cache",
		"x-oss-meta-a": "kept", "x-oss-object-acl": "public-read", "x-oss-storage-class": "IA" });
});
after(all.run);

const put = (key, body, headers = {}, bucket = "uploads") =>
	request(store, "PUT", bucket, key, { body, headers });
const head = (key, bucket = "target") => request(store, "HEAD", bucket, key);
const copy = (source, key, headers = {}, bucket = "target") => request(store, "PUT", bucket, key,
	{ headers: { "x-oss-copy-source": source, ...headers } });

async function copied(...args) {
	const got = await copy(...args);
	assert.equal(got.status, 200, got.text);
	return got;
}

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

test("a copy has the bytes and the headers of its source, and an ACL of its own", async () => {
	const got = await copied("/uploads/source", "plain");
	const source = await head("source", "uploads");
	const made = await head("plain");
	assert.equal(got.xml("ETag"), source.headers.etag);
	assert.equal(got.headers.etag, source.headers.etag);
	assert.match(got.xml("LastModified"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
	assert.equal(got.headers["x-oss-hash-crc64ecma"], source.headers["x-oss-hash-crc64ecma"]);
	assert.equal((await getObject(store, "plain", "target")).toString(), "of the source");
	for (const name of ["content-type", "cache-control", "x-oss-meta-a", "etag", "content-length",
		"x-oss-hash-crc64ecma", "content-md5"])
		assert.equal(made.headers[name], source.headers[name], name);
	assert.equal(made.headers["x-oss-storage-class"], "Standard");
	const acl = await request(store, "GET", "target", "plain", { query: { acl: "" } });
	assert.equal(acl.xml("Grant"), "default");
});

test("objects of every size", async () => {
	for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 9 * MIB + 17]) {
		const bytes = randomBytes(size);
		await put("sized", bytes);
		const got = await copied("/uploads/sized", `of-${size}`);
		const made = await getObject(store, `of-${size}`, "target");
		assert.equal(sha256(made), sha256(bytes), `${size} bytes`);
		assert.equal(got.xml("ETag"), (await head("sized", "uploads")).headers.etag);
	}
});

test("many at a time", async () => {
	const bytes = randomBytes(5 * MIB);
	await put("many", bytes);
	const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => copy("/uploads/many", `many/${i}`)));
	assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
	for (let i = 0; i < 24; i += 7)
		assert.equal(sha256(await getObject(store, `many/${i}`, "target")), sha256(bytes));
});

test("what the request says counts, as far as the directive lets it", async () => {
	const said = { "Content-Type": "text/x-said", "x-oss-meta-b": "new", "x-oss-object-acl": "private",
		"x-oss-storage-class": "Archive" };
	await copied("/uploads/source", "kept", { ...said, "x-oss-metadata-directive": "COPY" });
	const kept = (await head("kept")).headers;
	assert.deepEqual([kept["content-type"], kept["x-oss-meta-a"], kept["x-oss-meta-b"], kept["x-oss-storage-class"]],
		["text/x-source", "kept", undefined, "Archive"]);
	const acl = await request(store, "GET", "target", "kept", { query: { acl: "" } });
	assert.equal(acl.xml("Grant"), "private");
	await copied("/uploads/source", "replaced", { ...said, "x-oss-metadata-directive": "REPLACE" });
	const replaced = (await head("replaced")).headers;
	assert.deepEqual([replaced["content-type"], replaced["x-oss-meta-a"], replaced["x-oss-meta-b"],
		replaced["cache-control"]], ["text/x-said", undefined, "new", undefined]);
	await refused(copy("/uploads/source", "no", { "x-oss-metadata-directive": "MOVE" }), 400, "InvalidArgument");
	await refused(copy("/uploads/source", "no", { "x-oss-tagging-directive": "x" }), 400, "InvalidArgument");
	await refused(copy("/uploads/source", "no", { "x-oss-tagging": "a=b=c" }), 400, "InvalidTag");
	await refused(copy("/uploads/source", "no", { "x-oss-object-acl": "open" }), 400, "InvalidArgument");
	assert.equal((await head("no")).status, 404);
});

test("onto itself: the headers are replaced, whatever the directive", async () => {
	for (const [size, directive] of [[10, "COPY"], [2 * MIB, "REPLACE"]]) {
		const bytes = randomBytes(size);
		await put("self", bytes, { "x-oss-meta-old": "1" });
		await copied("/uploads/self", "self", { "x-oss-meta-new": "2", "x-oss-metadata-directive": directive },
			"uploads");
		const { headers } = await head("self", "uploads");
		assert.deepEqual([headers["x-oss-meta-old"], headers["x-oss-meta-new"]], [undefined, "2"]);
		assert.equal(sha256(await getObject(store, "self")), sha256(bytes));
	}
});

test("onto itself: what is not given goes, type and tags stay, the object is the same", async () => {
	await put("self", "the same", { "Content-Type": "text/x-self", "Cache-Control": "no-cache",
		"x-oss-object-acl": "public-read", "x-oss-tagging": "a=1", "x-oss-storage-class": "IA" });
	const before = (await head("self", "uploads")).headers;
	const got = await copied("/uploads/self", "self", { "x-oss-meta-new": "1" }, "uploads");
	assert.deepEqual([got.headers.etag, got.xml("ETag"), got.headers["x-oss-hash-crc64ecma"]],
		[before.etag, before.etag, before["x-oss-hash-crc64ecma"]]);
	const after = (await head("self", "uploads")).headers;
	assert.deepEqual([after["content-type"], after["cache-control"], after["x-oss-meta-new"], after["x-oss-tagging-count"],
		after["x-oss-storage-class"], after.etag],
	["text/x-self", undefined, "1", "1", "Standard", before.etag]);
	assert.ok(Date.parse(after["last-modified"]) >= Date.parse(before["last-modified"]));
	const acl = await request(store, "GET", "uploads", "self", { query: { acl: "" } });
	assert.equal(acl.xml("Grant"), "default");
	await refused(copy("/uploads/self", "self", { "x-oss-forbid-overwrite": "true" }, "uploads"), 409, "FileAlreadyExists");
	await refused(copy("/uploads/self", "self", { "x-oss-copy-source-if-match": "\"0\"" }, "uploads"), 412,
		"PreconditionFailed");
	assert.equal((await head("self", "uploads")).headers["x-oss-meta-new"], "1");
});

test("onto itself: the bytes stay where they are, so an object of parts stays one", async () => {
	const step = (method, query, body) => request(store, method, "uploads", "of-parts", { query, body });
	const uploadId = (await step("POST", { uploads: "" }, "")).xml("UploadId");
	const part = await step("PUT", { partNumber: "1", uploadId }, "of one part");
	await step("POST", { uploadId }, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
		+ `<ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`);
	const before = (await head("of-parts", "uploads")).headers;
	assert.match(before.etag, /^"[0-9A-F]{32}-1"$/);
	const got = await copied("/uploads/of-parts", "of-parts", { "x-oss-meta-new": "1" }, "uploads");
	const after = (await head("of-parts", "uploads")).headers;
	assert.deepEqual([got.headers.etag, after.etag, after["x-oss-object-type"], after["x-oss-meta-new"]],
		[before.etag, before.etag, "Multipart", "1"]);
	assert.equal((await getObject(store, "of-parts")).toString(), "of one part");
	await copied("/uploads/of-parts", "of-parts-copied", {}, "uploads");
	assert.equal((await head("of-parts-copied", "uploads")).headers["x-oss-object-type"], "Normal");
});

test("onto itself: clients at the same time", async () => {
	await put("race", "0");
	const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => i % 2 ? put("race", String(i))
		: copy("/uploads/race", "race", { "x-oss-meta-n": String(i) }, "uploads")));
	assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
	const last = await head("race", "uploads");
	assert.equal(last.status, 200);
});

test("onto itself, by a stranger: the object's own ACL decides", async () => {
	await request(store, "PUT", "strangers", "", { headers: { "x-oss-acl": "public-read-write" } });
	await put("theirs", "x", { "x-oss-object-acl": "public-read" }, "strangers");
	await put("anyones", "x", {}, "strangers");
	const change = key => send(`${store}/strangers/${key}`, "PUT",
		{ "x-oss-copy-source": `/strangers/${key}`, "x-oss-meta-a": "b" });
	await refused(change("theirs"), 403, "AccessDenied");
	assert.equal((await head("theirs", "strangers")).headers["x-oss-meta-a"], undefined);
	assert.equal((await change("anyones")).status, 200);
	assert.equal((await head("anyones", "strangers")).headers["x-oss-meta-a"], "b");
});

test("names are percent-encoded, a space may be a plus", async () => {
	const key = "a b+c%41/ä?&";
	await put(key, "named");
	for (const source of [`/uploads/${encodeURIComponent(key)}`, `/uploads/a+b%2Bc%2541%2F%C3%A4%3F%26`]) {
		await copied(source, "named");
		assert.equal((await getObject(store, "named", "target")).toString(), "named");
		await request(store, "DELETE", "target", "named");
	}
});

test("conditions are about the source", async () => {
	const { etag, "last-modified": time } = (await head("source", "uploads")).headers;
	const before = new Date(Date.parse(time) - 60_000).toUTCString();
	const condition = (name, value) => copy("/uploads/source", "conditional", { [`x-oss-copy-source-${name}`]: value });
	assert.equal((await refused(condition("if-match", "\"0\""), 412, "PreconditionFailed")).xml("Condition"),
		"If-Match");
	await refused(condition("if-unmodified-since", before), 412, "PreconditionFailed");
	for (const [name, value] of [["if-none-match", etag], ["if-modified-since", time]]) {
		const got = await condition(name, value);
		assert.deepEqual([got.status, got.text], [304, ""], name);
	}
	assert.equal((await head("conditional")).status, 404);
	for (const [name, value] of [["if-match", etag], ["if-none-match", "\"0\""],
		["if-modified-since", before], ["if-unmodified-since", time]])
		assert.equal((await condition(name, value)).status, 200, name);
	await refused(copy("/uploads/source", "x", { "If-None-Match": "*" }), 400, "NotImplemented");
});

test("x-oss-forbid-overwrite", async () => {
	await copied("/uploads/source", "once", { "x-oss-forbid-overwrite": "true" });
	await put("other", "another");
	await refused(copy("/uploads/other", "once", { "x-oss-forbid-overwrite": "true" }), 409, "FileAlreadyExists");
	assert.equal((await getObject(store, "once", "target")).toString(), "of the source");
});

test("sources that are not", async () => {
	assert.equal((await refused(copy("/uploads/missing", "x"), 404, "NoSuchKey")).xml("Key"), "missing");
	assert.equal((await refused(copy("/nosuchbucket/k", "x"), 404, "NoSuchBucket")).xml("BucketName"),
		"nosuchbucket");
	await refused(copy("/uploads/source", "x", {}, "nosuchbucket"), 404, "NoSuchBucket");
	await refused(copy("/uploads", "x"), 400, "InvalidArgument");
	await refused(copy("/uploads/a%2", "x"), 400, "InvalidArgument");
	await refused(copy("/UPLOADS/a", "x"), 400, "InvalidBucketName");
	await refused(copy("/uploads/source?versionId=1", "x"), 400, "InvalidArgument");
	assert.equal((await head("x")).status, 404);
});

test("who may: who may read the source and write the target", async () => {
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	await put("hidden", "secret");
	await put("inside", "private all the same", { "x-oss-object-acl": "private" }, "open");
	const anonymous = (source, bucket) => send(`${store}/${bucket}/by-anybody`, "PUT", { "x-oss-copy-source": source });
	await refused(anonymous("/uploads/source", "target"), 403, "AccessDenied");
	await refused(anonymous("/uploads/hidden", "open"), 403, "AccessDenied");
	await refused(anonymous("/uploads/missing", "open"), 403, "AccessDenied");
	await refused(anonymous("/open/inside", "open"), 403, "AccessDenied");
	assert.equal((await anonymous("/uploads/source", "open")).status, 200, "its ACL is public-read");
	assert.deepEqual(await listObjects(store, "open"), ["by-anybody", "inside"]);
});

test("a source that is overwritten or deleted meanwhile is copied as it was", async () => {
	const bytes = randomBytes(16 * MIB);
	await put("moving", bytes);
	const [first] = await Promise.all([copy("/uploads/moving", "moved"), put("moving", "small")]);
	assert.equal(first.status, 200);
	const made = await getObject(store, "moved", "target");
	assert.ok(sha256(made) === sha256(bytes) || made.toString() === "small");
	assert.equal(`"${first.xml("ETag").replace(/"/g, "")}"`, (await head("moved")).headers.etag);
});

test("a client that goes away leaves the server in good health", async () => {
	await put("big", randomBytes(32 * MIB));
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	await request(store, "PUT", "uploads", "", { query: { acl: "" }, headers: { "x-oss-acl": "public-read" } });
	for (let i = 0; i < 4; i++) {
		const connection = await connect(store);
		await connection.send(`PUT /open/gone-${i} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n`
			+ "x-oss-copy-source: /uploads/big\r\n\r\n");
		connection.destroy({ reset: true });
	}
	await copied("/uploads/big", "after");
	assert.equal((await head("after")).headers["content-length"], String(32 * MIB));
	for (const key of await listObjects(store, "open"))
		assert.ok(!key.startsWith("gone") || (await head(key, "open")).headers["content-length"] === String(32 * MIB));
});

for (const [version, v4] of SIGNATURES) {
	test(`ali-oss with ${version} copies`, async () => {
		const client = aliClient(server, { v4, bucket: "target" });
		await put("sdk ä+", "by the SDK", { "x-oss-meta-a": "1" });
		const { data, res } = await client.copy("sdk-copy", "sdk ä+", "uploads");
		assert.equal(res.status, 200);
		assert.match(data.etag, /^"[0-9A-F]{32}"$/);
		assert.equal((await client.get("sdk-copy")).content.toString(), "by the SDK");
		await client.putMeta("sdk-copy", { b: "2" });
		assert.deepEqual((await client.head("sdk-copy")).meta, { b: "2" });
		assert.equal(await refusal(client.copy("x", "missing", "uploads")), "404 NoSuchKey");
		const unchanged = await client.copy("x", "sdk-copy", { headers: { "If-None-Match": data.etag } });
		assert.equal(unchanged.res.status, 304);
	});
}
