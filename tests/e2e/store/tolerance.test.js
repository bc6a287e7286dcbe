// SPDX-License-Identifier: Apache-2.0
// What is taken though OSS may not, because clients send it and it can mean one thing only
// (docs/decisions/0023-tolerance.md).
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, multipart, policy, postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, cleanups, startServer } from "../lib/server.js";
import { startSink } from "../lib/sink.js";

const all = cleanups();
let store, sink;
before(async () => {
	sink = await startSink(all, (request, response) => {
		response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 2 });
		response.end("{}");
	});
	({ store } = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } }));
});
after(all.run);

const FILE = { name: "f.txt", type: "text/plain", content: "content" };
const hmac = text => createHmac("sha1", ACCESS_KEY_SECRET).update(text).digest("base64");

async function stored(answer, key) {
	const got = await answer;
	assert.ok([200, 204, 303].includes(got.status), got.text);
	assert.equal((await getObject(store, key))?.toString(), "content");
	await request(store, "DELETE", "uploads", key);
	return got;
}

test("opendal signs /bucket for a list", async () => {
	const date = new Date().toUTCString();
	const ask = (path, resource, method = "GET") => send(store + path, method,
		{ Date: date, Authorization: `OSS ${ACCESS_KEY_ID}:${hmac(`${method}\n\n\n${date}\n${resource}`)}` });
	for (const path of ["/uploads", "/uploads/", "/uploads?max-keys=2"])
		assert.equal((await ask(path, "/uploads")).xml("Name"), "uploads", path);
	assert.equal((await ask("/uploads?acl", "/uploads?acl")).status, 200);
	const expires = Math.floor(Date.now() / 1000) + 60;
	const signature = encodeURIComponent(hmac(`GET\n\n\n${expires}\n/uploads`));
	assert.equal((await send(`${store}/uploads?OSSAccessKeyId=${ACCESS_KEY_ID}&Expires=${expires}&Signature=${signature}`)).status, 200);
	// It is good for nothing else.
	for (const [path, resource] of [["/uploads?acl", "/uploads"], ["/uploads/k", "/uploadsk"], ["/uploads/k", "/uploads"], ["/", ""],
		["/uploads", "uploads"]])
		assert.equal((await ask(path, resource)).xml("Code"), "SignatureDoesNotMatch", path);
	const told = await ask("/uploads", "/wrong");
	assert.match(told.xml("StringToSign"), /\n\/uploads\/$/);
});

test("the base64 of a policy with line ends", async () => {
	const text = policy({ conditions: [["starts-with", "$x-oss-meta-long", "x".repeat(100)]] });
	const more = { "x-oss-meta-long": "x".repeat(100) };
	const broken = (by, end = "") => text.match(/.{1,76}/g).join(by) + end;
	for (const [posted, signed] of [[broken("\n"), broken("\n")], [broken("\r\n"), broken("\r\n")], [broken("\r\n"), broken("\n")],
		[broken("\r\n", "\r\n"), broken("\n", "\n")], [broken("\n"), text], [broken("\r\n", "\r\n"), text]]) {
		const fields = { ...signedFieldsV1("lines/k", more, { text: posted }), Signature: hmac(signed) };
		await stored(postForm(store, fields, FILE), "lines/k");
		await stored(postForm(store, { ...fields, Signature: `${fields.Signature}\n` }, FILE), "lines/k");
	}
	const wrong = { ...signedFieldsV1("lines/k", more, { text: broken("\n") }), Signature: hmac(policy()) };
	assert.equal((await postForm(store, wrong, FILE)).xml("Code"), "SignatureDoesNotMatch");
	const spaced = { ...signedFieldsV1("lines/k", more, { text: broken(" ") }) };
	assert.equal((await postForm(store, spaced, FILE)).xml("Code"), "InvalidPolicyDocument");
});

