// SPDX-License-Identifier: Apache-2.0
// What a callback says is a hint: the application server asks the store before it records anything.
// Here the callbacks are signed with the store's own key, as OSS would sign whatever it is told to.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { recorded } from "../lib/metrics.js";
import { postForm, request, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const run = promisify(execFile);
const all = cleanups();
let server, wire, backEnd, pem;
before(async () => {
	wire = await startSink(all, says("{}"));
	backEnd = await startSink(all, says("{\"Status\":\"told\"}"));
	server = await startServer(all, { env: {
		POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
		POSTERN_APP_WEBHOOK_URL: `${backEnd.url}/told`,
	} });
	pem = await readFile(`${server.data}/callback_key.pem`);
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const ETAG = "5D41402ABC4B2A76B9719D911017C592"; // of hello

const json = async path => JSON.parse((await send(server.app + path)).text);
const grantIn = callback => /grant=([^"&]+)/.exec(Buffer.from(callback, "base64").toString())[1];

/** A callback with a genuine signature, whatever it says. */
function deliver(members) {
	const body = new URLSearchParams(members).toString();
	return send(`${server.app}/hook`, "POST", {
		"Content-Type": "application/x-www-form-urlencoded",
		Authorization: createSign("md5").update(`/hook\n${body}`).sign(pem, "base64"),
		"x-oss-pub-key-url": Buffer.from(`${server.store}/-/callback_pub_key_v1.pem`).toString("base64"),
	}, body);
}

let count = 0;
function claim(grant, object, more = {}) {
	return deliver({ bucket: "uploads", object, size: 5, etag: ETAG, reqId: `R${count++}`, grant, ...more });
}

async function refused(answer, why) {
	const before = await recorded(server);
	const got = await answer;
	assert.equal(got.status, 400, got.text);
	assert.match(JSON.parse(got.text).reason, why);
	assert.equal(await recorded(server), before, "nothing is recorded");
}

/** Uploads with a new grant; gives the grant, and the key. */
async function uploadWith(name, content = "hello") {
	const { fields, dir } = await json("/grant");
	const got = await postForm(server.store, { key: dir + name, ...fields }, { ...FILE, content });
	assert.equal(got.status, 200, got.text);
	return { grant: grantIn(fields.callback), key: dir + name, fields };
}

async function classicUpload(name) {
	const token = await json("/");
	const key = token.dir + name;
	const got = await postForm(server.store, { key, policy: token.policy, OSSAccessKeyId: token.accessid,
		success_action_status: "200", callback: token.callback, signature: token.signature }, FILE);
	assert.equal(got.status, 200, got.text);
	return { grant: grantIn(token.callback), key };
}

test("the object says by which grant it was uploaded, and the policy fixes it", async () => {
	const { grant, key, fields } = await uploadWith("marked");
	const head = await request(server.store, "HEAD", "uploads", key);
	assert.equal(head.headers["x-oss-meta-grant"], grant.split(".")[0]);
	assert.notEqual(head.headers["x-oss-meta-grant"], grant, "the MAC stays secret");
	const { "x-oss-meta-grant": id, ...without } = fields;
	for (const sly of [without, { ...fields, "x-oss-meta-grant": "0".repeat(24) }, { ...fields, "x-oss-meta-grant": "" },
		{ ...fields, "x-oss-object-acl": "public-read-write" }])
		assert.equal((await postForm(server.store, { key, ...sly }, FILE)).status, 403);
	assert.equal(fields["x-oss-object-acl"], "default");
	const { "x-oss-object-acl": acl, ...open } = fields;
	assert.equal((await postForm(server.store, { key, ...open }, FILE, {
		headers: { "x-oss-object-acl": "public-read" } })).status, 403, "nor by a header");
});

test("a classic token makes nothing public where the store is ours", async () => {
	const token = await json("/");
	const fields = { key: `${token.dir}open`, policy: token.policy, OSSAccessKeyId: token.accessid,
		success_action_status: "200", callback: token.callback, signature: token.signature };
	for (const acl of ["public-read", "public-read-write"])
		assert.equal((await postForm(server.store, { ...fields, "x-oss-object-acl": acl }, FILE)).status, 403);
	assert.equal((await postForm(server.store, { ...fields, "x-oss-object-acl": "private" }, FILE)).status, 200);
});

test("one's own grant with another's object", async () => {
	const victim = await uploadWith("victim");
	const { fields } = await json("/grant");
	const grant = grantIn(fields.callback);
	await refused(claim(grant, victim.key), /not uploaded with this grant/);
	await refused(claim(grantIn((await json("/")).callback), victim.key), /uploaded with another grant/);
	await refused(claim(grant, "user-dir-prefix/never"), /no such object/);
	assert.equal((await claim(victim.grant, victim.key)).status, 200, "its own is believed");
});

test("the store's words are recorded, not the callback's", async () => {
	const { grant, key } = await uploadWith("lies", "hello, world");
	const got = await claim(grant, key, { size: 999, etag: "F".repeat(32), mimeType: "image/png", width: 7 });
	assert.equal(got.status, 200, got.text);
	const told = JSON.parse(backEnd.requests.at(-1).body);
	const head = await request(server.store, "HEAD", "uploads", key);
	assert.equal(told.size, 12);
	assert.equal(`"${told.etag}"`, head.headers.etag);
	assert.equal(told.mimeType, "text/plain");
	assert.equal(told.width, 7, "what HEAD cannot say is as claimed");
	assert.equal(told.confirmed, true);
});

test("one upload with a hundred request ids is recorded once", async () => {
	const { grant, key } = await uploadWith("hundred");
	const before = await recorded(server);
	const tellings = backEnd.requests.length;
	const answers = await Promise.all(Array.from({ length: 100 }, () => claim(grant, key)));
	assert.ok(answers.every(({ status }) => status === 200), "none is denied: it is true");
	assert.equal(await recorded(server), before + 1);
	assert.equal(backEnd.requests.length, tellings + 1, "and told once");
	// A new state is a new upload.
	await request(server.store, "PUT", "uploads", key, {
		headers: { "x-oss-meta-grant": grant.split(".")[0] }, body: "another" });
	assert.equal((await claim(grant, key)).status, 200);
	assert.equal(await recorded(server), before + 2);
});

test("an object that was overwritten or deleted before the question", async () => {
	const one = await uploadWith("overwritten");
	await request(server.store, "PUT", "uploads", one.key, { body: "hello" });
	await refused(claim(one.grant, one.key), /not uploaded with this grant/);
	const two = await uploadWith("overwritten too");
	await uploadWith("overwritten too");
	await refused(claim(two.grant, two.key), /not uploaded with this grant/);
	const three = await uploadWith("deleted");
	await request(server.store, "DELETE", "uploads", three.key);
	await refused(claim(three.grant, three.key), /no such object/);
	const classic = await classicUpload("classic");
	await request(server.store, "PUT", "uploads", classic.key, { body: "other" });
	await refused(claim(classic.grant, classic.key), /another one/);
});

test("a classic token: ETag and size must be the callback's", async () => {
	const { grant, key } = await classicUpload("token");
	await refused(claim(grant, key, { size: 6 }), /another one/);
	await refused(claim(grant, key, { size: "" }), /another one/);
	await refused(claim(grant, key, { etag: "0".repeat(32) }), /another one/);
	await refused(claim(grant, key, { etag: "" }), /another one/);
	assert.equal((await claim(grant, key, { etag: `"${ETAG.toLowerCase()}"` })).status, 200);
});

const ODD_NAMES = ["a b", "a+b", "a%2Fb", "中 文.png", "../x", "a//b/./c", "a?b=c#d", "a&b=c;d", "'\"<>\\", "~!$()*,:@",
	"x".repeat(900), "\u{1f600}", "%"];

test("objects of any name are asked about, by either signature", async t => {
	for (const version of ["4", "1"]) {
		const own = await startServer(t, { env: { POSTERN_APP_SIGNATURE_VERSION: version } });
		const { fields, dir } = JSON.parse((await send(`${own.app}/grant`)).text);
		for (const name of ODD_NAMES) {
			const got = await postForm(own.store, { key: dir + name, ...fields }, FILE);
			assert.equal(got.status, 200, `${name}: ${got.text}`);
		}
		assert.equal(await recorded(own), ODD_NAMES.length);
	}
});

test("an application server of its own, which asks another URL than browsers post to", async t => {
	const { port } = new URL(server.store);
	const hook = await startSink(t, says("{}"));
	const data = await temporaryFolder(t);
	const own = await startServer(t, { command: "app", data, env: {
		POSTERN_APP_ACCESS_KEY_ID: server.key.id, POSTERN_APP_ACCESS_KEY_SECRET: server.key.secret,
		POSTERN_APP_HOST: `${server.store}/uploads`, POSTERN_APP_STORE_URL: `http://uploads.localhost:${port}`,
		POSTERN_APP_CALLBACK_URL: `${hook.url}/hook`, POSTERN_APP_KEY_URLS: `${server.store}/-/callback_pub_key_v1.pem`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	} });
	assert.doesNotMatch(own.log, /error/);
	const { fields, dir, url } = JSON.parse((await send(`${own.app}/grant`)).text);
	assert.equal(url, `${server.store}/uploads`);
	assert.equal((await postForm(server.store, { key: `${dir}apart`, ...fields }, FILE)).status, 200);
	const [{ headers, body }] = hook.requests;
	const deliver = () => send(`${own.app}/hook`, "POST", { "Content-Type": headers["content-type"],
		Authorization: headers.authorization, "x-oss-pub-key-url": headers["x-oss-pub-key-url"] }, body);
	await request(server.store, "PUT", "uploads", `${dir}apart`, { body: "hello" });
	await refused(deliver(), /not uploaded with this grant/);
	assert.equal((await postForm(server.store, { key: `${dir}apart`, ...fields }, FILE)).status, 200);
	const got = await deliver();
	assert.equal(got.status, 200, got.text);
	assert.ok(server.log.includes("target=\"/user-dir-prefix/apart\""), "it was asked in virtual-host style");
	const token = JSON.parse((await send(`${own.app}/`)).text);
	assert.doesNotMatch(Buffer.from(token.policy, "base64").toString(), /x-oss-object-acl/,
		"whose store it is it does not know");
});

test("a key that may not read: auto goes on with a warning, on does not start", async t => {
	// A store that does not know the application server's key says 403, as OSS does to a RAM user.
	const key = { POSTERN_APP_ACCESS_KEY_ID: "stranger", POSTERN_APP_ACCESS_KEY_SECRET: "no-secret-of-the-store",
		POSTERN_APP_HOST: `${server.store}/uploads`, POSTERN_APP_CALLBACK_URL: "http://127.0.0.1:1/hook" };
	const args = data => ["--data", data, "--app-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"];
	const data = await temporaryFolder(t);
	const own = await startServer(t, { command: "app", data, env: key, args: args(data) });
	await own.logged(/uploads are NOT confirmed.*oss:GetObject/);
	const ready = await send(`${own.console}/ready`);
	assert.equal(ready.status, 200);
	assert.match(ready.text, /not confirmed/);
	assert.match((await send(`${own.console}/metrics`)).text, /^postern_app_confirms 0$/m);
	const insisting = await run(BIN, ["app", ...args(await temporaryFolder(t)), "--app-confirm", "on"],
		{ env: { ...process.env, ...key } }).catch(error => error);
	assert.equal(insisting.code, 2);
	assert.match(insisting.stderr, /oss:GetObject/);
	const odd = await run(BIN, ["app", ...args(await temporaryFolder(t)), "--app-confirm", "maybe"],
		{ env: { ...process.env, ...key } }).catch(error => error);
	assert.equal(odd.code, 2);
	assert.match(odd.stderr, /auto, on nor off/);
});

test("a store that can be asked: the metric and /ready say so", async () => {
	assert.match((await send(`${server.console}/metrics`)).text, /^postern_app_confirms 1$/m);
	const ready = await send(`${server.console}/ready`);
	assert.equal(ready.status, 200);
	assert.equal(ready.text, "ready\n");
});

test("over TLS the own store is asked whatever its certificate is for", async t => {
	const folder = await temporaryFolder(t);
	await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=elsewhere.test", "-days", "2", "-keyout", `${folder}/key`, "-out", `${folder}/crt`]);
	const own = await startServer(t, { env: { POSTERN_STORE_TLS_CERTIFICATE: `${folder}/crt`,
		POSTERN_STORE_TLS_KEY: `${folder}/key` } });
	const { fields, dir } = JSON.parse((await send(`${own.app}/grant`)).text);
	const got = await postForm(own.store, { key: `${dir}tls`, ...fields }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	assert.equal(await recorded(own), 1);
});

test("without confirming, what a callback says is recorded", async t => {
	const own = await startServer(t, { env: { POSTERN_APP_CONFIRM: "off", POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	assert.match((await send(`${own.console}/metrics`)).text, /^postern_app_confirms 0$/m);
	const { fields, dir } = JSON.parse((await send(`${own.app}/grant`)).text);
	const body = new URLSearchParams({ object: `${dir}never`, size: 1, etag: "E", reqId: "1",
		grant: grantIn(fields.callback) }).toString();
	const got = await send(`${own.app}/hook`, "POST", {
		"Content-Type": "application/x-www-form-urlencoded",
		Authorization: createSign("md5").update(`/hook\n${body}`)
			.sign(await readFile(`${own.data}/callback_key.pem`), "base64"),
		"x-oss-pub-key-url": Buffer.from(`${own.store}/-/callback_pub_key_v1.pem`).toString("base64"),
	}, body);
	assert.equal(got.status, 200, got.text);
});

test("a policy without the callback is refused at start with our own store", async t => {
	const data = await temporaryFolder(t);
	const got = await run(BIN, ["serve", "--data", data, "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0", "--app-bind-callback", "false"]).catch(error => error);
	assert.equal(got.code, 2);
	assert.match(got.stderr, /bind_callback: must be true/);
});
