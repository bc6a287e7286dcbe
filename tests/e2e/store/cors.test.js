// SPDX-License-Identifier: Apache-2.0
// CORS over the wire: rules, preflights, and headers on every kind of answer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { multipart, policy, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
});
after(all.run);

const rule = (origins, methods, rest = "") => `<CORSRule>${origins
	.map(origin => `<AllowedOrigin>${origin}</AllowedOrigin>`).join("")}${methods
	.map(method => `<AllowedMethod>${method}</AllowedMethod>`).join("")}${rest}</CORSRule>`;

function configure(...rules) {
	return request(store, "PUT", "uploads", "", {
		query: { cors: "" },
		body: `<CORSConfiguration>${rules.join("")}</CORSConfiguration>`,
		headers: { "Content-Type": "application/xml" },
	});
}

function preflight(origin, method, headers) {
	return send(`${store}/uploads/any`, "OPTIONS", {
		...origin && { Origin: origin },
		...method && { "Access-Control-Request-Method": method },
		...headers && { "Access-Control-Request-Headers": headers },
	});
}

const allowed = answer => answer.headers["access-control-allow-origin"];

test("on first start, the page's origin may post, and nobody else", async () => {
	const { origin } = new URL(server.app);
	const good = await preflight(origin, "POST");
	assert.equal(good.status, 200);
	assert.equal(allowed(good), origin);
	const bad = await preflight("http://evil.test", "POST");
	assert.equal(bad.status, 403);
	assert.equal(bad.xml("Code"), "AccessForbidden");
	assert.equal(allowed(bad), undefined);
});

test("origins: wildcards, schemes, ports, and names that only begin alike", async () => {
	await configure(rule(["https://*.example.com", "http://localhost:*"], ["POST"]));
	for (const [origin, fits] of [
		["https://a.example.com", true], ["https://a.b.example.com", true],
		["https://example.com", false], ["http://a.example.com", false],
		["https://a.example.com.evil.test", false], ["http://localhost:5173", true],
		["http://localhost", false], ["null", false],
	]) {
		const got = await preflight(origin, "POST");
		assert.equal(got.status, fits ? 200 : 403, origin);
		assert.equal(allowed(got), fits ? origin : undefined, origin);
	}
});

test("the first rule that fits counts", async () => {
	await configure(rule(["http://a.test"], ["GET"], "<MaxAgeSeconds>1</MaxAgeSeconds>"),
		rule(["http://a.test"], ["POST", "GET"], "<MaxAgeSeconds>2</MaxAgeSeconds>"));
	assert.equal((await preflight("http://a.test", "GET")).headers["access-control-max-age"], "1");
	assert.equal((await preflight("http://a.test", "POST")).headers["access-control-max-age"], "2");
	assert.equal((await preflight("http://a.test", "PUT")).status, 403);
});

test("headers that are asked for", async () => {
	await configure(rule(["http://a.test"], ["POST"], "<AllowedHeader>x-oss-*</AllowedHeader>"));
	assert.equal((await preflight("http://a.test", "POST", "X-OSS-Meta-A, x-oss-b")).status, 200);
	assert.equal((await preflight("http://a.test", "POST", "content-type,x-oss-meta-a")).status, 403);
	assert.equal((await preflight("http://a.test", "POST")).status, 200);
});

test("a preflight that lacks something", async () => {
	assert.equal((await preflight(null, "POST")).status, 400);
	assert.equal((await preflight("http://a.test", null)).status, 400);
	const nowhere = await send(`${store}/nosuchbucket/`, "OPTIONS",
		{ Origin: "http://a.test", "Access-Control-Request-Method": "POST" });
	assert.equal(nowhere.status, 404);
});

test("failed uploads tell the page why: CORS headers are on errors too", async () => {
	await configure(rule(["*"], ["POST"], "<ExposeHeader>ETag</ExposeHeader>"
		+ "<ExposeHeader>x-oss-request-id</ExposeHeader>"));
	const headers = { Origin: "http://a.test" };
	const file = { content: "x" };
	const good = await postForm(store, signedFieldsV1("k"), file, { headers });
	const expired = signedFieldsV1("k", {}, { text: policy({ seconds: -1 }) });
	const { type } = multipart({}, file);
	const answers = [
		good,
		await postForm(store, expired, file, { headers }),
		await postForm(store, { ...signedFieldsV1("k"), Signature: "x" }, file, { headers }),
		await postForm(store, signedFieldsV1("k"), null, { headers }),
		await send(`${store}/uploads`, "POST", { ...headers, "Content-Type": type }, "nonsense"),
	];
	assert.deepEqual(answers.map(answer => answer.status), [204, 403, 403, 400, 400]);
	for (const answer of answers) {
		assert.match(allowed(answer), /^(\*|http:\/\/a\.test)$/, answer.text);
		assert.equal(answer.headers["access-control-expose-headers"].toLowerCase()
			.replace(/ /g, ""), "etag,x-oss-request-id");
	}
	assert.equal(good.headers["access-control-allow-credentials"], undefined);
});