test("empty x-oss-* fields and headers ask for nothing", async () => {
	const names = ["x-oss-object-acl", "x-oss-storage-class", "x-oss-forbid-overwrite", "x-oss-tagging", "x-oss-content-type",
		"x-oss-security-token", "x-oss-server-side-encryption", "x-oss-traffic-limit", "x-oss-callback", "callback"];
	const empty = Object.fromEntries(names.map(name => [name, ""]));
	for (const sign of [signedFieldsV1, signedFieldsV4])
		await stored(postForm(store, sign("empty/k", empty), FILE), "empty/k");
	await stored(postForm(store, { ...signedFieldsV1("empty/k"), "x-oss-signature-version": "", "x-oss-credential": "", "x-oss-date": "",
		"x-oss-signature": "" }, FILE), "empty/k");
	for (const name of names.slice(0, -1).filter(name => name !== "x-oss-security-token"))
		await stored(request(store, "PUT", "uploads", "empty/k", { headers: { [name]: "" }, body: "content" }), "empty/k");
	// Metadata may be empty, and is kept.
	await postForm(store, signedFieldsV1("empty/k", { "x-oss-meta-a": "" }), FILE);
	assert.equal((await request(store, "HEAD", "uploads", "empty/k")).headers["x-oss-meta-a"], "");
	// A condition sees it as it is.
	const text = policy({ conditions: [["eq", "$x-oss-storage-class", "Standard"]] });
	assert.equal((await postForm(store, signedFieldsV1("empty/no", { "x-oss-storage-class": "" }, { text }), FILE)).status, 403);
});

test("callbackBodyType with a charset", async () => {
	const callback = type => Buffer.from(JSON.stringify({ callbackUrl: `${sink.url}/x`, callbackBody: "{\"o\":${object}}",
		callbackBodyType: type })).toString("base64");
	for (const type of ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON ; Charset=\"utf-8\""]) {
		const before = sink.requests.length;
		const got = await postForm(store, signedFieldsV1("cb/k", { callback: callback(type) }), FILE);
		assert.equal(got.status, 200, got.text);
		const [sent] = sink.requests.slice(before);
		assert.equal(sent.headers["content-type"], "application/json");
		assert.equal(sent.body.toString(), "{\"o\":\"cb/k\"}");
	}
	for (const type of ["application/json; charset=gbk", "application/json; q=1", "text/plain; charset=utf-8", "application/json; charset"])
		assert.equal((await postForm(store, signedFieldsV1("cb/no", { callback: callback(type) }), FILE)).xml("Code"), "InvalidArgument", type);
});

test("a redirect with a fragment has it at its end", async () => {
	const etag = "%229A0364B9E99BB480DD25E1F0284C8555%22";
	for (const [to, want] of [["http://a.test/p#f", `http://a.test/p?bucket=uploads&key=re%2Fk&etag=${etag}#f`],
		["http://a.test/p?q=1#f?g#h", `http://a.test/p?q=1&bucket=uploads&key=re%2Fk&etag=${etag}#f?g#h`],
		["http://a.test/#", `http://a.test/?bucket=uploads&key=re%2Fk&etag=${etag}#`]]) {
		const got = await stored(postForm(store, signedFieldsV1("re/k", { success_action_redirect: to }), FILE), "re/k");
		assert.deepEqual([got.status, got.headers.location], [303, want]);
	}
});

/** The answer to a form whose policy expires before its file has come. */
async function postLate(lasts) {
	const expires = Date.now() + lasts;
	const text = Buffer.from(JSON.stringify({ expiration: new Date(expires).toISOString(), conditions: [{ bucket: "uploads" }] })).toString("base64");
	const { type, body } = multipart(signedFieldsV1("late/k", {}, { text }), FILE);
	const at = body.indexOf("content\r\n--");
	const connection = await connect(store);
	await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`);
	await connection.send(body.subarray(0, at + 3));
	while (Date.now() <= expires)
		await new Promise(done => setTimeout(done, expires + 1 - Date.now()));
	await connection.send(body.subarray(at + 3));
	const { status } = await connection.response({ method: "POST" });
	connection.destroy();
	return { status, text };
}

test("a policy that expires while the file is on its way was good when its fields came", async () => {
	let { status, text } = await postLate(3000);
	// If the machine is so busy that its fields came too late, too.
	if (status === 403)
		({ status, text } = await postLate(60_000));
	assert.equal(status, 204);
	assert.equal((await getObject(store, "late/k")).toString(), "content");
	assert.equal((await postForm(store, signedFieldsV1("late/k", {}, { text }), FILE)).status, 403);
});
