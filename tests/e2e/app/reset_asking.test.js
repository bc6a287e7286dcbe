// SPDX-License-Identifier: Apache-2.0
// Connections that are reset while a question on them waits: one about an upload in parts for the
// store, one for a grant for the back end that decides, or for the keys of tokens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lib/events.js";
import { ORDERS, startGate } from "../lib/gate.js";
import { bearer, issuer, token } from "../lib/jwt.js";
import { request, send } from "../lib/oss.js";
import { held, open, requestText, settled } from "../lib/reset.js";
import { cleanups, startServer } from "../lib/server.js";
import { startLateSink } from "../lib/sink.js";

const all = cleanups();
let server, proxy;
before(async () => {
	proxy = await startGate(all, () => server);
	server = await startServer(all, { env: { POSTERN_APP_STORE_URL: `${proxy.url}/uploads` } });
});
after(all.run);

const json = value => ({ "Content-Type": "application/json", body: JSON.stringify(value) });
const post = (path, { body, ...headers }) => requestText("POST", path, headers, body);

for (const [order, end] of Object.entries(ORDERS))
	test(`questions about an upload in parts wait for the store, and are reset ${order}`, async () => {
		const before = await held(server);
		const begun = JSON.parse((await send(`${server.app}/s3/multipart`, "POST", { "Content-Type": "application/json" },
			JSON.stringify({ filename: "a.txt", type: "text/plain", metadata: {} }))).text);
		const at = `/s3/multipart/${begun.uploadId}`, query = `?key=${encodeURIComponent(begun.key)}`;
		for (const bytes of [post("/s3/multipart", json({ filename: "b.txt", type: "text/plain", metadata: {} })),
			requestText("GET", at + query), requestText("DELETE", at + query),
			post(`${at}/complete${query}`, json({ parts: [{ PartNumber: 1, ETag: "\"0\"" }] }))]) {
			proxy.closed = () => true;
			const connections = (await held(server)).connections;
			const { raw } = open(server.app);
			raw.write(bytes);
			await until("the store is asked", () => proxy.arrived() > 0);
			await end(raw, { open: () => proxy.open() }, { server, before: connections });
		}
		await settled(server, before);
		assert.equal((await send(`${server.app}/grant`)).status, 200);
	});

test("questions for a grant wait for the back end, and are reset", async t => {
	const backEnd = await startLateSink(t);
	const own = await startServer(t, { env: { POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: `${backEnd.url}/may` } });
	const before = await held(own);
	const requests = [requestText("GET", "/grant"), requestText("GET", "/"), post("/grants", json({ files: [{}, {}] })),
		post("/grants", json({ files: [{}] })).slice(0, -5), requestText("GET", "/s3/params?filename=a.txt&type=text/plain"),
		post("/s3/multipart", json({ filename: "a.txt", type: "text/plain", metadata: {} }))];
	for (let round = 0; round < 6; round++) {
		for (const bytes of requests) {
			const connections = (await held(own)).connections;
			const { raw } = open(own.app);
			raw.write(bytes);
			const asked = await backEnd.next();
			if (round % 3 === 0) {
				raw.resetAndDestroy();
				await until("the reset is noticed", async () => (await held(own)).connections < connections + 1);
			}
			if (round % 2)
				asked.answer("{\"sub\":\"ann\"}");
			else
				asked.drop();
			if (round % 3 === 1)
				raw.resetAndDestroy();
			else
				setImmediate(() => raw.resetAndDestroy());
		}
	}
	await settled(own, before);
	const got = send(`${own.app}/grant`);
	(await backEnd.next()).answer("{\"sub\":\"ann\"}");
	assert.equal((await got).status, 200);
	assert.equal((await request(own.store, "GET", "uploads")).status, 200);
});

test("questions for a grant wait for the keys of tokens, and are reset", async t => {
	const login = await startLateSink(t);
	const own = await startServer(t, { env: { POSTERN_APP_AUTH: "jwt", POSTERN_APP_JWT_KEYS_URL: login.url } });
	const from = issuer("ES256", "first");
	const before = await held(own);
	const headers = bearer(token(from));
	const requests = [requestText("GET", "/grant", headers), post("/grants", { ...headers, ...json({ files: [{}] }) }),
		post("/s3/multipart", { ...headers, ...json({ filename: "a.txt", type: "text/plain", metadata: {} }) })];
	const raws = requests.flatMap(bytes => [bytes, bytes, bytes.repeat(3)]).map(bytes => {
		const { raw } = open(own.app);
		raw.write(bytes);
		return raw;
	});
	const stays = send(`${own.app}/grant`, "GET", headers);
	const asked = await login.next();
	await until("all wait", async () => (await held(own)).connections >= before.connections + raws.length + 1);
	for (const raw of raws.slice(0, 4))
		raw.resetAndDestroy();
	await until("the resets are noticed", async () => (await held(own)).connections <= before.connections + raws.length - 3);
	asked.answer(JSON.stringify({ keys: [from.jwk] }));
	for (const raw of raws)
		raw.resetAndDestroy();
	assert.equal((await stays).status, 200);
	await settled(own, before);
});
