// SPDX-License-Identifier: Apache-2.0
// The log says of each request how far it had come when it was answered, or when its client left.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { base64Json, request, send } from "../lib/oss.js";
import { startSink } from "../lib/sink.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4 } from "../lib/sign.js";

const all = cleanups();
let server, store, sink;
before(async () => {
	sink = await startSink(all, (request, response) => response.writeHead(200).end("no JSON"));
	server = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW: new URL(sink.url).host } });
	({ store } = server);
});
after(all.run);

const logged = (what, phase, status) =>
	server.logged(new RegExp(`${what}.* status=${status} .*phase=${phase}\\b`));

test("address: what is asked for is nothing", async () => {
	await send(`${store}/uploads/address`, "PATCH");
	await logged("address", "address", 405);
});

test("authorize: nobody may", async () => {
	await send(`${store}/uploads/authorize`, "PUT");
	await logged("authorize", "authorize", 403);
});

test("body: the client leaves before it", async () => {
	const headers = { ...headersV4({ method: "PUT", bucket: "uploads", key: "body-left" }),
		"Content-Length": 100, "Expect": "100-continue" };
	const socket = connect({ port: Number(new URL(store).port), host: "127.0.0.1" });
	socket.write("PUT /uploads/body-left HTTP/1.1\r\nHost: localhost\r\n"
		+ Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("") + "\r\n");
	assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1.1 100 /);
	socket.destroy();
	await logged("body-left", "body", "\\d+");
});

test("work: what was sent is wrong", async () => {
	const got = await request(store, "PUT", "uploads", "", { query: { cors: "" }, body: "<CORS" });
	assert.equal(got.status, 400);
	await logged("cors", "work", 400);
});

test("work: all is well", async () => {
	assert.equal((await request(store, "PUT", "uploads", "well", { body: "well" })).status, 200);
	await logged("/uploads/well", "work", 200);
});

test("callback: its answer was waited for", async () => {
	const callback = base64Json({ callbackUrl: sink.url, callbackBody: "a=b" });
	await request(store, "PUT", "uploads", "called", { body: "x", headers: { "x-oss-callback": callback } });
	await logged("/uploads/called", "callback", 203);
});
