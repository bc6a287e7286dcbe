// SPDX-License-Identifier: Apache-2.0
// Events: what happens to uploads reaches a back end that fails, is slow, or is away.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { allDelivered, events, metric, SECRET, startAt, until, upload } from "../lib/events.js";
import { postForm, send } from "../lib/oss.js";
import { BIN, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OLD_SECRET = "the secret of the year before";

/** What a back end does with a request: the signature checked, the event read. */
function read({ headers, body }, secret = SECRET) {
	new Webhook(secret, secret.startsWith("whsec_") ? {} : { format: "raw" }).verify(body, headers);
	const event = HTTP.toEvent({ headers, body: body.toString() });
	event.validate();
	return event;
}

test("an upload is told of as a signed CloudEvent", async t => {
	const sink = await startSink(t, says("", 204));
	const server = await startAt(t, `${sink.url}/events?of=uploads`, { POSTERN_APP_EVENTS_SECRET_OLD: OLD_SECRET });
	const { key, id } = await upload(server, "h\u00e4 \"b\".txt", "hello");
	await until("delivered", () => sink.requests.length === 1);
	const [request] = sink.requests;
	assert.equal(request.method, "POST");
	assert.equal(request.url, "/events?of=uploads");
	const event = read(request);
	read(request, OLD_SECRET);
	assert.throws(() => read(request, "a secret that nobody has set"));
	assert.throws(() => read({ ...request, body: Buffer.from(`${request.body} `) }));
	assert.equal(event.type, "postern.upload.confirmed");
	assert.equal(event.subject, key);
	assert.equal(event.source, `${server.store}/uploads`);
	assert.equal(event.id, request.headers["webhook-id"]);
	assert.ok(Math.abs(Date.parse(event.time) - Date.now()) < 60_000);
	assert.equal(Number(event.sequence), 1);
	const { data } = event;
	assert.equal(data.object, key);
	assert.equal(data.bucket, "uploads");
	assert.equal(data.size, 5);
	assert.equal(data.mimeType, "text/plain");
	assert.equal(data.etag, "5D41402ABC4B2A76B9719D911017C592");
	assert.equal(data.grantId, id);
	assert.equal(data.confirmed, true);
	assert.equal(data.source, "callback");
	await until("counted", async () => await metric(server, "delivered_total") === 1
		&& await metric(server, "waiting") === 0);
	assert.equal(await metric(server, "failed_total"), 0);
});

test("a back end that fails gets it again, the events of a key in order, those of others meanwhile", async t => {
	let failures = 2;
	const sink = await startSink(t, (request, response) => {
		const { subject } = JSON.parse(request.body);
		response.writeHead(subject.endsWith("bad.txt") && failures-- > 0 ? 500 : 200);
		response.end();
	});
	const server = await startAt(t, sink.url);
	for (const content of ["1", "22", "333"])
		await upload(server, "bad.txt", content);
	await upload(server, "good.txt");
	await until("all", () => sink.requests.length === 6);
	const told = sink.requests.map(request => read(request)).map(event => `${event.subject.split("/").pop()} ${event.data.size}`);
	assert.deepEqual(told.filter(text => text.startsWith("bad")),
		["bad.txt 1", "bad.txt 1", "bad.txt 1", "bad.txt 2", "bad.txt 3"]);
	assert.ok(told.indexOf("good.txt 8") < told.indexOf("bad.txt 2"), "others do not wait");
	const [first, second] = sink.requests.filter(({ body }) => JSON.parse(body).data.size === 1);
	assert.equal(first.headers["webhook-id"], second.headers["webhook-id"]);
	await until("counted", async () => await metric(server, "delivered_total") === 4);
	assert.equal(await metric(server, "failed_total"), 2);
});

test("an event that cannot be delivered becomes a dead letter, and others go on", async t => {
	const url = await closedPort();
	const server = await startAt(t, url, { POSTERN_APP_EVENTS_TRIES: "2" });
	await upload(server, "a.txt");
	await until("given up", async () => await metric(server, "dead") === 1);
	assert.equal(await metric(server, "given_up_total"), 1);
	assert.equal(await metric(server, "failed_total"), 2);
	assert.equal(await metric(server, "waiting"), 0);
	await server.logged(/error event=evt_\w+ sequence=1 grant=\w+ .*it is given up/);
	assert.match(await events(server, "list", "--state", "dead"), /^1 +dead +2 .* upload.confirmed +"user-dir-prefix\/a.txt" /);
	assert.equal(await events(server, "list", "--state", "waiting"), "");
	assert.equal((await send(`${server.console}/ready`)).status, 200);
});

test("a dead letter lets later events of its key pass; replayed, it comes after them", async t => {
	let refused = 1;
	const sink = await startSink(t, (request, response) => {
		response.writeHead(JSON.parse(request.body).data.size === refused ? 500 : 200);
		response.end();
	});
	const server = await startAt(t, sink.url, { POSTERN_APP_EVENTS_TRIES: "2" });
	for (const content of ["1", "22", "333"])
		await upload(server, "same.txt", content);
	await until("passed", async () => await metric(server, "delivered_total") === 2);
	const told = () => sink.requests.map(request => read(request).data.size);
	assert.deepEqual(told(), [1, 1, 2, 3]);
	await until("given up", async () => await metric(server, "dead") === 1);
	refused = 0;
	await events(server, "replay", "1");
	await until("delivered", async () => await metric(server, "delivered_total") === 3);
	assert.deepEqual(told(), [1, 1, 2, 3, 1]);
	assert.ok(Number(read(sink.requests[4]).sequence) < Number(read(sink.requests[3]).sequence));
});

test("what a killed server has not delivered is delivered by the next", async t => {
	const data = await temporaryFolder(t);
	const seen = new Set();
	let answers = false;
	const sink = await startSink(t, (request, response) => {
		if (answers)
			seen.add(read({ headers: request.headers, body: request.body }).subject);
		else
			return;
		response.writeHead(200);
		response.end();
	});
	let server = await startAt(t, sink.url, {}, data);
	const keys = [];
	for (let i = 0; i < 40; i++)
		keys.push((await upload(server, `${i}.txt`)).key);
	await until("some are under way", () => sink.requests.length > 0);
	await server.kill();
	answers = true;
	server = await startAt(t, sink.url, {}, data);
	await until("all are delivered", () => seen.size === keys.length);
	assert.deepEqual([...seen].sort(), keys.sort());
	await allDelivered(server);
	await server.stop();
	const before = sink.requests.length;
	server = await startAt(t, sink.url, {}, data);
	await upload(server, "last.txt");
	await until("only what is new", () => sink.requests.length > before);
	assert.equal(read(sink.requests.at(-1)).data.object.split("/").pop(), "last.txt");
});

test("it stops while a back end does not answer", async t => {
	const sink = await startSink(t, () => undefined);
	const server = await startAt(t, sink.url);
	await upload(server, "a.txt");
	await until("under way", () => sink.requests.length === 1);
	await server.stop();
});

test("an upload whose callback was lost is told of once it is found", async t => {
	const sink = await startSink(t, says("{}"));
	const lost = await startSink(t, says("", 500));
	const server = await startAt(t, sink.url, { POSTERN_APP_CALLBACK_URL: `${lost.url}/lost`,
		POSTERN_STORE_CALLBACK_ALLOW: new URL(lost.url).host, POSTERN_APP_EXPIRE_SECONDS: "10",
		POSTERN_APP_RECONCILE_SECONDS: "1" });
	const [grant] = JSON.parse((await send(`${server.app}/grants`, "POST",
		{ "Content-Type": "application/json" }, JSON.stringify({ files: [{ name: "a.txt" }] }))).text).grants;
	const got = await postForm(server.store, { key: `${grant.dir}any.txt`, ...grant.fields },
		{ name: "a.txt", type: "text/plain", content: "a" }, { headers: { traceparent: TRACE } });
	assert.equal(got.status, 203, got.text);
	await until("told", () => sink.requests.length >= 1);
	const event = read(sink.requests[0]);
	assert.equal(event.type, "postern.upload.found");
	assert.equal(event.data.source, "store");
	assert.equal(event.data.grantId, grant.id);
	assert.equal(event.traceparent, undefined, "nobody has told of its trace");
	await server.logged(new RegExp(`info grant=${grant.id} no callback has decided it`));
});

test("the webhook has the same signature", async t => {
	const sink = await startSink(t, says("{\"ok\":true}"));
	const server = await startServer(t, { env: { POSTERN_APP_WEBHOOK_URL: sink.url,
		POSTERN_APP_EVENTS_SECRET: OLD_SECRET } });
	await upload(server, "a.txt");
	assert.equal(sink.requests.length, 1);
	const [{ headers, body }] = sink.requests;
	new Webhook(OLD_SECRET, { format: "raw" }).verify(body, headers);
	assert.match(headers["webhook-id"], /^msg_[0-9A-Za-z]{24}$/);
});

test("settings that do not hold are refused", async t => {
	const refused = async (env, pattern) => await assert.rejects(startServer(t, { env }), pattern);
	await refused({ POSTERN_APP_EVENTS_URL: "http://127.0.0.1:1/" }, /events_secret: must be set/);
	await refused({ POSTERN_APP_EVENTS_URL: "ftp://a/", POSTERN_APP_EVENTS_SECRET: SECRET }, /events_url: must be/);
	await refused({ POSTERN_APP_EVENTS_URL: "http://", POSTERN_APP_EVENTS_SECRET: SECRET }, /events_url: must name a host/);
	await refused({ POSTERN_APP_EVENTS_SECRET: "short" }, /events_secret: must be 24 to 64/);
	await refused({ POSTERN_APP_EVENTS_SECRET_OLD: OLD_SECRET }, /events_secret_old: is for a new/);
});

test("a dead letter that is replayed is delivered, under the same id", async t => {
	let status = 500;
	const sink = await startSink(t, (request, response) => {
		response.writeHead(status);
		response.end();
	});
	const server = await startAt(t, sink.url, { POSTERN_APP_EVENTS_TRIES: "1" });
	const { key, id } = await upload(server, "a.txt", "a", { traceparent: TRACE });
	await until("given up", async () => await metric(server, "dead") === 1);
	status = 200;
	const shown = await events(server, "show", "1");
	assert.match(shown, /^state +dead\ntries +1\nfault +answered with status 500\n/);
	const event = JSON.parse(/^event +(.*)$/m.exec(shown)[1]);
	assert.equal(event.subject, key);
	assert.deepEqual(event, JSON.parse(sink.requests[0].body));
	assert.equal(event.traceparent, TRACE);
	assert.equal(await events(server, "show", event.id), shown);
	assert.match(await events(server, "replay", event.id), /event 1 is delivered again/);
	await until("delivered", async () => await metric(server, "delivered_total") === 1);
	assert.equal(sink.requests.length, 2);
	assert.equal(read(sink.requests[1]).id, event.id);
	assert.equal(sink.requests[1].headers.traceparent, TRACE);
	const lines = () => server.log.split("\n").filter(line => line.includes(` event=${event.id} sequence=1 grant=${id} `));
	await until("its lines", () => lines().length === 3);
	assert.match(lines()[0], /error .* answered with status 500; it is given up$/);
	assert.match(lines()[1], /info .* replayed$/);
	assert.match(lines()[2], /info .* delivered$/);
	assert.match(await events(server, "list"), /^1 +delivered +1 /);
	await assert.rejects(events(server, "replay", "7"), { code: 2, stderr: /no event 7/ });
	await assert.rejects(events(server, "show", "7"), { code: 2 });
	await assert.rejects(events(server, "show", "evt_none"), { code: 2, stderr: /no event evt_none/ });
	await assert.rejects(events(server, "replay", "evt_none", "x"), { code: 2, stderr: /an ID is a number, .*or evt_/ });
	await assert.rejects(events(server, "show", "a"), { code: 2, stderr: /an ID is a number, .*or evt_/ });
	await assert.rejects(events(server, "list", "--state", "lost"), { code: 2 });
	await assert.rejects(events({ data: join(server.data, "nowhere") }, "list"), { code: 1 });
});

test("a command is run for each event until it says so, once each across its own restarts", async t => {
	const server = await startServer(t, { env: { POSTERN_APP_EVENTS: "true" } });
	for (const name of ["a.txt", "b.txt", "c.txt"])
		await upload(server, name);
	assert.match(await events(server, "list"), /^3 +kept .*\n2 +kept .*\n1 +kept /);
	const out = join(server.data, "followed");
	const lines = async file => (await readFile(file, "utf8")).trimEnd().split("\n").map(line => JSON.parse(line));
	await events(server, "follow", "--once", "--exec", `cat >> ${out}`);
	assert.deepEqual((await lines(out)).map(event => event.data.object.split("/").pop()), ["a.txt", "b.txt", "c.txt"]);
	await events(server, "follow", "--once", "--exec", `cat >> ${out}`);
	assert.equal((await lines(out)).length, 3);
	// Another follower, whose command fails at first and does not read.
	const other = join(server.data, "other");
	const tries = join(server.data, "tries");
	await writeFile(join(server.data, "command"), `echo x >> ${tries}; [ $(wc -l < ${tries}) -gt 2 ] || exit 1; cat >> ${other}`);
	const { stderr } = await promisify(execFile)(BIN, ["events", "follow", "--once", "--name", "other",
		"--exec", `. ${join(server.data, "command")}`, "--data", server.data]);
	assert.match(stderr, /error event=evt_\w+ sequence=1 grant=\w+ the command has not acknowledged it\n/);
	assert.deepEqual((await lines(other)).map(event => Number(event.sequence)), [1, 2, 3]);
	assert.equal((await readFile(tries, "utf8")).length / 2, 5);
	// It waits for what comes, and ends when it is asked to.
	const follower = spawn(BIN, ["events", "follow", "--exec", `cat >> ${out}`, "--data", server.data]);
	t.after(() => follower.kill("SIGKILL"));
	const ended = new Promise(done => follower.on("exit", (code, signal) => done(signal ?? code)));
	await upload(server, "d.txt");
	await until("followed", async () => (await lines(out)).length === 4);
	follower.kill("SIGTERM");
	assert.equal(await ended, 0);
});

test("a ledger that a later program wrote is left as it is, with a sentence", async t => {
	const server = await startServer(t, { env: { POSTERN_APP_EVENTS: "true" } });
	await server.stop();
	execFileSync("python3", ["-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 99')", join(server.data, "ledger.db")]);
	const why = /^\S+ error ledger: \S+ledger.db is of version 99, and this program knows version \d+ at most: use the one that wrote it, or a newer one$/m;
	const started = spawnSync(BIN, ["serve", "--data", server.data, "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"], { encoding: "utf8", timeout: 30_000 });
	assert.equal(started.status, 1, started.stderr);
	assert.match(started.stderr, why);
	assert.doesNotMatch(started.stderr, /not an error/);
	const listed = spawnSync(BIN, ["events", "list", "--data", server.data], { encoding: "utf8", timeout: 30_000 });
	assert.equal(listed.status, 1, listed.stderr);
	assert.match(listed.stderr, why);
	assert.doesNotMatch(listed.stderr, /has to be started/);
});
