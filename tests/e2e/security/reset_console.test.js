// SPDX-License-Identifier: Apache-2.0
// Clients of the console's port that reset the connection: its files and its API, STS, health and
// metrics; and the console's own requests to the store.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, signed } from "../lib/console_api.js";
import { SECRET, until, upload } from "../lib/events.js";
import { base64Json, getObject, request, send } from "../lib/oss.js";
import { held, MOMENTS, open, operations, operationText, requestText, reset, settled } from "../lib/reset.js";
import { cleanups, startServer } from "../lib/server.js";
import { headersV4, target } from "../lib/sign.js";
import { startLateSink, startSink } from "../lib/sink.js";
import { assumeRole, signedParams } from "../lib/sts.js";

const all = cleanups();
let server, callbacks, events, temporary;
/** What the receiver of events answers. */
let status = 500;

before(async () => {
	callbacks = await startLateSink(all);
	events = await startSink(all, (_, response) => response.writeHead(status).end());
	server = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1", POSTERN_APP_EVENTS_URL: events.url,
		POSTERN_APP_EVENTS_SECRET: SECRET, POSTERN_APP_EVENTS_TRIES: "1" } });
	await request(server.store, "PUT", "uploads", "big", { body: Buffer.alloc(1 << 20, "x") });
	const put = request(server.store, "PUT", "uploads", "called", { body: "hello", headers: {
		"x-oss-callback": base64Json({ callbackUrl: `${callbacks.url}/hook`, callbackBody: "object=${object}" }) } });
	(await callbacks.next()).answer();
	assert.equal((await put).status, 200);
	await upload(server, "a.txt");
	await until("the event is given up", async () => (await listed("/events")).some(({ state }) => state === "dead"));
	temporary = await assumeRole(server);
});
after(all.run);

async function listed(path, query = { limit: 100 }) {
	const { json, text } = await ask(server, "GET", path, { query });
	assert.ok(json, text);
	return json[path.slice(1)];
}

const api = (method, path, options = {}) => {
	const { target: to, headers, body } = signed(method, path, options);
	return requestText(method, to, headers, body);
};

const CORS = { method: "PUT", bucket: "uploads", key: "a", origin: "https://www.example.com", headers: ["x-oss-date"] };
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** All that the port answers, right and wrong; but for what waits for another server. */
const requests = () => [
	...["/", "/console/", "/console/config.json", "/console/app.js", "/client/postern-upload.js", "/none", "/health", "/ready",
		"/metrics"].flatMap(path => ["GET", "HEAD", "POST"].map(method => requestText(method, path, {}, method === "POST" ? "x" : undefined))),
	...["/callbacks", "/callbacks/1", "/callbacks/999", "/events", "/events/1", "/events/999", "/cors-test"]
		.flatMap(path => [api("GET", path), requestText("GET", path), api("GET", path, { accessKey: temporary }), api("POST", path, { json: {} })]),
	...["/callbacks/999/send", "/events/999/replay"].flatMap(path => [api("POST", path), api("POST", path, { json: { a: 1 } }), requestText("POST", path)]),
	api("POST", "/cors-test", { json: CORS }), api("POST", "/cors-test", { json: CORS, accessKey: temporary }),
	api("POST", "/cors-test", { json: CORS }).slice(0, -20), requestText("POST", "/cors-test", {}, JSON.stringify(CORS)),
	requestText("GET", `/sts/?${signedParams(server.key, "GET")}`), requestText("GET", "/sts/?Action=AssumeRole"),
	requestText("POST", "/sts/", FORM, signedParams(server.key, "POST")),
	requestText("POST", "/sts/", FORM, signedParams(server.key, "POST")).slice(0, -30),
	requestText("POST", "/sts/", FORM, signedParams({ ...server.key, secret: "another" }, "POST")),
];

/** What comes to no end has no answer to wait for. */
const isWhole = bytes => {
	const at = bytes.indexOf("\r\n\r\n");
	return bytes.length - at - 4 >= Number(/Content-Length: (\d+)/.exec(bytes)?.[1] ?? 0);
};

