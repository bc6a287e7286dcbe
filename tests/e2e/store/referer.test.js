// SPDX-License-Identifier: Apache-2.0
// Referer rules over the wire: what they refuse, and whom they do not concern.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { presignV1, target } from "../lib/sign.js";

const PUBLIC = "referer-public";
const PRIVATE = "referer-private";
const DENIED = "You are denied by bucket referer policy.";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	for (const [bucket, acl] of [[PUBLIC, "public-read-write"], [PRIVATE, "private"]]) {
		const made = await request(store, "PUT", bucket, "", { headers: { "x-oss-acl": acl } });
		assert.equal(made.status, 200, made.text);
		assert.equal((await request(store, "PUT", bucket, "a.txt", { body: "abc" })).status, 200);
	}
});
after(all.run);

const configure = (bucket, inside, headers = {}) => request(store, "PUT", bucket, "", {
	query: { referer: "" }, headers,
	body: `<RefererConfiguration>${inside}</RefererConfiguration>`,
});
const list = (...patterns) => `<RefererList>${patterns.map(p => `<Referer>${p}</Referer>`).join("")}</RefererList>`;
const black = (...patterns) => `<RefererBlacklist>${patterns.map(p => `<Referer>${p}</Referer>`).join("")}</RefererBlacklist>`;
const from = referer => referer === undefined ? {} : { Referer: referer };
const read = (referer, method = "GET") => send(`${store}/${PUBLIC}/a.txt`, method, from(referer));

async function allowed(answer) {
	const got = await answer;
	assert.equal(got.status, 200, got.text);
}

async function denied(answer, ec) {
	const got = await answer;
	assert.equal(got.status, 403, got.text);
	assert.equal(got.xml("Code"), "AccessDenied");
	assert.equal(got.xml("Message"), DENIED);
	assert.equal(got.xml("EC"), ec);
	assert.equal(got.headers["x-oss-ec"], ec);
	assert.equal(got.xml("BucketName"), PUBLIC);
}

test("a bucket without rules tells OSS's default, and refuses nobody", async () => {
	const got = await request(store, "GET", PUBLIC, "", { query: { referer: "" } });
	assert.equal(got.status, 200, got.text);
	assert.equal(got.headers["content-type"], "application/xml");
	assert.equal(got.xml("AllowEmptyReferer"), "true");
	assert.match(got.text, /<RefererList><\/RefererList>/);
	assert.doesNotMatch(got.text, /RefererBlacklist/);
	await allowed(read());
	await allowed(read("http://evil.test"));
});

test("what was put is what is told, and it can be emptied", async () => {
	const inside = "<AllowEmptyReferer>false</AllowEmptyReferer>"
		+ "<AllowTruncateQueryString>true</AllowTruncateQueryString><TruncatePath>true</TruncatePath>"
		+ list("http://*.a.test", "http://www?.b.test") + black("http://c.test");
	assert.equal((await configure(PUBLIC, inside)).status, 200);
	const got = await request(store, "GET", PUBLIC, "", { query: { referer: "" } });
	assert.ok(got.text.endsWith(`<RefererConfiguration>${inside}</RefererConfiguration>`), got.text);
	await denied(read("http://evil.test"), "0003-00000503");
	const emptied = await configure(PUBLIC, "<AllowEmptyReferer>true</AllowEmptyReferer>" + list(""));
	assert.equal(emptied.status, 200);
	await allowed(read("http://evil.test"));
});

test("a list of allowed referers, with and without empty ones", async () => {
	await configure(PUBLIC, `<AllowEmptyReferer>false</AllowEmptyReferer>${list("http://*.a.test", "http://www?.b.test")}`);
	await allowed(read("http://x.a.test"));
	await allowed(read("http://x.a.test/page?q"));
	await allowed(read("http://www1.b.test"));
	await denied(read("http://www.b.test"), "0003-00000503");
	await denied(read("https://x.a.test"), "0003-00000503");
	await denied(read("http://evil.test/?http://x.a.test"), "0003-00000503");
	await denied(read(), "0003-00000501");
	await denied(read(""), "0003-00000501");
	const head = await read("http://evil.test", "HEAD");
	assert.equal(head.status, 403);
	assert.match(Buffer.from(head.headers["x-oss-err"], "base64").toString(), /0003-00000503/);
	await configure(PUBLIC, `<AllowEmptyReferer>true</AllowEmptyReferer>${list("http://*.a.test")}`);
	await allowed(read());
	await denied(read("http://evil.test"), "0003-00000503");
});

test("a list of refused referers goes before the other", async () => {
	await configure(PUBLIC, list("*") + black("http://*.bad.test"));
	await allowed(read("http://good.test"));
	await denied(read("http://x.bad.test/page"), "0003-00000502");
});

test("rules are for anonymous requests and URLs that are signed, not for signed headers", async () => {
	for (const bucket of [PUBLIC, PRIVATE])
		await configure(bucket, `<AllowEmptyReferer>false</AllowEmptyReferer>${list("http://a.test")}`);
	const expires = Math.floor(Date.now() / 1000) + 300;
	const signed = (method, key, headers) => send(store + target(PRIVATE, key,
		presignV1({ method, bucket: PRIVATE, key, expires })), method, headers);
	const bad = await signed("GET", "a.txt", from("http://evil.test"));
	assert.equal(bad.xml("Message"), DENIED);
	assert.equal((await signed("PUT", "b.txt")).xml("Message"), DENIED);
	assert.equal((await signed("GET", "a.txt", from("http://a.test/x"))).status, 200);
	assert.equal((await signed("PUT", "b.txt", from("http://a.test/x"))).status, 200);
	await denied(send(`${store}/${PUBLIC}/c.txt`, "PUT", {}, "anonymous"), "0003-00000501");
	const header = await request(store, "GET", PRIVATE, "a.txt", { headers: from("http://evil.test") });
	assert.equal(header.status, 200, header.text);
	/* Of the bucket itself nothing is refused. */
	assert.equal((await send(`${store}/${PUBLIC}`)).status, 200);
});

test("configurations that are wrong are refused, and the old one stays", async () => {
	await configure(PUBLIC, `<AllowEmptyReferer>false</AllowEmptyReferer>${list("http://a.test")}`);
	for (const [inside, code] of [
		["<Else/>", "MalformedXML"],
		["<AllowEmptyReferer>1</AllowEmptyReferer>", "InvalidArgument"],
		["<AllowTruncateQueryString>false</AllowTruncateQueryString><TruncatePath>true</TruncatePath>", "InvalidArgument"],
		[list("x".repeat(1025)), "InvalidArgument"],
		[list(...Array(21).fill("x".repeat(1000))), "InlineDataTooLarge"],
	]) {
		const got = await configure(PUBLIC, inside);
		assert.equal(got.status, 400, got.text);
		assert.equal(got.xml("Code"), code, got.text);
	}
	const digest = createHash("md5").update("else").digest("base64");
	assert.equal((await configure(PUBLIC, list(), { "Content-MD5": digest })).xml("Code"), "InvalidDigest");
	await denied(read(), "0003-00000501");
});

test("only the owner may see or change them, in a bucket that there is", async () => {
	for (const method of ["GET", "PUT"]) {
		const anonymous = await send(`${store}/${PUBLIC}?referer`, method, {}, method === "PUT"
			? "<RefererConfiguration/>" : undefined);
		assert.equal(anonymous.status, 403);
		const nowhere = await request(store, method, "referer-nowhere", "",
			{ query: { referer: "" }, body: method === "PUT" ? "<RefererConfiguration/>" : undefined });
		assert.equal(nowhere.xml("Code"), "NoSuchBucket");
	}
});
