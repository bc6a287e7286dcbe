// SPDX-License-Identifier: Apache-2.0
// Uploads in parts: from the first request to the object, and what can go wrong on the way.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { crc64 } from "../lib/crc64.js";
import { connect } from "../lib/http.js";
import { IMAGES } from "../lib/images.js";
import { base64Json, getObject, listObjects, request, send, sha256 } from "../lib/oss.js";
import { cleanups, notOnCeph, pause, startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";
import { allow, assumeRole } from "../lib/sts.js";

const MIB = 1 << 20;
const MIN = 100 << 10;
const all = cleanups();
let server, store, sink;
before(async () => {
	sink = await startSink(all, (got, response) => {
		says(got.url === "/bad" ? "no" : "{\"from\":\"app\"}")(got, response);
	});
	server = await startServer(all, {
		env: { POSTERN_STORE_CALLBACK_ALLOW: `127.0.0.1:${new URL(sink.url).port}` } });
	({ store } = server);
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
});
after(all.run);

const ask = (method, key, query, more = {}) => request(store, method, "uploads", key, { query, ...more });
const put = (key, body, headers = {}) => request(store, "PUT", "uploads", key, { body, headers });
const head = key => request(store, "HEAD", "uploads", key);
const md5 = (...pieces) => pieces.reduce((hash, piece) => hash.update(piece), createHash("md5")).digest();
const quoted = bytes => `"${md5(bytes).toString("hex").toUpperCase()}"`;
const list = tags => `<CompleteMultipartUpload>${tags.map(([number, tag]) =>
	`<Part><PartNumber>${number}</PartNumber><ETag>${tag}</ETag></Part>`).join("")}</CompleteMultipartUpload>`;

async function begin(key, headers = {}, query = {}) {
	const got = await ask("POST", key, { uploads: "", ...query }, { headers });
	assert.equal(got.status, 200, got.text);
	assert.match(got.xml("UploadId"), /^[0-9A-F]{32}$/);
	return got.xml("UploadId");
}

const sendPart = (key, id, number, body, headers = {}) =>
	ask("PUT", key, { partNumber: String(number), uploadId: id }, { body, headers });
const complete = (key, id, body, headers = {}, query = {}) =>
	ask("POST", key, { uploadId: id, ...query }, { body, headers });
const completeAll = (key, id, headers = {}) => complete(key, id, "", { "x-oss-complete-all": "yes", ...headers });
const abort = (key, id) => ask("DELETE", key, { uploadId: id });
const listParts = (key, id, query = {}) => ask("GET", key, { uploadId: id, ...query });

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204 || got.status === 206, `${got.status} ${got.text}`);
	return got;
}

/** An object of the given parts; its bytes, and the answer that completed it. */
async function make(key, parts, { acl = "default", ...headers } = {}) {
	const id = await begin(key, headers);
	const tags = await Promise.all(parts.map(async (part, i) =>
		[i + 1, (await ok(sendPart(key, id, i + 1, part))).headers.etag]));
	return { bytes: Buffer.concat(parts), answer: await ok(complete(key, id, list(tags), { "x-oss-object-acl": acl })) };
}

const etagOf = parts => `"${md5(...parts.map(part => md5(part).toString("hex").toUpperCase())).toString("hex").toUpperCase()}-${parts.length}"`;

test("an object of parts, from the first request to the last", async () => {
	const parts = [randomBytes(MIN), randomBytes(MIN + 17), randomBytes(5)];
	const bytes = Buffer.concat(parts);
	const id = await begin("whole", { "Content-Type": "text/x-parts", "x-oss-meta-a": "kept",
		"Cache-Control": "no-cache" });
	const tags = [];
	for (const [i, part] of parts.entries()) {
		const got = await ok(sendPart("whole", id, i + 1, part,
			{ "Content-MD5": md5(part).toString("base64") }));
		assert.deepEqual([got.headers.etag, got.headers["content-md5"], got.headers["x-oss-hash-crc64ecma"], got.text],
			[quoted(part), md5(part).toString("base64"), crc64(part), ""]);
		tags.push([i + 1, got.headers.etag]);
	}
	assert.equal(await getObject(store, "whole"), null, "nothing is there before");
	const got = await ok(complete("whole", id, list(tags), { "x-oss-object-acl": "public-read" }));
	assert.equal(got.xml("ETag"), etagOf(parts));
	assert.equal(got.headers.etag, etagOf(parts));
	assert.equal(got.headers["x-oss-hash-crc64ecma"], crc64(bytes));
	assert.equal(got.headers["content-md5"], undefined);
	assert.deepEqual([got.xml("Bucket"), got.xml("Key"), got.xml("Location")],
		["uploads", "whole", `${store}/uploads/whole`]);

	const { headers, body } = await ask("GET", "whole", {});
	assert.ok(body.equals(bytes));
	const expected = { "content-type": "text/x-parts", "x-oss-meta-a": "kept", "cache-control": "no-cache",
		etag: etagOf(parts), "x-oss-object-type": "Multipart", "x-oss-hash-crc64ecma": crc64(bytes),
		"content-md5": undefined, "content-length": String(bytes.length) };
	for (const [name, value] of Object.entries(expected))
		assert.equal(headers[name], value, name);
	const known = await head("whole");
	for (const name of Object.keys(expected))
		assert.equal(known.headers[name], expected[name], `HEAD ${name}`);
	assert.equal((await ask("HEAD", "whole", { objectMeta: "" })).headers.etag, etagOf(parts));
	assert.equal((await send(`${store}/uploads/whole`)).status, 200, "its ACL is public-read");
	const listed = await request(store, "GET", "uploads", "", { query: { prefix: "whole" } });
	assert.deepEqual([listed.xml("ETag"), listed.xml("Type"), listed.xml("Size")],
		[etagOf(parts), "Multipart", String(bytes.length)]);
	assert.equal((await ask("GET", "whole", {}, { headers: { "If-None-Match": etagOf(parts) } })).status, 304);
	assert.equal((await ask("GET", "whole", {}, { headers: { "If-Match": etagOf(parts) } })).status, 200);
	await refused(ask("GET", "whole", {}, { headers: { "If-Match": quoted(bytes) } }), 412, "PreconditionFailed");
	await refused(complete("whole", id, list(tags)), 404, "NoSuchUpload");
});

