// SPDX-License-Identifier: Apache-2.0
// What clients send that others wrote, byte for byte where it matters, and what OSS answers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, multipart, postForm, request, send, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4, presignV4, target } from "../lib/sign.js";

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
});
after(all.run);

async function ok(answer, status = 200) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	return got;
}
async function refused(answer, status, code) {
	const got = await ok(answer, status);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}
const put = (key, body, headers = {}, query = {}) => request(store, "PUT", "uploads", key, { body, headers, query });

// ---- Ranges ------------------------------------------------------------------------------------

test("If-Range: a download that is resumed gets one object, never a mix of two", async () => {
	const { headers } = await ok(put("ranged", "0123456789"));
	const modified = (await request(store, "HEAD", "uploads", "ranged")).headers["last-modified"];
	const part = async (ifRange, key = "ranged") => {
		const got = await request(store, "GET", "uploads", key, { headers: { Range: "bytes=5-", "If-Range": ifRange } });
		return [got.status, got.text];
	};
	assert.deepEqual(await part(headers.etag), [206, "56789"]);
	const earlier = new Date(Date.parse(modified) - 1000).toUTCString();
	const later = new Date(Date.parse(modified) + 1000).toUTCString();
	for (const other of ["\"0123456789ABCDEF0123456789ABCDEF\"", `W/${headers.etag}`, earlier,
		modified, later, "nonsense", "*", `${headers.etag}, "x"`])
		assert.deepEqual(await part(other), [200, "0123456789"], other);
	// Nor is a range out of bounds refused that does not count.
	const out = await request(store, "GET", "uploads", "ranged", {
		headers: { Range: "bytes=50-", "x-oss-range-behavior": "standard", "If-Range": "\"other\"" } });
	assert.equal(out.status, 200);
	await ok(put("link", "", { "x-oss-symlink-target": "ranged" }, { symlink: "" }));
	assert.deepEqual(await part("\"other\"", "link"), [200, "0123456789"]);
	// Replaced in the second in which it was read: the date is the same.
	await ok(put("ranged", "abcdefghij"));
	assert.deepEqual(await part(modified), [200, "abcdefghij"]);
	assert.deepEqual(await part(headers.etag), [200, "abcdefghij"]);
});

// ---- Forms -------------------------------------------------------------------------------------

test("a form without key, or with its fields behind the file, is told about the key and the order", async () => {
	const fields = signedFieldsV4("ordered");
	const { key: _, ...keyless } = fields;
	for (const bucket of ["uploads"])
		for (const given of [keyless, {}, { policy: fields.policy }]) {
			const got = await refused(postForm(store, given, { content: "x" }, { bucket }), 400, "InvalidArgument");
			assert.equal(got.xml("ArgumentName"), "key");
			assert.match(got.xml("Message"), /order of the fields/);
		}
	const { type, body } = multipart(fields, { content: "x" });
	const parts = body.toString("latin1").split(/(?=------test)/);
	const file = parts.findIndex(part => part.includes("name=\"file\""));
	const turned = [parts[file], ...parts.slice(0, file), ...parts.slice(file + 1)].join("");
	const got = await refused(send(`${store}/uploads`, "POST", { "Content-Type": type }, Buffer.from(turned, "latin1")),
		400, "InvalidArgument");
	assert.equal(got.xml("ArgumentName"), "key");
	// With the key alone in front: the policy is not seen, and the answer says why.
	const [name] = parts.splice(parts.findIndex(part => part.includes("name=\"key\"")), 1);
	const at = parts.findIndex(part => part.includes("name=\"file\""));
	const [content] = parts.splice(at, 1);
	const late = await refused(send(`${store}/uploads`, "POST", { "Content-Type": type },
		Buffer.from([name, content, ...parts].join(""), "latin1")), 403, "AccessDenied");
	assert.match(late.xml("Message"), /before the file/);
});

test("file names with quotes, as Go, Apache and curl write them, and paths of old browsers", async () => {
	const send1 = async filename => {
		const boundary = "----names";
		const fields = multipart(signedFieldsV4("names/${filename}"), undefined, boundary).body.toString("latin1")
			.replace(`--${boundary}--\r\n`, "");
		const body = Buffer.from(`${fields}--${boundary}\r\nContent-Disposition: form-data; name="file"; `
			+ `filename="${filename}"\r\n\r\nx\r\n--${boundary}--\r\n`, "utf8");
		await ok(send(`${store}/uploads`, "POST", { "Content-Type": `multipart/form-data; boundary=${boundary}` }, body), 204);
	};
	for (const [sent, key] of [["a\\\"b.txt", "a\"b.txt"], ["c\\\"d\\\"e.txt", "c\"d\"e.txt"], ["\\\"f", "\"f"],
		["x\\\\y.txt", "x\\y.txt"], ["z\\\\y.txt", "z\\y.txt"], ["a\\\\", "a\\"], ["b\\\\", "b\\"],
		["x\\\\\\\"b.txt", "x\\\"b.txt"], ["a\\\";b.txt", "a\";b.txt"], ["a\\\";b=c\\\".txt", "a\";b=c\".txt"],
		["\\\\server\\share\\k.txt", "k.txt"], ["C:\\dir\\l \\\"m\\\".txt", "l \"m\".txt"],
		["C:\\fakepath\\g.txt", "g.txt"], ["dir/h.txt", "h.txt"], ["i%22j.txt", "i%22j.txt"]]) {
		await send1(sent);
		assert.equal(String(await getObject(store, `names/${key}`)), "x", sent);
	}
});

