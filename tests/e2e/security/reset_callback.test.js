// SPDX-License-Identifier: Apache-2.0
// Uploaders that reset the connection while the callback about their upload is on its way, and as
// its answer arrives. The upload is there, the callback is in the history, and no place is lost.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { ask } from "../lib/console_api.js";
import { base64Json, getObject, multipart, request, signedFieldsV4 } from "../lib/oss.js";
import { held, open, operationText, requestText, settled } from "../lib/reset.js";
import { cleanups, pause, startServer } from "../lib/server.js";
import { KEY, presignV4, target } from "../lib/sign.js";
import { startLateSink } from "../lib/sink.js";
import { assumeRole } from "../lib/sts.js";

const all = cleanups();
let server, store, sink, temporary;

before(async () => {
	sink = await startLateSink(all);
	server = await startServer(all, { command: "store", env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	({ store } = server);
	await request(store, "PUT", "uploads");
	temporary = await assumeRole(server);
});
after(all.run);

const CONTENT = "content";
const PARTS = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"
	+ `${createHash("md5").update(CONTENT).digest("hex")}</ETag></Part></CompleteMultipartUpload>`;
const callback = () => base64Json({ callbackUrl: `${sink.url}/hook`, callbackBody: "object=${object}" });
const put = accessKey => key => operationText(["PUT", key, {}, { "x-oss-callback": callback() }],
	{ accessKey, length: CONTENT.length }) + CONTENT;

async function complete(key, headers, query = {}) {
	const uploadId = (await request(store, "POST", "uploads", key, { query: { uploads: "" } })).xml("UploadId");
	const part = await request(store, "PUT", "uploads", key, { query: { partNumber: "1", uploadId }, body: CONTENT });
	assert.equal(part.status, 200, part.text);
	return operationText(["POST", key, { uploadId, ...query }, headers], { length: PARTS.length }) + PARTS;
}

/** Requests that have a callback: key => bytes. */
const UPLOADS = {
	"PostObject": key => {
		const { type, body } = multipart(signedFieldsV4(key, { callback: callback() }), { content: CONTENT });
		return requestText("POST", "/uploads", { "Content-Type": type }, body.toString("latin1"));
	},
	"PutObject": key => put(KEY)(key),
	"PutObject with a temporary key": key => put(temporary)(key),
	"PutObject with a presigned URL": key => requestText("PUT", target("uploads", key,
		presignV4({ method: "PUT", bucket: "uploads", key, query: { callback: callback() } })), {}, CONTENT),
	"CompleteMultipartUpload": key => complete(key, { "x-oss-callback": callback() }),
};

/** Sends an upload, and waits until its callback has come. */
async function begin(bytes) {
	const { raw: socket } = open(store);
	socket.write(bytes);
	const asked = await sink.next();
	return { socket, asked };
}

/** The server has noticed the reset: the connection is none of its own any more. */
async function noticed(before) {
	const deadline = Date.now() + 60_000;
	while ((await held(server)).connections > before.connections)
		assert.ok(Date.now() < deadline, "the reset is not noticed");
}

/** Waits until the history has a callback for the object. */
async function recorded(key) {
	const deadline = Date.now() + 60_000;
	for (;;) {
		const { json } = await ask(server, "GET", "/callbacks", { query: { limit: 100 } });
		const found = json.callbacks.find(one => one.object === key);
		if (found)
			return found;
		assert.ok(Date.now() < deadline, `no callback of ${key} in the history`);
		await pause(20);
	}
}

/** What happens once the callback has come: [whether the history says that it succeeded, how]. */
const ENDINGS = {
	"before the callback is answered": [true, async ({ socket, asked }, before) => {
		socket.resetAndDestroy();
		await noticed(before);
		asked.answer();
	}],
	"as the callback is answered": [true, async ({ socket, asked }) => {
		asked.answer();
		socket.resetAndDestroy();
	}],
	"a moment after the callback is answered": [true, async ({ socket, asked }) => {
		asked.answer();
		setImmediate(() => socket.resetAndDestroy());
	}],
	"by an answer that it does not wait for": [true, async ({ socket, asked }) => {
		socket.destroy();
		asked.answer();
	}],
	"with more requests behind the upload": [true, async ({ socket, asked }) => {
		socket.write(operationText(["GET", "", {}, {}]).repeat(3) + operationText(["PUT", "cut-off", {}, {}], { length: 100 }));
		asked.answer();
		socket.once("data", () => socket.resetAndDestroy());
		await new Promise(done => socket.on("close", done));
	}],
	"and the callback's connection is broken, too": [false, async ({ socket, asked }) => {
		socket.resetAndDestroy();
		asked.drop();
	}],
};

for (const [upload, make] of Object.entries(UPLOADS)) {
	for (const [ending, [ok, end]] of Object.entries(ENDINGS)) {
		test(`${upload}: reset ${ending}`, async () => {
			const before = await held(server);
			for (let round = 0; round < 4; round++) {
				const key = `${upload}/${ending}/${round}`.replace(/ /g, "-");
				await end(await begin(await make(key)), before);
				assert.equal((await recorded(key)).ok, ok);
				assert.equal((await getObject(store, key))?.toString(), CONTENT);
			}
			await settled(server, before);
		});
	}
}

test("many uploaders that reset while their callbacks wait", async () => {
	const before = await held(server);
	const bytes = await Promise.all(Array.from({ length: 40 }, (_, i) =>
		Object.values(UPLOADS)[i % 5](`many/${i}`)));
	const begun = await Promise.all(bytes.map(begin));
	for (const [i, { socket, asked }] of begun.entries()) {
		if (i % 3)
			socket.resetAndDestroy();
		asked.answer();
		socket.resetAndDestroy();
	}
	for (let i = 0; i < bytes.length; i++)
		assert.equal((await getObject(store, `many/${i}`))?.toString(), CONTENT);
	await settled(server, before);
});
