// SPDX-License-Identifier: Apache-2.0
// `postern fsck --repair`: what is lost is listed and answers 404, all else is as it was.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { damage } from "../lib/disk.js";
import { request } from "../lib/oss.js";
import { BIN, cleanups, Server, temporaryFolder } from "../lib/server.js";

const MIB = 1 << 20;
const BUCKET = "kept";
const all = cleanups();
after(all.run);

function run(data, ...args) {
	const got = spawnSync(BIN, ["fsck", "--data", data, ...args], { encoding: "utf8" });
	return { ...got, lines: got.stdout.split("\n") };
}

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204, `${got.status} ${got.text}`);
	return got;
}

for (const index of ["whole", "gone, too"]) test(`a newest version that is lost is listed, and no older one is shown for it; the index is ${index}`, async () => {
	const data = await temporaryFolder(all);
	const bytes = { old: randomBytes(2 * MIB), lost: randomBytes(2 * MIB), small: randomBytes(2000), whole: randomBytes(3000) };
	const first = new Server(data, {});
	await first.ready();
	const put = async (key, body) =>
		(await ok(request(first.store, "PUT", BUCKET, key, { body }))).headers["x-oss-version-id"];
	await ok(request(first.store, "PUT", BUCKET, ""));
	await ok(request(first.store, "PUT", BUCKET, "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }));
	const old = await put("big", bytes.old);
	const lost = await put("big", bytes.lost);
	const small = await put("small", bytes.small);
	await put("whole", bytes.whole);
	await first.stop();
	await damage(data, bytes.lost, MIB);
	await damage(data, bytes.small, 50);
	if (index !== "whole")
		await rm(join(data, "index"), { recursive: true });

	const got = run(data, "--repair");
	assert.equal(got.status, 1, got.stdout + got.stderr);
	assert.ok(got.lines.some(line => line.startsWith(`bucket=${BUCKET} key="big" version=${lost} file=large/`) &&
		line.endsWith(": lost: a block of 64 KiB is damaged")), got.stdout);
	assert.ok(got.lines.some(line => line.startsWith(`bucket=${BUCKET} key="small" version=${small} file=segments/`)), got.stdout);
	assert.ok(got.lines.includes("lost: 2"), got.stdout);
	assert.equal(run(data).status, 0);

	const server = new Server(data, {});
	await server.ready();
	const get = (key, query) => request(server.store, "GET", BUCKET, key, { query, binary: true });
	for (const key of ["big", "small"]) {
		const gone = await get(key);
		assert.equal(gone.status, 404);
		assert.equal(gone.headers["x-oss-delete-marker"], "true");
	}
	assert.equal((await get("big", { versionId: lost })).status, 404);
	assert.equal((await get("big", { versionId: old })).status, 200);
	assert.equal((await get("whole")).status, 200);
	await server.stop();

	const again = run(data, "--repair", "--json");
	assert.equal(again.status, 0, again.stdout + again.stderr);
	assert.deepEqual(JSON.parse(again.lines[0]), { lost: 0, unknown: 0, segments: 0, segments_kept: 0, made_index: false });
});

test("a folder that is in use is not repaired", async () => {
	const data = await temporaryFolder(all);
	const server = new Server(data, {});
	await server.ready();
	assert.equal(run(data, "--repair").status, 2);
	await server.stop();
});
