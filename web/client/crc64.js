// SPDX-License-Identifier: Apache-2.0
// CRC-64 as the store computes it (x-oss-hash-crc64ecma): ECMA-182, bits reversed. The sum is kept
// in two halves, because JavaScript is quick with 32 bits; eight bytes are taken at a time.

const POLYNOMIAL = 0xC96C5795D7870F42n;
const ONES = 0xFFFFFFFFFFFFFFFFn;
/** How many bytes are taken at a time. */
const STEP = 8;

/** For the byte that is followed by n more of its step, at n * 256. */
const LOW = new Int32Array(STEP * 256);
const HIGH = new Int32Array(STEP * 256);

function makeTables() {
	for (let byte = 0; byte < 256; byte++) {
		let sum = BigInt(byte);
		for (let bit = 0; bit < 8; bit++)
			sum = sum & 1n ? sum >> 1n ^ POLYNOMIAL : sum >> 1n;
		LOW[byte] = Number(sum & 0xFFFFFFFFn) | 0;
		HIGH[byte] = Number(sum >> 32n) | 0;
	}
	for (let at = 256; at < STEP * 256; at++) {
		const low = LOW[at - 256];
		const high = HIGH[at - 256];
		LOW[at] = (low >>> 8 | high << 24) ^ LOW[low & 255];
		HIGH[at] = high >>> 8 ^ HIGH[low & 255];
	}
}

export class Crc64 {
	#low = -1;
	#high = -1;

	/** @param {Uint8Array} bytes */
	update(bytes) {
		if (!LOW[1])
			makeTables();
		let low = this.#low;
		let high = this.#high;
		let at = 0;
		for (const end = bytes.length - STEP; at <= end; at += STEP) {
			const a = low ^ (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);
			const b = high ^ (bytes[at + 4] | bytes[at + 5] << 8 | bytes[at + 6] << 16 | bytes[at + 7] << 24);
			const a0 = 1792 + (a & 255), a1 = 1536 + (a >>> 8 & 255), a2 = 1280 + (a >>> 16 & 255),
				a3 = 1024 + (a >>> 24), b0 = 768 + (b & 255), b1 = 512 + (b >>> 8 & 255),
				b2 = 256 + (b >>> 16 & 255), b3 = b >>> 24;
			low = LOW[a0] ^ LOW[a1] ^ LOW[a2] ^ LOW[a3] ^ LOW[b0] ^ LOW[b1] ^ LOW[b2] ^ LOW[b3];
			high = HIGH[a0] ^ HIGH[a1] ^ HIGH[a2] ^ HIGH[a3] ^ HIGH[b0] ^ HIGH[b1] ^ HIGH[b2] ^ HIGH[b3];
		}
		for (; at < bytes.length; at++) {
			const index = (low ^ bytes[at]) & 255;
			low = (low >>> 8 | high << 24) ^ LOW[index];
			high = high >>> 8 ^ HIGH[index];
		}
		this.#low = low;
		this.#high = high;
		return this;
	}

	/** @returns {bigint} the sum of all that was given so far */
	get value() {
		return (BigInt(this.#high >>> 0) << 32n | BigInt(this.#low >>> 0)) ^ ONES;
	}
}

/**
 * The sum of a file, piece by piece.
 * @param {Blob} blob
 * @param {AbortSignal} [signal]
 */
export async function crc64Of(blob, signal) {
	const PIECE = 1 << 21;
	const sum = new Crc64();
	for (let at = 0; at < blob.size; at += PIECE) {
		sum.update(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()));
		signal?.throwIfAborted();
	}
	return sum.value;
}

/** All parts of a file but the last are of one length. */
let lastLength = -1;
let lastPower = 0n;

/**
 * The sum of two texts, one after the other, of which only the sums are known.
 * @param {bigint} first
 * @param {bigint} second
 * @param {number} length of the second
 */
export function combine(first, second, length) {
	if (length !== lastLength)
		lastPower = power(lastLength = length);
	return multiply(lastPower, first) ^ second;
}

/** x to the power of 8 * bytes. @param {number} bytes */
function power(bytes) {
	let result = 1n << 63n;
	let square = 1n << 55n;
	for (let n = BigInt(bytes); n; n >>= 1n) {
		if (n & 1n)
			result = multiply(square, result);
		square = multiply(square, square);
	}
	return result;
}

/** Of polynomials, modulo that of the sum. @param {bigint} a @param {bigint} b */
function multiply(a, b) {
	let product = 0n;
	for (let bit = 63n; bit >= 0n; bit--) {
		if (a >> bit & 1n)
			product ^= b;
		b = b & 1n ? b >> 1n ^ POLYNOMIAL : b >> 1n;
	}
	return product;
}
