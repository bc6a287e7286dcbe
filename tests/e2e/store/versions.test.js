// SPDX-License-Identifier: Apache-2.0
// Versions: buckets that keep them, kept them, and never did; delete markers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { listObjects, postForm, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";
import { formFields, ID, ok, refused, versionsAt } from "../lib/versions.js";

const all = cleanups();
let store, sink;
before(async () => {
	sink = await startSink(all, says("{}"));
	({ store } = await startServer(all, { env: {
		POSTERN_STORE_CALLBACK_ALLOW: `127.0.0.1:${new URL(sink.url).port}` } }));
	for (const bucket of ["kept", "deletes", "copies", "more"])
		await versioned(bucket);
});
after(all.run);

const { put, ask, configure, copy, read, versioned, stored, deleted } = versionsAt(() => store);

test("versioning is off until it is set, and can then only be suspended", async () => {
	await ok(request(store, "PUT", "settings"));
	const get = () => ok(ask("GET", "settings", "", { versioning: "" }));
	const info = async () => (await ok(ask("GET", "settings", "", { bucketInfo: "" }))).xml("Versioning");
	assert.match((await get()).text, /^<\?xml[^>]*>\n<VersioningConfiguration><\/VersioningConfiguration>\n?$/);
	assert.equal(await info(), null);
	for (const status of ["Enabled", "Suspended", "Enabled"]) {
		await ok(configure("settings", status));
		assert.equal((await get()).xml("Status"), status);
		assert.equal(await info(), status);
	}
	for (const body of ["", "<VersioningConfiguration/>", "<Status>Enabled</Status>", "<VersioningConfiguration>",
		"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>",
		"<VersioningConfiguration><Status></Status></VersioningConfiguration>",
		"<VersioningConfiguration><Status>Enabled</Status><Status>Enabled</Status></VersioningConfiguration>",
		"<VersioningConfiguration><Status>Enabled</Status><Other/></VersioningConfiguration>"])
		await refused(request(store, "PUT", "settings", "", { query: { versioning: "" }, body }), 400, "MalformedXML");
	await refused(configure("nosuchbucket", "Enabled"), 404, "NoSuchBucket");
	await refused(ask("GET", "nosuchbucket", "", { versioning: "" }), 404, "NoSuchBucket");
	await refused(send(`${store}/settings?versioning`), 403, "AccessDenied");
	await refused(send(`${store}/settings?versioning`, "PUT", {}, "x"), 403, "AccessDenied");
	assert.equal((await get()).xml("Status"), "Enabled");
});

test("where versions were never kept there is no word of them", async () => {
	assert.equal((await ok(put("uploads", "plain"))).headers["x-oss-version-id"], undefined);
	for (const query of [{}, { versionId: "null" }])
		assert.equal((await ok(ask("GET", "uploads", "plain", query))).headers["x-oss-version-id"], undefined);
	await refused(ask("GET", "uploads", "plain", { versionId: "0000000000000001" }), 404, "NoSuchVersion");
	const gone = await ok(ask("DELETE", "uploads", "plain"), 204);
	assert.deepEqual([gone.headers["x-oss-version-id"], gone.headers["x-oss-delete-marker"]], [undefined, undefined]);
	assert.equal((await refused(ask("GET", "uploads", "plain"), 404, "NoSuchKey")).headers["x-oss-delete-marker"],
		undefined);
	await ok(put("uploads", "plain"));
	await ok(ask("DELETE", "uploads", "plain", { versionId: "null" }), 204);
	await refused(ask("GET", "uploads", "plain"), 404, "NoSuchKey");
});

