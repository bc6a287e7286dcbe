// SPDX-License-Identifier: Apache-2.0
// MD5 (RFC 1321), which WebCrypto does not have and DeleteMultipleObjects asks for. It guards
// against accidents on the way, nothing else.

const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const TABLE = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

/** @param {Uint8Array} bytes @returns {Uint8Array} 16 bytes */
export function md5(bytes) {
	const padded = new Uint8Array((bytes.length + 8 >> 6) * 64 + 64);
	padded.set(bytes);
	padded[bytes.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 8, bytes.length * 8, true);
	view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
	const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
	for (let at = 0; at < padded.length; at += 64)
		addBlock(state, view, at);
	const result = new DataView(new ArrayBuffer(16));
	state.forEach((word, i) => result.setUint32(4 * i, word, true));
	return new Uint8Array(result.buffer);
}

/** @param {string} text */
export function md5Base64(text) {
	return btoa(String.fromCharCode(...md5(new TextEncoder().encode(text))));
}

/** @param {Uint32Array} state @param {DataView} view @param {number} at */
function addBlock(state, view, at) {
	let [a, b, c, d] = state;
	for (let i = 0; i < 64; i++) {
		const round = i >> 4;
		const sum = (a + mix(round, b, c, d) + TABLE[i] + view.getUint32(at + 4 * word(round, i), true)) | 0;
		const shift = SHIFTS[round][i & 3];
		[a, d, c, b] = [d, c, b, (b + (sum << shift | sum >>> 32 - shift)) | 0];
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

/** @param {number} round @param {number} b @param {number} c @param {number} d */
function mix(round, b, c, d) {
	switch (round) {
	case 0:
		return b & c | ~b & d;
	case 1:
		return b & d | c & ~d;
	case 2:
		return b ^ c ^ d;
	default:
		return c ^ (b | ~d);
	}
}

/** Which word of the block a step adds. @param {number} round @param {number} i */
function word(round, i) {
	return [i, 5 * i + 1, 3 * i + 5, 7 * i][round] & 15;
}