test("no rule fits: carried out all the same, without headers", async () => {
	await configure(rule(["http://b.test"], ["POST"]));
	const got = await postForm(store, signedFieldsV1("carried"), { content: "x" },
		{ headers: { Origin: "http://a.test" } });
	assert.equal(got.status, 204);
	assert.equal(allowed(got), undefined);
});

test("ResponseVary puts Vary on every answer of the bucket", async () => {
	await configure(rule(["http://a.test"], ["POST"]), "<ResponseVary>true</ResponseVary>");
	for (const headers of [{ Origin: "http://a.test" }, { Origin: "http://b.test" }, {}]) {
		const got = await postForm(store, signedFieldsV1("vary"), { content: "x" }, { headers });
		assert.match(got.headers.vary ?? "", /Origin/i, JSON.stringify(headers));
	}
	const got = await preflight("http://a.test", "POST");
	assert.match(got.headers.vary ?? "", /Origin/i);
});

test("the configuration can be read, replaced and deleted", async () => {
	await configure(rule(["http://one.test"], ["POST"]));
	await configure(rule(["http://two.test"], ["GET", "PUT"], "<AllowedHeader>*</AllowedHeader>"
		+ "<MaxAgeSeconds>600</MaxAgeSeconds>"));
	const got = await request(store, "GET", "uploads", "", { query: { cors: "" } });
	assert.equal(got.status, 200);
	assert.doesNotMatch(got.text, /one\.test/);
	assert.match(got.text, /<AllowedOrigin>http:\/\/two\.test<\/AllowedOrigin>/);
	assert.equal(got.xml("MaxAgeSeconds"), "600");
	assert.equal((await request(store, "DELETE", "uploads", "", { query: { cors: "" } })).status, 204);
	const none = await request(store, "GET", "uploads", "", { query: { cors: "" } });
	assert.equal(none.status, 404);
	assert.equal(none.xml("Code"), "NoSuchCORSConfiguration");
	assert.equal((await preflight("http://two.test", "GET")).status, 403);
	const actual = await request(store, "GET", "uploads", "", { headers: { Origin: "http://two.test" } });
	assert.equal(actual.status, 200, "CORS is no access control");
	assert.deepEqual(Object.keys(actual.headers).filter(name => /^(access-control|vary)/.test(name)), []);
});

test("what a configuration comes with is checked too", async () => {
	const body = `<CORSConfiguration>${rule(["http://md5.test"], ["POST"])}</CORSConfiguration>`;
	const put = (text, headers) => request(store, "PUT", "uploads", "", { query: { cors: "" }, body: text, headers });
	const wrong = await put(body, { "Content-MD5": createHash("md5").update("else").digest("base64") });
	assert.equal(wrong.xml("Code"), "InvalidDigest");
	assert.equal((await put(body.replace("</CORS", `${" ".repeat(17_000)}</CORS`))).status, 400);
	assert.equal((await preflight("http://md5.test", "POST")).status, 403);
	const right = await put(body, { "Content-MD5": createHash("md5").update(body).digest("base64") });
	assert.equal(right.status, 200, right.text);
	assert.equal((await preflight("http://md5.test", "POST")).status, 200);
});

test("configurations that are wrong are refused, and the old one stays", async () => {
	const good = rule(["http://a.test"], ["POST"]);
	await configure(good);
	for (const [rules, code] of [
		[[], "MalformedXML"],
		[["<CORSRule>"], "MalformedXML"],
		[[rule([], ["POST"])], "MalformedXML"],
		[[rule(["http://a.test"], [])], "MalformedXML"],
		[[rule(["http://a.test"], ["PATCH"])], "InvalidArgument"],
		[[rule(["http://*.*.test"], ["POST"])], "InvalidArgument"],
		[[rule(["http://a.test"], ["POST"], "<ExposeHeader>*</ExposeHeader>")], "InvalidArgument"],
		[Array(21).fill(good), "CORSRuleBeyondLimit"],
	]) {
		const got = await configure(...rules);
		assert.equal(got.status, 400, rules.join(""));
		assert.match(got.xml("Code"), new RegExp(`^(${code}|InvalidArgument|MalformedXML)$`));
	}
	assert.equal((await configure(...Array(20).fill(good))).status, 200);
	assert.equal((await preflight("http://a.test", "POST")).status, 200);
});

test("only the owner may change the rules", async () => {
	const text = `<CORSConfiguration>${rule(["*"], ["POST"])}</CORSConfiguration>`;
	const anonymous = await send(`${store}/uploads?cors`, "PUT", {}, text);
	assert.equal(anonymous.status, 403);
	const stranger = await request(store, "PUT", "uploads", "", {
		query: { cors: "" }, body: text, accessKey: { id: server.key.id, secret: "wrong" },
	});
	assert.equal(stranger.status, 403);
});