test("each put makes a version, and each can be read", async () => {
	const first = await stored("kept", "a", "first", { "x-oss-meta-n": "1" });
	const second = await stored("kept", "a", "the second", { "x-oss-object-acl": "public-read" });
	assert.notEqual(first, second);
	assert.equal(await read("kept", "a"), "the second");
	for (const [id, text, meta] of [[first, "first", "1"], [second, "the second", undefined]]) {
		for (const method of ["GET", "HEAD"]) {
			const got = await ok(ask(method, "kept", "a", { versionId: id }));
			assert.equal(got.headers["x-oss-version-id"], id);
			assert.equal(got.headers["content-length"], String(text.length));
			assert.equal(got.headers["x-oss-meta-n"], meta);
			assert.equal(got.text, method === "GET" ? text : "");
		}
		const told = await ok(ask("HEAD", "kept", "a", { objectMeta: "", versionId: id }));
		assert.deepEqual([told.headers["x-oss-version-id"], told.headers["content-length"]], [id, String(text.length)]);
	}
	assert.equal((await ok(ask("GET", "kept", "a", {}, { "If-None-Match": "\"x\"" }))).headers["x-oss-version-id"], second);
	const part = await ok(ask("GET", "kept", "a", { versionId: first }, { Range: "bytes=1-2" }), 206);
	assert.deepEqual([part.text, part.headers["x-oss-version-id"]], ["ir", first]);
	const { etag } = part.headers;
	const unchanged = await ok(ask("GET", "kept", "a", { versionId: first }, { "If-None-Match": etag }), 304);
	assert.equal(unchanged.headers["x-oss-version-id"], first);
	assert.deepEqual(await listObjects(store, "kept"), ["a"]);
});

test("ids that are none", async () => {
	for (const versionId of ["", "x", "NULL", "0", "0000000000000000", "000000000000000a", "00000000000000001"])
		for (const method of ["GET", "HEAD", "DELETE"])
			await refused(ask(method, "kept", "a", { versionId }), 400, "InvalidArgument");
	const got = await refused(ask("GET", "kept", "a", { versionId: "FFFFFFFFFFFFFFF0" }), 404, "NoSuchVersion");
	assert.deepEqual([got.xml("Key"), got.xml("VersionId")], ["a", "FFFFFFFFFFFFFFF0"]);
	await refused(ask("GET", "kept", "a", { versionId: "null" }), 404, "NoSuchVersion");
	await refused(ask("GET", "kept", "nothing", { versionId: "FFFFFFFFFFFFFFF0" }), 404, "NoSuchVersion");
	await ok(ask("DELETE", "kept", "a", { versionId: "FFFFFFFFFFFFFFF0" }), 204);
	assert.equal(await read("kept", "a"), "the second");
	await refused(ask("GET", "kept", "", { acl: "", versionId: "null" }), 501, "NotImplemented");
	const written = await ok(request(store, "PUT", "kept", "written", { query: { versionId: "null" }, body: "x" }));
	assert.match(written.headers["x-oss-version-id"], ID, "what is written is a version of its own");
});

test("a delete leaves a marker, which hides the object", async () => {
	const first = await stored("kept", "b", "first");
	const marker = await deleted("kept", "b");
	assert.match(marker, ID);
	for (const method of ["GET", "HEAD"]) {
		const hidden = await refused(ask(method, "kept", "b"), 404, "NoSuchKey");
		assert.equal(hidden.headers["x-oss-delete-marker"], "true");
		assert.equal(hidden.headers["x-oss-version-id"], marker);
		const itself = await refused(ask(method, "kept", "b", { versionId: marker }), 405, "MethodNotAllowed");
		assert.equal(itself.headers["x-oss-delete-marker"], "true");
		assert.equal(itself.headers["x-oss-version-id"], marker);
		assert.equal(itself.headers.allow, "DELETE");
	}
	const itself = await ask("GET", "kept", "b", { versionId: marker });
	assert.deepEqual([itself.xml("Method"), itself.xml("ResourceType")], ["GET", "DeleteMarker"]);
	for (const sub of ["objectMeta", "acl", "tagging", "symlink"]) {
		const hidden = await refused(ask(sub === "objectMeta" ? "HEAD" : "GET", "kept", "b", { [sub]: "" }), 404,
			"NoSuchKey");
		assert.equal(hidden.headers["x-oss-delete-marker"], "true", sub);
	}
	assert.equal(await read("kept", "b", first), "first");
	assert.ok(!(await listObjects(store, "kept")).includes("b"));
	const second = await deleted("kept", "b");
	assert.notEqual(second, marker, "markers pile up");
	for (const id of [second, marker]) {
		const got = await ok(ask("DELETE", "kept", "b", { versionId: id }), 204);
		assert.deepEqual([got.headers["x-oss-version-id"], got.headers["x-oss-delete-marker"]], [id, "true"]);
	}
	assert.equal(await read("kept", "b"), "first");
	const never = await deleted("kept", "never");
	assert.equal((await refused(ask("GET", "kept", "never"), 404, "NoSuchKey")).headers["x-oss-version-id"], never);
	await ok(ask("DELETE", "kept", "never", { versionId: never }), 204);
});

