// SPDX-License-Identifier: Apache-2.0
// On a Ceph cluster where each user needs a key: the rights that docs/on-rados.md says suffice for all that a
// gateway and the commands do, and with fewer it is said what is missing.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { Cluster } from "../lib/ceph.js";
import { metric } from "../lib/memory.js";
import { request } from "../lib/oss.js";
import { BIN, cleanups, pause, temporaryFolder } from "../lib/server.js";
import { assumeRole } from "../lib/sts.js";
import { ok, versionsAt } from "../lib/versions.js";

const all = cleanups();
const cluster = new Cluster(all);
const POOLS = ["index", "small", "data"];
const PAGE = new URL("../../../docs/on-rados.md", import.meta.url);
const SHORT = { POSTERN_RADOS_BEAT_MS: "50", POSTERN_RADOS_EPOCH_MS: "100", POSTERN_RADOS_COLLECT_MS: "100",
	POSTERN_RADOS_SPLIT_OBJECTS: "20", POSTERN_RADOS_DEAD_BEATS: "1000" };
let gateways;

const rights = (right, space = "", pools = POOLS) =>
	pools.map(pool => `allow ${right} pool=${pool}${space && ` namespace=${space}`}`).join(", ");
const as = (id, space = "") => ({ ...cluster.env, POSTERN_RADOS_ID: id, POSTERN_RADOS_NAMESPACE: space });

/** A command, as a user of Ceph. */
function run(env, ...args) {
	return new Promise(done => execFile(BIN, args, { env: { ...process.env, ...env } },
		(error, out, err) => done({ status: error ? error.code : 0, out, err })));
}

before(async () => {
	if (!await cluster.start({ auth: "cephx" }))
		return;
	// These are those of the page.
	await cluster.user("postern", "allow rw pool=index, allow rw pool=small, allow rw pool=data");
	await cluster.user("check", "allow r pool=index, allow r pool=small, allow r pool=data");
	await cluster.user("keys", "allow rw pool=index");
	const env = { ...as("postern"), ...SHORT };
	gateways = [await cluster.startGateway({ env }), await cluster.startGateway({ env })];
});
after(all.run);

cluster.test("the page says what is tested here", async () => {
	const page = (await readFile(PAGE, "utf8")).replace(/ \\?\s+/g, " ").replace(/\s+/g, " ");
	for (const [name, osd] of [["postern", rights("rw")], ["check", rights("r")], ["keys", rights("rw", "", ["index"])]])
		assert.ok(page.includes(`ceph auth get-or-create client.${name} mon 'allow r' osd '${osd}'`), name);
});

const MIB = 1 << 20;
const at = which => versionsAt(() => gateways[which].store);

async function uploadInParts(bucket, key, parts) {
	const { ask } = at(0);
	const { store } = gateways[0];
	const uploadId = (await ok(ask("POST", bucket, key, { uploads: "" }))).xml("UploadId");
	for (const [i, body] of parts.entries())
		await ok(request(store, "PUT", bucket, key, { query: { partNumber: String(i + 1), uploadId }, body }));
	await ok(request(store, "POST", bucket, key,
		{ query: { uploadId }, headers: { "x-oss-complete-all": "yes" }, body: "" }));
}

const append = (bucket, key, position, body) => request(gateways[0].store, "POST", bucket, key,
	{ query: { append: "", position: String(position) }, body });

cluster.test("objects of all sizes and kinds are stored at one gateway, and read at the other", async () => {
	const { put, copy, ask } = at(0);
	const pieces = [randomBytes(MIB), randomBytes(100)];
	// The other one watches, and is told.
	await ok(put("made", "", ""));
	const bodies = { row: randomBytes(100), small: randomBytes(50_000), large: randomBytes(5 * MIB) };
	for (const [key, body] of Object.entries(bodies))
		await ok(put("made", key, body));
	await uploadInParts("made", "parts", pieces);
	await ok(append("made", "log", 0, pieces[0]));
	await ok(append("made", "log", MIB, pieces[1]));
	await ok(copy("made", "/made/large", "copy"));
	const whole = Buffer.concat(pieces);
	for (const [key, body] of Object.entries({ ...bodies, parts: whole, log: whole, copy: bodies.large }))
		assert.ok((await ok(at(1).ask("GET", "made", key))).body.equals(body), key);
	const listed = (await ok(at(1).ask("GET", "made", ""))).text;
	assert.deepEqual([...listed.matchAll(/<Key>(.*?)</g)].map(([, key]) => key),
		["copy", "large", "log", "parts", "row", "small"]);
	await ok(ask("PUT", "made", "row", { acl: "" }, { "x-oss-object-acl": "public-read" }));
});

cluster.test("versions are kept, and a bucket that is empty goes at both", async () => {
	const { versioned, stored, deleted, read, ask } = at(1);
	await versioned("kept");
	const ids = [await stored("kept", "key", "one"), await stored("kept", "key", "two"), await deleted("kept", "key")];
	assert.equal(await read("kept", "key", ids[0]), "one");
	for (const versionId of ids)
		await ok(at(0).ask("DELETE", "kept", "key", { versionId }), 204);
	await ok(ask("DELETE", "kept", ""), 204);
	await ok(at(0).ask("GET", "kept", ""), 404);
});

/** Waits until the gateways together have counted so much. */
async function counted(name, least) {
	for (;;) {
		const counts = await Promise.all(gateways.map(each => metric(each, name)));
		if (counts[0] + counts[1] >= least)
			return;
		await pause(20);
	}
}

