// SPDX-License-Identifier: Apache-2.0
// Two gateways on one Ceph cluster: what one acknowledges the other serves, and one may die.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before } from "node:test";
import { Cluster } from "../lib/ceph.js";
import { until } from "../lib/memory.js";
import { listObjects, request, send } from "../lib/oss.js";
import { cleanups, pause, temporaryFolder } from "../lib/server.js";
import { presignV4, target } from "../lib/sign.js";

const all = cleanups();
const cluster = new Cluster(all);
const gateways = [];

before(async () => {
	if (!await cluster.start())
		return;
	gateways.push(await cluster.startGateway(), await cluster.startGateway());
	assert.equal((await request(gateways[0].store, "PUT", "shared")).status, 200);
});
after(all.run);

const testOnCeph = (name, body) => cluster.test(name, body);

const put = (gateway, key, body) => request(gateway.store, "PUT", "shared", key, { body });
const get = (gateway, key) => request(gateway.store, "GET", "shared", key);

testOnCeph("what one gateway acknowledges the other serves, small and large", async () => {
	for (const size of [0, 100, 5000, 100_000, 9_000_000]) {
		const body = randomBytes(size);
		assert.equal((await put(gateways[0], `object-${size}`, body)).status, 200);
		const answer = await get(gateways[1], `object-${size}`);
		assert.equal(answer.status, 200);
		assert.ok(body.equals(answer.body), `the bytes of ${size}`);
	}
	const keys = await listObjects(gateways[1].store, "shared");
	assert.equal(keys.length, 5);
	assert.equal((await request(gateways[1].store, "DELETE", "shared", "object-100")).status, 204);
	assert.equal((await get(gateways[0], "object-100")).status, 404);
});

testOnCeph("a range of a large object is served", async () => {
	const body = randomBytes(6_000_000);
	await put(gateways[0], "large", body);
	const answer = await request(gateways[1].store, "GET", "shared", "large",
		{ headers: { range: "bytes=4194300-4194309" } });
	assert.equal(answer.status, 206);
	assert.ok(body.subarray(4194300, 4194310).equals(answer.body));
});

testOnCeph("settings of a bucket are those of both", async () => {
	const acl = { headers: { "x-oss-acl": "public-read" }, query: { acl: "" } };
	assert.equal((await request(gateways[1].store, "PUT", "shared", "", acl)).status, 200);
	await put(gateways[1], "open", "for all");
	assert.equal((await send(`${gateways[0].store}/shared/open`)).status, 200);
});

/** A metric of a gateway; its labels are part of the name. */
async function metric(gateway, name) {
	const metrics = (await send(`${gateway.console}/metrics`)).body.toString();
	const line = metrics.split("\n").find(line => line.startsWith(`postern_${name} `));
	assert.ok(line, `${name} in\n${metrics}`);
	return Number(line.split(" ")[1]);
}

testOnCeph("they are ready, and the sandbox is in nobody's way", async () => {
	for (const gateway of gateways) {
		assert.equal(await becomes(gateway, 200), "ready\n");
		const metrics = (await send(`${gateway.console}/metrics`)).body.toString();
		assert.match(metrics, /^postern_sandbox_refused_total 0$/m);
		assert.match(metrics, /^postern_store_refusing 0$/m);
		assert.match(metrics, /^postern_store_cluster_tablets 1$/m);
		assert.match(metrics, /^postern_store_cluster_unheard_seconds \d+$/m);
		for (const queue of ["changes", "reads"])
			assert.match(metrics, new RegExp(`^postern_store_cluster_waiting\\{queue="${queue}"\\} \\d+$`, "m"));
		for (const name of ["lost", "splits", "garbage_removed"])
			assert.match(metrics, new RegExp(`^postern_store_cluster_${name}_total \\d+$`, "m"));
		// The first hears of the second at its next beat.
		while (await metric(gateway, "store_cluster_gateways") !== 2)
			await pause(50);
	}
});

