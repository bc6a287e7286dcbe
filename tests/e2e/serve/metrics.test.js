// SPDX-License-Identifier: Apache-2.0
// What /metrics says can be read by Prometheus, and how long requests took is in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../lib/http.js";
import { until } from "../lib/memory.js";
import { request, send } from "../lib/oss.js";
import { pause, startServer } from "../lib/server.js";
import { presignV4, target } from "../lib/sign.js";

const SAMPLE = /^([a-z_]+)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? (\d+(?:\.\d+)?)$/;

/** All samples, by name and labels; each has its type and help before it, once. */
async function metrics(server) {
	const { text, headers } = await send(`${server.console}/metrics`);
	assert.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
	assert.ok(text.endsWith("\n"));
	const samples = new Map(), types = new Map();
	let named;
	for (const line of text.slice(0, -1).split("\n")) {
		const [, what, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
		if (what === "HELP") {
			named = name;
		} else if (what === "TYPE") {
			assert.equal(name, named, line);
			assert.ok(!types.has(name), `${name} twice`);
			types.set(name, rest);
		} else {
			const [, sample, labels = "", value] = SAMPLE.exec(line) ?? assert.fail(line);
			const of = types.get(named) === "histogram" ? sample.replace(/_(bucket|sum|count)$/, "") : sample;
			assert.equal(of, named, line);
			assert.ok(!samples.has(`${sample}{${labels}}`), line);
			samples.set(`${sample}{${labels}}`, Number(value));
		}
	}
	return samples;
}

/** The counts of its buckets, by their bounds, and the whole. */
function histogram(samples, name, label) {
	const buckets = [...samples].flatMap(([key, value]) => {
		const le = key.startsWith(`${name}_bucket{${label},`) && /le="([^"]+)"/.exec(key)?.[1];
		return le ? [[le, value]] : [];
	});
	return { buckets: new Map(buckets), count: samples.get(`${name}_count{${label}}`), sum: samples.get(`${name}_sum{${label}}`) };
}

const latency = (samples, service) => histogram(samples, "postern_request_seconds", `service="${service}"`);

test("how long requests took, by service", async t => {
	const server = await startServer(t, { command: "store" });
	assert.equal((await request(server.store, "PUT", "uploads")).status, 200);
	for (let i = 0; i < 9; i++)
		assert.equal((await request(server.store, "PUT", "uploads", `k${i}`, { body: "x" })).status, 200);
	const slow = await connect(server.store);
	const url = target("uploads", "slow", presignV4({ method: "PUT", bucket: "uploads", key: "slow" }));
	await slow.send(`PUT ${url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n`);
	assert.equal((await slow.response()).status, 100, "its head has been read");
	await pause(1100);
	await slow.send("x");
	assert.equal((await slow.response()).status, 200);
	slow.destroy();
	// A request is counted when its answer has been sent, which its client may have before.
	await until("all are counted", async () => latency(await metrics(server), "store").count === 11);
	const samples = await metrics(server);
	for (const service of ["store", "operations"]) {
		const { buckets, count, sum } = latency(samples, service);
		const bounds = [...buckets.keys()];
		assert.deepEqual([bounds.length, bounds[0], bounds.at(-1)], [14, "0.001", "+Inf"]);
		const counts = [...buckets.values()];
		assert.deepEqual(counts, [...counts].sort((a, b) => a - b), "each has what is in the one before");
		assert.equal(counts.at(-1), count);
		assert.ok(sum >= 0);
	}
	const { buckets, count, sum } = latency(samples, "store");
	assert.equal(count, 11);
	assert.ok(buckets.get("1") < count && sum >= 1, "the slow one took more than a second");
	assert.equal(latency(samples, "app").count, undefined, "there is no application server");
});

test("with an application server", async t => {
	const server = await startServer(t);
	assert.equal((await send(`${server.app}/grant`)).status, 200);
	await until("it is counted", async () => latency(await metrics(server), "app").count === 1);
});
