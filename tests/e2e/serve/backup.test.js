// SPDX-License-Identifier: Apache-2.0
// `postern backup` and `postern restore`, with the server running: nothing that was answered is missing,
// and whatever is killed, the last backup is whole. (tests/unit/backup has more load, and smaller
// segments.)
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../lib/console_api.js";
import { flipBit } from "../lib/disk.js";
import { postForm, request, send } from "../lib/oss.js";
import { BIN, pause, Server, startServer, temporaryFolder } from "../lib/server.js";

const BUCKET = "uploads";
const SMALL = 1000;
const LARGE = 1 << 20;
const PART = 100 << 10;

function postern(...args) {
	return spawnSync(BIN, args, { encoding: "utf8" });
}

function backUp(data, to) {
	const done = postern("backup", "--data", data, to);
	assert.equal(done.status, 0, done.stderr);
	const match = /^backup (\d+): (\d+) files, (\d+) bytes; of these (\d+) files, (\d+) bytes are new\n$/.exec(done.stdout);
	assert.ok(match, done.stdout);
	const [number, files, bytes, newFiles, newBytes] = match.slice(1).map(Number);
	return { number, files, bytes, newFiles, newBytes };
}

function restore(from, data, ...more) {
	const done = postern("restore", "--data", data, ...more, from);
	assert.equal(done.status, 0, done.stderr);
	return done.stdout;
}

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204, `${got.status} ${got.text}`);
	return got;
}

const put = (store, key, body) => ok(request(store, "PUT", BUCKET, key, { body }));

async function putParts(store, key, body) {
	const begun = await ok(request(store, "POST", BUCKET, key, { query: { uploads: "" } }));
	const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun.text)[1];
	for (let at = 0, partNumber = 1; at < body.length; at += PART, partNumber++)
		await ok(request(store, "PUT", BUCKET, key,
			{ body: body.subarray(at, at + PART), query: { partNumber, uploadId } }));
	await ok(request(store, "POST", BUCKET, key,
		{ query: { uploadId }, headers: { "x-oss-complete-all": "yes" } }));
}

/** Writes some objects: a map of their bytes by key. */
async function putSome(store, prefix, count, size) {
	const objects = new Map();
	await Promise.all(Array.from({ length: count }, async (_, i) => {
		const body = randomBytes(size);
		await put(store, `${prefix}${i}`, body);
		objects.set(`${prefix}${i}`, body);
	}));
	return objects;
}

async function check(store, objects) {
	for (const [key, body] of objects)
		assert.ok((await ok(request(store, "GET", BUCKET, key))).body.equals(body), key);
}

async function withServer(data, what) {
	const server = new Server(data, {});
	await server.ready();
	try {
		return await what(server);
	} finally {
		await server.stop();
	}
}

/** Changes objects of its own until it is stopped. */
function load(store) {
	let stopped = false;
	const workers = Array.from({ length: 4 }, async (_, worker) => {
		for (let i = 0; !stopped; i++) {
			const key = `load/${worker}/${i % 5}`;
			if (i % 4 === 3)
				await ok(request(store, "DELETE", BUCKET, key));
			else if (i % 7 === 2)
				await putParts(store, key, randomBytes(2 * PART));
			else
				await put(store, key, randomBytes(i % 3 ? SMALL : LARGE));
		}
	});
	return async () => {
		stopped = true;
		await Promise.all(workers);
	};
}

/** All files below a folder, by their path in it. */
const filesIn = folder => existsSync(folder) ? readdirSync(folder, { recursive: true })
	.filter(name => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile()) : [];