// ---- Addresses ---------------------------------------------------------------------------------

test("/bucket%2Fkey, as the C SDK sends it to an IP address", async () => {
	await ok(put("c/sdk", "c"));
	const query = presignV4({ bucket: "uploads", key: "c/sdk" });
	const path = target("uploads", "c/sdk", query).replace("/uploads/c/sdk", "/uploads%2Fc%2Fsdk");
	assert.equal((await ok(send(store + path))).text, "c");
});

test("the callback key, under the host and path that callbacks name", async t => {
	const url = "http://gosspublic.alicdn.com/callback_pub_key_v1.pem";
	const other = await startServer(t, { env: { POSTERN_STORE_CALLBACK_KEY_URL: url } });
	const own = (await ok(send(`${other.store}/-/callback_pub_key_v1.pem`))).text;
	assert.match(own, /BEGIN PUBLIC KEY/);
	for (const Host of ["gosspublic.alicdn.com", "GossPublic.AliCDN.com:80"])
		assert.equal((await ok(send(`${other.store}/callback_pub_key_v1.pem`, "GET", { Host }))).text, own);
	assert.notEqual((await send(`${other.store}/callback_pub_key_v1.pem`)).status, 200, "on no other host");
	assert.notEqual((await send(`${other.store}/other.pem`, "GET", { Host: "gosspublic.alicdn.com" })).status, 200);
	assert.notEqual((await send(`${store}/callback_pub_key_v1.pem`, "GET", { Host: "gosspublic.alicdn.com" })).status, 200);
});

// ---- Objects -----------------------------------------------------------------------------------

test("Content-Language stays, whatever writes the object", async () => {
	const language = async key => (await request(store, "HEAD", "uploads", key)).headers["content-language"];
	await ok(put("lang/put", "x", { "Content-Language": "de" }));
	assert.equal(await language("lang/put"), "de");
	await ok(put("lang/copy", undefined, { "x-oss-copy-source": "/uploads/lang/put" }));
	assert.equal(await language("lang/copy"), "de");
	await ok(postForm(store, signedFieldsV4("lang/post", { "Content-Language": "fr" }), { content: "x" }), 204);
	assert.equal(await language("lang/post"), "fr");
	await ok(request(store, "POST", "uploads", "lang/append", { query: { append: "", position: "0" }, body: "x",
		headers: { "Content-Language": "it" } }));
	assert.equal(await language("lang/append"), "it");
	const begun = await ok(request(store, "POST", "uploads", "lang/parts", { query: { uploads: "" },
		headers: { "Content-Language": "es" } }));
	const uploadId = begun.xml("UploadId");
	const part = await ok(put("lang/parts", "x", {}, { partNumber: "1", uploadId }));
	await ok(request(store, "POST", "uploads", "lang/parts", { query: { uploadId }, body:
		`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part>`
		+ "</CompleteMultipartUpload>" }));
	assert.equal(await language("lang/parts"), "es");
	const got = await request(store, "GET", "uploads", "lang/put", { query: { "response-content-language": "en" } });
	assert.equal(got.headers["content-language"], "en");
});

test("a copy keeps its type unless another is given", async () => {
	await ok(put("typed", "x", { "Content-Type": "text/x-own", "x-oss-meta-a": "1" }));
	const type = async (source, key, headers) => {
		await ok(put(key, undefined, { "x-oss-copy-source": `/uploads/${source}`, ...headers }));
		return (await request(store, "HEAD", "uploads", key)).headers["content-type"];
	};
	const replace = { "x-oss-metadata-directive": "REPLACE" };
	assert.equal(await type("typed", "typed2", replace), "text/x-own");
	assert.equal(await type("typed", "typed3", { ...replace, "Content-Type": "text/x-new" }), "text/x-new");
	assert.equal(await type("typed", "typed", { ...replace, "x-oss-meta-b": "2" }), "text/x-own");
});

test("an empty x-oss-object-acl is none when an object is written, and wrong where it is the question", async () => {
	await ok(postForm(store, signedFieldsV4("acl/post", { "x-oss-object-acl": "" }), { content: "x" }), 204);
	const headers = { ...headersV4({ method: "PUT", bucket: "uploads", key: "acl/put",
		headers: { "x-oss-object-acl": "", "content-type": "a/b" } }) };
	await ok(send(`${store}/uploads/acl/put`, "PUT", headers, "x"));
	await refused(request(store, "PUT", "uploads", "acl/put", { query: { acl: "" }, headers: { "x-oss-object-acl": "" } }),
		400, "MissingArgument").catch(() => refused(request(store, "PUT", "uploads", "acl/put", { query: { acl: "" },
		headers: { "x-oss-object-acl": "" } }), 400, "InvalidArgument"));
});

