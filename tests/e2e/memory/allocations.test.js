// SPDX-License-Identifier: Apache-2.0
// Every allocation of every operation fails once, in the real server: alone, and with all that
// follow it. The answer must be the one that there is with memory, or say that there was none, or
// the connection ends; the server goes on, and holds nothing afterwards. Under ASan nothing leaks.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Allocations } from "../lib/allocations.js";
import { ask } from "../lib/console_api.js";
import { multipart, postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { pause, startServer, temporaryFolder } from "../lib/server.js";

/** What says that there was no memory: of the store, of the application server, of its callback. */
const WITHOUT = new Set([500, 503, 203]);
const LARGE = Buffer.alloc(600_000, "large ");

let server, store, app;

/** Each operation has a server of its own, so that one that dies is known by its name. */
async function start(t) {
	const allocations = await Allocations.make(await temporaryFolder(t));
	t.after(() => allocations.close());
	server = await startServer(t, allocations.how);
	({ store, app } = server);
	await put("small", "hello");
	await put("large", LARGE);
	await request(store, "PUT", "uploads", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "small" } });
	return allocations;
}

const put = (key, body, headers = {}) => request(store, "PUT", "uploads", key, { body, headers });
const get = (key, options) => request(store, "GET", "uploads", key, options);
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

async function granted() {
	const { text } = await send(`${app}/grant`);
	return JSON.parse(text);
}

/**
 * An operation: `prepare` is done with memory, `run` is what fails, and `check` says with memory
 * whether what `run` was answered with 200 is so.
 */
const operations = {
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
	"AbortMultipartUpload": { prepare: withPart, run: ({ key, uploadId }) =>
		request(store, "DELETE", "uploads", key, { query: { uploadId } }) },
	"PostObject, V1": { prepare: names.next,
		run: key => postForm(store, signedFieldsV1(key, { "x:a": "b", success_action_status: "201" }), { content: "posted" }),
		check: async key => assert.equal((await get(key)).text, "posted") },
	"PostObject, V4": { prepare: names.next,
		run: key => postForm(store, signedFieldsV4(key, { "x-oss-meta-a": "b" }), { content: "posted" }),
		check: async key => assert.equal((await get(key)).text, "posted") },
	"PostObject that is refused": { run: () => postForm(store, { key: "refused", policy: "e30=" }, { content: "x" }) },
	"PostObject with a grant and its callback": { prepare: granted,
		run: grant => postForm(store, { key: `${grant.dir}a.txt`, ...grant.fields }, { content: "posted" }) },
	"the token": { run: () => send(`${app}/`) },
	"a grant": { run: () => send(`${app}/grant`) },
	"several grants": { run: () => send(`${app}/grants`, "POST", { "Content-Type": "application/json" },
		JSON.stringify({ files: [{ name: "a.txt", size: 5, type: "text/plain" }, { name: "b.txt", size: 5 }] })) },
	"the state of a grant": { prepare: granted, run: ({ id, grant }) => send(`${app}/grants/${id}?grant=${grant}`) },
	"a callback that nobody signed": { run: () => send(`${app}/`, "POST",
		{ "Content-Type": "application/x-www-form-urlencoded" }, "bucket=uploads&object=a&size=1") },
	"an upload in parts, begun": { run: () => send(`${app}/s3/multipart`, "POST",
		{ "Content-Type": "application/json" }, JSON.stringify({ filename: "a.bin", type: "text/plain" })) },
	"the page": { run: () => send(`${app}/upload/`) },
	"the console's callbacks": { run: () => ask(server, "GET", "/callbacks") },
	"metrics": { run: () => send(`${server.console}/metrics`) },
	"nothing that HTTP knows": { run: () => send(`${store}/uploads/small`, "GET", { "Content-Length": "no" }) },
};

/** null if the connection ended. */
const attempt = async run => run().catch(() => null);

/** What is wrong with an answer, if anything. */
async function wrong({ answer, check }, right, what, got) {
	if (!got || WITHOUT.has(got.status))
		return null;
	try {
		assert.deepEqual(answer(got), right);
		await check(what);
		return null;
	} catch (error) {
		await pause(50); // for the log
		return `${got.status} ${got.text.slice(0, 200)}\n${error.message}\n`
			+ server.log.split("\n").filter(line => /^\S+\(.*\[0x/.test(line)).slice(-9).join("\n");
	}
}

for (const [name, given] of Object.entries(operations))
	test(name, { timeout: 120_000 }, async t => {
		const allocations = await start(t);
		const { run, prepare = () => {}, check = () => {} } = given;
		const answer = got => [got.status, Object.keys(got.headers).sort().join(" "), given.answer?.(got)];
		await run(await prepare()); // what is made once is there
		const right = answer(await run(await prepare()));
		const count = async () => {
			const what = await prepare();
			const before = allocations.seen;
			assert.deepEqual(answer(await run(what)), right);
			return allocations.seen - before;
		};
		const most = Math.max(await count(), await count());
		const bad = [];
		let failed = 0;
		for (const behind of [false, true])
			for (let nth = 1; nth <= most + 1; nth++) {
				const what = await prepare();
				allocations.fail(nth, behind);
				const got = await attempt(() => run(what));
				failed += allocations.end();
				const found = await wrong({ answer, check }, right, what, got);
				if (found)
					bad.push(`allocation ${nth} of ${most}${behind ? " and all behind it" : ""}: ${found}`);
			}
		assert.deepEqual(answer(await run(await prepare())), right);
		assert.ok(failed > 0, "something failed");
		assert.equal(bad.join("\n"), "");
		await released();
		t.diagnostic(`${most} allocations`);
	});

/** Nothing is held afterwards. */
async function released() {
	const deadline = Date.now() + 20_000;
	let held;
	do {
		const { text } = await send(`${server.console}/metrics`);
		held = text.match(/^postern_memory_(signed|strangers|app)_bytes [1-9].*$/gm);
		await pause(10);
	} while (held && Date.now() < deadline);
	assert.equal(held, null);
}
