// SPDX-License-Identifier: Apache-2.0
// Forms that have to make room for others, with another request behind them on their connection, which needs memory
// as well: nothing that has gone is used again (under ASan).
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../lib/http.js";
import { metric, MIB, startSmall, until } from "../lib/memory.js";
import { send } from "../lib/oss.js";

const CHUNKS = 8500; // more than are read in one turn
const begin = 'Content-Disposition: form-data; name="x"\r\n\r\n';
const form = (header, rest) => "POST /uploads HTTP/1.1\r\nHost: localhost\r\n"
	+ `Content-Type: multipart/form-data; boundary=b\r\n${header}\r\n\r\n${rest}`;
const chunk = text => `${text.length.toString(16)}\r\n${text}\r\n`;

test("a form that makes room has another one behind it", { timeout: 120_000 }, async t => {
	const server = await startSmall(t, 64, "--server-loops", "1");
	const strangers = () => metric(server, "memory_strangers_bytes");
	const open = [];
	const connections = async count => {
		const all = [];
		for (let i = 0; i < count; i++)
			all.push(await connect(server.store));
		open.push(...all);
		return all;
	};
	// Their requests end together, so that those that end afterwards are not kept for reuse.
	const ending = [];
	for (let i = 0; i < 320; i++) {
		const one = await connect(server.app);
		one.send("POST /grants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
			+ "Content-Length: 1000\r\n\r\n{");
		ending.push(one);
	}
	// Heads that do not end hold memory, and are not dropped for it.
	const head = `GET /x HTTP/1.1\r\nHost: localhost\r\n${`X: ${"v".repeat(900)}\r\n`.repeat(20)}`;
	while (await strangers() < 6 * MIB)
		for (const one of await connections(10))
			await one.send(head);
	const [first] = await connections(1);
	const others = await connections(12);
	const more = await connections(60);
	const [last] = await connections(1);
	await until("all are accepted", async () => await metric(server, "connections") >= open.length + ending.length);
	// All of this is there when the server looks again.
	process.kill(server.pid, "SIGSTOP");
	try {
		await first.send(form("Transfer-Encoding: chunked", chunk(`--b\r\n${begin}`) + chunk("v").repeat(CHUNKS)
			+ "0\r\n\r\n") + form("Content-Length: 5000", `--b\r\n${begin}${"v".repeat(10)}`));
		for (const one of others)
			await one.send(form("Content-Length: 500000", `--b\r\n${begin}${"v".repeat(100)}`));
		for (const one of ending)
			one.destroy();
		for (const one of more)
			await one.send(head);
		await last.send(form("Content-Length: 500000", `--b\r\n${begin}${"v".repeat(100)}`));
	} finally {
		process.kill(server.pid, "SIGCONT");
	}
	await until("some have made room", async () => await metric(server, "memory_made_room_total") > 0);
	for (const one of open)
		one.destroy();
	await until("all is given back", async () => await strangers() === 0);
	assert.equal((await send(`${server.app}/grant`)).status, 200);
});
