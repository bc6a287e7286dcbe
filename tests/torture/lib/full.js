// SPDX-License-Identifier: Apache-2.0
// A disk of its own that is really full: tmpfs, and ext4 on a loop device. Only root may mount them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "../../e2e/lib/oss.js";
import { bytesOf, newPiece } from "./content.js";
import { checkFolder, isReady, launch, World } from "./store.js";

const BYTES = 96 << 20;
const CLIENTS = 2;
const STEPS = 80;
const FILLING = "torture-filling";
const TRIES = 600;

/** How each is mounted. */
export const DISKS = {
	tmpfs: folder => run("mount", "-t", "tmpfs", "-o", `size=${BYTES},mode=0700`, "none", folder),
	ext4: folder => {
		const image = `${folder}.img`;
		writeFileSync(image, "");
		truncateSync(image, BYTES);
		run("mkfs.ext4", "-q", "-m", "0", image);
		run("mount", "-o", "loop", image, folder);
	},
};

function run(...command) {
	execFileSync(command[0], command.slice(1), { stdio: "pipe" });
}

/** The folder of a new disk and what unmounts it, or {skipped}: why there is none. */
export function mounted(kind, folder) {
	if (process.getuid() !== 0)
		return { skipped: "only root may mount" };
	mkdirSync(folder);
	try {
		DISKS[kind](folder);
	} catch (error) {
		return { skipped: `${kind} cannot be mounted here: ${String(error.stderr ?? error.message).trim()}` };
	}
	return { unmount: () => {
		run("umount", folder);
		rmSync(`${folder}.img`, { force: true });
	} };
}

/**
 * The disk is filled to its last byte while others work: what is answered then is right or an error. When
 * something is deleted it goes on without a restart, and after a kill everything is as it was answered.
 */
export async function fill(folder, random) {
	const data = join(folder, "data");
	mkdirSync(data, { mode: 0o700 });
	const world = new World(CLIENTS);
	const now = cell => ({ allowed: cell.allowedNow(), why: cell.steps.at(-1)?.what });
	const look = async server => {
		for (const [cell, state] of await world.verify(server.store, now))
			cell.settle(state);
	};
	const server = launch(data);
	const filling = [];
	try {
		await server.ready();
		await world.prepare(server.store);
		assert.equal((await request(server.store, "PUT", FILLING)).status, 200);
		let refused = 0;
		const file = async number => {
			const piece = newPiece(`${number}`, random.of([3000, 100_000, 900_000]));
			const got = await request(server.store, "PUT", FILLING, piece.from, { body: bytesOf(piece) });
			assert.ok(got.status === 200 || got.status >= 500, `${got.status} ${got.text}`);
			if (got.status === 200)
				filling.push(piece);
			else
				refused++;
		};
		let number = 0;
		const work = world.workInSpite(server.store, random, taken => taken >= STEPS && refused >= 20);
		while (refused < 20)
			await file(number++);
		// Another program takes what is left.
		const { bavail, bsize } = statfsSync(folder);
		try {
			writeFileSync(join(folder, "other"), Buffer.alloc(bavail * bsize + bsize));
		} catch (error) {
			assert.equal(error.code, "ENOSPC");
		}
		for (let i = 0; i < 20; i++)
			await file(number++);
		await work;
		for (const piece of filling) {
			const got = await request(server.store, "GET", FILLING, piece.from);
			assert.ok(got.status >= 500 || got.body.equals(bytesOf(piece)), `${piece.from}: ${got.status}`);
		}
		rmSync(join(folder, "other"));
		for (const piece of filling.splice(0)) {
			for (let tries = 0; ; tries++) {
				const got = await request(server.store, "DELETE", FILLING, piece.from);
				if (got.status === 204)
					break;
				assert.ok(got.status >= 500 && tries < TRIES, `DELETE: ${got.status} ${got.text}`);
				await new Promise(done => setTimeout(done, 100));
			}
		}
		for (let tries = 0; ; tries++) {
			const piece = newPiece("again", 900_000);
			const got = await request(server.store, "PUT", FILLING, piece.from, { body: bytesOf(piece) });
			if (got.status === 200)
				break;
			assert.ok(tries < TRIES, `what was deleted has not come back: ${got.status} ${got.text}`);
			await new Promise(done => setTimeout(done, 100));
		}
		assert.ok(await isReady(server), "it is ready again");
		await look(server);
	} catch (error) {
		error.message += `\n${server.log.slice(-3000)}`;
		throw error;
	} finally {
		await server.kill();
	}
	const again = launch(data);
	try {
		await again.ready();
		await look(again);
		await again.stop();
	} finally {
		await again.kill();
	}
	checkFolder(data);
}
