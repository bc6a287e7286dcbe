// SPDX-License-Identifier: Apache-2.0
// PostObject over the wire: what succeeds and with which answer, what is refused and with which
// Code, and that a refused upload leaves nothing. Many cases are other stores' bugs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createHash } from "node:crypto";
import { connect } from "../lib/http.js";
import { getObject, listObjects, multipart, policy, postForm, request, send, signedFieldsV1,
	signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
});
after(all.run);

const FILE = { name: "f.txt", type: "text/plain", content: "content" };

function post(fields, file = FILE, options = {}) {
	return postForm(store, fields, file, options);
}

/** A policy from the JSON text that a client might have written. */
function rawPolicy(text) {
	return Buffer.from(text).toString("base64");
}

function soon(seconds = 300) {
	return new Date(Date.now() + seconds * 1000).toISOString();
}

/** Posts under a policy with these conditions besides bucket and key. */
function under(conditions, fields = {}, file = FILE, key = "conditions/k") {
	return post(signedFieldsV1(key, fields, { text: policy({ conditions }) }), file);
}

async function refused(answer, status, code, key) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	assert.match(got.headers["content-type"], /^application\/xml/);
	assert.equal(got.xml("RequestId"), got.headers["x-oss-request-id"]);
	if (key)
		assert.equal(await getObject(store, key), null, `${key} must not be there`);
	return got;
}

for (const [version, sign] of [["V1", signedFieldsV1], ["V4", signedFieldsV4]]) {
	test(`a form signed with ${version} is stored; the answer has what OSS's has`, async () => {
		const key = `ok/${version} 中文.txt`;
		const got = await post(sign(key));
		assert.equal(got.status, 204, got.text);
		assert.equal(got.text, "");
		const md5 = createHash("md5").update("content");
		assert.equal(got.headers.etag, `"${md5.copy().digest("hex").toUpperCase()}"`);
		assert.equal(got.headers["content-md5"], md5.digest("base64"));
		assert.match(got.headers["x-oss-hash-crc64ecma"], /^\d+$/);
		assert.match(got.headers["x-oss-request-id"], /^[0-9A-F]{24}$/);
		assert.equal((await getObject(store, key)).toString(), "content");
		const head = await request(store, "HEAD", "uploads", key);
		assert.equal(head.headers["content-type"], "text/plain");
	});

	test(`${version}: a wrong signature and an unknown key are refused`, async () => {
		const secret = { id: "testaccesskeyid", secret: "wrong" };
		const options = version === "V1" ? { text: policy() } : {};
		await refused(post(sign("bad/s", {}, { ...options, accessKey: secret })), 403,
			"SignatureDoesNotMatch", "bad/s");
		const stranger = { id: "nobody", secret: "wrong" };
		await refused(post(sign("bad/k", {}, { ...options, accessKey: stranger })), 403,
			"InvalidAccessKeyId", "bad/k");
	});
}

test("success_action_status and redirect", async () => {
	for (const [value, status] of [["200", 200], ["204", 204], ["201", 201], ["302", 204], ["", 204]])
		assert.equal((await post(signedFieldsV1("s", { success_action_status: value }))).status, status);
	const created = await post(signedFieldsV1("s<&>", { success_action_status: "201" }));
	assert.equal(created.xml("Bucket"), "uploads");
	assert.equal(created.xml("Key"), "s&lt;&amp;&gt;");
	assert.match(created.headers["content-type"], /^application\/xml/);
	const to = "http://127.0.0.1:1/done?x=1";
	const redirect = await post(signedFieldsV1("s", { success_action_redirect: to }));
	assert.equal(redirect.status, 303);
	assert.ok(redirect.headers.location.startsWith(to), redirect.headers.location);
	const failed = await post({ ...signedFieldsV1("s", { success_action_redirect: to }),
		Signature: "AAAA" });
	assert.equal(failed.status, 403);
});

