// SPDX-License-Identifier: Apache-2.0
// Runs a few jobs at a time, in the order they came: as many as help.

/** Browsers open no more connections to a host that speaks HTTP/1.1. */
const MOST = 6;
const START = 3;
/** What a file costs besides its bytes, as bytes. */
const COST = 50000;
/** After so many measurements the network may have become another. */
const FORGET = 16;
/** More at a time must bring this much. */
const GAIN = 1.05;

export class Queue {
	/** @type {Array<(() => Promise<number>) | null>} */ #waiting = [];
	#head = 0;
	running = 0;
	#fixed;
	#clock;
	/** How many at a time. */
	limit;

	/** Speed with so many at a time. @type {number[]} */ #speeds = [];
	#measured = 0;
	#since = 0;
	#work = 0;
	#ended = 0;
	#slowed = -Infinity;

	/** @param {number | undefined} parallel @param {import("./clock.js").Clock} clock */
	constructor(parallel, clock) {
		this.#fixed = parallel !== undefined;
		this.limit = parallel ?? START;
		this.#clock = clock;
	}

	/**
	 * Runs the job when it is its turn. It tells how many bytes it has moved; one that is no longer
	 * wanted returns -1 at once.
	 * @param {() => Promise<number>} job
	 */
	run(job) {
		this.#waiting.push(job);
		this.#fill();
	}

	/** The servers have too much to do, or the network is bad. */
	trouble() {
		const now = this.#clock.now();
		// Those that were under way together fail together.
		if (!this.#fixed && now - this.#slowed >= 1000) {
			this.#slowed = now;
			this.limit = Math.max(1, this.limit >> 1);
			this.#begin();
		}
	}

	#fill() {
		while (this.running < this.limit && this.#head < this.#waiting.length) {
			const job = this.#waiting[this.#head];
			this.#waiting[this.#head++] = null;
			if (job)
				this.#do(job);
		}
		if (this.#head === this.#waiting.length) {
			this.#waiting = [];
			this.#head = 0;
		}
	}

	/** @param {() => Promise<number>} job */
	async #do(job) {
		this.running++;
		let bytes = -1;
		try {
			bytes = await job();
		} finally {
			this.running--;
			this.#measure(bytes);
			this.#fill();
		}
	}

	#begin() {
		this.#since = this.#clock.now();
		this.#work = this.#ended = 0;
	}

	/** @param {number} bytes */
	#measure(bytes) {
		if (this.#fixed || bytes < 0)
			return;
		// A queue that runs dry, or is still too wide, says nothing of how many would help.
		if (this.#head === this.#waiting.length || this.running >= this.limit || !this.#since)
			return this.#begin();
		this.#work += bytes + COST;
		if (++this.#ended < 2 * this.limit)
			return;
		const { limit } = this;
		this.#speeds[limit] = this.#work / Math.max(1, this.#clock.now() - this.#since);
		if (++this.#measured % FORGET === 0)
			this.#speeds = this.#speeds.map((speed, at) => at === limit ? speed : 0);
		const [fewer, now, more] = [-1, 0, 1].map(by => this.#speeds[limit + by] || 0);
		// More are tried while they help: one step is enough to see that they do not.
		const helped = now > fewer * GAIN;
		if (limit < MOST && (more ? more > now * GAIN : helped))
			this.limit++;
		else if (!helped)
			this.limit--;
		this.#begin();
	}
}
