// SPDX-License-Identifier: Apache-2.0
// Clients over TLS that reset the connection, or end it without a close_notify: in the handshake,
// in the head, in the body, in the answer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { after, before, test } from "node:test";
import { tlsStore } from "../lib/certificate.js";
import { getObject, multipart, request, signedFieldsV4 } from "../lib/oss.js";
import { held, MOMENTS, open, operations, operationText, requestText, reset, resetAll, settled } from "../lib/reset.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
let server, store, hello, upload;
const BIG = Buffer.alloc(3 << 20, "x");

before(async () => {
	const folder = await temporaryFolder(all);
	server = await startServer(all, { env: await tlsStore(folder) });
	({ store } = server);
	assert.match(store, /^https:/);
	const put = await request(store, "PUT", "uploads", "big", { body: BIG });
	assert.equal(put.status, 200, put.text);
	upload = (await request(store, "POST", "uploads", "parts", { query: { uploads: "" } })).xml("UploadId");
	hello = await clientHello();
});
after(all.run);

/** What a client of TLS sends first. */
async function clientHello() {
	const listener = createServer().listen(0, "127.0.0.1");
	await once(listener, "listening");
	const client = connectTls({ host: "127.0.0.1", port: listener.address().port, rejectUnauthorized: false });
	client.on("error", () => {});
	const [socket] = await once(listener, "connection");
	const [bytes] = await once(socket, "data");
	socket.destroy();
	client.destroy();
	listener.close();
	return bytes;
}

const ENDINGS = {
	"reset": raw => raw.resetAndDestroy(),
	"ended without a close_notify": raw => raw.end(),
};

/** Ends a connection below TLS, and waits until it is closed. */
async function finish(raw, ending) {
	const closed = new Promise(done => raw.on("close", done));
	ENDINGS[ending](raw);
	raw.resume();
	await closed;
}

for (const ending of Object.keys(ENDINGS)) {
	test(`${ending} in the handshake`, async () => {
		const before = await held(server);
		for (const size of [0, 1, 5, 6, 50, hello.length - 1, hello.length]) {
			await Promise.all(["at once", "written", "answered"].map(async when => {
				const { hostname, port } = new URL(store);
				const raw = connect({ host: hostname, port: Number(port) });
				raw.on("error", () => {});
				await once(raw, "connect");
				const written = new Promise(done => raw.write(hello.subarray(0, size), done));
				if (when !== "at once")
					await written;
				// The server's part of the handshake comes if all of the hello is there, and no Finished follows.
				if (when === "answered" && size === hello.length)
					await once(raw, "data");
				await finish(raw, ending);
			}));
		}
		await settled(server, before);
	});

	test(`${ending} in the middle of a head, and of a body`, async () => {
		const before = await held(server);
		const { type, body } = multipart(signedFieldsV4("cut"), { content: BIG.subarray(0, 300_000) });
		const form = Buffer.from(requestText("POST", "/uploads", { "Content-Type": type }, body.toString("latin1")), "latin1");
		const put = Buffer.from(operationText(["PUT", "cut", {}, {}], { length: 300_000 }) + "x".repeat(300_000));
		for (const bytes of [form, put]) {
			await Promise.all([1, 30, 150, 400, 700, 1000, 20_000, 70_000, 200_000, bytes.length - 1].map(async size => {
				const { raw, socket, ready } = open(store);
				await once(socket, ready);
				await new Promise(done => socket.write(bytes.subarray(0, size), done));
				await finish(raw, ending);
			}));
		}
		assert.equal(await getObject(store, "cut"), null);
		await settled(server, before);
	});

	test(`${ending} in the middle of an answer`, async () => {
		const before = await held(server);
		const get = operationText(["GET", "big", {}, {}]);
		const list = operationText(["GET", "", {}, {}]);
		await Promise.all([get, get.repeat(3), list.repeat(50), list + get].flatMap(bytes => [1, 20_000, 500_000].map(async size => {
			const { raw, socket, ready } = open(store);
			await once(socket, ready);
			socket.write(bytes);
			let came = 0;
			await new Promise(done => {
				const most = bytes.startsWith(get) ? size : 1;
				socket.on("data", data => (came += data.length) >= most && done());
			});
			await finish(raw, ending);
		})));
		await settled(server, before);
	});
}

for (const when of MOMENTS)
	test(`every operation, reset ${when}`, async () => {
		const before = await held(server);
		const some = operations(upload).filter((_, i) => i % 4 === MOMENTS.indexOf(when) || i > 250);
		await resetAll(store, some, when);
		await settled(server, before);
	});

test("what was acknowledged is there", async () => {
	const before = await held(server);
	const told = [];
	for (let round = 0; round < 4; round++)
		await Promise.all(Array.from({ length: 12 }, async (_, i) => {
			const key = `told/${round}/${i}`;
			const content = Buffer.alloc(i % 2 ? 700_000 : 20, key);
			const bytes = Buffer.concat([Buffer.from(operationText(["PUT", key, {}, {}], { length: content.length })), content]);
			if ((await reset(store, bytes, MOMENTS[i % 3])).startsWith("HTTP/1.1 200"))
				told.push([key, content]);
		}));
	assert.ok(told.length >= 10, `only ${told.length} were answered`);
	const sum = bytes => createHash("sha256").update(bytes).digest("hex");
	for (const [key, content] of told)
		assert.equal(sum(await getObject(store, key)), sum(content), key);
	await settled(server, before);
});
