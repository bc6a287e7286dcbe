// SPDX-License-Identifier: Apache-2.0
// The real server with recorder.so in front of its calls, what is done with it, and what is looked at.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { BIN, pause, Server } from "../../e2e/lib/server.js";
import { request, send } from "../../e2e/lib/oss.js";
import { BucketCell, ObjectCell, Refused, UploadCell, VersionsCell } from "./cells.js";
import { bytesOf, newPiece } from "./content.js";
import { Marks } from "./trace.js";

export const RECORDER = join(dirname(BIN), "tests/torture/recorder.so");
const SMALL = "torture";
const VERSIONED = "torture-versions";

/** Bits of struct control (recorder.h). */
export const Act = { WRITE: 1, SYNC: 2, NAME: 4, SIZE: 8, READ: 16 };
export const Place = { SEGMENTS: 1, LARGE: 2, INDEX: 4, ROOT: 8, DAMAGED: 16 };

/** Which call of a server fails: struct control. */
export class Control {
	constructor(path) {
		this.path = path;
		writeFileSync(path, Buffer.alloc(56));
	}

	/** `failure` is an errno; 0: the process ends in front of the call; -1: behind it. */
	fail({ nth, behind = false, failure, acts, places }) {
		this.#set([0, 0, failure, acts, places, 0, 0]);
		this.#set([nth, behind ? 1 : 0]);
	}

	stop() {
		this.#set([0, 0, 0, 0, 0]);
	}

	/** How many calls have failed, or ended the process, since fail(). */
	get failed() {
		return Number(readFileSync(this.path).readBigInt64LE(48));
	}

	#set(numbers) {
		const file = openSync(this.path, "r+");
		writeSync(file, Buffer.from(new BigInt64Array(numbers.map(BigInt)).buffer), 0, numbers.length * 8, 0);
		closeSync(file);
	}
}

/** Starts a store on a folder; its calls go to `trace`, and fail as `control` says, if these are given. */
export function launch(data, { trace, control, args = [] } = {}) {
	const env = trace || control ? { LD_PRELOAD: RECORDER, TORTURE_ROOT: data } : {};
	if (trace)
		env.TORTURE_TRACE = trace;
	if (control)
		env.TORTURE_CONTROL = control.path;
	return new Server(data, { command: "store", env, args: ["--data", data, "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0", "--store-reserve-bytes", "0", ...args] });
}

/** Starts a store and waits until it answers. */
export async function start(data, options) {
	const server = launch(data, options);
	await server.ready();
	return server;
}

export function emptyTrace(path) {
	writeFileSync(path, "");
	return new Marks(path);
}

/** Everything that is changed, by clients that each have their own cells. */
export class World {
	/** @type {import("./cells.js").Cell[][]} by client */
	clients = [];
	/** Objects that copies are made of. */
	sources = [];

	constructor(clients) {
		for (let i = 0; i < 2; i++)
			this.sources.push({ bucket: SMALL, key: `source-${i}`, pieces: [newPiece(`source-${i}`, i ? 700_000 : 3000)] });
		for (let i = 0; i < clients; i++) {
			this.clients.push([
				new ObjectCell(SMALL, `${i}-a`, this.sources), new ObjectCell(SMALL, `${i}-b`, this.sources),
				new ObjectCell(SMALL, `${i}-append`, this.sources), new VersionsCell(VERSIONED, `${i}-v`),
				new UploadCell(SMALL, `${i}-parts`), new BucketCell(`torture-bucket-${i}`),
			]);
		}
	}

	get cells() {
		return this.clients.flat();
	}

	/** Makes what the cells need. */
	async prepare(url) {
		for (const bucket of [SMALL, VERSIONED])
			await expect(request(url, "PUT", bucket), 200);
		await expect(request(url, "PUT", VERSIONED, "", { query: { versioning: "" },
			body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }), 200);
		for (const { bucket, key, pieces } of this.sources)
			await expect(request(url, "PUT", bucket, key, { body: bytesOf(...pieces) }), 200);
	}