testOnCeph("operations are counted by what they are, with their results and their time", async () => {
	const name = (operation, result) =>
		`store_cluster_operations_total{operation="${operation}",result="${result}"}`;
	const seconds = operation => `store_cluster_operation_seconds_sum{operation="${operation}"}`;
	const gateway = gateways[0];
	const kinds = ["read_rows", "change_rows", "write_data", "read_data"];
	const before = await Promise.all(kinds.map(kind => metric(gateway, name(kind, "done"))));
	const took = await Promise.all(kinds.map(kind => metric(gateway, seconds(kind))));
	assert.equal((await put(gateway, "counted", randomBytes(100_000))).status, 200);
	assert.equal((await get(gateway, "counted")).status, 200);
	for (const [i, kind] of kinds.entries()) {
		assert.ok(await metric(gateway, name(kind, "done")) > before[i], kind);
		assert.ok(await metric(gateway, seconds(kind)) > took[i], kind);
	}
	const had = new Set((await rados("ls")).split("\n"));
	const missing = await metric(gateway, name("read_data", "missing"));
	assert.equal((await put(gateway, "lost", randomBytes(100_000))).status, 200);
	await rados("rm", (await rados("ls")).split("\n").find(chunk => !had.has(chunk)));
	assert.equal((await get(gateway, "lost")).status, 500);
	assert.ok(await metric(gateway, name("read_data", "missing")) > missing);
});

/** Says something to Ceph's own tool about the pool `data`. */
const rados = (...words) => cluster.rados("data", ...words);

testOnCeph("bytes that somebody else has written are never an answer", async t => {
	const had = new Set((await rados("ls")).split("\n"));
	await put(gateways[0], "damaged", randomBytes(9_000_000));
	const chunks = (await rados("ls")).split("\n").filter(name => name && !had.has(name)).sort();
	assert.equal(chunks.length, 3);
	const other = join(await temporaryFolder(t), "other");
	await writeFile(other, randomBytes(4_194_304 + 512));
	await rados("put", chunks[1], other);
	// The first chunk is whole: the head has left before the second is read.
	await assert.rejects(get(gateways[1], "damaged"), "the download breaks off");
	await rados("put", chunks[0], other);
	assert.equal((await get(gateways[1], "damaged")).status, 500);
	await rados("rm", chunks[0]);
	assert.equal((await get(gateways[1], "damaged")).status, 500);
});

testOnCeph("one may be killed, and nothing is lost", async () => {
	const doomed = await cluster.startGateway();
	const acknowledged = [];
	let killed;
	for (let i = 0;; i++) {
		const answer = await put(doomed, `doomed-${i}`, `body ${i}`).catch(() => undefined);
		if (answer?.status !== 200)
			break;
		acknowledged.push(i);
		if (i === 20)
			killed = doomed.kill();
	}
	await killed;
	assert.ok(acknowledged.length > 20);
	for (const i of acknowledged)
		assert.equal((await get(gateways[0], `doomed-${i}`)).body.toString(), `body ${i}`);
	assert.equal((await put(gateways[1], "after", "it")).status, 200);
});

/** Asks until the answer is that. */
async function becomes(gateway, status) {
	for (;;) {
		const answer = await send(`${gateway.console}/ready`);
		if (answer.status === status)
			return answer.body.toString();
		await pause(100);
	}
}

testOnCeph("a gateway is not ready while Ceph does not answer, and then again", async () => {
	const osd = Number(await readFile(join(cluster.folder, "osd.0.pid"), "utf8"));
	process.kill(osd, "SIGSTOP");
	const reads = [];
	try {
		for (let i = 0; i < 30; i++)
			reads.push(request(gateways[0].store, "GET", "shared", "again"));
		while (await metric(gateways[0], 'store_cluster_waiting{queue="reads"}') === 0)
			await pause(20);
		const why = await becomes(gateways[0], 503);
		assert.match(why, /^not ready: the store cannot be reached: Ceph does not answer$/m);
		assert.equal(await metric(gateways[0], "store_refusing"), 1);
	} finally {
		process.kill(osd, "SIGCONT");
	}
	assert.equal(await becomes(gateways[0], 200), "ready\n");
	for (const read of reads)
		assert.equal((await read).status, 404);
	assert.equal(await metric(gateways[0], 'store_cluster_waiting{queue="reads"}'), 0);
	assert.equal((await put(gateways[0], "again", "it")).status, 200);
});

