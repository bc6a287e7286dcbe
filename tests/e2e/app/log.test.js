// SPDX-License-Identifier: Apache-2.0
// The log: one line a request, in which a grant is found again from its beginning to its end, also as
// JSON; and the trace that an upload is part of, which is passed on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../lib/credentials.js";
import { postForm } from "../lib/oss.js";
import { until } from "../lib/parts.js";
import { startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

/** Uploads with a grant of its own, whose id it returns. */
async function upload(at, headers = {}) {
	const { id, dir, fields } = await json(`${at.app}/grant`);
	const got = await postForm(at.store, { key: `${dir}${id}`, ...fields }, FILE, { headers });
	assert.equal(got.status, 200, got.text);
	return id;
}

test("a grant is found in all lines about it", async t => {
	const at = await startServer(t);
	const id = await upload(at);
	const lines = () => at.log.split("\n").filter(line => line.includes(`grant=${id}`));
	await until("its lines", () => lines().length === 2);
	assert.match(lines()[0], /method="GET" target="\/grant" status=200 /);
	assert.match(lines()[1], /service=app .*method="POST" target="\/" status=200 /);
});

test("who reads the log cannot go on with an upload in parts", async t => {
	const at = await startServer(t);
	const begun = await json(`${at.app}/s3/multipart`, "POST", { filename: "a.txt" });
	const gone = await json(`${at.app}/s3/multipart/${begun.uploadId}?${new URLSearchParams({ key: begun.key })}`, "DELETE");
	assert.equal(gone.status, 200);
	await at.logged(/method="DELETE" target="\/s3\/multipart\/\*\*\*\?key=/);
	assert.ok(!at.log.includes(begun.uploadId));
});

test("as JSON each line is an object", async t => {
	const at = await startServer(t, { env: { POSTERN_SERVER_LOG_FORMAT: "json" } });
	const id = await upload(at);
	const objects = () => at.log.split("\n").filter(line => line).map(line => JSON.parse(line));
	await until("its lines", () => objects().filter(line => line.grant === id).length === 2);
	const [asked, calledBack] = objects().filter(line => line.grant === id);
	assert.match(asked.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.deepEqual([asked.level, asked.service, asked.method, asked.target, asked.status, asked.in],
		["info", "app", "GET", "/grant", 200, 0]);
	assert.equal(calledBack.method, "POST");
	assert.ok(objects().some(line => /^memory for clients/.test(line.message)), "a line without members");
});

test("the trace of an upload goes on to the webhook", async t => {
	const backEnd = await startSink(t, says("{}"));
	const at = await startServer(t, { env: { POSTERN_APP_WEBHOOK_URL: backEnd.url } });
	for (const [sent, passed] of [[TRACE, TRACE], [undefined, undefined], [`${TRACE}0`, undefined],
		["00-00000000000000000000000000000000-00f067aa0ba902b7-01", undefined], [TRACE.toUpperCase(), undefined]]) {
		await upload(at, sent ? { traceparent: sent } : {});
		assert.equal(backEnd.requests.at(-1).headers.traceparent, passed, sent);
	}
	assert.equal(backEnd.requests.length, 5);
});
