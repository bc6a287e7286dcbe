// SPDX-License-Identifier: Apache-2.0
// A disk of 1.7 GB, with the defaults: it is filled with small objects, a fifth of them is deleted, and as
// much can be stored again. Only root may mount the disk (RECLAIM_BYTES, a tmpfs).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { request } from "../e2e/lib/oss.js";
import { pause, startServer, temporaryFolder } from "../e2e/lib/server.js";

const BYTES = Number(process.env.RECLAIM_BYTES ?? 1_700_000_000);
const OBJECT = 100_000;
const BUCKET = "reclaim";
/** Less than this in a segment is not collected (docs/operating.md). */
const COLLECTED_AT_ONCE = 4 << 20;
/** So often an upload is refused, 50 ms after the other, until no more space is expected. */
const REFUSALS = 600;

function run(...command) {
	execFileSync(command[0], command.slice(1), { stdio: "pipe" });
}

test("of a full disk as much comes back as is deleted", async t => {
	if (process.getuid() !== 0)
		return t.skip("only root may mount a disk");
	const disk = join(await temporaryFolder(t), "disk");
	mkdirSync(disk);
	try {
		run("mount", "-t", "tmpfs", "-o", `size=${BYTES},mode=0700`, "none", disk);
	} catch (error) {
		return t.skip(`a tmpfs cannot be mounted: ${error.stderr}`);
	}
	const data = join(disk, "data");
	mkdirSync(data, { mode: 0o700 });
	// Before the folder goes, the disk does, and the server before that.
	const jobs = [async () => run("umount", disk)];
	try {
		const server = await startServer({ after: job => void jobs.push(job) }, { command: "store", data });
		const bytes = randomBytes(OBJECT);
		const put = async key => (await request(server.store, "PUT", BUCKET, key, { body: bytes })).status;
		assert.equal((await request(server.store, "PUT", BUCKET)).status, 200);
		let stored = 0;
		while (await put(`${stored}`) === 200)
			stored++;
		let deleted = 0;
		for (let i = 0; i < stored; i += 5, deleted++)
			assert.equal((await request(server.store, "DELETE", BUCKET, `${i}`)).status, 204);
		const begun = Date.now();
		let again = 0;
		for (let refused = 0; refused < REFUSALS && again < deleted;) {
			if (await put(`again-${again}`) === 200) {
				again++;
				refused = 0;
			} else {
				refused++;
				await pause(50);
			}
		}
		t.diagnostic(`${stored} objects of ${OBJECT} bytes, ${deleted} deleted, ${again} stored again in `
			+ `${Math.round((Date.now() - begun) / 1000)} s`);
		assert.ok(again >= deleted - COLLECTED_AT_ONCE / OBJECT, `${again} of ${deleted} were stored again`);
		for (let i = 1; i < stored; i += 7) {
			const got = await request(server.store, "GET", BUCKET, `${i}`);
			assert.ok(i % 5 === 0 ? got.status === 404 : got.body.equals(bytes), `${i}: ${got.status}`);
		}
	} finally {
		for (const job of jobs.reverse())
			await job();
	}
});
