// SPDX-License-Identifier: Apache-2.0
// Request lines and headers: what is refused, and that nothing behind it is taken for a request.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { expectAnswer, GET, play, putOpenObject, wireCases } from "../lib/wire.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	await putOpenObject(store);
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
});
after(all.run);

/** Behind every bad head stands a good request: it must not be answered. */
function refused(cases, status = 400) {
	return Object.fromEntries(Object.entries(cases).map(([name, bytes]) => [`refused: ${name}`, {
		send: `${bytes}${GET}\r\n`,
		answers: [{ status, headers: { Connection: "close", "Content-Type": "application/xml", "x-oss-request-id": /^[0-9A-F]{24}$/ },
			body: /<Code>\w+<.*<Message>The request cannot be read: [^<]+\.<.*<RequestId>[0-9A-F]{24}</ }],
		then: "closed",
	}]));
}

/** Taken either way, it would be a good upload: what is refused is refused for its head. */
const head = lines => `PUT /anyone/k HTTP/1.1\r\nHost: localhost\r\n${lines}`;
const line = text => `${text}\r\nHost: localhost\r\n\r\n`;

wireCases(() => store, {
	...refused({
		"a folded line": head("A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
		"a folded first header": "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
		"a bare LF in the headers": head("A: b\nContent-Length: 5\r\n\r\nhello"),
		"a bare LF after the request line": "GET / HTTP/1.1\nHost: localhost\r\n\r\n",
		"an LF LF end": "GET / HTTP/1.1\r\nHost: localhost\r\n\n",
		"a bare CR": head("A: b\rc\r\nContent-Length: 0\r\n\r\n"),
		"a NUL in a value": head("A: b\0c\r\nContent-Length: 0\r\n\r\n"),
		"a NUL in a name": head("A\0: b\r\nContent-Length: 0\r\n\r\n"),
		"a NUL in the target": line("GET /\0 HTTP/1.1"),
		"a space before the colon": head("Content-Length : 5\r\n\r\nhello"),
		"a space in a name": head("Content Length: 5\r\n\r\nhello"),
		"a line without a colon": head("nonsense\r\nContent-Length: 0\r\n\r\n"),
		"a line without a name": head(": x\r\nContent-Length: 0\r\n\r\n"),
		"no Host": "GET / HTTP/1.1\r\n\r\n",
		"two Hosts": head("Host: localhost\r\nContent-Length: 0\r\n\r\n"),
		"an empty Host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"a list as Host": "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
		"a path in Host": "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n",
		"a port that is none": "GET / HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
		"two spaces after the method": line("GET  / HTTP/1.1"),
		"a space after the version": line("GET / HTTP/1.1 "),
		"a tab instead of a space": line("GET\t/ HTTP/1.1"),
		"no version": line("GET /"),
		"a version in small letters": line("GET / http/1.1"),
		"a version with two digits": line("GET / HTTP/1.10"),
		"a target without a slash": line("GET uploads HTTP/1.1"),
		"a fragment": line("GET /uploads#x HTTP/1.1"),
		"a star, for GET": line("GET * HTTP/1.1"),
		"a method with odd characters": line("G{T / HTTP/1.1"),
		"no method": line(" / HTTP/1.1"),
		"TLS on a plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"an expectation that is unknown": head("Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
	}),
	...refused({
		"both lengths, one of them twice": head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
		"both lengths, one of them wrong": head("Content-Length: 5x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		"both lengths from HTTP/1.0": "PUT /anyone/k HTTP/1.0\r\nHost: localhost\r\nContent-Length: 5\r\n"
			+ "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two different lengths": head("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
		"the same length twice": head("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
		"a list of lengths": head("Content-Length: 5, 5\r\n\r\nhello"),
		"a length with a plus": head("Content-Length: +5\r\n\r\nhello"),
		"a negative length": head("Content-Length: -1\r\n\r\nhello"),
		"a hexadecimal length": head("Content-Length: 0x5\r\n\r\nhello"),
		"an octal length": head("Content-Length: 05\r\n\r\nhello"),
		"an empty length": head("Content-Length:\r\n\r\nhello"),
		"a length beyond all bounds": head("Content-Length: 99999999999999999999\r\n\r\nhello"),
		"an unknown coding": head("Transfer-Encoding: gzip\r\n\r\nhello"),
		"gzip, then chunked": head("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		"chunked twice": head("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
		"chunked in two lines": head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		"chunked, then something": head("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
		"chunked with a vertical tab": head("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
		"chunked from HTTP/1.0": "PUT /anyone/k HTTP/1.0\r\nHost: localhost\r\n"
			+ "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	}),
	...refused({
		"a head that is too long": head(`A: ${"b".repeat(40_000)}\r\n\r\n`),
		"a request line that never ends": `GET /${"a".repeat(40_000)}`,
		"a target that is too long": line(`GET /${"a".repeat(20_000)} HTTP/1.1`),
		"more than 100 headers": head("A: b\r\n".repeat(110) + "\r\n"),
	}, 431),
	...refused({
		"HTTP/2.0": line("GET / HTTP/2.0"),
		"HTTP/1.2": line("GET / HTTP/1.2"),
	}, 505),

	"accepted: the upload that the refused ones are like": {
		send: head("A: b\r\nContent-Length: 5\r\n\r\nhello") + head("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		answers: [200, 200],
		then: "open",
	},
	"accepted: values with blanks around them, names in any case": {
		send: "GET /uploads/open.txt HTTP/1.1\r\nhOsT:\t localhost \t\r\nRANGE:bytes=0-1 \r\n\r\n",
		answers: [{ status: 206, body: "01" }],
		then: "open",
	},
	"accepted: empty lines before a request": {
		send: `\r\n\r\n${GET}\r\n`,
		answers: [{ status: 200, body: "0123456789" }],
		then: "open",
	},
	"accepted: the absolute form": {
		send: "GET http://localhost:9000/uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
		answers: [{ status: 200, body: "0123456789" }],
		then: "open",
	},
	"accepted: 100 headers, and a long one": {
		send: `${GET}${"A: b\r\n".repeat(97)}B: ${"c".repeat(16_000)}\r\n\r\n`,
		answers: [200],
		then: "open",
	},
	"a method that does not exist": {
		send: "BREW /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
		answers: [{ status: 405, body: /<Code>MethodNotAllowed<\/Code>/ }],
		then: "open",
	},
	"a Host that is no domain of the store": {
		send: "GET /uploads/open.txt HTTP/1.1\r\nHost: example.com\r\n\r\n",
		answers: [{ status: 400, body: /<Code>InvalidRequest<\/Code>/ }],
		then: "open",
	},
	"percent signs that are none": {
		send: line("GET /uploads/%zz HTTP/1.1"),
		answers: [{ status: 400 }],
		then: "open",
	},
});

const CHUNKS = "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";

test("Content-Length beside chunks: the chunks count, and no other request is read", async () => {
	for (const length of [0, 3, 6, CHUNKS.length, 100_000]) {
		for (const lines of [`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`,
			`Transfer-Encoding: chunked\r\nContent-Length: ${length}\r\nConnection: keep-alive\r\n`]) {
			const upload = `${head(lines)}\r\n${CHUNKS}`;
			for (const send of [`${upload}${GET}\r\n`, [upload, `${GET}\r\n`], [head(lines), "\r\n", ...CHUNKS, `${GET}\r\n`]])
				await play(store, { send, answers: [{ status: 200, headers: { Connection: "close" } }], then: "closed" });
			assert.equal((await getObject(store, "k", "anyone")).toString(), "hello!");
		}
	}
	// Refused on its way, it is the last as well.
	await play(store, { send: `${head("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n").replace("anyone", "uploads")}\r\n${CHUNKS}${GET}\r\n`,
		answers: [{ status: 403, headers: { Connection: "close" } }], then: "closed" });
	await play(store, { send: `${GET}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}${GET}\r\n`,
		answers: [{ status: 200, headers: { Connection: "close" } }], then: "closed" });
	await play(store, { send: `${head("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n")}\r\nnonsense\r\n${GET}\r\n`,
		answers: [{ status: 400, headers: { Connection: "close" } }], then: "closed" });
});

test("on the other ports it is refused, and the log says what was", async () => {
	for (const url of [server.app, server.console]) {
		const connection = await connect(url);
		await connection.send(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
		const answer = await expectAnswer(connection, { status: 400, body: /both Content-Length and Transfer-Encoding/ });
		assert.equal((await connection.closed()).length, 0);
		const id = /request ([0-9A-F]{24})/.exec(answer.body.toString())[1];
		await server.logged(new RegExp(`id=${id} .*status=400 .*both Content-Length and Transfer-Encoding`));
	}
	const bad = await connect(store);
	await bad.send("GET / HTTP/1.1\r\n\r\n");
	const answer = await expectAnswer(bad, { status: 400 });
	bad.destroy();
	await server.logged(new RegExp(`id=${answer.headers.get("x-oss-request-id")} service=store .*there is no Host header`));
});

test("what is no object's own is no page of the store's origin", async () => {
	const sandboxed = { "x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox" };
	const check = answer => assert.deepEqual(Object.fromEntries(Object.keys(sandboxed).map(name => [name, answer.headers[name]])), sandboxed);
	for (const [method, path] of [["GET", "/"], ["GET", "/anyone"], ["GET", "/anyone?acl"], ["GET", "/none"], ["GET", "/anyone/none"],
		["PUT", "/anyone/put"], ["DELETE", "/anyone/put"], ["POST", "/anyone"], ["BREW", "/anyone"]])
		check(await send(store + path, method));
	const own = await send(`${store}/uploads/open.txt`);
	assert.equal(own.headers["content-security-policy"], undefined);
	assert.equal(own.headers["x-content-type-options"], "nosniff");
	const known = await send(`${store}/uploads/open.txt`, "GET", { "If-None-Match": own.headers.etag });
	assert.deepEqual([known.status, known.headers["content-security-policy"]], [304, undefined]);
});
