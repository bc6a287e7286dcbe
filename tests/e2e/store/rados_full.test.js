// SPDX-License-Identifier: Apache-2.0
// A Ceph cluster that is full, and has room again.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Cluster } from "../lib/ceph.js";
import { metric as metricOf } from "../lib/metrics.js";
import { request, send } from "../lib/oss.js";
import { cleanups, pause } from "../lib/server.js";
import { ok, versionsAt } from "../lib/versions.js";

const all = cleanups();
const cluster = new Cluster(all);
const SHORT = { POSTERN_RADOS_BEAT_MS: "50", POSTERN_RADOS_EPOCH_MS: "100", POSTERN_RADOS_COLLECT_MS: "100",
	POSTERN_RADOS_DEAD_BEATS: "1000" };
const LARGE = Buffer.alloc(200_000, "large");
let gateway;

before(async () => {
	if (await cluster.start())
		gateway = await cluster.startGateway({ env: SHORT });
});
after(all.run);

const at = versionsAt(() => gateway.store);

/** Waits until something is so: Ceph needs seconds to see that it is full, and that it is no longer. */
async function until(what, wanted) {
	for (const end = Date.now() + 60_000; ;) {
		const is = await what();
		if (is === wanted)
			return;
		assert.ok(Date.now() < end, `${is}, not ${wanted}`);
		await pause(100);
	}
}

cluster.test("when Ceph is full, what needs room is refused and all else goes on; and then there is room again", async () => {
	const metric = name => metricOf(gateway, `store_cluster_${name}`);
	await ok(at.ask("PUT", "full", ""));
	await ok(at.put("full", "large", LARGE));
	await ok(at.put("full", "small", "small"));
	const upload = (await ok(at.ask("POST", "full", "parts", { uploads: "" }))).xml("UploadId");
	assert.equal(await metric("full"), 0);

	await cluster.osd("injectfull", "full", "1000000");
	await until(() => metric("full"), 1);
	for (const [what, answer] of Object.entries({
		"a large object": await at.put("full", "more", LARGE),
		"a small one": await at.put("full", "more", "small"),
		"one that is there": await at.put("full", "small", "SMALL"),
		"a part": await at.ask("PUT", "full", "parts", { uploadId: upload, partNumber: "1" }),
		"an upload": await at.ask("POST", "full", "more", { uploads: "" }),
		"tags": await request(gateway.store, "PUT", "full", "small", { query: { tagging: "" },
			body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>" }),
		"a bucket": await at.ask("PUT", "another", ""),
	}))
		assert.equal(answer.status, 507, `${what}: ${answer.text}`);
	assert.equal(await at.read("full", "small"), "small");
	assert.equal(await at.read("full", "large"), LARGE.toString());
	assert.match((await ok(at.ask("GET", "full", ""))).text, /<Key>large<\/Key>.*<Key>small<\/Key>/s);
	assert.equal((await send(`${gateway.console}/ready`)).status, 200, "for what it can do");
	await ok(at.ask("DELETE", "full", "parts", { uploadId: upload }), 204);
	await ok(at.ask("DELETE", "full", "large"), 204);
	await ok(at.ask("DELETE", "full", "small"), 204);
	await until(async () => await metric("garbage_removed_total") >= 1, true);

	await cluster.osd("injectfull", "none");
	await until(() => metric("full"), 0);
	await ok(at.put("full", "again", LARGE));
	assert.equal(await at.read("full", "again"), LARGE.toString());
	assert.equal(gateway.log.match(/the pool of the index is full/g).length, 1, "said once");
});
