// SPDX-License-Identifier: Apache-2.0
// SIGTERM: what runs is finished, nothing new is begun, and the exit status is 0 (stop() sees to
// that in every test).
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { test } from "node:test";
import { connect } from "../lib/http.js";
import { base64Json, getObject, multipart, request, signedFieldsV1 } from "../lib/oss.js";
import { pause, startServer, temporaryFolder } from "../lib/server.js";
import { startSink } from "../lib/sink.js";
import { expectAnswer, GET, putOpenObject } from "../lib/wire.js";

/** Waits until nobody can connect any more. */
async function refusesConnections(url) {
	const deadline = Date.now() + 60_000;
	for (;;) {
		try {
			(await connect(url)).destroy();
		} catch (error) {
			if (error.code === "ECONNREFUSED")
				return;
			// It waited to be accepted when the listener was closed.
			assert.equal(error.code, "ECONNRESET");
		}
		assert.ok(Date.now() < deadline, "the server still takes connections");
		await pause(5);
	}
}

test("an upload that runs is finished; new connections are refused", async t => {
	const data = await temporaryFolder(t);
	const server = await startServer(t, { data });
	const content = Buffer.alloc(3_000_000, "stop ");
	const { type, body } = multipart(signedFieldsV1("stop/form"), { content });
	const connection = await connect(server.store);
	await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
		+ `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
	// What the server has not yet seen when it is told to stop would not be finished.
	await expectAnswer(connection, 100);
	await connection.send(body.subarray(0, 1_500_000));
	const stopped = server.stop();
	await refusesConnections(server.store);
	await connection.send(body.subarray(1_500_000));
	await expectAnswer(connection, { status: 204, headers: { Connection: "close" } });
	assert.equal((await connection.closed()).length, 0);
	await refusesConnections(server.app);
	await stopped;
	const again = await startServer(t, { data });
	assert.ok((await getObject(again.store, "stop/form")).equals(content));
});

test("idle connections are closed at once, busy ones after their answer", async t => {
	const server = await startServer(t);
	await putOpenObject(server.store);
	// So many that each loop has some: when all are closed, each has been told.
	const idle = await Promise.all(Array.from({ length: 16 }, () => connect(server.store)));
	const used = await connect(server.store);
	const busy = await connect(server.store);
	await used.send(`${GET}\r\n`);
	await expectAnswer(used, 200);
	await busy.send(GET);
	// The server has seen that part of a request when it answers what came later.
	await used.send(`${GET}\r\n`);
	await expectAnswer(used, 200);
	const stopped = server.stop();
	for (const each of idle)
		assert.equal((await each.closed()).length, 0);
	assert.equal((await used.closed()).length, 0);
	await busy.send("\r\n");
	await expectAnswer(busy, { status: 200, headers: { Connection: "close" } });
	assert.equal((await busy.closed()).length, 0);
	await stopped;
});

test("a callback that is on its way is waited for", async t => {
	let answer;
	const asked = new Promise(done => {
		answer = done;
	});
	const sink = await startSink(t, (_, response) => answer(response));
	const server = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const callback = base64Json({ callbackUrl: sink.url, callbackBody: "x=${object}" });
	const { type, body } = multipart(signedFieldsV1("stop/callback", { callback }), { content: "x" });
	const connection = await connect(server.store);
	await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
		+ `Content-Length: ${body.length}\r\n\r\n`);
	await connection.send(body);
	const response = await asked;
	const stopped = server.stop();
	await refusesConnections(server.store);
	response.end("{\"waited\":true}");
	// Without Content-Length that would be chunked; Node knows the length of a single write.
	await expectAnswer(connection, { status: 200, body: "{\"waited\":true}" });
	await stopped;
});

test("an upload that runs is called back by our own application server", async t => {
	const server = await startServer(t);
	const grant = await (await fetch(`${server.app}/grant`)).json();
	const { type, body } = multipart({ key: `${grant.dir}k`, ...grant.fields }, { content: "x".repeat(1000) });
	const connection = await connect(server.store);
	await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
		+ `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
	await expectAnswer(connection, 100);
	await connection.send(body.subarray(0, -10));
	const stopped = server.stop();
	await refusesConnections(server.store);
	await connection.send(body.subarray(-10));
	await expectAnswer(connection, { status: 200, body: "{\"Status\":\"OK\"}" });
	await stopped;
});

