// SPDX-License-Identifier: Apache-2.0
// Signatures of requests: V1 and V4, in the header and in the URL; clocks; what a refusal shows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { basicDate, headersV4, KEY, presignV1, presignV4, signV1, signV4, stringToSignV1, target }
	from "../lib/sign.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const key of NAMES)
		assert.equal((await request(store, "PUT", "uploads", key, { body: key })).status, 200);
});
after(all.run);

/** Where encoding matters. */
const NAMES = ["plain", "a b", "a+b", "a%2Fb", "d/e//f", "中/é", "q?x=1&y#z", "~-_.!*'()", "a:b@c;d,e=f$g"];
const seconds = offset => Math.floor(Date.now() / 1000) + offset;
const later = ms => new Date(Date.now() + ms);

function get(key, query = {}, headers = {}) {
	return send(store + target("uploads", key, query), "GET", headers);
}

async function refused(answer, status, code, ec) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	if (ec)
		assert.equal(got.xml("EC"), ec);
	return got;
}

const v1 = (key, date, options = {}) => ({ Date: date, ...options.headers,
	Authorization: `OSS ${KEY.id}:${signV1(stringToSignV1({ method: "GET", bucket: "uploads", key, date,
		...options }))}` });

test("V1 in the header, for all kinds of names", async () => {
	for (const key of NAMES)
		assert.equal((await get(key, {}, v1(key, new Date().toUTCString()))).text, key);
	const odd = { "x-oss-meta-z": "1", "X-OSS-Meta-A": "b" };
	assert.equal((await get("plain", {}, v1("plain", new Date().toUTCString(), { headers: odd }))).text, "plain");
	const date = new Date().toUTCString();
	const own = v1("plain", date, { headers: { "x-oss-date": date } });
	delete own.Date;
	assert.equal((await get("plain", {}, own)).text, "plain", "x-oss-date instead of Date");
});

test("V1: only sub-resources are signed of a query", async () => {
	const date = new Date().toUTCString();
	const query = { "response-content-type": "x/y", "max-keys": "5", other: "z" };
	const got = await get("plain", query, v1("plain", date, { subresources: { "response-content-type": "x/y" } }));
	assert.equal(got.headers["content-type"], "x/y");
	await refused(get("plain", query, v1("plain", date)), 403, "SignatureDoesNotMatch");
});

test("V4 in the header, for all kinds of names and queries", async () => {
	for (const key of NAMES)
		assert.equal((await get(key, {}, headersV4({ method: "GET", bucket: "uploads", key }))).text, key);
	const query = { b: "2", a: "1 +/&=", B: "", "中": "é", "response-content-type": "x/y" };
	const got = await get("plain", query, headersV4({ method: "GET", bucket: "uploads", key: "plain", query }));
	assert.equal(got.headers["content-type"], "x/y", got.text);
	const headers = { "x-oss-meta-a": "  spaces  ", "Content-Type": "text/x", zabc: "value", abc: "v" };
	const additional = ["abc", "zabc"];
	const more = headersV4({ method: "GET", bucket: "uploads", key: "plain", headers, additional });
	assert.equal((await get("plain", {}, more)).text, "plain");
	await refused(get("plain", {}, { ...more, abc: "changed" }), 403, "SignatureDoesNotMatch");
	const spaced = { ...more, Authorization: more.Authorization.replace(/,/g, ", ") };
	assert.equal((await get("plain", {}, spaced)).text, "plain", "as oss2 writes it");
});

test("V4 with the header Date alone: signed in ISO 8601, or as it stands, as the Go SDK does", async () => {
	const now = new Date();
	for (const time of [basicDate(now), now.toUTCString()]) {
		const headers = { "x-oss-content-sha256": "UNSIGNED-PAYLOAD" };
		const { scope, signature } = signV4({ method: "GET", bucket: "uploads", key: "plain", headers, now, time });
		const ask = date => get("plain", {}, { ...headers, Date: date,
			Authorization: `OSS4-HMAC-SHA256 Credential=${KEY.id}/${scope},Signature=${signature}` });
		assert.equal((await ask(now.toUTCString())).text, "plain");
		const earlier = new Date(now.getTime() - 60_000);
		const got = await refused(ask(earlier.toUTCString()), 403, "SignatureDoesNotMatch");
		assert.match(got.xml("StringToSign"), /^OSS4-HMAC-SHA256\n\d{8}T\d{6}Z\n/);
	}
});

