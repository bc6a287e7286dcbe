// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over the wire, bytes in and bytes out, at the store's port.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, exchange } from "../lib/http.js";
import { postForm, request, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	const acl = { "x-oss-object-acl": "public-read" };
	const put = await postForm(store, signedFieldsV1("open.txt", acl),
		{ name: "open.txt", type: "text/plain", content: "0123456789" });
	assert.equal(put.status, 204, put.text);
});
after(all.run);

const GET = "GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n";

test("requests one after the other on a connection", async () => {
	const connection = await connect(store);
	for (let i = 0; i < 3; i++) {
		await connection.send(`${GET}\r\n`);
		const answer = await connection.response();
		assert.equal(answer.status, 200);
		assert.equal(answer.body.toString(), "0123456789");
	}
	connection.destroy();
});

test("pipelined requests are answered in order", async () => {
	const connection = await connect(store);
	await connection.send(`${GET}Range: bytes=0-1\r\n\r\n${GET}Range: bytes=2-4\r\n\r\n`
		+ `${GET.replace("GET", "HEAD")}\r\n${GET}Range: bytes=-1\r\n\r\n`);
	assert.equal((await connection.response()).body.toString(), "01");
	assert.equal((await connection.response()).body.toString(), "234");
	const head = await connection.response({ method: "HEAD" });
	assert.equal(head.headers.get("content-length"), "10");
	assert.equal((await connection.response()).body.toString(), "9");
	connection.destroy();
});

test("a request in single bytes", async () => {
	assert.equal((await exchange(store, [...`${GET}\r\n`])).status, 200);
});

test("Connection: close, and HTTP/1.0", async () => {
	for (const bytes of [`${GET}Connection: close\r\n\r\n`,
		"GET /uploads/open.txt HTTP/1.0\r\nHost: localhost\r\n\r\n"]) {
		const connection = await connect(store);
		await connection.send(bytes);
		assert.equal((await connection.response()).status, 200);
		assert.equal((await connection.closed()).length, 0);
	}
});

test("ranges and conditions", async () => {
	const whole = await exchange(store, `${GET}\r\n`);
	const etag = whole.headers.get("etag");
	const modified = whole.headers.get("last-modified");
	for (const [header, status, body] of [
		["Range: bytes=3-5", 206, "345"],
		["Range: bytes=8-", 206, "89"],
		["Range: bytes=8-100", 200, "0123456789"],
		["x-oss-range-behavior: standard\r\nRange: bytes=8-100", 206, "89"],
		["Range: bytes=10-", 200, "0123456789"],
		["x-oss-range-behavior: standard\r\nRange: bytes=10-", 416, null],
		["Range: bytes=-3", 206, "789"],
		[`If-None-Match: ${etag}`, 304, ""],
		["If-None-Match: \"else\"", 200, "0123456789"],
		[`If-Match: ${etag}`, 200, "0123456789"],
		[`If-Modified-Since: ${modified}`, 304, ""],
		["If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT", 412, null],
		["If-Match: \"else\"", 412, null],
	]) {
		const answer = await exchange(store, `${GET}${header}\r\n\r\n`);
		assert.equal(answer.status, status, header);
		if (body !== null)
			assert.equal(answer.body.toString(), body, header);
	}
	const part = await exchange(store, `${GET}Range: bytes=3-5\r\n\r\n`);
	assert.equal(part.headers.get("content-range"), "bytes 3-5/10");
});

// What two readers of the same bytes could understand differently.
const AMBIGUOUS = {
	"both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
	"a list of lengths": "Content-Length: 5, 6\r\n\r\nhello",
	"a signed length": "Content-Length: +5\r\n\r\nhello",
	"a negative length": "Content-Length: -1\r\n\r\nhello",
	"a hexadecimal length": "Content-Length: 0x5\r\n\r\nhello",
	"a length beyond all bounds": "Content-Length: 99999999999999999999\r\n\r\nhello",
	"an unknown coding": "Transfer-Encoding: gzip\r\n\r\nhello",
	"chunked twice": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	"chunked, then something": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"a folded line": "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
	"a space before the colon": "Content-Length : 5\r\n\r\nhello",
	"a bare LF": "A: b\nContent-Length: 5\r\n\r\nhello",
	"a bare CR": "A: b\rc\r\nContent-Length: 0\r\n\r\n",
	"a NUL": "A: b\0c\r\nContent-Length: 0\r\n\r\n",
	"a second Host": "Host: y\r\nContent-Length: 0\r\n\r\n",
	"a line without a colon": "nonsense\r\nContent-Length: 0\r\n\r\n",
};

