// SPDX-License-Identifier: Apache-2.0
// The server whose allocations fail when a test says so (tests/failing/allocations.c).
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BIN } from "./server.js";

export class Allocations {
	#fd;
	/** How startServer() starts it. */
	how;

	/** `folder` is for the file that both sides know. */
	static async make(folder) {
		const file = join(folder, "allocations");
		await writeFile(file, Buffer.alloc(24));
		return new Allocations(file);
	}

	constructor(file) {
		this.#fd = openSync(file, "r+");
		this.how = { bin: join(dirname(BIN), "tests/failing/postern"), env: { FAIL_ALLOCATIONS: file } };
	}

	#write(at, value) {
		const bytes = Buffer.alloc(8);
		bytes.writeBigInt64LE(BigInt(value));
		writeSync(this.#fd, bytes, 0, 8, at);
	}

	/** The `nth` from now fails; with `behind`, all that follow too. */
	fail(nth, behind) {
		this.#write(8, behind ? 1 : 0);
		this.#write(0, nth);
	}

	/** There is memory again. False if none had failed yet. */
	end() {
		const left = this.#read(0);
		this.#write(0, 0);
		this.#write(8, 0);
		return left <= 0;
	}

	#read(at) {
		const bytes = Buffer.alloc(8);
		readSync(this.#fd, bytes, 0, 8, at);
		return Number(bytes.readBigInt64LE());
	}

	/** How many were asked for since the start. */
	get seen() {
		return this.#read(16);
	}

	close() {
		closeSync(this.#fd);
	}
}
