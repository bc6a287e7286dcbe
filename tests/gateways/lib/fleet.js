// SPDX-License-Identifier: Apache-2.0
// A Ceph cluster of several OSDs and several gateways on it, and what happens to them.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { send } from "../../e2e/lib/oss.js";
import { BIN, pause, Server } from "../../e2e/lib/server.js";
import { Control, isCheap, POINTS } from "./points.js";

const CLUSTER = fileURLToPath(new URL("../../ceph/cluster", import.meta.url));
/** It stands in front of librados. */
const LIBRARY = join(dirname(BIN), "tests/gateways/librados.so.2");
const NO_PACKAGES = 77;
const run = promisify(execFile);

/** Times as they are by default, and a tenth of them. `lease` is for whoever splits, merges or deletes. */
export const SLOW = { beat: 2000, epoch: 30_000, collect: 30_000, lease: 5000, operation: 30, grace: 20 };
export const QUICK = { beat: 200, epoch: 3000, collect: 1000, lease: 500, operation: 3, grace: 2 };
const DEAD_BEATS = 45;

export class Fleet {
	/** @type {Server[]} by number; those that are started again take the place of those that ended */
	gateways = [];
	/** Of gateways that stand still, by number. */
	stopped = new Set();
	counts = { "ended as they were taken for dead": 0 };

	constructor(folder, { times, osds, gateways, splitAt }) {
		this.folder = folder;
		this.times = times;
		this.osds = osds;
		this.count = gateways;
		this.splitAt = splitAt;
	}

	/** For so long a gateway has to stand still until the others take it for dead. */
	get deadMs() {
		return this.times.beat * DEAD_BEATS;
	}

	/** One of these comes in that time, usually, if load and deaths lead there. */
	longMs(faults) {
		const deaths = faults.every(({ name }) => isCheap(name)) ? 0 : this.deadMs * 1.5;
		return deaths + 2 * this.times.collect + 3 * this.times.epoch;
	}

	/** What load alone leads to. */
	get shortMs() {
		return this.times.collect + this.times.epoch;
	}

	/** False if Ceph's packages are missing. */
	async start() {
		const env = { ...process.env, CEPH_OSDS: String(this.osds), CEPH_OBJECTSTORE: this.osds > 1 ? "bluestore" : "memstore",
			CEPH_GRACE: String(this.times.grace) };
		try {
			const { stdout } = await run(CLUSTER, ["start", this.ceph, String(process.pid)], { env });
			this.config = stdout.trim();
		} catch (error) {
			if (error.code === NO_PACKAGES)
				return false;
			throw error;
		}
		await this.#standInFront();
		for (let number = 0; number < this.count; number++) {
			mkdirSync(join(this.folder, `gateway-${number}`), { mode: 0o700 });
			this.gateways[number] = await this.#launch(number);
		}
		return true;
	}