test("deleting a version is for good, and the next older becomes current", async () => {
	const ids = [];
	for (const body of ["1", "2", "3"])
		ids.push(await stored("kept", "c", body));
	const got = await ok(ask("DELETE", "kept", "c", { versionId: ids[2] }), 204);
	assert.deepEqual([got.headers["x-oss-version-id"], got.headers["x-oss-delete-marker"]], [ids[2], undefined]);
	assert.equal(await read("kept", "c"), "2");
	await refused(ask("GET", "kept", "c", { versionId: ids[2] }), 404, "NoSuchVersion");
	await ok(ask("DELETE", "kept", "c", { versionId: ids[0] }), 204);
	assert.equal(await read("kept", "c"), "2");
	await ok(ask("DELETE", "kept", "c", { versionId: ids[1] }), 204);
	assert.equal((await refused(ask("GET", "kept", "c"), 404, "NoSuchKey")).headers["x-oss-delete-marker"], undefined);
});

test("what was there before has the id null, and suspended buckets replace it", async () => {
	await ok(request(store, "PUT", "later"));
	await ok(put("later", "k", "before"));
	await ok(configure("later", "Enabled"));
	assert.equal((await ok(ask("GET", "later", "k"))).headers["x-oss-version-id"], "null");
	const first = await stored("later", "k", "first");
	assert.equal(await read("later", "k", "null"), "before");
	await ok(configure("later", "Suspended"));
	assert.equal((await ok(put("later", "k", "replaced"))).headers["x-oss-version-id"], "null");
	assert.equal(await read("later", "k"), "replaced");
	assert.equal(await read("later", "k", "null"), "replaced");
	assert.equal(await deleted("later", "k"), "null");
	const hidden = await refused(ask("GET", "later", "k", { versionId: "null" }), 405, "MethodNotAllowed");
	assert.equal(hidden.headers["x-oss-version-id"], "null");
	assert.equal(await deleted("later", "k"), "null");
	assert.equal((await ok(put("later", "k", "again"))).headers["x-oss-version-id"], "null");
	assert.equal(await read("later", "k", "null"), "again");
	await ok(ask("DELETE", "later", "k", { versionId: "null" }), 204);
	assert.equal(await read("later", "k"), "first");
	await ok(configure("later", "Enabled"));
	await stored("later", "k", "second");
	assert.equal(await read("later", "k", first), "first");
});

test("x-oss-forbid-overwrite means nothing where versions are or were kept", async () => {
	const header = { "x-oss-forbid-overwrite": "true" };
	for (const status of ["Enabled", "Suspended"]) {
		await versioned("forbids", status);
		await ok(put("forbids", "k", "1"));
		await ok(put("forbids", "k", "2", header));
		await ok(copy("forbids", "/forbids/k", "k", header));
		await ok(postForm(store, formFields("forbids", "k", header), { content: "3" }, { bucket: "forbids" }), 204);
	}
	await ok(request(store, "PUT", "forbids", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "k" } }));
	await ok(request(store, "PUT", "forbids", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "k", ...header } }));
});