/** A connection on which this is sent, and of which nothing is ever read. */
async function neverReads(t, url, text) {
	const { hostname, port } = new URL(url);
	const socket = createConnection({ host: hostname, port });
	socket.on("error", () => {});
	socket.pause();
	t.after(() => socket.destroy());
	await new Promise(done => socket.write(text, done));
	return socket;
}

/** One that takes an answer slowly enough to be at it for minutes, and fast enough to be let. */
async function readsSlowly(t, url, text) {
	const socket = await neverReads(t, url, text);
	socket.on("data", () => {
		socket.pause();
		setTimeout(() => socket.resume(), 50);
	});
	socket.resume();
}

/** The same of a body: more of it comes until the connection is cut off. */
async function sendsSlowly(t, url, text) {
	const socket = await neverReads(t, url, text);
	const timer = setInterval(() => socket.write(Buffer.alloc(65_536, "x")), 20);
	t.after(() => clearInterval(timer));
}

test("neither a client that never reads nor one that never ends its request holds the end", async t => {
	const sink = await startSink(t, () => {});
	const server = await startServer(t, { env: { POSTERN_SERVER_STOP_SECONDS: "1", POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const large = Buffer.alloc(64 << 20, "never read ");
	const put = await request(server.store, "PUT", "uploads", "large", { body: large, headers: { "x-oss-object-acl": "public-read" } });
	assert.equal(put.status, 200);
	const get = "GET /uploads/large HTTP/1.1\r\nHost: localhost\r\n\r\n";
	await neverReads(t, server.store, get.repeat(4));
	await readsSlowly(t, server.store, get.repeat(4));
	// A form that goes on and on, one that stops in its file, with a callback that is never answered behind another one.
	const { type, body } = multipart(signedFieldsV1("stop/half"), { content: Buffer.alloc(1_000_000, "x") });
	const head = `POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n`;
	const endless = body.subarray(0, 500_000).toString("latin1");
	await sendsSlowly(t, server.store, head.replace(/Content-Length: \d+/, "Content-Length: 4000000000") + `\r\n${endless}`);
	const half = await connect(server.store);
	await half.send(`${head}Expect: 100-continue\r\n\r\n`);
	await expectAnswer(half, 100);
	await half.send(body.subarray(0, 500_000));
	const callback = base64Json({ callbackUrl: sink.url, callbackBody: "x" });
	const whole = multipart(signedFieldsV1("stop/unanswered", { callback }), { content: "x" });
	const waiting = await connect(server.store);
	await waiting.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${whole.type}\r\n`
		+ `Content-Length: ${whole.body.length}\r\n\r\n`);
	await waiting.send(whole.body);
	for (const url of [server.app, server.store, server.console]) {
		await neverReads(t, url, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf");
		await neverReads(t, url, "GET /");
	}
	while (sink.requests.length === 0)
		await pause(5);
	await server.stop();
	// It was cut off for the stop, and not told that it had stalled.
	assert.equal((await half.closed()).length, 0);
	waiting.destroy();
});

test("a second start finds everything and changes nothing", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data });
	await putOpenObject(first.store);
	assert.match(first.output, /access key id +testaccesskeyid/);
	const key = await fetch(`${first.store}/-/callback_pub_key_v1.pem`).then(got => got.text());
	await first.stop();
	const second = await startServer(t, { data, env: { POSTERN_ACCESS_KEY_ID: "other",
		POSTERN_ACCESS_KEY_SECRET: "another-secret-0123456789" } });
	assert.doesNotMatch(second.output, /access key/);
	assert.equal(await fetch(`${second.store}/-/callback_pub_key_v1.pem`).then(got => got.text()), key);
	assert.equal((await request(second.store, "GET", "uploads", "open.txt")).text, "0123456789");
});
