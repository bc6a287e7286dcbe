// SPDX-License-Identifier: Apache-2.0
// Clients that reset the connection, at every step of every operation. The server must neither die
// nor hang, and a sanitizer must find nothing (Server.stop()).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { multipart, request, signedFieldsV4 } from "../lib/oss.js";
import { held, MOMENTS, operations, operationText, reset, resetAll, settled } from "../lib/reset.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, store, upload;

before(async () => {
	server = await startServer(all);
	({ store } = server);
	const put = await request(store, "PUT", "uploads", "big", { body: Buffer.alloc(3 << 20, "x") });
	assert.equal(put.status, 200, put.text);
	const begun = await request(store, "POST", "uploads", "parts", { query: { uploads: "" } });
	upload = begun.xml("UploadId");
});
after(all.run);

async function alive() {
	const got = await request(store, "GET", "uploads", "", { query: { "max-keys": "1" } });
	assert.equal(got.status, 200, got.text);
}

for (const when of MOMENTS)
	test(`a connection that is reset ${when}`, async () => {
		const before = await held(server);
		await resetAll(store, operations(upload), when);
		await resetAll(store, operations(upload), when, { accessKey: null });
		await alive();
		await settled(server, before);
	});

test("a burst of refusals on connections that have gone", async () => {
	for (let round = 0; round < 20; round++)
		await Promise.all(Array.from({ length: 50 }, (_, i) => reset(store,
			operationText(["POST", "", { delete: "" }, {}], i % 2 ? { accessKey: null } : {}), i % 3 ? "at once" : "written")));
	await alive();
});

test("a form that is cut off at each of its parts", async () => {
	const before = await held(server);
	const { type, body } = multipart(signedFieldsV4("cut"), { content: Buffer.alloc(100_000, "y") });
	const start = Buffer.from(operationText(["POST", "", {}, { "Content-Type": type }], { accessKey: null, length: body.length }));
	for (let at = 0; at < 3000; at += 97)
		await reset(store, Buffer.concat([start, body.subarray(0, at)]), at % 2 ? "at once" : "written");
	await reset(store, Buffer.concat([start, body]), "at once");
	await reset(store, Buffer.concat([start, body]), "written");
	await alive();
	await settled(server, before);
});
