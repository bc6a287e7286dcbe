// SPDX-License-Identifier: Apache-2.0
// Many uploads as one: what they are doing in sum, how fast, how long it will take, and one command
// for all. The work for an event does not depend on how many there are.
//
//     const batch = new Batch();
//     for (const file of files)
//         batch.add(uploader.add(file));
//     batch.addEventListener("change", () => show(batch.fraction, batch.speed, batch.timeLeft));
//     batch.start();
//
// "change" comes at most every 50 ms, however many uploads have changed.
import { systemClock } from "./clock.js";
import { STATES } from "./states.js";

/** @typedef {import("./states.js").State} State */

const EVERY_MS = 50;
/** What a file costs besides its bytes, as bytes. */
const COST = 50000;
/** The speed is that of the last so many measurements. */
const MEASUREMENTS = 10;
const MEASURE_MS = 500;

export class Batch extends EventTarget {
	/** How many are in each state. @type {Record<State, number>} */
	counts = Object.assign(/** @type {any} */ ({}),
		...Object.keys(STATES).map(state => ({ [state]: 0 })));
	/** In bytes of the files; cancelled ones do not count. */
	sent = 0;
	total = 0;

	/** @type {Map<import("./upload.js").Upload, {state: State, sent: number}>} */ #uploads = new Map();
	#clock;
	#planned = false;
	/** With what a file costs besides its bytes. */
	#work = { done: 0, total: 0 };
	/** All that was ever sent. */
	#moved = { bytes: 0, work: 0 };
	/** @type {{at: number, bytes: number, work: number}[]} */ #measured = [];

	/** @param {{clock?: import("./clock.js").Clock}} [options] */
	constructor({ clock = systemClock } = {}) {
		super();
		this.#clock = clock;
	}

	get size() {
		return this.#uploads.size;
	}

	/** In the order in which they were added. */
	[Symbol.iterator]() {
		return this.#uploads.keys();
	}

	/** @param {import("./upload.js").Upload} upload */
	add(upload) {
		if (this.#uploads.has(upload))
			return;
		this.#uploads.set(upload, { state: upload.state, sent: 0 });
		this.#count(upload.state, upload.file.size, 1);
		upload.addEventListener("change", this);
		this.handleEvent({ target: upload });
	}

	/** Forgets an upload, which goes on if it is on its way. @param {import("./upload.js").Upload} upload */
	remove(upload) {
		const seen = this.#uploads.get(upload);
		if (!seen)
			return;
		upload.removeEventListener("change", this);
		this.#move(upload, seen, 0);
		this.#count(seen.state, upload.file.size, -1);
		this.#uploads.delete(upload);
		this.#plan();
	}

	/** Begins what has not begun, and goes on with what is paused. */
	start() {
		this.#each(["idle", "paused"], upload => upload.start());
	}

	/** Tries again what has failed. */
	retry() {
		this.#each(["failed", "unconfirmed", "aborted"], upload => upload.start());
	}

	pause() {
		this.#each(["idle", "signing", "sending", "retrying"], upload => upload.pause());
	}

	cancel() {
		this.#each(["idle", "signing", "sending", "retrying", "paused"], upload => upload.cancel());
	}

	/** Whether something is on its way. */
	get busy() {
		const { signing, sending, retrying } = this.counts;
		return signing + sending + retrying > 0;
	}

	/** How much is done, from 0 to 1. */
	get fraction() {
		return this.#work.total ? this.#work.done / this.#work.total : 0;
	}

	/** Bytes a second, or 0. */
	get speed() {
		return this.#rate("bytes") * 1000;
	}

	/** Milliseconds, or null if nobody can tell. */
	get timeLeft() {
		const rate = this.#rate("work");
		return rate ? (this.#work.total - this.#work.done) / rate : null;
	}

	/** @param {"bytes" | "work"} what */
	#rate(what) {
		const first = this.#measured[0];
		const last = this.#measured.at(-1);
		return this.busy && first && last && last.at > first.at
			? (last[what] - first[what]) / (last.at - first.at) : 0;
	}

	/** @param {State[]} states @param {(upload: import("./upload.js").Upload) => void} act */
	#each(states, act) {
		for (const upload of this.#uploads.keys())
			if (states.includes(upload.state))
				act(upload);
	}

	/** @param {{target: any}} event of an upload */
	handleEvent({ target: upload }) {
		const seen = this.#uploads.get(upload);
		if (!seen)
			return;
		const { state, file: { size }, progress } = upload;
		if (state !== seen.state) {
			this.#count(seen.state, size, -1);
			this.#count(state, size, 1);
			seen.state = state;
		}
		const stored = state === "done" || state === "unconfirmed";
		const gone = state === "failed" || state === "aborted";
		this.#move(upload, seen, stored ? size : gone ? 0 : Math.min(progress.sent, size), stored);
		this.#measure();
		this.#plan();
	}

	/** @param {State} state @param {number} size @param {1 | -1} by */
	#count(state, size, by) {
		this.counts[state] += by;
		if (state !== "aborted") {
			this.total += by * size;
			this.#work.total += by * (size + COST);
		}
		if (state === "done" || state === "unconfirmed")
			this.#work.done += by * COST;
	}

	/** @param {import("./upload.js").Upload} upload @param {{sent: number}} seen @param {number} sent @param {boolean} [stored] */
	#move(upload, seen, sent, stored = false) {
		const by = sent - seen.sent;
		seen.sent = sent;
		this.sent += by;
		this.#work.done += by;
		this.#moved.bytes += Math.max(0, by);
		this.#moved.work += Math.max(0, by) + (stored ? COST : 0);
	}

	#measure() {
		const at = this.#clock.now();
		const last = this.#measured.at(-1);
		if (last && at - last.at < MEASURE_MS)
			return;
		// After a rest the speed is another.
		if (last && at - last.at > MEASUREMENTS * MEASURE_MS)
			this.#measured = [];
		this.#measured.push({ at, ...this.#moved });
		if (this.#measured.length > MEASUREMENTS)
			this.#measured.shift();
	}

	#plan() {
		if (this.#planned)
			return;
		this.#planned = true;
		this.#clock.after(EVERY_MS, () => {
			this.#planned = false;
			this.dispatchEvent(new Event("change"));
		});
	}
}