test("one part, of any size, and parts of every size", async () => {
	for (const parts of [[Buffer.alloc(0)], [Buffer.from("x")], [randomBytes(3 * MIB)],
		[randomBytes(MIB), randomBytes(MIB + 1), randomBytes(MIN), Buffer.alloc(0)]]) {
		const { bytes, answer } = await make("sized", parts);
		assert.equal(answer.xml("ETag"), etagOf(parts));
		assert.ok((await getObject(store, "sized")).equals(bytes));
	}
});

test("ranges around each border, byte by byte", async () => {
	const sizes = [MIN, MIB + 7, MIN + 1, 2 * MIB, MIN, 9];
	const { bytes } = await make("ranges", sizes.map(size => randomBytes(size)));
	const range = async (first, last) => {
		const got = await ask("GET", "ranges", {}, { headers: { Range: `bytes=${first}-${last}` } });
		assert.equal(got.status, 206, got.text);
		assert.equal(got.headers["content-range"], `bytes ${first}-${last}/${bytes.length}`);
		assert.ok(got.body.equals(bytes.subarray(first, last + 1)), `${first}-${last}`);
	};
	let border = 0;
	for (const size of sizes.slice(0, -1)) {
		border += size;
		for (let first = border - 2; first <= border + 1; first++)
			for (let last = first; last <= border + 2; last++)
				await range(first, last);
	}
	await range(0, 0);
	await range(0, bytes.length - 1);
	await range(MIN - 1, bytes.length - 9);
	await range(bytes.length - 1, bytes.length - 1);
	const suffix = await ask("GET", "ranges", {}, { headers: { Range: "bytes=-10" } });
	assert.ok(suffix.body.equals(bytes.subarray(-10)));
	const known = await request(store, "HEAD", "uploads", "ranges", { headers: { Range: `bytes=5-${MIN + 5}` } });
	assert.deepEqual([known.status, known.headers["content-length"]], [206, String(MIN + 1)]);
});

test("a connection goes on behind an object of parts", async () => {
	const { bytes } = await make("next", [randomBytes(MIN), randomBytes(MIB), Buffer.from("end")],
		{ acl: "public-read" });
	const connection = await connect(store);
	const get = "GET /uploads/next HTTP/1.1\r\nHost: localhost\r\n\r\n";
	await connection.send(get + get.replace("GET", "HEAD") + get);
	assert.ok((await connection.response()).body.equals(bytes));
	assert.equal((await connection.response({ method: "HEAD" })).headers.get("Content-Length"), String(bytes.length));
	assert.ok((await connection.response()).body.equals(bytes));
	connection.destroy();
});

test("what is completed is what the list names", async () => {
	const parts = [1, 2, 3, 4].map(() => randomBytes(MIN));
	const id = await begin("some");
	for (const [i, part] of parts.entries())
		await ok(sendPart("some", id, (i + 1) * 2500, part));
	// Tags without quotes and in lower case are as good.
	const got = await ok(complete("some", id,
		list([[2500, md5(parts[0]).toString("hex")], [10000, quoted(parts[3]).replaceAll("\"", "&quot;")]])));
	assert.equal(got.xml("ETag"), etagOf([parts[0], parts[3]]));
	assert.ok((await getObject(store, "some")).equals(Buffer.concat([parts[0], parts[3]])));
});

test("a part that is sent again replaces the first", async () => {
	const [first, second, last] = [randomBytes(2 * MIB), randomBytes(MIN), Buffer.from("end")];
	const id = await begin("again");
	const before = await ok(sendPart("again", id, 1, first));
	await ok(sendPart("again", id, 2, last));
	await ok(sendPart("again", id, 1, second));
	await refused(complete("again", id, list([[1, before.headers.etag], [2, quoted(last)]])), 400, "InvalidPart");
	await ok(complete("again", id, list([[1, quoted(second)], [2, quoted(last)]])));
	assert.ok((await getObject(store, "again")).equals(Buffer.concat([second, last])));
});

test("x-oss-complete-all takes all parts, and no list", async () => {
	const parts = [randomBytes(MIN), randomBytes(MIN), randomBytes(1)];
	const id = await begin("all");
	for (const [i, part] of parts.entries())
		await ok(sendPart("all", id, [3, 70, 71][i], part));
	await refused(complete("all", id, list([[3, quoted(parts[0])]]), { "x-oss-complete-all": "yes" }), 400,
		"InvalidArgument");
	await refused(complete("all", id, "", { "x-oss-complete-all": "true" }), 400, "InvalidArgument");
	const got = await ok(completeAll("all", id));
	assert.equal(got.xml("ETag"), etagOf(parts));
	assert.ok((await getObject(store, "all")).equals(Buffer.concat(parts)));
});