const md5 = body => createHash("md5").update(body).digest("base64");
const deleteMulti = (bucket, objects, quiet = false) => {
	const body = `<Delete><Quiet>${quiet}</Quiet>${objects.map(([key, id]) =>
		`<Object><Key>${key}</Key>${id ? `<VersionId>${id}</VersionId>` : ""}</Object>`).join("")}</Delete>`;
	return request(store, "POST", bucket, "", { query: { delete: "" }, body,
		headers: { "Content-MD5": md5(body), "Content-Type": "application/xml" } });
};

test("DeleteMultipleObjects makes markers, and deletes versions and markers", async () => {
	const a = await stored("deletes", "a");
	const b1 = await stored("deletes", "b");
	const b2 = await stored("deletes", "b");
	const c = await stored("deletes", "c");
	const cMarker = await deleted("deletes", "c");
	const got = await ok(deleteMulti("deletes", [["a"], ["b", b1], ["c", cMarker], ["never", "FFFFFFFFFFFFFFF0"]]));
	const parts = [...got.text.matchAll(/<Deleted>(.*?)<\/Deleted>/g)].map(([, inside]) => inside);
	const aMarker = got.xml("DeleteMarkerVersionId");
	assert.match(aMarker, ID);
	assert.deepEqual(parts, [
		`<Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>${aMarker}</DeleteMarkerVersionId>`,
		`<Key>b</Key><VersionId>${b1}</VersionId>`,
		`<Key>c</Key><VersionId>${cMarker}</VersionId><DeleteMarker>true</DeleteMarker>`
			+ `<DeleteMarkerVersionId>${cMarker}</DeleteMarkerVersionId>`,
		"<Key>never</Key><VersionId>FFFFFFFFFFFFFFF0</VersionId>",
	]);
	assert.equal((await refused(ask("GET", "deletes", "a"), 404, "NoSuchKey")).headers["x-oss-version-id"], aMarker);
	assert.equal((await ok(ask("GET", "deletes", "b"))).headers["x-oss-version-id"], b2);
	assert.equal((await ok(ask("GET", "deletes", "c"))).headers["x-oss-version-id"], c);
	await refused(ask("DELETE", "deletes", ""), 409, "BucketNotEmpty");
	const rest = await ok(deleteMulti("deletes", [["a", aMarker], ["a", a], ["b", b2], ["c", c]], true));
	assert.equal(rest.text, "");
	await ok(ask("DELETE", "deletes", ""), 204);
});

test("a bucket with nothing but a marker is not empty", async () => {
	await versioned("marked");
	const id = await deleted("marked", "k");
	await refused(ask("DELETE", "marked", ""), 409, "BucketNotEmpty");
	await ok(ask("DELETE", "marked", "k", { versionId: id }), 204);
	await ok(ask("DELETE", "marked", ""), 204);
});

