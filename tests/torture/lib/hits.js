// SPDX-License-Identifier: Apache-2.0
// What a disk and a machine do to a store that runs: the process ends in front of a call or behind
// it, calls fail, bits flip.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { flipBit } from "../../e2e/lib/disk.js";
import { BIN } from "../../e2e/lib/server.js";
import { Refused } from "./cells.js";
import { Act, checkFolder, Control, goOn, isReady, launch, Place, start, World } from "./store.js";

const CLIENTS = 4;
const STEPS = 60;
const COLLECTED_READS = 3;
/** So much more than is free that it stays more, while others use the disk. */
const RESERVE_SPARE = 2 ** 31;
const { EIO, ENOSPC } = constants.errno;
const CHANGES = Act.WRITE | Act.SYNC | Act.NAME | Act.SIZE;
const EVERYWHERE = Place.SEGMENTS | Place.LARGE | Place.INDEX | Place.ROOT | Place.DAMAGED;

/** What fails: mostly one kind of call on one part of the folder. */
function somewhere(random, all) {
	const acts = Object.values(Act).filter(act => act & all);
	const calm = random.chance(0.6);
	return calm ? { acts: random.of(acts), places: random.of([Place.SEGMENTS, Place.LARGE, Place.INDEX]),
		nth: 1 + random.below(40) } : { acts: all, places: EVERYWHERE, nth: 1 + random.below(300) };
}

const now = cell => ({ allowed: cell.allowedNow(), why: cell.steps.at(-1)?.what });

/** A folder that one round after the other goes on with, as long as nothing was found. */
export class Hits {
	/** @param {string} folder for its own use */
	constructor(folder) {
		this.folder = folder;
		this.data = join(folder, "data");
		mkdirSync(this.data, { mode: 0o700 });
		this.control = new Control(join(folder, "control"));
		this.world = new World(CLIENTS);
		this.ready = false;
	}

