// SPDX-License-Identifier: Apache-2.0
// Events to a stream of Redis: the real redis-server, which is killed meanwhile.
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { CloudEvent } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { allDelivered, events, metric, SECRET, startAt, until, upload } from "../lib/events.js";
import { startRedis } from "../lib/redis.js";
import { startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const STREAM = "postern-events";

/** What a back end does with an entry: the signature checked, the event read. */
function read({ event, ...headers }) {
	new Webhook(SECRET).verify(event, headers);
	const ret = new CloudEvent(JSON.parse(event));
	ret.validate();
	assert.equal(ret.id, headers["webhook-id"]);
	return ret;
}

async function passwordFile(t, text) {
	const file = join(await temporaryFolder(t), "password");
	await writeFile(file, `${text}\n`, { mode: 0o600 });
	return file;
}

test("an upload is an entry of the stream, signed, of the user and database that are set", async t => {
	const redis = await startRedis(t, { password: "the password of all" });
	await redis.ask("ACL", "SETUSER", "postern", "on", ">the password of one", "~uploaded", "+xadd", "+select");
	const server = await startAt(t, `redis://localhost:${redis.port}/3`, { POSTERN_APP_EVENTS_STREAM: "uploaded",
		POSTERN_APP_EVENTS_USER: "postern",
		POSTERN_APP_EVENTS_PASSWORD_FILE: await passwordFile(t, "the password of one") });
	const { key, id } = await upload(server, "hä \"b\".txt", "hello");
	await until("delivered", async () => await metric(server, "delivered_total") === 1);
	const entries = await redis.entries("uploaded", 3);
	assert.equal(entries.length, 1);
	assert.deepEqual(Object.keys(entries[0]), ["event", "webhook-id", "webhook-timestamp", "webhook-signature"]);
	const event = read(entries[0]);
	assert.equal(event.type, "postern.upload.confirmed");
	assert.equal(event.subject, key);
	assert.equal(event.data.grantId, id);
	assert.equal(event.data.size, 5);
	assert.doesNotMatch(server.log, /the password/);
	await upload(server, "b.txt", "b", { traceparent: TRACE });
	await until("delivered", async () => await metric(server, "delivered_total") === 2);
	const { traceparent, ...traced } = (await redis.entries("uploaded", 3))[1];
	assert.deepEqual([traceparent, read(traced).traceparent], [TRACE, TRACE]);
});

test("nothing is lost while Redis is killed again and again, and the events of a key stay in order", async t => {
	const redis = await startRedis(t);
	const server = await startAt(t, `redis+unix:${redis.socket}`);
	await chmod(redis.socket, 0o666);
	const want = new Set();
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 4; i++)
			want.add((await upload(server, `${round}-${i}.txt`)).key);
		await upload(server, "same.txt", "x".repeat(2 * round + 1));
		await redis.kill();
		await upload(server, "same.txt", "x".repeat(2 * round + 2));
		await redis.start();
		await chmod(redis.socket, 0o666);
	}
	await allDelivered(server);
	const told = (await redis.entries(STREAM)).map(read);
	const names = new Set(told.map(event => event.subject));
	for (const key of want)
		assert.ok(names.has(key), key);
	// An entry can be there twice: its answer was lost. It is the same event then.
	const same = told.filter(event => event.subject.endsWith("/same.txt"));
	assert.deepEqual([...new Set(same.map(event => event.data.size))], [1, 2, 3, 4, 5, 6]);
	assert.equal(new Set(same.map(event => event.id)).size, 6);
	assert.deepEqual(same.map(event => event.data.size), same.map(event => event.data.size).sort());
	assert.ok(await metric(server, "failed_total") > 0);
	await server.logged(/event=\S+ sequence=\d+ grant=\w+ Redis: .*; it is sent again later/);
	await server.logged(/events are delivered again/);
});

test("what a killed server has not delivered is delivered by the next", async t => {
	const redis = await startRedis(t);
	const url = `redis://127.0.0.1:${redis.port}`;
	const data = await temporaryFolder(t);
	await redis.kill();
	let server = await startAt(t, url, {}, data);
	const { key } = await upload(server, "a.txt");
	await server.kill();
	server = await startAt(t, url, {}, data);
	let waiting;
	await until("counted", async () => !Number.isNaN(waiting = await metric(server, "waiting")));
	assert.equal(waiting, 1, "never told before it is counted");
	await redis.start();
	await allDelivered(server);
	assert.deepEqual([...new Set((await redis.entries(STREAM)).map(read).map(event => event.subject))], [key]);
});