test("control characters of names are listed as they are, and can be deleted as they are", async () => {
	const key = "ctl/a\u0001b\u001f<&";
	await ok(request(store, "PUT", "uploads", key, { body: "x" }));
	const list = await ok(request(store, "GET", "uploads", "", { query: { prefix: "ctl/" } }));
	assert.ok(list.text.includes("<Key>ctl/a\u0001b\u001f&lt;&amp;</Key>"), JSON.stringify(list.text));
	const body = "<Delete><Object><Key>ctl/a\u0001b\u001f&lt;&amp;</Key></Object></Delete>";
	const gone = await ok(request(store, "POST", "uploads", "", { query: { delete: "" }, body, headers: {
		"Content-MD5": createHash("md5").update(body).digest("base64") } }));
	assert.ok(gone.text.includes("<Key>ctl/a\u0001b\u001f&lt;&amp;</Key>"), JSON.stringify(gone.text));
	assert.equal(await getObject(store, key), null);
});

test("DeleteMultipleObjects takes the C SDK's Content-MD5 of 20 bytes", async () => {
	await ok(put("c/gone", "x"));
	const body = "<Delete><Object><Key>c/gone</Key></Object></Delete>";
	const md5 = createHash("md5").update(body).digest();
	const ask = digest => request(store, "POST", "uploads", "", { query: { delete: "" }, body,
		headers: { "Content-MD5": digest.toString("base64") } });
	await refused(ask(Buffer.alloc(20)), 400, "InvalidDigest");
	await refused(ask(Buffer.concat([md5, Buffer.alloc(5)])), 400, "InvalidDigest");
	await ok(ask(Buffer.concat([md5, Buffer.from([1, 2, 3, 4])])));
	assert.equal(await getObject(store, "c/gone"), null);
});

test("a GET that announces a body which never comes is answered, and the connection closed", async () => {
	await ok(put("waited", "here"));
	const headers = headersV4({ method: "GET", bucket: "uploads", key: "waited" });
	const connection = await connect(store);
	await connection.send("GET /uploads/waited HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n"
		+ `${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
	const bytes = (await connection.closed()).toString();
	assert.match(bytes, /^HTTP\/1\.1 200 OK\r\n/);
	assert.match(bytes, /\r\nConnection: close\r\n/);
	assert.match(bytes, /\r\n\r\nhere$/);
	connection.destroy();
});

// ---- Buckets -----------------------------------------------------------------------------------

test("lifecycle rules with elements that nobody knows", async () => {
	await ok(request(store, "PUT", "rules"));
	const rule = more => request(store, "PUT", "rules", "", { query: { lifecycle: "" }, body: "<LifecycleConfiguration><Rule>"
		+ "<ID>r</ID><Prefix>p</Prefix><Status>Enabled</Status><Expiration><Days>7</Days></Expiration>"
		+ `${more}</Rule></LifecycleConfiguration>` });
	await ok(rule("<Days>7</Days>"));
	await ok(rule("<Unknown><Deep>text<Deeper/></Deep></Unknown>"));
	const got = await ok(request(store, "GET", "rules", "", { query: { lifecycle: "" } }));
	assert.equal(got.xml("Days"), "7");
	assert.doesNotMatch(got.text, /Unknown|Deep/);
	await refused(rule("<Unknown>"), 400, "MalformedXML");
});

test("GetBucketCors says ResponseVary, and header names in lower case", async () => {
	await ok(request(store, "PUT", "rules", "", { query: { cors: "" }, body: "<CORSConfiguration><CORSRule>"
		+ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>X-Oss-Meta-A</AllowedHeader>"
		+ "<ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>" }));
	const got = await ok(request(store, "GET", "rules", "", { query: { cors: "" } }));
	assert.deepEqual([got.xml("ResponseVary"), got.xml("AllowedHeader"), got.xml("ExposeHeader")],
		["false", "x-oss-meta-a", "ETag"]);
});

test("a clock that is off, and a key's name for it", async () => {
	const headers = headersV4({ method: "GET", bucket: "uploads", key: "x", now: new Date(Date.now() - 3600_000) });
	const got = await refused(send(`${store}/uploads/x`, "GET", headers), 403, "RequestTimeTooSkewed");
	assert.equal(got.xml("EC"), "0002-00000504");
});

test("answers that others may have written are no pages of the store", async () => {
	for (const got of [await send(`${store}/uploads/none`), await request(store, "GET", "uploads")]) {
		assert.equal(got.headers["x-content-type-options"], "nosniff");
		assert.match(got.headers["content-security-policy"], /sandbox/);
	}
	await ok(put("page.html", "<p>", { "Content-Type": "text/html" }));
	const own = await request(store, "GET", "uploads", "page.html");
	assert.equal(own.headers["content-security-policy"], undefined, "an object's headers are its owner's");
});