test("a backup of a server under load is restored", async t => {
	const server = await startServer(t);
	const folder = await temporaryFolder(t);
	const [copy, data] = [join(folder, "copy"), join(folder, "data")];
	const { data: from, store } = server;
	// An upload in ledger and history, and a key of its own.
	const grant = JSON.parse((await send(`${server.app}/grant`)).text);
	assert.equal((await postForm(store, { key: `${grant.dir}a.txt`, ...grant.fields },
		{ name: "a.txt", type: "text/plain", content: "hello" })).status, 200);
	const added = /id +(\S+)\n.*secret +(\S+)/s.exec(postern("keys", "add", "--data", from).stdout);
	const accessKey = { id: added[1], secret: added[2] };
	const stopLoad = load(store);
	const objects = new Map([
		...await putSome(store, "small/", 40, SMALL),
		...await putSome(store, "large/", 10, LARGE),
	]);
	for (let i = 0; i < 3; i++) {
		objects.set(`parts/${i}`, randomBytes(3 * PART));
		await putParts(store, `parts/${i}`, objects.get(`parts/${i}`));
	}
	for (const key of ["small/3", "large/3"]) {
		await ok(request(store, "DELETE", BUCKET, key));
		objects.delete(key);
	}
	objects.set("small/4", randomBytes(LARGE));
	await put(store, "small/4", objects.get("small/4"));
	// Asynchronously: this process is the one that writes.
	for (let round = 0; round < 3; round++) {
		const child = spawn(BIN, ["backup", "--data", from, copy], { stdio: ["ignore", "ignore", "pipe"] });
		let said = "";
		child.stderr.setEncoding("utf8").on("data", text => {
			said += text;
		});
		assert.equal(await new Promise(done => child.once("close", done)), 0, said);
	}
	await stopLoad();
	await server.stop();

	restore(copy, data);
	for (const name of ["access_keys.json", "sts_key", "callback_key.pem", "callbacks.db", "ledger.db"])
		assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
	for (const name of filesIn(copy))
		assert.equal(statSync(join(copy, name)).mode & 0o777, 0o600, name);
	for (const name of ["access_keys.json", "sts_key", "callback_key.pem"])
		assert.deepEqual(readFileSync(join(data, name)), readFileSync(join(from, name)), name);
	await withServer(data, async server => {
		await check(server.store, objects);
		for (const key of ["small/3", "large/3"])
			assert.equal((await request(server.store, "GET", BUCKET, key)).status, 404);
		await ok(request(server.store, "GET", BUCKET, "small/1", { accessKey }));
		const state = JSON.parse((await send(
			`${server.app}/grants/${grant.id}?grant=${encodeURIComponent(grant.grant)}`)).text);
		assert.match(JSON.stringify(state), /a\.txt/, "the ledger has the upload");
		const { json } = await ask(server, "GET", "/callbacks", { query: { limit: 10 } });
		assert.deepEqual(json.callbacks.map(({ object }) => object), [`${grant.dir}a.txt`]);
		await put(server.store, "new", randomBytes(LARGE));
		await check(server.store, objects);
	});
});

test("the next backup copies what is new, and drops what has gone", async t => {
	const folder = await temporaryFolder(t);
	const copy = join(folder, "copy");
	const server = await startServer(t);
	const first = await putSome(server.store, "first/", 12, LARGE);
	const one = backUp(server.data, copy);
	assert.equal(one.newFiles, one.files);
	assert.ok(one.bytes > 12 * LARGE);
	const more = await putSome(server.store, "more/", 2, LARGE);
	await ok(request(server.store, "DELETE", BUCKET, "first/0"));
	first.delete("first/0");
	const two = backUp(server.data, copy);
	assert.equal(two.number, 2);
	assert.ok(two.newBytes > 2 * LARGE && two.newBytes < 4 * LARGE, `${two.newBytes}`);
	// The collector is woken by the deletion.
	for (let left = 13; left > 12;) {
		backUp(server.data, copy);
		left = filesIn(join(server.data, "large")).length - 1;
		await pause(20);
	}
	await server.stop();
	const three = backUp(server.data, copy);
	assert.ok(three.newBytes < LARGE, "also while nothing runs");
	const copies = filesIn(copy).filter(name => !/^(manifest|postern-backup)$/.test(name));
	assert.equal(copies.length, three.files, "what no backup needs any more is removed");
	assert.equal(copies.reduce((sum, name) => sum + statSync(join(copy, name)).size, 0), three.bytes);
	restore(copy, join(folder, "data"));
	await withServer(join(folder, "data"), async ({ store }) => {
		await check(store, first);
		await check(store, more);
		assert.equal((await request(store, "GET", BUCKET, "first/0")).status, 404);
	});
});

