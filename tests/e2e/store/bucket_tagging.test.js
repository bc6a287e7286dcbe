// SPDX-License-Identifier: Apache-2.0
// The tags of buckets, and listing buckets by them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	for (const name of ["tags-a", "tags-b", "tags-c"])
		assert.equal((await request(store, "PUT", name)).status, 200);
});
after(all.run);

const tag = (key, value) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const document = tags => `<Tagging><TagSet>${tags.map(pair => tag(...pair)).join("")}</TagSet></Tagging>`;
const put = (bucket, tags, headers = {}) => request(store, "PUT", bucket, "",
	{ query: { tagging: "" }, body: document(tags), headers });
const remove = (bucket, keys = "") => request(store, "DELETE", bucket, "", { query: { tagging: keys } });

async function tags(bucket) {
	const got = await request(store, "GET", bucket, "", { query: { tagging: "" } });
	assert.equal(got.status, 200, got.text);
	assert.equal(got.headers["content-type"], "application/xml");
	assert.match(got.text, /<Tagging><TagSet>.*<\/TagSet><\/Tagging>/);
	return [...got.text.matchAll(/<Tag><Key>(.*?)<\/Key><Value>(.*?)<\/Value><\/Tag>/g)].map(([, key, value]) => [key, value]);
}

test("a bucket has no tags, then those that were put last", async () => {
	assert.deepEqual(await tags("tags-a"), []);
	const some = [["owner", "web"], ["环境", "测试 &amp; =,"], ["empty", ""]];
	assert.equal((await put("tags-a", some)).status, 200);
	assert.deepEqual(await tags("tags-a"), some);
	assert.equal((await put("tags-a", [["owner", "ops"]])).status, 200);
	assert.deepEqual(await tags("tags-a"), [["owner", "ops"]]);
	assert.equal((await put("tags-a", [])).status, 200);
	assert.deepEqual(await tags("tags-a"), []);
});

test("all tags are deleted, or those that are named", async () => {
	await put("tags-a", [["a", "1"], ["b", "2"], ["c", "3"]]);
	assert.equal((await remove("tags-a", "b,nobody")).status, 204);
	assert.deepEqual(await tags("tags-a"), [["a", "1"], ["c", "3"]]);
	assert.equal((await remove("tags-a", "a,c")).status, 204);
	assert.deepEqual(await tags("tags-a"), []);
	await put("tags-a", [["a", "1"]]);
	assert.equal((await remove("tags-a")).status, 204);
	assert.equal((await remove("tags-a")).status, 204);
	assert.deepEqual(await tags("tags-a"), []);
});

test("tags that are wrong are refused, and the old ones stay", async () => {
	await put("tags-b", [["team", "blue"]]);
	for (const bad of [
		[["", "x"]], [["k".repeat(65), "x"]], [["k", "v".repeat(129)]], [["acs:x", "1"]],
		[["same", "1"], ["same", "2"]], Array.from({ length: 21 }, (_, i) => [`k${i}`, "v"]),
	]) {
		const got = await put("tags-b", bad);
		assert.equal(got.status, 400, got.text);
	}
	const malformed = await request(store, "PUT", "tags-b", "", { query: { tagging: "" }, body: "<Tagging>" });
	assert.equal(malformed.xml("Code"), "MalformedXML");
	const digest = createHash("md5").update("else").digest("base64");
	assert.equal((await put("tags-b", [], { "Content-MD5": digest })).xml("Code"), "InvalidDigest");
	assert.deepEqual(await tags("tags-b"), [["team", "blue"]]);
});

test("ListBuckets tells those with a tag", async () => {
	await put("tags-a", [["team", "red"]]);
	await put("tags-b", [["cost", "1"], ["team", "blue"]]);
	await remove("tags-c");
	const names = async query => [...(await request(store, "GET", "", "", { query })).text
		.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name);
	assert.deepEqual(await names({ "tag-key": "team" }), ["tags-a", "tags-b"]);
	assert.deepEqual(await names({ "tag-key": "team", "tag-value": "blue" }), ["tags-b"]);
	assert.deepEqual(await names({ "tag-key": "team", "tag-value": "" }), []);
	assert.deepEqual(await names({ "tag-key": "nobody" }), []);
	assert.equal((await names({})).length, 4);
});

test("only the owner may see or change them, in a bucket that there is", async () => {
	for (const method of ["GET", "PUT", "DELETE"]) {
		const body = method === "PUT" ? document([]) : undefined;
		assert.equal((await send(`${store}/tags-a?tagging`, method, {}, body)).status, 403);
		const nowhere = await request(store, method, "tags-nowhere", "", { query: { tagging: "" }, body });
		assert.equal(nowhere.xml("Code"), "NoSuchBucket", method);
	}
});
