// SPDX-License-Identifier: Apache-2.0
// What clients of others send, and what they take for granted in the answer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, listObjects, policy, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { callSts } from "../lib/sts.js";
import { expectAnswer, putOpenObject } from "../lib/wire.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	await putOpenObject(store);
	for (const acl of ["private", "public-read"])
		await ok(request(store, "PUT", acl, "", { headers: { "x-oss-acl": acl } }));
});
after(all.run);

async function ok(answer) {
	const got = await answer;
	assert.equal(got.status, 200, got.text);
	return got;
}

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

const put = (key, headers = {}, body = "content", bucket = "uploads") =>
	request(store, "PUT", bucket, key, { body, headers });
const head = async (key, bucket = "uploads") => (await ok(request(store, "HEAD", bucket, key))).headers;
const putPart = (key, uploadId, bucket = "uploads") =>
	request(store, "PUT", bucket, key, { query: { partNumber: "1", uploadId }, body: "x" });
const md5 = text => createHash("md5").update(text).digest();
const ONE_PART = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"
	+ `${md5("x").toString("hex")}</ETag></Part></CompleteMultipartUpload>`;

test("HEAD of a bucket", async () => {
	const got = await ok(request(store, "HEAD", "private"));
	assert.equal(got.headers["x-oss-bucket-region"], "cn-hangzhou");
	assert.match(got.headers["x-oss-request-id"], /^[0-9A-F]{24}$/);
	await ok(send(`${store}/public-read`, "HEAD"));
	assert.equal((await send(`${store}/private`, "HEAD")).status, 403);
	assert.equal((await send(`${store}/private/`, "HEAD")).status, 403);
	const missing = await request(store, "HEAD", "no-such-bucket");
	assert.equal(missing.status, 404);
	assert.match(Buffer.from(missing.headers["x-oss-err"], "base64").toString(), /<Code>NoSuchBucket</);
	const wrong = await request(store, "HEAD", "private", "", { accessKey: { id: server.key.id, secret: "wrong" } });
	assert.equal(wrong.status, 403);
	// The connection goes on.
	const connection = await connect(store);
	for (let i = 0; i < 2; i++) {
		await connection.send("HEAD /public-read HTTP/1.1\r\nHost: localhost\r\n\r\n");
		await expectAnswer(connection, { status: 200, method: "HEAD" });
	}
	connection.destroy();
});

test("PutBucketAcl makes a bucket, and changes nothing without an ACL", async () => {
	const acl = async bucket => (await ok(request(store, "GET", bucket, "", { query: { acl: "" } }))).xml("Grant");
	const change = (bucket, headers = {}) => request(store, "PUT", bucket, "", { query: { acl: "" }, headers });
	assert.equal((await ok(change("made-by-acl", { "x-oss-acl": "public-read" }))).headers.location, "/made-by-acl");
	assert.equal(await acl("made-by-acl"), "public-read");
	assert.equal((await ok(change("made-by-acl"))).headers.location, "/made-by-acl");
	assert.equal(await acl("made-by-acl"), "public-read");
	await ok(change("made-by-acl", { "x-oss-acl": "private" }));
	assert.equal(await acl("made-by-acl"), "private");
	await ok(change("made-by-none"));
	assert.equal(await acl("made-by-none"), "private");
	await refused(change("made-by-none", { "x-oss-acl": "everybody" }), 400, "InvalidArgument");
	assert.equal((await send(`${store}/made-by-nobody?acl`, "PUT", { "x-oss-acl": "public-read" })).status, 403);
	await refused(request(store, "GET", "made-by-nobody", "", { query: { acl: "" } }), 404, "NoSuchBucket");
	// Making one is a right of its own.
	const may = async (action, bucket) => {
		const policy = { Version: "1", Statement: [{ Effect: "Allow", Action: action, Resource: "acs:oss:*:*:*" }] };
		const { Credentials } = JSON.parse((await callSts(server, { Policy: JSON.stringify(policy) })).text);
		return request(store, "PUT", bucket, "", {
			query: { acl: "" }, headers: { "x-oss-acl": "private", "x-oss-security-token": Credentials.SecurityToken },
			accessKey: { id: Credentials.AccessKeyId, secret: Credentials.AccessKeySecret },
		});
	};
	await ok(may(["oss:PutBucketAcl"], "made-by-none"));
	await refused(may(["oss:PutBucketAcl"], "made-by-key"), 403, "AccessDenied");
	await ok(may(["oss:PutBucketAcl", "oss:PutBucket"], "made-by-key"));
});

