// SPDX-License-Identifier: Apache-2.0
// Symbolic links: made, asked where to, read through, copied; and who may.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getObject, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const MIB = 1 << 20;

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await put("target", "123456789", { "Content-Type": "text/x-target", "x-oss-meta-a": "of the target" });
});
after(all.run);

const put = (key, body, headers = {}, bucket = "uploads") =>
	request(store, "PUT", bucket, key, { body, headers });
const link = (key, target, headers = {}, bucket = "uploads") => request(store, "PUT", bucket, key,
	{ query: { symlink: "" }, headers: { ...target === undefined ? {} : { "x-oss-symlink-target": target },
		...headers } });
const where = (key, bucket = "uploads") => request(store, "GET", bucket, key, { query: { symlink: "" } });
const get = (key, headers = {}) => request(store, "GET", "uploads", key, { headers });
const head = key => request(store, "HEAD", "uploads", key);
const decodeError = answer => Buffer.from(answer.headers["x-oss-err"] ?? "", "base64").toString();

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

test("a link is read as what it points to, and has headers of its own", async () => {
	const made = await ok(link("link", "target", { "x-oss-meta-a": "of the link", "Content-Type": "text/x-link",
		"Cache-Control": "no-cache" }));
	assert.match(made.headers.etag, /^"[0-9A-F]{32}"$/);
	assert.equal(made.text, "");
	const target = await head("target");
	for (const got of [await ok(get("link")), await ok(head("link"))]) {
		for (const name of ["etag", "content-length", "content-md5", "x-oss-hash-crc64ecma"])
			assert.equal(got.headers[name], target.headers[name], name);
		assert.equal(got.headers["x-oss-object-type"], "Symlink");
		assert.equal(got.headers["x-oss-meta-a"], "of the link");
		assert.equal(got.headers["content-type"], "text/x-link");
		assert.equal(got.headers["cache-control"], "no-cache");
		assert.equal(got.headers["x-oss-symlink-target"], undefined);
	}
	assert.equal((await get("link")).text, "123456789");
	const part = await ok(get("link", { Range: "bytes=2-4" }), 206);
	assert.equal(part.text, "345");
	await ok(get("link", { "If-None-Match": target.headers.etag }), 304);
	await ok(get("link", { "If-Match": made.headers.etag }), 412);
});

test("GetObjectMeta tells of the target", async () => {
	const meta = await ok(request(store, "HEAD", "uploads", "link", { query: { objectMeta: "" } }));
	assert.equal(meta.headers["content-length"], "9");
	assert.equal(meta.headers.etag, (await head("target")).headers.etag);
});

test("GetSymlink says where to", async () => {
	const got = await ok(where("link"));
	assert.equal(got.headers["x-oss-symlink-target"], "target");
	assert.equal(got.headers["x-oss-object-type"], "Symlink");
	assert.match(got.headers.etag, /^"[0-9A-F]{32}"$/);
	assert.ok(Math.abs(Date.parse(got.headers["last-modified"]) - Date.now()) < 600_000);
	assert.equal(got.text, "");
	await refused(where("target"), 400, "NotSymlink");
	await refused(where("nothing"), 404, "NoSuchKey");
	await refused(where("link", "nosuchbucket"), 404, "NoSuchBucket");
});

test("names are percent-encoded, a space may be a plus", async () => {
	const key = "dir/a b+c%41ä&?";
	await put(key, "named");
	for (const name of [encodeURIComponent(key), "dir/a+b%2Bc%2541%C3%A4%26%3F"]) {
		await ok(link("named", name));
		assert.equal((await get("named")).text, "named");
		const told = (await ok(where("named"))).headers["x-oss-symlink-target"];
		assert.equal(told, "dir/a%20b%2Bc%2541%C3%A4%26%3F");
		assert.equal(decodeURIComponent(told), key);
	}
});

test("large targets, and empty ones", async () => {
	const bytes = Buffer.alloc(3 * MIB, "0123456789");
	await put("large", bytes);
	await put("empty", "");
	await ok(link("to-large", "large"));
	await ok(link("to-empty", "empty"));
	assert.ok((await getObject(store, "to-large")).equals(bytes));
	assert.equal((await get("to-empty")).text, "");
});

