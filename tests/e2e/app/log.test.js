// SPDX-License-Identifier: Apache-2.0
// The log: one line a request, in which a grant is found again from its beginning to its end, also as
// JSON; and the trace that an upload is part of, which is passed on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { events, SECRET, startAt } from "../lib/events.js";
import { json } from "../lib/credentials.js";
import { postForm } from "../lib/oss.js";
import { ask, begin, path, put, startWith, until } from "../lib/parts.js";
import { startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

/** What is no trace: another length, no trace's id, other digits. */
const NONE = [undefined, `${TRACE}0`, "00-00000000000000000000000000000000-00f067aa0ba902b7-01", TRACE.toUpperCase()];

/** Uploads with a grant of its own, whose id it returns. */
async function upload(at, headers = {}) {
	const { id, dir, fields } = await json(`${at.app}/grant`);
	const got = await postForm(at.store, { key: `${dir}${id}`, ...fields }, FILE, { headers });
	assert.equal(got.status, 200, got.text);
	return id;
}

/** What the lines of the log say, which are JSON. */
const objectsOf = at => at.log.split("\n").filter(line => line).map(line => JSON.parse(line));

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
	assert.match(at.log, new RegExp(`method="DELETE" .* grant=${begun.id}\n`));
	assert.doesNotMatch(at.log, /grant=.* grant=/);
	assert.ok(!at.log.includes(begun.uploadId));
	const [line] = at.log.split("\n").filter(one => /service=app .*method="DELETE"/.test(one));
	assert.equal(line.split(` grant=${begun.id}`).length, 2, `its grant, once: ${line}`);
});

test("what is behind the question mark of a URL is not in the log", async t => {
	const backEnd = await startSink(t, says("{}"));
	const url = `${backEnd.url}/hook?token=hidden`;
	const at = await startServer(t, { env: { POSTERN_SERVER_LOG_LEVEL: "debug", POSTERN_APP_WEBHOOK_URL: url, POSTERN_APP_EVENTS_URL: url, POSTERN_APP_EVENTS_SECRET: SECRET,
		POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: url, POSTERN_APP_KEY_URLS: "http://a.example/?hidden http://b.example/" } });
	await upload(at);
	await at.logged(/target="\/grant" status=200/);
	assert.equal(backEnd.requests[0].url, "/hook?token=hidden");
	assert.ok(at.log.includes(`option app.webhook_url="${backEnd.url}/hook?***"`));
	assert.match(at.log, /option app.key_urls="http:\/\/a.example\/\?\*\*\* http:\/\/b.example\/"/);
	assert.doesNotMatch(at.log, /hidden/);
});

test("as JSON each line is an object", async t => {
	const at = await startServer(t, { env: { POSTERN_SERVER_LOG_FORMAT: "json" } });
	const id = await upload(at);
	const objects = () => objectsOf(at);
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
	for (const [sent, passed] of [[TRACE, TRACE], ...NONE.map(none => [none])]) {
		await upload(at, sent ? { traceparent: sent } : {});
		assert.equal(backEnd.requests.at(-1).headers.traceparent, passed, sent);
	}
	assert.equal(backEnd.requests.length, 5);
});

test("the trace of an upload, and its grant, go on to its event", async t => {
	const backEnd = await startSink(t, says("", 204));
	const at = await startAt(t, backEnd.url, { POSTERN_SERVER_LOG_FORMAT: "json" });
	const id = await upload(at, { traceparent: TRACE });
	await until("it is delivered", () => backEnd.requests.length === 1);
	const [{ headers, body }] = backEnd.requests;
	const event = JSON.parse(body);
	assert.deepEqual([headers.traceparent, event.traceparent, event.data.traceparent], [TRACE, TRACE, TRACE]);
	assert.match(await events(at, "show", "1"), new RegExp(`"traceparent":"${TRACE}"`));
	const lines = () => objectsOf(at).filter(line => line.grant === id);
	await until("its lines", () => lines().length === 3);
	const delivered = lines().find(line => line.event);
	assert.deepEqual([delivered.level, delivered.event, delivered.sequence, delivered.message], ["info", event.id, "1", "delivered"]);
	for (const none of NONE) {
		const count = backEnd.requests.length;
		await upload(at, none ? { traceparent: none } : {});
		await until("it is delivered", () => backEnd.requests.length > count);
		assert.equal(backEnd.requests[count].headers.traceparent, undefined, none);
		assert.doesNotMatch(String(backEnd.requests[count].body), /traceparent/);
	}
});

test("the trace goes on to the event of what was refused, and of an upload in parts", async t => {
	const backEnd = await startSink(t, says("", 204));
	const at = await startWith(t, "[app]\nchecks = object type\n", { POSTERN_APP_EVENTS_URL: backEnd.url, POSTERN_APP_EVENTS_SECRET: SECRET });
	const { dir, fields } = await json(`${at.app}/grant`);
	const html = { name: "a.png", type: "image/png", content: "<!DOCTYPE html><html><script>alert(1)</script></html>" };
	const refused = await postForm(at.store, { key: `${dir}a.png`, ...fields }, html, { headers: { traceparent: TRACE } });
	assert.equal(refused.status, 203, refused.text);
	const parts = await begin(at);
	const { part } = await put(at, parts, 1, "hello");
	const done = await ask(at, "POST", path(parts, "/complete"), { parts: [part] }, { traceparent: TRACE });
	assert.equal(done.status, 200, JSON.stringify(done.json));
	await until("both are delivered", () => backEnd.requests.length === 2);
	const told = backEnd.requests.map(({ body }) => JSON.parse(body)).map(({ type, traceparent }) => [type, traceparent]);
	assert.deepEqual(told.sort(), [["postern.grant.rejected", TRACE], ["postern.upload.confirmed", TRACE]]);
});