test("PutBucket many times at once: each is told that the bucket is there", async () => {
	for (const [round, headers] of [{}, { "x-oss-acl": "public-read" }].entries()) {
		const name = `at-once-${round}`;
		const answers = await Promise.all(Array.from({ length: 16 }, () => request(store, "PUT", name, "", { headers })));
		assert.deepEqual(answers.map(a => [a.status, a.headers.location]), Array(16).fill([200, `/${name}`]));
	}
	const mixed = await Promise.all(Array.from({ length: 16 }, (_, i) => request(store, "PUT", "at-once-2", "",
		{ headers: { "x-oss-acl": i % 2 ? "private" : "public-read" } })));
	assert.deepEqual(mixed.map(a => a.status), Array(16).fill(200));
	// Made and deleted by turns: neither is told what is not so.
	const turns = await Promise.all(Array.from({ length: 32 }, (_, i) => request(store, i % 2 ? "DELETE" : "PUT", "at-once-3", "",
		{ headers: i % 2 ? {} : { "x-oss-acl": "private" } })));
	for (const [i, { status }] of turns.entries())
		assert.ok(i % 2 ? status === 204 || status === 404 : status === 200, `${i}: ${status}`);
});

test("PutBucket with a LocationConstraint", async () => {
	const make = (name, where) => request(store, "PUT", name, "", {
		body: `<CreateBucketConfiguration><LocationConstraint>${where}</LocationConstraint></CreateBucketConfiguration>`,
	});
	await ok(make("located", "oss-cn-hangzhou"));
	await ok(make("located", " cn-hangzhou\n"));
	for (const where of ["oss-cn-shanghai", "us-west-1", "", "oss-", "hangzhou"])
		await refused(make("elsewhere", where), 400, "InvalidLocationConstraint");
	await refused(request(store, "GET", "elsewhere"), 404, "NoSuchBucket");
});