test("targets that are not", async () => {
	await ok(link("dangling", "nothing"));
	assert.equal((await where("dangling")).headers["x-oss-symlink-target"], "nothing");
	const got = await refused(get("dangling"), 404, "SymlinkTargetNotExist");
	assert.equal(got.xml("EC"), "0026-00000012");
	assert.match(decodeError(await ok(head("dangling"), 404)), /<Code>SymlinkTargetNotExist</);
	await ok(link("second", "link"));
	await refused(get("second"), 400, "InvalidTargetType");
	assert.match(decodeError(await ok(head("second"), 400)), /<Code>InvalidTargetType</);
	await ok(link("self", "self"));
	await refused(get("self"), 400, "InvalidTargetType");
	await put("nothing", "now there");
	assert.equal((await ok(get("dangling"))).text, "now there");
	await request(store, "DELETE", "uploads", "nothing");
	await refused(get("dangling"), 404, "SymlinkTargetNotExist");
});

test("what cannot be a target", async () => {
	for (const target of ["", "/a", "a%", "a%zz", "%ff", "a%00", "x".repeat(1024)])
		await refused(link("no", target), 400, "InvalidArgument");
	assert.equal((await refused(link("no"), 400, "MissingArgument")).xml("ArgumentName"), "x-oss-symlink-target");
	await refused(link("no", "a", {}, "nosuchbucket"), 404, "NoSuchBucket");
	await refused(link("no", "a", { "x-oss-storage-class": "x" }), 400, "InvalidArgument");
	await refused(link("no", "a", { "If-Match": "*" }), 400, "NotImplemented");
	await refused(where("no"), 404, "NoSuchKey");
	await ok(link("yes", "x".repeat(1023)));
});

test("x-oss-forbid-overwrite", async () => {
	await ok(link("once", "target", { "x-oss-forbid-overwrite": "true" }));
	await refused(link("once", "other", { "x-oss-forbid-overwrite": "true" }), 409, "FileAlreadyExists");
	assert.equal((await where("once")).headers["x-oss-symlink-target"], "target");
	await ok(link("once", "other"));
	assert.equal((await where("once")).headers["x-oss-symlink-target"], "other");
});

test("lists tell what it is; a put makes it an object again", async () => {
	await ok(link("zz", "target"));
	const list = await request(store, "GET", "uploads", "", { query: { prefix: "zz" } });
	assert.equal(list.xml("Type"), "Symlink");
	assert.equal(list.xml("Size"), "0");
	await put("zz", "object");
	assert.equal((await head("zz")).headers["x-oss-object-type"], "Normal");
	await refused(where("zz"), 400, "NotSymlink");
	assert.equal((await get("target")).text, "123456789");
});

test("both ACLs decide, the link's first", async () => {
	const stranger = key => send(`${store}/acls/${key}`);
	await request(store, "PUT", "acls", "", { headers: { "x-oss-acl": "public-read" } });
	await put("shown", "seen", {}, "acls");
	await put("hidden", "secret", { "x-oss-object-acl": "private" }, "acls");
	await link("to-shown", "shown", {}, "acls");
	await link("to-hidden", "hidden", {}, "acls");
	await link("closed", "shown", { "x-oss-object-acl": "private" }, "acls");
	assert.equal((await ok(stranger("to-shown"))).text, "seen");
	await refused(stranger("to-hidden"), 403, "AccessDenied");
	await refused(stranger("closed"), 403, "AccessDenied");
	await refused(stranger("closed?symlink"), 403, "AccessDenied");
	assert.equal((await ok(stranger("to-hidden?symlink"))).headers["x-oss-symlink-target"], "hidden");
	await refused(send(`${store}/acls/new?symlink`, "PUT", { "x-oss-symlink-target": "shown" }), 403, "AccessDenied");
});

test("a copy of a link is a link", async () => {
	const copy = (source, key, headers = {}) => request(store, "PUT", "uploads", key,
		{ headers: { "x-oss-copy-source": `/uploads/${source}`, ...headers } });
	await ok(link("original", "target", { "x-oss-meta-a": "kept" }));
	await ok(copy("original", "copied"));
	assert.equal((await ok(where("copied"))).headers["x-oss-symlink-target"], "target");
	assert.equal((await ok(get("copied"))).headers["x-oss-meta-a"], "kept");
	assert.equal((await get("copied")).text, "123456789");
	await ok(copy("original", "copied", { "x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "new" }));
	const replaced = await ok(get("copied"));
	assert.deepEqual([replaced.headers["x-oss-meta-a"], replaced.headers["x-oss-meta-b"], replaced.text],
		[undefined, "new", "123456789"]);
	await ok(link("broken", "nowhere"));
	await ok(copy("broken", "copied"));
	assert.equal((await where("copied")).headers["x-oss-symlink-target"], "nowhere");
});
