// SPDX-License-Identifier: Apache-2.0
// Runs a few jobs at a time, in the order they came.

export class Queue {
	/** @type {Array<() => void>} */ #waiting = [];
	#free;

	/** @param {number} parallel */
	constructor(parallel) {
		this.#free = parallel;
	}

	/**
	 * Runs the job when it is its turn. A job that is no longer wanted returns at once.
	 * @param {() => Promise<void>} job
	 */
	async run(job) {
		if (this.#free > 0)
			this.#free--;
		else
			await new Promise(go => this.#waiting.push(() => go(undefined)));
		try {
			await job();
		} finally {
			const next = this.#waiting.shift();
			if (next)
				next();
			else
				this.#free++;
		}
	}
}
