// SPDX-License-Identifier: Apache-2.0
// The application server over the wire: tokens, grants, and which callbacks it believes.
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { recorded } from "../lib/metrics.js";
import { getObject, listObjects, postForm, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const all = cleanups();
let server;
before(async () => {
	server = await startServer(all);
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

async function json(path) {
	const got = await send(server.app + path);
	assert.equal(got.status, 200, got.text);
	return { ...got, json: JSON.parse(got.text) };
}

/** The fields that a classic client posts. */
function classicFields(token, key = `${token.dir}\${filename}`) {
	return {
		name: "a.txt", key, policy: token.policy, OSSAccessKeyId: token.accessid,
		success_action_status: "200", callback: token.callback, signature: token.signature,
	};
}

test("the classic token has its seven members and may not be kept", async () => {
	const { json: token, headers } = await json("/");
	assert.deepEqual(Object.keys(token).sort(),
		["accessid", "callback", "dir", "expire", "host", "policy", "signature"]);
	assert.equal(token.accessid, server.key.id);
	assert.equal(token.host, `${server.store}/uploads`);
	assert.ok(token.expire > Date.now() / 1000);
	assert.ok(token.dir.endsWith("/"));
	assert.equal(headers["cache-control"], "no-store");
	assert.equal(headers["access-control-allow-origin"], "*");
	const policy = JSON.parse(Buffer.from(token.policy, "base64").toString());
	const text = JSON.stringify(policy.conditions);
	for (const part of ['{"bucket":"uploads"}', '"content-length-range"', '"starts-with","$key"'])
		assert.ok(text.includes(part), text);
	assert.ok(text.includes(token.callback), "the callback is a condition");
	assert.ok(Math.abs(Date.parse(policy.expiration) / 1000 - token.expire) < 1);
});

test("each classic token has a folder of its own, if that is asked for", async t => {
	const own = await startServer(t, { env: { POSTERN_APP_DIR_PER_TOKEN: "true" } });
	const ask = async path => JSON.parse((await send(own.app + path)).text);
	const UUID = /^user-dir-prefix\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\/$/;
	const [first, second, sample] = [await ask("/"), await ask("/"), await ask("/get_post_signature_for_oss_upload")];
	for (const { dir } of [first, second, sample])
		assert.match(dir, UUID);
	assert.equal(new Set([first.dir, second.dir, sample.dir]).size, 3);
	const post = (token, key) => postForm(own.store, classicFields(token, key), FILE);
	assert.equal((await post(first, `${first.dir}a.txt`)).text, '{"Status":"OK"}');
	for (const key of [`${first.dir}a.txt`, "user-dir-prefix/a.txt"])
		assert.equal((await post(second, key)).status, 403, key);
	// New pages have what their profile says.
	assert.equal((await ask("/grant")).dir, "user-dir-prefix/");
});

test("the secret is nowhere to be seen", async () => {
	for (const path of ["/", "/grant", "/upload/", "/nothing"])
		assert.ok(!(await send(server.app + path)).text.includes(server.key.secret));
	assert.ok(!(server.output + server.log).includes(server.key.secret)
		|| server.output.includes("access key secret"), "only the start-up text may show it");
	assert.ok(!server.log.includes(server.key.secret));
});

test("a classic form is stored, called back, and answered", async () => {
	const { json: token } = await json("/");
	const got = await postForm(server.store, classicFields(token), FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	assert.match(got.headers["content-type"], /^application\/json/);
	assert.match(got.headers.etag, /^"/);
	assert.equal((await getObject(server.store, `${token.dir}a.txt`)).toString(), "hello");
});

test("a grant can be posted as it is", async () => {
	const { json: grant, headers } = await json("/grant");
	assert.equal(grant.method, "POST");
	assert.equal(grant.url, `${server.store}/uploads`);
	assert.equal(headers["cache-control"], "no-store");
	assert.equal(grant.fields["x-oss-signature-version"], "OSS4-HMAC-SHA256");
	assert.equal(grant.fields.key, undefined);
	const got = await postForm(server.store, { key: `${grant.dir}g.txt`, ...grant.fields }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
});

test("one grant serves several files", async () => {
	const { json: grant } = await json("/grant");
	for (const name of ["one", "two", "one"]) {
		const got = await postForm(server.store, { key: grant.dir + name, ...grant.fields }, FILE);
		assert.equal(got.status, 200, got.text);
	}
});

test("a classic batch of 200 files with one token", async () => {
	const { json: token } = await json("/");
	const names = Array.from({ length: 200 }, (_, i) => `${token.dir}batch/${i}`);
	const work = [...names];
	const before = await recorded(server);
	const statuses = new Map();
	await Promise.all(Array.from({ length: 8 }, async () => {
		for (let key = work.pop(); key; key = work.pop()) {
			const got = await postForm(server.store, classicFields(token, key), FILE);
			statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1);
		}
	}));
	assert.deepEqual([...statuses], [[200, 200]]);
	assert.equal(await recorded(server), before + 200, "each is confirmed, by the one token");
});

test("a grant is good for so many uploads and bytes, and no more", async t => {
	const own = await startServer(t, { env: { POSTERN_APP_GRANT_UPLOADS: "3", POSTERN_APP_MAX_SIZE: "10" } });
	const ask = async () => JSON.parse((await send(`${own.app}/grant`)).text);
	const post = ({ fields, dir }, name, content = "hello") =>
		postForm(own.store, { key: dir + name, ...fields }, { ...FILE, content });
	const grant = await ask();
	assert.equal(grant.max_uploads, 3);
	for (const name of ["one", "two", "three"])
		assert.equal((await post(grant, name)).status, 200);
	const used = await post(grant, "four");
	assert.equal(used.status, 203);
	assert.equal(used.xml("Message"), "Error status : 429.");
	await own.logged(/refused="the grant is used up"/);
	assert.equal((await post(await ask(), "four")).status, 200, "a new grant is good");
	const token = JSON.parse((await send(`${own.app}/`)).text);
	for (const [name, status] of [["a", 200], ["b", 200], ["c", 200], ["d", 203]])
		assert.equal((await postForm(own.store, classicFields(token, token.dir + name), FILE)).status, status);
});

test("a client can neither drop nor change the callback, nor leave its folder", async () => {
	const { json: token } = await json("/");
	const before = await listObjects(server.store);
	const fields = classicFields(token, `${token.dir}sly`);
	const { callback, ...dropped } = fields;
	const other = Buffer.from(JSON.stringify({ callbackUrl: "http://evil.test/", callbackBody: "x" }));
	for (const sly of [dropped, { ...fields, callback: "" },
		{ ...fields, callback: other.toString("base64") }, { ...fields, key: "elsewhere/sly" }]) {
		const got = await postForm(server.store, sly, FILE);
		assert.equal(got.status, 403, got.text);
		assert.equal(got.xml("Code"), "AccessDenied");
	}
	assert.deepEqual(await listObjects(server.store), before);
});

test("an object's name injects nothing into the callback", async t => {
	const sink = await startSink(t, says("{}"));
	const own = await startServer(t, {
		env: { POSTERN_APP_CALLBACK_URL: `${sink.url}/cb`, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" },
	});
	const token = JSON.parse((await send(`${own.app}/`)).text);
	const name = "a&size=1&x=\"},{\"+%26 中.txt";
	const got = await postForm(own.store, classicFields(token, token.dir + name), FILE);
	assert.equal(got.status, 200, got.text);
	const [{ body, headers }] = sink.requests;
	const { callbackBodyType } = JSON.parse(Buffer.from(token.callback, "base64").toString());
	const values = callbackBodyType === "application/json" ? JSON.parse(body.toString())
		: Object.fromEntries(new URLSearchParams(body.toString()));
	assert.equal(values.filename ?? values.object, token.dir + name);
	assert.equal(Number(values.size), 5);
	assert.equal(headers["content-type"], callbackBodyType ?? "application/x-www-form-urlencoded");
	assert.equal(headers["x-oss-bucket"], "uploads");
});

test("callbacks that are not the store's are refused, and no key of theirs is fetched", async t => {
	const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const pem = publicKey.export({ type: "spki", format: "pem" });
	const evil = await startSink(t, says(pem, 200, "text/plain"));
	const body = "filename=user-dir-prefix%2Fforged&size=1";
	const signature = createSign("md5").update(`/\n${body}`).sign(privateKey, "base64");
	const base64 = text => Buffer.from(text).toString("base64");
	for (const url of [`${evil.url}/callback_pub_key_v1.pem`,
		`${evil.url}/gosspublic.alicdn.com/callback_pub_key_v1.pem`,
		`http://gosspublic.alicdn.com@${evil.url.slice(7)}/k.pem`,
		"http://gosspublic.alicdn.com.evil.test/k.pem",
		`${server.store}/uploads/k.pem`]) {
		const got = await send(`${server.app}/`, "POST", {
			"Content-Type": "application/x-www-form-urlencoded",
			Authorization: signature,
			"x-oss-pub-key-url": base64(url),
		}, body);
		assert.equal(got.status, 400, url);
	}
	assert.equal(evil.requests.length, 0);
	for (const headers of [{}, { Authorization: signature }, { "x-oss-pub-key-url": "!!" },
		{ Authorization: "!!", "x-oss-pub-key-url": base64(`${server.store}/-/callback_pub_key_v1.pem`) }])
		assert.equal((await send(`${server.app}/`, "POST", headers, body)).status, 400);
});

test("a callback body without bound is refused", async () => {
	const got = await send(`${server.app}/`, "POST", {}, Buffer.alloc(5_000_000, 65));
	assert.ok(got.status === 400 || got.status === 413, String(got.status));
});

test("the store's public key is served", async () => {
	const got = await send(`${server.store}/-/callback_pub_key_v1.pem`);
	assert.equal(got.status, 200);
	assert.match(got.text, /^-----BEGIN PUBLIC KEY-----/);
});

test("the page, with a strict policy and a tag to ask for it again", async () => {
	const page = await send(`${server.app}/upload/`);
	assert.equal(page.status, 200);
	assert.match(page.headers["content-type"], /^text\/html/);
	const policy = page.headers["content-security-policy"];
	assert.match(policy, /default-src 'none'/);
	assert.doesNotMatch(policy, /unsafe/);
	assert.ok(policy.includes(`connect-src 'self' ${server.store}`), policy);
	assert.equal(page.headers["x-content-type-options"], "nosniff");
	const again = await send(`${server.app}/upload/`, "GET", { "If-None-Match": page.headers.etag });
	assert.equal(again.status, 304);
	const bare = await send(`${server.app}/upload`);
	assert.equal(bare.headers.location, "/upload/");
	const library = await send(`${server.app}/client/postern-upload.js`);
	assert.match(library.headers["content-type"], /^text\/javascript/);
	for (const path of ["/upload/nothing", "/upload/../client/xml.js", "/client/", "/upload/%2e%2e/"])
		assert.notEqual((await send(server.app + path)).status, 200, path);
});
