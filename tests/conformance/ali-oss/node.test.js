// SPDX-License-Identifier: Apache-2.0
// The official SDK ali-oss against the store, and as an oracle: it signs the same forms as we do.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import OSS from "ali-oss";
import { base64Json, getObject, postForm, send } from "../../e2e/lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../../e2e/lib/server.js";
import { says, startSink } from "../../e2e/lib/sink.js";

const run = promisify(execFile);
const REGION = "cn-hangzhou";
const all = cleanups();
let server, store, sink;
before(async () => {
	sink = await startSink(all, says("{\"Status\":\"OK\",\"n\":1}"));
	server = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	({ store } = server);
});
after(all.run);

/**
 * `style` is host, which the SDK chooses for an IP address (it then sends the Host header of a real
 * bucket), or path, which takes a name and sldEnable.
 */
function client({ v4 = false, style = "path", ...more } = {}) {
	return new OSS({
		accessKeyId: server.key.id, accessKeySecret: server.key.secret, bucket: "uploads",
		endpoint: style === "path" ? store.replace("127.0.0.1", "localhost") : store, region: `oss-${REGION}`, sldEnable: style === "path", authorizationV4: v4,
		secure: false, retryMax: 0, ...more,
	});
}

const NAMES = ["sdk/plain.txt", "sdk/a b+c%2F&=.txt", "sdk/中文/é.txt", "sdk/(x)!*'~.txt"];

for (const v4 of [false, true]) {
	for (const style of ["path", "host"]) {
		test(`objects, ${v4 ? "V4" : "V1"}, ${style} style`, async () => {
			const oss = client({ v4, style });
			for (const name of NAMES) {
				const content = randomBytes(1000);
				const put = await oss.put(name, content, { mime: "text/x-sdk", meta: { who: "me", n: 7 },
					headers: { "Cache-Control": "no-cache" } });
				assert.equal(put.res.status, 200);
				const got = await oss.get(name);
				assert.ok(got.content.equals(content));
				const part = await oss.get(name, { headers: { Range: "bytes=10-19" } });
				assert.ok(part.content.equals(content.subarray(10, 20)));
				const head = await oss.head(name);
				assert.equal(head.status, 200);
				assert.deepEqual(head.meta, { who: "me", n: "7" });
				assert.equal(head.res.headers["content-type"], "text/x-sdk");
				assert.equal(head.res.headers["cache-control"], "no-cache");
			}
			const listed = await oss.list({ prefix: "sdk/", "max-keys": 1000 });
			assert.deepEqual(listed.objects.map(({ name }) => name).sort(), [...NAMES].sort());
			assert.ok(listed.objects.every(({ size }) => size === 1000));
			const folders = await oss.list({ prefix: "sdk/", delimiter: "/", "max-keys": 1000 });
			assert.deepEqual(folders.prefixes, ["sdk/中文/"]);
			for (const name of NAMES)
				assert.equal((await oss.delete(name)).res.status, 204);
			assert.deepEqual((await oss.list({ prefix: "sdk/" })).objects ?? [], []);
		});

		test(`errors, ${v4 ? "V4" : "V1"}, ${style} style`, async () => {
			const oss = client({ v4, style });
			await assert.rejects(oss.get("none"), { code: "NoSuchKey", status: 404 });
			await assert.rejects(oss.head("none"), { code: "NoSuchKey", status: 404 });
			await assert.rejects(client({ v4, style, bucket: "nosuchbucket" }).get("k"), { code: "NoSuchBucket" });
			await assert.rejects(client({ v4, style, accessKeySecret: "wrong" }).get("k"),
				{ code: "SignatureDoesNotMatch", status: 403 });
			await assert.rejects(client({ v4, style, accessKeyId: "stranger" }).get("k"),
				{ code: "InvalidAccessKeyId", status: 403 });
		});

		test(`a large object as a stream, ${v4 ? "V4" : "V1"}, ${style} style`, async () => {
			const oss = client({ v4, style });
			const content = randomBytes(3_000_000);
			const { Readable } = await import("node:stream");
			await oss.putStream("sdk/stream", Readable.from([content.subarray(0, 1_000_000),
				content.subarray(1_000_000)]));
			const { stream } = await oss.getStream("sdk/stream");
			const pieces = [];
			for await (const piece of stream)
				pieces.push(piece);
			assert.ok(Buffer.concat(pieces).equals(content));
			await oss.delete("sdk/stream");
		});
	}

	test(`buckets and their CORS rules, ${v4 ? "V4" : "V1"}`, async () => {
		const bucket = `sdk-bucket-${v4 ? 4 : 1}`;
		const oss = client({ v4, bucket });
		assert.equal((await oss.putBucket(bucket)).res.status, 200);
		await assert.rejects(oss.getBucketCORS(bucket), { code: "NoSuchCORSConfiguration" });
		const rules = [
			{ allowedOrigin: "*", allowedMethod: "GET" },
			{ allowedOrigin: ["https://*.example.com", "http://a.test"], allowedMethod: ["POST", "PUT"],
				allowedHeader: "*", exposeHeader: ["ETag", "x-oss-request-id"], maxAgeSeconds: "600" },
		];
		assert.equal((await oss.putBucketCORS(bucket, rules)).res.status, 200);
		const got = await oss.getBucketCORS(bucket);
		assert.deepEqual(JSON.parse(JSON.stringify(got.rules)), rules);
		assert.equal((await oss.deleteBucketCORS(bucket)).res.status, 204);
		await assert.rejects(oss.getBucketCORS(bucket), { code: "NoSuchCORSConfiguration" });
	});

	test(`a put with a callback, ${v4 ? "V4" : "V1"}`, async () => {
		const before = sink.requests.length;
		const got = await client({ v4 }).put("callback/sdk", Buffer.from("x"), { callback: {
			url: `${sink.url}/sdk?a=b`, body: "object=${object}&v=${x:var1}",
			contentType: "application/x-www-form-urlencoded", customValue: { var1: "value 1" },
		} });
		assert.deepEqual(got.data, { Status: "OK", n: 1 });
		assert.equal(sink.requests.length, before + 1);
		assert.equal(sink.requests[before].body.toString(), "object=callback%2Fsdk&v=value%201");
		await assert.rejects(client({ v4 }).put("callback/sdk", Buffer.from("x"), { callback: {
			url: "http://127.0.0.1:1/", body: "x" } }), { code: "CallbackFailed", status: 203 });
	});
}

