// SPDX-License-Identifier: Apache-2.0
// `postern copy`: a data folder into Ceph and back, killed half-way and gone on with. All that can be asked
// for by the API is the same afterwards.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, createReadStream, existsSync, openSync, read, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Cluster } from "../lib/ceph.js";
import { request } from "../lib/oss.js";
import { BIN, cleanups, Server, temporaryFolder } from "../lib/server.js";
import { ok, versionsAt } from "../lib/versions.js";

const all = cleanups();
const cluster = new Cluster(all);
const UNSTABLE = ["date", "x-oss-request-id", "connection", "keep-alive", "x-oss-server-time"];
const DAMAGED = "these bytes will be damaged";
// What is told of them is more than a pipe holds: a key has 900 bytes, and four characters for each in the line.
const DAMAGED_KEYS = Array.from({ length: 25 }, (_, i) => `a-damaged${"\u0001".repeat(900)}${i}`);
let folder;
let source;
let before_;

const subresource = (store, bucket, name) => request(store, "GET", bucket, "", { query: { [name]: "" } });

const environment = () => ({ ...process.env, POSTERN_RADOS_CONFIG: cluster.config ?? "", POSTERN_RADOS_ID: "admin" });
const textOf = async stream => (await stream.toArray()).join("");

/** Runs `postern copy`. */
function copy(from, to, more = []) {
	return new Promise(done => execFile(BIN, ["copy", "--from", from, "--to", to, ...more], { env: environment() },
		(error, out, err) => done({ status: error ? error.code : 0, out, err })));
}

/**
 * The same, with a signal once it has told the first finding: the objects beside are under way then. It cannot have
 * ended, for nobody reads the rest of its findings, which do not go into the pipe, until the signal was sent.
 */
async function brokenOff(from, to, signal) {
	const pipe = join(await temporaryFolder(all), "pipe");
	execFileSync("mkfifo", [pipe]);
	const writes = openSync(pipe, constants.O_RDWR);
	const reads = openSync(pipe, constants.O_RDONLY);
	const child = spawn(BIN, ["copy", "--from", from, "--to", to],
		{ env: environment(), stdio: ["ignore", writes, "pipe"] });
	const ended = new Promise(end => child.on("exit", (status, by) => end({ status, signal: by })));
	const err = textOf(child.stderr.setEncoding("utf8"));
	closeSync(writes);
	assert.equal((await promisify(read)(reads, Buffer.alloc(1), 0, 1, null)).bytesRead, 1, "it tells something");
	child.kill(signal);
	const out = textOf(createReadStream("", { fd: reads, encoding: "utf8" }));
	return { ...await ended, out: await out, err: await err };
}

async function withServer(data, what) {
	const server = new Server(data, { env: { POSTERN_STORE_BACKEND: "local" } });
	await server.ready();
	try {
		return await what(server);
	} finally {
		await server.stop();
	}
}

/* ---- What is copied -------------------------------------------------------------------------- */

async function putParts(store, bucket, key, parts) {
	const uploadId = (await ok(request(store, "POST", bucket, key,
		{ query: { uploads: "" }, headers: { "x-oss-meta-of": "parts" } }))).xml("UploadId");
	for (const [i, body] of parts.entries())
		await ok(request(store, "PUT", bucket, key, { body, query: { partNumber: i + 1, uploadId } }));
	await ok(request(store, "POST", bucket, key, { query: { uploadId }, headers: { "x-oss-complete-all": "yes" } }));
}

const append = (store, bucket, key, position, body) =>
	request(store, "POST", bucket, key, { query: { append: "", position: String(position) }, body });

async function settings(store, bucket) {
	const set = (name, body) => ok(request(store, "PUT", bucket, "", { query: { [name]: "" }, body }));
	await set("cors", "<CORSConfiguration><CORSRule><AllowedOrigin>http://a.example</AllowedOrigin>"
		+ "<AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>");
	await set("lifecycle", "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>none/</Prefix><Status>Enabled</Status>"
		+ "<Expiration><Days>900</Days></Expiration></Rule></LifecycleConfiguration>");
	await set("tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>");
	await ok(request(store, "PUT", bucket, "", { query: { acl: "" }, headers: { "x-oss-acl": "public-read" } }));
}