test("keys with characters that XML has not: told as they are, read and deleted by that", async () => {
	const keys = ["\u0001", "a\u0002b", "c\u000bd\u000ce", "\u001f", "f\tg\nh\ri", "\ufffe", "k\uffff", "\ufdd1l", "m\u{10ffff}\ufdd0",
		"n&\u0003<>\"'", "o]]>\u0004"];
	await ok(request(store, "PUT", "controls", ""));
	for (const key of keys)
		await ok(put(key, {}, key, "controls"));
	const decode = text => text.replace(/&#13;/g, "\r").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, "\"")
		.replace(/&amp;/g, "&");
	for (const query of [{}, { "list-type": "2" }, { versions: "" }]) {
		const { text } = await ok(request(store, "GET", "controls", "", { query }));
		const told = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => decode(key));
		assert.deepEqual(told.toSorted(), keys.toSorted());
		for (const key of told)
			assert.equal((await getObject(store, key, "controls")).toString(), key);
	}
	const escape = key => key.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\r/g, "&#13;");
	const list = `<Delete>${keys.map(key => `<Object><Key>${escape(key)}</Key></Object>`).join("")}</Delete>`;
	const { text } = await ok(request(store, "POST", "controls", "", {
		query: { delete: "" }, body: list, headers: { "Content-MD5": md5(list).toString("base64") },
	}));
	assert.deepEqual([...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => decode(key)), keys);
	assert.deepEqual(await listObjects(store, "controls"), []);
	// The list of uploads, too. Answers that repeat what was asked for are for every reader of XML: oss2's is strict.
	const begun = await ok(request(store, "POST", "controls", "a\u0001b", { query: { uploads: "" } }));
	const id = begun.xml("UploadId");
	assert.equal(begun.xml("Key"), "a\ufffdb");
	assert.equal((await ok(request(store, "GET", "controls", "", { query: { uploads: "" } }))).xml("Key"), "a\u0001b");
	assert.equal((await ok(request(store, "GET", "controls", "a\u0001b", { query: { uploadId: id } }))).xml("Key"), "a\ufffdb");
	await ok(putPart("a\u0001b", id, "controls"));
	const complete = await ok(request(store, "POST", "controls", "a\u0001b", { query: { uploadId: id }, body: ONE_PART }));
	const location = `${store}/controls/a%01b`;
	assert.deepEqual([complete.xml("Key"), complete.xml("Location")], ["a\ufffdb", location]);
	const posted = await postForm(store, signedFieldsV1("a\u0001b", { success_action_status: "201" },
		{ text: policy({ bucket: "controls" }) }), { content: "y" }, { bucket: "controls" });
	assert.deepEqual([posted.status, posted.xml("Key"), posted.xml("Location")], [201, "a\ufffdb", location]);
	// Elsewhere XML is to be read by whoever reads XML.
	const wrong = await request(store, "GET", "controls", "", { query: { "max-keys": "\u0001" } });
	assert.match(wrong.text, /<ArgumentValue>\ufffd<\/ArgumentValue>/);
});

test("encoding-type=url in all answers about an upload in parts", async () => {
	const key = "enc/a\u0001b +%<\u00e4";
	const ask = (method, query, body = undefined, encoding = "url") =>
		request(store, method, "uploads", key, { query: { ...query, "encoding-type": encoding }, body });
	const encoded = async answer => {
		const got = await ok(answer);
		assert.deepEqual([got.xml("EncodingType"), got.xml("Key")], ["url", "enc%2Fa%01b%20%2B%25%3C%C3%A4"], got.text);
		return got;
	};
	const uploadId = (await encoded(ask("POST", { uploads: "" }))).xml("UploadId");
	await ok(putPart(key, uploadId));
	for (const [method, query] of [["POST", { uploads: "" }], ["GET", { uploadId }], ["POST", { uploadId }]])
		await refused(ask(method, query, method === "POST" ? ONE_PART : undefined, "gzip"), 400, "InvalidArgument");
	await encoded(ask("GET", { uploadId }));
	await encoded(ask("POST", { uploadId }, ONE_PART));
	assert.equal((await getObject(store, key)).toString(), "x");
});

test("DeleteMultipleObjects takes the Content-MD5 of the C SDK", async () => {
	const list = "<Delete><Object><Key>of-c</Key></Object></Delete>";
	const remove = digest => request(store, "POST", "uploads", "",
		{ query: { delete: "" }, body: list, headers: { "Content-MD5": digest.toString("base64") } });
	await ok(put("of-c"));
	await refused(remove(Buffer.concat([md5("another"), Buffer.from("\0abc")])), 400, "InvalidDigest");
	for (const length of [15, 17, 19, 21])
		await refused(remove(Buffer.concat([md5(list), Buffer.alloc(8)]).subarray(0, length)), 400, "InvalidDigest");
	assert.ok(await getObject(store, "of-c"));
	await ok(remove(Buffer.concat([md5(list), Buffer.from([0, 0xff, 3, 7])])));
	assert.equal(await getObject(store, "of-c"), null);
	// There alone.
	await refused(put("of-c", { "Content-MD5": Buffer.concat([md5("content"), Buffer.alloc(4)]).toString("base64") }), 400,
		"InvalidDigest");
});