test("a space of a query may be written as + and is signed as %20, as oss2 does", async () => {
	const query = { prefix: "a b", marker: "", "max-keys": "5" };
	const ask = (prefix, headers) => send(`${store}/uploads/?prefix=${prefix}&marker&max-keys=5`, "GET", headers);
	const keys = got => [...got.text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);
	const v4 = headersV4({ method: "GET", bucket: "uploads", key: "", query });
	const plus = headersV4({ method: "GET", bucket: "uploads", key: "", query: { ...query, prefix: "a+b" } });
	const date = new Date().toUTCString();
	for (const [prefix, headers, name] of [["a+b", v4, "a b"], ["a%20b", v4, "a b"], ["a%2Bb", plus, "a+b"],
		["a+b", v1("", date), "a b"], ["a%2Bb", v1("", date), "a+b"]])
		assert.deepEqual(keys(await ask(prefix, headers)), [name], prefix);
	await refused(ask("a+b", plus), 403, "SignatureDoesNotMatch");
	// A signature's own pluses are forgiven.
	const signature = presignV1({ bucket: "uploads", key: "plain", expires: seconds(60) });
	for (let i = 0; !signature.Signature.includes("+") && i < 500; i++)
		Object.assign(signature, presignV1({ bucket: "uploads", key: "plain", expires: seconds(60 + i) }));
	const raw = Object.entries(signature).map(pair => pair.join("=")).join("&").replace("==", "=").replace(/=$/, "%3D");
	assert.equal((await send(`${store}/uploads/plain?${raw}`)).text, "plain");
});

test("presigned URLs, V1", async () => {
	for (const key of NAMES) {
		const query = presignV1({ bucket: "uploads", key, expires: seconds(60) });
		assert.equal((await get(key, query)).text, key);
	}
	const put = presignV1({ method: "PUT", bucket: "uploads", key: "presigned", expires: seconds(60),
		headers: { "Content-Type": "text/x" } });
	const url = store + target("uploads", "presigned", put);
	await refused(send(url, "PUT", { "Content-Type": "text/y" }, "v"), 403, "SignatureDoesNotMatch");
	assert.equal((await send(url, "PUT", { "Content-Type": "text/x" }, "v")).status, 200);
	await refused(send(url, "GET", { "Content-Type": "text/x" }), 403, "SignatureDoesNotMatch");
	const image = presignV1({ bucket: "uploads", key: "plain", expires: seconds(60),
		subresources: { "response-content-disposition": "attachment; filename=\"ä.txt\"" } });
	assert.match((await get("plain", image)).headers["content-disposition"], /^attachment; filename=/);
});

test("presigned URLs, V1: expired, incomplete, changed", async () => {
	const good = presignV1({ bucket: "uploads", key: "plain", expires: seconds(60) });
	const got = await refused(get("plain", presignV1({ bucket: "uploads", key: "plain", expires: seconds(-10) })),
		403, "AccessDenied");
	assert.equal(got.xml("Message"), "Request has expired.");
	assert.ok(got.xml("Expires") && got.xml("ServerTime"));
	for (const name of ["OSSAccessKeyId", "Expires", "Signature"]) {
		const { [name]: _, ...others } = good;
		await refused(get("plain", others), 403, "AccessDenied");
	}
	await refused(get("plain", { ...good, Expires: String(seconds(600)) }), 403, "SignatureDoesNotMatch");
	await refused(get("plain", { ...good, Expires: "soon" }), 403, "AccessDenied");
	await refused(get("a b", good), 403, "SignatureDoesNotMatch");
	await refused(get("plain", { ...good, OSSAccessKeyId: "stranger" }), 403, "InvalidAccessKeyId");
	await refused(get("plain", { ...good, "response-content-type": "text/html" }), 403, "SignatureDoesNotMatch");
	await refused(get("plain", good, v1("plain", new Date().toUTCString())), 400, "InvalidArgument");
});

test("presigned URLs, V4", async () => {
	for (const key of NAMES)
		assert.equal((await get(key, presignV4({ bucket: "uploads", key }))).text, key);
	const query = presignV4({ bucket: "uploads", key: "plain", query: { "response-content-type": "x/y", z: "" } });
	assert.equal((await get("plain", query)).headers["content-type"], "x/y");
	const put = presignV4({ method: "PUT", bucket: "uploads", key: "presigned4",
		headers: { "content-type": "text/x" } });
	const url = store + target("uploads", "presigned4", put);
	await refused(send(url, "PUT", { "Content-Type": "text/y" }, "v"), 403, "SignatureDoesNotMatch");
	assert.equal((await send(url, "PUT", { "Content-Type": "text/x" }, "v")).status, 200);
	const additional = presignV4({ bucket: "uploads", key: "plain", headers: { abc: "v" }, additional: ["abc"] });
	assert.equal((await get("plain", additional, { abc: "v" })).text, "plain");
	await refused(get("plain", additional, { abc: "w" }), 403, "SignatureDoesNotMatch");
});