async function fill(store) {
	const { put, configure, deleted, stored, versioned } = versionsAt(() => store);
	await ok(request(store, "PUT", "plain"));
	await settings(store, "plain");
	for (const key of DAMAGED_KEYS)
		await ok(put("plain", key, DAMAGED));
	await Promise.all(Array.from({ length: 40 }, (_, i) => ok(put("plain", `many/${i}`, `body ${i}`))));
	for (const size of [0, 600_000, 5_000_000])
		await ok(put("plain", `size/${size}`, randomBytes(size), { "Content-Type": "text/x-size", "Cache-Control": "no-cache" }));
	await putParts(store, "plain", "parts", [randomBytes(150_000), randomBytes(700_000), randomBytes(3)]);
	for (const [position, body] of [[0, "first "], [6, "second"]])
		await ok(append(store, "plain", "log", position, body));
	await ok(append(store, "plain", "empty-log", 0, ""));
	await ok(request(store, "PUT", "plain", "link", { query: { symlink: "" }, headers: { "x-oss-symlink-target": "parts" } }));
	await ok(put("plain", "tagged", "x", { "x-oss-tagging": "a=1&b=2", "x-oss-object-acl": "private", "x-oss-meta-a": "ä" }));
	await ok(put("plain", "ключ /+%\u0001", "an odd key"));
	await ok(request(store, "POST", "plain", "not-complete", { query: { uploads: "" } }));

	// "null" before versions were kept, and versions and markers, also of a key that has nothing else.
	await ok(request(store, "PUT", "kept"));
	await ok(put("kept", "k", "null, the oldest"));
	await ok(configure("kept", "Enabled"));
	await stored("kept", "k", "second");
	await deleted("kept", "k");
	await stored("kept", "k", randomBytes(700_000));
	await deleted("kept", "only-a-marker");
	await putParts(store, "kept", "k", [randomBytes(120_000), "end"]);
	await ok(append(store, "kept", "log", 0, "appended"));
	for (let i = 0; i < 12; i++)
		await stored("kept", "often", `version ${i}`);

	// Suspended: the version "null" is between others, or behind a marker "null".
	await versioned("was");
	await stored("was", "k", "with a number");
	await ok(configure("was", "Suspended"));
	await ok(put("was", "k", "null"));
	await ok(configure("was", "Enabled"));
	await stored("was", "k", "the newest");
	await stored("was", "gone", "older");
	await ok(configure("was", "Suspended"));
	await deleted("was", "gone");
}

/* ---- All that can be asked for --------------------------------------------------------------- */

/** The answer as a text, without what differs from request to request. */
function stable(answer, store) {
	const headers = Object.entries(answer.headers).filter(([name]) => !UNSTABLE.includes(name));
	if (answer.headers["content-type"] !== "application/xml")
		return JSON.stringify([answer.status, headers, createHash("sha256").update(answer.body).digest("hex")]);
	return `${answer.status} ${answer.text.replace(/<(RequestId|HostId)>[^<]*/g, "").replaceAll(new URL(store).host, "")}`;
}

async function listVersions(store, bucket) {
	const entries = [];
	let markers = {};
	for (;;) {
		const page = await ok(request(store, "GET", bucket, "",
			{ query: { versions: "", "encoding-type": "url", "max-keys": "20", ...markers } }));
		entries.push(...page.text.match(/<(Version|DeleteMarker)>.*?<\/\1>/gs) ?? []);
		if (page.xml("IsTruncated") !== "true")
			return entries;
		markers = { "key-marker": decodeURIComponent(page.xml("NextKeyMarker")), "version-id-marker": page.xml("NextVersionIdMarker") };
	}
}