test("field names in any case, unknown fields, fields after the file", async () => {
	const { key, OSSAccessKeyId, policy: text, Signature } = signedFieldsV1("case/k");
	const fields = { KEY: key, name: "plupload's", ossaccesskeyid: OSSAccessKeyId, POLICY: text,
		signature: Signature };
	assert.equal((await post(fields)).status, 204);
	const { type, body } = multipart([["key", key], ["OSSAccessKeyId", OSSAccessKeyId],
		["policy", text], ["Signature", Signature], ["file", "as text"], ["key", "other/k"],
		["submit", "Upload"]]);
	const got = await send(`${store}/uploads`, "POST", { "Content-Type": type }, body);
	assert.equal(got.status, 204, got.text);
	assert.equal((await getObject(store, key)).toString(), "as text");
	assert.equal(await getObject(store, "other/k"), null);
});

test("${filename} becomes the file's name; conditions see the text before", async () => {
	const text = policy({ conditions: [["eq", "$key", "n/${filename}"]] });
	for (const [name, stored] of [["a b.txt", "n/a b.txt"], ["中.txt", "n/中.txt"],
		["C:\\fakepath\\w.txt", "n/w.txt"], ["dir/u.txt", "n/u.txt"]]) {
		const got = await post(signedFieldsV1("n/${filename}", {}, { text }), { ...FILE, name });
		assert.equal(got.status, 204, got.text);
		assert.notEqual(await getObject(store, stored), null, stored);
	}
});