test("an upload is completed without a part: an empty object", async () => {
	for (const [key, done] of [["empty", id => complete("empty", id, list([]))],
		["empty", id => complete("empty", id, "<CompleteMultipartUpload/>")],
		["empty-all", id => completeAll("empty-all", id)],
		// Parts that are not named are dropped, here as elsewhere.
		["dropped", async id => {
			await ok(sendPart("dropped", id, 1, randomBytes(MIN)));
			return complete("dropped", id, list([]));
		}]]) {
		const id = await begin(key);
		const got = await ok(done(id));
		assert.equal(got.xml("ETag"), `"${md5("").toString("hex").toUpperCase()}-0"`);
		await refused(complete(key, id, list([])), 404, "NoSuchUpload");
		const read = await ok(request(store, "GET", "uploads", key));
		assert.deepEqual([read.text, read.headers["content-length"], read.headers["x-oss-hash-crc64ecma"]], ["", "0", "0"]);
		assert.equal((await ok(request(store, "HEAD", "uploads", key))).headers["content-length"], "0");
		await ok(request(store, "PUT", "uploads", `${key}-copy`, { headers: { "x-oss-copy-source": `/uploads/${key}` } }));
		assert.equal((await getObject(store, `${key}-copy`)).length, 0);
		assert.equal((await request(store, "DELETE", "uploads", key)).status, 204);
		assert.equal(await getObject(store, key), null);
	}
	const id = await begin("empty");
	await refused(complete("empty", id, ""), 400, "MalformedXML");
});

test("lists that cannot be completed", async () => {
	const [first, second] = [randomBytes(MIN), randomBytes(MIN - 1)];
	const id = await begin("wrong");
	await sendPart("wrong", id, 1, first);
	await sendPart("wrong", id, 2, second);
	await sendPart("wrong", id, 3, first);
	const tags = [quoted(first), quoted(second), quoted(first)];
	const wrong = [
		[list([[2, tags[1]], [1, tags[0]]]), "InvalidPartOrder"],
		[list([[1, tags[0]], [1, tags[0]]]), "InvalidPartOrder"],
		[list([[1, tags[0]], [4, tags[0]]]), "InvalidPart"],
		[list([[1, tags[1]]]), "InvalidPart"],
		[list([[1, "\"x\""]]), "InvalidPart"],
		[list([[0, tags[0]]]), "InvalidPart"],
		[list([[10001, tags[0]]]), "InvalidPart"],
		["", "MalformedXML"],
		["<CompleteMultipartUpload>", "MalformedXML"],
		[list([["one", tags[0]]]), "MalformedXML"],
	];
	for (const [body, code] of wrong)
		await refused(complete("wrong", id, body), 400, code);
	const small = await refused(complete("wrong", id, list([[1, tags[0]], [2, tags[1]], [3, tags[2]]])), 400,
		"EntityTooSmall");
	assert.equal(small.xml("PartNumber"), "2");
	await refused(complete("wrong", id, list([[1, tags[0]]]), { "Content-MD5": md5("x").toString("base64") }), 400,
		"InvalidDigest");
	await refused(complete("wrong", id, `${list([[1, tags[0]]])}${" ".repeat(2 * MIB)}`), 400, "EntityTooLarge");
	assert.equal(await getObject(store, "wrong"), null);
	// After all of this the upload is as good as before; the small part may be the last.
	await ok(complete("wrong", id, list([[1, tags[0]], [2, tags[1]]])));
});

test("requests that are wrong by themselves", async () => {
	const id = await begin("bad");
	const other = await begin("other");
	const body = "x";
	for (const number of ["0", "10001", "-1", "1x", ""])
		await refused(ask("PUT", "bad", { partNumber: number, uploadId: id }, { body }), 400, "InvalidArgument");
	await refused(ask("PUT", "bad", { partNumber: "1" }, { body }), 400, "MissingArgument");
	for (const unknown of ["0".repeat(32), "F".repeat(32), "F".repeat(16).padStart(32, "0"), `${id.slice(0, -1)}g`, "x", other, `${id}0`]) {
		await refused(sendPart("bad", unknown, 1, body), 404, "NoSuchUpload");
		await refused(listParts("bad", unknown), 404, "NoSuchUpload");
		await refused(abort("bad", unknown), 404, "NoSuchUpload");
		await refused(complete("bad", unknown, list([[1, quoted(body)]])), 404, "NoSuchUpload");
	}
	assert.equal((await refused(listParts("bad", "nothing"), 404, "NoSuchUpload")).xml("UploadId"), "nothing");
	await refused(sendPart("bad", id, 1, body, { "Content-MD5": md5("y").toString("base64") }), 400, "InvalidDigest");
	await refused(sendPart("bad", id, 1, body, { "Content-MD5": "x" }), 400, "InvalidDigest");
	await refused(sendPart("bad", id, 1, body, { "If-Match": "x" }), 400, "NotImplemented");
	await refused(ask("POST", "bad", { uploads: "", "encoding-type": "x" }), 400, "InvalidArgument");
	await refused(ask("POST", "bad", { uploads: "", sequential: "" }), 501, "NotImplemented");
	await refused(ask("POST", "bad", { uploads: "" }, { headers: { "x-oss-object-acl": "x" } }), 400,
		"InvalidArgument");
	await refused(complete("bad", id, list([[1, quoted(body)]]), { "x-oss-forbid-overwrite": "x" }), 400,
		"InvalidArgument");
	for (const query of [{ "max-parts": "0" }, { "max-parts": "1001" }, { "part-number-marker": "10001" },
		{ "part-number-marker": "x" }, { "encoding-type": "x" }])
		await refused(listParts("bad", id, query), 400, "InvalidArgument");
	for (const query of [{ "max-uploads": "0" }, { "max-uploads": "1001" }, { "encoding-type": "x" },
		{ prefix: "x".repeat(1024) }])
		await refused(ask("GET", "", { uploads: "", ...query }), 400, "InvalidArgument");
	const nowhere = (method, key, query) => request(store, method, "nosuchbucket", key, { query, body: "" });
	await refused(nowhere("POST", "k", { uploads: "" }), 404, "NoSuchBucket");
	await refused(nowhere("GET", "", { uploads: "" }), 404, "NoSuchBucket");
	await refused(nowhere("PUT", "k", { partNumber: "1", uploadId: id }), 404, "NoSuchBucket");
	const long = await connect(store);
	await long.send(`PUT /open/k?partNumber=1&uploadId=${id} HTTP/1.1\r\nHost: localhost\r\n`
		+ `Content-Length: ${5 * 1024 ** 3 + 1}\r\n\r\n`);
	const answer = await long.response();
	assert.match(answer.body.toString(), /<Code>EntityTooLarge<\/Code>/);
	long.destroy();
	assert.deepEqual((await ok(listParts("bad", id))).text.match(/<Part>/g), null, "no part came of this");
	await ok(abort("bad", id));
	await ok(abort("other", other));
});

