// SPDX-License-Identifier: Apache-2.0
// Requests that announce a body for which their operation has no use: they are answered without
// it, whether it comes with them, later, or never.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { signed } from "../lib/console_api.js";
import { connect } from "../lib/http.js";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4, target } from "../lib/sign.js";
import { signedParams } from "../lib/sts.js";
import { expectAnswer, GET, play, putOpenObject } from "../lib/wire.js";

const all = cleanups();
let server, store, upload;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	await putOpenObject(store);
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
	const begun = await request(store, "POST", "uploads", "parts", { query: { uploads: "" } });
	upload = begun.xml("UploadId");
});
after(all.run);

/** Of every kind of operation without a body: [name, status, method, key, query, headers]. */
const OPERATIONS = [
	["GetObject", 200, "GET", "open.txt", {}, {}],
	["HeadObject", 200, "HEAD", "open.txt", {}, {}],
	["DeleteObject", 204, "DELETE", "none", {}, {}],
	["CopyObject", 200, "PUT", "copied", {}, { "x-oss-copy-source": "/uploads/open.txt" }],
	["PutSymlink", 200, "PUT", "link", { symlink: "" }, { "x-oss-symlink-target": "open.txt" }],
	["PutObjectACL", 200, "PUT", "open.txt", { acl: "" }, { "x-oss-object-acl": "public-read" }],
	["DeleteObjectTagging", 204, "DELETE", "open.txt", { tagging: "" }, {}],
	["InitiateMultipartUpload", 200, "POST", "begun", { uploads: "" }, {}],
	["UploadPartCopy", 200, "PUT", "parts", { partNumber: "1", uploadId: () => upload },
		{ "x-oss-copy-source": "/uploads/open.txt" }],
	["ListParts", 200, "GET", "parts", { uploadId: () => upload }, {}],
	["AbortMultipartUpload", 404, "DELETE", "parts", { uploadId: "0" }, {}],
	["GetBucketInfo", 200, "GET", "", { bucketInfo: "" }, {}],
	["PutBucketACL", 200, "PUT", "", { acl: "" }, { "x-oss-acl": "private" }],
	["DeleteBucketCors", 204, "DELETE", "", { cors: "" }, {}],
	["DeleteBucket", 409, "DELETE", "", {}, {}],
];

function head([, , method, key, query, headers], framing) {
	const asked = Object.fromEntries(Object.entries(query)
		.map(([name, value]) => [name, typeof value === "function" ? value() : value]));
	const inHeaders = headersV4({ method, bucket: "uploads", key, query: asked, headers });
	const lines = Object.entries(inHeaders).map(([name, value]) => `${name}: ${value}\r\n`).join("");
	return `${method} ${target("uploads", key, asked)} HTTP/1.1\r\nHost: localhost\r\n${lines}${framing}\r\n`;
}

const LENGTH = "Content-Length: 5\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

for (const operation of OPERATIONS) {
	const [name, status, method] = operation;
	test(`${name}: a body that never comes`, async () => {
		for (const framing of [LENGTH, CHUNKED, `Expect: 100-continue\r\n${LENGTH}`])
			await play(store, { send: head(operation, framing),
				answers: [{ status, method, headers: { Connection: "close" } }], then: "closed" });
	});

	test(`${name}: a body that comes with the request`, async () => {
		for (const bytes of [head(operation, LENGTH) + "hello", head(operation, CHUNKED) + "5\r\nhello\r\n0\r\n\r\n"])
			await play(store, { send: bytes, answers: [{ status, method, headers: { Connection: null } }], then: "open" });
	});

	test(`${name}: a body that comes after the answer`, async () => {
		const connection = await connect(store);
		await connection.send(head(operation, LENGTH));
		await expectAnswer(connection, { status, method });
		await connection.send(`hello${GET}\r\n`);
		assert.equal((await connection.closed()).length, 0);
		connection.destroy();
	});
}

test("an object that anybody may write is deleted by anybody, with a body that never comes", async () => {
	await request(store, "PUT", "uploads", "theirs", { body: "x", headers: { "x-oss-object-acl": "public-read-write" } });
	for (const path of ["/uploads/theirs", "/anyone/theirs"])
		await play(store, { send: `DELETE ${path} HTTP/1.1\r\nHost: localhost\r\n${LENGTH}\r\n`,
			answers: [{ status: 204, headers: { Connection: "close" } }], then: "closed" });
	assert.equal((await request(store, "HEAD", "uploads", "theirs")).status, 404);
});

test("the console's port: a body that never comes, and one that comes with the request", async () => {
	const requests = {
		"GET /callbacks": 200, "GET /callbacks/999": 404, "POST /callbacks/999/send": 404,
		[`GET /sts/?${signedParams(server.key, "GET")}`]: 200, "GET /health": 200, "GET /metrics": 200,
		"GET /console/config.json": 200, "POST /console/config.json": 405,
	};
	for (const [request, status] of Object.entries(requests)) {
		const [method, path] = request.split(" ");
		const signedHeaders = Object.entries(path.startsWith("/callbacks") ? signed(method, path).headers : {})
			.map(([name, value]) => `${name}: ${value}\r\n`).join("");
		const bytes = to => `${method} ${to} HTTP/1.1\r\nHost: localhost\r\n${signedHeaders}${LENGTH}\r\n`;
		await play(server.console, { send: bytes(path), answers: [{ status, headers: { Connection: "close" } }], then: "closed" });
		const again = path.startsWith("/sts") ? `/sts/?${signedParams(server.key, "GET")}` : path;
		await play(server.console, { send: `${bytes(again)}A=b&C`, answers: [{ status, headers: { Connection: null } }] });
	}
});

test("a long body does not keep the answer away", async () => {
	const piece = Buffer.alloc(1 << 20, "x");
	const connection = await connect(store);
	await connection.send(head(OPERATIONS[2], `Content-Length: ${64 * piece.length}\r\n`));
	for (let i = 0; i < 64; i++)
		await connection.send(piece);
	await expectAnswer(connection, { status: 204, headers: { Connection: "close" } });
	assert.equal((await connection.closed()).length, 0);
	connection.destroy();
});