test("a copy keeps the type of its source unless it is told another", async () => {
	await ok(put("typed", { "Content-Type": "image/x-test", "x-oss-meta-a": "1" }));
	const copy = async (key, headers) => {
		await ok(request(store, "PUT", "uploads", key, { headers: { "x-oss-copy-source": "/uploads/typed", ...headers } }));
		const got = await head(key);
		return [got["content-type"], got["x-oss-meta-a"], got["x-oss-meta-b"]];
	};
	const replace = { "x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2" };
	assert.deepEqual(await copy("replaced", replace), ["image/x-test", undefined, "2"]);
	assert.deepEqual(await copy("replaced", { ...replace, "Content-Type": "text/x-new" }), ["text/x-new", undefined, "2"]);
	assert.deepEqual(await copy("copied", { "Content-Type": "text/x-new" }), ["image/x-test", "1", undefined]);
	assert.deepEqual(await copy("typed", { "x-oss-meta-b": "3" }), ["image/x-test", undefined, "3"]);
	assert.deepEqual(await copy("typed", { ...replace, "Content-Type": "text/x-new" }), ["text/x-new", undefined, "2"]);
});

test("Content-Language is kept by every operation that writes", async () => {
	const headers = { "Content-Language": "zh-CN" };
	const kept = async key => assert.equal((await head(key))["content-language"], "zh-CN", key);
	await ok(put("lang/put", headers));
	await kept("lang/put");
	assert.equal((await request(store, "GET", "uploads", "lang/put")).headers["content-language"], "zh-CN");
	assert.equal((await request(store, "GET", "uploads", "lang/put", { query: { "response-content-language": "en" } }))
		.headers["content-language"], "en");
	const posted = await postForm(store, signedFieldsV1("lang/post", headers), { content: "x" });
	assert.equal(posted.status, 204, posted.text);
	await kept("lang/post");
	await ok(request(store, "POST", "uploads", "lang/append", { query: { append: "", position: "0" }, headers, body: "x" }));
	await kept("lang/append");
	await ok(request(store, "PUT", "uploads", "lang/copy", { headers: { "x-oss-copy-source": "/uploads/lang/put" } }));
	await kept("lang/copy");
	await ok(request(store, "PUT", "uploads", "lang/replaced", {
		headers: { ...headers, "x-oss-copy-source": "/uploads/open.txt", "x-oss-metadata-directive": "REPLACE" } }));
	await kept("lang/replaced");
	await ok(request(store, "PUT", "uploads", "lang/replaced", { headers: { ...headers, "x-oss-copy-source": "/uploads/lang/replaced" } }));
	await kept("lang/replaced");
	await ok(request(store, "PUT", "uploads", "lang/link", { query: { symlink: "" }, headers: { ...headers, "x-oss-symlink-target": "open.txt" } }));
	await kept("lang/link");
	const id = (await ok(request(store, "POST", "uploads", "lang/parts", { query: { uploads: "" }, headers }))).xml("UploadId");
	await ok(request(store, "POST", "uploads", "lang/parts", { query: { uploadId: id }, body: "<CompleteMultipartUpload/>" }));
	await kept("lang/parts");
});

test("an empty x-oss-object-acl is none where an object is written", async () => {
	const headers = { "x-oss-object-acl": "" };
	const acl = async key => (await ok(request(store, "GET", "uploads", key, { query: { acl: "" } }))).xml("Grant");
	await ok(put("no-acl", headers));
	assert.equal(await acl("no-acl"), "default");
	const posted = await postForm(store, signedFieldsV1("no-acl", headers), { content: "x" });
	assert.equal(posted.status, 204, posted.text);
	await ok(request(store, "PUT", "uploads", "no-acl", { headers: { ...headers, "x-oss-copy-source": "/uploads/open.txt" } }));
	await ok(request(store, "POST", "uploads", "no-acl-2", { query: { append: "", position: "0" }, headers, body: "x" }));
	await ok(request(store, "PUT", "uploads", "no-acl", { query: { symlink: "" }, headers: { ...headers, "x-oss-symlink-target": "open.txt" } }));
	const id = (await ok(request(store, "POST", "uploads", "no-acl", { query: { uploads: "" }, headers }))).xml("UploadId");
	await ok(request(store, "POST", "uploads", "no-acl", { query: { uploadId: id }, headers, body: "<CompleteMultipartUpload/>" }));
	await refused(request(store, "PUT", "uploads", "no-acl", { query: { acl: "" }, headers }), 400, "InvalidArgument");
	await refused(put("no-acl", { "x-oss-object-acl": "none" }), 400, "InvalidArgument");
});

