// SPDX-License-Identifier: Apache-2.0
// Tags of objects: with uploads and copies, and by operations of their own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
});
after(all.run);

const put = (key, tags, headers = {}) => request(store, "PUT", "uploads", key,
	{ body: "123456789", headers: { ...tags === undefined ? {} : { "x-oss-tagging": tags }, ...headers } });
const head = key => request(store, "HEAD", "uploads", key);
const readTags = key => request(store, "GET", "uploads", key, { query: { tagging: "" } });
const copy = (source, key, headers = {}) => request(store, "PUT", "uploads", key,
	{ headers: { "x-oss-copy-source": `/uploads/${source}`, ...headers } });

/** The tags of an object as [key, value]. */
async function tagsOf(key) {
	const got = await ok(readTags(key));
	assert.equal(got.headers["content-type"], "application/xml");
	assert.match(got.text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Tagging><TagSet>.*<\/TagSet><\/Tagging>\n$/);
	return [...got.text.matchAll(/<Tag><Key>([^<]*)<\/Key><Value>([^<]*)<\/Value><\/Tag>/g)]
		.map(([, name, value]) => [name, value]);
}

async function ok(answer, status = 200) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	return got;
}

async function refused(answer, status, code, ec) {
	const got = await ok(answer, status);
	assert.equal(got.xml("Code"), code, got.text);
	if (ec)
		assert.equal(got.xml("EC"), ec);
	return got;
}

test("PutObject with x-oss-tagging", async () => {
	await ok(put("tagged", "k%3D1=v+1%2B&b:/&c=.-_"));
	assert.deepEqual(await tagsOf("tagged"), [["k=1", "v 1+"], ["b:/", ""], ["c", ".-_"]]);
	for (const method of ["GET", "HEAD"])
		assert.equal((await request(store, method, "uploads", "tagged")).headers["x-oss-tagging-count"], "3");
	await ok(put("tagged"));
	assert.deepEqual(await tagsOf("tagged"), [], "a new object has its own");
	assert.equal((await head("tagged")).headers["x-oss-tagging-count"], undefined);
	await ok(put("tagged", ""));
	assert.deepEqual(await tagsOf("tagged"), []);
});

test("tags in any language", async () => {
	await ok(put("language", "%E9%94%AE=%E5%80%BC&caf%C3%A9=%F0%9F%98%80"));
	assert.deepEqual(await tagsOf("language"), [["键", "值"], ["café", "😀"]]);
	// Lengths are those of characters.
	const longest = ["键".repeat(128), "😀".repeat(256)];
	await ok(put("language", longest.map(encodeURIComponent).join("=")));
	assert.deepEqual(await tagsOf("language"), [longest]);
	for (const tags of [["键".repeat(129), "v"], ["k", "值".repeat(257)]])
		await refused(put("no", tags.map(encodeURIComponent).join("=")), 400, "InvalidTag");
});

test("what cannot be tags", async () => {
	const many = Array.from({ length: 11 }, (_, i) => `k${i}=v`);
	for (const [tags, ec] of [["aa=bb=cc", "0010-00000219"], ["a=%4", "0010-00000219"],
		["a=1&a=2", "0010-00000210"], ["=v"], ["a%26=1"], ["a=1&"],
		[`${"k".repeat(129)}=v`], [`k=${"v".repeat(257)}`], [many.join("&")]])
		await refused(put("no", tags), 400, "InvalidTag", ec);
	await ok(head("no"), 404);
	await ok(put("most", [...many.slice(1)].join("&")));
	await ok(put("longest", `${"k".repeat(128)}=${"v".repeat(256)}`));
	assert.equal((await tagsOf("most")).length, 10);
	assert.deepEqual(await tagsOf("longest"), [["k".repeat(128), "v".repeat(256)]]);
});

test("a form has no tags", async () => {
	const fields = signedFieldsV1("form", { "x-oss-tagging": "a=1" });
	await refused(postForm(store, fields, { content: "x" }), 501, "NotImplemented");
	await ok(head("form"), 404);
});

test("a copy has the tags of its source, or those it is given", async () => {
	await ok(put("source", "a=1&b=2"));
	await ok(copy("source", "copied"));
	assert.deepEqual(await tagsOf("copied"), [["a", "1"], ["b", "2"]]);
	await ok(copy("source", "copied", { "x-oss-tagging": "c=3", "x-oss-tagging-directive": "Replace" }));
	assert.deepEqual(await tagsOf("copied"), [["c", "3"]]);
	await ok(copy("source", "copied", { "x-oss-tagging-directive": "Replace" }));
	assert.deepEqual(await tagsOf("copied"), []);
	await ok(copy("source", "copied", { "x-oss-tagging": "c=3", "x-oss-tagging-directive": "Copy" }));
	assert.deepEqual(await tagsOf("copied"), [["a", "1"], ["b", "2"]]);
	await refused(copy("source", "copied", { "x-oss-tagging": "a=1&a=2" }), 400, "InvalidTag");
	await ok(copy("source", "source", { "x-oss-meta-a": "new" }));
	assert.deepEqual(await tagsOf("source"), [["a", "1"], ["b", "2"]]);
	await ok(copy("source", "source", { "x-oss-tagging": "d=4", "x-oss-tagging-directive": "Replace" }));
	assert.deepEqual(await tagsOf("source"), [["d", "4"]]);
});

