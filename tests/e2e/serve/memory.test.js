// SPDX-License-Identifier: Apache-2.0
// What clients can make the server hold is bounded in sum ([server] memory): strangers cannot take
// what signed requests need, nobody waits for ever, and what was taken comes back.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { connect } from "../lib/http.js";
import { insist, metric, MIB, startSmall, until } from "../lib/memory.js";
import { multipart, postForm, request, signedFieldsV1 } from "../lib/oss.js";
import { BIN, pause, startServer } from "../lib/server.js";

/** The sanitizers keep memory of their own, and what is freed for a while. */
const measured = !/\/(asan|tsan)\//.test(BIN);

async function resident(server) {
	const status = await readFile(`/proc/${server.pid}/status`, "utf8");
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024;
}

/** Somebody who sends fields, a piece at a time, and begins again when he is thrown out. */
class Stranger {
	sent = 0;
	refused = 0;
	#url;
	#socket;
	#stopped = false;
	#again;

	constructor(store) {
		this.#url = new URL(store);
		this.#open();
	}

	#open() {
		this.sent = 0;
		const socket = connectTcp(Number(this.#url.port), this.#url.hostname);
		this.#socket = socket;
		socket.setNoDelay(true);
		socket.on("error", () => {});
		socket.once("data", text => {
			this.refused++;
			this.answer = text.toString("latin1");
			socket.destroy();
		});
		socket.on("close", () => {
			if (!this.#stopped)
				this.#again = setTimeout(() => this.#open(), 3000);
		});
		socket.write(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${9 * MIB}\r\n`
			+ "Content-Type: multipart/form-data; boundary=b\r\n\r\n");
	}

	/** Fields of 1 MiB each, up to the 8 MiB that a form may have before the file. */
	push(bytes) {
		if (this.#socket.destroyed || this.#socket.connecting || this.#socket.writableLength > 0 || this.sent > 8 * MIB)
			return;
		const begin = this.sent % MIB < bytes
			? `${this.sent ? "\r\n" : ""}--b\r\nContent-Disposition: form-data; name="x${this.sent}"\r\n\r\n`
			: "";
		this.#socket.write(begin + "f".repeat(bytes));
		this.sent += bytes;
	}

	stop() {
		this.#stopped = true;
		clearTimeout(this.#again);
		this.#socket.destroy();
	}
}

test("2,000 strangers with 8 MiB of fields each cost no more than the budget; uploads go on beside them",
	{ timeout: 240_000 }, async t => {
		const server = await startSmall(t, 64);
		const before = await resident(server);
		const strangers = Array.from({ length: 2000 }, () => new Stranger(server.store));
		t.after(async () => strangers.forEach(one => one.stop()));
		let peak = 0;
		let going = true;
		const pushing = (async () => {
			while (going) {
				for (const [i, one] of strangers.entries()) {
					one.push(32 << 10);
					if (i % 200 === 0)
						await new Promise(setImmediate);
				}
				peak = Math.max(peak, await resident(server));
				await pause(200); // slowly
			}
		})();
		await until("strangers are refused", () => strangers.some(one => one.refused));
		const body = randomBytes(100_000);
		for (let i = 0; i < 100; i++) {
			const put = await request(server.store, "PUT", "uploads", `put-${i}`, { body });
			assert.equal(put.status, 200, put.text);
			const form = await postForm(server.store, signedFieldsV1(`form-${i}`),
				{ name: "f", type: "text/plain", content: "content" });
			assert.equal(form.status, 204, form.text);
			const got = await request(server.store, "GET", "uploads", `put-${i}`);
			assert.equal(got.status, 200);
		}
		const large = randomBytes(6 * MIB);
		const put = await request(server.store, "PUT", "uploads", "large", { body: large });
		assert.equal(put.status, 200, put.text);
		assert.equal(put.headers.etag, `"${createHash("md5").update(large).digest("hex").toUpperCase()}"`);
		assert.ok(await metric(server, "memory_strangers_bytes") <= 8 * MIB);
		assert.ok(await metric(server, "memory_refused_total") > 0);
		going = false;
		await pushing;
		const told = strangers.map(one => one.answer).find(text => text);
		assert.match(told, /^HTTP\/1\.1 503 /);
		assert.match(told, /^Retry-After: 1\r$/m);
		assert.match(told, /<Code>ServiceUnavailable<\/Code>/);
		assert.ok(!measured || peak - before < 64 * MIB, `${(peak - before) / MIB} MiB more than before`);
		for (const one of strangers)
			one.stop();
		await until("all is given back", async () => await metric(server, "memory_strangers_bytes") === 0
			&& await metric(server, "memory_signed_bytes") === 0);
		await until("and goes back to the system",
			async () => !measured || await resident(server) - before < 32 * MIB);
	});

test("with 16 MiB for all, whatever has begun comes to its end, and the rest is told to come again",
	{ timeout: 240_000 }, async t => {
		const server = await startSmall(t, 16);
		const bodies = Array.from({ length: 24 }, (_, i) => randomBytes((2 + i % 5) * MIB + i));
		const md5 = body => createHash("md5").update(body).digest("hex").toUpperCase();
		const jobs = [];
		for (const [i, body] of bodies.entries()) {
			jobs.push(insist(() => request(server.store, "PUT", "uploads", `put-${i}`, { body }))
				.then(answer => {
					assert.equal(answer.status, 200, answer.text);
					assert.equal(answer.headers.etag, `"${md5(body)}"`);
				}));
			jobs.push(insist(() => postForm(server.store, signedFieldsV1(`form-${i}`),
				{ name: "f", type: "text/plain", content: body }))
				.then(answer => assert.equal(answer.status, 204, answer.text)));
			jobs.push(insist(() => request(server.store, "GET", "uploads", "", { query: { "max-keys": "1000" } }))
				.then(answer => assert.equal(answer.status, 200, answer.text)));
		}
		await Promise.all(jobs);
		await Promise.all(bodies.map(async (body, i) => {
			const copy = await insist(() => request(server.store, "PUT", "uploads", `copy-${i}`,
				{ headers: { "x-oss-copy-source": `/uploads/put-${i}` } }));
			assert.equal(copy.status, 200, copy.text);
			assert.equal(copy.xml("ETag").replaceAll("&quot;", '"'), `"${md5(body)}"`);
		}));
		await until("all is given back", async () => await metric(server, "memory_signed_bytes") === 0);
	});

test("an upload that pauses holds up nobody, and goes on when it likes", { timeout: 120_000 }, async t => {
	const server = await startSmall(t, 16);
	const piece = randomBytes(MIB);
	const md5 = createHash("md5").update(piece).update(piece).update(piece).digest("hex").toUpperCase();
	// All that can begin have begun, and wait for their clients in the middle.
	const paused = [];
	for (let i = 0; i < 8; i++) {
		const connection = await connect(server.store);
		const { body } = multipart(signedFieldsV1(`paused-${i}`),
			{ name: "f", type: "text/plain", content: Buffer.concat([piece, piece, piece]) }, "b");
		const head = `POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n`
			+ "Content-Type: multipart/form-data; boundary=b\r\n\r\n";
		await connection.send(Buffer.concat([Buffer.from(head), body.subarray(0, MIB * 1.5)]));
		paused.push({ connection, rest: body.subarray(MIB * 1.5) });
	}
	await until("there is no more", async () => await metric(server, "memory_refused_total") > 0);
	const small = await request(server.store, "PUT", "uploads", "small", { body: "small" });
	assert.equal(small.status, 200, small.text);
	let stored = 0;
	for (const { connection, rest } of paused) {
		await connection.send(rest).catch(() => {});
		const answer = await connection.response().catch(() => null);
		assert.ok(answer === null || answer.status === 204 || answer.status === 503);
		stored += answer?.status === 204;
		connection.destroy();
	}
	assert.ok(stored >= 3, `${stored} were taken`);
	const listed = await request(server.store, "GET", "uploads", "", { query: { prefix: "paused-" } });
	assert.equal(listed.text.split(md5).length - 1, stored, "those, and whole");
});

test("[server] memory has a least value, and a default of its own", async t => {
	const server = await startServer(t);
	const limit = await metric(server, "memory_limit_bytes");
	const machine = Number(/^MemTotal:\s+(\d+)/m.exec(await readFile("/proc/meminfo", "utf8"))[1]) * 1024;
	assert.ok(limit >= 16 * MIB && limit <= machine / 4, `${limit} of ${machine}`);
	await assert.rejects(startSmall(t, 8), /memory is at least 16777216 bytes/);
});
