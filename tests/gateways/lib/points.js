// SPDX-License-Identifier: Apache-2.0
// The points at which a gateway dies or stands still (../points.c), and what has to happen for some to be reached.
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";

/**
 * By name. `behind`: a gateway has to die there first. `slow`: that has to take longer meanwhile. `starts`: so many
 * gateways have to start. `zombie`: who stands still there until the others take it for dead would do harm when it
 * wakes, if it could.
 */
export const POINTS = {
	"chunk-written": { zombie: true },
	"chunk-removed": { zombie: true },
	"put-inline": {},
	"put-data": { zombie: true },
	"overwritten": { zombie: true },
	"object-deleted": {},
	"version-kept": {},
	"appended": { zombie: true },
	"upload-begun": {},
	"part-put": {},
	"upload-completed": { zombie: true },
	"upload-aborted": {},
	"settled": {},
	"split-begun": {},
	"split-made": {},
	"split-copied": { zombie: true },
	"split-renewed": { slow: "split-copied" },
	"split-counted": {},
	"split-done": { zombie: true },
	"merge-begun": {},
	"merge-moving": {},
	"merge-moved": {},
	"merge-done": { zombie: true },
	"tablet-removed": {},
	"merge-forgotten": {},
	"undone": { behind: "split-copied" },
	"bucket-tablet": {},
	"bucket-made": { zombie: true },
	"bucket-changed": {},
	"bucket-told": {},
	"delete-begun": {},
	"delete-frozen": {},
	"delete-done": { zombie: true },
	"delete-ended": {},
	"delete-collected": { zombie: true },
	"delete-forgotten": {},
	"garbage-dated": { zombie: true },
	"garbage-removed": { zombie: true },
	"folded": { starts: 20, zombie: true },
	"joined": { starts: 1 },
	"beat": {},
	"epoch-counted": {},
	"dead-said": { behind: "chunk-written" },
	"dead-fenced": { behind: "chunk-written" },
	"dead-garbage": { behind: "chunk-written" },
	"dead-gone": { behind: "chunk-written" },
};

/** Whether load alone leads there soon. */
export function isCheap(name) {
	const { behind, slow, starts } = POINTS[name];
	return !behind && !slow && !starts;
}

const NAME_BYTES = 32;
const HEAD_BYTES = 80;
const LATE_AT = 48;
const EACH_BYTES = NAME_BYTES + 16;
const POINTS_MAX = 64;

/** What is to happen at points: struct control (../points.c), which all gateways have in memory. */
export class Control {
	constructor(path) {
		this.path = path;
		writeFileSync(path, Buffer.alloc(HEAD_BYTES + POINTS_MAX * EACH_BYTES));
	}

	/** By name: how often gateways have come there. */
	get reached() {
		const bytes = readFileSync(this.path);
		const all = {};
		for (let at = HEAD_BYTES; bytes[at]; at += EACH_BYTES) {
			const name = bytes.toString("latin1", at, at + NAME_BYTES).replace(/\0.*$/s, "");
			all[name] = { sent: Number(bytes.readBigInt64LE(at + NAME_BYTES)), done: Number(bytes.readBigInt64LE(at + NAME_BYTES + 8)) };
		}
		return all;
	}

	/** The first gateway that comes there gets the signal: before the operation is sent, or when it was done. */
	arm(name, { behind, signal, slowMs = 0 }) {
		const names = Object.keys(this.reached);
		const numberOf = point => names.indexOf(point) + 1;
		const { slow } = POINTS[name];
		this.#set([0, behind ? 1 : 0, signal, 0, slow ? numberOf(slow) : 0, slowMs]);
		this.#set([numberOf(name)]);
	}

	disarm() {
		this.#set([0]);
	}

	/** One of `every` changes of tablets is lost, and happens up to `ms` later. `forgets`: no gateway compares its own counter. */
	lose({ every, ms, forgets }) {
		this.#set([every, ms, 0, forgets ? 1 : 0], LATE_AT);
	}

	/** So many were lost. */
	get lost() {
		return Number(readFileSync(this.path).readBigInt64LE(LATE_AT + 16));
	}

	/** The process that has come there, or 0. */
	get hit() {
		return Number(readFileSync(this.path).readBigInt64LE(24));
	}

	#set(numbers, at = 0) {
		const file = openSync(this.path, "r+");
		writeSync(file, Buffer.from(new BigInt64Array(numbers.map(BigInt)).buffer), 0, numbers.length * 8, at);
		closeSync(file);
	}
}

/**
 * What is to be done at which points: at each, a gateway dies before the operation or when it was done; some stand
 * still until they are taken for dead; then a gateway dies at the other side of each, and all stand still for a while.
 */
export function plan(names, random, holds) {
	const shuffled = list => list.map(one => [random.next(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);
	const sides = new Map(names.map(name => [name, random.chance(0.5)]));
	const each = (way, flip) => shuffled(names).map(name => ({ name, way, behind: sides.get(name) !== flip }));
	const zombies = shuffled(names.filter(name => POINTS[name].zombie)).slice(0, holds);
	const first = [...each("kill", false), ...zombies.map(name => ({ name, way: "dead", behind: false }))];
	return [...shuffled(first), ...each("kill", true),
		// Whoever is just starting is not ready for long then, and nobody waits for that.
		...shuffled(names).map(name => ({ name, way: "stop", behind: random.chance(0.3) }))];
}
