// SPDX-License-Identifier: Apache-2.0
// The outbox of the application server: what is in it, who may read it, and delivering again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask } from "../lib/console_api.js";
import { events as command, metric, startAt, until, upload } from "../lib/events.js";
import { send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { startSink } from "../lib/sink.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let server, sink;
let status = 500;
before(async () => {
	sink = await startSink(all, (_, response) => {
		response.writeHead(status);
		response.end();
	});
	server = await startAt(all, sink.url, { POSTERN_APP_EVENTS_TRIES: "1" });
});
after(all.run);

async function list(query = {}, from = server) {
	const { json, text } = await ask(from, "GET", "/events", { query });
	assert.ok(json, text);
	return json;
}
const inState = async state => (await list({ state, limit: 100 })).events;
const code = answer => `${answer.status} ${answer.xml("Code")}`;

test("one that was given up, in the list and whole", async () => {
	const { key, id } = await upload(server, "h\u00e4 <b>.txt", "hello");
	await until("given up", async () => (await inState("dead")).length === 1);
	const { events: [event], next } = await list();
	assert.equal(next, "");
	const { time, since, ended, ...rest } = event;
	assert.deepEqual(rest, { id: "1", type: "postern.upload.confirmed", subject: key, state: "dead", tries: 1,
		fault: "answered with status 500", due: "" });
	for (const one of [time, since, ended])
		assert.ok(Math.abs(Date.parse(one) - Date.now()) < 60_000, one);
	const whole = (await ask(server, "GET", "/events/1")).json;
	const { event: text, ...same } = whole;
	assert.deepEqual(same, event);
	assert.equal(text, sink.requests[0].body.toString());
	assert.equal(JSON.parse(text).data.grantId, id);
});

test("it is delivered again, under the same id, and all of them", async () => {
	status = 204;
	const again = (await ask(server, "POST", "/events/1/replay")).json;
	assert.equal(again.id, "1");
	assert.ok(["waiting", "delivered"].includes(again.state), again.state);
	await until("delivered", async () => (await inState("delivered")).length === 1);
	assert.equal(sink.requests[1].headers["webhook-id"], sink.requests[0].headers["webhook-id"]);
	status = 500;
	for (let i = 0; i < 5; i++)
		await upload(server, i < 3 ? "same.txt" : `${i}.txt`, "x".repeat(i + 1));
	await until("given up", async () => (await inState("dead")).length === 5);
	status = 200;
	const count = sink.requests.length;
	assert.deepEqual((await ask(server, "POST", "/events/replay")).json, { replayed: 5 });
	await until("delivered", async () => (await inState("delivered")).length === 6);
	const told = sink.requests.slice(count).map(({ body }) => JSON.parse(body));
	assert.equal(told.length, 5);
	assert.deepEqual(told.filter(event => event.subject.endsWith("/same.txt")).map(event => event.data.size), [1, 2, 3]);
	assert.deepEqual((await ask(server, "POST", "/events/replay")).json, { replayed: 0 });
	await until("counted", async () => await metric(server, "dead") === 0);
});

test("the command delivers all dead letters again", async () => {
	status = 500;
	for (let i = 0; i < 3; i++)
		await upload(server, `command-${i}.txt`);
	await until("given up", async () => (await inState("dead")).length === 3);
	status = 200;
	assert.match(await command(server, "replay", "--state", "dead"), /^3 dead letters are delivered again/);
	await until("delivered", async () => (await inState("dead")).length === 0 && (await inState("waiting")).length === 0);
	await assert.rejects(command(server, "replay", "--state", "waiting"), { code: 2 });
	await assert.rejects(command(server, "replay", "--state", "dead", "1"), { code: 2 });
});

test("pages, newest first, of one state or of all", async () => {
	const ids = page => page.events.map(event => Number(event.id));
	const whole = ids(await list({ limit: 100 }));
	assert.deepEqual(whole, [...whole].sort((a, b) => b - a));
	const found = [];
	for (let after = ""; ;) {
		const page = await list({ limit: 2, state: "delivered", ...after && { after } });
		assert.ok(page.events.length <= 2 && page.events.every(event => event.state === "delivered"));
		found.push(...ids(page));
		if (!(after = page.next))
			break;
		assert.equal(after, page.events.at(-1).id);
	}
	assert.deepEqual(found, ids({ events: await inState("delivered") }));
	assert.deepEqual(await list({ state: "kept" }), { events: [], next: "" });
	for (const query of [{ limit: 0 }, { limit: 101 }, { limit: "x" }, { after: "-1" }, { after: "0" }, { state: "lost" }])
		assert.equal(code(await ask(server, "GET", "/events", { query })), "400 InvalidArgument", JSON.stringify(query));
});

test("what is not there", async () => {
	for (const path of ["/events/999999", "/events/0", `/events/${"9".repeat(25)}`]) {
		assert.equal(code(await ask(server, "GET", path)), "404 NoSuchEvent");
		assert.equal(code(await ask(server, "POST", `${path}/replay`)), "404 NoSuchEvent");
	}
	for (const path of ["/events/", "/events/x", "/events/1/", "/events/1/replayed", "/events1"])
		assert.equal((await ask(server, "GET", path)).status, 404, path);
	assert.equal((await ask(server, "POST", "/events")).headers.allow, "GET");
	assert.equal((await ask(server, "GET", "/events/1/replay")).headers.allow, "POST");
	assert.equal((await ask(server, "GET", "/events/replay")).headers.allow, "POST");
});

test("only who has a key reads it, or delivers", async () => {
	const count = sink.requests.length;
	const narrow = await assumeRole(server, allow(["oss:*"], ["*"]));
	for (const [method, path] of [["GET", "/events"], ["GET", "/events/1"], ["POST", "/events/1/replay"], ["POST", "/events/replay"]]) {
		assert.equal(code(await send(server.console + path, method)), "403 AccessDenied");
		assert.equal(code(await ask(server, method, path, { accessKey: { ...server.key, secret: "x" } })), "403 SignatureDoesNotMatch");
		assert.equal(code(await ask(server, method, path, { accessKey: { id: "nobody", secret: "x" } })), "403 InvalidAccessKeyId");
		assert.equal(code(await ask(server, method, path, { accessKey: narrow })), "403 AccessDenied");
	}
	assert.equal(sink.requests.length, count);
});

test("without events, an application server, or a file there is none of it", async t => {
	const config = async from => JSON.parse((await send(`${from.console}/console/config.json`)).text).events;
	assert.equal(await config(server), true);
	for (const how of [{}, { command: "store" }, { env: { POSTERN_APP_EVENTS: "true" }, args: ["--ephemeral",
		...["app", "store", "console"].flatMap(part => [`--${part}-listen`, "127.0.0.1:0"])] }]) {
		const other = await startServer(t, how);
		assert.equal(await config(other), false);
		assert.equal((await ask(other, "GET", "/events")).status, 404);
	}
});