test("signatureUrl: GET, PUT, and a response header", async () => {
	const oss = client();
	for (const name of NAMES) {
		const put = oss.signatureUrl(name, { method: "PUT", expires: 60, "Content-Type": "text/x" });
		assert.equal((await send(put, "PUT", { "Content-Type": "text/x" }, name)).status, 200, put);
		const get = await send(oss.signatureUrl(name, { expires: 60,
			response: { "content-disposition": "attachment; filename=x" } }));
		assert.equal(get.text, name);
		assert.equal(get.headers["content-disposition"], "attachment; filename=x");
	}
	assert.equal((await send(oss.signatureUrl(NAMES[0], { expires: -60 }))).status, 403);
});

test("signatureUrlV4: GET, PUT, additional headers", async () => {
	const oss = client({ v4: true });
	for (const name of NAMES) {
		const headers = { "content-type": "text/x", abc: "v" };
		const put = await oss.signatureUrlV4("PUT", 60, { headers }, name, ["abc"]);
		assert.equal((await send(put, "PUT", headers, name)).status, 200, put);
		assert.equal((await send(put, "PUT", { ...headers, abc: "w" }, name)).status, 403);
		const get = await oss.signatureUrlV4("GET", 60, { queries: { "response-content-type": "x/y" } }, name);
		const got = await send(get);
		assert.equal(got.text, name);
		assert.equal(got.headers["content-type"], "x/y");
	}
});

// ---- Forms ------------------------------------------------------------------------------------

const FILE = { name: "form.txt", type: "text/plain", content: "posted" };
const soon = () => new Date(Date.now() + 60_000).toISOString();

