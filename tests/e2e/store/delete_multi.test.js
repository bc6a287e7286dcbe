// SPDX-License-Identifier: Apache-2.0
// DeleteMultipleObjects: POST /?delete.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { aliClient, SIGNATURES } from "../lib/ali.js";
import { exchange } from "../lib/http.js";
import { listObjects, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
});
after(all.run);

const md5 = body => createHash("md5").update(body).digest("base64");
const escape = key => key.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const document = (keys, { quiet = false } = {}) => `<?xml version="1.0" encoding="UTF-8"?>\n<Delete>`
	+ `<Quiet>${quiet}</Quiet>${keys.map(key => `<Object><Key>${escape(key)}</Key></Object>`).join("")}</Delete>`;
const deleteMulti = (body, { query = {}, headers = { "Content-MD5": md5(body) } } = {}) =>
	request(store, "POST", "uploads", "", { query: { delete: "", ...query }, body,
		headers: { "Content-Type": "application/xml", ...headers } });
const put = (...keys) => Promise.all(keys.map(key => request(store, "PUT", "uploads", key, { body: "x" })));
const deletedKeys = answer => [...answer.text.matchAll(/<Deleted><Key>([^<]*)<\/Key><\/Deleted>/g)]
	.map(([, key]) => key);

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

test("what is named goes, what is not there counts as gone, the rest stays", async () => {
	await put("a", "dir/b", "c<&>", "keep");
	const got = await deleteMulti(document(["a", "dir/b", "c<&>", "never"]));
	assert.equal(got.status, 200, got.text);
	assert.equal(got.headers["content-type"], "application/xml");
	assert.deepEqual(deletedKeys(got), ["a", "dir/b", "c&lt;&amp;&gt;", "never"]);
	assert.ok(!got.text.includes("EncodingType"));
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("encoding-type=url encodes the answer, not the question", async () => {
	await put("e f+%41/ä");
	const got = await deleteMulti(document(["e f+%41/ä"]), { query: { "encoding-type": "url" } });
	assert.equal(got.xml("EncodingType"), "url");
	assert.deepEqual(deletedKeys(got), ["e%20f%2B%2541%2F%C3%A4"]);
	assert.deepEqual(await listObjects(store), ["keep"]);
	// The Java SDK asks by a header.
	const body = document(["e f+%41/ä"]);
	const byHeader = await deleteMulti(body, { headers: { "Content-MD5": md5(body), "encoding-type": "url" } });
	assert.equal(byHeader.text, got.text);
	await refused(deleteMulti(document(["keep"]), { query: { "encoding-type": "x" } }), 400,
		"InvalidArgument");
});

test("control characters come as references, as the Go SDKs write them", async () => {
	const keys = ["c\f1", "c\v2", "c\x01\x1f3", "c\r4"];
	await put(...keys, "c\u{10ffff}5");
	const references = ["c&#x0C;1", "c&#11;2", "c&#x1;&#x1F;3", "c&#xD;4", "c\u{10ffff}5"];
	const body = `<Delete>${references.map(key => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
	const got = await deleteMulti(body, { query: { "encoding-type": "url" } });
	assert.deepEqual(deletedKeys(got).map(decodeURIComponent), [...keys, "c\u{10ffff}5"], got.text);
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("Quiet says nothing", async () => {
	await put("q");
	const got = await deleteMulti(document(["q"], { quiet: true }));
	assert.deepEqual([got.status, got.text, got.headers["content-length"]], [200, "", "0"]);
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("a thousand long keys at once, a thousand and one never", async () => {
	const keys = Array.from({ length: 1000 }, (_, i) => `${String(i).padStart(4, "0")}${"&".repeat(400)}`);
	for (let i = 0; i < keys.length; i += 100)
		await put(...keys.slice(i, i + 100));
	await refused(deleteMulti(document([...keys, "keep"])), 400, "MalformedXML");
	const before = await request(store, "GET", "uploads", "", { query: { "max-keys": "1000" } });
	assert.equal(before.text.match(/<Key>/g).length, 1000);
	const got = await deleteMulti(document(keys));
	assert.equal(got.status, 200, got.text.slice(0, 500));
	assert.equal(deletedKeys(got).length, 1000);
	assert.equal(deletedKeys(got)[999], `0999${"&amp;".repeat(400)}`);
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("the digest and the length are required", async () => {
	const body = document(["keep"]);
	assert.equal((await refused(deleteMulti(body, { headers: {} }), 400, "MissingArgument"))
		.xml("ArgumentName"), "Content-MD5");
	await refused(deleteMulti(body, { headers: { "Content-MD5": md5("other") } }), 400, "InvalidDigest");
	await refused(deleteMulti(body, { headers: { "Content-MD5": "x" } }), 400, "InvalidDigest");
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	const chunked = await exchange(store, `POST /open?delete HTTP/1.1\r\nHost: localhost\r\n`
		+ `Content-MD5: ${md5(body)}\r\nTransfer-Encoding: chunked\r\n\r\n`
		+ `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
	assert.equal(chunked.status, 400);
	assert.match(chunked.body.toString(), /<Code>MissingArgument<.*<ArgumentName>Content-Length</s);
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("documents that are refused delete nothing", async () => {
	const object = "<Object><Key>keep</Key></Object>";
	for (const [body, code] of [
		["", "MalformedXML"],
		["<Delete></Delete>", "MalformedXML"],
		[`<Delete>${object}<Object></Object></Delete>`, "MalformedXML"],
		[`<Delete>${object}<Object><Key></Key></Object></Delete>`, "InvalidObjectName"],
		[`<Delete>${object}<Object><Key>a</Key><Key>b</Key></Object></Delete>`, "MalformedXML"],
		[`<Delete>${object}<Object><Key>${"k".repeat(1024)}</Key></Object></Delete>`, "InvalidObjectName"],
		[`<Delete><Quiet>perhaps</Quiet>${object}</Delete>`, "MalformedXML"],
		[`<Delete>${object}<Other/></Delete>`, "MalformedXML"],
		[`<Delete>${object}`, "MalformedXML"],
		[`<!DOCTYPE Delete [<!ENTITY e "keep">]><Delete><Object><Key>&e;</Key></Object></Delete>`,
			"MalformedXML"],
	])
		await refused(deleteMulti(body), 400, code);
	for (const [versions, code] of [["<VersionId>1</VersionId>", "InvalidArgument"],
		["<VersionId></VersionId>", "MalformedXML"],
		["<VersionId>null</VersionId><VersionId>null</VersionId>", "MalformedXML"]])
		await refused(deleteMulti(`<Delete><Object><Key>keep</Key>${versions}</Object></Delete>`), 400, code);
	await refused(deleteMulti(`${document(["keep"])}${" ".repeat(2 << 20)}`), 400, "EntityTooLarge");
	assert.deepEqual(await listObjects(store), ["keep"]);
});

test("who may: whoever may write", async () => {
	const body = document(["keep"]);
	const headers = { "Content-MD5": md5(body) };
	await refused(send(`${store}/uploads?delete`, "POST", headers, body), 403, "AccessDenied");
	await refused(send(`${store}/nosuchbucket?delete`, "POST", headers, body), 404, "NoSuchBucket");
	assert.deepEqual(await listObjects(store), ["keep"]);
	await request(store, "PUT", "open", "keep", { body: "x" });
	assert.equal((await send(`${store}/open?delete`, "POST", headers, body)).status, 200);
	assert.deepEqual(await listObjects(store, "open"), []);
});

test("what cannot be deleted is left out, or alone is named", async () => {
	const putOpen = (key, acl) => request(store, "PUT", "open", key,
		{ body: "x", headers: { "x-oss-object-acl": acl } });
	const ask = (keys, options) => send(`${store}/open?delete`, "POST",
		{ "Content-MD5": md5(document(keys, options)) }, document(keys, options));
	await putOpen("theirs", "private");
	await putOpen("a", "default");
	await putOpen("b", "public-read-write");
	const some = await ask(["a", "theirs", "b"]);
	assert.deepEqual([some.status, deletedKeys(some)], [200, ["a", "b"]], some.text);
	await putOpen("a", "default");
	const quiet = await ask(["a", "theirs"], { quiet: true });
	assert.deepEqual([quiet.status, deletedKeys(quiet)], [200, ["theirs"]], quiet.text);
	await refused(ask(["theirs"]), 403, "AccessDenied");
	await refused(ask(["theirs"], { quiet: true }), 403, "AccessDenied");
	assert.deepEqual(await listObjects(store, "open"), ["theirs"]);
});

for (const [version, v4] of SIGNATURES) {
	test(`ali-oss with ${version} deletes several`, async () => {
		const client = aliClient(server, { v4 });
		await put("sdk/1", "sdk/2 &<ä", "sdk/3");
		const { deleted } = await client.deleteMulti(["sdk/1", "sdk/2 &<ä"]);
		assert.deepEqual(deleted.map(({ Key }) => Key), ["sdk/1", "sdk/2 &<ä"]);
		const quiet = await client.deleteMulti(["sdk/3"], { quiet: true });
		assert.deepEqual(quiet.deleted, []);
		assert.deepEqual(await listObjects(store), ["keep"]);
	});
}

test("control characters in a key are written as references, which XML does not have", async () => {
	const key = "\x01\x0b\x1f&#1;";
	await put(key);
	const got = await deleteMulti("<Delete><Object><Key>&#1;&#xB;&#x1F;&amp;#1;</Key></Object></Delete>",
		{ query: { "encoding-type": "url" } });
	assert.deepEqual(deletedKeys(got), [encodeURIComponent(key)]);
	assert.equal((await request(store, "HEAD", "uploads", key)).status, 404);
});