for (const when of MOMENTS) {
	test(`the console's port, reset ${when}`, async () => {
		const before = await held(server);
		const all = requests().filter(bytes => when !== "answered" || isWhole(bytes));
		for (let at = 0; at < all.length; at += 16)
			await Promise.all(all.slice(at, at + 16).flatMap(bytes => [bytes, bytes.repeat(isWhole(bytes) ? 10 : 1)])
				.map(bytes => reset(server.console, bytes, when)));
		await settled(server, before);
		assert.equal((await send(`${server.console}/health`)).status, 200);
		assert.ok((await listed("/callbacks")).some(({ object }) => object === "called"));
	});

	test(`the console's requests to the store, reset ${when}`, async () => {
		const before = await held(server);
		const from = { Origin: server.console };
		const preflight = (key, query) => requestText("OPTIONS", target("uploads", key, query), { ...from,
			"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,x-oss-date" });
		const buckets = { method: "GET", bucket: "", key: "" };
		const all = [requestText("GET", "/", { ...from, ...headersV4(buckets) }), requestText("GET", "/", from),
			...operations("0").filter(([method, , query]) => method !== "PATCH" && !("append" in query))
				.flatMap(([method, key, query, headers]) => [preflight(key, query), operationText([method, key, query, { ...headers, ...from }])])];
		for (let at = 0; at < all.length; at += 32)
			await Promise.all(all.slice(at, at + 32).map(bytes => reset(server.store, bytes, when)));
		await settled(server, before);
		assert.equal((await getObject(server.store, "called")).toString(), "hello");
	});
}

test("the operations port of an application server alone", async t => {
	const own = await startServer(t, { command: "app", env: { POSTERN_APP_HOST: `${server.store}/uploads`,
		POSTERN_APP_ACCESS_KEY_ID: server.key.id, POSTERN_APP_ACCESS_KEY_SECRET: server.key.secret } });
	const before = await held(own);
	const all = ["/metrics", "/ready", "/health", "/", "/sts/", "/callbacks", "/events"]
		.flatMap(path => ["GET", "HEAD", "POST"].map(method => requestText(method, path)));
	for (const when of MOMENTS)
		await Promise.all(all.flatMap(bytes => [bytes, bytes.repeat(20)]).map(bytes => reset(own.console, bytes, when)));
	await settled(own, before);
});

test("what STS gave before the reset is good", async () => {
	const before = await held(server);
	const keys = await Promise.all(Array.from({ length: 10 }, async () => {
		const came = await reset(server.console, requestText("POST", "/sts/", FORM, signedParams(server.key, "POST")), "answered");
		const { Credentials: key } = JSON.parse(came.slice(came.indexOf("\r\n\r\n")));
		return { id: key.AccessKeyId, secret: key.AccessKeySecret, token: key.SecurityToken };
	}));
	for (const accessKey of keys) {
		const got = await request(server.store, "GET", "uploads", "called", { accessKey, headers: { "x-oss-security-token": accessKey.token } });
		assert.equal(got.text, "hello");
	}
	await settled(server, before);
});

for (const [ending, end] of Object.entries({
	"before the receiver answers": async (socket, asked, before) => {
		socket.resetAndDestroy();
		await until("the reset is noticed", async () => (await held(server)).connections <= before.connections);
		asked.answer();
	},
	"as the receiver answers": (socket, asked) => {
		asked.answer();
		socket.resetAndDestroy();
	},
	"a moment after the receiver has answered": (socket, asked) => {
		asked.answer();
		setImmediate(() => socket.resetAndDestroy());
	},
	"and the receiver resets, too": (socket, asked) => {
		asked.drop();
		socket.resetAndDestroy();
	},
}))
	test(`sending a callback again, reset ${ending}`, async () => {
		const before = await held(server);
		const { id } = (await listed("/callbacks")).findLast(({ object }) => object === "called");
		for (let round = 0; round < 5; round++) {
			const sent = (await listed("/callbacks")).length;
			const { raw } = open(server.console);
			raw.write(api("POST", `/callbacks/${id}/send`));
			await end(raw, await callbacks.next(), before);
			await until("it is in the history", async () => (await listed("/callbacks")).length > sent);
		}
		await settled(server, before);
	});

for (const when of MOMENTS)
	test(`events delivered again, reset ${when}`, async () => {
		const before = await held(server);
		for (let round = 0; round < 5; round++)
			await Promise.all(["/events/replay", "/events/1/replay"].flatMap(path => [api("POST", path), api("POST", path, { json: {} })])
				.flatMap(bytes => [bytes, bytes.repeat(5)]).map(bytes => reset(server.console, bytes, when)));
		status = 204;
		assert.equal((await ask(server, "POST", "/events/1/replay")).status, 200);
		await until("it is delivered", async () => (await listed("/events")).some(({ state }) => state === "delivered"));
		await until("nothing is on its way", async () => (await listed("/events")).every(({ state }) => state === "delivered"));
		status = 500;
		await settled(server, before);
	});
