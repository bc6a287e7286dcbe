// SPDX-License-Identifier: Apache-2.0
// Connections that are reset while the callback on them waits: for the store, a check, the ledger
// or a webhook.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "../lib/events.js";
import { ORDERS, startGate } from "../lib/gate.js";
import { holdDatabase } from "../lib/ledger.js";
import { postForm, send } from "../lib/oss.js";
import { held, open, requestText, settled } from "../lib/reset.js";
import { cleanups, pause, startServer, temporaryFolder } from "../lib/server.js";
import { says, startLateSink, startSink } from "../lib/sink.js";

const all = cleanups();
let server, wire, webhook, proxy, clamd;

/** A clamd that finds nothing, and answers when it is let: `open()`. */
async function startScanner(t) {
	const waiting = [];
	const self = { closed: false, port: 0, arrived: () => waiting.length, open() {
		self.closed = false;
		for (const go of waiting.splice(0))
			go();
	} };
	const listener = createServer(socket => {
		let came = Buffer.alloc(0);
		socket.on("error", () => {}).on("data", data => {
			came = Buffer.concat([came, data]);
			if (came.length < 4 || came.readUInt32BE(came.length - 4) !== 0)
				return; // a chunk of no bytes is the end
			const answer = () => socket.end("stream: OK\0");
			if (self.closed)
				waiting.push(answer);
			else
				answer();
		});
	}).listen(0, "127.0.0.1");
	await once(listener, "listening");
	t.after(() => new Promise(done => listener.close(done)));
	self.port = listener.address().port;
	return self;
}

before(async () => {
	wire = await startSink(all, says("{\"Status\":\"caught\"}"));
	webhook = await startLateSink(all);
	proxy = await startGate(all, () => server);
	clamd = await startScanner(all);
	const data = await temporaryFolder(all);
	await writeFile(join(data, "postern.ini"), `[app]
store_url = ${proxy.url}/uploads
callback_url = ${wire.url}/hook
webhook_url = ${webhook.url}/hook
checks = object type virus
clamd = tcp:127.0.0.1:${clamd.port}
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
	"clamd": () => {
		clamd.closed = true;
		return { reached: () => clamd.arrived() > 0, open: () => clamd.open() };
	},
	"a webhook": () => ({ reached: () => webhook.count() > 0, open: answerWebhooks }),
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
				await end(raw, gate, { server, before: connections });
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
			await end(raw, { open: i < raws.length - 1 ? async () => {} : release },
				{ server, before: connections + raws.length - 1 - i });
		for (const callback of callbacks)
			await deliverWhole(callback);
		await settled(server, before);
	});
