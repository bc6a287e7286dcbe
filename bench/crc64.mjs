// SPDX-License-Identifier: Apache-2.0
// How fast the JavaScript client sums: `node bench/crc64.mjs`.
import { Crc64, combine } from "../web/client/crc64.js";

const bytes = new Uint8Array(64 << 20);
for (let i = 0; i < bytes.length; i++)
	bytes[i] = i * 2654435761 >>> 13;
new Crc64().update(bytes.subarray(0, 4 << 20));
let best = Infinity;
for (let round = 0; round < 5; round++) {
	const start = performance.now();
	new Crc64().update(bytes);
	best = Math.min(best, performance.now() - start);
}
console.log(`CRC-64: ${Math.round(bytes.length / best / 1000)} MB/s`);
const start = performance.now();
let sum = 1n;
for (let i = 0; i < 1000; i++)
	sum = combine(sum, 5n, 8 << 20);
console.log(`1,000 parts combined: ${Math.round(performance.now() - start)} ms`);
