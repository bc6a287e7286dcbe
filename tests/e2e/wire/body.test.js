// SPDX-License-Identifier: Apache-2.0
// Request bodies: chunks at every split, trailers, Expect: 100-continue, and uploads that are
// refused or break off on their way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, listObjects, multipart, request, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { expectAnswer, GET, OPEN, play, putOpenObject, wireCases } from "../lib/wire.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await putOpenObject(store);
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
});
after(all.run);

const put = (key, lines) => `PUT /anyone/${key} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`;
const chunked = (key, chunks) => put(key, "Transfer-Encoding: chunked\r\n") + chunks;
const get = key => `GET /anyone/${key} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const expecting = "Expect: 100-continue\r\n";

wireCases(() => store, {
	"chunks, with extensions and trailers": {
		send: chunked("chunks", "5\r\nhello\r\n1;a=b\r\n,\r\n006;c=\"d;e\"\r\n world\r\n0;z\r\n"
			+ "X-Trailer: t\r\nY: u\r\n\r\n") + get("chunks"),
		answers: [200, { status: 200, body: "hello, world" }],
		then: "open",
	},
	"chunk sizes in either case": {
		send: chunked("case", `a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`) + get("case"),
		answers: [200, { body: "01234567890123456789" }],
		then: "open",
	},
	"no chunk at all is an empty object": {
		send: chunked("empty", "0\r\n\r\n") + get("empty"),
		answers: [200, { status: 200, body: "", headers: { "Content-Length": "0" } }],
		then: "open",
	},
	"Content-Length: 0 is an empty object": {
		send: put("zero", "Content-Length: 0\r\n") + get("zero"),
		answers: [200, { status: 200, body: "" }],
		then: "open",
	},
	"a PUT that does not say how long it is": {
		send: put("none", ""),
		answers: [{ status: 411, body: /<Code>MissingContentLength<\/Code>/ }],
		then: "open",
	},
	"a body longer than any object may be": {
		send: put("none", "Content-Length: 5368709121\r\n"),
		answers: [{ status: 400, body: /<Code>EntityTooLarge<\/Code>/, headers: { Connection: "close" } }],
	},
});

for (const [name, chunks] of Object.entries({
	"a size that is no number": "g\r\nhello\r\n0\r\n\r\n",
	"no size": "\r\nhello\r\n0\r\n\r\n",
	"a size with a sign": "+5\r\nhello\r\n0\r\n\r\n",
	"a size like C writes it": "0x5\r\nhello\r\n0\r\n\r\n",
	"a blank before the size": " 5\r\nhello\r\n0\r\n\r\n",
	"a size beyond all bounds": "fffffffffffffffff\r\nhello\r\n",
	"a chunk longer than its size": "2\r\nhello\r\n0\r\n\r\n",
	"a chunk shorter than its size": "7\r\nhello\r\n0\r\n\r\n",
	"a bare LF after the size": "5\nhello\r\n0\r\n\r\n",
	"a bare LF after the chunk": "5\r\nhello\n0\r\n\r\n",
	"a bare CR in an extension": "5;a\rb\r\nhello\r\n0\r\n\r\n",
	"a NUL in an extension": "5;a\0b\r\nhello\r\n0\r\n\r\n",
	"a size line without end": `5;${"a".repeat(5000)}`,
	"trailers without end": `0\r\n${"A: b\r\n".repeat(3000)}`,
	"a folded trailer": "0\r\nA: b\r\n c\r\n\r\n",
})) {
	test(`bad chunks are refused, and nothing is stored: ${name}`, async () => {
		await play(store, { send: chunked("bad", chunks) + GET + "\r\n", answers: [400], then: "closed" });
		assert.equal(await getObject(store, "bad", "anyone"), null);
	});
}

test("a small chunked body at every split", async () => {
	const bytes = chunked("split", "5;x=y\r\nhello\r\n7\r\n, world\r\n0\r\nT: v\r\n\r\n");
	const start = bytes.indexOf("\r\n\r\n");
	const connection = await connect(store);
	for (let at = start; at < bytes.length; at++) {
		await connection.send(bytes.slice(0, at));
		await connection.send(bytes.slice(at) + get("split"));
		await expectAnswer(connection, 200);
		await expectAnswer(connection, { status: 200, body: "hello, world" });
	}
	connection.destroy();
});

test("a form, chunked in single bytes", async () => {
	const { type, body } = multipart(signedFieldsV1("bytes.txt"), { content: "in single bytes" });
	const head = `POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
		+ "Transfer-Encoding: chunked\r\n\r\n";
	const chunks = [...body].map(byte => `1\r\n${String.fromCharCode(byte)}\r\n`);
	await play(store, { send: [head, ...chunks, "0\r\n\r\n"], answers: [204], then: "open" });
	assert.equal((await getObject(store, "bytes.txt")).toString(), "in single bytes");
});

