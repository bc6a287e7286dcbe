// SPDX-License-Identifier: Apache-2.0
// The log of the callbacks that the store sent: what it holds, what it survives, who may read it,
// and sending one again.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, createVerify } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, askV1 } from "../lib/console_api.js";
import { base64Json, policy, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { presignV4, target } from "../lib/sign.js";
import { allow, assumeRole } from "../lib/sts.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
const ALLOW = { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" };
let server, good;
before(async () => {
	good = await startSink(all, says("{\"Status\":\"OK\"}"));
	server = await startServer(all, { command: "store", env: ALLOW });
	await request(server.store, "PUT", "uploads", "");
});
after(all.run);

/** An upload with a callback to `urls`. */
function upload(urls, { key = "dir/a.txt", to = server, more = {} } = {}) {
	const callback = base64Json({ callbackUrl: urls, callbackBody: "object=${object}&n=1", ...more });
	return request(to.store, "PUT", "uploads", key, { body: "hello", headers: { "x-oss-callback": callback } });
}

async function list(query = {}, from = server) {
	const { json, text } = await ask(from, "GET", "/callbacks", { query });
	assert.ok(json, text);
	return json;
}

const newest = async (from = server) => (await list({ limit: 1 }, from)).callbacks[0];

test("a callback that succeeded", async () => {
	const before = Date.now();
	assert.equal((await upload(`${good.url}/hook?x=1`, { key: "dir/\u4e2d <b>.txt" })).status, 200);
	const { id, time, tries, ...rest } = await newest();
	assert.match(id, /^[1-9]\d*$/);
	assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
	assert.ok(Date.parse(time) >= before - 1000 && Date.parse(time) <= Date.now());
	assert.deepEqual(rest, { bucket: "uploads", object: "dir/\u4e2d <b>.txt", event: "PutObject", size: 5,
		urls: [`${good.url}/hook?x=1`], ok: true, answer: "{\"Status\":\"OK\"}", answer_truncated: false,
		sendable: true });
	assert.equal(tries.length, 1);
	assert.ok(tries[0].ms >= 0);
	assert.deepEqual({ ...tries[0], ms: 0 }, { url: `${good.url}/hook?x=1`, status: 200, ms: 0, error: "" });
	assert.deepEqual((await ask(server, "GET", `/callbacks/${id}`)).json, await newest());
});

test("a form's callback, with the operation's name", async () => {
	const callback = base64Json({ callbackUrl: good.url, callbackBody: "x" });
	await postForm(server.store, signedFieldsV1("form.txt", { callback }, { text: policy() }), { content: "abc" });
	const { event, object, size } = await newest();
	assert.deepEqual([event, object, size], ["PostObject", "form.txt", 3]);
});

test("an upload in parts calls back once it is complete", async () => {
	const begun = await request(server.store, "POST", "uploads", "parts", { query: { uploads: "" } });
	const uploadId = begun.xml("UploadId");
	const query = { uploadId, partNumber: "1" };
	const part = await request(server.store, "PUT", "uploads", "parts", { query, body: "part" });
	const callback = base64Json({ callbackUrl: good.url, callbackBody: "x" });
	const done = await request(server.store, "POST", "uploads", "parts", {
		query: { uploadId }, headers: { "x-oss-callback": callback },
		body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
			+ `<ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`,
	});
	assert.equal(done.status, 200, done.text);
	const { event, object, size } = await newest();
	assert.deepEqual([event, object, size], ["CompleteMultipartUpload", "parts", 4]);
});

test("every URL that was tried, with its status or why there is none", async t => {
	const bad = await startSink(t, says("not json", 500, "text/html"));
	const closed = await closedPort();
	const urls = [`${closed}/`, `${bad.url}/`, `${good.url}/`, "http://127.0.0.1:1/never"];
	assert.equal((await upload(urls.join(";"))).status, 200);
	const one = await newest();
	assert.deepEqual(one.urls, urls);
	assert.deepEqual(one.tries.map(({ url, status }) => [url, status]),
		[[urls[0], 0], [urls[1], 500], [urls[2], 200]]);
	assert.match(one.tries[0].error, /connect|refused/i);
	assert.equal(one.tries[1].error, "Error status : 500.");
	assert.equal(one.tries[2].error, "");
	assert.equal(one.ok, true);
	assert.equal(one.answer, "{\"Status\":\"OK\"}");
});

test("a failure keeps the beginning of the answer, whatever bytes it has", async t => {
	const page = Buffer.concat([Buffer.from("<h1>\u00fc"), Buffer.from([0xff, 0]), Buffer.alloc(3000, "x")]);
	const bad = await startSink(t, (_, response) => {
		response.writeHead(502, { "Content-Length": page.length });
		response.end(page);
	});
	const got = await upload(bad.url);
	assert.equal(got.status, 203);
	const one = await newest();
	assert.equal(one.ok, false);
	assert.equal(one.answer_truncated, true);
	assert.equal(one.answer, `<h1>\u00fc\ufffd\0${"x".repeat(1024 - 8)}`);
	assert.equal(one.tries[0].error, got.xml("Message"));
	const short = await startSink(t, says("no", 200));
	assert.equal((await upload(short.url)).status, 203);
	const { answer, answer_truncated, tries } = await newest();
	assert.deepEqual([answer, answer_truncated, tries[0].status, tries[0].error],
		["no", false, 200, "Response body is not valid json format."]);
	const endless = await startSink(t, says("x".repeat(1024 * 1024 + 1)));
	assert.equal((await upload(endless.url)).status, 203);
	assert.equal((await newest()).answer_truncated, true);
});

test("an address that is refused when it is connected to", async t => {
	const strict = await startServer(t, { command: "store" });
	await request(strict.store, "PUT", "uploads", "");
	const { port } = new URL(good.url);
	const count = good.requests.length;
	// As a literal it is refused before anything is stored, and nothing was sent.
	assert.equal((await upload(good.url, { to: strict })).status, 400);
	assert.equal((await list({}, strict)).callbacks.length, 0);
	// This one is a name, until it is resolved.
	const named = await upload(`http://2130706433:${port}/`, { to: strict });
	assert.equal(named.status, 203);
	const one = await newest(strict);
	assert.equal(one.ok, false);
	assert.equal(one.tries[0].status, 0);
	assert.match(one.tries[0].error, /address/);
	assert.equal(good.requests.length, count);
});

test("pages, newest first", async () => {
	for (let i = 0; i < 5; i++)
		await upload(good.url, { key: `page/${i}` });
	const keys = page => page.callbacks.map(one => one.object);
	const first = await list({ limit: 2 });
	assert.deepEqual(keys(first), ["page/4", "page/3"]);
	assert.equal(first.next, first.callbacks[1].id);
	const second = await list({ limit: 2, after: first.next });
	assert.deepEqual(keys(second), ["page/2", "page/1"]);
	const whole = await list({ limit: 100 });
	assert.equal(whole.next, "");
	assert.deepEqual(whole.callbacks.map(one => Number(one.id)),
		whole.callbacks.map(one => Number(one.id)).sort((a, b) => b - a));
	for (const query of [{ limit: 0 }, { limit: 101 }, { limit: "x" }, { after: "-1" }, { after: "0" },
		{ after: "9".repeat(30) }]) {
		const got = await ask(server, "GET", "/callbacks", { query });
		assert.equal(`${got.status} ${got.xml("Code")}`, "400 InvalidArgument", JSON.stringify(query));
	}
});

test("what is not there", async () => {
	for (const path of ["/callbacks/999999", "/callbacks/0", `/callbacks/${"9".repeat(25)}`]) {
		assert.equal((await ask(server, "GET", path)).xml("Code"), "NoSuchCallback");
		assert.equal((await ask(server, "POST", `${path}/send`)).status, 404);
	}
	for (const path of ["/callbacks/", "/callbacks/x", "/callbacks/1/", "/callbacks/1/sent", "/callbacks1"])
		assert.equal((await ask(server, "GET", path)).status, 404, path);
	assert.equal((await ask(server, "POST", "/callbacks")).headers.allow, "GET");
	assert.equal((await ask(server, "GET", "/callbacks/1/send")).headers.allow, "POST");
});

test("only who has a key reads it, or sends", async () => {
	await upload(good.url);
	const { id } = await newest();
	const count = good.requests.length;
	for (const [method, path] of [["GET", "/callbacks"], ["GET", `/callbacks/${id}`],
		["POST", `/callbacks/${id}/send`]]) {
		const code = answer => `${answer.status} ${answer.xml("Code")}`;
		assert.equal(code(await send(server.console + path, method)), "403 AccessDenied");
		assert.equal(code(await ask(server, method, path, { accessKey: { ...server.key, secret: "x" } })),
			"403 SignatureDoesNotMatch");
		assert.equal(code(await ask(server, method, path, { accessKey: { id: "nobody", secret: "x" } })),
			"403 InvalidAccessKeyId");
		// Signed for the service, as ListBuckets is, not for this path.
		assert.equal(code(await request(server.console, method, "", "")), method === "GET" ? "200 null" : "405 null");
	}
	assert.equal(good.requests.length, count);
	assert.equal((await askV1(server, "GET", "/callbacks")).status, 200);
	assert.equal((await askV1(server, "GET", `/callbacks/${id}`)).status, 200);
	assert.equal((await askV1(server, "GET", "/callbacks", { accessKey: { ...server.key, secret: "x" } })).status, 403);
});

test("a temporary key may do what its policy says", async () => {
	await upload(good.url);
	const { id } = await newest();
	const calls = [["GET", "/callbacks"], ["GET", `/callbacks/${id}`], ["POST", `/callbacks/${id}/send`]];
	const statuses = async accessKey => {
		const answers = [];
		for (const [method, path] of calls)
			answers.push((await ask(server, method, path, { accessKey })).status);
		return answers;
	};
	assert.deepEqual(await statuses(await assumeRole(server)), [200, 200, 200]);
	assert.deepEqual(await statuses(await assumeRole(server, allow(["oss:*"], ["*"]))), [403, 403, 403]);
	assert.deepEqual(await statuses(await assumeRole(server, allow(["*"], ["*"]))), [200, 200, 200]);
	assert.deepEqual(await statuses({ ...await assumeRole(server), token: "x" }), [403, 403, 403]);
});

test("a presigned URL reads it too, and its signature is not in the log of the process", async () => {
	await upload(good.url);
	const { id } = await newest();
	const query = presignV4({ bucket: "-/console/callbacks", key: id });
	const got = await send(server.console + target("callbacks", id, query));
	assert.equal(got.status, 200, got.text);
	await server.logged(/x-oss-signature=\*\*\*/);
	assert.ok(!server.log.includes(query["x-oss-signature"]));
});

test("sending again sends the same message, signed anew, and logs it", async t => {
	let status = 500;
	const sink = await startSink(t, (asked, response) => says("{\"n\":1}", status)(asked, response));
	const more = { callbackHost: "app.example.com", callbackBodyType: "application/json", callbackBody: "{\"o\":${object}}" };
	assert.equal((await upload(`${sink.url}/a%20b?c=d`, { key: "again", more })).status, 203);
	const failed = await newest();
	status = 200;
	const { json, status: answered } = await ask(server, "POST", `/callbacks/${failed.id}/send`);
	assert.equal(answered, 200);
	assert.notEqual(json.id, failed.id);
	assert.deepEqual({ ...json, id: "", time: "", tries: [] }, { ...failed, id: "", time: "", tries: [], ok: true });
	assert.deepEqual(await newest(), json);
	assert.equal((await ask(server, "GET", `/callbacks/${failed.id}`)).json.ok, false, "what was, stays");
	const [one, two] = sink.requests;
	assert.equal(two.url, "/a%20b?c=d");
	assert.equal(two.body.toString(), "{\"o\":\"again\"}");
	for (const name of ["host", "content-type", "content-md5", "x-oss-bucket", "x-oss-request-id", "x-oss-requester",
		"x-oss-pub-key-url"])
		assert.equal(two.headers[name], one.headers[name], name);
	assert.equal(two.headers.host, "app.example.com");
	const key = createPublicKey((await send(`${server.store}/-/callback_pub_key_v1.pem`)).text);
	assert.ok(createVerify("md5").update("/a b?c=d\n").update(two.body)
		.verify(key, two.headers.authorization, "base64"));
	// And one that was sent again can be sent again.
	assert.equal((await ask(server, "POST", `/callbacks/${json.id}/send`)).status, 200);
});

test("it is kept over restarts; addresses are judged anew; the secret is not in it", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { command: "store", data, env: ALLOW });
	await request(first.store, "PUT", "uploads", "");
	await upload(good.url, { to: first });
	await upload(good.url, { to: first, key: "second" });
	const kept = await list({}, first);
	await first.stop();
	assert.equal(statSync(join(data, "callbacks.db")).mode & 0o777, 0o600);
	const file = readFileSync(join(data, "callbacks.db"), "latin1");
	assert.ok(file.includes("second") && file.includes(server.key.id) && !file.includes(server.key.secret));
	const second = await startServer(t, { command: "store", data });
	assert.deepEqual(await list({}, second), kept);
	const count = good.requests.length;
	const refused = await ask(second, "POST", `/callbacks/${kept.callbacks[0].id}/send`);
	assert.equal(`${refused.status} ${refused.xml("EC")}`, "400 0007-00000008", refused.text);
	assert.equal(good.requests.length, count);
	await second.stop();
	const third = await startServer(t, { command: "store", data, env: ALLOW });
	const again = await ask(third, "POST", `/callbacks/${kept.callbacks[0].id}/send`);
	assert.equal(Number(again.json.id), Number(kept.callbacks[0].id) + 1);
});

