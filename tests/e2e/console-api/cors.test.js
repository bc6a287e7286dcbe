// SPDX-License-Identifier: Apache-2.0
// What the store lets the console's page do, whatever the rules of a bucket say; and the tester of
// those rules.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask } from "../lib/console_api.js";
import { policy, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { presignV4, target } from "../lib/sign.js";

const all = cleanups();
let server, store, origin;
before(async () => {
	server = await startServer(all, { env: { POSTERN_CONSOLE_ORIGINS: "https://Console.example.com" } });
	({ store, console: origin } = server);
	await request(store, "PUT", "bare", "");
	await request(store, "PUT", "bare", "a.txt", { body: "a" });
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	await request(store, "PUT", "open", "a.txt", { body: "a" });
});
after(all.run);

const allowed = answer => answer.headers["access-control-allow-origin"];

function preflight(path, from = origin, method = "PUT", headers = "authorization,x-oss-date") {
	return send(store + path, "OPTIONS", {
		Origin: from,
		...method && { "Access-Control-Request-Method": method },
		...headers && { "Access-Control-Request-Headers": headers },
	});
}

test("a preflight of the console succeeds, for a bucket or none", async () => {
	for (const path of ["/", "/?max-keys=1", "/bare", "/bare/a.txt", "/nobodys", "/nobodys/a", "/No_Name/"]) {
		const got = await preflight(path);
		assert.equal(got.status, 200, path);
		assert.equal(allowed(got), origin);
		assert.match(got.headers["access-control-allow-methods"], /\bPUT\b.*\bDELETE\b/);
		assert.equal(got.headers["access-control-allow-headers"], "authorization,x-oss-date");
		assert.equal(got.headers.vary, "Origin");
	}
	assert.equal((await preflight("/bare", origin, "")).status, 400);
});

test("of its other names too, and of no other origin", async () => {
	const { port } = new URL(origin);
	for (const from of [`http://localhost:${port}`, "https://console.example.com"])
		assert.equal(allowed(await preflight("/bare", from)), from);
	for (const from of ["http://evil.test", "null", `http://127.0.0.1:${Number(port) + 1}`, `${origin}0`,
		"http://console.example.com"]) {
		for (const path of ["/bare", "/bare/a.txt"]) {
			const got = await preflight(path, from);
			assert.equal(got.status, 403, from);
			assert.equal(allowed(got), undefined);
		}
		const listed = await request(store, "GET", "", "", { headers: { Origin: from } });
		assert.equal(listed.status, 200);
		assert.equal(allowed(listed), undefined);
	}
});

test("it may read what it has signed: lists, objects, errors", async () => {
	const signed = (method, bucket, key, options = {}) =>
		request(store, method, bucket, key, { ...options, headers: { Origin: origin } });
	for (const [answer, status] of [
		[await signed("GET", "", ""), 200],
		[await signed("GET", "bare", "a.txt"), 200],
		[await signed("HEAD", "bare", "a.txt"), 200],
		[await signed("GET", "bare", "none"), 404],
		[await signed("GET", "nobodys", ""), 404],
		[await signed("PUT", "No_Name", ""), 400],
		[await signed("GET", "bare", "", { query: { lifecycle: "" } }), undefined],
		[await signed("GET", "bare", "", { accessKey: { id: "nobody", secret: "x" } }), 403],
		[await signed("GET", "open", "a.txt", { accessKey: { id: "testaccesskeyid", secret: "x" } }), 403],
	]) {
		if (status)
			assert.equal(answer.status, status, answer.text);
		assert.equal(allowed(answer), origin, answer.text);
		assert.equal(answer.headers["access-control-expose-headers"], "*");
		assert.equal(answer.headers.vary, "Origin");
	}
});

test("a presigned URL and a signed form count as signed", async () => {
	const query = presignV4({ bucket: "bare", key: "a.txt" });
	const got = await send(store + target("bare", "a.txt", query), "GET", { Origin: origin });
	assert.equal(got.status, 200, got.text);
	assert.equal(allowed(got), origin);
	const post = (fields, bucket) => postForm(store, fields, { content: "x" },
		{ bucket, headers: { Origin: origin } });
	const stored = await post(signedFieldsV1("form.txt", {}, { text: policy({ bucket: "bare" }) }), "bare");
	assert.equal(stored.status, 204, stored.text);
	assert.equal(allowed(stored), origin);
	const refused = await post(signedFieldsV1("form.txt", {}, { text: policy({ seconds: -1 }) }), "bare");
	assert.equal(refused.status, 403);
	assert.equal(allowed(refused), origin);
	const anonymous = await post({ key: "anonymous.txt" }, "open");
	assert.equal(anonymous.status, 204, anonymous.text);
	assert.equal(allowed(anonymous), undefined);
});

test("without a signature it is a page like any other", async () => {
	const headers = { Origin: origin };
	for (const path of ["/open/a.txt", "/open/none", "/bare/a.txt", "/nobodys", "/"])
		assert.equal(allowed(await send(store + path, "GET", headers)), undefined, path);
	await request(store, "PUT", "open", "", { query: { cors: "" }, body: "<CORSConfiguration><CORSRule>"
		+ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>" });
	const ruled = await send(`${store}/open/a.txt`, "GET", headers);
	assert.equal(allowed(ruled), "*");
	assert.equal(ruled.headers["access-control-expose-headers"], undefined);
	const signed = await request(store, "GET", "open", "a.txt", { headers });
	assert.equal(allowed(signed), origin, "one answer, not two");
});

// ---- The tester

const RULES = `<CORSConfiguration><CORSRule><AllowedOrigin>https://a.example.com</AllowedOrigin>
<AllowedMethod>GET</AllowedMethod></CORSRule><CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin>
<AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
<MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>`;

async function ruled() {
	await request(store, "PUT", "ruled", "");
	const set = await request(store, "PUT", "ruled", "", { query: { cors: "" }, body: RULES });
	assert.equal(set.status, 200, set.text);
}

const trial = (more = {}) => ({ bucket: "ruled", key: "any", origin: "https://a.example.com", method: "PUT",
	headers: ["x-oss-date"], ...more });

test("the tester says what the store does", async () => {
	await ruled();
	for (const question of [trial(), trial({ origin: "https://b.test" }), trial({ method: "GET", headers: [] }),
		trial({ method: "DELETE" }), trial({ headers: ["x-oss-date", "x-other"] }), trial({ origin: "" }),
		trial({ method: "" }), trial({ headers: undefined }), trial({ origin }), trial({ bucket: "bare" })]) {
		const { json } = await ask(server, "POST", "/cors-test", { json: question });
		const real = await send(`${store}/${question.bucket}/any`, "OPTIONS", {
			...question.origin && { Origin: question.origin },
			...question.method && { "Access-Control-Request-Method": question.method },
			...question.headers?.length && { "Access-Control-Request-Headers": question.headers.join(", ") },
		});
		assert.equal(json.status, real.status, JSON.stringify(question));
		assert.equal(json.code, real.xml("Code") ?? "");
		const told = Object.entries(json.headers).map(([name, value]) => [name.toLowerCase(), value]);
		const cors = Object.entries(real.headers).filter(([name]) => /^(access-control-|vary$)/.test(name));
		assert.deepEqual(Object.fromEntries(told), Object.fromEntries(cors));
	}
});

test("the tester says rule by rule why", async () => {
	await ruled();
	const matched = async question => {
		const { json } = await ask(server, "POST", "/cors-test", { json: trial(question) });
		return [json.matched, ...json.rules.map(rule => rule.reason || rule.matches)];
	};
	assert.deepEqual(await matched({}), [2, "method", true]);
	assert.deepEqual(await matched({ method: "GET", headers: [] }), [1, true, "method"]);
	assert.deepEqual(await matched({ origin: "https://b.test" }), [0, "origin", "origin"]);
	assert.deepEqual(await matched({ origin }), [0, "origin", "origin"]);
	const { json } = await ask(server, "POST", "/cors-test", { json: trial({ headers: ["x-oss-a", "x-b"] }) });
	assert.equal(json.matched, 0);
	assert.deepEqual(json.rules[1], { rule: 2, matches: false, reason: "header", header: "x-b",
		why: "It allows origin and method, but not the header x-b." });
	assert.equal(json.status, 403);
	assert.match(json.message, /not allowed/);
});

test("the tester refuses what is no question, and who has no key", async () => {
	const refused = async (options, status, code) => {
		const got = await ask(server, "POST", "/cors-test", options);
		assert.equal(`${got.status} ${got.xml("Code")}`, `${status} ${code}`, got.text);
	};
	for (const json of [{}, [], "x", trial({ origin: "https://a\r\nX: y" }), trial({ method: 1 }),
		trial({ headers: "x" }), trial({ headers: [1] }), trial({ headers: ["a\nb"] })])
		await refused({ json }, 400, "InvalidArgument");
	await refused({ json: trial({ bucket: "nobodys" }) }, 404, "NoSuchBucket");
	await refused({ json: trial({ headers: ["x".repeat(20_000)] }) }, 400, "EntityTooLarge");
	await refused({ json: trial(), accessKey: { id: "nobody", secret: "x" } }, 403, "InvalidAccessKeyId");
	await refused({ json: trial(), accessKey: { id: server.key.id, secret: "x" } }, 403, "SignatureDoesNotMatch");
	const stranger = await send(`${server.console}/cors-test`, "POST", {}, JSON.stringify(trial()));
	assert.equal(stranger.status, 403);
	assert.equal(stranger.xml("Code"), "AccessDenied");
	const got = await ask(server, "GET", "/cors-test");
	assert.equal(got.status, 405);
	assert.equal(got.headers.allow, "POST");
});