test("a form made by calculatePostSignature is accepted", async () => {
	const policy = { expiration: soon(), conditions: [{ bucket: "uploads" }, ["starts-with", "$key", "form/"],
		["content-length-range", 1, 100]] };
	const fields = client().calculatePostSignature(policy);
	const got = await postForm(store, { key: "form/v1-${filename}", ...fields }, FILE);
	assert.equal(got.status, 204, got.text);
	assert.equal((await getObject(store, "form/v1-form.txt")).toString(), "posted");
	const large = await postForm(store, { key: "form/large", ...fields }, { ...FILE, content: "x".repeat(101) });
	assert.equal(large.xml("Code"), "EntityTooLarge");
});

/** As the SDK's own documentation makes it. */
function sdkFormV4(oss, key, more = {}) {
	const date = new Date();
	const stamp = `${date.toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
	const signed = {
		"x-oss-credential": `${server.key.id}/${stamp.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`,
		"x-oss-date": stamp,
		"x-oss-signature-version": "OSS4-HMAC-SHA256",
		...more,
	};
	const policy = { expiration: soon(), conditions: [{ bucket: "uploads" }, ["eq", "$key", key],
		...Object.entries(signed).map(([name, value]) => ({ [name]: value }))] };
	return { key, ...signed, policy: base64Json(policy), "x-oss-signature": oss.signPostObjectPolicyV4(policy, date) };
}

test("a form made by signPostObjectPolicyV4 is accepted", async () => {
	const oss = client({ v4: true });
	const callback = base64Json({ callbackUrl: sink.url, callbackBody: "x" });
	const got = await postForm(store, sdkFormV4(oss, "form/v4", { success_action_status: "201" }), FILE);
	assert.equal(got.status, 201, got.text);
	assert.equal(got.xml("Key"), "form/v4");
	const called = await postForm(store, sdkFormV4(oss, "form/v4", { callback }), FILE);
	assert.deepEqual(JSON.parse(called.text), { Status: "OK", n: 1 });
	const other = client({ v4: true, accessKeySecret: "wrong" });
	assert.equal((await postForm(store, sdkFormV4(other, "form/no"), FILE)).xml("Code"), "SignatureDoesNotMatch");
});

/** What the SDK makes of the very policy that we made. */
function agrees(fields) {
	const text = Buffer.from(fields.policy, "base64").toString();
	if (fields["x-oss-signature"]) {
		const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(fields["x-oss-date"]);
		const date = new Date(Date.UTC(y, mo - 1, d, h, mi, s));
		const sdk = client({ v4: true });
		assert.equal(fields["x-oss-signature"], sdk.signPostObjectPolicyV4(text, date));
	} else {
		const sdk = client().calculatePostSignature(text);
		assert.equal(fields.policy, sdk.policy);
		assert.equal(fields.Signature ?? fields.signature, sdk.Signature);
		assert.equal(fields.OSSAccessKeyId ?? fields.accessid, sdk.OSSAccessKeyId);
	}
}

for (const v4 of [false, true]) {
	test(`uploads in parts, ${v4 ? "V4" : "V1"}`, async t => {
		const oss = client({ v4 });
		const content = randomBytes(2_500_000);
		const path = `${await temporaryFolder(t)}/file.bin`;
		await writeFile(path, content);
		for (const name of NAMES) {
			let checkpoint;
			const done = await oss.multipartUpload(name, path, { partSize: 300_000, parallel: 3, mime: "text/x-sdk",
				meta: { who: "me" }, progress: (_, state) => void (checkpoint = state ?? checkpoint) });
			assert.equal(done.res.status, 200);
			assert.match(done.etag, /^"[0-9A-F]{32}-9"$/);
			assert.equal(checkpoint.doneParts.length, 9);
			assert.ok((await oss.get(name)).content.equals(content));
			const head = await oss.head(name);
			assert.deepEqual([head.res.headers["x-oss-object-type"], head.res.headers["content-type"], head.meta.who],
				["Multipart", "text/x-sdk", "me"]);
		}
		const called = await oss.multipartUpload("called", path, { partSize: 1_000_000,
			callback: { url: sink.url, body: "k=${object}&s=${size}&v=${x:v}", customValue: { v: "1" } } });
		assert.deepEqual(called.data, { Status: "OK", n: 1 });
		assert.equal(sink.requests.at(-1).body.toString(), `k=called&s=${content.length}&v=1`);
	});

	test(`an upload is taken up again, copied and aborted, ${v4 ? "V4" : "V1"}`, async t => {
		const oss = client({ v4 });
		const content = randomBytes(1_000_000);
		const path = `${await temporaryFolder(t)}/file.bin`;
		await writeFile(path, content);
		let checkpoint;
		await assert.rejects(oss.multipartUpload("again", path, { partSize: 200_000, parallel: 1, progress: (_, state) => {
			checkpoint = state;
			if (state?.doneParts.length === 2)
				oss.cancel();
		} }));
		const listed = await oss.listUploads({ prefix: "again" });
		assert.ok(listed.uploads.some(({ uploadId }) => uploadId === checkpoint.uploadId));
		const parts = await oss.listParts("again", checkpoint.uploadId);
		assert.ok(parts.parts.length >= 2);
		await client({ v4 }).multipartUpload("again", path, { checkpoint, parallel: 2 });
		assert.ok((await client({ v4 }).get("again")).content.equals(content));

		const other = client({ v4 });
		await other.multipartUploadCopy("copied", { sourceKey: "again", sourceBucketName: "uploads" }, { partSize: 300_000 });
		assert.ok((await other.get("copied")).content.equals(content));
		const { uploadId } = await other.initMultipartUpload("dropped");
		await other.uploadPart("dropped", uploadId, 1, path, 0, 1000);
		assert.equal((await other.abortMultipartUpload("dropped", uploadId)).res.status, 204);
		await assert.rejects(other.listParts("dropped", uploadId), { code: "NoSuchUpload" });
		const first = await other.append(`grows-${v4}`, Buffer.from("first "));
		assert.equal(first.nextAppendPosition, "6");
		await other.append(`grows-${v4}`, Buffer.from("second"), { position: first.nextAppendPosition });
		assert.equal((await other.get(`grows-${v4}`)).content.toString(), "first second");
		await assert.rejects(other.append(`grows-${v4}`, Buffer.from("x"), { position: "1" }), { code: "PositionNotEqualToLength" });
	});
}

test("GET / and GET /grant are signed as the SDK signs", async t => {
	agrees(JSON.parse((await send(`${server.app}/`)).text));
	agrees(JSON.parse((await send(`${server.app}/grant`)).text).fields);
	const old = await startServer(t, { env: { POSTERN_APP_SIGNATURE_VERSION: "1" } });
	const { fields } = JSON.parse((await send(`${old.app}/grant`)).text);
	assert.ok(fields.Signature);
	agrees(fields);
});

test("`postern sign` signs as the SDK signs, and its forms are accepted", async t => {
	const folder = await temporaryFolder(t);
	await writeFile(`${folder}/callback`, JSON.stringify({ callbackUrl: sink.url, callbackBody: "o=${object}" }));
	const env = { ...process.env, POSTERN_ACCESS_KEY_ID: server.key.id,
		POSTERN_ACCESS_KEY_SECRET: server.key.secret };
	for (const version of ["v1", "v4"]) {
		const { stdout } = await run(BIN, ["sign", "--bucket", "uploads", "--prefix", "sign/\"中", "--max-size", "6",
			"--types", "text/plain,image/png", "--expire", "60", "--signature", version,
			"--callback", `${folder}/callback`], { env });
		const { fields } = JSON.parse(stdout);
		agrees(fields);
		const post = (key, file = FILE, more = fields) => postForm(store, { key, ...more }, file);
		const good = await post(`sign/"中${version}`);
		assert.equal(good.status, 200, good.text);
		assert.equal((await post("sign/other")).status, 403);
		assert.equal((await post(`sign/"中${version}`, { ...FILE, content: "1234567" })).xml("Code"), "EntityTooLarge");
		assert.equal((await post(`sign/"中${version}`, { ...FILE, type: "text/html" })).status, 403);
		const { callback: _, ...dropped } = fields;
		assert.equal((await post(`sign/"中${version}`, FILE, dropped)).status, 403);
	}
});