	/**
	 * Our library has the name of librados, and finds the real one by another. It is there before the sandbox is, in
	 * which nothing of the test could be opened.
	 */
	async #standInFront() {
		const { stdout } = await run("/sbin/ldconfig", ["-p"]);
		const found = /^\tlibrados\.so\.2 .*=> (.*)$/m.exec(stdout);
		if (!found)
			throw new Error("the system has no librados.so.2");
		mkdirSync(this.libraries);
		symlinkSync(found[1], join(this.libraries, "librados.real.so"));
		symlinkSync(LIBRARY, join(this.libraries, "librados.so.2"));
		this.control = new Control(join(this.folder, "points"));
	}

	get ceph() {
		return join(this.folder, "ceph");
	}

	get libraries() {
		return join(this.folder, "libraries");
	}

	/** The environment of a process that uses the cluster as gateways do. */
	get env() {
		const { beat, epoch, collect, lease, operation } = this.times;
		return {
			POSTERN_STORE_BACKEND: "rados",
			POSTERN_RADOS_CONFIG: this.config,
			POSTERN_RADOS_ID: "admin",
			POSTERN_RADOS_BEAT_MS: String(beat),
			POSTERN_RADOS_DEAD_BEATS: String(DEAD_BEATS),
			POSTERN_RADOS_EPOCH_MS: String(epoch),
			POSTERN_RADOS_COLLECT_MS: String(collect),
			POSTERN_RADOS_LEASE_MS: String(lease),
			POSTERN_RADOS_OPERATION_SECONDS: String(operation),
			POSTERN_RADOS_SPLIT_OBJECTS: String(this.splitAt),
			LD_LIBRARY_PATH: this.libraries,
			LD_PRELOAD: "librados.so.2",
			GATEWAYS_POINTS: this.control.path,
		};
	}

	#begin(number) {
		const server = new Server(join(this.folder, `gateway-${number}`), { command: "store", env: this.env });
		server.ended = false;
		void server.gone.then(() => { server.ended = true; });
		return server;
	}

	async #launch(number) {
		const server = this.#begin(number);
		await server.ready();
		return server;
	}

	/** The URL of some gateway. */
	url(random) {
		return random.of(this.gateways).store;
	}

	/** Ends a gateway as a power cut would, and starts another one in its place. */
	async killGateway(number) {
		await this.gateways[number].kill();
		this.gateways[number] = await this.#launch(number);
	}

	/** One that has ended because the others took it for dead is started again. */
	async #revive(number) {
		const gateway = this.gateways[number];
		if (!/have taken this gateway for dead/.test(gateway.log))
			throw new Error(`a gateway has ended:\n${gateway.log.slice(-2000)}`);
		this.counts["ended as they were taken for dead"]++;
		await gateway.kill();
		this.gateways[number] = await this.#launch(number);
	}

	/** It stands still for so long. */
	async holdGateway(number, ms) {
		const gateway = this.gateways[number];
		this.stopped.add(number);
		gateway.signal("SIGSTOP");
		await pause(ms);
		gateway.signal("SIGCONT");
		this.stopped.delete(number);
	}

	/** It stands still until the others take it for dead; then it wakes, ends, and is started again. */
	async holdUntilDead(number) {
		// Others count their own beats, which take longer on a slow machine.
		for (let ms = this.deadMs * 1.3; !this.gateways[number].ended; ms *= 2) {
			if (ms > this.deadMs * 50)
				throw new Error(`a gateway that stands still is not taken for dead:\n${this.gateways[number].log.slice(-2000)}`);
			await this.holdGateway(number, ms);
			await Promise.race([this.gateways[number].gone, pause(10 * this.times.beat + 1000)]);
		}
		await this.#revive(number);
	}

	/**
	 * Some gateway comes to one of these points of points.js, and dies there (`way` kill), stands still for a while (stop),
	 * or until it is taken for dead (dead). Which one that was; null if none comes to any in that time.
	 */
	async atPoint(faults, waitMs = this.longMs(faults)) {
		this.control.arm(faults.map(fault => ({ ...fault, signal: fault.way === "kill" ? constants.signals.SIGKILL : constants.signals.SIGSTOP })),
			{ slowMs: this.times.lease / 2 });
		const starts = Math.max(...faults.map(({ name }) => POINTS[name].starts ?? 0));
		await (starts === 1 ? this.#startAt(waitMs) : this.#waitForHit(starts, waitMs));
		this.control.disarm();
		const { process, name } = this.control.hit;
		const number = this.gateways.findIndex(({ pid }) => pid === process);
		if (number < 0)
			return null;
		const come = faults.find(fault => fault.name === name);
		if (come.way === "dead")
			await this.holdUntilDead(number);
		else if (come.way === "kill")
			await this.killGateway(number);
		else
			await this.holdGateway(number, this.times.lease * 3);
		// If it was just starting.
		await this.gateways[number].ready();
		return come;
	}

	/** The same of one alone, before which there is a death where that leads to it. */
	async atThePoint(fault) {
		const { behind: first } = POINTS[fault.name];
		if (first && !await this.atPoint([{ name: first, way: "kill", behind: true }]))
			return null;
		return this.atPoint([fault]);
	}

	async #waitForHit(starts, waitMs) {
		// Of the other ones one has the lowest number then, and collects garbage.
		for (let i = 0; i < starts && !this.control.hit.process; i++)
			await this.#startAgain(this.gateways.length - 1);
		const until = Date.now() + waitMs;
		while (!this.control.hit.process && Date.now() < until)
			await pause(20);
	}

	/** One that comes to the point while it starts. */
	async #startAt(waitMs) {
		const number = this.gateways.length - 1;
		const before = this.gateways[number];
		await before.kill();
		// Until it is ready nobody is at these.
		this.gateways[number] = Object.assign(this.#begin(number), { store: before.store, console: before.console });
		const until = Date.now() + waitMs;
		while (!this.control.hit.process && !this.gateways[number].ended && Date.now() < until)
			await pause(20);
		// It has come by without that.
		if (!this.control.hit.process)
			await this.gateways[number].ready();
	}

	/** Ends one as an operator would, and starts another one in its place. */
	async #startAgain(number) {
		await this.gateways[number].stop();
		this.gateways[number] = await this.#launch(number);
		// It is asked for something.
		await pause(this.times.beat * 3);
	}

	#pidOf(osd) {
		return Number(readFileSync(join(this.ceph, `osd.${osd}.pid`), "utf8"));
	}

	/** Ends an OSD as a power cut would; it is started again later. */
	async killOsd(number, ms) {
		process.kill(this.#pidOf(number), "SIGKILL");
		await pause(ms);
		await run(CLUSTER, ["osd", this.ceph, String(number)]);
	}

	async holdOsd(number, ms) {
		const pid = this.#pidOf(number);
		process.kill(pid, "SIGSTOP");
		await pause(ms);
		process.kill(pid, "SIGCONT");
	}

	/** All gateways are ready, and whatever was under way has come to an end. */
	async calm() {
		for (const number of this.gateways.keys()) {
			const until = Date.now() + 120_000;
			while (!await this.#isReady(number)) {
				if (Date.now() > until)
					throw new Error(`a gateway does not get ready again:\n${this.gateways[number].log.slice(-3000)}`);
				await pause(50);
			}
		}
		await pause(this.times.operation * 1000 + 1000);
	}

	async #isReady(number) {
		if (this.gateways[number].ended)
			await this.#revive(number);
		// It may end just now.
		const got = await send(`${this.gateways[number].console}/ready`).catch(() => null);
		return got?.status === 200;
	}

	/** How the cluster is, as Ceph says. */
	async state() {
		const { stdout } = await run("ceph", ["-c", this.config, "--connect-timeout", "10", "osd", "tree"]).catch(error => ({ stdout: error.message }));
		return stdout;
	}

	async stop() {
		// One that stands still answers nobody.
		for (const number of this.stopped)
			this.gateways[number].signal("SIGCONT");
		for (const gateway of this.gateways)
			await gateway.kill();
		if (this.config)
			await run(CLUSTER, ["stop", this.ceph]);
	}
}
