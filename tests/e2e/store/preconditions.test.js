// SPDX-License-Identifier: Apache-2.0
// OSS has conditions for reading. An operation that changes something is refused with one, and with
// a Content-Range, instead of being carried out all the same
// (docs/decisions/0081-no-change-against-a-condition.md).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { getObject, postForm, request, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store, uploadId;
const ask = (method, key, options) => request(store, method, "uploads", key, options);
before(async () => {
	({ store } = await startServer(all));
	assert.equal((await ask("PUT", "kept", { body: "kept" })).status, 200);
	const begun = await ask("POST", "kept", { query: { uploads: "" } });
	uploadId = begun.xml("UploadId");
	assert.equal((await ask("PUT", "kept", { query: { partNumber: "1", uploadId }, body: "part" })).status, 200);
});
after(all.run);

const PAST = "Mon, 01 Jan 2001 00:00:00 GMT";
const HEADERS = [{ "If-Match": "\"other\"" }, { "If-None-Match": "*" }, { "If-Unmodified-Since": PAST },
	{ "If-Modified-Since": new Date(Date.now() + 1000).toUTCString() }, { "Content-Range": "bytes 0-3/8" }];
const DELETE = "<Delete><Object><Key>kept</Key></Object></Delete>";
const TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";

/** Each changes something, if it is carried out. */
const OPERATIONS = {
	PutObject: headers => ask("PUT", "kept", { headers, body: "lost" }),
	PostObject: headers => postForm(store, signedFieldsV1("kept"), { content: "lost" }, { headers }),
	AppendObject: headers => ask("POST", "new", { query: { append: "", position: "0" }, headers, body: "x" }),
	PutSymlink: headers => ask("PUT", "kept", { query: { symlink: "" },
		headers: { ...headers, "x-oss-symlink-target": "new" } }),
	DeleteObject: headers => ask("DELETE", "kept", { headers }),
	DeleteMultipleObjects: headers => ask("POST", "", { query: { delete: "" }, body: DELETE,
		headers: { ...headers, "Content-MD5": createHash("md5").update(DELETE).digest("base64") } }),
	PutObjectAcl: headers => ask("PUT", "kept", { query: { acl: "" },
		headers: { ...headers, "x-oss-object-acl": "public-read" } }),
	PutObjectTagging: headers => ask("PUT", "kept", { query: { tagging: "" }, headers, body: TAGS }),
	DeleteObjectTagging: headers => ask("DELETE", "kept", { query: { tagging: "" }, headers }),
	UploadPart: headers => ask("PUT", "kept", { query: { partNumber: "1", uploadId }, headers, body: "other" }),
	CompleteMultipartUpload: headers => ask("POST", "kept", { query: { uploadId },
		headers: { ...headers, "x-oss-complete-all": "yes" } }),
	AbortMultipartUpload: headers => ask("DELETE", "kept", { query: { uploadId }, headers }),
	PutBucketAcl: headers => ask("PUT", "", { query: { acl: "" }, headers: { ...headers, "x-oss-acl": "public-read" } }),
	DeleteBucket: headers => ask("DELETE", "", { headers }),
};

async function unchanged() {
	assert.equal((await getObject(store, "kept"))?.toString(), "kept");
	assert.equal(await getObject(store, "new"), null);
	assert.equal((await ask("GET", "kept", { query: { acl: "" } })).xml("Grant"), "default");
	assert.equal((await ask("GET", "", { query: { acl: "" } })).xml("Grant"), "private");
	assert.doesNotMatch((await ask("GET", "kept", { query: { tagging: "" } })).text, /<Tag>/);
	const parts = await ask("GET", "kept", { query: { uploadId } });
	assert.equal(parts.xml("Size"), "4", parts.text);
	const uploads = await ask("GET", "", { query: { uploads: "" } });
	assert.equal(uploads.text.match(/<Upload>/g).length, 1, uploads.text);
}

for (const [name, run] of Object.entries(OPERATIONS)) {
	test(`${name} changes nothing under a condition that it cannot check`, async () => {
		for (const headers of HEADERS) {
			const got = await run(headers);
			assert.deepEqual([got.status, got.xml("Code"), got.xml("Header")],
				[400, "NotImplemented", Object.keys(headers)[0]], got.text);
		}
		await unchanged();
	});
}

// The Go SDK's own tests do so.
test("an upload in parts is begun in spite of a condition, for it replaces nothing", async () => {
	for (const headers of HEADERS) {
		const got = await ask("POST", "begun", { query: { uploads: "" }, headers });
		assert.equal(got.status, 200, got.text);
		await ask("DELETE", "begun", { query: { uploadId: got.xml("UploadId") } });
	}
});
