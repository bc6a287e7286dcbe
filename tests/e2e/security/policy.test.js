// SPDX-License-Identifier: Apache-2.0
// Policies and forms that lie. Each test is a bug that some store or client had; the names in
// brackets are where.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { getObject, listObjects, multipart, policy, postForm, request, send, signedFieldsV1, signedFieldsV4 }
	from "../lib/oss.js";
import { BIN, cleanups, startServer } from "../lib/server.js";

const run = promisify(execFile);
const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const bucket of ["other", "user"])
		assert.equal((await request(store, "PUT", bucket, "")).status, 200);
});
after(all.run);

const FILE = { name: "f.txt", type: "text/plain", content: "content" };
const until = (seconds = 300) => new Date(Date.now() + seconds * 1000).toISOString();
const text = json => Buffer.from(typeof json === "string" ? json : JSON.stringify(json)).toString("base64");

/** Posts under conditions that are all there is in the policy. */
function under(conditions, fields = {}, { file = FILE, key = "k", bucket = "uploads", sign = signedFieldsV1 } = {}) {
	if (sign === signedFieldsV4)
		return postForm(store, signedFieldsV4(key, fields, { conditions }), file, { bucket });
	return postForm(store, signedFieldsV1(key, fields, { text: text({ expiration: until(), conditions }) }), file,
		{ bucket });
}

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

async function nothingStored(run) {
	const before = await Promise.all(["uploads", "other", "user"].map(bucket => listObjects(store, bucket)));
	await run();
	const after = await Promise.all(["uploads", "other", "user"].map(bucket => listObjects(store, bucket)));
	assert.deepEqual(after, before, "nothing was stored");
}

