// SPDX-License-Identifier: Apache-2.0
// Cuts of power. A recording is made of a store under load; a case cuts it at a moment, makes a
// folder as the cut may leave it, starts the store on that, and compares what is there with the
// model.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Disk, filesOf } from "./disk.js";
import { Random } from "./random.js";
import { checkFolder, emptyTrace, goOn, start, World } from "./store.js";
import { Kind, readTrace, siteOf, whereMarksAre } from "./trace.js";

const CLIENTS = 4;

/** A store under load: what it did, and what was asked of it. */
export class Recording {
	/** @param {string} folder for its own use */
	static async make(folder, seed, steps) {
		const random = new Random(seed);
		const data = join(folder, "data");
		const trace = join(folder, "trace");
		mkdirSync(data, { recursive: true, mode: 0o700 });
		const recording = new Recording();
		recording.world = new World(CLIENTS);
		recording.inode = statSync(data).ino;
		const marks = emptyTrace(trace);
		const server = await start(data, { trace });
		try {
			await recording.world.prepare(server.store);
			await recording.world.work(server.store, random, { enough: taken => taken >= steps, mark: () => marks.add() });
		} finally {
			if (random.chance(0.5))
				await server.kill();
			else
				await server.stop();
			marks.close();
		}
		recording.#read(readFileSync(trace));
		recording.#compare(data);
		await rm(folder, { recursive: true });
		return recording;
	}

	/** Keeps it, with the number of a case, in a new folder: `--replay` takes that. */
	save(folder, number) {
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, "trace.gz"), gzipSync(this.bytes, { level: 9 }));
		const clients = this.world.clients.map(cells => cells.map(cell => ({ kind: cell.constructor.name, bucket: cell.bucket,
			key: cell.key, steps: cell.steps })));
		writeFileSync(join(folder, "case.json"), JSON.stringify({ number, inode: this.inode, clients }));
	}

	/** What was kept: {recording, number}. */
	static load(folder) {
		const { number, inode, clients } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
		const recording = new Recording();
		recording.inode = inode;
		recording.world = new World(clients.length);
		recording.world.cells.forEach((cell, i) => {
			const { kind, bucket, key, steps } = clients.flat()[i];
			assert.deepEqual([cell.constructor.name, cell.bucket, cell.key], [kind, bucket, key]);
			cell.steps = steps;
		});
		recording.#read(gunzipSync(readFileSync(join(folder, "trace.gz"))));
		return { recording, number };
	}

	#read(bytes) {
		this.bytes = bytes;
		this.records = readTrace(bytes);
		this.marks = whereMarksAre(this.records);
	}

	/** Nothing has escaped the recorder: what it saw gives the folder, byte for byte. */
	#compare(data) {
		const disk = Disk.empty(this.inode);
		disk.feed(this.records);
		const modelled = disk.files();
		const real = filesOf(data);
		assert.deepEqual([...modelled.keys()].sort(), [...real.keys()].sort(), "the recorder has seen all names");
		for (const [name, bytes] of real)
			assert.ok(bytes === null || bytes.equals(modelled.get(name)), `the recorder has seen all of ${name}`);
	}

	/** A moment to cut at: anywhere, or just before or behind a sync or an answer. */
	moment(random, after) {
		if (after) {
			// Behind one of these syncs, rather near.
			const ends = this.records.flatMap(({ kind }, i) => kind === Kind.SYNC_BEGIN && after.has(siteOf(this.records[i]))
				? [i] : []);
			const from = ends.length ? random.of(ends) : 0;
			return Math.floor(from + (this.records.length - from + 1) ** random.next());
		}
		if (random.chance(0.3))
			return random.below(this.records.length + 1);
		const edges = this.edges ??= this.records.flatMap(({ kind }, i) =>
			[Kind.SYNC_BEGIN, Kind.SYNC_END, Kind.MARK, Kind.RENAME].includes(kind) ? [i, i + 1] : []);
		return random.of(edges);
	}

	/** The folder `path` as the case leaves it, and what may be there. */
	cut(path, random, leftOut) {
		const moment = this.moment(random, leftOut);
		const disk = Disk.empty(this.inode);
		disk.feed(this.records, moment, leftOut);
		disk.leave(path, random);
		return cell => cell.allowedAt(moment, this.marks);
	}
}

/**
 * One case.
 *
 * @param {Set<string>} [leftOut] syncs that are left out
 */
export async function runCase(recording, folder, number, { leftOut, thorough = true } = {}) {
	const random = new Random(number);
	const data = join(folder, "data");
	const allowed = recording.cut(data, random, leftOut);
	if (thorough && random.chance(0.25)) {
		await cutAgain(recording, folder, data, random, allowed, number);
		return;
	}
	await check(recording, data, allowed, { number, random, thorough });
}

async function check(recording, data, allowed, { number, random, thorough }) {
	let server = await start(data);
	try {
		await recording.world.verify(server.store, allowed);
		noErrors(server);
		if (!thorough)
			return;
		await goOn(server.store, number);
		const found = await recording.world.verify(server.store, allowed);
		if (random.chance(0.5)) {
			await server.stop();
			if (random.chance(0.5))
				checkFolder(data);
		} else {
			await server.kill();
		}
		server = await start(data);
		await recording.world.verify(server.store, exactly(found));
	} finally {
		await server.kill();
	}
}

/** The recovery is cut, too. What a client has seen behind it stays. */
async function cutAgain(recording, folder, data, random, allowed, number) {
	const trace = join(folder, "trace");
	const again = join(folder, "again");
	const before = Disk.of(data);
	const marks = emptyTrace(trace);
	const server = await start(data, { trace });
	let found;
	let seen;
	try {
		found = await recording.world.verify(server.store, allowed);
		seen = marks.add();
		await goOn(server.store, number);
	} finally {
		await server.kill();
		marks.close();
	}
	const records = readTrace(readFileSync(trace));
	const moment = random.below(records.length + 1);
	before.feed(records, moment);
	before.leave(again, random);
	const wasSeen = whereMarksAre(records).get(seen) < moment;
	await check(recording, again, wasSeen ? exactly(found) : allowed, { number: number + 1, random, thorough: true });
}

const exactly = found => cell => ({ allowed: [cell.text(found.get(cell))], why: "it was seen so" });

function noErrors(server) {
	assert.deepEqual(server.log.match(/^\S+ error .*$/gm) ?? [], [], "errors in the log");
}
