// SPDX-License-Identifier: Apache-2.0
// Connections that are reset while the application server waits for somebody else: with a callback
// for the store, a check, the ledger or a webhook; with a question for a grant for the back end
// that decides; with one about an upload in parts for the store.
import assert from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "../lib/events.js";
import { holdDatabase } from "../lib/ledger.js";
import { postForm, request, send } from "../lib/oss.js";
import { held, open, requestText, settled } from "../lib/reset.js";
import { cleanups, pause, startServer, temporaryFolder } from "../lib/server.js";
import { says, startLateSink, startSink } from "../lib/sink.js";

const all = cleanups();
let server, wire, webhook, proxy;

/** In front of the store: what a gate is closed for waits until it is opened. */
async function startProxy(t) {
	const waiting = [];
	const self = { closed: null, url: "", arrived: () => waiting.length, open() {
		self.closed = null;
		for (const go of waiting.splice(0))
			go();
	} };
	const listener = createServer((asked, response) => {
		const pass = () => {
			if (!server)
				return response.writeHead(404).end();
			const { host, port } = new URL(server.store);
			const on = forward({ host: "127.0.0.1", port, method: asked.method, path: asked.url, headers: { ...asked.headers, host } },
				answer => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
			on.on("error", () => response.destroy());
			asked.pipe(on);
		};
		if (self.closed?.(asked))
			waiting.push(pass);
		else
			pass();
	});
	await new Promise(done => listener.listen(0, "127.0.0.1", done));
	t.after(() => new Promise(done => {
		listener.close(done);
		listener.closeAllConnections();
	}));
	self.url = `http://127.0.0.1:${listener.address().port}`;
	return self;
}

before(async () => {
	wire = await startSink(all, says("{\"Status\":\"caught\"}"));
	webhook = await startLateSink(all);
	proxy = await startProxy(all);
	const data = await temporaryFolder(all);
	await writeFile(join(data, "postern.ini"), `[app]
store_url = ${proxy.url}/uploads
callback_url = ${wire.url}/hook
webhook_url = ${webhook.url}/hook
checks = object type
[store]
callback_allow = 127.0.0.1
`);
	server = await startServer(all, { data, args: ["--data", join(data, "data"), "--config", join(data, "postern.ini"),
		"--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"] });
});
after(all.run);

/** An upload, and the bytes of the callback that the store sent about it. */
async function caught(name) {
	const grant = JSON.parse((await send(`${server.app}/grant`)).text);
	const before = wire.requests.length;
	const got = await postForm(server.store, { key: grant.dir + name, ...grant.fields }, { name, type: "text/plain", content: "hello" });
	assert.equal(got.status, 200, got.text);
	const { url, headers, body } = wire.requests[before];
	return { grant, bytes: requestText("POST", url, { "Content-Type": headers["content-type"], Authorization: headers.authorization,
		"x-oss-pub-key-url": headers["x-oss-pub-key-url"] }, body.toString()) };
}

const stateOf = async ({ id, grant }) => JSON.parse((await send(`${server.app}/grants/${id}?grant=${grant}`)).text);

/** Delivers a callback and answers its webhook, if there is one, until nothing new comes of it. */
async function deliverWhole({ grant, bytes }) {
	await until("the upload is confirmed", async () => {
		const { raw } = open(server.app);
		let text = "";
		const ended = new Promise(done => raw.on("data", data => {
			text += data;
			if (text.includes("\r\n\r\n"))
				done(undefined);
		}).on("close", done));
		raw.write(bytes);
		let over = false;
		void ended.then(() => (over = true));
		while (!over) {
			answerWebhooks();
			await Promise.race([ended, pause(20)]);
		}
		raw.destroy();
		return (await stateOf(grant)).state === "confirmed";
	});
	assert.equal((await stateOf(grant)).uploads, 1);
}

/** Answers the webhooks that wait. */
function answerWebhooks() {
	for (const asked of webhook.waiting())
		asked.answer();
}

/** What the callback waits for: `close()` says so, and gives {reached, open}. */
const GATES = {
	"the store, about the object": () => {
		proxy.closed = ({ method }) => method === "HEAD";
		return { reached: () => proxy.arrived() > 0, open: () => proxy.open() };
	},
	"a check": () => {
		proxy.closed = ({ method }) => method === "GET";
		return { reached: () => proxy.arrived() > 0, open: () => proxy.open() };
	},
	"a webhook": () => ({ reached: () => webhook.count() > 0, open: answerWebhooks }),
};

/** When the connection is reset, and what it waits for comes. */
const ORDERS = {
	"before it comes": async (raw, gate, before) => {
		raw.resetAndDestroy();
		await until("the reset is noticed", async () => (await held(server)).connections <= before);
		await gate.open();
	},
	"as it comes": async (raw, gate) => {
		const opened = gate.open();
		raw.resetAndDestroy();
		await opened;
	},
	"a moment after it has come": async (raw, gate) => {
		const opened = gate.open();
		setImmediate(() => raw.resetAndDestroy());
		await opened;
	},
};

for (const [what, close] of Object.entries(GATES)) {
	for (const [order, end] of Object.entries(ORDERS)) {
		test(`a callback waits for ${what}, and is reset ${order}`, async () => {
			const before = await held(server);
			for (let round = 0; round < 3; round++) {
				const callback = await caught(`${round}.txt`);
				const gate = close();
				const connections = (await held(server)).connections;
				const { raw } = open(server.app);
				raw.write(callback.bytes);
				await until("it waits", gate.reached);
				await end(raw, gate, connections);
				await deliverWhole(callback);
			}
			await settled(server, before);
		});
	}
}

for (const [order, end] of Object.entries(ORDERS))
	test(`callbacks wait for the ledger, and are reset ${order}`, async t => {
		const before = await held(server);
		const callbacks = [];
		for (let i = 0; i < 6; i++)
			callbacks.push(await caught(`ledger-${i}.txt`));
		const release = await holdDatabase(t, join(server.data, "data", "ledger.db"));
		const connections = (await held(server)).connections;
		const raws = callbacks.map(({ bytes }) => {
			const { raw } = open(server.app);
			raw.write(bytes);
			return raw;
		});
		// All have been asked about, and wait for what nobody can write now.
		await until("they wait", async () => (await held(server)).outgoing_confirmations === 0
			&& (await held(server)).connections >= connections + raws.length);
		for (const [i, raw] of raws.entries())
			await end(raw, { open: i < raws.length - 1 ? async () => {} : release }, connections + raws.length - 1 - i);
		for (const callback of callbacks)
			await deliverWhole(callback);
		await settled(server, before);
	});

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
			await end(raw, { open: () => proxy.open() }, connections);
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
