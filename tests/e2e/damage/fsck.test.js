// SPDX-License-Identifier: Apache-2.0
// `postern fsck`: a folder with every kind of object is clean; a bit that the disk has flipped in any kind
// of file is found and named; and nothing in the folder changes by it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { damage, flipBit, forgetSums, whereIs } from "../lib/disk.js";
import { request } from "../lib/oss.js";
import { BIN, cleanups, Server, temporaryFolder } from "../lib/server.js";

const KIB = 1 << 10;
const MIB = 1 << 20;
const BUCKET = "kinds";
const all = cleanups();

/** A stopped folder that each test copies. */
let whole;
const bytes = {
	small: randomBytes(100), inline: randomBytes(300 * KIB), large: randomBytes(3 * MIB + 5),
	part1: randomBytes(150 * KIB), part2: randomBytes(MIB + 9), part3: randomBytes(70),
	piece1: randomBytes(80), piece2: randomBytes(MIB + 1), piece3: randomBytes(77),
	old: randomBytes(1000), oldLarge: randomBytes(MIB), open: randomBytes(110 * KIB),
};
/** Version ids by key. */
const versions = {};

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204, `${got.status} ${got.text}`);
	return got;
}

async function begin(store, key) {
	return (await ok(request(store, "POST", BUCKET, key, { query: { uploads: "" } }))).xml("UploadId");
}

