// SPDX-License-Identifier: Apache-2.0
// Many connections that do nothing cost little.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { once } from "node:events";
import { pause, startServer } from "../lib/server.js";
import { GET, play, putOpenObject } from "../lib/wire.js";

const CONNECTIONS = 10_000;
const BOUND_KB = 64 * 1024;
const AT_ONCE = 200;

/** Why it cannot be measured here, or false. */
function obstacle() {
	if (/\/(asan|tsan)\//.test(process.env.POSTERN_BIN ?? ""))
		return "memory under a sanitizer is not what it is without";
	const limits = readFileSync("/proc/self/limits", "latin1");
	const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(limits) ?? [null, "unlimited"];
	// Node and the server raise their soft limits to the hard one by themselves.
	if (hard !== "unlimited" && Number(hard) < CONNECTIONS + 500)
		return `the hard limit of open files is ${hard}`;
	return false;
}

/** Until the server has learned that connections were closed, new ones may be turned away. */
async function answersAgain(url) {
	for (const deadline = Date.now() + 60_000; ; await pause(20)) {
		try {
			return await play(url, { send: `${GET}\r\n`, answers: [200], then: "open" });
		} catch (error) {
			if (Date.now() > deadline || !/ended before|ECONNRESET/.test(error.message))
				throw error;
		}
	}
}

function residentKb(pid) {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1]);
}

/** A connection that has had one answer and now does nothing. */
function openOne(url) {
	const { hostname, port } = new URL(url);
	return new Promise((done, fail) => {
		const socket = connectSocket({ host: hostname, port: Number(port) });
		socket.on("error", fail);
		socket.on("connect", () => socket.write(`${GET}\r\n`));
		socket.on("data", () => done(socket));
	});
}

test("10,000 idle connections cost less than 64 MB", { skip: obstacle() }, async t => {
	const server = await startServer(t);
	await putOpenObject(server.store);
	const sockets = [];
	try {
		for (let i = 0; i < AT_ONCE; i++)
			sockets.push(await openOne(server.store));
		const before = residentKb(server.pid);
		while (sockets.length < CONNECTIONS + AT_ONCE) {
			sockets.push(...await Promise.all(Array.from({ length: AT_ONCE },
				() => openOne(server.store))));
		}
		const cost = residentKb(server.pid) - before;
		t.diagnostic(`${cost} kB, ${(cost * 1024 / CONNECTIONS).toFixed(0)} bytes each`);
		assert.ok(cost < BOUND_KB, `${cost} kB`);
		assert.ok(sockets.every(socket => !socket.destroyed), "all are still open");
		await play(server.store, { send: `${GET}\r\n`, answers: [200], then: "open" });
		const metrics = await fetch(`${server.console}/metrics`).then(got => got.text());
		assert.ok(Number(/^postern_connections (\d+)$/m.exec(metrics)[1]) >= CONNECTIONS);
	} finally {
		for (const socket of sockets)
			socket.destroy();
	}
});

test("connections for which there is no descriptor are turned away, and said once", async t => {
	const server = await startServer(t);
	await putOpenObject(server.store);
	execFileSync("prlimit", ["--pid", String(server.pid), "--nofile=150:150"]);
	const { hostname, port } = new URL(server.store);
	const open = new Set();
	const sockets = await Promise.all(Array.from({ length: 200 }, async () => {
		const socket = connectSocket({ host: hostname, port: Number(port) });
		socket.on("error", () => {});
		socket.on("close", () => open.delete(socket));
		await once(socket, "connect");
		open.add(socket);
		return socket;
	}));
	await server.logged(/no file descriptors/);
	while (open.size >= 150)
		await pause(10);
	await Promise.all(sockets.map(socket => {
		socket.destroy();
		return socket.closed || once(socket, "close");
	}));
	await answersAgain(server.store);
	assert.ok(server.log.match(/no file descriptors/g).length < 20, "not once for each");
});

test("idle connections that are let go of while requests arrive on them do no harm", async t => {
	const server = await startServer(t);
	await putOpenObject(server.store);
	execFileSync("prlimit", ["--pid", String(server.pid), "--nofile=150:150"]);
	const { hostname, port } = new URL(server.store);
	const open = new Set();
	const opened = () => {
		const socket = connectSocket({ host: hostname, port: Number(port) });
		open.add(socket);
		socket.on("error", () => {}).on("close", () => open.delete(socket)).resume();
		return new Promise(done => socket.once("connect", done).once("close", done));
	};
	await Promise.all(Array.from({ length: 120 }, opened));
	for (let round = 0; round < 100; round++) {
		// At one time, so that the server learns of it all at once.
		for (const socket of open)
			socket.write(`${GET}\r\n`);
		await Promise.all(Array.from({ length: 40 }, opened));
	}
	for (const socket of open)
		socket.destroy();
	await answersAgain(server.store);
});
