// SPDX-License-Identifier: Apache-2.0
// AppendObject: objects that grow.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { crc64 } from "../lib/crc64.js";
import { connect } from "../lib/http.js";
import { getObject, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const MIB = 1 << 20;
const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
});
after(all.run);

const append = (key, position, body, headers = {}) =>
	request(store, "POST", "uploads", key, { query: { append: "", position: String(position) }, body, headers });
const put = (key, body, headers = {}) => request(store, "PUT", "uploads", key, { body, headers });
const get = (key, headers = {}) => request(store, "GET", "uploads", key, { headers });
const tags = count => Array.from({ length: count }, (_, i) => `key${i}=value`).join("&");
const head = key => request(store, "HEAD", "uploads", key);
const next = got => got.headers["x-oss-next-append-position"];

async function ok(answer) {
	const got = await answer;
	assert.equal(got.status, 200, got.text);
	return got;
}

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

test("an object grows, and every answer tells of the whole", async () => {
	const pieces = [randomBytes(10), randomBytes(MIB + 1), Buffer.alloc(0), randomBytes(1), randomBytes(3 * MIB), randomBytes(77)];
	const tags = new Set();
	let bytes = Buffer.alloc(0);
	for (const piece of pieces) {
		const got = await ok(append("grows", bytes.length, piece,
			{ "Content-MD5": createHash("md5").update(piece).digest("base64") }));
		bytes = Buffer.concat([bytes, piece]);
		assert.deepEqual([next(got), got.headers["x-oss-hash-crc64ecma"], got.headers["content-md5"], got.text],
			[String(bytes.length), crc64(bytes), undefined, ""]);
		const known = await head("grows");
		assert.deepEqual([known.headers["content-length"], known.headers["x-oss-hash-crc64ecma"],
			known.headers["x-oss-object-type"], next(known), known.headers["content-md5"]],
		[String(bytes.length), crc64(bytes), "Appendable", String(bytes.length), undefined]);
		assert.equal(known.headers.etag, got.headers.etag);
		assert.match(got.headers.etag, /^"[0-9A-F]{32}"$/);
		tags.add(got.headers.etag);
		assert.ok((await getObject(store, "grows")).equals(bytes));
	}
	assert.equal(tags.size, pieces.length, "the tag changes each time");
	const listed = await request(store, "GET", "uploads", "", { query: { prefix: "grows" } });
	assert.deepEqual([listed.xml("Type"), listed.xml("Size")], ["Appendable", String(bytes.length)]);
	let border = 0;
	for (const piece of pieces.slice(0, -1)) {
		border += piece.length;
		for (const [first, last] of [[border - 1, border - 1], [border - 1, border], [border, border],
			[border - 2, border + 2]]) {
			const got = await get("grows", { Range: `bytes=${first}-${last}` });
			assert.equal(got.headers["content-range"], `bytes ${first}-${last}/${bytes.length}`);
			assert.ok(got.body.equals(bytes.subarray(first, last + 1)), `${first}-${last}`);
		}
	}
	const copied = await ok(request(store, "PUT", "uploads", "copy", { headers: { "x-oss-copy-source": "/uploads/grows" } }));
	assert.equal(copied.xml("ETag"), `"${createHash("md5").update(bytes).digest("hex").toUpperCase()}"`);
	assert.equal((await head("copy")).headers["x-oss-object-type"], "Normal");
	assert.ok((await getObject(store, "copy")).equals(bytes));
});

test("many small pieces", async () => {
	const pieces = Array.from({ length: 300 }, (_, i) => Buffer.from(`line ${i}\n`));
	let position = 0;
	for (const piece of pieces) {
		await ok(append("log", position, piece));
		position += piece.length;
	}
	assert.ok((await getObject(store, "log")).equals(Buffer.concat(pieces)));
});