	/**
	 * All clients take steps until `enough()` says so, or something fails; what is not a broken
	 * connection is given to `failed`.
	 */
	async work(url, random, { enough, mark = () => 0, failed = error => { throw error; } }) {
		let taken = 0;
		const work = async (cells, own) => {
			while (!enough(taken)) {
				const cell = own.of(cells);
				try {
					await cell.step(url, own, mark);
				} catch (error) {
					if (error.code !== undefined && typeof error.code === "string" && error.code.startsWith("E") &&
						error.code !== "ERR_ASSERTION")
						return;
					if (!await failed(error, cell))
						return;
				}
				taken++;
			}
		};
		const ended = await Promise.allSettled(this.clients.map(cells => work(cells, random.fork())));
		const broken = ended.find(({ status }) => status === "rejected");
		if (broken)
			throw broken.reason;
		return taken;
	}

	/** The same while the disk fails: what a change without a good answer was made to rests. */
	async workInSpite(url, random, enough) {
		const clients = this.clients;
		this.clients = clients.map(cells => [...cells]);
		try {
			return await this.work(url, random, { enough, failed: (error, cell) => {
				if (!(error instanceof Refused) || error.status < 500)
					throw error;
				const own = this.clients.find(cells => cells.includes(cell));
				own.splice(own.indexOf(cell), 1);
				return own.length > 0;
			} });
		} finally {
			this.clients = clients;
		}
	}

	/** Looks at all cells: the state of each must be one that `allowed(cell)` gives. */
	async verify(url, allowed) {
		const found = new Map();
		await Promise.all(this.clients.map(async cells => {
			for (const cell of cells) {
				const state = await cell.look(url);
				const { allowed: texts, why } = allowed(cell);
				assert.ok(texts.includes(cell.text(state)),
					`${cell.name} is ${cell.text(state)}, not ${texts.join(" or ")}: ${why}`);
				found.set(cell, state);
			}
		}));
		await this.#verifyList(url, found);
		return found;
	}

	/** The list has what was found, and nothing else. */
	async #verifyList(url, found) {
		const got = await request(url, "GET", SMALL, "", { query: { "max-keys": "1000" } });
		if (got.status === 404)
			return;
		assert.equal(got.status, 200, got.text);
		const listed = [...got.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)
			.filter(key => !/^(source-|after-)/.test(key));
		const there = [...found].filter(([cell, state]) => cell.bucket === SMALL && cell.key
			&& (cell instanceof UploadCell ? state.object : state)).map(([cell]) => cell.key);
		assert.deepEqual(listed.sort(), there.sort(), "the list has the objects that are there");
	}
}

async function expect(answer, status) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	return got;
}

/** The store goes on: something is stored, read, deleted. */
export async function goOn(url, number) {
	await expect(request(url, "PUT", SMALL), 200);
	for (const size of [500, 600_000]) {
		const piece = newPiece(`after-${number}-${size}`, size);
		const at = (method, body) => request(url, method, SMALL, piece.from, { body });
		await expect(at("PUT", bytesOf(piece)), 200);
		assert.ok((await expect(at("GET"), 200)).body.equals(bytesOf(piece)));
		await expect(at("DELETE"), 204);
	}
}

/** Whether it takes changes again; that is tried once a second, and may need a restart. */
export async function isReady(server) {
	for (let tries = 0; tries < 40; tries++) {
		const got = await send(`${server.console}/ready`);
		if (got.status === 200)
			return true;
		await pause(100);
	}
	return false;
}

/** `postern fsck` finds nothing wrong in a folder whose store has stopped. */
export function checkFolder(data) {
	try {
		execFileSync(BIN, ["fsck", "--data", data], { stdio: "pipe" });
	} catch (error) {
		throw new Error(`fsck of ${data}: ${error.stdout}${error.stderr}`);
	}
}