test("every condition is enforced", async () => {
	const accepted = [
		[[["eq", "$x-oss-meta-a", "1"]], { "x-oss-meta-a": "1" }],
		[[{ "x-oss-meta-a": "1" }], { "X-Oss-Meta-A": "1" }],
		[[["starts-with", "$content-type", "text/"]]],
		[[["in", "$content-type", ["image/png", "text/plain"]]]],
		[[["not-in", "$content-type", ["image/png"]]]],
		[[["content-length-range", 7, 7]]],
		[[["starts-with", "$x-oss-meta-a", ""]]],
		[[["not-in", "$x-oss-meta-a", ["1"]]]],
		[[{ "x:var": "v" }], { "x:var": "v" }],
	];
	for (const [conditions, fields] of accepted) {
		const got = await under(conditions, fields);
		assert.equal(got.status, 204, JSON.stringify(conditions) + got.text);
	}
	const denied = [
		[[["eq", "$x-oss-meta-a", "1"]], { "x-oss-meta-a": "2" }],
		[[["eq", "$x-oss-meta-a", "1"]], {}],
		[[{ bucket: "other" }]],
		[[["starts-with", "$key", "elsewhere/"]]],
		[[["starts-with", "$content-type", "image/"]]],
		[[["in", "$content-type", ["image/png"]]]],
		[[["in", "$content-type", []]]],
		[[["not-in", "$content-type", ["text/plain"]]]],
		[[{ success_action_status: "200" }], { success_action_status: "201" }],
		[[{ "x:var": "v" }], { "x:var": "w" }],
		[[{ callback: "abc" }], {}],
	];
	for (const [i, [conditions, fields]] of denied.entries()) {
		const key = `denied/${i}`;
		const got = await refused(under(conditions, fields, FILE, key), 403, "AccessDenied", key);
		assert.match(got.xml("Message"), /^Invalid according to Policy: Policy Condition failed: \[/);
	}
});

test("sizes outside content-length-range", async () => {
	const range = [["content-length-range", 3, 6]];
	await refused(under(range, {}, FILE, "size/l"), 400, "EntityTooLarge", "size/l");
	await refused(under(range, {}, { ...FILE, content: "ab" }, "size/s"), 400, "EntityTooSmall",
		"size/s");
	assert.equal((await under(range, {}, { ...FILE, content: "abc" }, "size/ok")).status, 204);
});

test("a size limit stops a large upload on its way, and the answer can be read", async () => {
	const fields = signedFieldsV1("size/huge", {},
		{ text: policy({ conditions: [["content-length-range", 0, 1000]] }) });
	const content = Buffer.alloc(20_000_000, 7);
	await refused(post(fields, { ...FILE, content }), 400, "EntityTooLarge", "size/huge");
});

test("policies that are wrong are refused", async () => {
	const until = `"expiration":"${soon()}"`;
	for (const text of [
		"not json",
		"[]",
		"{}",
		`{${until}}`,
		`{${until},"conditions":[]}`,
		`{${until},"conditions":{}}`,
		`{"conditions":[{"bucket":"uploads"}]}`,
		`{"expiration":"tomorrow","conditions":[{"bucket":"uploads"}]}`,
		`{"expiration":1999999999,"conditions":[{"bucket":"uploads"}]}`,
		`{${until},"conditions":[{"bucket":"uploads","key":"k"}]}`,
		`{${until},"conditions":[["like","$key","k"]]}`,
		`{${until},"conditions":["bucket"]}`,
		`{${until},"conditions":[["in","$key","k"]]}`,
		`{${until},"conditions":[["content-length-range","0","10"]]}`,
		`{${until},"conditions":[["content-length-range",10,0]]}`,
		`{${until},"conditions":[["content-length-range",0.5,10]]}`,
		// Whoever reads the first and whoever reads the last see different policies.
		`{${until},"conditions":[["eq","$key","no"]],"conditions":[["starts-with","$key",""]]}`,
		`{"expiration":"2001-01-01T00:00:00Z",${until},"conditions":[{"bucket":"uploads"}]}`,
	])
		await refused(post(signedFieldsV1("policy/k", {}, { text: rawPolicy(text) })), 400,
			"InvalidPolicyDocument", "policy/k");
	await refused(post(signedFieldsV1("policy/k", {}, { text: "!!!" })), 400,
		"InvalidPolicyDocument", "policy/k");
});

test("expired policies are refused", async () => {
	const got = await refused(post(signedFieldsV1("e", {}, { text: policy({ seconds: -1 }) })), 403,
		"AccessDenied", "e");
	assert.equal(got.xml("Message"), "Invalid according to Policy: Policy expired.");
	await refused(post(signedFieldsV4("e", {}, { seconds: -1 })), 403, "AccessDenied", "e");
});

test("V4: the signed fields must be what the policy says", async () => {
	const fields = signedFieldsV4("v4/k");
	await refused(post({ ...fields, "x-oss-date": "20200101T000000Z" }), 403, "AccessDenied", "v4/k")
		.catch(error => assert.match(error.message, /InvalidArgument|SignatureDoesNotMatch/));
	const later = new Date(Date.now() + 3_600_000);
	assert.equal((await post(signedFieldsV4("v4/k", {}, { now: later }))).status, 403);
	assert.equal(await getObject(store, "v4/k"), null);
});

test("forms that lack something", async () => {
	const fields = signedFieldsV1("lack/k");
	for (const missing of ["key", "OSSAccessKeyId", "policy", "Signature"]) {
		const { [missing]: _, ...others } = fields;
		const got = await refused(post(others), 400, "InvalidArgument", "lack/k");
		assert.ok(got.xml("Message").includes(`'${missing}'`), got.text);
	}
	await refused(post(fields, null), 400, "IncorrectNumberOfFilesInPOSTRequest", "lack/k");
	await refused(post({ key: "lack/k" }), 403, "AccessDenied", "lack/k");
	const late = multipart([...Object.entries(fields).filter(([name]) => name !== "key"),
		["file", "x"], ["key", "lack/k"]]);
	await refused(send(`${store}/uploads`, "POST", { "Content-Type": late.type }, late.body), 400,
		"InvalidArgument", "lack/k");
});

test("bodies that are no form", async () => {
	const { type, body } = multipart(signedFieldsV1("form/k"), FILE);
	const raw = (bytes, headers) => send(`${store}/uploads`, "POST", headers, bytes);
	await refused(raw(body, { "Content-Type": "application/x-www-form-urlencoded" }), 400,
		"RequestIsNotMultiPartContent", "form/k");
	await refused(raw(body, {}), 400, "RequestIsNotMultiPartContent", "form/k");
	await refused(raw(body, { "Content-Type": "multipart/form-data" }), 400, "MalformedPOSTRequest",
		"form/k");
	await refused(raw(body.subarray(0, -40), { "Content-Type": type }), 400, "MalformedPOSTRequest",
		"form/k");
	await refused(raw("", { "Content-Type": type }), 400, "MalformedPOSTRequest", "form/k");
	await refused(raw(body, { "Content-Type": type,
		"Content-MD5": createHash("md5").update("else").digest("base64") }), 400, "InvalidDigest",
	"form/k");
	const right = await raw(body, { "Content-Type": type,
		"Content-MD5": createHash("md5").update(body).digest("base64") });
	assert.equal(right.status, 204, right.text);
});

test("fields that are too long, and too many bytes before the file", async () => {
	await refused(post(signedFieldsV1("long/k", { ["n".repeat(9000)]: "v" })), 400,
		"FieldItemTooLong", "long/k");
	await refused(post(signedFieldsV1("long/k", { extra: "v".repeat(2_200_000) })), 400,
		"FieldItemTooLong", "long/k");
	const many = Object.fromEntries([1, 2, 3, 4, 5].map(n => [`extra${n}`, "v".repeat(2_000_000)]));
	await refused(post(signedFieldsV1("long/k", many)), 400, "MaxPOSTPreDataLengthExceededError",
		"long/k");
});

test("names that no object may have", async () => {
	for (const key of ["", "/a", "\\a", "x".repeat(1024), "a\0b"])
		assert.match((await post(signedFieldsV1(key))).xml("Code"),
			/^(InvalidObjectName|InvalidArgument)$/, JSON.stringify(key.slice(0, 5)));
	const long = await post(signedFieldsV1("y/${filename}"), { ...FILE, name: "z".repeat(1022) });
	assert.equal(long.xml("Code"), "InvalidObjectName");
});

test("x-oss-forbid-overwrite, and overwriting without it", async () => {
	const fields = signedFieldsV1("once/k", { "x-oss-forbid-overwrite": "true" });
	assert.equal((await post(fields)).status, 204);
	const again = await post(fields, { ...FILE, content: "other" });
	assert.equal(again.status, 409);
	assert.equal(again.xml("Code"), "FileAlreadyExists");
	assert.equal((await getObject(store, "once/k")).toString(), "content");
	assert.equal((await post(signedFieldsV1("once/k"), { ...FILE, content: "other" })).status, 204);
	assert.equal((await getObject(store, "once/k")).toString(), "other");
});

test("a refused upload does not touch the older object", async () => {
	assert.equal((await post(signedFieldsV1("older/k"))).status, 204);
	await under([["content-length-range", 0, 3]], {}, { ...FILE, content: "newer" }, "older/k");
	assert.equal((await getObject(store, "older/k")).toString(), "content");
});

test("the content type is the object's own, in OSS's order; metadata is kept", async () => {
	const cases = [
		[{}, "text/plain"],
		[{ "Content-Type": "image/gif" }, "text/plain"],
		[{ "x-oss-content-type": "image/png", "Content-Type": "image/gif" }, "image/png"],
	];
	for (const [fields, type] of cases) {
		await post(signedFieldsV1("type/k", { "x-oss-meta-who": "me", ...fields }));
		const { headers } = await request(store, "HEAD", "uploads", "type/k");
		assert.equal(headers["content-type"], type);
		assert.equal(headers["x-oss-meta-who"], "me");
	}
});

test("no bucket, no store of our own data behind a name", async () => {
	const got = await postForm(store, signedFieldsV1("k"), FILE, { bucket: "nosuchbucket" });
	assert.equal(got.status, 404);
	assert.equal(got.xml("Code"), "NoSuchBucket");
	for (const bucket of ["..", ".", "-", ".postern", "uploads%2f..", "Uploads", "a"]) {
		const odd = await postForm(store, signedFieldsV1("k"), FILE, { bucket });
		assert.ok(odd.status >= 400 && odd.status < 500, `${bucket}: ${odd.status}`);
	}
	const onObject = await send(`${store}/uploads/some/key`, "POST",
		{ "Content-Type": "multipart/form-data; boundary=x" }, "--x--\r\n");
	assert.equal(onObject.status, 405);
});

test("a form in many pieces, chunked, with Expect: 100-continue", async () => {
	const { type, body } = multipart(signedFieldsV1("pieces/k"), FILE);
	const connection = await connect(store);
	await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
		+ "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert.equal((await connection.response()).status, 100);
	for (let at = 0; at < body.length; at += 13) {
		const piece = body.subarray(at, at + 13);
		await connection.send(`${piece.length.toString(16)}\r\n`);
		await connection.send(piece);
		await connection.send("\r\n");
	}
	await connection.send("0\r\n\r\n");
	const answer = await connection.response();
	assert.equal(answer.status, 204, answer.body.toString());
	connection.destroy();
	assert.equal((await getObject(store, "pieces/k")).toString(), "content");
});

test("an upload that breaks off leaves nothing", async () => {
	const { type, body } = multipart(signedFieldsV1("broken/k"),
		{ ...FILE, content: Buffer.alloc(3_000_000, 1) });
	for (const share of [0.001, 0.5, 0.999999]) {
		const connection = await connect(store);
		await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
			+ `Content-Length: ${body.length}\r\n\r\n`);
		await connection.send(body.subarray(0, Math.floor(body.length * share)));
		connection.destroy({ reset: share === 0.5 });
	}
	assert.equal((await post(signedFieldsV1("after/k"))).status, 204);
	assert.deepEqual((await listObjects(store)).filter(key => key.startsWith("broken/")), []);
});