test("Expect: 100-continue: the client is told to go on, then gets its answer", async () => {
	for (const [length, body] of [["Content-Length: 5\r\n", "hello"],
		["Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"]]) {
		const connection = await connect(store);
		await connection.send(put("expect", expecting + length));
		await expectAnswer(connection, 100);
		await connection.send(body);
		await expectAnswer(connection, 200);
		await connection.send(get("expect"));
		await expectAnswer(connection, { body: "hello" });
		connection.destroy();
	}
});

test("Expect: 100-continue: a request that is refused gets its error, and no 100", async () => {
	const { type } = multipart({}, null);
	for (const [bytes, status] of [
		[put("expect", expecting + "Content-Length: 5\r\n").replace("anyone", "nosuchbucket"), 404],
		[put("expect", expecting + "Content-Length: 5\r\n").replace("anyone", "uploads"), 403],
		[put("expect", expecting + "Content-Length: 5368709121\r\n"), 400],
		[put("expect", `${expecting}Content-Length: 5\r\nContent-MD5: x\r\n`), 400],
		[put("expect", `${expecting}Content-Length: 5\r\nx-oss-callback: x\r\n`), 400],
		[`POST /nosuchbucket HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n${expecting}`
			+ "Content-Length: 5\r\n\r\n", 404],
		[`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${expecting}`
			+ "Content-Length: 5\r\n\r\n", 400],
	])
		await play(store, { send: bytes, answers: [{ status, headers: { Connection: "close" } }], then: "closed" });
});

test("Expect: 100-continue: not sent when there is nothing to wait for", async () => {
	await play(store, { send: put("e", `${expecting}Content-Length: 5\r\n`) + "hello", answers: [200],
		then: "open" });
	await play(store, { send: put("e", `${expecting}Content-Length: 0\r\n`), answers: [200], then: "open" });
	await play(store, { send: `PUT /anyone/e HTTP/1.0\r\nHost: localhost\r\n${expecting}`
		+ "Content-Length: 5\r\n\r\nhello", answers: [200], then: "closed" });
	await play(store, { send: `${GET}${expecting}\r\n`, answers: [{ body: OPEN.content }], then: "open" });
});

/** Sends without end, as a browser does that does not read before it has written. */
async function sendUntilAnswered(connection, piece, times) {
	for (let i = 0; i < times && connection.unread.length === 0; i++)
		await connection.send(piece);
}

