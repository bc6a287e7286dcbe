// SPDX-License-Identifier: Apache-2.0
// Bytes that say everywhere what they are, so that what is found can be told from anything else.
import assert from "node:assert/strict";

const SMALLEST = 64;
let last = 0;

/** A piece that nothing else has: {from, id, size}. `from` is the key that it was made for. */
export function newPiece(from, size) {
	return { from, id: ++last, size: Math.max(size, SMALLEST) };
}

export function bytesOf(...pieces) {
	return Buffer.concat(pieces.map(({ from, id, size }) => Buffer.alloc(size, `<${from} ${id} ${size}>`)));
}

/** The pieces that bytes are made of; an error if they are anything else. */
export function piecesOf(bytes, where) {
	const pieces = [];
	for (let at = 0; at < bytes.length;) {
		const found = /^<(\S+) (\d+) (\d+)>/.exec(bytes.toString("latin1", at, at + 100));
		assert.ok(found, `${where} has other bytes at ${at}: ${bytes.toString("latin1", at, at + 60)}`);
		const piece = { from: found[1], id: Number(found[2]), size: Number(found[3]) };
		assert.ok(bytesOf(piece).equals(bytes.subarray(at, at + piece.size)),
			`${where}: ${JSON.stringify(piece)} is not whole`);
		pieces.push(piece);
		at += piece.size;
	}
	return pieces;
}

export const sizeOf = pieces => pieces.reduce((sum, { size }) => sum + size, 0);