test("presigned URLs, V4: expired, too early, too long, changed", async () => {
	const at = (now, life) => get("plain", presignV4({ bucket: "uploads", key: "plain", now, seconds: life }));
	await refused(at(later(-120_000), 60), 403, "AccessDenied");
	assert.equal((await at(later(-120_000), 600)).status, 200);
	assert.equal((await at(later(600_000), 60)).status, 200, "15 minutes of skew are allowed");
	assert.equal((await at(later(1_200_000), 60)).status, 403);
	for (const life of [0, 604_801, -1, "x"])
		assert.ok([400, 403].includes((await at(new Date(), life)).status), String(life));
	assert.equal((await at(new Date(), 604_800)).status, 200);
	const good = presignV4({ bucket: "uploads", key: "plain" });
	await refused(get("plain", { ...good, "x-oss-expires": "61" }), 403, "SignatureDoesNotMatch");
	await refused(get("plain", { ...good, more: "1" }), 403, "SignatureDoesNotMatch");
	await refused(get("a b", good), 403, "SignatureDoesNotMatch");
	for (const name of ["x-oss-credential", "x-oss-date", "x-oss-expires"]) {
		const { [name]: _, ...others } = good;
		assert.ok([400, 403].includes((await get("plain", others)).status), name);
	}
});

test("clock skew: 15 minutes, and the answer says what time it is", async () => {
	for (const [skew, ok] of [[-14, true], [14, true], [-16, false], [16, false]]) {
		const now = later(skew * 60_000);
		const answers = [await get("plain", {}, v1("plain", now.toUTCString())),
			await get("plain", {}, headersV4({ method: "GET", bucket: "uploads", key: "plain", now }))];
		for (const got of answers) {
			assert.equal(got.status, ok ? 200 : 403, `${skew} min: ${got.text}`);
			if (ok)
				continue;
			assert.equal(got.xml("Code"), "RequestTimeTooSkewed");
			assert.equal(got.xml("MaxAllowedSkewMilliseconds"), "900000");
			assert.ok(Math.abs(Date.parse(got.xml("ServerTime")) - Date.now()) < 60_000);
			assert.ok(Math.abs(Date.parse(got.xml("RequestTime")) - now) < 2000);
			assert.ok(Math.abs(Date.parse(got.headers.date) - Date.now()) < 60_000);
		}
	}
	for (const date of ["yesterday", "", "2024-01-01"])
		await refused(get("plain", {}, v1("plain", date)), 403, "AccessDenied");
});

test("SignatureDoesNotMatch shows what was signed", async () => {
	const date = new Date().toUTCString();
	const headers = { "x-oss-meta-a": "<b>", Date: date, Authorization: `OSS ${KEY.id}:d3Jvbmc=` };
	const got = await refused(get("a b", { acl2: "x", "response-expires": "1" }, headers), 403,
		"SignatureDoesNotMatch", "0002-00000040");
	assert.equal(got.xml("OSSAccessKeyId"), KEY.id);
	assert.equal(got.xml("SignatureProvided"), "d3Jvbmc=");
	const text = stringToSignV1({ method: "GET", bucket: "uploads", key: "a b", date,
		headers: { "x-oss-meta-a": "<b>" }, subresources: { "response-expires": "1" } });
	assert.equal(got.xml("StringToSign"), text.replace("<b>", "&lt;b&gt;"));
	assert.equal(got.xml("StringToSignBytes"),
		[...Buffer.from(text)].map(byte => byte.toString(16).toUpperCase().padStart(2, "0")).join(" "));
	const now = new Date();
	const v4 = headersV4({ method: "GET", bucket: "uploads", key: "plain", now });
	const wrong = await refused(get("plain", {}, { ...v4, Authorization: v4.Authorization.replace(/.$/, "x") }),
		403, "SignatureDoesNotMatch");
	const { text: toSign, canonical } = signV4({ method: "GET", bucket: "uploads", key: "plain", now,
		headers: { "x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": basicDate(now) } });
	assert.equal(wrong.xml("StringToSign"), toSign);
	assert.equal(wrong.xml("CanonicalRequest"), canonical);
	assert.ok(!got.text.includes(KEY.secret) && !wrong.text.includes(KEY.secret));
	const long = await refused(get("plain", {}, { ...headers, "x-oss-meta-long": "x".repeat(6000) }), 403,
		"SignatureDoesNotMatch");
	assert.ok(long.body.length <= 4096, "oss2 reads no more");
});

