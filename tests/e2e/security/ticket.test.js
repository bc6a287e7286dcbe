// SPDX-License-Identifier: Apache-2.0
// Whose grant our own store sends in a callback: that of whoever has signed it with the very key.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { base64Json, listObjects, policy, postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4, target } from "../lib/sign.js";
import { startSink, says } from "../lib/sink.js";
import { assumeRole } from "../lib/sts.js";

const all = cleanups();
let server, wire, grant;
before(async () => {
	wire = await startSink(all, says("{\"Status\":\"caught\"}"));
	server = await startServer(all, { env: {
		POSTERN_APP_CALLBACK_URL: `${wire.url}/hook`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	} });
	grant = await newGrant();
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const KEY = "user-dir-prefix/k";
const BODY = "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&reqId=${reqId}&grant=";

async function newGrant(app = server.app) {
	const { fields } = JSON.parse((await send(`${app}/grant`)).text);
	return /grant=([^"&]+)/.exec(Buffer.from(fields.callback, "base64").toString())[1];
}

const callbackOf = (callbackBody, type) => base64Json({ callbackUrl: `${wire.url}/hook`, callbackBody,
	...type && { callbackBodyType: type } });

/** Uploads, and tells whether the callback went out. Nothing may be stored if it did not. */
async function sent(upload, key = KEY) {
	const before = wire.requests.length;
	const objects = await listObjects(server.store);
	const got = await upload();
	if (got.status === 200) {
		assert.equal(wire.requests.length, before + 1);
		await request(server.store, "DELETE", "uploads", key);
		return true;
	}
	assert.equal(got.status, 403, got.text);
	assert.equal(got.xml("Code"), "AccessDenied");
	assert.match(got.xml("Message"), /grant of an application server/);
	assert.equal(wire.requests.length, before);
	assert.deepEqual(await listObjects(server.store), objects, "nothing is stored");
	return false;
}

function form(callback, { pinned = true, fields = {}, conditions = [], accessKey, v4 = false, key = KEY } = {}) {
	const pins = [...conditions, ...pinned ? [["eq", "$callback", callback]] : []];
	return postForm(server.store, v4 ? signedFieldsV4(key, { callback, ...fields }, { conditions: pins })
		: signedFieldsV1(key, { callback, ...fields }, { text: policy({ conditions: pins }), accessKey }), FILE);
}

test("a form: the policy must say eq to the callback", async () => {
	const callback = callbackOf(BODY + grant);
	assert.ok(await sent(() => form(callback)));
	assert.ok(await sent(() => form(callback, { v4: true })));
	assert.ok(await sent(() => form(callback, { pinned: false, conditions: [{ callback }] })), "an object is eq too");
	assert.ok(await sent(() => form(callback, { pinned: false, conditions: [{ CallBack: callback }] })));
	assert.ok(!await sent(() => form(callback, { pinned: false })));
	assert.ok(!await sent(() => form(callback, { pinned: false, v4: true })));
	for (const loose of [["starts-with", "$callback", ""], ["starts-with", "$callback", callback.slice(0, -4)],
		["in", "$callback", [callback]], ["not-in", "$callback", ["x"]]])
		assert.ok(!await sent(() => form(callback, { pinned: false, conditions: [loose] })), JSON.stringify(loose));
	assert.ok(await sent(() => form(callbackOf(`${BODY}x`), { pinned: false })), "what is no grant is sent");
	assert.ok(await sent(() => form(callbackOf("a=b"), { pinned: false })));
});

test("a signed request says so in a header or in the query", async () => {
	const callback = callbackOf(BODY + grant);
	const v1 = options => request(server.store, "PUT", "uploads", KEY, { ...options, body: "hello" });
	const v4 = ({ query = {}, headers = {} }) => send(server.store + target("uploads", KEY, query), "PUT",
		headersV4({ method: "PUT", bucket: "uploads", key: KEY, query, headers }), "hello");
	for (const put of [v1, v4]) {
		assert.ok(await sent(() => put({ headers: { "x-oss-callback": callback } })));
		assert.ok(await sent(() => put({ query: { callback } })));
	}
});

test("a grant of another key is not sent, nor one of nobody", async () => {
	const stranger = await startServer(all, { env: { POSTERN_ACCESS_KEY_ID: "stranger",
		POSTERN_ACCESS_KEY_SECRET: "another-secret-0123456789" } });
	const theirs = await newGrant(stranger.app);
	const changed = grant.slice(0, -1) + (grant.endsWith("0") ? "1" : "0");
	const guessed = grant.slice(0, -32) + createHmac("sha256", "guess").update(grant).digest("hex").slice(0, 32);
	for (const foreign of [theirs, changed, guessed]) {
		const callback = callbackOf(BODY + foreign);
		assert.ok(!await sent(() => form(callback)));
		assert.ok(!await sent(() => request(server.store, "PUT", "uploads", KEY,
			{ body: "hello", headers: { "x-oss-callback": callback } })));
	}
});

test("temporary keys and anonymous requests send no grant", async () => {
	const callback = callbackOf(BODY + grant);
	const session = await assumeRole(server);
	const accessKey = { id: session.id, secret: session.secret };
	assert.ok(!await sent(() => form(callback, { accessKey, fields: { "x-oss-security-token": session.token } })));
	assert.ok(!await sent(() => request(server.store, "PUT", "uploads", KEY, { accessKey, body: "hello",
		headers: { "x-oss-callback": callback, "x-oss-security-token": session.token } })));
	await request(server.store, "PUT", "public", "", { headers: { "x-oss-acl": "public-read-write" } });
	const anonymous = await send(`${server.store}/public/k`, "PUT", { "x-oss-callback": callback }, "hello");
	assert.equal(anonymous.status, 403, anonymous.text);
	assert.equal((await postForm(server.store, { key: "k", callback }, FILE, { bucket: "public" })).status, 403);
	assert.deepEqual(await listObjects(server.store, "public"), []);
	assert.equal((await postForm(server.store, { key: "k", callback: callbackOf("a=b") }, FILE,
		{ bucket: "public" })).status, 200, "without a grant they may");
});

test("CompleteMultipartUpload", async () => {
	const theirs = grant.slice(0, -1) + (grant.endsWith("0") ? "1" : "0");
	for (const [one, good] of [[theirs, false], [grant, true]]) {
		const uploadId = (await request(server.store, "POST", "uploads", KEY, { query: { uploads: "" } })).xml("UploadId");
		const part = await request(server.store, "PUT", "uploads", KEY, { query: { partNumber: 1, uploadId }, body: "hello" });
		const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part>`
			+ "</CompleteMultipartUpload>";
		assert.equal(await sent(() => request(server.store, "POST", "uploads", KEY, { query: { uploadId }, body,
			headers: { "x-oss-callback": callbackOf(BODY + one) } })), good);
	}
});

test("however the grant gets into the body", async () => {
	const half = Math.floor(grant.length / 2);
	const encoded = [...grant].map(c => `%${c.charCodeAt(0).toString(16)}`).join("");
	const rest = "bucket=${bucket}&object=${object}&reqId=${reqId}";
	const sly = [
		[`${rest}&%67rant=${grant}`],
		[`${rest}&grant=${encoded}`],
		[`grant=${grant}&${rest}`],
		[`${rest}&grant=\${x:g}`, { "x:g": grant }],
		[`${rest}&grant=\${x:a}\${x:b}`, { "x:a": grant.slice(0, half), "x:b": grant.slice(half) }],
		[`${rest}&gr\${x:n}=\${x:g}`, { "x:n": "ant", "x:g": grant }],
		["grant=${object}", {}, { key: grant }],
		["grant=${mimeType}", { "x-oss-content-type": grant }],
		[`{"object":\${object},"grant":"${grant}"}`, {}, { type: "application/json" }],
		[`{"object":\${object},"\\u0067rant":"${grant}"}`, {}, { type: "application/json" }],
		["{\"object\":${object},\"grant\":${x:g}}", { "x:g": grant }, { type: "application/json" }],
		// The type is no part of what is signed: a receiver can be told another one.
		[`{"a":"&grant=${grant}&object=k&b="}`, {}, { type: "application/json" }],
		["{\"a\":${x:g}}", { "x:g": `&grant=${grant}&object=k&b=` }, { type: "application/json" }],
		[`{"object":"k","grant":"${grant}"}`],
	];
	for (const [body, fields, { key = KEY, type } = {}] of sly)
		assert.ok(!await sent(() => form(callbackOf(body, type), { pinned: false, fields, key }), key), body);
	// By what was not signed it does not get there either, whoever signed the rest.
	for (const [body, fields, { key = KEY, type } = {}] of sly.slice(3, 8))
		assert.ok(!await sent(() => form(callbackOf(body, type), { fields, key }), key), body);
	assert.ok(!await sent(() => form(callbackOf(...["{\"a\":${x:g}}", "application/json"]),
		{ fields: { "x:g": `&grant=${grant}&object=k&b=` } })));
	// What is signed, is: the grant as such, and in a request the variables.
	assert.ok(await sent(() => form(callbackOf(`${rest}&%67rant=${encoded}`))));
	assert.ok(await sent(() => form(callbackOf(`{"object":\${object},"grant":"${grant}"}`, "application/json"))));
	assert.ok(await sent(() => request(server.store, "PUT", "uploads", KEY, { body: "hello", headers: {
		"x-oss-callback": callbackOf(`${rest}&grant=\${x:g}`), "x-oss-callback-var": base64Json({ "x:g": grant }) } })));
});

test("a grant that the size or the ETag completes", async () => {
	// The fifth part of the grant's first time is a number: the size of an object can be that.
	const [id, kind, issued, ...rest] = grant.split(".");
	const digits = issued.slice(0, 3);
	const body = `object=\${object}&reqId=\${reqId}&grant=${id}.${kind}.\${size}${issued.slice(3)}.${rest.join(".")}`;
	const content = Buffer.alloc(Number(digits), "x");
	const callback = callbackOf(body);
	assert.ok(!await sent(() => postForm(server.store, signedFieldsV1(KEY, { callback }), { ...FILE, content })));
	assert.ok(!await sent(() => form(callback)), "not even if the parameter is signed");
	assert.ok(await sent(() => form(callbackOf("object=${object}&grant=${size}"), { pinned: false })),
		"a member of that name is nobody's business otherwise");
});
