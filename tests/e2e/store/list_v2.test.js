// SPDX-License-Identifier: Apache-2.0
// ListObjectsV2, beside version 1 where both must say the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { aliClient, SIGNATURES } from "../lib/ali.js";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const KEYS = ["a", "dir/1", "dir/2", "dir/sub/3", "e f+g", "z&<>", "ä"];

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const key of KEYS)
		assert.equal((await request(store, "PUT", "uploads", key, { body: `of ${key}` })).status, 200);
});
after(all.run);

const list = (query = {}) => request(store, "GET", "uploads", "",
	{ query: { "list-type": "2", ...query } });
const unescape = text => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const texts = (answer, element) => [...answer.text
	.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, text]) => unescape(text));
const keys = answer => texts(answer, "Key");
const prefixes = answer => [...answer.text
	.matchAll(/<CommonPrefixes><Prefix>([^<]*)<\/Prefix><\/CommonPrefixes>/g)].map(([, text]) => text);

async function refused(query) {
	const got = await list(query);
	assert.equal(got.status, 400, got.text);
	assert.equal(got.xml("Code"), "InvalidArgument");
	assert.equal(got.xml("ArgumentName"), Object.keys(query)[0]);
}

/** All pages, by their tokens. */
async function pages(query) {
	const found = [];
	let got = await list(query);
	for (;;) {
		found.push([...keys(got), ...prefixes(got)]);
		assert.equal(got.xml("KeyCount"), String(found.at(-1).length));
		const token = got.xml("NextContinuationToken");
		assert.equal(got.xml("IsTruncated"), String(token !== null));
		if (token === null)
			return found;
		got = await list({ ...query, "continuation-token": token });
		assert.equal(got.xml("ContinuationToken"), token);
	}
}

test("a whole listing", async () => {
	const got = await list();
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(keys(got), KEYS);
	assert.deepEqual(["Name", "MaxKeys", "KeyCount", "IsTruncated", "Type", "StorageClass"].map(got.xml),
		["uploads", "100", "7", "false", "Normal", "Standard"]);
	for (const time of texts(got, "LastModified"))
		assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
	assert.deepEqual(texts(got, "Size"), KEYS.map(key => String(Buffer.byteLength(`of ${key}`))));
	const etag = (await request(store, "HEAD", "uploads", "a")).headers.etag;
	assert.equal(texts(got, "ETag")[0], etag);
	for (const element of ["Marker", "NextMarker", "NextContinuationToken", "ContinuationToken",
		"StartAfter", "Owner", "EncodingType"])
		assert.ok(!got.text.includes(`<${element}>`), element);
});

test("fetch-owner", async () => {
	assert.equal(texts(await list({ "fetch-owner": "true" }), "ID").length, KEYS.length);
	assert.ok(!(await list({ "fetch-owner": "false" })).text.includes("<Owner>"));
	await refused({ "fetch-owner": "yes" });
});

test("start-after is exclusive, and a token comes before it", async () => {
	const got = await list({ "start-after": "dir/2" });
	assert.deepEqual(keys(got), KEYS.slice(3));
	assert.equal(got.xml("StartAfter"), "dir/2");
	const first = await list({ "max-keys": "2" });
	const second = await list({ "continuation-token": first.xml("NextContinuationToken"), "start-after": "z" });
	assert.deepEqual(keys(second), KEYS.slice(2));
	assert.deepEqual(keys(await list({ "continuation-token": "", "start-after": "z" })), ["z&<>", "ä"]);
});

test("pages of every size give the same, with and without folders", async () => {
	const rolled = ["a", "dir/", "e f+g", "z&<>", "ä"];
	for (let max = 1; max <= 8; max++) {
		const plain = await pages({ "max-keys": String(max) });
		assert.deepEqual(plain.flat(), KEYS, `pages of ${max}`);
		assert.equal(plain.length, Math.ceil(KEYS.length / max));
		const folders = await pages({ "max-keys": String(max), "delimiter": "/" });
		assert.deepEqual(folders.flat().sort(), [...rolled].sort(), `folders in pages of ${max}`);
		assert.equal(folders.length, Math.ceil(rolled.length / max), "a folder is one of max-keys");
	}
	const inside = await list({ prefix: "dir/", delimiter: "/" });
	assert.deepEqual([keys(inside), prefixes(inside)], [["dir/1", "dir/2"], ["dir/sub/"]]);
	assert.equal(inside.xml("Delimiter"), "/");
});

test("encoding-type=url encodes names, and the token stays as it is", async () => {
	const got = await list({ "encoding-type": "url", "start-after": "e f", "prefix": "", "max-keys": "2" });
	assert.equal(got.xml("EncodingType"), "url");
	assert.equal(got.xml("StartAfter"), "e%20f");
	assert.deepEqual(texts(got, "Key"), ["e%20f%2Bg", "z%26%3C%3E"]);
	const token = got.xml("NextContinuationToken");
	assert.equal(encodeURIComponent(token), token);
	assert.deepEqual(keys(await list({ "continuation-token": token })), ["ä"]);
});

test("what is refused", async () => {
	for (const token of ["zz", "a", `${"61".repeat(1024)}`])
		await refused({ "continuation-token": token });
	for (const max of ["0", "1001", "many"])
		await refused({ "max-keys": max });
	await refused({ "list-type": "1" });
	await refused({ "list-type": "3" });
	await refused({ "encoding-type": "base64" });
	await refused({ "start-after": "k".repeat(1024) });
	assert.equal((await request(store, "GET", "nosuchbucket", "", { query: { "list-type": "2" } }))
		.xml("Code"), "NoSuchBucket");
});

test("who may list: as the bucket's ACL says, in both versions", async () => {
	for (const [acl, status] of [["public-read", 200], ["private", 403]]) {
		await request(store, "PUT", "uploads", "", { query: { acl: "" }, headers: { "x-oss-acl": acl } });
		assert.equal((await send(`${store}/uploads?list-type=2`)).status, status);
		assert.equal((await send(`${store}/uploads`)).status, status);
	}
});

test("version 1 says the same in its own words", async () => {
	const got = await request(store, "GET", "uploads", "", { query: { "max-keys": "2", "marker": "a" } });
	assert.deepEqual(keys(got), ["dir/1", "dir/2"]);
	assert.deepEqual(["Marker", "NextMarker", "IsTruncated"].map(got.xml), ["a", "dir/2", "true"]);
	assert.equal(texts(got, "ID").length, 2);
	for (const element of ["KeyCount", "NextContinuationToken"])
		assert.ok(!got.text.includes(element), element);
});

for (const [version, v4] of SIGNATURES) {
	test(`ali-oss with ${version} lists in both versions`, async () => {
		const client = aliClient(server, { v4 });
		const names = [];
		let token;
		do {
			const page = await client.listV2({ "max-keys": 3, "continuation-token": token });
			names.push(...page.objects.map(({ name }) => name));
			assert.equal(page.keyCount, page.objects.length);
			token = page.nextContinuationToken;
		} while (token);
		assert.deepEqual(names, KEYS);
		const folders = await client.listV2({ "delimiter": "/", "fetch-owner": "true", "start-after": "a" });
		assert.deepEqual(folders.prefixes, ["dir/"]);
		assert.deepEqual(folders.objects[0].owner, { id: "postern", displayName: "postern" });
		assert.deepEqual((await client.list({ prefix: "dir/" })).objects.map(({ name }) => name), KEYS.slice(1, 4));
	});
}