cluster.test("tablets are split and merged, and garbage is removed", async () => {
	const { put, ask } = at(0);
	const chunks = async () => (await cluster.rados("small", "ls")).split("\n").filter(Boolean).length;
	const before = await chunks();
	await ok(put("many", "", ""));
	const keys = Array.from({ length: 60 }, (_, i) => `many-${i}`);
	await Promise.all(keys.map(key => ok(put("many", key, randomBytes(10_000)))));
	await counted("store_cluster_splits_total", 1);
	await Promise.all(keys.map(key => ok(ask("DELETE", "many", key), 204)));
	await counted("store_cluster_garbage_removed_total", keys.length);
	await counted("store_cluster_merges_total", 1);
	while (await chunks() !== before)
		await pause(20);
});

cluster.test("keys and temporary keys, with the rights for one pool", async () => {
	const added = await run(as("keys"), "keys", "add");
	assert.equal(added.status, 0, added.err);
	const [id, secret] = ["id", "secret"].map(what => new RegExp(`^access key ${what} +(\\S+)$`, "m").exec(added.out)[1]);
	assert.match((await run(as("postern"), "keys", "list")).out, new RegExp(`^enabled +${id}$`, "m"));
	const accessKey = await assumeRole({ key: { id, secret }, console: gateways[0].console });
	const headers = { "x-oss-security-token": accessKey.token };
	await ok(request(gateways[1].store, "GET", "made", "row", { accessKey, headers }));
	const refused = await run(as("check"), "keys", "add");
	assert.equal(refused.status, 1);
	assert.match(refused.err, /changing ceph:documents: Operation not permitted: docs\/on-rados\.md says what rights/);
});

cluster.test("who may only read checks the store, and the gateway's user repairs it", async () => {
	const found = await run(as("check"), "fsck", "--json");
	assert.equal(found.status, 0, found.out + found.err);
	assert.equal(JSON.parse(found.out).objects, 6);
	const refused = await run(as("check"), "fsck", "--repair");
	assert.equal(refused.status, 2);
	assert.match(refused.err, /Operation not permitted: docs\/on-rados\.md says what rights/);
	const lost = (await cluster.rados("data", "ls")).split("\n")[0];
	await cluster.rados("data", "rm", lost);
	const repaired = await run(as("postern"), "fsck", "--repair", "--json");
	assert.equal(repaired.status, 1, repaired.err);
	assert.match(repaired.out, /"lost":"a chunk of its data is missing"/);
	assert.equal((await run(as("check"), "fsck")).status, 0);
});

cluster.test("a store is copied from Ceph, and into it, with the rights of a gateway", async t => {
	const folder = `local:${join(await temporaryFolder(t), "copy")}`;
	for (const [from, to] of [["rados:", folder], [folder, "rados:copied"]]) {
		const copied = await run(as("postern"), "copy", "--from", from, "--to", to);
		assert.equal(copied.status, 0, copied.err);
		assert.match(copied.out, /^copied: 5 versions/m);
	}
	assert.match((await run(as("check"), "copy", "--from", "rados:", "--to", folder)).err, /it needs the rights/);
});

cluster.test("the rights can be for one namespace, and are for no other", async () => {
	await cluster.user("tenant", rights("rw", "tenant"));
	await cluster.user("look", rights("r", "tenant"));
	const gateway = await cluster.startGateway({ env: { ...as("tenant", "tenant"), ...SHORT } });
	const { put, read } = versionsAt(() => gateway.store);
	await ok(put("own", "", ""));
	await ok(put("own", "key", "hello"));
	await ok(put("own", "large", randomBytes(5 * MIB)));
	assert.equal(await read("own", "key"), "hello");
	const checked = await run(as("look", "tenant"), "fsck", "--json");
	assert.equal(checked.status, 0, checked.err);
	assert.equal(JSON.parse(checked.out).objects, 2);
	for (const user of ["tenant", "look"])
		assert.equal((await run(as(user), "fsck")).status, 2, user);
});

cluster.test("a gateway whose user may not do all of it does not start, and says what is missing", async () => {
	const needs = space => new RegExp(`needs the rights mon 'allow r' osd '${rights("rw", space)}', which .ceph auth caps. gives`);
	await cluster.user("nosmall", rights("rw", "", ["index", "data"]));
	await cluster.user("reads", `allow rw pool=index, ${rights("r", "", ["small", "data"])}`);
	await cluster.user("writes", `${rights("rw", "", ["index", "small"])}, allow w pool=data`);
	for (const [id, space, pool] of [
		["check", "", "index"],
		["nosmall", "", "small"],
		["reads", "", "small"],
		["writes", "", "data"],
		["tenant", "", "index"],
		["tenant", "other", "index"],
	]) {
		await assert.rejects(cluster.startGateway({ env: as(id, space) }), error => {
			assert.match(error.message, /exit status 1/);
			assert.ok(error.message.includes(`client.${id} may not read and change what is in the pool ${pool};`), error.message);
			assert.match(error.message, needs(space));
			return true;
		});
	}
	await assert.rejects(cluster.startGateway({ env: { ...as("postern"), POSTERN_RADOS_DATA_POOL: "none" } }),
		/there is no pool none; make it with: ceph osd pool create none/);
	await cluster.user("nomon", rights("rw"), "");
	for (const id of ["stranger", "nomon"]) {
		await assert.rejects(cluster.startGateway({ env: as(id) }),
			new RegExp(`client\\.${id} is not let in: .* ceph auth get client\\.${id}\n`));
	}
});