test("of fields with one name the first is what the policy sees and what is stored", async () => {
	const conditions = [["eq", "$x-oss-object-acl", "private"],
		["eq", "$x-oss-forbid-overwrite", "true"], ["eq", "$cache-control", "no-cache"]];
	const fields = [
		...Object.entries(signedFieldsV1("twice/k", {
			"x-oss-object-acl": "private", "x-oss-forbid-overwrite": "true", "Cache-Control": "no-cache",
		}, { text: policy({ conditions }) })),
		["X-Oss-Object-Acl", "public-read"], ["x-oss-forbid-overwrite", "false"],
		["cache-control", "max-age=9"],
	];
	assert.equal((await post(fields)).status, 204);
	assert.equal((await send(`${store}/uploads/twice/k`)).status, 403);
	const got = await request(store, "GET", "uploads", "twice/k");
	assert.equal(got.headers["cache-control"], "no-cache");
	await refused(post(fields, { ...FILE, content: "other" }), 409, "FileAlreadyExists");
});

test("a policy sees the ACL that a header of the request sets", async () => {
	const fields = signedFieldsV1("header-acl/k", {},
		{ text: policy({ conditions: [["not-in", "$x-oss-object-acl", ["public-read"]]] }) });
	const headers = { "x-oss-object-acl": "public-read" };
	await refused(post(fields, FILE, { headers }), 403, "AccessDenied", "header-acl/k");
	assert.equal((await post(fields)).status, 204);
	assert.equal((await post(signedFieldsV1("header-acl/free"), FILE, { headers })).status, 204);
	assert.equal((await send(`${store}/uploads/header-acl/free`)).text, "content");
	assert.equal((await post(signedFieldsV1("header-acl/field", { "x-oss-object-acl": "private" }), FILE,
		{ headers })).status, 204);
	assert.equal((await send(`${store}/uploads/header-acl/field`)).status, 403, "the field wins");
});
