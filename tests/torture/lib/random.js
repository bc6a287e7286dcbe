// SPDX-License-Identifier: Apache-2.0
// Numbers that are the same for the same seed.

export class Random {
	#state;

	constructor(seed) {
		this.#state = seed >>> 0;
	}

	/** In [0, 1). */
	next() {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
		return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
	}

	/** A whole number in [0, n). */
	below(n) {
		return Math.floor(this.next() * n);
	}

	chance(p) {
		return this.next() < p;
	}

	/** @template T @param {T[]} list @returns {T} */
	of(list) {
		return list[this.below(list.length)];
	}

	/** Another one, which goes its own way. */
	fork() {
		return new Random(this.below(2 ** 31));
	}
}