testOnCeph("one that Ceph does not let in any more ends", async t => {
	const before = await cluster.addresses();
	const blocked = await cluster.startGateway({ data: await temporaryFolder(t) });
	for (const address of await cluster.addresses())
		if (!before.includes(address))
			await cluster.block(address);
	assert.equal(await blocked.gone, 1);
	await blocked.kill();
	assert.match(blocked.log, /does not let this gateway in any more: its address is on the blocklist/);
	assert.equal((await put(gateways[0], "unblocked", "it")).status, 200);
});

testOnCeph("one that was taken for dead ends, and goes on when it is started again", async t => {
	const data = await temporaryFolder(t);
	const expelled = await cluster.startGateway({ data });
	const acknowledged = [];
	let ends = false;
	const writes = (async () => {
		for (let i = 0; !ends; i++) {
			const answer = await put(expelled, `expelled-${i}`, `body ${i}`).catch(() => undefined);
			if (answer?.status === 200)
				acknowledged.push(i);
			else
				await pause(10);
		}
	})();
	try {
		while (acknowledged.length < 20)
			await pause(10);
		await cluster.expel();
		assert.equal(await expelled.gone, 1);
	} finally {
		ends = true;
		await writes;
		await expelled.kill();
	}
	assert.match(expelled.log, /the others have taken this gateway for dead/);
	assert.match(expelled.log, /this process ends, with status 1, and has to be started again/);
	for (const i of acknowledged)
		assert.equal((await get(gateways[0], `expelled-${i}`)).body.toString(), `body ${i}`);
	const anew = await cluster.startGateway({ data });
	assert.equal((await put(anew, "anew", "it")).status, 200);
	assert.equal((await get(gateways[1], "anew")).body.toString(), "it");
});

/** Connections that ask for it and read nothing: each gets what the kernel's buffers take. */
function readSlowly(t, gateway, path, count) {
	const sockets = [];
	t.after(async () => sockets.forEach(one => one.destroy()));
	for (let i = 0; i < count; i++) {
		const socket = connect({ host: "127.0.0.1", port: Number(new URL(gateway.store).port) });
		sockets.push(socket);
		socket.on("error", () => undefined);
		socket.pause();
		socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
	}
}

testOnCeph("who reads slowly does not keep others out", async t => {
	const body = randomBytes(32 << 20);
	assert.equal((await put(gateways[0], "slow", body)).status, 200);
	const gateway = await cluster.startGateway({ env: { POSTERN_SERVER_MEMORY: String(32 << 20) } });
	const url = target("shared", "slow", presignV4({ bucket: "shared", key: "slow", seconds: 600 }));
	readSlowly(t, gateway, url, 40);
	await until("they hold memory", async () => await metric(gateway, "memory_signed_bytes") > 5 << 20);
	for (let i = 0; i < 10; i++)
		assert.equal((await put(gateway, `beside-${i}`, body.subarray(0, 3 << 20))).status, 200);
	const answer = await get(gateway, "slow");
	assert.ok(body.equals(answer.body), "who reads gets all of it");
});

testOnCeph("what strangers read is none of the memory of signed requests", async t => {
	await put(gateways[0], "open-slow", randomBytes(32 << 20));
	assert.equal((await request(gateways[0].store, "PUT", "shared", "open-slow",
		{ query: { acl: "" }, headers: { "x-oss-object-acl": "public-read" } })).status, 200);
	const gateway = await cluster.startGateway({ env: { POSTERN_SERVER_MEMORY: String(32 << 20) } });
	readSlowly(t, gateway, "/shared/open-slow", 40);
	await until("they hold memory", async () => await metric(gateway, "memory_strangers_bytes") > 2 << 20);
	assert.ok(await metric(gateway, "memory_signed_bytes") < 1 << 20);
});