async function makeAll(store) {
	const put = (key, body, more = {}) => ok(request(store, "PUT", BUCKET, key, { body, ...more }));
	await ok(request(store, "PUT", BUCKET, ""));
	for (const key of ["small", "inline", "large"])
		await put(key, bytes[key]);
	await put("empty", Buffer.alloc(0));
	await put("link", undefined, { query: { symlink: "" }, headers: { "x-oss-symlink-target": "small" } });
	for (let i = 0; i < 200; i++)
		await put(`many/${i}`, Buffer.from(`object ${i}`));
	await ok(request(store, "DELETE", BUCKET, "many/7"));
	await put("many/8", "replaced");
	await put("many/9", undefined, { query: { tagging: "" },
		body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>" });
	const id = await begin(store, "parts");
	for (const [i, body] of [bytes.part1, bytes.part2, bytes.part3].entries())
		await put("parts", body, { query: { partNumber: String(i + 1), uploadId: id } });
	await ok(request(store, "POST", BUCKET, "parts", { query: { uploadId: id }, headers: { "x-oss-complete-all": "yes" } }));
	let position = 0;
	for (const body of [bytes.piece1, bytes.piece2, bytes.piece3]) {
		await ok(request(store, "POST", BUCKET, "pieces", { query: { append: "", position: String(position) }, body }));
		position += body.length;
	}
	const open = await begin(store, "open");
	await put("open", bytes.open, { query: { partNumber: "3", uploadId: open } });
	await ok(request(store, "PUT", BUCKET, "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }));
	for (const key of ["old", "oldLarge"]) {
		versions[key] = (await put(key, bytes[key])).headers["x-oss-version-id"];
		await put(key, "newer");
	}
	await ok(request(store, "DELETE", BUCKET, "many/10"));
}

before(async () => {
	whole = await temporaryFolder(all);
	const server = new Server(whole, {});
	await server.ready();
	await makeAll(server.store);
	await server.stop();
});
after(all.run);

async function copyOf(t) {
	const folder = await temporaryFolder(t);
	cpSync(whole, folder, { recursive: true, preserveTimestamps: true });
	return folder;
}

/** Every file with its bytes and times, as text. */
function imageOf(folder) {
	return readdirSync(folder, { recursive: true }).sort().map(name => {
		const { mode, mtimeMs, ctimeMs, ino, nlink, size } = statSync(join(folder, name));
		const sum = statSync(join(folder, name)).isFile() ?
			createHash("sha256").update(readFileSync(join(folder, name))).digest("hex") : "";
		return [name, mode, mtimeMs, ctimeMs, ino, nlink, size, sum].join(" ");
	});
}

async function run(t, data, args) {
	const temp = await temporaryFolder(t);
	const { status, stdout, stderr } =
		spawnSync(BIN, ["fsck", "--data", data, "--temp", temp, ...args], { encoding: "utf8" });
	assert.deepEqual(readdirSync(temp), [], "nothing is left in the other");
	const lines = stdout.trimEnd().split("\n");
	return { status, stdout, stderr, found: lines.filter(line => line.includes(" : ")) };
}

/** Runs it, and looks whether it leaves everything as it was. */
async function fsck(t, data, args = []) {
	const before = imageOf(data);
	const got = await run(t, data, args);
	assert.deepEqual(imageOf(data), before, "nothing in the folder has changed");
	return got;
}

/** What is found is one line, about that. */
function isFound(got, ...parts) {
	assert.equal(got.status, 1, got.stdout + got.stderr);
	assert.equal(got.found.length, 1, got.stdout);
	for (const part of parts)
		assert.ok(got.found[0].includes(part), `${part}: ${got.found[0]}`);
}

test("a folder with every kind of object is clean", async t => {
	const data = await copyOf(t);
	const got = await fsck(t, data);
	assert.equal(got.status, 0, got.stdout + got.stderr);
	assert.match(got.stdout, /^checked: \d{3} objects, 4 older versions and markers, 1 uploads, 7 parts: \d{7,8} bytes/);
	assert.match(got.stdout, /^garbage: [1-9]\d* bytes of the log, 0 files$/m);
	assert.match(got.stdout, /^findings: 0$/m);
	assert.doesNotMatch(got.stdout, /not compared|sums of their blocks|cut off/);
	const json = await fsck(t, data, ["--json"]);
	assert.equal(json.status, 0);
	assert.equal(JSON.parse(json.stdout).findings, 0);
	assert.equal(JSON.parse(json.stdout).compared, true);
});

/** By name: the byte of what was put that is flipped, and what has to be said. */
const BODIES = [
	["small", 50, ["key=\"small\"", "version=null"]],
	["inline", 299 * KIB, ["key=\"inline\"", "version=null"]],
	["large", MIB + 700, ["key=\"large\"", "version=null", "offset=1048576"]],
	["part1", 9, ["key=\"parts\"", "part=1"]],
	["part2", MIB + 3, ["key=\"parts\"", "part=2", "offset=1048576"]],
	["part3", 69, ["key=\"parts\"", "part=3"]],
	["piece1", 5, ["key=\"pieces\"", "part=1 "]],
	["piece2", 100 * KIB, ["key=\"pieces\"", "part=81 ", "offset=65536"]],
	["piece3", 70, ["key=\"pieces\"", `part=${80 + MIB + 1 + 1} `]],
	["old", 500, ["key=\"old\""]],
	["oldLarge", 0, ["key=\"oldLarge\"", "offset=0"]],
	["open", 1000, ["key=\"open\"", "part=3"]],
];

for (const [name, at, said] of BODIES)
	test(`a bit is flipped in the bytes of ${name}`, async t => {
		const data = await copyOf(t);
		const { path } = await damage(data, bytes[name], at);
		const version = versions[name] ? [`version=${versions[name]}`] : [];
		isFound(await fsck(t, data), `bucket=${BUCKET} `, `file=${relative(data, path)} `, "offset=", ...said, ...version);
	});

test("a bit is flipped in the head of a record, and in its key", async t => {
	for (const before of [48, 1]) {
		const data = await copyOf(t);
		const { path, offset } = await whereIs(data, Buffer.from("many/42\x01"));
		await flipBit(path, offset - before);
		isFound(await fsck(t, data), `file=${relative(data, path)} `, `offset=${offset - 48} `, "key=\"many/42\"",
			"the record is damaged");
	}
});

test("a bit is flipped in a record that nothing needs", async t => {
	const data = await copyOf(t);
	const { path, offset } = await whereIs(data, Buffer.from("many/7\x01"));
	await flipBit(path, offset);
	const got = await fsck(t, data);
	assert.equal(got.status, 1, got.stdout);
	assert.ok(got.found.some(line => line.includes(`offset=${offset - 48} : the log is damaged`)), got.stdout);
});

test("a bit is flipped in the header of a segment", async t => {
	const data = await copyOf(t);
	await flipBit(join(data, "segments/0000000000000001.seg"), 25);
	isFound(await fsck(t, data), "file=segments/0000000000000001.seg offset=0 : the segment's header is damaged");
});

test("a bit is flipped between two records", async t => {
	const data = await copyOf(t);
	const { path, offset } = await whereIs(data, Buffer.from("many/42\x01"));
	const log = readFileSync(path);
	let at = offset - 48;
	let end;
	do { // to one whose length is no multiple of 8
		end = at + 48 + log.readUInt16LE(at + 6) + log.readUInt32LE(at + 8) + log.readUInt32LE(at + 12);
		at = Math.ceil(end / 8) * 8;
	} while (end === at);
	await flipBit(path, end);
	const got = await fsck(t, data);
	isFound(got, `file=${relative(data, path)} `, "something else than zeros");
});

test("a bit is flipped in sums of blocks, and behind them", async t => {
	for (const at of [100, 4000, 4090]) {
		const data = await copyOf(t);
		const { path } = await whereIs(data, bytes.large.subarray(0, 100));
		const sums = Math.ceil(bytes.large.length / 4096) * 4096;
		await flipBit(path, sums + at);
		isFound(await fsck(t, data), "key=\"large\"", `file=${relative(data, path)} offset=${sums} `, "sums");
	}
	const data = await copyOf(t);
	const { path } = await whereIs(data, bytes.large.subarray(0, 100));
	await flipBit(path, bytes.large.length + 1);
	isFound(await fsck(t, data), "key=\"large\"", `offset=${bytes.large.length + 1} `, "else than zeros");
});

test("a bit is flipped anywhere in a table of the index", async t => {
	const [name] = readdirSync(join(whole, "index")).filter(name => name.endsWith(".sst"));
	const size = statSync(join(whole, "index", name)).size;
	const missed = [];
	for (let i = 0; i < 12; i++) {
		const at = Math.floor(size * i / 12) + 5;
		const data = await copyOf(t);
		await flipBit(join(data, "index", name), at);
		const got = await fsck(t, data);
		if (got.status !== 1 || !got.found.some(line => line.includes(`file=index/${name} `)))
			missed.push(`${at} of ${size}: ${got.status} ${got.stdout} ${got.stderr}`);
	}
	assert.deepEqual(missed, []);
});

test("a damaged index does not hide a damaged object", async t => {
	const data = await copyOf(t);
	for (const name of readdirSync(join(data, "index")).filter(name => name.endsWith(".sst")))
		await flipBit(join(data, "index", name), 100);
	await damage(data, bytes.large, 5);
	const got = await fsck(t, data);
	assert.equal(got.status, 1);
	assert.equal(got.found.length, 2, got.stdout);
	assert.match(got.found[0], /^file=index\/\d+\.sst .*: Corruption/);
	assert.match(got.found[1], /key="large" version=null file=large\/.* offset=0 : a block/);
	rmSync(join(data, "index"), { recursive: true });
	assert.match((await fsck(t, data)).found[0], /^file=index : there is no index$/);
});

test("a file is missing, is cut short, or belongs to nothing", async t => {
	const { path } = await whereIs(whole, bytes.large.subarray(0, 100));
	const name = relative(whole, path);
	const missing = await copyOf(t);
	rmSync(join(missing, name));
	isFound(await fsck(t, missing), "key=\"large\"", `file=${name} `, "missing");
	const short = await copyOf(t);
	truncateSync(join(short, name), 2 * MIB);
	isFound(await fsck(t, short), "key=\"large\"", `file=${name} offset=${2 * MIB} `, "cut short");
	const more = await copyOf(t);
	mkdirSync(join(more, "large/0000000000000"), { recursive: true });
	writeFileSync(join(more, "large/0000000000000/0000000000000000"), "nothing's");
	isFound(await fsck(t, more), "file=large/0000000000000/0000000000000000 : the file belongs to nothing");
});

test("a log that was cut short", async t => {
	const data = await copyOf(t);
	const { path, offset } = await whereIs(data, bytes.old.subarray(0, 100));
	truncateSync(path, offset);
	const got = await fsck(t, data);
	assert.equal(got.status, 1);
	assert.ok(got.found.some(line => line.includes("key=\"old\"") && line.includes(`version=${versions.old}`)), got.stdout);
	assert.ok(got.found.every(line => !line.includes("key=\"many/1\"")), got.stdout);
});

test("large files without sums of their blocks are counted", async t => {
	const data = await copyOf(t);
	const changed = await forgetSums(data);
	assert.ok(changed >= 4, `${changed}`);
	const server = new Server(data, {});
	await server.ready();
	await server.stop();
	const got = await fsck(t, data);
	assert.equal(got.status, 0, got.stdout + got.stderr);
	assert.match(got.stdout, new RegExp(`^${changed} large files have no sums of their blocks`, "m"));
	await damage(data, bytes.large, MIB);
	isFound(await fsck(t, data), "key=\"large\"", "another CRC-64");
});

test("a folder whose server was killed is clean", async t => {
	const data = await copyOf(t);
	const server = new Server(data, {});
	await server.ready();
	await makeMore(server.store);
	process.kill(server.pid, "SIGKILL");
	await server.gone;
	const got = await fsck(t, data);
	assert.equal(got.status, 0, got.stdout + got.stderr);
	assert.doesNotMatch(got.stdout, /not compared/);
});

async function makeMore(store) {
	await ok(request(store, "PUT", "more", ""));
	for (let i = 0; i < 20; i++)
		await ok(request(store, "PUT", "more", `k${i}`, { body: i % 5 ? "text" : bytes.large }));
	for (let i = 0; i < 10; i++)
		await ok(request(store, "DELETE", "more", `k${i}`));
	await ok(request(store, "DELETE", BUCKET, "parts"));
}

test("a folder in use is checked as of one position of the log", async t => {
	const data = await copyOf(t);
	const server = new Server(data, {});
	await server.ready();
	try {
		await makeMore(server.store);
		const well = await run(t, data, []);
		assert.equal(well.status, 0, well.stdout + well.stderr);
		assert.match(well.stdout, /^the folder is in use: checked as of segment [\da-f]{16} offset \d+$/m);
		assert.doesNotMatch(well.stdout, /not compared/);
		assert.ok(!readdirSync(data).includes("index.check"), "no copy of the index is left");
		assert.match(well.stdout, /^checked: 2\d\d objects/m);
		const tables = readdirSync(join(data, "index")).filter(name => name.endsWith(".sst"));
		const flipAll = () => Promise.all(tables.map(name => flipBit(join(data, "index", name), 100)));
		await flipAll();
		isFound(await run(t, data, []), "file=index/", "Corruption");
		await flipAll();
		await damage(data, bytes.large, MIB);
		isFound(await run(t, data, []), "key=\"large\"", "a block of 64 KiB is damaged");
	} finally {
		await server.stop();
	}
});

test("without a folder it is refused", async t => {
	const data = await copyOf(t);
	const nowhere = join(data, "nowhere");
	assert.equal(spawnSync(BIN, ["fsck", "--data", nowhere]).status, 2);
	assert.ok(!readdirSync(data).includes("nowhere"));
	assert.equal(spawnSync(BIN, ["fsck", "something"]).status, 2);
});
