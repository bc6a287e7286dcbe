// SPDX-License-Identifier: Apache-2.0
// PutObjectAcl: an object's own ACL, set after it was stored.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await request(store, "PUT", "uploads", "k", { body: "content",
		headers: { "x-oss-meta-a": "kept", "x-oss-tagging": "a=1" } });
});
after(all.run);

const setAcl = (acl, key = "k", bucket = "uploads") => request(store, "PUT", bucket, key,
	{ query: { acl: "" }, headers: acl === undefined ? {} : { "x-oss-object-acl": acl } });
const getAcl = () => request(store, "GET", "uploads", "k", { query: { acl: "" } });
const head = () => request(store, "HEAD", "uploads", "k");

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	return got;
}

test("each ACL is kept and decides", async () => {
	const before = (await head()).headers;
	for (const [acl, status] of [["public-read", 200], ["private", 403], ["public-read-write", 200], ["default", 403]]) {
		const got = await setAcl(acl);
		assert.deepEqual([got.status, got.text], [200, ""]);
		assert.equal((await getAcl()).xml("Grant"), acl);
		assert.equal((await send(`${store}/uploads/k`)).status, status, acl);
	}
	const after = (await head()).headers;
	for (const name of ["etag", "last-modified", "x-oss-meta-a", "x-oss-tagging-count", "content-type"])
		assert.equal(after[name], before[name], name);
	assert.equal((await request(store, "GET", "uploads", "k")).text, "content");
});

test("private in a bucket that everybody may read and write", async () => {
	await request(store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	await request(store, "PUT", "open", "k", { body: "mine" });
	assert.equal((await send(`${store}/open/k`)).text, "mine");
	assert.equal((await setAcl("private", "k", "open")).status, 200);
	await refused(send(`${store}/open/k`), 403, "AccessDenied");
	await refused(send(`${store}/open/k`, "PUT", {}, "theirs"), 403, "AccessDenied");
	await refused(send(`${store}/open/k`, "DELETE"), 403, "AccessDenied");
	assert.equal((await setAcl("default", "k", "open")).status, 200);
	assert.equal((await send(`${store}/open/k`, "PUT", {}, "theirs")).status, 200);
});

/** Each way to write to an object without a key: [its status if it may, method, query, headers, body]. */
const WRITES = [
	[200, "PUT", "", {}, "theirs"],
	[204, "DELETE", "", {}, undefined],
	[200, "PUT", "", { "x-oss-copy-source": "/readable/k" }, undefined],
	[200, "PUT", "?symlink", { "x-oss-symlink-target": "k" }, undefined],
	[409, "POST", "?append&position=0", {}, "theirs"], /* it may, but it was not begun by appending */
	[200, "POST", "?uploads", {}, undefined],
];

test("an object that everybody may write to, in a bucket where nobody may", async () => {
	for (const [bucket, acl] of [["closed", "private"], ["readable", "public-read"]]) {
		await request(store, "PUT", bucket, "", { headers: { "x-oss-acl": acl } });
		await request(store, "PUT", bucket, "k", { body: "mine" });
	}
	for (const bucket of ["closed", "readable"]) {
		for (const acl of ["default", "private", "public-read", "public-read-write"]) {
			for (const [status, method, query, headers, body] of WRITES) {
				await request(store, "PUT", bucket, "w", { body: "mine", headers: { "x-oss-object-acl": acl } });
				const got = await send(`${store}/${bucket}/w${query}`, method, headers, body);
				const what = `${bucket} ${acl} ${method} ${query} ${got.text}`;
				assert.equal(got.status, acl === "public-read-write" ? status : 403, what);
				if (acl !== "public-read-write")
					assert.equal((await request(store, "GET", bucket, "w")).text, "mine", what);
			}
		}
		await request(store, "DELETE", bucket, "w");
		for (const [, method, query, headers, body] of WRITES)
			await refused(send(`${store}/${bucket}/w${query}`, method, headers, body), 403, "AccessDenied");
	}
});

test("such an object takes large bodies and parts, and is the bucket's again once it is replaced", async () => {
	const open = () => request(store, "PUT", "closed", "big", { body: "mine", headers: { "x-oss-object-acl": "public-read-write" } });
	const body = Buffer.alloc(3_000_000, "theirs ");
	await open();
	assert.equal((await send(`${store}/closed/big`, "PUT", {}, body)).status, 200);
	assert.ok((await request(store, "GET", "closed", "big")).body.equals(body));
	await refused(send(`${store}/closed/big`, "PUT", {}, body), 403, "AccessDenied");
	await open();
	const id = (await send(`${store}/closed/big?uploads`, "POST")).xml("UploadId");
	const part = `${store}/closed/big?partNumber=1&uploadId=${id}`;
	assert.equal((await send(part, "PUT", {}, body)).status, 200);
	assert.equal((await setAcl("public-read", "big", "closed")).status, 200);
	await refused(send(part, "PUT", {}, body), 403, "AccessDenied");
	assert.equal((await setAcl("public-read-write", "big", "closed")).status, 200);
	assert.equal((await send(`${store}/closed/big?uploadId=${id}`, "POST", { "x-oss-complete-all": "yes" })).status, 200);
	assert.ok((await request(store, "GET", "closed", "big")).body.equals(body));
});

test("what is refused", async () => {
	for (const acl of ["", "Private", "everybody", "public"])
		assert.equal((await refused(setAcl(acl), 400, "InvalidArgument")).xml("ArgumentName"), "x-oss-object-acl");
	await refused(setAcl(undefined), 400, "MissingArgument");
	await refused(setAcl("private", "nothing"), 404, "NoSuchKey");
	await refused(setAcl("private", "k", "nosuchbucket"), 404, "NoSuchBucket");
	await refused(send(`${store}/uploads/k?acl`, "PUT", { "x-oss-object-acl": "public-read" }), 403, "AccessDenied");
	assert.equal((await getAcl()).xml("Grant"), "default");
});
