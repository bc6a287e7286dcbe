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

/** Whether load and deaths elsewhere lead there. */
export function comesByItself(name) {
	const { slow, starts } = POINTS[name];
	return !slow && !starts;
}

/** Whether load alone leads there soon. */
export function isCheap(name) {
	return comesByItself(name) && !POINTS[name].behind;
}

/** struct control of ../points.c: eight bytes each. */
const AT = { armed: 0, hit: 8, point: 16, slow: 24, lateEvery: 40, late: 56 };
const HEAD_BYTES = 72;
const NAME_BYTES = 32;
const EACH_BYTES = NAME_BYTES + 32;
/** In what is known of each. */
const EACH = { sent: 0, done: 8, before: 16 };
const POINTS_MAX = 64;

/** What is to happen at points, which all gateways have in memory. */
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
			const number = what => Number(bytes.readBigInt64LE(at + NAME_BYTES + what));
			all[name] = { sent: number(EACH.sent), done: number(EACH.done) };
		}
		return all;
	}

	/** The first gateway that comes to one of these gets its signal: before the operation is sent, or when it was done. */
	arm(faults, { slowMs = 0 } = {}) {
		const names = Object.keys(this.reached);
		for (const [i, name] of names.entries()) {
			const fault = faults.find(one => one.name === name);
			this.#set(HEAD_BYTES + i * EACH_BYTES + NAME_BYTES + EACH.before, [fault && !fault.behind ? fault.signal : 0,
				fault?.behind ? fault.signal : 0]);
		}
		const slow = names.indexOf(faults.map(({ name }) => POINTS[name].slow).find(Boolean)) + 1;
		this.#set(AT.hit, [0, 0, slow, slowMs]);
		this.#set(AT.armed, [1]);
	}

	disarm() {
		this.#set(AT.armed, [0]);
	}

	/** The process that has come to a point, and which that is; the process is 0 if there is none. */
	get hit() {
		const bytes = readFileSync(this.path);
		const [hit, point] = [AT.hit, AT.point].map(at => Number(bytes.readBigInt64LE(at)));
		return { process: hit, name: Object.keys(POINTS)[point - 1] };
	}

	/** One of `every` changes of tablets is lost, and happens up to `ms` later. `forgets`: no gateway compares its own counter. */
	lose({ every, ms, forgets }) {
		this.#set(AT.lateEvery, [every, ms, this.lost, forgets ? 1 : 0]);
	}

	/** So many were lost. */
	get lost() {
		return Number(readFileSync(this.path).readBigInt64LE(AT.late));
	}

	#set(at, numbers) {
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