/** Each answer by what was asked. */
async function everything(store) {
	const found = new Map();
	const add = async (name, answer) => void found.set(name, stable(await answer, store));
	const list = await ok(request(store, "GET", ""));
	for (const [bucket, name] of list.text.matchAll(/<Bucket>(?:(?!<.Bucket>).)*<Name>([^<]*).*?<.Bucket>/gs)) {
		found.set(name, bucket.replaceAll(new URL(store).host, ""));
		for (const what of ["acl", "cors", "lifecycle", "referer", "tagging", "versioning", "bucketInfo"])
			await add(`${name} ${what}`, subresource(store, name, what));
		for (const [at, entry] of (await listVersions(store, name)).entries()) {
			found.set(`${name} ${at}`, entry);
			if (entry.startsWith("<DeleteMarker>"))
				continue;
			const key = decodeURIComponent(/<Key>([^<]*)/.exec(entry)[1]);
			const versionId = /<VersionId>([^<]*)/.exec(entry)[1];
			const asked = [["HEAD", {}], ["GET", {}], ["GET", { acl: "" }], ["GET", { tagging: "" }], ["GET", { symlink: "" }]];
			await Promise.all(asked.map(([method, more]) => add(`${name} ${key} ${versionId} ${method} ${Object.keys(more)}`,
				request(store, method, name, key, { query: { versionId, ...more } }))));
		}
	}
	return found;
}

function same(got, want) {
	for (const [name, text] of want)
		assert.equal(got.get(name), text, name);
	assert.equal(got.size, want.size);
}

/** The store takes appends where they end, and its new versions are the newest. */
async function goesOn(store, kept) {
	const { put, read, stored } = versionsAt(() => store);
	await ok(append(store, "plain", "log", 12, " third"));
	assert.equal(await read("plain", "log"), "first second third");
	await ok(append(store, "plain", "empty-log", 0, "now"));
	for (const bucket of kept) {
		const old = (await listVersions(store, bucket)).filter(entry => entry.includes("<Key>k<"));
		const id = await stored(bucket, "k", "newer");
		const now = (await listVersions(store, bucket)).filter(entry => entry.includes("<Key>k<"));
		assert.equal(now.length, old.length + 1);
		assert.ok(now[0].includes(id) && now[0].includes("<IsLatest>true"), now[0]);
		assert.deepEqual(now.slice(1).map(each => each.replace(/<IsLatest>\w+/, "")), old.map(each => each.replace(/<IsLatest>\w+/, "")));
		assert.equal(await read(bucket, "k"), "newer");
	}
	await ok(put("plain", "many/1", "another"));
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/** Changes one byte of each that was stored; calling it again changes them back. */
function damage(data) {
	const [head, tail] = [DAMAGED.slice(0, 4), DAMAGED.slice(5)];
	let damaged = 0;
	for (const name of readdirSync(join(data, "segments"))) {
		const file = join(data, "segments", name);
		const bytes = readFileSync(file);
		for (let at = bytes.indexOf(tail); at >= 0; at = bytes.indexOf(tail, at + 1)) {
			assert.equal(bytes.toString("latin1", at - 5, at - 1), head);
			bytes[at - 1] ^= 0x20;
			damaged++;
		}
		writeFileSync(file, bytes);
	}
	assert.equal(damaged, DAMAGED_KEYS.length);
}

/** A folder whose versions have the numbers that others have in `source`. */
async function second() {
	const data = await temporaryFolder(all);
	await withServer(data, async ({ store }) => {
		const { deleted, stored, versioned } = versionsAt(() => store);
		await versioned("other");
		for (let i = 0; i < 60; i++)
			await stored("other", `k${i % 7}`, `body ${i}`);
		await deleted("other", "k3");
	});
	return data;
}

const FINDING = /^bucket=plain key="a-damaged[^"]*" version=null : its bytes are not what was stored/m;

before(async () => {
	folder = await temporaryFolder(all);
	source = await temporaryFolder(all);
	await withServer(source, async ({ store }) => {
		await fill(store);
		before_ = await everything(store);
	});
	await cluster.start();
});
after(all.run);