test("a stream that is to be short is trimmed", async t => {
	const redis = await startRedis(t);
	// Redis trims whole nodes.
	await redis.ask("CONFIG", "SET", "stream-node-max-entries", "2");
	const server = await startAt(t, `redis://127.0.0.1:${redis.port}`, { POSTERN_APP_EVENTS_STREAM_MAX: "4" });
	for (let i = 0; i < 12; i++)
		await upload(server, `${i}.txt`);
	await until("delivered", async () => await metric(server, "delivered_total") === 12);
	const kept = (await redis.entries(STREAM)).map(read);
	assert.ok(kept.length >= 4 && kept.length < 8, `${kept.length}`);
	assert.ok(kept.some(event => event.subject.endsWith("/11.txt")));
});

test("why Redis refuses is told", async t => {
	const redis = await startRedis(t, { password: "right" });
	const dead = async (server, fault) => {
		await upload(server, "a.txt");
		await until("given up", async () => await metric(server, "dead") === 1);
		const shown = await events(server, "show", "1");
		assert.match(shown, fault);
		await server.stop();
	};
	const env = { POSTERN_APP_EVENTS_TRIES: "1" };
	const url = `redis://127.0.0.1:${redis.port}`;
	await dead(await startAt(t, url, env), /^fault +Redis: NOAUTH /m);
	await dead(await startAt(t, url, { ...env, POSTERN_APP_EVENTS_PASSWORD_FILE: await passwordFile(t, "wrong") }),
		/^fault +Redis: WRONGPASS /m);
	const right = { ...env, POSTERN_APP_EVENTS_PASSWORD_FILE: await passwordFile(t, "right") };
	await redis.ask("SET", STREAM, "no stream");
	await dead(await startAt(t, url, right), /^fault +Redis: WRONGTYPE /m);
	await dead(await startAt(t, `${url}/99`, right), /^fault +Redis: ERR DB index is out of range/m);
	await dead(await startAt(t, (await closedPort()).replace("http", "redis"), env), /^fault +Redis: Connection refused/m);
	await dead(await startAt(t, "redis://no-such-host.invalid", env), /^fault +Redis: .*(name|Name|resolution)/m);
	await dead(await startAt(t, `redis+unix:${redis.folder}/other.sock`, env), /^fault +Redis: No such file/m);
});

test("it stops while Redis does not answer", async t => {
	const sockets = [];
	const silent = createServer(socket => {
		socket.on("error", () => undefined);
		sockets.push(socket);
	});
	await new Promise(done => silent.listen(0, "127.0.0.1", done));
	t.after(async () => {
		sockets.forEach(socket => socket.destroy());
		await new Promise(done => silent.close(done));
	});
	const server = await startAt(t, `redis://127.0.0.1:${silent.address().port}`);
	await upload(server, "a.txt");
	await until("under way", () => sockets.length === 1);
	await server.stop();
});

test("settings that do not hold are refused", async t => {
	const password = await passwordFile(t, "secret");
	const refused = async (url, pattern, env = {}) => await assert.rejects(startServer(t, { env: {
		POSTERN_APP_EVENTS_URL: url, POSTERN_APP_EVENTS_SECRET: SECRET, ...env } }), pattern);
	await refused("redis://a:b@host", /events_url: must be redis:/);
	await refused("redis://host:0", /events_url: must be redis:/);
	await refused("redis://host/name", /events_url: must be redis:/);
	await refused("redis+unix:redis.sock", /events_url: must be redis\+unix:/);
	await refused("rediss://host", /events_url: there is no TLS to Redis/);
	await refused("redis://host", /events_stream: must be set/, { POSTERN_APP_EVENTS_STREAM: "" });
	await refused("redis://host", /events_password_file: must be set/, { POSTERN_APP_EVENTS_USER: "a" });
	await refused("http://host/", /events_password_file: are for/, { POSTERN_APP_EVENTS_PASSWORD_FILE: password });
	await refused("redis://host", /events_kafka_file: is for/, { POSTERN_APP_EVENTS_KAFKA_FILE: password });
	await refused("redis://host", /events_password_file: there is no/, { POSTERN_APP_EVENTS_PASSWORD_FILE: `${password}-not` });
});
