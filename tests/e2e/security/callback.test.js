// SPDX-License-Identifier: Apache-2.0
// Which callbacks the application server believes: genuine ones, once, with a grant of its own for
// the very object. The callbacks are made by the real store and caught on their way.
import assert from "node:assert/strict";
import { createHmac, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { exchange } from "../lib/http.js";
import { base64Json, policy, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const all = cleanups();
let server, wire;
before(async () => {
	// What the store sends to the application server arrives here instead.
	wire = await startSink(all, says("{\"Status\":\"caught\"}"));
	server = await startServer(all, { env: {
		POSTERN_APP_CALLBACK_URL: `${wire.url}/hook?id=1`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	} });
	await request(server.store, "PUT", "other", "");
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const base64 = text => Buffer.from(text).toString("base64");

/** Hands a caught callback on, as it is or changed. */
function deliver({ url, headers, body }, to = server.app) {
	const { "content-type": type, authorization, "x-oss-pub-key-url": key } = headers;
	return send(to + url, "POST", {
		...type && { "Content-Type": type },
		...authorization && { Authorization: authorization },
		...key && { "x-oss-pub-key-url": key },
	}, body);
}

/** The callback that an upload causes. */
async function caught(upload) {
	const before = wire.requests.length;
	const got = await upload();
	assert.equal(got.status, 200, got.text);
	assert.equal(wire.requests.length, before + 1);
	return wire.requests[before];
}

async function granted(name = "a.txt", app = server.app) {
	const { fields, dir } = JSON.parse((await send(`${app}/grant`)).text);
	return caught(() => postForm(server.store, { key: dir + name, ...fields }, FILE));
}

/**
 * A callback that somebody with a key of the store makes, with a body of their own; `meta` is the id
 * of the grant that the object says it was uploaded with.
 */
function own(callbackBody, { key = "user-dir-prefix/own", bucket = "uploads", type, path = "/hook?id=1", meta } = {}) {
	const callback = base64Json({ callbackUrl: wire.url + path, callbackBody, callbackBodyType: type });
	const text = policy({ bucket, conditions: [["eq", "$callback", callback]] });
	const fields = { callback, ...meta && { "x-oss-meta-grant": meta } };
	return caught(() => postForm(server.store, signedFieldsV1(key, fields, { text }), FILE, { bucket }));
}

/** The same signed by the store's key, whatever the store would say to it. */
async function forced(callbackBody, key = "user-dir-prefix/own") {
	const body = callbackBody.replace("${bucket}", "uploads").replace("${object}", encodeURIComponent(key))
		.replace("${size}", 5).replace("${etag}", "5D41402ABC4B2A76B9719D911017C592")
		.replace("${mimeType}", "text/plain").replace("${reqId}", randomBytes(12).toString("hex"));
	const pem = await readFile(`${server.data}/callback_key.pem`);
	return { url: "/hook?id=1", body, headers: {
		"content-type": "application/x-www-form-urlencoded",
		authorization: createSign("md5").update(`/hook?id=1\n${body}`).sign(pem, "base64"),
		"x-oss-pub-key-url": base64(`${server.store}/-/callback_pub_key_v1.pem`),
	} };
}

async function refused(answer, why) {
	const got = await answer;
	assert.equal(got.status, 400, got.text);
	assert.match(JSON.parse(got.text).reason, why);
}

const grantIn = one => new URLSearchParams(one.body.toString()).get("grant");
const BODY = "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&mimeType=${mimeType}&reqId=${reqId}&grant=";

test("a genuine callback is believed, once", async () => {
	const one = await granted();
	const got = await deliver(one);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	await refused(deliver(one), /received before/);
	await refused(deliver(one), /received before/);
	// The same grant serves a second upload.
	const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	for (const name of ["one", "two", "one"]) {
		const callback = await caught(() => postForm(server.store, { key: dir + name, ...fields }, FILE));
		assert.equal((await deliver(callback)).status, 200);
	}
});

test("many deliveries of one callback at once: one is believed", async () => {
	const one = await granted("race");
	const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(one)));
	assert.equal(answers.filter(({ status }) => status === 200).length, 1);
	assert.ok(answers.every(({ status }) => status === 200 || status === 400));
});

test("a restart forgets nothing: the callback is still a replay", async t => {
	const first = await startServer(t, { env: { POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const { fields, dir } = JSON.parse((await send(`${first.app}/grant`)).text);
	const one = await caught(() => postForm(first.store, { key: `${dir}k`, ...fields }, FILE));
	assert.equal((await deliver(one, first.app)).status, 200);
	const keyUrl = Buffer.from(one.headers["x-oss-pub-key-url"], "base64").toString();
	await first.stop();
	// The store may have another port now; its key is trusted where it was.
	const second = await startServer(t, { data: first.data, env: { POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_KEY_URL: keyUrl } });
	await refused(deliver(one, second.app), /received before/);
});

test("without a grant it is refused, however genuine its signature", async () => {
	await refused(deliver(await own("object=${object}&size=${size}&bucket=${bucket}&reqId=${reqId}")), /no grant/);
	await refused(deliver(await own(`${BODY}`)), /no grant/);
	await refused(deliver(await own("{\"object\":${object},\"size\":${size},\"reqId\":${reqId}}",
		{ type: "application/json" })), /no grant/);
});

test("a grant for another prefix, another bucket, or of another maker is refused", async () => {
	const grant = grantIn(await granted("b.txt"));
	const [id, kind, issued, expires, prefix, mac] = grant.split(".");
	const good = await own(BODY + grant, { key: "user-dir-prefix/fine", meta: id });
	assert.equal((await deliver(good)).status, 200, "the grant itself is good");
	await refused(deliver(await own(BODY + grant, { key: "elsewhere/x" })), /other object names/);
	await refused(deliver(await own(BODY + grant, { key: "user-dir-prefixed/x" })), /other object names/);
	await refused(deliver(await own(BODY + grant, { bucket: "other" })), /another bucket/);
	const encoded = Buffer.from("").toString("base64url");
	const head = `${id}.${kind}.${issued}.${expires}`;
	for (const [forged, why] of [
		[`${head}.${encoded}.${mac}`, /not from this server/],
		[`${id}.${kind}.${issued}.${Number(expires) + 86_400}.${prefix}.${mac}`, /not from this server/],
		[`${id}.${kind}.0.${expires}.${prefix}.${mac}`, /not from this server/],
		[`${id}.c.${issued}.${expires}.${prefix}.${mac}`, /not from this server/],
		[`${"0".repeat(24)}${head.slice(24)}.${prefix}.${mac}`, /not from this server/],
		[`${head}.${prefix}.${"0".repeat(32)}`, /not from this server/],
		[`${head}.${prefix}.${createHmac("sha256", "guess").update(`${head}.${prefix}`).digest("hex")
			.slice(0, 32)}`, /not from this server/],
		[`${head}.${prefix}`, /malformed/],
		[`${id}.${expires}.${prefix}.${mac}`, /malformed/],
		[`${grant}.${grant}`, /malformed/],
		["x", /malformed/],
	])
		await refused(deliver(await forced(BODY + forged)), why);
	const stranger = await startServer(all, { env: { POSTERN_ACCESS_KEY_ID: "stranger",
		POSTERN_ACCESS_KEY_SECRET: "another-secret-0123456789", POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const { fields } = JSON.parse((await send(`${stranger.app}/grant`)).text);
	const theirs = /grant=([^"]+)/.exec(Buffer.from(fields.callback, "base64").toString())[1];
	await refused(deliver(await forced(BODY + theirs)), /not from this server/);
});

test("a grant or an object that is named twice is refused", async () => {
	const grant = grantIn(await granted("twice.txt"));
	const twice = [`${BODY}${grant}&grant=${grant}`, `${BODY}${grant}&object=user-dir-prefix%2Fx`,
		`object=user-dir-prefix%2Fx&bucket=\${bucket}&object=\${object}&size=\${size}&reqId=\${reqId}&grant=${grant}`];
	for (const body of twice)
		assert.equal((await deliver(await own(body, { key: "elsewhere/x" }))).status, 400, body);
});

test("what is changed on the way is refused", async () => {
	const one = await granted("changed");
	const text = one.body.toString();
	const key = `${server.store}/-/callback_pub_key_v1.pem`;
	for (const changed of [
		{ body: text.replace("size=5", "size=6") },
		{ body: `${text}&x=y` },
		{ body: text.slice(0, -1) },
		{ url: "/hook?id=2" },
		{ url: "/hook" },
		{ url: "/" },
		{ headers: { ...one.headers, authorization: one.headers.authorization.replace(/^./, c => c === "A" ? "B" : "A") } },
		{ headers: { ...one.headers, authorization: undefined } },
		{ headers: { ...one.headers, authorization: "" } },
		{ headers: { ...one.headers, "x-oss-pub-key-url": undefined } },
		{ headers: { ...one.headers, "x-oss-pub-key-url": base64(`${key}?x`) } },
		{ headers: { ...one.headers, "x-oss-pub-key-url": base64(`${key}/../x`) } },
		{ headers: { ...one.headers, "x-oss-pub-key-url": base64(key.toUpperCase()) } },
		{ headers: { ...one.headers, "x-oss-pub-key-url": base64(`${server.store}/uploads/k.pem`) } },
	]) {
		const got = await deliver({ ...one, ...changed });
		assert.ok([400, 404].includes(got.status), `${JSON.stringify(changed)}: ${got.status}`);
	}
	assert.equal((await deliver(one)).status, 200, "and unchanged it is good still");
});

test("a proxy that strips a prefix is named, in the log and in the answer", async t => {
	const one = await startServer(t, { env: { POSTERN_APP_CALLBACK_URL: `${wire.url}/shop/hook?id=1`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const { fields, dir } = JSON.parse((await send(`${one.app}/grant`)).text);
	const callback = await caught(() => postForm(one.store, { key: `${dir}k`, ...fields }, FILE));
	assert.equal(callback.url, "/shop/hook?id=1");
	await refused(deliver({ ...callback, url: "/?id=1" }, one.app), /does not verify/);
	await one.logged(/did not verify: .*the path is that of the callback URL, \/shop\/hook with its query/);
	const stray = await deliver({ ...callback, url: "/hook?id=1" }, one.app);
	assert.equal(stray.status, 404);
	assert.match(JSON.parse(stray.text).message, /callback_url has other paths/);
	assert.equal((await deliver(callback, one.app)).status, 200, "as it was sent it is good");
});

test("a forged key URL causes no outgoing connection, not even with a genuine grant", async () => {
	const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const evil = await startSink(all, says(publicKey.export({ type: "spki", format: "pem" }), 200, "text/plain"));
	const { port } = new URL(evil.url);
	const one = await granted("forged");
	const signature = createSign("md5").update(`${one.url}\n`).update(one.body).sign(privateKey, "base64");
	for (const keyUrl of [`${evil.url}/callback_pub_key_v1.pem`, `http://gosspublic.alicdn.com.evil.test:${port}/k`,
		`http://gosspublic.alicdn.com@127.0.0.1:${port}/k`, `http://gosspublic.alicdn.com:${port}/k`,
		`http://localhost:${port}/gosspublic.alicdn.com/`, `HTTP://gosspublic.alicdn.com/../`, `file:///etc/passwd`,
		`http:/127.0.0.1:${port}/`, ` http://gosspublic.alicdn.com/`, `http://gosspublic.alicdn.com\\@127.0.0.1:${port}/`,
		`http://gosspublic.alicdn.com#@127.0.0.1:${port}/`, `${server.store}/-/callback_pub_key_v1.pem#x`, ""]) {
		await refused(deliver({ ...one, headers: { ...one.headers, authorization: signature,
			"x-oss-pub-key-url": base64(keyUrl) } }), /key|URL/);
	}
	assert.deepEqual(evil.requests, []);
});

test("a callback for an upload that never was needs more than a grant", async () => {
	const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	const grant = /grant=([^"]+)/.exec(Buffer.from(fields.callback, "base64").toString())[1];
	const body = `bucket=uploads&object=${encodeURIComponent(`${dir}never`)}&size=1&reqId=1&grant=${grant}`;
	const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const signature = createSign("md5").update(`/hook?id=1\n${body}`).sign(privateKey, "base64");
	await refused(deliver({ url: "/hook?id=1", body, headers: { authorization: signature,
		"content-type": "application/x-www-form-urlencoded",
		"x-oss-pub-key-url": base64(`${server.store}/-/callback_pub_key_v1.pem`) } }), /does not verify/);
});

test("a body of 64 KiB and more is not read to its end", async () => {
	const got = await send(`${server.app}/hook?id=1`, "POST", {}, Buffer.alloc(65_537, "a"));
	assert.equal(got.status, 413);
	const chunked = await exchange(server.app, ["POST /hook?id=1 HTTP/1.1\r\nHost: localhost\r\n"
		+ "Transfer-Encoding: chunked\r\n\r\n", `fffff\r\n${"a".repeat(200_000)}`]);
	assert.equal(chunked.status, 413);
});

test("no secret is told: in no answer, no log, no page", async () => {
	const secrets = [server.key.secret];
	await send(`${server.app}/`);
	await send(`${server.app}/grant`);
	await postForm(server.store, { ...signedFieldsV1("k"), Signature: "x" }, FILE);
	for (const secret of secrets) {
		assert.ok(!server.log.includes(secret));
		for (const url of [`${server.app}/`, `${server.app}/grant`, `${server.app}/upload/`, `${server.console}/metrics`])
			assert.ok(!(await send(url)).text.includes(secret), url);
	}
});