test("no kind of condition is silently not enforced (minio 7806, 7895; supabase 1211; floci 203; s3s 472)", async () => {
	const rows = [
		// A condition, fields that fulfil it, fields that do not.
		[{ "x-oss-meta-a": "v" }, { "x-oss-meta-a": "v" }, { "x-oss-meta-a": "V" }],
		[["eq", "$x-oss-meta-a", "v"], { "x-oss-meta-a": "v" }, {}],
		[["eq", "$x-oss-meta-a", ""], {}, { "x-oss-meta-a": "v" }],
		[["starts-with", "$x-oss-meta-a", "v/"], { "x-oss-meta-a": "v/w" }, { "x-oss-meta-a": "v" }],
		[["starts-with", "$x-oss-meta-a", "v"], { "x-oss-meta-a": "v" }, {}],
		[["in", "$x-oss-meta-a", ["u", "v"]], { "x-oss-meta-a": "v" }, { "x-oss-meta-a": "uv" }],
		[["in", "$x-oss-meta-a", ["v"]], { "x-oss-meta-a": "v" }, {}],
		[["not-in", "$x-oss-meta-a", ["u", "v"]], { "x-oss-meta-a": "w" }, { "x-oss-meta-a": "v" }],
		[["eq", "$x-oss-object-acl", "private"], { "x-oss-object-acl": "private" }, { "x-oss-object-acl": "public-read" }],
		[["eq", "$x-oss-storage-class", "IA"], { "x-oss-storage-class": "IA" }, {}],
		[["eq", "$x-oss-forbid-overwrite", "true"], { "x-oss-forbid-overwrite": "true" }, { "x-oss-forbid-overwrite": "false" }],
		[["eq", "$x-oss-content-type", "a/b"], { "x-oss-content-type": "a/b" }, { "Content-Type": "a/b" }],
		[["eq", "$content-type", "a/b"], { "x-oss-content-type": "a/b" }, { "x-oss-content-type": "a/c", "Content-Type": "a/b" }],
		[["eq", "$cache-control", "no-cache"], { "Cache-Control": "no-cache" }, { "Cache-Control": "public" }],
		[["starts-with", "$content-disposition", "attachment"], { "Content-Disposition": "attachment; x" }, { "Content-Disposition": "inline" }],
		[["eq", "$content-encoding", "gzip"], { "Content-Encoding": "gzip" }, { "Content-Encoding": "br" }],
		[["eq", "$expires", "Mon, 01 Jan 2035 00:00:00 GMT"], { Expires: "Mon, 01 Jan 2035 00:00:00 GMT" }, { Expires: "0" }],
		[["eq", "$success_action_status", "201"], { success_action_status: "201" }, { success_action_status: "200" }],
		[["starts-with", "$success_action_redirect", "https://a.test/"], { success_action_redirect: "https://a.test/x" },
			{ success_action_redirect: "https://a.test.evil/" }],
		[["eq", "$callback", ""], { callback: "" }, { callback: text({ callbackUrl: "http://a.test/", callbackBody: "x" }) }],
		[["eq", "$x:who", "me"], { "x:who": "me" }, { "x:who": "you" }],
		[["eq", "$my-own-field", "v"], { "my-own-field": "v" }, { "my-own-field": "w" }],
	];
	for (const sign of [signedFieldsV1, signedFieldsV4]) {
		for (const [condition, good, bad] of rows) {
			const got = await under([{ bucket: "uploads" }, condition], { ...good, "x-oss-forbid-overwrite": "false", ...good },
				{ key: `enforced/${Math.random()}`, sign });
			assert.ok([200, 201, 204, 303].includes(got.status), `${JSON.stringify(condition)}: ${got.text}`);
			const answer = await refused(under([{ bucket: "uploads" }, condition], bad, { sign }), 403, "AccessDenied");
			assert.match(answer.xml("Message"), /^Invalid according to Policy: Policy Condition failed: \[/);
		}
	}
	assert.equal(await getObject(store, "k"), null);
});

test("each of several conditions counts, also on the same field, also the last", async () => {
	await nothingStored(async () => {
		for (const conditions of [
			[["starts-with", "$key", ""], ["starts-with", "$key", "other/"]],
			[["starts-with", "$key", "other/"], ["starts-with", "$key", ""]],
			[["content-length-range", 0, 100], ["content-length-range", 0, 3]],
			[["content-length-range", 0, 3], ["content-length-range", 0, 100]],
			[["starts-with", "$key", ""], { bucket: "other" }],
			[...Array(100).fill(["starts-with", "$key", ""]), ["eq", "$x-oss-meta-a", "v"]],
		])
			assert.ok((await under(conditions)).status >= 400, JSON.stringify(conditions));
	});
});

test("names of fields in conditions and in forms match in any case (localstack 10862)", async () => {
	for (const [name, posted] of [["$X-OSS-Meta-A", "x-oss-meta-a"], ["$x-oss-meta-a", "X-OSS-META-A"],
		["$Content-Type", "x-oss-content-type"], ["$Success_Action_Status", "SUCCESS_ACTION_STATUS"]]) {
		const value = name.includes("tatus") ? "200" : "a/b";
		assert.ok((await under([["eq", name, value]], { [posted]: value })).status < 300, name);
		await refused(under([["eq", name, value]], { [posted]: "else" }), 403, "AccessDenied");
	}
	await refused(under([["starts-with", "$KEY", "elsewhere/"]], {}, { key: "k" }), 403, "AccessDenied");
	await refused(under([["eq", "$Bucket", "other"]]), 403, "AccessDenied");
});

test("members of the JSON that are there twice are refused (minio 11894)", async () => {
	const good = "[\"starts-with\",\"$key\",\"\"]";
	const bad = "[\"eq\",\"$key\",\"other\"]";
	await nothingStored(async () => {
		for (const json of [
			`{"expiration":"${until()}","conditions":[${bad}],"conditions":[${good}]}`,
			`{"expiration":"${until()}","conditions":[${good}],"conditions":[${bad}]}`,
			`{"expiration":"${until()}","conditions":[${bad}],"condition\\u0073":[${good}]}`,
			`{"expiration":"${until(-60)}","expiration":"${until()}","conditions":[${good}]}`,
			`{"expiration":"${until()}","expiration":"${until(-60)}","conditions":[${good}]}`,
			`{"expiration":"${until()}","conditions":[{"bucket":"other","bucket":"uploads"}]}`,
			`{"expiration":"${until()}","conditions":[{"bucket":"uploads","bucket":"uploads"}]}`,
			`{"expiration":"${until()}","conditions":[${good}]}{"conditions":[]}`,
			`{"expiration":"${until()}","conditions":[${good}]} x`,
			`{"expiration":"${until()}","conditions":[${good}]`,
			`{"expiration":"${until()}","conditions":[${good}]}\0`,
			`\ufeff\ufeff{"expiration":"${until()}","conditions":[${good}]}`,
		]) {
			await refused(postForm(store, signedFieldsV1("twice", {}, { text: text(json) }), FILE), 400,
				"InvalidPolicyDocument");
		}
	});
});

test("what a policy says that we do not know is refused, not skipped", async () => {
	await nothingStored(async () => {
		for (const condition of [["matches", "$key", "k"], ["EQ", "$key", "k"], ["eq", "key", "k"], ["eq", "$key"],
			["eq", "$key", "k", "k"], ["eq", "$key", 1], ["eq", "$key", null], ["eq", "$", "k"], [], {}, "k", 1, null,
			true, { key: ["k"] }, { key: 1 }, { key: null }, ["starts-with", "$key", ["k"]], ["in", "$key", "k"],
			["in", "$key", [1]], ["in", "$key", [["k"]]], ["not-in", "$key", { k: 1 }], ["not", ["eq", "$key", "k"]]])
			await refused(under([{ bucket: "uploads" }, condition]), 400, "InvalidPolicyDocument");
	});
});

test("the bounds of content-length-range are integers, in order (localstack 10889)", async () => {
	await nothingStored(async () => {
		for (const bounds of [["0", "10"], ["0", 10], [0, "10"], [0.5, 10], [0, 10.5], [10, 0], [-1, 10], [0], [],
			[0, 10, 20], [null, 10], [0, null], [[0], [10]], [true, false]])
			await refused(under([["content-length-range", ...bounds]]), 400, "InvalidPolicyDocument");
		await refused(postForm(store, signedFieldsV1("k", {}, { text: text(`{"expiration":"${until()}",`
			+ "\"conditions\":[[\"content-length-range\",0,99999999999999999999999]]}") }), FILE), 400,
		"InvalidPolicyDocument");
		await refused(under([["content-length-range", 0, 6]]), 400, "EntityTooLarge");
		await refused(under([["content-length-range", 8, 100]]), 400, "EntityTooSmall");
		await refused(under([["content-length-range", 1, 100]], {}, { file: { ...FILE, content: "" } }), 400,
			"EntityTooSmall");
	});
	assert.equal((await under([["content-length-range", 7, 7]])).status, 204);
});

test("policies that have expired, or never can", async () => {
	await nothingStored(async () => {
		const post = expiration => postForm(store, signedFieldsV1("k2", {}, { text: text({ expiration,
			conditions: [["starts-with", "$key", ""]] }) }), FILE);
		await refused(post(until(-1)), 403, "AccessDenied");
		await refused(post("2001-01-01T00:00:00Z"), 403, "AccessDenied");
		// Without Z it would be somebody's local time.
		for (const expiration of ["", "never", until().replace("Z", ""), until().replace("Z", "+08:00"),
			until().slice(0, 10), 4102444800, null, "2035-02-30T00:00:00Z", "2035-01-01 00:00:00Z",
			"9999999-01-01T00:00:00Z"])
			await refused(post(expiration), 400, "InvalidPolicyDocument");
	});
});

test("a quote in a name adds no condition when we build policies (minio-java 1174)", async () => {
	const nasty = "a\"],[\"starts-with\",\"$key\",\"";
	const env = { ...process.env, POSTERN_ACCESS_KEY_ID: server.key.id,
		POSTERN_ACCESS_KEY_SECRET: server.key.secret };
	for (const version of ["v1", "v4"]) {
		for (const [option, operator] of [["--key", "eq"], ["--prefix", "starts-with"]]) {
			const { stdout } = await run(BIN, ["sign", "--bucket", "uploads", option, nasty, "--types", "a/b\"]", "--signature",
				version], { env });
			const { fields } = JSON.parse(stdout);
			const { conditions } = JSON.parse(Buffer.from(fields.policy, "base64").toString());
			const aboutKeys = conditions.filter(one => Array.isArray(one) && one[1] === "$key");
			assert.deepEqual(aboutKeys.map(([, , value]) => value), [nasty], `${option} ${operator}`);
			await refused(postForm(store, { ...fields, key: "free" }, { ...FILE, type: "a/b\"]" }), 403, "AccessDenied");
			const own = await postForm(store, { ...fields, key: nasty }, { ...FILE, type: "a/b\"]" });
			assert.ok(own.status < 300, own.text);
		}
	}
});

test("the application server's folder adds no condition either", async t => {
	const dir = "up\"],[\"eq\",\"x\",\"\\/";
	const own = await startServer(t, { env: { POSTERN_APP_UPLOAD_DIR: dir } });
	for (const path of ["/", "/grant"]) {
		const got = JSON.parse((await send(own.app + path)).text);
		const { conditions } = JSON.parse(Buffer.from((got.fields ?? got).policy, "base64").toString());
		assert.deepEqual(conditions.filter(one => one[1] === "$key"), [["starts-with", "$key", got.dir]]);
		assert.ok(got.dir.startsWith(dir));
	}
});

test("posts reach no system's bucket, and no key leaves its bucket (CVE-2023-28434, minio 16849)", async () => {
	const keys = readFileSync(join(server.data, "access_keys.json"));
	const names = readdirSync(server.data).sort();
	for (const bucket of ["", ".", "..", "-", ".postern", ".minio.sys", "index", "segments", "large", "%2e%2e",
		"uploads%2f..%2fother", "uploads%00"]) {
		const got = await postForm(store, signedFieldsV1("k", {}, { text: text({ expiration: until(),
			conditions: [["starts-with", "$key", ""]] }) }), FILE, { bucket });
		assert.ok(got.status >= 400, `${bucket}: ${got.status}`);
	}
	const inside = ["../access_keys.json", "../../x", "a/../../other/x", "./x", "a//b", "..", ".", "-/callback_pub_key_v1.pem",
		"index/CURRENT", "%2e%2e/x", "a\\..\\b", "con", "x".repeat(300) + "/" + "y".repeat(300)];
	for (const key of inside) {
		const got = await postForm(store, signedFieldsV1(key), FILE);
		assert.equal(got.status, 204, `${key}: ${got.text}`);
		assert.equal((await getObject(store, key)).toString(), "content", key);
	}
	const listed = await listObjects(store);
	for (const key of inside)
		assert.ok(listed.includes(key), key);
	assert.deepEqual(await listObjects(store, "other"), []);
	assert.ok(readFileSync(join(server.data, "access_keys.json")).equals(keys));
	assert.deepEqual(readdirSync(server.data).sort(), names);
	assert.match((await send(`${store}/-/callback_pub_key_v1.pem`)).text, /BEGIN PUBLIC KEY/);
});

test("the bucket is the one of the URL, not one that a field names", async () => {
	await nothingStored(async () => {
		for (const [conditions, bucket] of [[[{ bucket: "uploads" }], "other"], [[["eq", "$bucket", "uploads"]], "other"]])
			await refused(under(conditions, { bucket: "uploads", Bucket: "uploads", "x-oss-bucket": "uploads" }, { bucket }),
				403, "AccessDenied");
	});
	const got = await under([{ bucket: "uploads" }], { bucket: "other" }, { key: "urlbucket" });
	assert.equal(got.status, 204);
	assert.deepEqual(await listObjects(store, "other"), []);
});

test("fields that no condition names are allowed, as OSS has it, but other stores' have no effect (minio 17391, rustfs 1785)",
	async () => {
		const got = await under([["starts-with", "$key", ""]], { acl: "public-read", "x-amz-acl": "public-read",
			"x-amz-meta-a": "v", tagging: "x", name: "plupload's", submit: "Upload", AWSAccessKeyId: "x" }, { key: "extra" });
		assert.equal(got.status, 204, "a policy without a bucket condition is one all the same");
		const { headers } = await request(store, "HEAD", "uploads", "extra");
		assert.deepEqual(Object.keys(headers).filter(name => /amz|tagging/.test(name)), []);
		assert.equal((await send(`${store}/uploads/extra`)).status, 403, "it is as private as its bucket");
	});

test("bucket and key are not run together (seaweedfs 7713)", async () => {
	const got = await under([["starts-with", "$key", ""]], { success_action_status: "201" },
		{ bucket: "user", key: "s/x" });
	assert.equal(got.xml("Location"), `${store}/user/s/x`);
	assert.equal((await getObject(store, "s/x", "user")).toString(), "content");
	assert.equal((await request(store, "GET", "users", "x")).status, 404);
	assert.deepEqual(await listObjects(store, "user"), ["s/x"]);
});

test("the object's type is never that of the form (seaweedfs 4461)", async () => {
	const boundary = "b";
	const fields = Object.entries(signedFieldsV1("typeless"))
		.map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join("");
	const body = `${fields}--b\r\nContent-Disposition: form-data; name="file"; filename="f.html"\r\n\r\n<p>\r\n--b--\r\n`;
	const got = await send(`${store}/uploads`, "POST", { "Content-Type": `multipart/form-data; boundary=${boundary}` }, body);
	assert.equal(got.status, 204, got.text);
	const { headers } = await request(store, "GET", "uploads", "typeless");
	assert.equal(headers["content-type"], "application/octet-stream");
	assert.equal(headers["x-content-type-options"], "nosniff");
});

test("what comes behind the file has no effect at all (minio 19736)", async () => {
	const { key, ...rest } = signedFieldsV1("behind", { success_action_status: "200" });
	const after = [["key", "elsewhere"], ["x-oss-object-acl", "public-read"], ["success_action_status", "201"],
		["success_action_redirect", "http://evil.test/"], ["x-oss-content-type", "text/html"],
		["callback", text({ callbackUrl: "http://evil.test/", callbackBody: "x" })], ["x-oss-meta-a", "v"]];
	const { type, body } = multipart([["key", key], ...Object.entries(rest), ["file", "content"], ...after]);
	const got = await send(`${store}/uploads`, "POST", { "Content-Type": type }, body);
	assert.equal(got.status, 200, got.text);
	const { headers } = await request(store, "HEAD", "uploads", "behind");
	assert.equal(headers["content-type"], "application/octet-stream");
	assert.equal(headers["x-oss-meta-a"], undefined);
	assert.equal((await send(`${store}/uploads/behind`)).status, 403);
	assert.equal(await getObject(store, "elsewhere"), null);
	// Not even a signature: the fields before the file are what is judged.
	const late = multipart([["key", "late"], ["file", "content"], ...Object.entries(rest)]);
	await refused(send(`${store}/uploads`, "POST", { "Content-Type": late.type }, late.body), 403, "AccessDenied");
	const keyless = multipart([...Object.entries(rest), ["file", "content"], ["key", key]]);
	await refused(send(`${store}/uploads`, "POST", { "Content-Type": keyless.type }, keyless.body), 400, "InvalidArgument");
});

test("${filename} cannot lead out of what the policy allows", async () => {
	const conditions = [["starts-with", "$key", "mine/"]];
	for (const name of ["../../other/x", "/abs", "..\\up", "a/b/c", "x\0y"]) {
		const got = await under(conditions, {}, { key: "mine/${filename}", file: { ...FILE, name } });
		assert.ok(got.status === 204 || got.status === 400, `${name}: ${got.status}`);
	}
	assert.deepEqual((await listObjects(store)).filter(key => /other|abs|up/.test(key) && !key.startsWith("mine/")
		&& !key.startsWith("..") && !key.startsWith("a/")), []);
	// The condition sees the text with the placeholder, so this one promises nothing.
	await refused(under(conditions, {}, { key: "${filename}", file: { ...FILE, name: "mine/x" } }), 403, "AccessDenied");
	assert.ok(["InvalidObjectName", "InvalidArgument"].includes((await under([["starts-with", "$key", ""]], {},
		{ key: "${filename}", file: { ...FILE, name: "" } })).xml("Code")));
});

test("nothing that a client sends adds a header to an answer", async () => {
	const nasty = "a\r\nX-Injected: yes\r\n\r\n<script>";
	const answers = [
		await under([["starts-with", "$key", ""]], { success_action_redirect: `http://a.test/${nasty}` }),
		await under([["starts-with", "$key", ""]], { success_action_redirect: "http://a.test/" }, { key: nasty }),
		await under([["starts-with", "$key", ""]], { "x-oss-meta-a": nasty }),
		await under([["starts-with", "$key", ""]], { "Content-Disposition": nasty }),
		await under([["starts-with", "$key", ""]], {}, { file: { ...FILE, type: "a/b\nX-Injected: yes" } }),
		await request(store, "GET", "uploads", "behind", { query: { "response-content-type": nasty } }),
		await request(store, "GET", "uploads", "behind", { query: { "response-content-disposition": nasty } }),
		await request(store, "GET", "uploads", nasty),
	];
	for (const got of answers) {
		assert.equal(got.headers["x-injected"], undefined);
		assert.ok(!/<script>/.test(got.text), got.text);
	}
});
