// SPDX-License-Identifier: Apache-2.0
// Descriptors are shared: strangers who connect and say nothing take neither the files nor the other
// ports, and the longest idle makes room for somebody new.
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { randomBytes } from "node:crypto";
import { request, send } from "../lib/oss.js";
import { startServer } from "../lib/server.js";

const LIMIT = 256;
const STRANGERS = 600;

function idle(url) {
	return new Promise(done => {
		const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
		const one = { closed: false, socket };
		socket.on("error", () => {});
		socket.on("connect", () => done(one));
		socket.on("close", () => {
			one.closed = true;
			done(one);
		});
	});
}

test(`with ${LIMIT} descriptors, ${STRANGERS} idle strangers starve nobody`, async t => {
	const server = await startServer(t, {
		wrapper: ["sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"],
	});
	const strangers = [];
	t.after(async () => strangers.forEach(one => one.socket.destroy()));
	for (let i = 0; i < STRANGERS; i++)
		strangers.push(await idle(i % 3 === 1 ? server.app : server.store));
	const body = randomBytes(3 << 20);
	for (let i = 0; i < 5; i++) {
		const put = await request(server.store, "PUT", "uploads", `large-${i}`, { body });
		assert.equal(put.status, 200, put.text);
		const got = await request(server.store, "GET", "uploads", `large-${i}`);
		assert.equal(got.status, 200);
		assert.equal((await send(`${server.app}/grant`)).status, 200);
		assert.equal((await send(`${server.console}/health`)).status, 200);
	}
	const { text } = await send(`${server.console}/metrics`);
	const open = Number(/^postern_connections (\d+)$/m.exec(text)[1]);
	assert.ok(open < LIMIT * 3 / 4, `${open} connections`);
	assert.ok(!strangers.at(-1).closed, "the last one may stay");
	assert.ok(strangers.filter(one => one.closed).length > STRANGERS / 2, "who waited for longest has gone");
	assert.doesNotMatch(server.log, /no file descriptors/);
});

test("the console's port answers though it is full of idle connections itself", async t => {
	const server = await startServer(t, {
		wrapper: ["sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"],
	});
	const strangers = [];
	t.after(async () => strangers.forEach(one => one.socket.destroy()));
	for (let i = 0; i < 50; i++)
		strangers.push(await idle(server.console));
	assert.equal((await send(`${server.console}/health`)).status, 200);
});