test("tags in any script", async () => {
	await ok(put("tagged", { "x-oss-tagging": "%E9%A2%9C%E8%89%B2=%E7%BA%A2&caf%C3%A9=1" }));
	const got = await ok(request(store, "GET", "uploads", "tagged", { query: { tagging: "" } }));
	assert.match(got.text, /<Key>颜色<\/Key><Value>红<\/Value>.*<Key>café<\/Key><Value>1<\/Value>/s);
	const body = "<Tagging><TagSet><Tag><Key>ключ</Key><Value>значение</Value></Tag></TagSet></Tagging>";
	await ok(request(store, "PUT", "uploads", "tagged", { query: { tagging: "" }, body }));
	assert.equal((await ok(request(store, "GET", "uploads", "tagged", { query: { tagging: "" } }))).xml("Value"), "значение");
	await refused(put("tagged", { "x-oss-tagging": "a=%FF" }), 400, "InvalidTag");
});

test("the last no bytes of an object are none", async () => {
	for (const method of ["GET", "HEAD"]) {
		const got = await request(store, method, "uploads", "open.txt", { headers: { Range: "bytes=-0" } });
		assert.deepEqual([got.status, got.headers["content-range"]], [416, "bytes */10"]);
	}
});

test("CORS rules are told in OSS's form, and errors name what is wrong", async () => {
	const rule = more => `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>${more}`
		+ "</CORSRule></CORSConfiguration>";
	const set = body => request(store, "PUT", "private", "", { query: { cors: "" }, body });
	await ok(set(rule("<AllowedHeader>X-Oss-Meta-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>")));
	const got = await ok(request(store, "GET", "private", "", { query: { cors: "" } }));
	assert.equal(got.xml("AllowedHeader"), "x-oss-meta-*");
	assert.equal(got.xml("ExposeHeader"), "ETag");
	assert.equal(got.xml("ResponseVary"), "false");
	const wrong = await refused(set(rule("<MaxAgeSeconds>-1</MaxAgeSeconds>")), 400, "InvalidArgument");
	assert.equal(wrong.xml("ArgumentName"), "MaxAgeSeconds");
	assert.equal(wrong.xml("ArgumentValue"), "-1");
	assert.equal((await set(rule("<ExposeHeader>*</ExposeHeader>"))).xml("ArgumentName"), "ExposeHeader");
});

test("a lifecycle rule with an element that nobody knows", async () => {
	const body = "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Days>7</Days>"
		+ "<Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>";
	await ok(request(store, "PUT", "private", "", { query: { lifecycle: "" }, body }));
	const got = await ok(request(store, "GET", "private", "", { query: { lifecycle: "" } }));
	assert.equal(got.text.match(/<Days>/g).length, 1);
	await refused(request(store, "PUT", "private", "", { query: { lifecycle: "" },
		body: body.replace("<Expiration>", "<Filter><And><Prefix>x</Prefix></And></Filter><Expiration>") }), 400, "MalformedXML");
});