test("a link has tags of its own", async () => {
	await ok(put("target", "a=1"));
	await ok(request(store, "PUT", "uploads", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "target", "x-oss-tagging": "b=2&c=3" } }));
	assert.deepEqual(await tagsOf("link"), [["b", "2"], ["c", "3"]]);
	assert.equal((await head("link")).headers["x-oss-tagging-count"], "2");
});

const document = (...tags) => `<?xml version="1.0" encoding="UTF-8"?>\n<Tagging><TagSet>${tags.map(([key, value]) =>
	`<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("")}</TagSet></Tagging>`;
const putTags = (key, body, headers = {}) => request(store, "PUT", "uploads", key,
	{ query: { tagging: "" }, body, headers: { "Content-Type": "application/xml", ...headers } });
const deleteTags = key => request(store, "DELETE", "uploads", key, { query: { tagging: "" } });

test("PutObjectTagging replaces all tags, DeleteObjectTagging takes them away", async () => {
	await ok(put("changed", "a=1&b=2", { "x-oss-meta-a": "kept", "Cache-Control": "no-cache" }));
	const before = (await head("changed")).headers;
	const got = await ok(putTags("changed", document(["+++", ":::"], ["a", "3"])));
	assert.deepEqual([got.text, got.headers["x-oss-version-id"]], ["", undefined]);
	assert.deepEqual(await tagsOf("changed"), [["+++", ":::"], ["a", "3"]]);
	const after = (await head("changed")).headers;
	for (const name of ["etag", "last-modified", "content-length", "x-oss-meta-a", "cache-control", "content-type"])
		assert.equal(after[name], before[name], name);
	assert.equal((await request(store, "GET", "uploads", "changed")).text, "123456789");
	await ok(deleteTags("changed"), 204);
	assert.deepEqual(await tagsOf("changed"), []);
	await ok(deleteTags("changed"), 204);
	await ok(putTags("changed", document(["a", "1"])));
	await ok(putTags("changed", document()));
	assert.deepEqual(await tagsOf("changed"), []);
});

test("what PutObjectTagging refuses", async () => {
	await ok(put("kept", "a=1"));
	const many = Array.from({ length: 11 }, (_, i) => [`k${i}`, "v"]);
	for (const [body, code] of [["", "MalformedXML"], ["<Tagging>", "MalformedXML"], ["<Tagging/>", "MalformedXML"],
		["<Tagging><TagSet><Tag><Value>1</Value></Tag></TagSet></Tagging>", "MalformedXML"],
		["<Tagging><TagSet><Other/></TagSet></Tagging>", "MalformedXML"],
		[document(["a", "1"], ["a", "2"]), "InvalidTag"], [document(["", "1"]), "InvalidTag"],
		[document(["a&amp;", "1"]), "InvalidTag"], [document(["a", "@"]), "InvalidTag"],
		[document(["k".repeat(129), "v"]), "InvalidTag"], [document(["k", "v".repeat(257)]), "InvalidTag"],
		[document(...many), "InvalidTag"], [`${document(["a", "2"])}${" ".repeat(65536)}`, "EntityTooLarge"]])
		await refused(putTags("kept", body), 400, code);
	await refused(putTags("kept", document(["a", "2"]), { "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA==" }), 400, "InvalidDigest");
	assert.deepEqual(await tagsOf("kept"), [["a", "1"]]);
	await refused(putTags("nothing", document(["a", "1"])), 404, "NoSuchKey");
	await refused(deleteTags("nothing"), 404, "NoSuchKey");
	await refused(request(store, "PUT", "nosuchbucket", "k", { query: { tagging: "" }, body: document(["a", "1"]) }), 404,
		"NoSuchBucket");
});

test("who may: the owner", async () => {
	await ok(put("shown", "a=1", { "x-oss-object-acl": "public-read-write" }));
	const got = await ok(send(`${store}/uploads/shown`));
	assert.equal(got.headers["x-oss-tagging-count"], undefined, "how many is for the owner to know");
	for (const [method, body] of [["GET"], ["PUT", document(["a", "2"])], ["DELETE"]])
		await refused(send(`${store}/uploads/shown?tagging`, method, {}, body), 403, "AccessDenied");
	assert.deepEqual(await tagsOf("shown"), [["a", "1"]]);
	await refused(readTags("nothing"), 404, "NoSuchKey");
	await refused(request(store, "GET", "nosuchbucket", "shown", { query: { tagging: "" } }), 404, "NoSuchBucket");
});
