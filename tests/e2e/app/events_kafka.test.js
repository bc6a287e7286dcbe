// SPDX-License-Identifier: Apache-2.0
// Events to a topic of Kafka: librdkafka's own cluster, whose brokers go away meanwhile.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { allDelivered, events, metric, SECRET, startAt, until, upload } from "../lib/events.js";
import { readMessage as read, startKafka } from "../lib/kafka.js";
import { startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async function properties(t, text) {
	const file = join(await temporaryFolder(t), "kafka.properties");
	await writeFile(file, text);
	return { POSTERN_APP_EVENTS_KAFKA_FILE: file };
}

/** So that a broker that is there again is found soon. */
const SOON = "# of the tests\nreconnect.backoff.max.ms = 200\nclient.id=tests\n";

test("an upload is a message with the object's key, signed; those of a key are in one partition", async t => {
	const kafka = await startKafka(t, "uploaded");
	const server = await startAt(t, kafka.url, { POSTERN_APP_EVENTS_STREAM: "uploaded", ...await properties(t, SOON) });
	const { key, id } = await upload(server, "hä \"b\".txt", "hello");
	await until("there", () => kafka.messages.length === 1);
	const event = read(kafka.messages[0]);
	assert.equal(event.type, "postern.upload.confirmed");
	assert.equal(event.subject, key);
	assert.equal(event.data.grantId, id);
	for (const content of ["1", "22", "333"])
		await upload(server, "same.txt", content);
	for (let i = 0; i < 8; i++)
		await upload(server, `${i}.txt`, "x", i === 0 ? { traceparent: TRACE } : {});
	await until("all are there", () => kafka.messages.length === 12);
	const same = kafka.messages.filter(message => message.key.endsWith("/same.txt"));
	assert.deepEqual(same.map(message => read(message).data.size), [1, 2, 3]);
	assert.equal(new Set(same.map(message => message.partition)).size, 1);
	const traced = kafka.messages.filter(({ headers }) => headers.traceparent);
	assert.deepEqual(traced.map(message => [message.headers.traceparent, read(message).traceparent]), [[TRACE, TRACE]]);
	assert.ok(new Set(kafka.messages.map(message => message.partition)).size > 1);
	await until("noted", async () => await metric(server, "delivered_total") === 12);
	assert.equal(await metric(server, "failed_total"), 0);
});

test("nothing is lost while brokers go away and fail", async t => {
	const kafka = await startKafka(t);
	const server = await startAt(t, kafka.url, await properties(t, SOON));
	const want = new Set();
	const some = async (round, count) => {
		for (let i = 0; i < count; i++)
			want.add((await upload(server, `${round}-${i}.txt`)).key);
		await upload(server, "same.txt", "x".repeat(round));
	};
	await some(1, 2);
	await until("there", () => kafka.messages.length >= 3);
	await kafka.tell("down");
	await some(2, 3);
	await kafka.tell("up");
	await some(3, 2);
	// librdkafka tries these again by itself, and gives up those.
	await allDelivered(server);
	await kafka.tell("lose 2");
	want.add((await upload(server, "lost.txt")).key);
	// A broker refuses what comes after the lost one until that is there. This one takes it, and then the
	// lost one for one that it has.
	await allDelivered(server);
	await some(4, 3);
	await kafka.tell("fail 2");
	await some(5, 3);
	await allDelivered(server);
	const told = () => kafka.messages.map(read);
	const keys = () => new Set(told().map(event => event.subject));
	const missing = () => [...want].filter(key => !keys().has(key));
	await until(() => `missing: ${missing()}; there: ${kafka.messages.map(({ partition, offset, key }) =>
		`${partition}/${offset} ${key}`)}; ${server.log}`, () => missing().length === 0);
	const sizes = () => told().filter(event => event.subject.endsWith("/same.txt")).map(event => event.data.size);
	await until("the last is there", () => sizes().includes(5));
	assert.deepEqual([...new Set(sizes())], [1, 2, 3, 4, 5]);
	assert.deepEqual(sizes(), [...sizes()].sort());
	assert.ok(await metric(server, "failed_total") > 0);
});

test("what a killed server has not delivered is delivered by the next", async t => {
	const kafka = await startKafka(t);
	const data = await temporaryFolder(t);
	const env = await properties(t, SOON);
	await kafka.tell("down");
	let server = await startAt(t, kafka.url, env, data);
	const { key } = await upload(server, "a.txt");
	await server.kill();
	await kafka.tell("up");
	server = await startAt(t, kafka.url, env, data);
	await allDelivered(server);
	await until("there", () => kafka.messages.length > 0);
	assert.deepEqual([...new Set(kafka.messages.map(message => read(message).subject))], [key]);
});

test("why it does not arrive is told, and the server stops meanwhile", async t => {
	const kafka = await startKafka(t);
	const env = { POSTERN_APP_EVENTS_TRIES: "1", ...await properties(t, SOON) };
	const refused = await startAt(t, kafka.url, env);
	await upload(refused, "a.txt");
	await until("there", () => kafka.messages.length === 1);
	await kafka.tell("fail 1");
	await upload(refused, "b.txt");
	await until("given up", async () => await metric(refused, "dead") === 1);
	assert.match(await events(refused, "show", "2"), /^fault +Kafka: .*authorization failed/m);
	const nobody = await startAt(t, (await closedPort()).replace("http", "kafka"), env);
	await upload(nobody, "a.txt");
	await until("given up", async () => await metric(nobody, "dead") === 1);
	assert.match(await events(nobody, "show", "1"), /^fault +Kafka: .*(refused|down)/m);
	await upload(nobody, "b.txt");
	await nobody.stop();
});

test("settings that do not hold are refused", async t => {
	const refused = async (pattern, env) => await assert.rejects(startServer(t, { env: {
		POSTERN_APP_EVENTS_URL: "kafka://127.0.0.1:9092", POSTERN_APP_EVENTS_SECRET: SECRET, ...env } }), pattern);
	await refused(/events_url: must be kafka:/, { POSTERN_APP_EVENTS_URL: "kafka://" });
	await refused(/events_url: must be kafka:/, { POSTERN_APP_EVENTS_URL: "kafka://a:1,,b" });
	await refused(/events_url: must be kafka:/, { POSTERN_APP_EVENTS_URL: "kafka://a:1/topic" });
	await refused(/events_stream: a topic of Kafka/, { POSTERN_APP_EVENTS_STREAM: "a b" });
	await refused(/events_user, events_password_file: are for/, { POSTERN_APP_EVENTS_USER: "a" });
	await refused(/events_kafka_file: line 2 is not NAME=VALUE/, await properties(t, "\nsasl.password\n"));
	await refused(/events_kafka_file: line 1: acks is set by postern/, await properties(t, "acks=1"));
	await refused(/events_kafka_file: librdkafka has no property "no.such"/, await properties(t, "no.such = 1"));
	await refused(/events_kafka_file: librdkafka does not take this value of "linger.ms"/,
		await properties(t, "linger.ms = soon"));
});
