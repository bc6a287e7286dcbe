// SPDX-License-Identifier: Apache-2.0
// ListObjectVersions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listObjects, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { ok, refused, versionsAt } from "../lib/versions.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await versioned("lists");
});
after(all.run);

const { put, ask, configure, versioned, stored, deleted } = versionsAt(() => store);

const listVersions = (bucket, query = {}) => ok(ask("GET", bucket, "", { versions: "", ...query }));

/** The rows of a list as [key, id, is latest, is a marker]. */
function rows(list) {
	return [...list.text.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)].map(([, kind, inside]) => {
		const element = name => new RegExp(`<${name}>([^<]*)<`).exec(inside)?.[1];
		return [element("Key"), element("VersionId"), element("IsLatest") === "true", kind === "DeleteMarker"];
	});
}

const prefixes = list => [...list.text.matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map(([, prefix]) => prefix);

test("where versions were never kept, all objects have the id null", async () => {
	await ok(put("uploads", "plain"));
	assert.deepEqual(rows(await listVersions("uploads")), [["plain", "null", true, false]]);
	await ok(ask("DELETE", "uploads", "plain", { versionId: "null" }), 204);
	assert.deepEqual(rows(await listVersions("uploads")), []);
});

test("a suspended bucket has one version with the id null", async () => {
	await versioned("paused");
	const first = await stored("paused", "k");
	await ok(configure("paused", "Suspended"));
	for (let i = 0; i < 2; i++) {
		await ok(put("paused", "k"));
		assert.deepEqual(rows(await listVersions("paused")), [["k", "null", true, false], ["k", first, false, false]]);
		for (let j = 0; j < 2; j++)
			assert.equal(await deleted("paused", "k"), "null");
		assert.deepEqual(rows(await listVersions("paused")), [["k", "null", true, true], ["k", first, false, false]]);
	}
});

test("a list has all versions of all keys, newest first", async () => {
	const a1 = await stored("lists", "a", "1");
	const a2 = await stored("lists", "a", "22");
	const b1 = await stored("lists", "b/x&y", "1");
	const bMarker = await deleted("lists", "b/x&y");
	const c1 = await stored("lists", "c", "1");
	const want = [["a", a2, true, false], ["a", a1, false, false], ["b/x&amp;y", bMarker, true, true],
		["b/x&amp;y", b1, false, false], ["c", c1, true, false]];
	const list = await listVersions("lists");
	assert.deepEqual(rows(list), want);
	assert.deepEqual([list.xml("Name"), list.xml("Prefix"), list.xml("KeyMarker"), list.xml("VersionIdMarker"),
		list.xml("MaxKeys"), list.xml("Delimiter"), list.xml("IsTruncated"), list.xml("NextKeyMarker"),
		list.xml("NextVersionIdMarker"), list.xml("EncodingType")],
	["lists", "", "", "", "100", "", "false", null, null, null]);
	const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z`;
	const owner = "<Owner><ID>postern</ID><DisplayName>postern</DisplayName></Owner>";
	assert.match(list.text, new RegExp(`<Version><Key>a</Key><VersionId>${a2}</VersionId><IsLatest>true</IsLatest>`
		+ `<LastModified>${time}</LastModified><ETag>"[0-9A-F]{32}"</ETag><Type>Normal</Type><Size>2</Size>`
		+ `<StorageClass>Standard</StorageClass>${owner}</Version>`));
	assert.match(list.text, new RegExp(`<DeleteMarker><Key>b/x&amp;y</Key><VersionId>${bMarker}</VersionId>`
		+ `<IsLatest>true</IsLatest><LastModified>${time}</LastModified>${owner}</DeleteMarker>`));
	for (let size = 1; size <= 5; size++)
		assert.deepEqual(await pages({ "max-keys": String(size) }), want, `pages of ${size}`);
	assert.deepEqual(rows(await listVersions("lists", { "key-marker": "a" })), want.slice(2));
	assert.deepEqual(rows(await listVersions("lists", { "key-marker": "a", "version-id-marker": a2 })), want.slice(1));
	assert.deepEqual(rows(await listVersions("lists", { "key-marker": "a", "version-id-marker": a1 })), want.slice(2));
	assert.deepEqual(rows(await listVersions("lists", { prefix: "b" })), want.slice(2, 4));
	const encoded = await listVersions("lists", { "encoding-type": "url", "key-marker": "a", prefix: "b/" });
	assert.deepEqual([encoded.xml("EncodingType"), encoded.xml("KeyMarker"), encoded.xml("Prefix"), rows(encoded)[0][0]],
		["url", "a", "b%2F", "b%2Fx%26y"]);
	assert.deepEqual(await listObjects(store, "lists"), ["a", "c"]);
});

/** All rows, page by page. */
async function pages(query, bucket = "lists") {
	const found = [];
	let more = {};
	for (;;) {
		const list = await listVersions(bucket, { ...query, ...more });
		found.push(...rows(list), ...prefixes(list));
		if (list.xml("IsTruncated") === "false")
			return found;
		assert.equal(rows(list).length + prefixes(list).length, Number(query["max-keys"]));
		more = { "key-marker": list.xml("NextKeyMarker").replace(/&amp;/g, "&") };
		if (list.xml("NextVersionIdMarker"))
			more["version-id-marker"] = list.xml("NextVersionIdMarker");
	}
}

test("a delimiter rolls versions up", async () => {
	await versioned("folders");
	for (const key of ["a/1", "a/1", "a/2", "b", "c/1"])
		await stored("folders", key);
	await deleted("folders", "c/1");
	const list = await listVersions("folders", { delimiter: "/" });
	assert.deepEqual([prefixes(list), rows(list).map(([key]) => key), list.xml("Delimiter")], [["a/", "c/"], ["b"], "/"]);
	const paged = await pages({ delimiter: "/", "max-keys": "1" }, "folders");
	assert.deepEqual(paged.map(row => row[1] === "/" ? row : row[0]), ["a/", "b", "c/"]);
	const inside = await listVersions("folders", { delimiter: "/", prefix: "a/" });
	assert.deepEqual(rows(inside).map(([key]) => key), ["a/1", "a/1", "a/2"]);
});

test("a list goes on where another ended, also when what was listed is deleted meanwhile", async () => {
	await ok(request(store, "PUT", "swept"));
	await ok(put("swept", "k", "null"));
	await ok(configure("swept", "Enabled"));
	const first = await stored("swept", "k", "1");
	await ok(configure("swept", "Suspended"));
	await ok(put("swept", "k", "null again"));
	const page = await listVersions("swept", { "max-keys": "1" });
	assert.deepEqual(rows(page), [["k", "null", true, false]]);
	assert.deepEqual(rows(await listVersions("swept", { "key-marker": "k", "version-id-marker": "null" })),
		[["k", first, false, false]], "null is understood");
	await ok(ask("DELETE", "swept", "k", { versionId: "null" }), 204);
	assert.deepEqual(rows(await listVersions("swept", { "key-marker": page.xml("NextKeyMarker"),
		"version-id-marker": page.xml("NextVersionIdMarker") })), [["k", first, true, false]]);
	assert.deepEqual(rows(await listVersions("swept", { "key-marker": "k", "version-id-marker": "null" })), []);
	const marker = await deleted("swept", "k");
	assert.equal(marker, "null");
	assert.deepEqual(rows(await listVersions("swept", { "key-marker": "k", "version-id-marker": "null" })),
		[["k", first, false, false]], "also if it is a marker");
});

test("what a list cannot be asked", async () => {
	for (const query of [{ "version-id-marker": "null" }, { "key-marker": "a", "version-id-marker": "x" },
		{ "max-keys": "0" }, { "max-keys": "1001" }, { "encoding-type": "x" }, { prefix: "x".repeat(1024) },
		{ "key-marker": "x".repeat(1024) }])
		await refused(ask("GET", "lists", "", { versions: "", ...query }), 400, "InvalidArgument");
	await refused(ask("GET", "nosuchbucket", "", { versions: "" }), 404, "NoSuchBucket");
	await refused(send(`${store}/lists?versions`), 403, "AccessDenied");
});