test("aborting", async () => {
	const id = await begin("aborted");
	await sendPart("aborted", id, 1, "x");
	const got = await abort("aborted", id);
	assert.deepEqual([got.status, got.text], [204, ""]);
	await refused(abort("aborted", id), 404, "NoSuchUpload");
	await refused(sendPart("aborted", id, 1, "x"), 404, "NoSuchUpload");
	await refused(listParts("aborted", id), 404, "NoSuchUpload");
	assert.equal(await getObject(store, "aborted"), null);
});

/** Until what `measure` gives is at most `wanted`. */
async function shrinks(measure, wanted) {
	const deadline = Date.now() + 30_000;
	let now = await measure();
	while (now > wanted && Date.now() < deadline) {
		await pause(20);
		now = await measure();
	}
	assert.ok(now <= wanted, `${now} is more than ${wanted}`);
}

async function diskBytes() {
	const metrics = await (await fetch(`${server.console}/metrics`)).text();
	return Number(/^postern_store_disk_bytes (\d+)$/m.exec(metrics)[1]);
}

test("what is aborted, replaced or not named gives its space back", { skip: notOnCeph }, async () => {
	const part = randomBytes(8 * MIB);
	const before = await diskBytes();
	const id = await begin("space");
	await Promise.all([1, 2, 3, 4].map(number => ok(sendPart("space", id, number, part))));
	assert.ok(await diskBytes() >= before + 32 * MIB);
	await ok(sendPart("space", id, 4, "x"));
	await shrinks(diskBytes, before + 24 * MIB + MIB);
	await ok(complete("space", id, list([[1, quoted(part)]])));
	await shrinks(diskBytes, before + 8 * MIB + MIB);
	await request(store, "DELETE", "uploads", "space");
	const other = await begin("space");
	await Promise.all([1, 2].map(number => ok(sendPart("space", other, number, part))));
	await ok(abort("space", other));
	await shrinks(diskBytes, before + MIB);
});

test("ListParts, page by page", async () => {
	const id = await begin("a b/ä");
	const numbers = Array.from({ length: 1100 }, (_, i) => i * 9 + 1);
	for (let from = 0; from < numbers.length; from += 50)
		await Promise.all(numbers.slice(from, from + 50).map(number => ok(sendPart("a b/ä", id, number, `${number}`))));
	const seen = [];
	const read = got => [...got.text.matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) =>
		Object.fromEntries([...part.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name, value]) => [name, value])));
	let marker = "0";
	for (const [expected, truncated] of [[1000, "true"], [100, "false"]]) {
		const got = await ok(listParts("a b/ä", id, { "part-number-marker": marker, "encoding-type": "url" }));
		assert.deepEqual([got.xml("Bucket"), got.xml("Key"), got.xml("EncodingType"), got.xml("UploadId"),
			got.xml("MaxParts"), got.xml("PartNumberMarker"), got.xml("IsTruncated")],
		["uploads", "a%20b%2F%C3%A4", "url", id, "1000", marker, truncated]);
		const parts = read(got);
		assert.equal(parts.length, expected);
		seen.push(...parts);
		marker = got.xml("NextPartNumberMarker");
		assert.equal(marker, parts.at(-1).PartNumber);
	}
	assert.deepEqual(seen.map(part => Number(part.PartNumber)), numbers);
	for (const part of [seen[0], seen[1050]]) {
		const text = Buffer.from(part.PartNumber);
		assert.deepEqual([part.ETag, part.Size, part.HashCrc64ecma], [quoted(text), `${text.length}`, crc64(text)]);
		assert.match(part.LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
	}
	const few = await ok(listParts("a b/ä", id, { "max-parts": "2", "part-number-marker": "10" }));
	assert.deepEqual(read(few).map(part => part.PartNumber), ["19", "28"]);
	assert.deepEqual([few.xml("Key"), few.xml("EncodingType")], ["a b/ä", null]);
	const none = await ok(listParts("a b/ä", id, { "part-number-marker": "10000" }));
	assert.deepEqual([read(none).length, none.xml("IsTruncated"), none.xml("NextPartNumberMarker")],
		[0, "false", ""]);
	await ok(abort("a b/ä", id));
});