test("the lists of uploads and parts say where they end", async () => {
	await ok(request(store, "PUT", "listed", ""));
	const uploads = async (query = {}) => (await ok(request(store, "GET", "listed", "", { query: { uploads: "", ...query } })));
	const none = await uploads();
	assert.deepEqual([none.xml("NextKeyMarker"), none.xml("NextUploadIdMarker")], ["", ""]);
	const ids = [];
	for (const key of ["a", "b/c"])
		ids.push((await ok(request(store, "POST", "listed", key, { query: { uploads: "" } }))).xml("UploadId"));
	const whole = await uploads();
	assert.deepEqual([whole.xml("IsTruncated"), whole.xml("NextKeyMarker"), whole.xml("NextUploadIdMarker")], ["false", "b/c", ids[1]]);
	const folded = await uploads({ delimiter: "/" });
	assert.deepEqual([folded.xml("NextKeyMarker"), folded.xml("NextUploadIdMarker")], ["b/", ""]);
	const first = await uploads({ "max-uploads": "1" });
	assert.deepEqual([first.xml("IsTruncated"), first.xml("NextKeyMarker"), first.xml("NextUploadIdMarker")], ["true", "a", ids[0]]);
	const parts = query => request(store, "GET", "listed", "a", { query: { uploadId: ids[0], ...query } });
	assert.equal((await ok(parts())).xml("NextPartNumberMarker"), "");
	await ok(request(store, "PUT", "listed", "a", { query: { uploadId: ids[0], partNumber: "7" }, body: "x" }));
	assert.equal((await ok(parts())).xml("NextPartNumberMarker"), "7");
	assert.equal((await ok(parts({ "part-number-marker": "7" }))).xml("NextPartNumberMarker"), "");
});

test("a request that reads is answered, whether or not the body that it announces comes", async () => {
	for (const [line, answer] of [["GET /uploads/open.txt", { status: 200, body: "0123456789" }],
		["HEAD /uploads/open.txt", { status: 200, method: "HEAD" }], ["GET /uploads/none", { status: 403 }],
		["GET /public-read", { status: 200 }], ["HEAD /public-read", { status: 200, method: "HEAD" }]]) {
		for (const length of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
			const connection = await connect(store);
			await connection.send(`${line} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`);
			await expectAnswer(connection, answer);
			assert.equal((await connection.closed()).length, 0, line);
			connection.destroy();
		}
	}
	// One that has come is passed over.
	const connection = await connect(store);
	await connection.send("GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
	await expectAnswer(connection, { status: 200, body: "0123456789" });
	await connection.send("GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
	await expectAnswer(connection, { status: 200, body: "0123456789" });
	connection.destroy();
});

test("errors that clients tell apart", async () => {
	const append = await refused(request(store, "POST", "uploads", "appended", { query: { append: "" }, body: "x" }), 400,
		"MissingArgument");
	assert.equal(append.xml("ArgumentName"), "position");
	await refused(request(store, "POST", "uploads", "appended", { query: { append: "", position: "x" }, body: "x" }), 400,
		"InvalidArgument");
	await refused(send(`${store}/uploads/%C4%E3.txt`), 400, "InvalidArgument");
	await refused(send(`${store}/uploads/a%2F..%00`), 400, "InvalidObjectName");
	const key = Buffer.from("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n\xc4\xe3\r\n--b\r\n"
		+ "Content-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n", "latin1");
	await ok(request(store, "PUT", "anybodys", "", { headers: { "x-oss-acl": "public-read-write" } }));
	await refused(send(`${store}/anybodys`, "POST", { "Content-Type": "multipart/form-data; boundary=b" }, key), 400,
		"InvalidArgument");
	const late = await refused(request(store, "GET", "uploads", "", { headers: { "x-oss-date": "Mon, 01 Jan 2024 00:00:00 GMT" } }), 403,
		"RequestTimeTooSkewed");
	assert.equal(late.xml("EC"), "0002-00000504");
	assert.equal(late.headers["x-oss-ec"], "0002-00000504");
	// A key that needs no token, with one; and one that nobody has.
	const token = { "x-oss-security-token": "CAES0123456789" };
	await refused(request(store, "GET", "uploads", "", { headers: token }), 403, "InvalidAccessKeyId");
	await refused(request(store, "GET", "uploads", "", { headers: token, accessKey: { id: "STS.nobody", secret: "x" } }), 403,
		"InvalidSecurityToken");
});
