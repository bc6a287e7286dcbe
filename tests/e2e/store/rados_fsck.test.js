// SPDX-License-Identifier: Apache-2.0
// `postern fsck` of a store on Ceph, while its gateway runs: it finds what somebody else has removed, a repair moves
// it aside, and the gateway goes on.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before } from "node:test";
import { Cluster, run } from "../lib/ceph.js";
import { request } from "../lib/oss.js";
import { BIN, cleanups } from "../lib/server.js";

const all = cleanups();
const cluster = new Cluster(all);
const bytes = Buffer.alloc(100_000, "x");
let gateway;

before(async () => {
	if (!await cluster.start())
		return;
	gateway = await cluster.startGateway();
	assert.equal((await request(gateway.store, "PUT", "checked")).status, 200);
	for (const key of ["one", "two"])
		assert.equal((await request(gateway.store, "PUT", "checked", key, { body: bytes })).status, 200);
});
after(all.run);

/** `postern fsck` of the cluster: status, and what it has printed. */
function fsck(args, env = cluster.env) {
	return new Promise(done => execFile(BIN, ["fsck", ...args], { env: { ...process.env, ...env } },
		(error, out, err) => done({ status: error ? error.code : 0, out, err })));
}

const inCeph = (...args) => fsck(
	[...args, "--backend", "rados", "--rados-config", cluster.config, "--rados-id", "admin"], {});

/** Removes the first data object in the pool `data`, as `rados rm` does. */
async function removeData() {
	const script = `
import rados, sys
with rados.Rados(conffile=sys.argv[1]) as cluster, cluster.open_ioctx("data") as io:
    io.remove_object(next(io.list_objects()).key)`;
	await run("/usr/bin/python3", ["-c", script, cluster.config]);
}

cluster.test("a store is whole, with --backend or as the environment says", async () => {
	const done = await inCeph("--json");
	assert.equal(done.status, 0, done.out + done.err);
	const sum = JSON.parse(done.out);
	assert.deepEqual([sum.findings, sum.objects, sum.bytes, sum.buckets, sum.leaks], [0, 2, 200_000, 1, 0]);
	const text = await fsck(["--no-bytes"]);
	assert.equal(text.status, 0, text.err);
	assert.match(text.out, /^checked: 2 objects.* 200000 bytes, which were not read; 1 tablets of 1 buckets/);
});

cluster.test("what cannot be is refused", async () => {
	for (const [args, env, why] of [
		[["--data", "."], cluster.env, /leave out --data/],
		[["--no-bytes"], {}, /--no-bytes is for --store-backend rados/],
		[["--backend", "ceph"], {}, /is local or rados/],
		[[], { ...cluster.env, POSTERN_RADOS_BEAT_MS: "9" }, /POSTERN_RADOS_BEAT_MS: `9` is not a number from 10 to 60000/],
		[["--repair"], { ...cluster.env, POSTERN_RADOS_LEASE_MS: "1s" }, /POSTERN_RADOS_LEASE_MS: `1s` is not a number/],
		[["--rados-config", "/none/ceph.conf"], cluster.env, /the configuration \/none\/ceph\.conf: No such file/],
	]) {
		const done = await fsck(args, env);
		assert.equal(`${done.status} ${done.out}`, "2 ", args.join(" "));
		assert.match(done.err, why);
	}
});

cluster.test("an object without its data is found, and moved aside while the gateway runs", async () => {
	await removeData();
	for (const more of [[], ["--no-bytes"]]) {
		const found = await inCeph(...more);
		assert.equal(found.status, 1);
		assert.match(found.out,
			/^bucket=checked key="(one|two)" version=\S+ object=data\/[0-9a-f]{16}\.00000000 : a chunk of its data is missing\n/);
		assert.match(found.out, /\nfindings: 1\n$/);
	}
	const lost = await inCeph("--repair", "--json");
	assert.equal(lost.status, 1, lost.err);
	const [line, sum] = lost.out.trim().split("\n").map(each => JSON.parse(each));
	assert.deepEqual([line.bucket, line.lost, sum.lost, sum.findings], ["checked", "a chunk of its data is missing", 1, 0]);
	assert.match(sum.aside, /^damaged\.[0-9a-f]{6}$/);
	assert.equal((await inCeph()).status, 0);
	const other = line.key === "one" ? "two" : "one";
	assert.equal((await request(gateway.store, "GET", "checked", line.key)).status, 404);
	assert.equal((await request(gateway.store, "GET", "checked", other)).status, 200);
	assert.equal((await request(gateway.store, "PUT", "checked", line.key, { body: bytes })).status, 200);
	assert.equal((await inCeph()).status, 0);
});
