// SPDX-License-Identifier: Apache-2.0
// Clients that reset the connection while they use a temporary key of STS, or none. The server must
// neither die nor hang nor keep anything for them, and has what it said it had stored.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getObject, multipart, policy, request, signedFieldsV1 } from "../lib/oss.js";
import { held, MOMENTS, operations, operationText, requestText, reset, resetAll, settled } from "../lib/reset.js";
import { cleanups, startServer } from "../lib/server.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let server, store, upload, everything, little;

before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const [bucket, headers] of [["uploads", {}], ["anyone", { "x-oss-acl": "public-read-write" }]]) {
		await request(store, "PUT", bucket, "", { headers });
		assert.equal((await request(store, "PUT", bucket, "big", { body: Buffer.alloc(1 << 20, "x") })).status, 200);
	}
	const theirs = await request(store, "PUT", "uploads", "theirs", { body: "x", headers: { "x-oss-object-acl": "public-read-write" } });
	assert.equal(theirs.status, 200, theirs.text);
	upload = (await request(store, "POST", "uploads", "parts", { query: { uploads: "" } })).xml("UploadId");
	everything = await assumeRole(server);
	little = await assumeRole(server, allow("oss:GetObject", "acs:oss:*:*:uploads/small/*"));
});
after(all.run);

for (const when of MOMENTS) {
	test(`a temporary key, reset ${when}`, async () => {
		const before = await held(server);
		for (const accessKey of [everything, little])
			await resetAll(store, operations(upload), when, { accessKey });
		await settled(server, before);
	});

	test(`nobody's requests for a bucket that anybody may write, reset ${when}`, async () => {
		const before = await held(server);
		await resetAll(store, operations("0"), when, { bucket: "anyone", accessKey: null });
		await settled(server, before);
	});

	test(`nobody's requests for an object that anybody may write, reset ${when}`, async () => {
		const before = await held(server);
		const theirs = ["PUT", "POST", "DELETE", "GET"].flatMap(method => ["", "acl", "tagging", "append", "symlink"]
			.map(sub => [method, "theirs", { ...sub && { [sub]: "" }, ...sub === "append" && { position: "0" } }, {}]));
		await resetAll(store, theirs, when, { accessKey: null });
		await settled(server, before);
	});
}

/** Uploads that are reset at the first byte of the answer, or before it: what was acknowledged is there. */
async function acknowledged(name, make) {
	const before = await held(server);
	const told = [];
	for (let round = 0; round < 10; round++)
		await Promise.all(Array.from({ length: 12 }, async (_, i) => {
			const key = `${name}/${round}/${i}`;
			const { bucket, bytes } = make(key, `content of ${key}`);
			const came = await reset(store, bytes, MOMENTS[i % 3]);
			if (/^HTTP\/1\.1 20[0-9]/.test(came))
				told.push([bucket, key]);
		}));
	assert.ok(told.length >= 10, `only ${told.length} were answered`);
	for (const [bucket, key] of told)
		assert.equal((await getObject(store, key, bucket))?.toString(), `content of ${key}`);
	await settled(server, before);
}

test("what was acknowledged is there: with a temporary key", () => acknowledged("sts", (key, content) => ({
	bucket: "uploads",
	bytes: operationText(["PUT", key, {}, {}], { accessKey: everything, length: content.length }) + content,
})));

test("what was acknowledged is there: of nobody", () => acknowledged("nobody", (key, content) => ({
	bucket: "anyone", bytes: requestText("PUT", `/anyone/${key}`, {}, content),
})));

test("what was acknowledged is there: forms with a temporary key", () => acknowledged("form", (key, content) => {
	const fields = signedFieldsV1(key, { "x-oss-security-token": everything.token }, { text: policy(), accessKey: everything });
	const { type, body } = multipart(fields, { content });
	return { bucket: "uploads", bytes: requestText("POST", "/uploads", { "Content-Type": type }, body.toString("latin1")) };
}));

test("what was acknowledged is there: nobody's forms", () => acknowledged("open-form", (key, content) => {
	const { type, body } = multipart({ key }, { content });
	return { bucket: "anyone", bytes: requestText("POST", "/anyone", { "Content-Type": type }, body.toString("latin1")) };
}));