test("ListMultipartUploads, page by page, rolled up, and encoded", async () => {
	await request(store, "PUT", "pending");
	const start = async key => (await request(store, "POST", "pending", key, { query: { uploads: "" } })).xml("UploadId");
	const uploads = [];
	for (const key of ["a", "a", "b/1", "b/2", "b/2", "c&", "d/x", "e ä"])
		uploads.push([key, await start(key)]);
	const ls = async query => {
		const got = await ok(request(store, "GET", "pending", "", { query: { uploads: "", ...query } }));
		const rows = [...got.text.matchAll(/<Key>([^<]*)<\/Key><UploadId>([^<]*)<\/UploadId>/g)]
			.map(([, key, id]) => [key.replace("&amp;", "&"), id]);
		const prefixes = [...got.text.matchAll(/<CommonPrefixes><Prefix>([^<]*)<\/Prefix>/g)].map(([, prefix]) => prefix);
		return { got, rows, prefixes };
	};
	const { got, rows } = await ls({});
	assert.deepEqual(rows, uploads);
	assert.deepEqual([got.xml("Bucket"), got.xml("IsTruncated"), got.xml("MaxUploads"), got.xml("NextKeyMarker"),
		got.xml("NextUploadIdMarker"), got.xml("KeyMarker"), got.xml("StorageClass")],
	["pending", "false", "1000", "e ä", uploads.at(-1)[1], "", "Standard"]);
	assert.match(got.xml("Initiated"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
	for (const size of [1, 2, 3, 7]) {
		const seen = [];
		let next = {};
		for (let more = true; more;) {
			const page = await ls({ "max-uploads": String(size), ...next });
			seen.push(...page.rows);
			more = page.got.xml("IsTruncated") === "true";
			next = { "key-marker": page.got.xml("NextKeyMarker").replace("&amp;", "&"),
				"upload-id-marker": page.got.xml("NextUploadIdMarker") };
		}
		assert.deepEqual(seen, uploads, `${size} at a time`);
	}
	assert.deepEqual((await ls({ "key-marker": "b/2" })).rows, uploads.slice(5));
	assert.deepEqual((await ls({ "key-marker": "b/2", "upload-id-marker": uploads[3][1] })).rows, uploads.slice(4));
	assert.deepEqual((await ls({ "upload-id-marker": uploads[3][1] })).rows, uploads, "without a key it says nothing");
	assert.deepEqual((await ls({ "key-marker": "b/2", "upload-id-marker": "EEE" })).rows, uploads.slice(5));
	assert.deepEqual((await ls({ prefix: "b/" })).rows, uploads.slice(2, 5));
	const rolled = await ls({ delimiter: "/" });
	assert.deepEqual(rolled.prefixes, ["b/", "d/"]);
	assert.deepEqual(rolled.rows.map(([key]) => key), ["a", "a", "c&", "e ä"]);
	const paged = await ls({ delimiter: "/", "max-uploads": "3" });
	assert.deepEqual([paged.rows.length, paged.prefixes, paged.got.xml("NextKeyMarker"),
		paged.got.xml("NextUploadIdMarker")], [2, ["b/"], "b/", ""]);
	assert.deepEqual((await ls({ delimiter: "/", "key-marker": "b/" })).rows, [uploads[5], uploads[7]]);
	const encoded = await ls({ "encoding-type": "url", prefix: "e " });
	assert.deepEqual([encoded.rows[0][0], encoded.got.xml("Prefix"), encoded.got.xml("EncodingType")],
		["e%20%C3%A4", "e%20", "url"]);
	await refused(request(store, "DELETE", "pending"), 409, "BucketNotEmpty");
	for (const [key, id] of uploads)
		await ok(request(store, "DELETE", "pending", key, { query: { uploadId: id } }));
	await ok(request(store, "DELETE", "pending"));
});

test("x-oss-forbid-overwrite counts at the beginning and at the end", async () => {
	const forbid = { "x-oss-forbid-overwrite": "true" };
	const id = await begin("once", forbid);
	await ok(sendPart("once", id, 1, "parts"));
	await put("once", "put");
	await refused(ask("POST", "once", { uploads: "" }, { headers: forbid }), 409, "FileAlreadyExists");
	await refused(completeAll("once", id, forbid), 409, "FileAlreadyExists");
	assert.equal((await getObject(store, "once")).toString(), "put");
	await ok(completeAll("once", id, { "x-oss-forbid-overwrite": "false" }));
	assert.equal((await getObject(store, "once")).toString(), "parts");
});

test("the ACL is what the end says, as OSS has it, not the beginning", async () => {
	for (const [said, at] of [["public-read", "begin"], ["public-read", "end"], ["private", "end"]]) {
		const acl = { "x-oss-object-acl": said };
		const id = await begin("acl", at === "begin" ? acl : {});
		await ok(sendPart("acl", id, 1, "x"));
		await refused(completeAll("acl", id, { "x-oss-object-acl": "x" }), 400, "InvalidArgument");
		await ok(completeAll("acl", id, at === "end" ? acl : {}));
		const got = await ask("GET", "acl", { acl: "" });
		assert.equal(got.xml("Grant"), at === "end" ? said : "default");
	}
});

test("who may", async () => {
	const id = await begin("private");
	const anonymous = (method, path, body) => send(`${store}/${path}`, method, {}, body);
	for (const [method, query] of [["POST", "uploads"], ["PUT", `partNumber=1&uploadId=${id}`],
		["POST", `uploadId=${id}`], ["DELETE", `uploadId=${id}`], ["GET", `uploadId=${id}`]])
		await refused(anonymous(method, `uploads/private?${query}`), 403, "AccessDenied");
	await refused(anonymous("GET", "open?uploads"), 403, "AccessDenied");
	const begun = await ok(anonymous("POST", "open/by-anybody?uploads"));
	const theirs = begun.xml("UploadId");
	await ok(anonymous("PUT", `open/by-anybody?partNumber=1&uploadId=${theirs}`, "text"));
	await ok(anonymous("GET", `open/by-anybody?uploadId=${theirs}`));
	await ok(anonymous("POST", `open/by-anybody?uploadId=${theirs}`, list([[1, quoted("text")]])));
	assert.equal((await send(`${store}/open/by-anybody`)).text, "text");
	// An object with an ACL of its own is not theirs to replace.
	await request(store, "PUT", "open", "owned", { body: "mine", headers: { "x-oss-object-acl": "public-read" } });
	const again = (await ok(anonymous("POST", "open/owned?uploads"))).xml("UploadId");
	await ok(anonymous("PUT", `open/owned?partNumber=1&uploadId=${again}`, "theirs"));
	await refused(anonymous("POST", `open/owned?uploadId=${again}`, list([[1, quoted("theirs")]])), 403, "AccessDenied");
	assert.equal((await getObject(store, "owned", "open")).toString(), "mine");
	await ok(anonymous("DELETE", `open/owned?uploadId=${again}`));
	await ok(abort("private", id));
});

test("a temporary key does what its policy names", async () => {
	const key = await assumeRole(server, allow(["oss:PutObject", "oss:ListParts"], ["acs:oss:*:*:uploads/temporary"]));
	const as = (method, path, query, headers = {}, body = undefined) => request(store, method, "uploads", path,
		{ query, body, accessKey: key, headers: { ...headers, "x-oss-security-token": key.token } });
	await put("temporary source", "x");
	await refused(as("POST", "other", { uploads: "" }), 403, "AccessDenied");
	await refused(as("GET", "", { uploads: "" }), 403, "AccessDenied");
	const id = (await ok(as("POST", "temporary", { uploads: "" }))).xml("UploadId");
	await ok(as("PUT", "temporary", { partNumber: "1", uploadId: id }, {}, "text"));
	await refused(as("PUT", "temporary", { partNumber: "2", uploadId: id },
		{ "x-oss-copy-source": "/uploads/temporary%20source" }), 403, "AccessDenied");
	await ok(as("GET", "temporary", { uploadId: id }));
	await refused(as("DELETE", "temporary", { uploadId: id }), 403, "AccessDenied");
	await ok(as("POST", "temporary", { uploadId: id }, { "x-oss-complete-all": "yes" }, ""));
	await refused(as("POST", "temporary log", { append: "", position: "0" }, {}, "x"), 403, "AccessDenied");
	assert.equal((await getObject(store, "temporary")).toString(), "text");
});

test("UploadPartCopy: all of an object, a range of it, and of one in parts", async () => {
	const source = await make("from parts", [randomBytes(MIN), randomBytes(MIB + 3), randomBytes(77)]);
	const small = randomBytes(MIN);
	await put("from", small);
	const copyPart = (id, number, from, headers = {}) =>
		ask("PUT", "copied", { partNumber: String(number), uploadId: id }, { headers: {
			"x-oss-copy-source": `/uploads/${encodeURIComponent(from)}`, ...headers } });
	const range = (first, last) => ({ "x-oss-copy-source-range": `bytes=${first}-${last}` });
	const id = await begin("copied");
	const wanted = [small, source.bytes, source.bytes.subarray(MIN - 5, MIN + MIN), small.subarray(0, 10)];
	const answers = [
		await ok(copyPart(id, 1, "from")),
		await ok(copyPart(id, 2, "from parts")),
		await ok(copyPart(id, 3, "from parts", range(MIN - 5, 2 * MIN - 1))),
		await ok(copyPart(id, 4, "from", range(0, 9))),
	];
	for (const [i, got] of answers.entries()) {
		assert.equal(got.xml("ETag"), quoted(wanted[i]), `part ${i + 1}`);
		assert.match(got.xml("LastModified"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
		assert.equal(got.headers["x-oss-hash-crc64ecma"], crc64(wanted[i]));
	}
	assert.equal(answers[0].headers["content-range"], undefined);
	assert.equal(answers[3].headers["content-range"], `bytes 0-9/${MIN}`);
	// Not wholly inside: all of it, as GetObject has it.
	const whole = await ok(copyPart(id, 5, "from", range(0, MIN)));
	assert.deepEqual([whole.xml("ETag"), whole.headers["content-range"]], [quoted(small), undefined]);
	const done = await ok(complete("copied", id, list(wanted.map((bytes, i) => [i + 1, quoted(bytes)]))));
	assert.equal(done.headers["x-oss-hash-crc64ecma"], crc64(Buffer.concat(wanted)));
	assert.ok((await getObject(store, "copied")).equals(Buffer.concat(wanted)));

	const other = await begin("copied");
	await refused(copyPart(other, 1, "missing"), 404, "NoSuchKey");
	await refused(copyPart("F".repeat(15).padStart(32, "0"), 1, "from"), 404, "NoSuchUpload");
	await refused(copyPart(other, 0, "from"), 400, "InvalidArgument");
	await refused(copyPart(other, 1, "from", { "x-oss-copy-source": "/nosuchbucket/a" }), 404, "NoSuchBucket");
	await refused(copyPart(other, 1, "from", { "x-oss-copy-source-if-match": "\"x\"" }), 412, "PreconditionFailed");
	const same = await copyPart(other, 1, "from", { "x-oss-copy-source-if-none-match": quoted(small) });
	assert.equal(same.status, 304);
	await ok(copyPart(other, 1, "from", { "x-oss-copy-source-if-match": quoted(small) }));
	const anonymous = (bucket, from) => send(`${store}/${bucket}/x?partNumber=1&uploadId=${other}`, "PUT",
		{ "x-oss-copy-source": from });
	await refused(anonymous("open", "/uploads/from"), 403, "AccessDenied");
	await refused(anonymous("uploads", "/open/by-anybody"), 403, "AccessDenied");
	await ok(abort("copied", other));
});

test("CopyObject of an object in parts makes an ordinary one", async () => {
	const { bytes } = await make("parted", [randomBytes(MIN), randomBytes(MIN)], { "Content-Type": "text/x-parts" });
	const got = await ok(request(store, "PUT", "uploads", "plain", { headers: { "x-oss-copy-source": "/uploads/parted" } }));
	assert.equal(got.xml("ETag"), quoted(bytes));
	const { headers } = await head("plain");
	assert.deepEqual([headers["x-oss-object-type"], headers.etag, headers["content-type"]],
		["Normal", quoted(bytes), "text/x-parts"]);
	assert.ok((await getObject(store, "plain")).equals(bytes));
});

/** A GET whose body is not read until finish() is called. */
function slowGet(path) {
	const { hostname, port } = new URL(store);
	return new Promise((done, fail) => {
		const get = httpRequest({ hostname, port, path, agent: false }, response => {
			response.pause();
			done({
				response,
				finish: async () => {
					const pieces = [];
					for await (const piece of response)
						pieces.push(piece);
					return Buffer.concat(pieces);
				},
			});
		});
		get.on("error", fail);
		get.end();
	});
}

test("who reads an object goes on reading it while it is replaced or deleted", async () => {
	const parts = Array.from({ length: 24 }, () => randomBytes(MIB + 1));
	for (const change of [
		() => put("moving", "another"),
		() => request(store, "DELETE", "uploads", "moving"),
		async () => (await make("moving", [randomBytes(MIN), randomBytes(MIN)])).answer,
	]) {
		const { bytes } = await make("moving", parts, { acl: "public-read" });
		const reading = await slowGet("/uploads/moving");
		await ok(change());
		const got = await reading.finish();
		assert.equal(sha256(got), sha256(bytes));
	}
});

test("a client that goes away in the middle of reading leaves the server in good health", async () => {
	const { bytes } = await make("left", Array.from({ length: 24 }, () => randomBytes(MIB + 1)), { acl: "public-read" });
	for (let i = 0; i < 4; i++)
		(await slowGet("/uploads/left")).response.destroy();
	assert.equal(sha256(await getObject(store, "left")), sha256(bytes));
});

test("a client that goes away in the middle of a part leaves no part", async () => {
	const begun = await ok(send(`${store}/open/cut?uploads`, "POST"));
	const id = begun.xml("UploadId");
	for (const size of [MIN, 4 * MIB]) {
		const connection = await connect(store);
		await connection.send(`PUT /open/cut?partNumber=1&uploadId=${id} HTTP/1.1\r\nHost: localhost\r\n`
			+ `Content-Length: ${size}\r\n\r\n`);
		await connection.send(randomBytes(size / 2));
		connection.destroy({ reset: true });
	}
	const listed = await ok(send(`${store}/open/cut?uploadId=${id}`));
	assert.equal(listed.text.match(/<Part>/g), null);
	await ok(send(`${store}/open/cut?partNumber=1&uploadId=${id}`, "PUT", {}, "whole"));
	await ok(send(`${store}/open/cut?uploadId=${id}`, "POST", { "x-oss-complete-all": "yes" }));
	assert.equal((await getObject(store, "cut", "open")).toString(), "whole");
});

test("parts of one upload sent at the same time, and completed once", async () => {
	const parts = Array.from({ length: 16 }, (_, i) => randomBytes(i % 2 ? MIN : MIB + i));
	const id = await begin("racing");
	await Promise.all(parts.map((part, i) => ok(sendPart("racing", id, i + 1, part))));
	const body = list(parts.map((part, i) => [i + 1, quoted(part)]));
	const answers = await Promise.all(Array.from({ length: 4 }, () => complete("racing", id, body)));
	assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404, 404]);
	assert.ok((await getObject(store, "racing")).equals(Buffer.concat(parts)));
});

/** The callback that completing brought, of an object of these parts. */
async function calledBack(key, parts, callback, { how = "header", type = "text/x-parts", vars } = {}) {
	const id = await begin(key, { "Content-Type": type });
	for (const [i, part] of parts.entries())
		await ok(sendPart(key, id, i + 1, part));
	const body = list(parts.map((part, i) => [i + 1, quoted(part)]));
	const text = base64Json({ callbackUrl: `${sink.url}/ok`, ...callback });
	const variables = vars ? base64Json(vars) : undefined;
	const before = sink.requests.length;
	const got = how === "header"
		? await complete(key, id, body, { "x-oss-callback": text, ...vars && { "x-oss-callback-var": variables } })
		: await complete(key, id, body, {}, { callback: text, ...vars && { "callback-var": variables } });
	return { got, sent: sink.requests.slice(before) };
}

test("callbacks, by header and by query", async () => {
	const parts = [randomBytes(MIN), Buffer.from("end")];
	const callbackBody = "b=${bucket}&k=${object}&e=${etag}&s=${size}&m=${mimeType}&c=${crc64}&d=${contentMd5}"
		+ "&o=${operation}&v=${x:v}&h=${imageInfo.height}";
	for (const how of ["header", "query"]) {
		const { got, sent } = await calledBack("called", parts, { callbackBody }, { how, vars: { "x:v": "mine" } });
		assert.deepEqual([got.status, got.text], [200, "{\"from\":\"app\"}"]);
		assert.deepEqual([got.headers.etag, got.headers["x-oss-hash-crc64ecma"]],
			[etagOf(parts), crc64(Buffer.concat(parts))]);
		const said = Object.fromEntries(new URLSearchParams(sent[0].body.toString()));
		assert.deepEqual(said, { b: "uploads", k: "called", e: etagOf(parts).replaceAll("\"", ""), s: String(MIN + 3),
			m: "text/x-parts", c: crc64(Buffer.concat(parts)), d: "", o: "CompleteMultipartUpload", v: "mine", h: "" });
	}
	const image = Buffer.concat([IMAGES[0].bytes, randomBytes(2 * MIB)]);
	const { sent } = await calledBack("image", [image.subarray(0, MIN), image.subarray(MIN)],
		{ callbackBody: "${imageInfo.width}x${imageInfo.height}" });
	assert.equal(sent[0].body.toString(), "3x2");
});

test("a callback that fails leaves the object, and says 203", async () => {
	const part = randomBytes(10);
	const { got } = await calledBack("failed", [part], { callbackUrl: `${sink.url}/bad`, callbackBody: "a" });
	assert.deepEqual([got.status, got.xml("Code"), got.headers.etag], [203, "CallbackFailed", etagOf([part])]);
	assert.ok((await getObject(store, "failed")).equals(part));
	const id = await begin("refused");
	await ok(sendPart("refused", id, 1, part));
	const body = list([[1, quoted(part)]]);
	await refused(complete("refused", id, body, { "x-oss-callback": "!" }), 400, "InvalidArgument");
	const text = base64Json({ callbackUrl: `${sink.url}/ok`, callbackBody: "a" });
	await refused(complete("refused", id, body, { "x-oss-callback": text }, { callback: text }), 400, "InvalidArgument");
	await refused(complete("refused", id, body,
		{ "x-oss-callback": base64Json({ callbackUrl: "http://127.0.0.1:1/", callbackBody: "a" }) }), 400,
	"InvalidArgument");
	assert.equal(await getObject(store, "refused"), null, "nothing is done before it is understood");
	await ok(abort("refused", id));
});

test("an answer tells names as they were asked for", async () => {
	const key = "a b&<ä>";
	const id = await begin(key, {}, { "encoding-type": "url" });
	await ok(sendPart(key, id, 1, "x"));
	const got = await ok(complete(key, id, list([[1, quoted("x")]]), {}, { "encoding-type": "url" }));
	assert.deepEqual([got.xml("Key"), got.xml("EncodingType")], [encodeURIComponent(key), "url"]);
	assert.equal(got.xml("Location"), `${store}/uploads/${encodeURIComponent(key)}`);
	assert.ok((await listObjects(store)).includes(key));
});

test("where versions are kept each completion makes one, and reading tells which", async () => {
	await request(store, "PUT", "versioned");
	await ok(request(store, "PUT", "versioned", "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }));
	const at = (method, query, more = {}) => request(store, method, "versioned", "k", { query, ...more });
	const made = [];
	for (const text of ["first", "second"]) {
		const id = (await ok(at("POST", { uploads: "" }, { headers: { "x-oss-forbid-overwrite": "true" } }))).xml("UploadId");
		await ok(at("PUT", { partNumber: "1", uploadId: id }, { body: text }));
		const got = await ok(at("POST", { uploadId: id },
			{ body: "", headers: { "x-oss-complete-all": "yes", "x-oss-forbid-overwrite": "true" } }));
		assert.match(got.headers["x-oss-version-id"], /^[0-9A-F]{16}$/);
		made.push([got.headers["x-oss-version-id"], text]);
	}
	assert.notEqual(made[0][0], made[1][0]);
	for (const [versionId, text] of made) {
		const got = await at("GET", { versionId });
		assert.deepEqual([got.text, got.headers["x-oss-version-id"], got.headers["x-oss-object-type"]],
			[text, versionId, "Multipart"]);
	}
	const id = (await ok(at("POST", { uploads: "" }))).xml("UploadId");
	const part = await ok(at("PUT", { partNumber: "1", uploadId: id },
		{ headers: { "x-oss-copy-source": `/versioned/k?versionId=${made[0][0]}` } }));
	assert.deepEqual([part.xml("ETag"), part.headers["x-oss-copy-source-version-id"]], [quoted("first"), made[0][0]]);
	await ok(at("DELETE", { uploadId: id }));
});

test("uploads and parts are there after a restart", async t => {
	const first = await startServer(t);
	const at = (server, method, query, more = {}) => request(server.store, method, "uploads", "kept", { query, ...more });
	const id = (await ok(at(first, "POST", { uploads: "" }, { headers: { "x-oss-meta-a": "kept" } }))).xml("UploadId");
	const parts = [randomBytes(MIN), randomBytes(2 * MIB)];
	for (const [i, body] of parts.entries())
		await ok(at(first, "PUT", { partNumber: String(i + 1), uploadId: id }, { body }));
	await first.kill();
	const second = await startServer(t, { data: first.data });
	assert.equal((await ok(at(second, "GET", { uploadId: id }))).text.match(/<Part>/g).length, 2);
	await ok(at(second, "POST", { uploadId: id }, { body: list(parts.map((part, i) => [i + 1, quoted(part)])) }));
	const got = await at(second, "GET", {});
	assert.ok(got.body.equals(Buffer.concat(parts)));
	assert.equal(got.headers["x-oss-meta-a"], "kept");
});