test("authorizations that cannot be read", async () => {
	const now = new Date();
	const date = now.toUTCString();
	const good = headersV4({ method: "GET", bucket: "uploads", key: "plain", now });
	for (const [Authorization, code] of [
		["Basic dXNlcjpwYXNz", "InvalidArgument"],
		["Bearer x", "InvalidArgument"],
		["OSS", "InvalidArgument"],
		["OSS nocolon", "InvalidArgument"],
		["OSS stranger:c2ln", "InvalidAccessKeyId"],
		["OSS4-HMAC-SHA256 nonsense", "InvalidArgument"],
		["OSS4-HMAC-SHA256 Credential=a/b/c/d/e,Signature=x", "InvalidArgument"],
		[good.Authorization.replace(KEY.id, "stranger"), "InvalidAccessKeyId"],
		[good.Authorization.replace("cn-hangzhou", "cn-beijing"), "SignatureDoesNotMatch"],
		[good.Authorization.replace("/oss/", "/s3/"), "InvalidArgument"],
		[good.Authorization.replace(/\/\d{8}\//, "/20200101/"), "InvalidArgument"],
	]) {
		const headers = Authorization.startsWith("OSS4") ? good : { Date: date };
		const got = await get("plain", {}, { ...headers, Authorization });
		assert.ok([400, 403].includes(got.status), `${Authorization}: ${got.status}`);
		assert.equal(got.xml("Code"), code, `${Authorization}: ${got.text}`);
	}
	const { "x-oss-content-sha256": _, ...without } = good;
	assert.ok([400, 403].includes((await get("plain", {}, without)).status));
	await refused(get("plain", {}, { ...v1("plain", date), "x-oss-security-token": "t" }), 403, "InvalidAccessKeyId");
});

test("one region, if that is configured", async t => {
	const own = await startServer(t, { env: { POSTERN_STORE_REGION: "eu-test-1", POSTERN_APP_REGION: "eu-test-1" } });
	const ask = region => send(own.store + target("uploads", "none", {}), "GET",
		headersV4({ method: "GET", bucket: "uploads", key: "none", region }));
	assert.equal((await ask("eu-test-1")).status, 404);
	await refused(ask("cn-hangzhou"), 400, "InvalidArgument", "0002-00000226");
});

test("V4 alone, if that is configured: header, URL and form", async t => {
	const own = await startServer(t, { env: { POSTERN_STORE_SIGNATURE_VERSIONS: "v4" } });
	const at = query => send(own.store + target("uploads", "none", query));
	const date = new Date().toUTCString();
	const text = stringToSignV1({ method: "GET", bucket: "uploads", key: "none", date });
	await refused(send(own.store + target("uploads", "none", {}), "GET",
		{ Date: date, Authorization: `OSS ${KEY.id}:${signV1(text)}` }), 400, "InvalidArgument");
	const expires = Math.floor(Date.now() / 1000) + 60;
	await refused(at(presignV1({ bucket: "uploads", key: "none", expires })), 400, "InvalidArgument");
	await refused(postForm(own.store, signedFieldsV1("v1"), { content: "x" }), 400, "InvalidArgument");
	assert.equal((await at(presignV4({ bucket: "uploads", key: "none" }))).status, 404);
	assert.equal((await postForm(own.store, signedFieldsV4("v4"), { content: "x" })).status, 204);
});

test("the log has no signature that could be used again", async () => {
	const now = Math.floor(Date.now() / 1000) + 60;
	const v1 = presignV1({ bucket: "uploads", key: "logged-v1", expires: now });
	const v4 = presignV4({ bucket: "uploads", key: "logged-v4" });
	await send(store + target("uploads", "logged-v1", v1));
	await send(store + target("uploads", "logged-v4", v4));
	await server.logged(/logged-v4/);
	await server.logged(/logged-v1\?OSSAccessKeyId=testaccesskeyid&Expires=\d+&Signature=\*\*\*"/);
	await server.logged(/x-oss-signature=\*\*\*"/);
	assert.ok(!server.log.includes(encodeURIComponent(v1.Signature)));
	assert.ok(!server.log.includes(v4["x-oss-signature"]));
});
