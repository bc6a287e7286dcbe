// SPDX-License-Identifier: Apache-2.0
// Every allocation of every operation fails once, in the real server: alone, and with all that
// follow it. The answer must be the one that there is with memory, or say that there was none, or
// the connection ends; the server goes on, and holds nothing afterwards. Under ASan nothing leaks.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { everyAllocationFails } from "../lib/allocations.js";
import { postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";

const LARGE = Buffer.alloc(600_000, "large ");
let store;

const put = (key, body, headers = {}) => request(store, "PUT", "uploads", key, { body, headers });
const get = (key, options = {}) => request(store, "GET", "uploads", key, options);
const names = { count: 0, next: () => `made/${names.count++}` };
const cors = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
	+ "<AllowedMethod>POST</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>"
	+ "</CORSRule></CORSConfiguration>";
const lifecycle = "<LifecycleConfiguration><Rule><ID>a</ID><Prefix>nothing/</Prefix><Status>Enabled</Status>"
	+ "<Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>";
const tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
const md5 = body => ({ "Content-MD5": createHash("md5").update(body).digest("base64") });
const subresource = (method, name, body, key = "") => () =>
	request(store, method, "uploads", key, { query: { [name]: "" }, ...body ? { body, headers: md5(body) } : {} });

async function begun() {
	const key = names.next();
	const { text, xml } = await request(store, "POST", "uploads", key, { query: { uploads: "" } });
	assert.ok(xml("UploadId"), text);
	return { key, uploadId: xml("UploadId") };
}

async function withPart() {
	const upload = await begun();
	const part = await request(store, "PUT", "uploads", upload.key,
		{ query: { partNumber: "1", uploadId: upload.uploadId }, body: "a part" });
	assert.equal(part.status, 200, part.text);
	return { ...upload, etag: part.headers.etag };
}

everyAllocationFails({
	"PutObject": { prepare: names.next, run: key => put(key, "hello", { "x-oss-meta-a": "b", "x-oss-tagging": "t=u" }),
		check: async key => assert.equal((await get(key)).text, "hello") },
	"PutObject of a file": { prepare: names.next, run: key => put(key, LARGE),
		check: async key => assert.ok((await get(key)).body.equals(LARGE)) },
	"GetObject": { run: () => get("small"), answer: got => got.text },
	"GetObject of a file": { run: () => get("large"), answer: got => got.body.equals(LARGE) },
	"GetObject of a range": { run: () => get("large", { headers: { Range: "bytes=70000-80000" } }),
		answer: got => got.body.equals(LARGE.subarray(70000, 80001)) },
	"GetObject that is not there": { run: () => get("none") },
	"GetObject without a right to it": { run: () => send(`${store}/uploads/small`) },
	"HeadObject": { run: () => request(store, "HEAD", "uploads", "small"), answer: got => got.headers.etag },
	"GetSymlink": { run: subresource("GET", "symlink", null, "link") },
	"CopyObject": { prepare: names.next,
		run: key => request(store, "PUT", "uploads", key, { headers: { "x-oss-copy-source": "/uploads/small" } }),
		check: async key => assert.equal((await get(key)).text, "hello") },
	"AppendObject": { prepare: names.next,
		run: key => request(store, "POST", "uploads", key, { query: { append: "", position: "0" }, body: "appended" }),
		check: async key => assert.equal((await get(key)).text, "appended") },
	"DeleteObject": {
		prepare: async () => {
			const key = names.next();
			await put(key, "x");
			return key;
		},
		run: key => request(store, "DELETE", "uploads", key),
		check: async key => assert.equal((await get(key)).status, 404) },
	"DeleteMultipleObjects": { run: () => {
		const body = "<Delete><Object><Key>none/1</Key></Object><Object><Key>none/2</Key></Object></Delete>";
		return request(store, "POST", "uploads", "", { query: { delete: "" }, body, headers: md5(body) });
	} },
	"ListObjects": { run: () => request(store, "GET", "uploads", "", { query: { delimiter: "/", "max-keys": "10" } }) },
	"ListObjectsV2": { run: () => request(store, "GET", "uploads", "",
		{ query: { "list-type": "2", prefix: "s", "encoding-type": "url" } }), answer: got => got.text },
	"ListObjectVersions": { run: () => request(store, "GET", "uploads", "", { query: { versions: "", "max-keys": "5" } }) },
	"ListBuckets": { run: () => request(store, "GET", "") },
	"PutBucket": { prepare: () => `bucket-${names.count++}`, run: bucket => request(store, "PUT", bucket, "") },
	"GetBucketInfo": { run: subresource("GET", "bucketInfo") },
	"PutBucketCors": { run: subresource("PUT", "cors", cors) },
	"GetBucketCors": { run: subresource("GET", "cors") },
	"a preflight": { run: () => send(`${store}/uploads/small`, "OPTIONS",
		{ Origin: "http://example.com", "Access-Control-Request-Method": "GET" }) },
	"PutBucketLifecycle": { run: subresource("PUT", "lifecycle", lifecycle) },
	"PutBucketReferer": { run: subresource("PUT", "referer", "<RefererConfiguration><AllowEmptyReferer>true"
		+ "</AllowEmptyReferer><RefererList><Referer>http://*.example.com</Referer></RefererList></RefererConfiguration>") },
	"PutBucketVersioning": { run: subresource("PUT", "versioning",
		"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>") },
	"PutObjectTagging": { run: subresource("PUT", "tagging", tagging, "small") },
	"GetObjectTagging": { run: subresource("GET", "tagging", null, "small") },
	"PutObjectACL": { run: () => request(store, "PUT", "uploads", "small",
		{ query: { acl: "" }, headers: { "x-oss-object-acl": "private" } }) },
	"InitiateMultipartUpload": { run: () => request(store, "POST", "uploads", "parts", { query: { uploads: "" } }) },
	"UploadPart": { prepare: begun, run: ({ key, uploadId }) =>
		request(store, "PUT", "uploads", key, { query: { partNumber: "1", uploadId }, body: "a part" }) },
	"ListParts": { prepare: withPart, run: ({ key, uploadId }) =>
		request(store, "GET", "uploads", key, { query: { uploadId } }) },
	"CompleteMultipartUpload": { prepare: withPart,
		run: ({ key, uploadId, etag }) => request(store, "POST", "uploads", key, { query: { uploadId },
			body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`
				+ "</CompleteMultipartUpload>" }),
		check: async ({ key }) => assert.equal((await get(key)).text, "a part") },
	"UploadPartCopy": { prepare: begun, run: ({ key, uploadId }) => request(store, "PUT", "uploads", key,
		{ query: { partNumber: "1", uploadId }, headers: { "x-oss-copy-source": "/uploads/small" } }) },
	"ListMultipartUploads": { prepare: begun, run: () =>
		request(store, "GET", "uploads", "", { query: { uploads: "", "max-uploads": "2" } }) },
	"AbortMultipartUpload": { prepare: withPart, run: ({ key, uploadId }) =>
		request(store, "DELETE", "uploads", key, { query: { uploadId } }) },
	"PostObject, V1": { prepare: names.next,
		run: key => postForm(store, signedFieldsV1(key, { "x:a": "b", success_action_status: "201" }), { content: "posted" }),
		check: async key => assert.equal((await get(key)).text, "posted") },
	"PostObject, V4": { prepare: names.next,
		run: key => postForm(store, signedFieldsV4(key, { "x-oss-meta-a": "b" }), { content: "posted" }),
		check: async key => assert.equal((await get(key)).text, "posted") },
	"PostObject that is refused": { run: () => postForm(store, { key: "refused", policy: "e30=" }, { content: "x" }) },
	"nothing that HTTP knows": { run: () => send(`${store}/uploads/small`, "GET", { "Content-Length": "no" }) },
}, async server => {
	store = server.store;
	await put("small", "hello");
	await put("large", LARGE);
	await request(store, "PUT", "uploads", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "small" } });
});