/** Starts a backup, and kills it when the folder has got so many more files. */
async function killedBackup(data, copy, files, signal = "SIGKILL") {
	const before = new Set(filesIn(copy));
	const child = spawn(BIN, ["backup", "--data", data, copy], { stdio: "ignore" });
	const ended = new Promise(done => child.once("close", (_, by) => done(by ?? "ended")));
	let end;
	for (;;) {
		if (filesIn(copy).filter(name => !before.has(name)).length >= files)
			break;
		end = await Promise.race([ended, pause(1)]);
		if (end)
			return { end };
	}
	child.kill(signal);
	return { child, end: signal === "SIGKILL" ? await ended : undefined, ended };
}

test("a backup that is killed leaves the one before", async t => {
	const folder = await temporaryFolder(t);
	const copy = join(folder, "copy");
	const server = await startServer(t);
	const first = await putSome(server.store, "first/", 30, LARGE);
	const refused = await killedBackup(server.data, copy, 1);
	assert.equal(refused.end, "SIGKILL");
	const none = postern("restore", "--data", join(folder, "none"), copy);
	assert.equal(none.status, 1);
	assert.match(none.stderr, /none has been made to its end/);
	assert.ok(!existsSync(join(folder, "none")));
	backUp(server.data, copy);
	const manifest = readFileSync(join(copy, "manifest"));
	await putSome(server.store, "more/", 60, LARGE);
	let killed = 0;
	for (const files of [1, 2, 5, 6, 7, 8, 20, 40, 60]) {
		const { end } = await killedBackup(server.data, copy, files);
		if (!readFileSync(join(copy, "manifest")).equals(manifest))
			break;
		killed += end === "SIGKILL";
		assert.match(postern("restore", "--check", copy).stdout, /^backup 1 of .*: it is whole\n$/);
	}
	assert.ok(killed > 3, `${killed} were killed before their end`);
	restore(copy, join(folder, "data"));
	await withServer(join(folder, "data"), ({ store }) => check(store, first));
});

test("while a backup is made nothing is removed, and afterwards it is", async t => {
	const copy = join(await temporaryFolder(t), "copy");
	const server = await startServer(t);
	const objects = await putSome(server.store, "o/", 60, LARGE);
	const large = () => filesIn(join(server.data, "large")).length;
	assert.equal(large(), 60);
	const { child, ended } = await killedBackup(server.data, copy, 10, "SIGSTOP");
	assert.ok(child, "it is stopped in the middle");
	for (const key of objects.keys())
		await ok(request(server.store, "DELETE", BUCKET, key));
	await server.logged(/a backup is being made/, 60_000);
	assert.equal(large(), 60);
	const another = postern("backup", "--data", server.data, `${copy}-2`);
	assert.equal(another.status, 1);
	assert.match(another.stderr, /another backup of .* is being made/);
	child.kill("SIGCONT");
	assert.equal(await ended, "ended");
	assert.match(postern("restore", "--check", copy).stdout, /it is whole/);
	await server.logged(/what was deleted is removed again/, 60_000);
	while (large() > 0)
		await pause(20);
	// A lock does not outlive who had it.
	await putSome(server.store, "p/", 60, LARGE);
	assert.equal((await killedBackup(server.data, copy, 3)).end, "SIGKILL");
	backUp(server.data, copy);
});

