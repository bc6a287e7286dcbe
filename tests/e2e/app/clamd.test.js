// SPDX-License-Identifier: Apache-2.0
// The check `virus`, with the real clamd and a signature of our own.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { postForm, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const BAD = "postern-test-signature-of-a-virus";
const STREAM_MAX = 3 * 1024 * 1024;
let server, data, clamd, port;

const ping = path => new Promise(done => {
	const socket = connect(path);
	socket.on("error", () => done(false));
	socket.on("data", text => {
		socket.destroy();
		done(text.toString().startsWith("PONG"));
	});
	socket.write("zPING\0");
});

async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, what());
		await new Promise(done => setTimeout(done, 200));
	}
}

/** With one signature, so that its start needs no network. */
async function startClamd() {
	const database = join(data, "signatures");
	const path = join(data, "clamd.sock");
	await mkdir(database, { recursive: true });
	await writeFile(join(database, "own.ndb"), `Postern.Test:0:*:${Buffer.from(BAD).toString("hex")}\n`);
	await writeFile(join(data, "clamd.conf"), `Foreground yes\nDatabaseDirectory ${database}\n`
		+ `LocalSocket ${path}\nFixStaleSocket yes\nTCPSocket ${port}\nTCPAddr 127.0.0.1\nStreamMaxLength ${STREAM_MAX}\nUser root\n`
			.replace(process.getuid() === 0 ? "" : "User root\n", ""));
	await chmod(data, 0o755);
	const process_ = spawn("clamd", ["--config-file", join(data, "clamd.conf")],
		{ stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
	const gone = new Promise(done => process_.on("close", done));
	let output = "";
	for (const stream of [process_.stdout, process_.stderr])
		stream.on("data", text => {
			output += text;
		});
	process_.on("error", error => {
		output += error;
	});
	await until(() => `clamd did not start: ${output}`, () => ping(path));
	return Object.assign(async () => {
		process_.kill("SIGCONT");
		process_.kill();
		await gone;
	}, { signal: name => process_.kill(name) });
}

/** `postern doctor` about the server: what it says of clamd. */
async function examine() {
	const host = url => new URL(url).host;
	const args = ["doctor", "serve", "--data", join(data, "data"), "--config", join(data, "postern.ini"),
		"--app-listen", host(server.app), "--store-listen", host(server.store)];
	const { stdout } = await promisify(execFile)(BIN, args).catch(error => error);
	return stdout.split("\n").find(line => / clamd /.test(line));
}

before(async () => {
	data = await temporaryFolder(all);
	port = Number(new URL(await closedPort()).port);
	clamd = await startClamd();
	all.after(() => clamd());
	const profile = (name, unknown) => `[profile ${name}]\nkey = ${name}/\${uuid}\nchecks = virus\n`
		+ `on_unknown = ${unknown}\n`;
	await writeFile(join(data, "postern.ini"), `[app]\nclamd = unix:${join(data, "clamd.sock")}\n`
		+ `reconcile_seconds = 1\n${profile("held", "pending")}${profile("strict", "reject")}`);
	server = await startServer(all, { data, args: ["--data", join(data, "data"), "--config",
		join(data, "postern.ini"), "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"] });
});

async function upload(profile, content, at = server) {
	const grant = JSON.parse((await send(
		`${at.app}/grant?profile=${profile}&filename=a.txt&type=text/plain`)).text);
	const got = await postForm(at.store, grant.fields, { name: "a.txt", type: "text/plain", content });
	return { grant, got };
}
const stateOf = async ({ grant }, at = server) => JSON.parse((await send(
	`${at.app}/grants/${grant.id}?grant=${grant.grant}`)).text);

test("a file with the signature is rejected, wherever it is; others are believed", async () => {
	const long = Buffer.alloc(2_500_000, "a");
	for (const content of ["clean", "", long]) {
		const done = await upload("strict", content);
		assert.deepEqual([done.got.status, done.got.text], [200, '{"Status":"OK"}']);
	}
	long.write(BAD, 2_100_000);
	for (const content of [BAD, long]) {
		const done = await upload("strict", content);
		const { state, reason, uploads } = await stateOf(done);
		assert.deepEqual([done.got.status, state, uploads], [203, "rejected", 0], done.got.text);
		assert.match(reason, /^a virus was found: user-dir-prefix\/strict\//);
	}
	// Across two pieces.
	const split = Buffer.alloc(2_000_000, "a");
	split.write(BAD, 1024 * 1024 - 10);
	assert.equal((await upload("strict", split)).got.status, 203);
	await server.logged(/a virus was found: "Postern\.Test[^"\\]*"/);
});

test("what is too long for clamd cannot be judged", async () => {
	const { got } = await upload("strict", Buffer.alloc(STREAM_MAX + 2 * 1024 * 1024, "a"));
	assert.equal(got.status, 203, got.text);
});

test("without clamd a file is pending until it is there again", async t => {
	await clamd();
	clamd = () => {};
	assert.match(await examine(), /^failed +clamd +unix:.* cannot be asked for viruses: .* Fix: start clamd/);
	const good = await upload("held", "clean");
	const bad = await upload("held", BAD);
	for (const one of [good, bad])
		assert.deepEqual([one.got.status, JSON.parse(one.got.text).Status, (await stateOf(one)).state],
			[200, "Pending", "pending"]);
	assert.equal((await upload("strict", "clean")).got.status, 203);
	clamd = await startClamd();
	await until(() => "the good one is found", async () => (await stateOf(good)).state === "found");
	await until(() => "the bad one is rejected", async () => (await stateOf(bad)).state === "rejected");
});

/** As a page of the classic samples. */
async function uploadClassic(content, at) {
	const token = JSON.parse((await send(`${at.app}/`)).text);
	const fields = { key: `${token.dir}${randomUUID()}.txt`, policy: token.policy, OSSAccessKeyId: token.accessid,
		success_action_status: "200", callback: token.callback, signature: token.signature };
	return postForm(at.store, fields, { name: "a.txt", type: "text/plain", content });
}

test("checks of [app] are those of the default profile, and of the others unless they say otherwise", async t => {
	await writeFile(join(data, "all.ini"), `[app]\nclamd = unix:${join(data, "clamd.sock")}\nreconcile_seconds = 1\n`
		+ "checks = virus\n[profile same]\nmax_size = 1000\n[profile free]\nchecks = none\n[profile strict]\non_unknown = reject\n");
	const other = await startServer(t, { args: ["--data", join(data, "all"), "--config", join(data, "all.ini"),
		...["app", "store", "console"].flatMap(part => [`--${part}-listen`, "127.0.0.1:0"])] });
	assert.equal((await uploadClassic("clean", other)).text, '{"Status":"OK"}');
	assert.equal((await uploadClassic(BAD, other)).status, 203);
	for (const [profile, status, state] of [["", 203, "rejected"], ["same", 203, "rejected"], ["free", 200, "confirmed"]]) {
		const done = await upload(profile, BAD, other);
		assert.deepEqual([done.got.status, (await stateOf(done, other)).state], [status, state], profile);
	}
	await clamd();
	clamd = () => {};
	const held = await upload("", "clean", other);
	assert.deepEqual([held.got.status, (await stateOf(held, other)).state], [200, "pending"]);
	const refused = await upload("strict", "clean", other);
	assert.deepEqual([refused.got.status, (await stateOf(refused, other)).state], [203, "rejected"]);
	// Nothing says where its object is, so that it cannot be decided later.
	assert.equal((await uploadClassic("clean", other)).status, 203);
	await until(() => "why", () => /status=503 .*refused="it could not be looked for viruses"/.test(other.log));
	clamd = await startClamd();
	await until(() => "found", async () => (await stateOf(held, other)).state === "found");
});

test("the doctor asks clamd for its version", async () => {
	assert.match(await examine(), /^ok +clamd +unix:.* answers as "ClamAV \d/);
});

test("clamd over TCP", async t => {
	const other = await startServer(t, { args: ["--data", join(data, "tcp"), "--config", join(data, "postern.ini"),
		"--app-clamd", `tcp:127.0.0.1:${port}`, ...["app", "store", "console"].flatMap(part =>
			[`--${part}-listen`, "127.0.0.1:0"])] });
	assert.equal((await upload("strict", "clean", other)).got.text, '{"Status":"OK"}');
	assert.equal((await upload("strict", BAD, other)).got.status, 203);
});

test("a clamd that hangs holds up none of the other grants", async t => {
	const lost = await startSink(t, says("", 500));
	await writeFile(join(data, "lost.ini"), `[app]\nclamd = unix:${join(data, "clamd.sock")}\nreconcile_seconds = 1\n`
		+ `expire_seconds = 10\ncallback_url = ${lost.url}/lost\n[store]\ncallback_allow = 127.0.0.1\n`
		+ "[profile held]\nkey = held/${uuid}\nchecks = virus\n[profile typed]\nkey = typed/${uuid}\nchecks = type\n"
		+ "[profile plain]\nkey = plain/${uuid}\n");
	const other = await startServer(t, { args: ["--data", join(data, "lost"), "--config", join(data, "lost.ini"),
		...["app", "store", "console"].flatMap(part => [`--${part}-listen`, "127.0.0.1:0"])] });
	clamd.signal("SIGSTOP");
	const held = [];
	for (let i = 0; i < 6; i++)
		held.push(await upload("held", i === 5 ? BAD : "clean", other));
	const free = [await upload("plain", "clean", other), await upload("typed", "clean", other)];
	for (const one of free)
		await until(() => "found", async () => (await stateOf(one, other)).state === "found");
	for (const one of held)
		assert.equal((await stateOf(one, other)).state, "issued");
	clamd.signal("SIGCONT");
	for (const one of held.slice(0, 5))
		await until(() => "found", async () => (await stateOf(one, other)).state === "found");
	await until(() => "rejected", async () => (await stateOf(held[5], other)).state === "rejected");
});

test("it stops while clamd hangs", async t => {
	const other = await startServer(t, { args: ["--data", join(data, "stops"), "--config", join(data, "lost.ini"),
		...["app", "store", "console"].flatMap(part => [`--${part}-listen`, "127.0.0.1:0"])] });
	clamd.signal("SIGSTOP");
	await upload("held", "clean", other);
	const plain = await upload("plain", "clean", other);
	await until(() => "found", async () => (await stateOf(plain, other)).state === "found");
	await other.stop();
	clamd.signal("SIGCONT");
});