test("the position has to be the length", async () => {
	for (const position of [1, 5]) {
		const got = await refused(append("new", position, "x"), 409, "PositionNotEqualToLength");
		assert.equal(next(got), "0");
	}
	await ok(append("new", 0, "12345"));
	for (const position of [0, 4, 6, 100]) {
		const got = await refused(append("new", position, "x"), 409, "PositionNotEqualToLength");
		assert.deepEqual([next(got), got.headers["x-oss-ec"]], ["5", "0026-00000016"]);
	}
	assert.equal((await getObject(store, "new")).toString(), "12345");
	for (const position of ["", "-1", "x", "1.5", "99999999999999999999"])
		await refused(append("new", position, "x"), 400, "InvalidArgument");
	await refused(request(store, "POST", "uploads", "new", { query: { append: "" }, body: "x" }), 400, "MissingArgument");
});

test("only what was begun by appending can be appended to", async () => {
	await put("put", "12345");
	await refused(append("put", 5, "x"), 409, "ObjectNotAppendable");
	await refused(append("put", 0, "x"), 409, "ObjectNotAppendable");
	const id = (await request(store, "POST", "uploads", "parts", { query: { uploads: "" } })).xml("UploadId");
	await request(store, "PUT", "uploads", "parts", { query: { partNumber: "1", uploadId: id }, body: "12345" });
	await ok(request(store, "POST", "uploads", "parts", { query: { uploadId: id }, headers: { "x-oss-complete-all": "yes" } }));
	await refused(append("parts", 5, "x"), 409, "ObjectNotAppendable");
	await ok(append("was", 0, "12345"));
	await ok(put("was", "put"));
	assert.equal((await head("was")).headers["x-oss-object-type"], "Normal");
	await refused(append("was", 3, "x"), 409, "ObjectNotAppendable");
	await request(store, "DELETE", "uploads", "was");
	await ok(append("was", 0, "again"));
	assert.equal((await getObject(store, "was")).toString(), "again");
});

test("headers count when the object is new, the ACL always but for strangers", async () => {
	await ok(append("said", 0, "1", { "Content-Type": "text/x-first", "x-oss-meta-a": "1", "x-oss-object-acl": "public-read" }));
	await ok(append("said", 1, "2", { "Content-Type": "text/x-second", "x-oss-meta-a": "2" }));
	const got = await send(`${store}/uploads/said`);
	assert.deepEqual([got.status, got.text, got.headers["content-type"], got.headers["x-oss-meta-a"]],
		[200, "12", "text/x-first", "1"]);
	const grant = async (key, bucket = "uploads") =>
		(await request(store, "GET", bucket, key, { query: { acl: "" } })).xml("Grant");
	assert.equal(await grant("said"), "public-read");
	await ok(append("said", 2, "3", { "x-oss-object-acl": "private" }));
	assert.equal(await grant("said"), "private");
	await refused(append("said", 3, "x", { "x-oss-object-acl": "x" }), 400, "InvalidArgument");
	const anonymous = position => send(`${store}/open/said?append&position=${position}`, "POST",
		{ "x-oss-object-acl": position ? "private" : "public-read-write" }, "x");
	await ok(anonymous(0));
	await ok(anonymous(1));
	assert.equal(await grant("said", "open"), "public-read-write");
});

test("tags of later pieces are not even read", async () => {
	await ok(append("untagged", 0, "x"));
	await refused(append("too-many", 0, "x", { "x-oss-tagging": tags(15) }), 400, "InvalidTag");
	await ok(append("untagged", 1, "x", { "x-oss-tagging": tags(15) }));
	await ok(append("untagged", 2, "x", { "x-oss-tagging": tags(3) }));
	const got = await ok(request(store, "GET", "uploads", "untagged", { query: { tagging: "" } }));
	assert.doesNotMatch(got.text, /<Tag>/);
});

