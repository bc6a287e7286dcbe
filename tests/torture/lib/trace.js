// SPDX-License-Identifier: Apache-2.0
// Reads what recorder.so has written (recorder.h), and writes the marks of the test between it.
import { closeSync, openSync, writeSync } from "node:fs";

const HEAD_BYTES = 40;

/** Kinds of records: `enum kind`. */
export const Kind = { CREATE: 1, UNNAMED: 2, WRITE: 3, ZERO: 4, TRUNCATE: 5, ALLOCATE: 6, MKDIR: 7, LINK: 8,
	UNLINK: 9, RENAME: 10, SYNC_BEGIN: 11, SYNC_END: 12, MARK: 13, ESCAPED: 14 };

/** Appends marks to a trace while the server does. Each has a number of its own, from 1 up. */
export class Marks {
	#file;
	#last = 0;

	constructor(path) {
		this.#file = openSync(path, "a");
	}

	/** Its number. */
	add() {
		const record = Buffer.alloc(HEAD_BYTES);
		record.writeUInt32LE(HEAD_BYTES, 0);
		record.writeUInt32LE(Kind.MARK, 4);
		record.writeBigUInt64LE(BigInt(++this.#last), 8);
		writeSync(this.#file, record);
		return this.#last;
	}

	close() {
		closeSync(this.#file);
	}
}

/**
 * All records, in order. `a` to `d` are the numbers of recorder.h, `d` a BigInt.
 *
 * @param {Buffer} bytes
 */
export function readTrace(bytes) {
	const records = [];
	for (let at = 0; at < bytes.length;) {
		const len = bytes.readUInt32LE(at);
		if (len < HEAD_BYTES || at + len > bytes.length)
			throw new Error(`the trace is not whole at ${at}`);
		const number = i => Number(bytes.readBigUInt64LE(at + 8 + 8 * i));
		records.push({ kind: bytes.readUInt32LE(at + 4), a: number(0), b: number(1), c: number(2),
			d: bytes.readBigUInt64LE(at + 32), bytes: bytes.subarray(at + HEAD_BYTES, at + len) });
		at += len;
	}
	return records;
}

/** Where each mark is: its number to the index of its record. */
export function whereMarksAre(records) {
	return new Map(records.flatMap(({ kind, a }, i) => kind === Kind.MARK ? [[a, i]] : []));
}

/** Who asked for a sync, and of what: one text for each place in the code. */
export function siteOf(record) {
	return `${record.b}:${record.d}`;
}