test("a folder is copied into another; what is damaged is told, and the rest is there", async () => {
	const target = join(folder, "local");
	const used = await withServer(source, () => copy(`local:${source}`, `local:${target}`));
	assert.equal(used.status, 1);
	assert.match(used.err, /is in use by another process/);
	assert.ok(!existsSync(target));
	damage(source);
	const stopped = await brokenOff(`local:${source}`, `local:${target}`, "SIGINT");
	assert.equal(stopped.status, 1, stopped.out);
	assert.match(stopped.err, /broken off; the same command goes on/);
	const damaged = await copy(`local:${source}`, `local:${target}`);
	assert.equal(damaged.status, 3, damaged.err);
	assert.match(damaged.out, FINDING);
	assert.match(damaged.out, new RegExp(`^findings: ${DAMAGED_KEYS.length}$`, "m"));
	assert.match(damaged.out, /^not copied: 1 multipart uploads/m);
	const server = new Server(target, { env: { POSTERN_STORE_BACKEND: "local" } });
	await assert.rejects(server.ready(), /is not whole: `postern copy` was broken off/);
	const backup = await new Promise(done => execFile(BIN, ["backup", "--data", target, join(folder, "backup")],
		(error, out, err) => done({ status: error?.code, err })));
	assert.equal(backup.status, 1);
	assert.match(backup.err, /is not whole: `postern copy` was broken off/);
	const other = await copy(`local:${await second()}`, `local:${target}`);
	assert.equal(other.status, 1);
	assert.match(other.err, /was begun as a copy of local:\S+, and this is local:/);
	assert.equal((await copy(`local:${source}`, `local:${target}`, ["--damaged"])).status, 3);
	damage(source);
	await withServer(target, async ({ store }) => {
		const versions = await listVersions(store, "plain");
		const had = [...before_].filter(([name]) => /^plain \d+$/.test(name)).map(([, entry]) => entry);
		assert.deepEqual(versions, had.filter(entry => !entry.includes("a-damaged")));
		await ok(versionsAt(() => store).configure("was", "Enabled"));
		await goesOn(store, ["kept", "was"]);
	});
	const again = await copy(`local:${source}`, `local:${target}`);
	assert.equal(again.status, 1);
	assert.match(again.err, /is not empty, .* is in it: choose one that is not there/);
});

cluster.test("into Ceph, killed half-way and gone on with, and back into a folder", async () => {
	damage(source);
	const killed = await brokenOff(`local:${source}`, "rados:", "SIGKILL");
	assert.equal(killed.signal, "SIGKILL", killed.err);
	damage(source);
	const done = await copy(`local:${source}`, "rados:", ["--verify"]);
	assert.equal(done.status, 0, done.out + done.err);
	const again = await copy(`local:${source}`, "rados:");
	assert.equal(again.status, 0, again.out + again.err);
	assert.match(again.out, /^copied: 0 versions, 0 bytes; (\d+) versions were there already\ncompared: 4 buckets, \1 versions/m);
	const back = join(folder, "back");
	const gateway = await cluster.startGateway();
	same(await everything(gateway.store), before_);
	await gateway.stop();
	const returned = await copy("rados:", `local:${back}`, ["--verify"]);
	assert.equal(returned.status, 0, returned.out + returned.err);
	assert.deepEqual(JSON.parse(readFileSync(join(back, "access_keys.json"), "utf8")),
		JSON.parse(readFileSync(join(source, "access_keys.json"), "utf8")));
	await withServer(back, async ({ store }) => {
		same(await everything(store), before_);
		await goesOn(store, ["kept"]);
	});
	const checked = spawn(BIN, ["fsck", "--data", back]);
	assert.equal(await new Promise(end => checked.on("exit", end)), 0);
	const other = await cluster.startGateway();
	await goesOn(other.store, ["kept"]);
	await other.stop();
	const differs = await copy(`local:${source}`, "rados:");
	assert.equal(differs.status, 3, differs.err);
	assert.match(differs.out, /^bucket=kept key="k" version=[0-9A-F]{16} : the target has it, and the source has not$/m);
	assert.match(differs.out, /^bucket=plain key="log" version=null : the target has other bytes$/m);
});

cluster.test("two folders into one namespace, and both back into one folder", async () => {
	const target = join(folder, "both");
	const one = await copy(`local:${source}`, "rados:both");
	assert.equal(one.status, 0, one.out + one.err);
	const two = await copy(`local:${await second()}`, "rados:both");
	assert.equal(two.status, 3, two.out + two.err);
	assert.match(two.out, /^findings: 1$/m, "both have a bucket for uploads");
	const back = await copy("rados:both", `local:${target}`, ["--verify"]);
	assert.equal(back.status, 0, back.out + back.err);
	const had = await withServer(target, async ({ store }) => await everything(store));
	assert.ok(had.size > before_.size);
	for (const [name, entry] of before_)
		assert.equal(had.get(name), entry, name);
	await promisify(execFile)(BIN, ["rebuild", "--data", target]);
	await withServer(target, async ({ store }) => same(await everything(store), had));
});
