// SPDX-License-Identifier: Apache-2.0
// Uploads in parts stay within what was allowed, whatever order the requests come in.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { getObject, request, send } from "../lib/oss.js";
import { PART, ask, begin, complete, openUploads, path, put, startWith, stateOf, until }
	from "../lib/parts.js";
import { cleanups } from "../lib/server.js";
import { says, startProxy, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const CONFIG = `
[app]
max_size = ${3 * PART}

[profile small]
max_size = 10

[profile least]
min_size = 3
`;
const SMALL = { metadata: { profile: "small" } };

let server;

before(async () => {
	server = await startWith(all, CONFIG);
});

const md5 = bytes => `"${createHash("md5").update(bytes).digest("hex").toUpperCase()}"`;

test("a part that takes another's place between the sum and the completion is not completed", async t => {
	const large = Buffer.alloc(11, "x");
	let at, swap = async () => {};
	const proxy = await startProxy(t, () => at?.store, async (method, url) => {
		if (method === "GET" && url.includes("max-parts"))
			await swap();
	});
	at = await startWith(t, CONFIG, { POSTERN_APP_STORE_URL: `${proxy.url}/uploads` });
	const upload = await begin(at, SMALL);
	assert.equal((await put(at, upload, 1, "abc")).status, 200);
	const { json } = await ask(at, "GET", path(upload, "/1"));
	swap = async () => {
		swap = async () => {};
		assert.equal((await send(json.url, "PUT", {}, large)).status, 200);
	};
	const got = await complete(at, upload, [{ PartNumber: 1, ETag: md5(large) }]);
	assert.deepEqual([got.status, got.json.error], [409, "invalid_parts"]);
	assert.equal(await getObject(at.store, upload.key), null);
});

test("parts that are not named count for nothing", async () => {
	const upload = await begin(server, { metadata: { profile: "least" } });
	const { part: first } = await put(server, upload, 1, "ab");
	const { part: second } = await put(server, upload, 2, "cd");
	for (const parts of [[first], [second]])
		assert.equal((await complete(server, upload, parts)).json.error, "size_refused");
	assert.equal(await getObject(server.store, upload.key), null);
});

test("a part that is named and not there is an error", async () => {
	const upload = await begin(server);
	const { part } = await put(server, upload, 2, "abc");
	for (const parts of [[{ ...part, PartNumber: 1 }], [part, { ...part, PartNumber: 3 }],
		[{ ...part, PartNumber: 1 }, part], [{ ...part, ETag: md5("abd") }]]) {
		const got = await complete(server, upload, parts);
		assert.deepEqual([got.status, got.json.error], [409, "invalid_parts"]);
	}
	for (const parts of [[part, part], [part, { ...part, PartNumber: 1 }]])
		assert.equal((await complete(server, upload, parts)).status, 400, "out of order");
	const lower = { ...part, ETag: part.ETag.toLowerCase() };
	assert.equal((await complete(server, upload, [lower])).status, 200);
});

test("the list is no longer than the upload can have parts", async () => {
	const upload = await begin(server, SMALL);
	const { part } = await put(server, upload, 1, "abc");
	assert.equal((await complete(server, upload, [part], { more: "x".repeat(1024) })).status, 413);
	assert.equal((await complete(server, upload, [part])).status, 200);
});

test("what is signed and not there yet is counted", async () => {
	const upload = await begin(server);
	const numbers = Array.from({ length: 65 }, (_, i) => i % 3 + 1).join();
	const { json } = await ask(server, "GET", path(upload, "/batch", { partNumbers: numbers }));
	for (const url of Object.values(json.presignedUrls))
		assert.equal((await send(url, "PUT", {}, Buffer.alloc(PART + 1))).status, 200);
	assert.equal((await ask(server, "GET", path(upload, "/1"))).json.error, "size_refused");
	assert.ok(!(await openUploads(server)).includes(upload.key), "it is aborted");
});

test("an object that is larger than was allowed is not believed, whoever made it", async () => {
	const upload = await begin(server, SMALL);
	await request(server.store, "DELETE", "uploads", upload.key, { query: {
		uploadId: Buffer.from(upload.uploadId.split(".")[4], "base64url").toString() } });
	const made = await request(server.store, "PUT", "uploads", upload.key,
		{ body: "eleven byte", headers: { "x-oss-meta-grant": upload.id } });
	assert.equal(made.status, 200, made.text);
	const got = await complete(server, upload, [{ PartNumber: 1, ETag: md5("x") }]);
	assert.deepEqual([got.status, got.json.error], [403, "size_refused"]);
	const { state, reason, uploads } = await stateOf(server, upload);
	assert.deepEqual([state, reason, uploads],
		["rejected", `the object is larger than was allowed: ${upload.key}`, 0]);
});

test("nor if a callback tells of it", async () => {
	const { json: form } = await ask(server, "GET", "/params?filename=a&metadata%5Bprofile%5D=small");
	const made = await request(server.store, "PUT", "uploads", form.fields.key,
		{ body: "eleven byte", headers: { "x-oss-meta-grant": form.id,
			"x-oss-callback": form.fields.callback } });
	assert.equal(made.status, 203, made.text);
	const { state, reason } = await stateOf(server, form);
	assert.deepEqual([state, reason], ["rejected", `the object is larger than was allowed: ${form.fields.key}`]);
});

test("nor if it is found", async t => {
	const receiver = await startSink(t, says("{}", 500));
	const at = await startWith(t, `${CONFIG.replace("[app]", `[app]
expire_seconds = 10
reconcile_seconds = 1`)}`, { POSTERN_APP_CALLBACK_URL: `${receiver.url}/lost`,
		POSTERN_STORE_CALLBACK_ALLOW: receiver.url.slice("http://".length) });
	const { json: form } = await ask(at, "GET", "/params?filename=a&metadata%5Bprofile%5D=small");
	await request(at.store, "PUT", "uploads", form.fields.key,
		{ body: "eleven byte", headers: { "x-oss-meta-grant": form.id } });
	await until("it is rejected", async () => (await stateOf(at, form)).state !== "issued");
	const { state, reason, uploads } = await stateOf(at, form);
	assert.deepEqual([state, reason, uploads],
		["rejected", `the object is larger than was allowed: ${form.fields.key}`, 0]);
});

test("an upload that cannot be written down does not begin", async t => {
	const at = await startWith(t, CONFIG.replace("[app]", "[app]\ngrants_max = 1"));
	const { key } = await begin(at);
	const got = await ask(at, "POST", "/multipart", { filename: "film.txt" });
	assert.deepEqual([got.status, got.json.error], [503, "unavailable"]);
	assert.ok(got.headers["retry-after"]);
	assert.deepEqual(await openUploads(at), [key]);
	const none = await startWith(t, CONFIG.replace("[app]", "[app]\ngrants_max = 0"));
	assert.equal((await ask(none, "POST", "/multipart", { filename: "film.txt" })).status, 503);
	assert.deepEqual(await openUploads(none), []);
});

test("without a callback, too, what is not finished is aborted", async t => {
	const at = await startWith(t, CONFIG.replace("[app]",
		"[app]\ncallback_url = none\nmultipart_expire_seconds = 10\nreconcile_seconds = 1"));
	const upload = await begin(at);
	assert.equal(upload.grant, undefined);
	assert.deepEqual(await openUploads(at), [upload.key]);
	await until("it is aborted", async () => (await openUploads(at)).length === 0);
});

test("whoever completes many times over keeps no upload from the webhook", async t => {
	const told = [];
	const sink = await startSink(t, (incoming, response) => {
		told.push(JSON.parse(String(incoming.body)).object);
		says("{}", 200, "application/json")(incoming, response);
	});
	const at = await startWith(t, `[app]\nmax_size = ${3 * PART}\nwebhook_url = ${sink.url}/hook\n`);
	for (let round = 0; round < 5; round++) {
		const upload = await begin(at);
		const { part } = await put(at, upload, 1, "bytes");
		const got = await Promise.all(Array.from({ length: 16 }, async (_, i) => {
			await new Promise(done => setTimeout(done, i * 2));
			return complete(at, upload, [part]);
		}));
		for (const { status, json } of got)
			assert.ok(status === 200 || status === 503, JSON.stringify(json));
		assert.equal((await complete(at, upload, [part])).status, 200);
		assert.equal(told.filter(key => key === upload.key).length, 1);
	}
});