test("what is damaged or in the way is refused", async t => {
	const folder = await temporaryFolder(t);
	const copy = join(folder, "copy");
	const from = join(folder, "from");
	mkdirSync(from);
	let objects;
	await withServer(from, async ({ store }) => {
		objects = new Map([...await putSome(store, "small/", 3, SMALL), ...await putSome(store, "large/", 3, LARGE)]);
	});
	backUp(from, copy);
	const target = join(folder, "target");
	const refuses = (pattern, to = target) => {
		const { status, stderr } = postern("restore", "--data", to, copy);
		assert.equal(status, 1, stderr);
		assert.match(stderr, pattern);
	};
	refuses(/is not empty/, from);
	assert.ok(existsSync(join(from, "index")), "and left as it is");
	for (const [to, pattern] of [[from, /is not a backup, and not empty/], [join(from, "format"), /Not a directory/]])
		assert.match(postern("backup", "--data", from, to).stderr, pattern);
	assert.match(postern("backup", "--data", folder, join(folder, "x")).stderr, /is not a data folder/);
	assert.match(postern("restore", "--data", target, from).stderr, /is not a backup/);
	assert.equal(postern("backup").status, 2);
	assert.equal(postern("restore", copy, "another").status, 2);
	for (const name of filesIn(copy).filter(name => statSync(join(copy, name)).size > 0)) {
		const at = Math.floor(statSync(join(copy, name)).size / 2);
		await flipBit(join(copy, name), at);
		refuses(name === "manifest" ? /manifest is damaged/ : /is damaged: its bytes.*--damaged restores what is left/s);
		assert.deepEqual(filesIn(target), [], name);
		assert.equal(postern("restore", "--check", copy).status, 1, name);
		await flipBit(join(copy, name), at);
	}
	// What is left of it.
	const [lost, flipped] = filesIn(copy).filter(name => name.startsWith("large"));
	rmSync(join(copy, lost));
	await flipBit(join(copy, flipped), 100);
	refuses(/it is missing/);
	const done = postern("restore", "--damaged", "--data", target, copy);
	assert.equal(done.status, 3, done.stderr);
	assert.match(done.stderr, /does not have large\/.* whole/);
	await withServer(target, async ({ store }) => {
		let whole = 0;
		for (const [key, body] of objects)
			whole += await request(store, "GET", BUCKET, key)
				.then(got => got.status === 200 && got.body.equals(body), () => false);
		assert.equal(whole, objects.size - 2);
	});
});

test("a damaged data folder is copied, and told of", async t => {
	const folder = await temporaryFolder(t);
	const data = join(folder, "data");
	mkdirSync(data);
	await withServer(data, ({ store }) => putSome(store, "large/", 2, LARGE));
	const [name] = filesIn(join(data, "large"));
	await flipBit(join(data, "large", name), 1000);
	for (let round = 0; round < 2; round++) {
		const { status, stdout, stderr } = postern("backup", "--data", data, join(folder, "copy"));
		assert.equal(status, 3, "it is not taken for good the next time");
		assert.match(stdout, /1 places of the data folder are damaged/);
		assert.match(stderr, /large\/.* is damaged: its bytes are not those that were stored/);
	}
	const restored = postern("restore", "--data", join(folder, "restored"), join(folder, "copy"));
	assert.equal(restored.status, 3);
	assert.match(restored.stderr, /large\/.* was damaged already when it was copied/);
	const checked = postern("restore", "--check", join(folder, "copy"));
	assert.equal(checked.status, 3, checked.stdout);
	assert.match(checked.stdout, /it is what was copied, but 1 large files were damaged then/);
	// A record in the middle of the log.
	const [segment] = filesIn(join(data, "segments"));
	await flipBit(join(data, "segments", segment), 100);
	const { status, stdout, stderr } = postern("backup", "--data", data, join(folder, "copy"));
	assert.equal(status, 3);
	assert.match(stdout, /2 places of the data folder are damaged/);
	assert.match(stderr, /segment 0{15}1 is damaged at byte 64: changes 1 to 1 cannot be read/);
});

test("a restore that is killed leaves a folder that no server opens, and is done again", async t => {
	const folder = await temporaryFolder(t);
	const [copy, data] = [join(folder, "copy"), join(folder, "data")];
	const server = await startServer(t);
	const objects = await putSome(server.store, "o/", 40, LARGE);
	backUp(server.data, copy);
	const child = spawn(BIN, ["restore", "--data", data, copy], { stdio: "ignore" });
	const ended = new Promise(done => child.once("close", (_, by) => done(by)));
	while (filesIn(join(data, "large")).length < 3)
		await pause(1);
	child.kill("SIGKILL");
	assert.equal(await ended, "SIGKILL");
	await assert.rejects(new Server(data, {}).ready(), /`postern restore` was broken off/);
	restore(copy, data);
	await withServer(data, ({ store }) => check(store, objects));
});