for (const [name, rest] of Object.entries(AMBIGUOUS)) {
	test(`refused, and the connection closed: ${name}`, async () => {
		const connection = await connect(store);
		await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\n${rest}${GET}\r\n`);
		assert.equal((await connection.response()).status, 400);
		assert.equal((await connection.closed()).length, 0, "nothing more is answered");
	});
}

for (const [name, chunks] of Object.entries({
	"a size that is no number": "g\r\nhello\r\n0\r\n\r\n",
	"a signed size": "+5\r\nhello\r\n0\r\n\r\n",
	"a size beyond all bounds": "fffffffffffffffff\r\nhello\r\n",
	"a chunk longer than its size": "2\r\nhello\r\n0\r\n\r\n",
	"a bare LF after the size": "5\nhello\r\n0\r\n\r\n",
})) {
	test(`bad chunks are refused, and the connection closed: ${name}`, async () => {
		const connection = await connect(store);
		await connection.send("POST /uploads HTTP/1.1\r\nHost: localhost\r\n"
			+ `Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
		assert.equal((await connection.response()).status, 400);
		await connection.closed();
	});
}

test("a head that is too long is refused", async () => {
	const connection = await connect(store);
	await connection.send(`${GET}A: ${"b".repeat(200_000)}\r\n\r\n`).catch(() => {});
	assert.ok([400, 413, 414, 431].includes((await connection.response()).status));
});

test("no Host, an odd version, an unknown method, no path", async () => {
	for (const [bytes, statuses] of [
		["GET / HTTP/1.1\r\n\r\n", [400]],
		["GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", [400, 505]],
		["GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n", [400]],
		["GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", [400]],
		["BREW /uploads/k HTTP/1.1\r\nHost: localhost\r\n\r\n", [400, 405, 501]],
		["GET uploads HTTP/1.1\r\nHost: localhost\r\n\r\n", [400]],
		["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400]],
	]) {
		const answer = await exchange(store, bytes);
		assert.ok(statuses.includes(answer.status), `${JSON.stringify(bytes)}: ${answer.status}`);
	}
});

test("a body that the server does not want is not taken for a request", async () => {
	const connection = await connect(store);
	const inner = `${GET}\r\n`;
	await connection.send("POST /nosuchbucket HTTP/1.1\r\nHost: localhost\r\n"
		+ `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
	assert.equal((await connection.response()).status, 404);
	// Either the body is passed over and the connection goes on, or the connection ends.
	await connection.send(`${GET}Range: bytes=0-0\r\n\r\n`).catch(() => {});
	const next = await connection.response().catch(() => null);
	assert.ok(next === null || next.body.toString() === "0", next?.body.toString());
	connection.destroy();
});

test("the answer to an upload that is refused early can be read", async () => {
	const connection = await connect(store);
	await connection.send("POST /nosuchbucket HTTP/1.1\r\nHost: localhost\r\n"
		+ "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 3000000\r\n\r\n");
	await connection.send(Buffer.alloc(3_000_000)).catch(() => {});
	assert.equal((await connection.response()).status, 404);
	connection.destroy();
});

test("virtual-host style", async () => {
	for (const host of ["uploads.localhost", "uploads.localhost:9000"]) {
		const answer = await exchange(store, `GET /open.txt HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
		assert.equal(answer.body.toString(), "0123456789", host);
	}
});

test("SIGTERM: what runs is finished, then the server leaves", async t => {
	const own = await startServer(t);
	const connection = await connect(own.store);
	await connection.send("POST /nosuchbucket HTTP/1.1\r\nHost: localhost\r\n"
		+ "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10\r\n\r\n01234");
	const stopped = own.stop();
	await connection.send("56789");
	assert.equal((await connection.response()).status, 404);
	await stopped;
});

test("health", async () => {
	assert.equal((await exchange(server.console, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 200);
	assert.equal((await request(store, "GET", "uploads", "nothing")).status, 404);
});