test("an upload that is refused on its way: the error arrives, without a reset", async () => {
	const piece = Buffer.alloc(1 << 20, 7);
	const { type, body } = multipart(signedFieldsV1("early"), { content: "" });
	const start = body.subarray(0, body.lastIndexOf("\r\n--"));
	const form = (bucket, extra) => Buffer.concat([Buffer.from(`POST /${bucket} HTTP/1.1\r\n`
		+ `Host: localhost\r\nContent-Type: ${type}\r\nContent-Length: 90000000\r\n\r\n`), extra]);
	for (const [first, status] of [
		[form("nosuchbucket", Buffer.alloc(0)), 404],
		[form("uploads", Buffer.from(start.toString("latin1").replace(/(Signature"\r\n\r\n)./, "$1!"), "latin1")), 403],
		[form("uploads", Buffer.from(`--${type.split("=")[1]}\r\nA: part without a name\r\n\r\n`)), 400],
		[put("early", "Content-Length: 90000000\r\n").replace("anyone", "uploads"), 403],
	]) {
		const connection = await connect(store);
		await connection.send(first);
		await sendUntilAnswered(connection, piece, 80);
		await expectAnswer(connection, { status, headers: { Connection: "close" } });
		// What is still sent is read and thrown away; then the connection ends in order.
		await connection.send(piece);
		assert.equal((await connection.closed()).length, 0);
		connection.destroy();
	}
	assert.equal(await getObject(store, "early"), null);
});

test("a body that is not wanted is not taken for a request", async () => {
	const connection = await connect(store);
	const inner = `${GET}\r\n`;
	await connection.send("PUT /nosuchbucket/k HTTP/1.1\r\nHost: localhost\r\n"
		+ `Content-Length: ${inner.length}\r\n\r\n${inner.slice(0, 5)}`);
	await expectAnswer(connection, { status: 404, headers: { Connection: "close" } });
	await connection.send(inner.slice(5) + inner);
	assert.equal((await connection.closed()).length, 0);
	await play(store, { send: "PUT /nosuchbucket/k HTTP/1.1\r\nHost: localhost\r\n"
		+ `Content-Length: ${inner.length}\r\n\r\n${inner}`, answers: [404], then: "open" });
});

test("uploads that break off leave nothing, at whatever byte", async () => {
	const file = { content: Buffer.alloc(3_000_000, 1) };
	const { type, body } = multipart(signedFieldsV1("broken/form"), file);
	const heads = [
		[`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
			+ `Content-Length: ${body.length}\r\n\r\n`, body],
		[put("broken/put", `Content-Length: ${file.content.length}\r\n`), file.content],
		[put("broken/small", "Content-Length: 100\r\n"), file.content.subarray(0, 100)],
		[chunked("broken/chunks", ""), Buffer.from("64\r\n" + "x".repeat(100) + "\r\n0\r\n\r\n")],
	];
	for (const [head, bytes] of heads) {
		for (const [share, reset] of [[0, false], [0.001, true], [0.5, false], [0.5, true], [1, false], [1, true]]) {
			const connection = await connect(store);
			await connection.send(head);
			await connection.send(bytes.subarray(0, Math.min(Math.floor(bytes.length * share), bytes.length - 1)));
			connection.destroy({ reset });
		}
	}
	// Whatever came of those happened before this request is answered, or it never will.
	await play(store, { send: put("after", "Content-Length: 1\r\n") + "x", answers: [200] });
	assert.deepEqual((await listObjects(store)).filter(key => key.startsWith("broken/")), []);
	assert.deepEqual((await listObjects(store, "anyone")).filter(key => key.startsWith("broken/")), []);
});

test("large bodies in uneven pieces arrive as they were", async () => {
	const content = Buffer.alloc(5_000_003);
	for (let i = 0, x = 12345; i < content.length; i++) {
		x = (x * 1103515245 + 12345) & 0x7fffffff;
		content[i] = x >> 16;
	}
	const connection = await connect(store);
	await connection.send(put("uneven", "Transfer-Encoding: chunked\r\n"));
	for (let at = 0, size = 1; at < content.length; at += size, size = size * 3 % 200_003 + 1) {
		const piece = content.subarray(at, at + size);
		await connection.send(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece,
			Buffer.from("\r\n")]));
	}
	await connection.send("0\r\n\r\n");
	await expectAnswer(connection, 200);
	connection.destroy();
	assert.ok((await getObject(store, "uneven", "anyone")).equals(content));
});
