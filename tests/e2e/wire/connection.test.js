// SPDX-License-Identifier: Apache-2.0
// How requests follow each other on a connection: keep-alive, pipelining, HTTP/1.0, HEAD.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { expectAnswer, GET, HEAD, OPEN, play, putOpenObject, wireCases } from "../lib/wire.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	await putOpenObject(store);
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
});
after(all.run);

const range = (first, last) => `${GET}Range: bytes=${first}-${last}\r\n\r\n`;
const put = (key, body) => `PUT /anyone/${key} HTTP/1.1\r\nHost: localhost\r\n`
	+ `Content-Length: ${body.length}\r\n\r\n${body}`;
const get = key => `GET /anyone/${key} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

wireCases(() => store, {
	"a connection stays open": {
		send: `${GET}\r\n`,
		answers: [{
			status: 200, version: "HTTP/1.1", reason: "OK", body: OPEN.content,
			headers: { "Content-Length": "10", "Content-Type": "text/plain", Connection: null,
				Server: "AliyunOSS", Date: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
				"x-oss-request-id": /^[0-9A-F]{24}$/, "Transfer-Encoding": null },
		}],
		then: "open",
	},
	"pipelined requests are answered in order": {
		send: range(0, 1) + range(2, 4) + HEAD + "\r\n" + range(9, 9),
		answers: [{ body: "01" }, { body: "234" },
			{ method: "HEAD", status: 200, headers: { "Content-Length": "10" } }, { body: "9" }],
		then: "open",
	},
	"pipelined: uploads and what depends on them": {
		send: put("p", "first") + get("p") + put("p", "second") + get("p")
			+ "DELETE /anyone/p HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("p"),
		answers: [200, { body: "first" }, 200, { body: "second" }, 204, 404],
		then: "open",
	},
	"pipelined: an error in the middle, with a body that is not wanted": {
		send: get("none") + "PUT /anyone/%zz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
			+ range(0, 0),
		answers: [404, 400, { body: "0" }],
		then: "open",
	},
	"pipelined behind Connection: close: not answered": {
		send: `${GET}Connection: close\r\n\r\n${GET}\r\n`,
		answers: [{ status: 200, headers: { Connection: "close" } }],
		then: "closed",
	},
	"pipelined, cut in the middle of a head": {
		send: [range(0, 0) + GET.slice(0, 20), GET.slice(20), "Range: bytes=1-1\r\n\r\n"],
		answers: [{ body: "0" }, { body: "1" }],
		then: "open",
	},
	"Connection: close among other words": {
		send: `${GET}Connection: x, Close\r\n\r\n`,
		answers: [{ status: 200, headers: { Connection: "close" } }],
		then: "closed",
	},
	"HTTP/1.0 closes": {
		send: "GET /uploads/open.txt HTTP/1.0\r\nHost: localhost\r\n\r\n",
		answers: [{ status: 200, version: "HTTP/1.1", body: OPEN.content,
			headers: { Connection: "close" } }],
		then: "closed",
	},
	"HTTP/1.0 with keep-alive goes on": {
		send: "GET /uploads/open.txt HTTP/1.0\r\nHost: localhost\r\nConnection: Keep-Alive\r\n\r\n",
		answers: [{ status: 200, body: OPEN.content, headers: { Connection: "keep-alive" } }],
		then: "open",
	},
	"HEAD has the headers of GET and no body": {
		send: `${HEAD}\r\n`,
		answers: [{ method: "HEAD", status: 200, headers: { "Content-Length": "10",
			"Content-Type": "text/plain", ETag: /^"[0-9A-F]{32}"$/ } }],
		then: "open",
	},
	"HEAD of what is not there has no body either": {
		send: "HEAD /anyone/none HTTP/1.1\r\nHost: localhost\r\n\r\n",
		answers: [{ method: "HEAD", status: 404, headers: { "x-oss-err": /^[A-Za-z0-9+/]+=*$/ } }],
		then: "open",
	},
	"204 and 304 have no body and no length": {
		send: "DELETE /anyone/none HTTP/1.1\r\nHost: localhost\r\n\r\n"
			+ `${GET}If-None-Match: *\r\n\r\n`,
		answers: [{ status: 204, headers: { "Content-Length": null } },
			{ status: 304, headers: { "Content-Length": null } }],
		then: "open",
	},
	"a GET with a body that nobody wants": {
		send: `${GET}Content-Length: 5\r\n\r\nhello`,
		answers: [{ status: 200, body: OPEN.content }],
		then: "open",
	},
});

test("a request in single bytes, and at every split", async () => {
	const bytes = range(3, 5);
	await play(store, { send: [...bytes], answers: [{ status: 206, body: "345" }], then: "open" });
	const connection = await connect(store);
	for (let at = 1; at < bytes.length; at++) {
		await connection.send(bytes.slice(0, at));
		await connection.send(bytes.slice(at));
		await expectAnswer(connection, { status: 206, body: "345" });
	}
	connection.destroy();
});

test("empty lines before a request, at every split", async () => {
	const bytes = `\r\n\r\n${range(3, 5)}`;
	await play(store, { send: [...bytes], answers: [{ status: 206, body: "345" }], then: "open" });
	const connection = await connect(store);
	for (let at = 1; at < 6; at++) {
		await connection.send(bytes.slice(0, at));
		await connection.send(bytes.slice(at));
		await expectAnswer(connection, { status: 206, body: "345" });
	}
	connection.destroy();
});

test("a hundred requests in one packet", async () => {
	const many = Array.from({ length: 100 }, (_, i) => i % 10);
	await play(store, {
		send: many.map(i => range(i, i)).join(""),
		answers: many.map(i => ({ status: 206, body: String(i) })),
		then: "open",
	});
});

test("a client that closes its side still gets its answer", async () => {
	const connection = await connect(store, { allowHalfOpen: true });
	await connection.send(`${GET}\r\n`);
	connection.end();
	await expectAnswer(connection, { status: 200, body: OPEN.content });
	assert.equal((await connection.closed()).length, 0);
});

test("a client that closes its side in the middle of a body leaves nothing", async () => {
	const connection = await connect(store, { allowHalfOpen: true });
	await connection.send(put("half", "0123456789").slice(0, -4));
	connection.end();
	await connection.closed();
	connection.destroy();
	assert.equal(await getObject(store, "half", "anyone"), null);
});

test("a large object, and clients that leave in the middle of it", async () => {
	const content = Buffer.alloc(9_000_001, "postern ");
	await request(store, "PUT", "anyone", "large", { body: content });
	for (const reset of [false, true]) {
		const connection = await connect(store);
		await connection.send(get("large"));
		await connection.closed().catch(() => {}, connection.destroy({ reset }));
	}
	assert.ok((await getObject(store, "large", "anyone")).equals(content));
});

test("health and metrics are on the console's port, and nowhere else", async () => {
	const at = path => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
	await play(server.console, { send: at("/health") + at("/metrics") + at("/none"),
		answers: [{ status: 200, body: "ok\n" }, { status: 200, body: /^postern_store_objects \d+$/m },
			404] });
	for (const url of [server.app, server.store]) {
		for (const path of ["/health", "/metrics"]) {
			const connection = await connect(url);
			await connection.send(at(path));
			const { status, body } = await connection.response();
			assert.ok(status >= 400, `${path}: ${status} ${body}`);
			connection.destroy();
		}
	}
});

test("request ids are unique, and none follows from others", async () => {
	const ids = [];
	for (let i = 0; i < 40; i++) {
		const answer = await send(`${server.store}/`);
		ids.push(BigInt(`0x${answer.headers["x-oss-request-id"].slice(8)}`));
	}
	const steps = ids.slice(1).map((id, i) => BigInt.asUintN(64, id - ids[i]));
	assert.equal(new Set(ids).size, ids.length);
	assert.equal(new Set(steps).size, steps.length, "no step comes twice");
	// Each of the 64 bits is set about half the time; all alike once in 2^39.
	for (let bit = 0n; bit < 64n; bit++)
		assert.ok(new Set(ids.map(id => id >> bit & 1n)).size === 2, `bit ${bit} is always the same`);
});
