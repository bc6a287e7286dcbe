// SPDX-License-Identifier: Apache-2.0
// The server whose allocations fail when a test says so (tests/failing/allocations.c).
import assert from "node:assert/strict";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { send } from "./oss.js";
import { BIN, pause, startServer, temporaryFolder } from "./server.js";

/** What says that there was no memory: of the store, of the application server, of their callbacks. */
const WITHOUT = new Set([500, 503, 203, 502]);
/** ASan is there to see what leaks, which one allocation after another shows. */
const ROUNDS = /\/asan\//.test(BIN) ? [false] : [false, true];

class Allocations {
	#fd;
	/** How startServer() starts it. */
	how;

	/** `folder` is for the file that both sides know. */
	static async make(folder) {
		const file = join(folder, "allocations");
		await writeFile(file, Buffer.alloc(24));
		return new Allocations(file);
	}

	constructor(file) {
		this.#fd = openSync(file, "r+");
		this.how = { bin: join(dirname(BIN), "tests/failing/postern"), env: { FAIL_ALLOCATIONS: file } };
	}

	#write(at, value) {
		const bytes = Buffer.alloc(8);
		bytes.writeBigInt64LE(BigInt(value));
		writeSync(this.#fd, bytes, 0, 8, at);
	}

	/** The `nth` from now fails; with `behind`, all that follow too. */
	fail(nth, behind) {
		this.#write(8, behind ? 1 : 0);
		this.#write(0, nth);
	}

	/** There is memory again. False if none had failed yet. */
	end() {
		const left = this.#read(0);
		this.#write(0, 0);
		this.#write(8, 0);
		return left <= 0;
	}

	#read(at) {
		const bytes = Buffer.alloc(8);
		readSync(this.#fd, bytes, 0, 8, at);
		return Number(bytes.readBigInt64LE());
	}

	/** How many were asked for since the start. */
	get seen() {
		return this.#read(16);
	}

	close() {
		closeSync(this.#fd);
	}
}

/** null if the connection ended. */
const attempt = async run => run().catch(() => null);

/** What is wrong with an answer, if anything. */
async function wrong(server, { answer, check }, right, what, got) {
	if (!got || WITHOUT.has(got.status))
		return null;
	try {
		assert.deepEqual(answer(got), right);
		await check(what);
		return null;
	} catch (error) {
		await pause(50); // for the log
		return `${got.status} ${got.text.slice(0, 200)}\n${error.message}\n`
			+ server.log.split("\n").filter(line => /^\S+\(.*\[0x/.test(line)).slice(-9).join("\n");
	}
}

/**
 * A test for each of `operations`, with a server of its own, so that one that dies is known by its
 * name; `fill` is given it first.
 *
 * `prepare` is done with memory, `run` is what fails, `answer` is what else of its answer must be
 * the same, and `check` says with memory whether what `run` was answered with success is so.
 *
 * @param {Record<string, {run: (what?: any) => Promise<any>, prepare?: () => any,
 *   answer?: (got: any) => unknown, check?: (what: any) => Promise<void>}>} operations
 * @param {(server: import("./server.js").Server) => Promise<void>} fill
 */
export function everyAllocationFails(operations, fill) {
	for (const [name, operation] of Object.entries(operations))
		test(name, { timeout: 300_000 }, t => fails(t, operation, fill));
}

async function fails(t, given, fill) {
	const allocations = await Allocations.make(await temporaryFolder(t));
	t.after(async () => allocations.close());
	const server = await startServer(t, allocations.how);
	await fill(server);
	const { run, prepare = () => {}, check = () => {} } = given;
	const answer = got => [got.status, Object.keys(got.headers).sort().join(" "), given.answer?.(got)];
	await run(await prepare()); // what is made once is there
	const right = answer(await run(await prepare()));
	const count = async () => {
		const what = await prepare();
		const before = allocations.seen;
		assert.deepEqual(answer(await run(what)), right);
		return allocations.seen - before;
	};
	const most = Math.max(await count(), await count());
	const bad = [];
	let failed = 0;
	for (const behind of ROUNDS)
		for (let nth = 1; nth <= most + 1; nth++) {
			const what = await prepare();
			allocations.fail(nth, behind);
			const got = await attempt(() => run(what));
			failed += allocations.end();
			const found = await wrong(server, { answer, check }, right, what, got);
			if (found)
				bad.push(`allocation ${nth} of ${most}${behind ? " and all behind it" : ""}: ${found}`);
		}
	assert.deepEqual(answer(await run(await prepare())), right);
	assert.ok(failed > 0, "something failed");
	assert.equal(bad.join("\n"), "");
	await released(server);
	t.diagnostic(`${most} allocations`);
}

/** Nothing is held afterwards. */
async function released(server) {
	const deadline = Date.now() + 60_000;
	let held;
	do {
		const { text } = await send(`${server.console}/metrics`);
		held = text.match(/^postern_memory_(signed|strangers|app)_bytes [1-9].*$/gm);
		await pause(10);
	} while (held && Date.now() < deadline);
	assert.equal(held, null);
}
