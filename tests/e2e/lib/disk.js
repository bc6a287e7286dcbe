// SPDX-License-Identifier: Apache-2.0
// What a disk may do to a data folder whose server has stopped.
import { execFile } from "node:child_process";
import { open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc64 } from "./crc64.js";

const run = promisify(execFile);

/** The files with bytes of objects. */
export async function storedFiles(data) {
	const files = [];
	for (const folder of ["segments", "large"])
		for (const entry of await readdir(join(data, folder), { recursive: true, withFileTypes: true }))
			if (entry.isFile())
				files.push(join(entry.parentPath ?? entry.path, entry.name));
	return files.sort();
}

/** Where `bytes` lie: {path, offset}. */
export async function whereIs(data, bytes) {
	for (const path of await storedFiles(data)) {
		const offset = (await readFile(path)).indexOf(bytes);
		if (offset >= 0)
			return { path, offset };
	}
	throw new Error("these bytes are not in the folder");
}

export async function flipBit(path, offset) {
	const file = await open(path, "r+");
	const byte = Buffer.alloc(1);
	await file.read(byte, 0, 1, offset);
	byte[0] ^= 0x10;
	await file.write(byte, 0, 1, offset);
	await file.close();
}

/** Flips a bit of the byte `at` of an object with these bytes. */
export async function damage(data, bytes, at) {
	const from = Math.max(0, at - 16);
	const { path, offset } = await whereIs(data, bytes.subarray(from, at + 4));
	await flipBit(path, offset + at - from);
	return { path, offset: offset + at - from };
}

/** The kernel forgets what it has of the files: the next read is the disk's. */
export async function forgetPages(data) {
	await run("sh", ["-c", "for path; do dd if=\"$path\" iflag=nocache count=0 status=none || exit; done", "sh",
		...await storedFiles(data)]);
}

/** Takes the mark of block sums out of all records: as a version that made none has left it. */
export async function forgetSums(data) {
	let changed = 0;
	for (const path of await storedFiles(data)) {
		if (!path.endsWith(".seg"))
			continue;
		const bytes = await readFile(path);
		const salt = bytes.readBigUInt64LE(32);
		for (let at = 64; bytes.toString("latin1", at, at + 4) === "PsR1";) {
			const name = bytes.readUInt16LE(at + 6);
			const meta = bytes.readUInt32LE(at + 8);
			const length = 48 + name + meta + bytes.readUInt32LE(at + 12);
			const place = at + 48 + name;
			if (meta >= 80 && bytes[place] === 2 && bytes[place + 74] & 8) {
				bytes[place + 74] &= ~8;
				const sum = crc64(Buffer.concat([bytes.subarray(at, at + 40),
					bytes.subarray(at + 48, at + length)]), salt);
				bytes.writeBigUInt64LE(BigInt(sum), at + 40);
				changed++;
			}
			at += Math.ceil(length / 8) * 8;
		}
		await writeFile(path, bytes);
	}
	await rm(join(data, "index"), { recursive: true });
	return changed;
}
