// SPDX-License-Identifier: Apache-2.0
// CRC-64/XZ as x-oss-hash-crc64ecma has it, in two halves of 32 bits.

const LOW = new Uint32Array(256);
const HIGH = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
	let low = i;
	let high = 0;
	for (let bit = 0; bit < 8; bit++) {
		const odd = low & 1;
		low = (low >>> 1 | high << 31) >>> 0;
		high >>>= 1;
		if (odd) {
			low = (low ^ 0xD7870F42) >>> 0;
			high = (high ^ 0xC96C5795) >>> 0;
		}
	}
	LOW[i] = low;
	HIGH[i] = high;
}

/**
 * @param {Buffer} bytes
 * @param {bigint} [before] the CRC of what stands in front of them
 */
export function crc64(bytes, before = 0n) {
	let low = Number(~before & 0xFFFFFFFFn);
	let high = Number(~before >> 32n & 0xFFFFFFFFn);
	for (const byte of bytes) {
		const index = (low ^ byte) & 0xFF;
		low = ((low >>> 8 | high << 24) ^ LOW[index]) >>> 0;
		high = (high >>> 8 ^ HIGH[index]) >>> 0;
	}
	const value = BigInt((high ^ 0xFFFFFFFF) >>> 0) << 32n | BigInt((low ^ 0xFFFFFFFF) >>> 0);
	return value.toString();
}