test("a message that is too long to be kept is logged, but not sent again", async () => {
	const more = { callbackBody: `n=${"x".repeat(70_000)}` };
	const callback = base64Json({ callbackUrl: good.url, ...more });
	const got = await postForm(server.store, signedFieldsV1("long", { callback }, { text: policy() }), { content: "abc" });
	assert.equal(got.status, 200, got.text);
	const one = await newest();
	assert.equal(one.sendable, false);
	const refused = await ask(server, "POST", `/callbacks/${one.id}/send`);
	assert.equal(refused.status, 400);
	assert.match(refused.xml("Message"), /too long/);
});

test("a broken file fails no upload", async t => {
	const data = await temporaryFolder(t);
	writeFileSync(join(data, "callbacks.db"), "this is no database, ".repeat(1000));
	const broken = await startServer(t, { command: "store", data, env: ALLOW });
	await request(broken.store, "PUT", "uploads", "");
	assert.equal((await upload(good.url, { to: broken })).status, 200);
	await broken.logged(/callback history: .*callbacks\.db: file is not a database/);
	const got = await ask(broken, "GET", "/callbacks");
	assert.equal(`${got.status} ${got.xml("Code")}`, "503 ServiceUnavailable");
	await broken.stop();
	rmSync(join(data, "callbacks.db"));
	const mended = await startServer(t, { command: "store", data, env: ALLOW });
	assert.equal((await upload(good.url, { to: mended })).status, 200);
	assert.equal((await list({}, mended)).callbacks.length, 1);
});

test("another program that opens the file and closes it takes nothing away", async () => {
	const file = join(server.data, "callbacks.db");
	await upload(good.url, { key: "before.txt" });
	assert.ok(existsSync(`${file}-wal`));
	execFileSync("python3", ["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
		+ "c.execute('SELECT count(*) FROM callbacks').fetchone(); c.close()", file]);
	assert.ok(existsSync(`${file}-wal`), "the journal is still the store's");
	await upload(good.url, { key: "after.txt" });
	assert.equal((await newest()).object, "after.txt");
});