test("copies of versions", async () => {
	const first = await stored("copies", "source", "first", { "x-oss-meta-a": "1", "x-oss-tagging": "t=1" });
	const second = await stored("copies", "source", "second");
	const current = await ok(copy("copies", "/copies/source", "target"));
	assert.equal(current.headers["x-oss-copy-source-version-id"], second);
	assert.match(current.headers["x-oss-version-id"], ID);
	assert.equal(await read("copies", "target"), "second");
	const older = await ok(copy("copies", `/copies/source?versionId=${first}`, "target"));
	assert.equal(older.headers["x-oss-copy-source-version-id"], first);
	assert.equal(await read("copies", "target"), "first");
	assert.equal(await read("copies", "target", current.headers["x-oss-version-id"]), "second");
	const restored = await ok(copy("copies", `/copies/source?versionId=${first}`, "source"));
	const made = await ok(ask("GET", "copies", "source"));
	assert.deepEqual([made.text, made.headers["x-oss-meta-a"], made.headers["x-oss-tagging-count"],
		made.headers["x-oss-version-id"]], ["first", "1", "1", restored.headers["x-oss-version-id"]]);
	const renamed = await ok(copy("copies", "/copies/source", "source",
		{ "x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2" }));
	const changed = await ok(ask("GET", "copies", "source"));
	assert.deepEqual([changed.text, changed.headers["x-oss-meta-a"], changed.headers["x-oss-meta-b"],
		changed.headers["x-oss-version-id"]], ["first", undefined, "2", renamed.headers["x-oss-version-id"]]);
	assert.equal((await ok(ask("HEAD", "copies", "source", { versionId: first }))).headers["x-oss-meta-a"], "1");
	const plain = await ok(copy("uploads", `/copies/source?versionId=${second}`, "from-versions"));
	assert.deepEqual([plain.headers["x-oss-copy-source-version-id"], plain.headers["x-oss-version-id"]], [second, undefined]);
	assert.equal(await read("uploads", "from-versions"), "second");
	await refused(copy("copies", "/copies/source?versionId=FFFFFFFFFFFFFFF0", "no"), 404, "NoSuchVersion");
	await refused(copy("copies", "/copies/source?versionId=x", "no"), 400, "InvalidArgument");
	const marker = await deleted("copies", "source");
	for (const source of ["/copies/source", `/copies/source?versionId=${marker}`]) {
		const got = await refused(copy("copies", source, "no"), 404, "NoSuchKey");
		assert.equal(got.headers["x-oss-delete-marker"], "true");
	}
	await ok(ask("HEAD", "copies", "no"), 404);
});

test("ACLs and tags are a version's own", async () => {
	const first = await stored("more", "k", "1", { "x-oss-object-acl": "private", "x-oss-tagging": "a=1" });
	const second = await stored("more", "k", "2");
	const acl = async versionId => {
		const got = await ok(ask("GET", "more", "k", versionId ? { acl: "", versionId } : { acl: "" }));
		return [got.xml("Grant"), got.headers["x-oss-version-id"]];
	};
	const tags = async versionId => {
		const got = await ok(ask("GET", "more", "k", versionId ? { tagging: "", versionId } : { tagging: "" }));
		return [got.xml("Value"), got.headers["x-oss-version-id"]];
	};
	const setAcl = (word, query = {}) => ok(ask("PUT", "more", "k", { acl: "", ...query }, { "x-oss-object-acl": word }));
	const setTags = (value, query = {}) => ok(request(store, "PUT", "more", "k", { query: { tagging: "", ...query },
		body: `<Tagging><TagSet><Tag><Key>a</Key><Value>${value}</Value></Tag></TagSet></Tagging>` }));
	assert.deepEqual([await acl(), await acl(first), await tags(), await tags(first)],
		[["default", second], ["private", first], [null, second], ["1", first]]);
	assert.equal((await setAcl("public-read")).headers["x-oss-version-id"], second);
	assert.equal((await setAcl("public-read-write", { versionId: first })).headers["x-oss-version-id"], first);
	assert.equal((await setTags("3")).headers["x-oss-version-id"], second);
	assert.equal((await setTags("4", { versionId: first })).headers["x-oss-version-id"], first);
	assert.deepEqual([await acl(), await acl(first), await tags(), await tags(first)],
		[["public-read", second], ["public-read-write", first], ["3", second], ["4", first]]);
	assert.equal(await send(`${store}/more/k?versionId=${second}`).then(got => got.text), "2", "ACLs decide of versions");
	const untagged = await ok(ask("DELETE", "more", "k", { tagging: "", versionId: first }), 204);
	assert.equal(untagged.headers["x-oss-version-id"], first);
	assert.deepEqual([await tags(), await tags(first)], [["3", second], [null, first]]);
	assert.equal((await ok(ask("GET", "more", "k"))).headers["x-oss-version-id"], second, "no new version comes of it");
	await setAcl("private", { versionId: second });
	await refused(send(`${store}/more/k?versionId=${second}`), 403, "AccessDenied");
	const marker = await deleted("more", "k");
	for (const query of [{}, { versionId: marker }]) {
		const [status, code] = query.versionId ? [405, "MethodNotAllowed"] : [404, "NoSuchKey"];
		await refused(ask("PUT", "more", "k", { acl: "", ...query }, { "x-oss-object-acl": "private" }), status, code);
		await refused(ask("DELETE", "more", "k", { tagging: "", ...query }), status, code);
	}
	await refused(ask("DELETE", "more", "k", { tagging: "", versionId: "FFFFFFFFFFFFFFF0" }), 404, "NoSuchVersion");
	await refused(ask("DELETE", "more", "k", { tagging: "", versionId: "x" }), 400, "InvalidArgument");
});

