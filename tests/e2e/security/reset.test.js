// SPDX-License-Identifier: Apache-2.0
// Clients that reset the connection, at every step of every operation. The server must neither die
// nor hang, and a sanitizer must find nothing (Server.stop()).
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { multipart, request, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4, target } from "../lib/sign.js";

const all = cleanups();
let store, port, upload;

before(async () => {
	({ store } = await startServer(all));
	port = new URL(store).port;
	const put = await request(store, "PUT", "uploads", "big", { body: Buffer.alloc(3 << 20, "x") });
	assert.equal(put.status, 200, put.text);
	const begun = await request(store, "POST", "uploads", "parts", { query: { uploads: "" } });
	upload = begun.xml("UploadId");
});
after(all.run);

const BODY = "<a>".repeat(300);

/** [method, key, query, headers]; each with a body, and without. */
const requests = () => [
	...["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"].flatMap(method =>
		["", "acl", "cors", "tagging", "lifecycle", "referer", "versioning", "versions", "uploads", "stat",
			"bucketInfo", "location", "delete", "list-type", "objectMeta", "symlink", "append", "policy"]
			.flatMap(sub => ["", "big"].map(key => [method, key, sub ? { [sub]: "" } : {}, {}]))),
	["POST", "appended", { append: "", position: "0" }, {}],
	["PUT", "parts", { partNumber: "1", uploadId: upload }, {}],
	["PUT", "parts", { partNumber: "1", uploadId: upload }, { "x-oss-copy-source": "/uploads/big" }],
	["POST", "parts", { uploadId: upload }, {}],
	["GET", "parts", { uploadId: upload }, {}],
	["DELETE", "parts", { uploadId: "0" }, {}],
	["PUT", "copied", {}, { "x-oss-copy-source": "/uploads/big" }],
	["PUT", "link", { symlink: "" }, { "x-oss-symlink-target": "big" }],
	["POST", "", {}, { "Content-Type": multipart({}, {}).type }],
];

function head([method, key, query, headers], signed, length) {
	const sent = { ...headers, ...length === null ? {} : { "Content-Length": length },
		...signed ? headersV4({ method, bucket: "uploads", key, query, headers }) : {} };
	return `${method} ${target("uploads", key, query)} HTTP/1.1\r\nHost: localhost\r\n`
		+ Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`).join("") + "\r\n";
}

/** Writes, and resets: at once, when the bytes are written, or when the first answer comes. */
function reset(bytes, when) {
	return new Promise(done => {
		const socket = connect({ port, host: "127.0.0.1" });
		socket.on("error", () => {}).on("close", done);
		socket.on("connect", () => {
			socket.write(bytes, () => {
				if (when === "written")
					socket.resetAndDestroy();
			});
			if (when === "at once")
				setImmediate(() => socket.resetAndDestroy());
		});
		if (when === "answered")
			socket.once("data", () => socket.resetAndDestroy());
	});
}

async function alive() {
	const got = await request(store, "GET", "uploads", "", { query: { "max-keys": "1" } });
	assert.equal(got.status, 200, got.text);
}

for (const when of ["at once", "written", "answered"])
	test(`a connection that is reset ${when}`, async () => {
		for (const each of requests()) {
			await Promise.all([true, false].flatMap(signed => [
				reset(head(each, signed, null), when),
				reset(head(each, signed, BODY.length) + BODY, when),
				...when === "answered" ? [] : [reset(head(each, signed, BODY.length) + BODY.slice(100), when)],
			]));
		}
		await alive();
	});

test("a burst of refusals on connections that have gone", async () => {
	for (let round = 0; round < 20; round++)
		await Promise.all(Array.from({ length: 50 }, (_, i) =>
			reset(head(["POST", "", { delete: "" }, {}], i % 2 === 0, null), i % 3 ? "at once" : "written")));
	await alive();
});

test("a form that is cut off at each of its parts", async () => {
	const { type, body } = multipart(signedFieldsV4("cut"), { content: Buffer.alloc(100_000, "y") });
	const start = Buffer.from(head(["POST", "", {}, { "Content-Type": type }], false, body.length));
	for (let at = 0; at < 3000; at += 97)
		await reset(Buffer.concat([start, body.subarray(0, at)]), at % 2 ? "at once" : "written");
	await reset(Buffer.concat([start, body]), "at once");
	await reset(Buffer.concat([start, body]), "written");
	await alive();
});