test("a piece that is refused adds nothing", async () => {
	await ok(append("kept", 0, "kept"));
	await refused(append("kept", 4, "x", { "Content-MD5": createHash("md5").update("y").digest("base64") }), 400,
		"InvalidDigest");
	await refused(append("kept", 4, "x", { "x-oss-forbid-overwrite": "true" }), 501, "NotImplemented");
	await refused(append("kept", 4, "x", { "If-Match": "x" }), 400, "NotImplemented");
	await refused(append("kept", 5 * 1024 ** 3, "x"), 400, "EntityTooLarge");
	await refused(append("kept", 2 ** 40, "x"), 400, "EntityTooLarge");
	await refused(send(`${store}/uploads/kept?append&position=4`, "POST", {}, "x"), 403, "AccessDenied");
	await refused(request(store, "POST", "nosuchbucket", "k", { query: { append: "", position: "0" }, body: "x" }), 404,
		"NoSuchBucket");
	assert.equal((await getObject(store, "kept")).toString(), "kept");
	assert.equal(next(await head("kept")), "4");
});

test("of two who append at the same place one is told where to go on", async () => {
	for (const size of [10, MIB + 1]) {
		const key = `race-${size}`;
		await ok(append(key, 0, "begin"));
		const pieces = Array.from({ length: 6 }, () => randomBytes(size));
		const answers = await Promise.all(pieces.map(piece => append(key, 5, piece)));
		const statuses = answers.map(({ status }) => status);
		assert.deepEqual([...statuses].sort(), [200, 409, 409, 409, 409, 409]);
		for (const got of answers)
			assert.equal(next(got), String(5 + size));
		const bytes = await getObject(store, key);
		assert.ok(bytes.equals(Buffer.concat([Buffer.from("begin"), pieces[statuses.indexOf(200)]])));
	}
});

test("who reads while others append sees a state that there was", async () => {
	const lengths = new Set([0]);
	const piece = randomBytes(300_001);
	let position = 0;
	let reading = true;
	const readers = [1, 2].map(async () => {
		while (reading) {
			const got = await get("read");
			if (got.status === 404)
				continue;
			assert.equal(got.headers["x-oss-hash-crc64ecma"], crc64(got.body));
			assert.equal(got.body.length % piece.length, 0);
		}
	});
	for (let i = 0; i < 8; i++) {
		await ok(append("read", position, piece));
		position += piece.length;
		lengths.add(position);
	}
	reading = false;
	await Promise.all(readers);
	assert.equal((await getObject(store, "read")).length, position);
});

test("a client that goes away in the middle of a piece adds nothing", async () => {
	await ok(send(`${store}/open/cut?append&position=0`, "POST", {}, "begin"));
	for (const size of [1000, 4 * MIB]) {
		const connection = await connect(store);
		await connection.send("POST /open/cut?append&position=5 HTTP/1.1\r\nHost: localhost\r\n"
			+ `Content-Length: ${size}\r\n\r\n`);
		await connection.send(randomBytes(size / 2));
		connection.destroy({ reset: true });
	}
	await ok(send(`${store}/open/cut?append&position=5`, "POST", {}, " end"));
	assert.equal((await getObject(store, "cut", "open")).toString(), "begin end");
});

test("what was appended is there after a restart", async t => {
	const first = await startServer(t);
	const at = (server, position, body) => request(server.store, "POST", "uploads", "kept",
		{ query: { append: "", position: String(position) }, body });
	const pieces = [randomBytes(100), randomBytes(2 * MIB), randomBytes(5)];
	await ok(at(first, 0, pieces[0]));
	await ok(at(first, 100, pieces[1]));
	await first.kill();
	const second = await startServer(t, { data: first.data });
	const got = await ok(at(second, 100 + 2 * MIB, pieces[2]));
	const bytes = Buffer.concat(pieces);
	assert.equal(got.headers["x-oss-hash-crc64ecma"], crc64(bytes));
	assert.ok((await request(second.store, "GET", "uploads", "kept")).body.equals(bytes));
});