test("links have versions too, and point to the current version", async () => {
	const link = target => ok(request(store, "PUT", "more", "link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": target } })).then(got => got.headers["x-oss-version-id"]);
	await stored("more", "one", "old one");
	await stored("more", "one", "one");
	await stored("more", "two", "two");
	const first = await link("one");
	const second = await link("two");
	const where = versionId => ok(ask("GET", "more", "link", versionId ? { symlink: "", versionId } : { symlink: "" }));
	assert.deepEqual([(await where()).headers["x-oss-symlink-target"], (await where()).headers["x-oss-version-id"]],
		["two", second]);
	assert.equal((await where(first)).headers["x-oss-symlink-target"], "one");
	assert.deepEqual([await read("more", "link"), await read("more", "link", first)], ["two", "one"]);
	assert.equal((await ask("GET", "more", "link", { versionId: first })).headers["x-oss-version-id"], first);
	await deleted("more", "one");
	await refused(ask("GET", "more", "link", { versionId: first }), 404, "SymlinkTargetNotExist");
	const marker = await deleted("more", "link");
	assert.equal((await refused(ask("GET", "more", "link", { symlink: "" }), 404, "NoSuchKey"))
		.headers["x-oss-version-id"], marker);
});

test("uploads in parts, and appending, make versions", async () => {
	await versioned("parts");
	const source = await stored("parts", "source", "of the source");
	await stored("parts", "source", "newer");
	const begun = await ok(request(store, "POST", "parts", "k", { query: { uploads: "" }, headers: { "x-oss-tagging": "a=1" } }));
	const query = { uploadId: begun.xml("UploadId") };
	const part = await ok(request(store, "PUT", "parts", "k", { query: { ...query, partNumber: "1" },
		headers: { "x-oss-copy-source": `/parts/source?versionId=${source}` } }));
	const made = await ok(request(store, "POST", "parts", "k", { query, body: "<CompleteMultipartUpload><Part>"
		+ `<PartNumber>1</PartNumber><ETag>${part.xml("ETag")}</ETag></Part></CompleteMultipartUpload>` }));
	const id = made.headers["x-oss-version-id"];
	assert.match(id, ID);
	assert.equal(await read("parts", "k", id), "of the source");
	assert.equal((await ok(ask("HEAD", "parts", "k"))).headers["x-oss-tagging-count"], "1");
	const appended = await ok(request(store, "POST", "parts", "log", { query: { append: "", position: "0" }, body: "a",
		headers: { "x-oss-tagging": "b=2" } }));
	assert.equal(await read("parts", "log", appended.headers["x-oss-version-id"]), "a");
	assert.equal((await ok(ask("HEAD", "parts", "log"))).headers["x-oss-tagging-count"], "1");
});

test("an upload that calls back says which version it made", async () => {
	const callback = Buffer.from(JSON.stringify({ callbackUrl: `${sink.url}/`, callbackBody: "x" })).toString("base64");
	const got = await ok(put("kept", "called", "back", { "x-oss-callback": callback }));
	assert.equal(got.text, "{}");
	assert.equal(await read("kept", "called", got.headers["x-oss-version-id"]), "back");
});

test("a posted form makes a version", async () => {
	await versioned("forms");
	const fields = formFields("forms", "form", { success_action_status: "200" });
	const got = await ok(postForm(store, fields, { content: "posted" }, { bucket: "forms" }));
	assert.equal(await read("forms", "form", got.headers["x-oss-version-id"]), "posted");
});
