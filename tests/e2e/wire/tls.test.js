// SPDX-License-Identifier: Apache-2.0
// The store over TLS, with a certificate that the test makes.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { connect as connectTls } from "node:tls";
import { after, before, test } from "node:test";
import { certificateName, installCertificate, makeCertificate, tlsStore } from "../lib/certificate.js";
import { connect } from "../lib/http.js";
import { getObject, postForm, request, send, sha256, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { expectAnswer, GET, OPEN, play, putOpenObject } from "../lib/wire.js";

const all = cleanups();
let server, store, folder;

before(async () => {
	folder = await temporaryFolder(all);
	server = await startServer(all, { env: await tlsStore(folder) });
	({ store } = server);
	assert.match(store, /^https:/);
	await putOpenObject(store);
});
after(all.run);

test("requests, one after the other and pipelined", async () => {
	const range = (first, last) => `${GET}Range: bytes=${first}-${last}\r\n\r\n`;
	await play(store, { send: `${GET}\r\n`, answers: [{ body: OPEN.content }], then: "open" });
	await play(store, { send: range(0, 1) + range(2, 2), answers: [{ body: "01" }, { body: "2" }], then: "open" });
	await play(store, { send: [...range(3, 3)], answers: [{ body: "3" }], then: "open" });
	await play(store, { send: `${GET}Connection: close\r\n\r\n`, answers: [200], then: "closed" });
});

test("what is pipelined behind a large answer is not touched by it", async () => {
	const content = Buffer.alloc(200_000, "GET /uploads/none HTTP/1.1\r\nHost: localhost\r\n\r\n");
	await request(store, "PUT", "uploads", "tls/pipelined",
		{ body: content, headers: { "x-oss-object-acl": "public-read" } });
	const large = "GET /uploads/tls/pipelined HTTP/1.1\r\nHost: localhost\r\n\r\n";
	await play(store, {
		send: large + `${GET}\r\n` + large + `${GET}\r\n`,
		answers: [{ body: content.toString() }, { body: OPEN.content }, { body: content.toString() },
			{ body: OPEN.content }],
		then: "open",
	});
});

test("objects of many sizes go up and come down whole", async () => {
	for (const size of [0, 1, 16_384, 16_385, 65_536, 65_537, 1_048_577, 20_000_000]) {
		const content = randomBytes(size);
		const put = await request(store, "PUT", "uploads", `tls/${size}`, { body: content });
		assert.equal(put.status, 200, put.text);
		assert.equal(sha256(await getObject(store, `tls/${size}`)), sha256(content), String(size));
	}
	const parts = await request(store, "GET", "uploads", "tls/20000000",
		{ headers: { Range: "bytes=10000000-19999999" } });
	assert.equal(parts.status, 206);
	assert.equal(parts.body.length, 10_000_000);
});

test("an object that lies in several places comes down whole, and the connection goes on", async () => {
	const pieces = [10, 300_000, 16_385, 2_000_000, 1].map(size => randomBytes(size));
	let position = 0;
	for (const body of pieces) {
		const got = await request(store, "POST", "uploads", "tls/grown", { body, query: { append: "", position: `${position}` },
			headers: { "x-oss-object-acl": "public-read" } });
		assert.equal(got.status, 200, got.text);
		position += body.length;
	}
	const content = Buffer.concat(pieces);
	const connection = await connect(store);
	const get = "GET /uploads/tls/grown HTTP/1.1\r\nHost: localhost\r\n";
	await connection.send(`${get}\r\n${get}Range: bytes=300008-316396\r\n\r\n${get}\r\n`);
	assert.ok((await connection.response()).body.equals(content));
	assert.ok((await connection.response()).body.equals(content.subarray(300_008, 316_397)));
	assert.ok((await connection.response()).body.equals(content));
	connection.destroy();
});

test("a slow reader of a large object gets all of it", async () => {
	const { body } = await request(store, "GET", "uploads", "tls/20000000");
	const { hostname, port } = new URL(store);
	await request(store, "PUT", "uploads", "tls/open", { body, headers: { "x-oss-object-acl": "public-read" } });
	const socket = connectTls({ host: hostname, port, rejectUnauthorized: false });
	socket.write("GET /uploads/tls/open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	const pieces = [];
	for await (const piece of socket) {
		pieces.push(piece);
		if (pieces.length % 50 === 0)
			await new Promise(done => setTimeout(done, 10));
	}
	const got = Buffer.concat(pieces);
	assert.ok(got.subarray(got.indexOf("\r\n\r\n") + 4).equals(body));
});

test("an upload that is refused early can read why", async () => {
	const connection = await connect(store);
	await connection.send("PUT /nosuchbucket/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n");
	for (let i = 0; i < 80 && connection.unread.length === 0; i++)
		await connection.send(Buffer.alloc(1 << 20));
	await expectAnswer(connection, { status: 404, headers: { Connection: "close" } });
	connection.destroy();
});

test("a grant leads to the TLS port, and the callback comes", async () => {
	const { url, fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	assert.equal(url, `${store}/uploads`);
	const got = await postForm(store, { key: `${dir}tls.txt`, ...fields }, { content: "over TLS" });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	const created = await postForm(store, signedFieldsV4("tls/form", { success_action_status: "201" }),
		{ content: "x" });
	assert.equal(created.xml("Location"), `${store}/uploads/tls/form`);
});

test("plain HTTP and old TLS on the TLS port are turned away", async () => {
	const plain = await connect(store.replace("https:", "http:"));
	await plain.send(`${GET}\r\n`);
	assert.doesNotMatch((await plain.closed().catch(() => "")).toString("latin1"), /HTTP/);
	await assert.rejects(certificateName(store, { maxVersion: "TLSv1.1", minVersion: "TLSv1.1",
		ciphers: "DEFAULT@SECLEVEL=0" }));
});

test("SIGHUP reads the certificate again; open connections go on; a bad one changes nothing", async () => {
	assert.equal(await certificateName(store), "first");
	const old = await connect(store);
	await makeCertificate(folder, "second");
	await installCertificate(folder, "second", "store");
	server.signal("SIGHUP");
	await server.logged(/the certificate was read again/);
	assert.equal(await certificateName(store), "second");
	await old.send(`${GET}\r\n`);
	await expectAnswer(old, { body: OPEN.content });
	old.destroy();
	await makeCertificate(folder, "third");
	await rename(`${folder}/third.key`, `${folder}/store.key`);
	server.signal("SIGHUP");
	await server.logged(/cannot use the key/);
	assert.equal(await certificateName(store), "second");
});