	async #prepare(server) {
		if (!this.ready)
			await this.world.prepare(server.store);
		this.ready = true;
	}

	#settle(found) {
		for (const [cell, state] of found)
			cell.settle(state);
	}

	/** Killed at a call, or when some steps were taken. */
	async kill(random) {
		const failure = random.of([0, -1]);
		await this.#killedAt(random, { ...somewhere(random, CHANGES), failure });
		await this.#look(random);
	}

	/** Killed at a crash point that has a name, where it comes to such calls. Whether it came there. */
	async point(random, { acts, places, failure }) {
		const how = { acts, places, failure, nth: 1 + random.below(3) };
		if (places === Place.ROOT)
			return this.#killedInFirstStart(how);
		if (this.ready && places === Place.INDEX)
			await this.#killedInStart(how);
		else if (this.ready && places === Place.SEGMENTS && acts & (Act.NAME | Act.SIZE))
			await this.#killedInStart(how, ["--store-reserve-bytes", reserveOf(this.folder)]);
		else
			await this.#killedAt(random, how);
		const reached = this.control.failed > 0;
		await this.#look(random);
		return reached;
	}

	/** A start goes on behind its first answer: what was replayed is flushed then, and the collector begins. */
	async #killedInStart(how, args = []) {
		this.control.fail(how);
		const server = launch(this.data, { control: this.control, args });
		try {
			await server.ready();
			await this.#readAll(server, COLLECTED_READS);
		} catch (error) {
			if (!isGone(error) && !/SIGKILL/.test(error.message))
				throw error;
		} finally {
			await server.kill();
			this.control.stop();
		}
	}

	/** The first start makes the folder; another goes on with what is there of it. */
	async #killedInFirstStart(how) {
		const data = join(this.folder, "first");
		mkdirSync(data, { mode: 0o700 });
		this.control.fail({ ...how, nth: 1 });
		const server = launch(data, { control: this.control });
		await server.ready().catch(error => assert.match(error.message, /SIGKILL/));
		await server.kill();
		this.control.stop();
		const reached = this.control.failed > 0;
		const again = await start(data);
		try {
			await goOn(again.store, 0);
			await again.stop();
		} finally {
			await again.kill();
		}
		await rm(data, { recursive: true });
		return reached;
	}

	async #killedAt(random, how, args = []) {
		const server = await start(this.data, { control: this.control, args });
		try {
			await this.#prepare(server);
			this.control.fail(how);
			await this.world.work(server.store, random, { enough: taken => taken >= STEPS });
		} finally {
			await server.kill();
			this.control.stop();
		}
	}

	/** The collector takes all that it can, for nothing may be stored; killed meanwhile, at a call or when it is done. */
	async collect(random) {
		await this.#killedAt(random, { acts: CHANGES, places: EVERYWHERE, failure: -1, nth: 1e9 });
		const server = launch(this.data, { control: this.control, args: ["--store-reserve-bytes", reserveOf(this.folder)] });
		try {
			await server.ready();
			this.control.fail({ acts: CHANGES, places: EVERYWHERE, failure: random.of([0, -1]), nth: 1 + random.below(200) });
			// Reading goes on, and what is read is right.
			await Promise.race([server.gone, this.#readAll(server, COLLECTED_READS)]);
		} finally {
			await server.kill();
			this.control.stop();
		}
		await this.#look(random);
	}

	async #readAll(server, times) {
		for (let i = 0; i < times; i++) {
			for (const cell of this.world.cells) {
				const text = await cell.look(server.store).then(state => cell.text(state), error => {
					if (!isGone(error))
						throw error;
				});
				if (text === undefined)
					return;
				const allowed = cell.allowedNow();
				assert.ok(allowed.includes(text), `${cell.name} is ${text}, not ${allowed.join(" or ")}`);
			}
		}
	}

	/**
	 * A backup while the store works; the store is killed at a call, or the backup is. Then one of the folder
	 * as it is now: it is whole, and what it restores is the same.
	 */
	async backup(random) {
		const copy = join(this.folder, "backup");
		const server = await start(this.data, { control: this.control });
		try {
			await this.#prepare(server);
			const running = spawn(BIN, ["backup", "--data", this.data, copy], { stdio: "ignore" });
			const ended = new Promise(done => running.once("exit", done));
			const way = random.next();
			if (way < 0.4)
				this.control.fail({ ...somewhere(random, CHANGES), failure: random.of([0, -1]) });
			const end = random.below(STEPS);
			await this.world.work(server.store, random, { enough: taken => {
				if (way > 0.6 && taken >= end)
					running.kill("SIGKILL");
				return taken >= STEPS;
			} });
			await server.kill();
			await ended;
		} finally {
			await server.kill();
			this.control.stop();
		}
		await this.#look(random);
		execFileSync(BIN, ["backup", "--data", this.data, copy], { stdio: "pipe" });
		execFileSync(BIN, ["restore", "--check", copy], { stdio: "pipe" });
		const restored = join(this.folder, "restored");
		execFileSync(BIN, ["restore", copy, "--data", restored], { stdio: "pipe" });
		checkFolder(restored);
		const again = await start(restored);
		try {
			await this.world.verify(again.store, now);
		} finally {
			await again.kill();
		}
		await rm(restored, { recursive: true });
	}

	/** Calls fail: once, or until the round ends; perhaps already while it starts. */
	async fail(random) {
		const early = this.ready && random.chance(0.2);
		const how = { ...somewhere(random, CHANGES | Act.READ), behind: random.chance(0.4), failure: random.of([EIO, ENOSPC]) };
		if (how.failure === ENOSPC)
			how.acts &= ~Act.READ;
		how.acts ||= Act.WRITE;
		if (early)
			this.control.fail(how);
		const server = launch(this.data, { control: this.control });
		const seen = new Map();
		try {
			if (!await this.#started(server, early))
				return;
			await this.#prepare(server);
			if (!early)
				this.control.fail(how);
			await this.world.workInSpite(server.store, random, taken => taken >= STEPS);
			this.control.stop();
			const settled = await isReady(server);
			await this.#lookInSpite(server, seen);
			await this.#alive(server);
			// As long as the store could not go on, what became of a change without an answer is open.
			for (const cell of settled ? [] : [...seen.keys()].filter(cell => cell.allowedNow().length > 1))
				seen.delete(cell);
		} catch (error) {
			error.message = `${JSON.stringify(how)}${early ? " from the start" : ""}: ${error.message}`;
			throw error;
		} finally {
			this.control.stop();
			await server.kill();
		}
		await this.#look(random, seen);
	}

	/** A start may be refused, in good order. */
	async #started(server, early) {
		try {
			await server.ready();
			return true;
		} catch (error) {
			if (!early || !/exit status 1/.test(error.message))
				throw error;
			this.control.stop();
			await this.#look(null);
			return false;
		}
	}

	async #alive(server) {
		const gone = await Promise.race([server.gone.then(() => true), new Promise(done => setImmediate(done, false))]);
		assert.ok(!gone, `the server died:\n${server.log.slice(-3000)}`);
	}

	/** Each answer is right, or an error. */
	async #lookInSpite(server, seen) {
		for (const cell of this.world.cells) {
			try {
				const state = await cell.look(server.store);
				const allowed = cell.allowedNow();
				assert.ok(allowed.includes(cell.text(state)), `${cell.name} is ${cell.text(state)}, not ${allowed.join(" or ")}`);
				seen.set(cell, state);
			} catch (error) {
				if (!isError(error))
					throw error;
			}
		}
	}

	/** After a restart everything is as it was answered, and as it was seen. */
	async #look(random, seen = new Map()) {
		const server = await start(this.data);
		try {
			this.#settle(await this.world.verify(server.store, cell => seen.has(cell)
				? { allowed: [cell.text(seen.get(cell))], why: "it was seen so before the restart" } : now(cell)));
			if (random?.chance(0.3))
				await goOn(server.store, random.below(1e9));
			if (random?.chance(0.3))
				await server.stop();
		} catch (error) {
			error.message += `\n${server.log.slice(-3000)}`;
			throw error;
		} finally {
			await server.kill();
		}
	}

	/** For flips: something to damage, with all of it in the index. */
	async fill(random) {
		const server = await start(this.data, { control: this.control });
		await this.#prepare(server);
		await this.world.work(server.store, random, { enough: taken => taken >= 2 * STEPS });
		await server.stop();
	}

	/** One bit of one file is another: of the answers each is right, or an error. */
	async flip(random) {
		const copy = join(this.folder, "flipped");
		execFileSync("cp", ["-r", "--sparse=always", this.data, copy]);
		const { path, at } = someByte(copy, random);
		await flipBit(path, at);
		const server = launch(copy);
		let refused = false;
		try {
			await server.ready().catch(error => {
				if (!/exit status 1/.test(error.message))
					throw error;
				refused = true;
			});
			for (const cell of refused ? [] : this.world.cells)
				await this.#lookAtDamaged(server, cell);
			if (!refused)
				await this.#alive(server);
		} catch (error) {
			error.message = `${path.slice(copy.length + 1)} at ${at}: ${error.message}`;
			throw error;
		} finally {
			await server.kill();
		}
		if (/^index/.test(path.slice(copy.length + 1)))
			await this.#rebuild(copy);
		await rm(copy, { recursive: true });
	}

	async #lookAtDamaged(server, cell) {
		try {
			const text = cell.text(await cell.look(server.store));
			assert.equal(text, cell.text(cell.state), cell.name);
		} catch (error) {
			if (!isError(error))
				throw error;
		}
	}

	/** The log is enough. */
	async #rebuild(data) {
		execFileSync(BIN, ["rebuild", "--data", data], { stdio: "pipe" });
		const server = await start(data);
		try {
			await this.world.verify(server.store, now);
		} finally {
			await server.kill();
		}
	}
}

/** A little more than is free: everything is refused, and the collector takes what it can. */
function reserveOf(folder) {
	const { bavail, bsize } = statfsSync(folder);
	return String(bavail * bsize + RESERVE_SPARE);
}

/** The process has gone. */
function isGone(error) {
	return /^E(CONN|PIPE)/.test(error.code ?? "") || error.message === "aborted" || error.message === "socket hang up";
}

/** An answer that is an error, or a connection that was broken off. */
function isError(error) {
	return (error instanceof Refused && error.status >= 500) || error.code === "ECONNRESET" || error.message === "aborted";
}

/** A byte that is not zero, of any file, or of any of the larger ones. */
function someByte(folder, random) {
	const files = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter(entry => entry.isFile() && !/^(LOG|.*\.db.*|lock|access_keys.json|.*key.*)$/.test(entry.name))
		.map(entry => join(entry.path, entry.name));
	for (;;) {
		const path = random.of(files);
		const bytes = readFileSync(path);
		if (bytes.length === 0)
			continue;
		for (let tries = 0; tries < 100; tries++) {
			const at = random.below(bytes.length);
			if (bytes[at] !== 0)
				return { path, at };
		}
	}
}
