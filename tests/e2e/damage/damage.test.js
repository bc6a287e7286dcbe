// SPDX-License-Identifier: Apache-2.0
// Bits that the disk has flipped in what is stored: no wrong byte leaves the store, by whatever way.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { truncate } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { relative } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { damage, flipBit, forgetPages, whereIs } from "../lib/disk.js";
import { download, request, send } from "../lib/oss.js";
import { cleanups, Server, temporaryFolder } from "../lib/server.js";

const KIB = 1 << 10;
const MIB = 1 << 20;
const BLOCK = 64 * KIB;
const BUCKET = "open";
const run = promisify(execFile);
const all = cleanups();

let data, certificates;
/** By name: {key, bytes, at, early, version}; `at` is what was damaged, or undefined. */
const objects = new Map();

async function ok(answer) {
	const got = await answer;
	assert.ok(got.status === 200 || got.status === 204 || got.status === 206, `${got.status} ${got.text}`);
	return got;
}

const put = (store, key, body) =>
	ok(request(store, "PUT", BUCKET, key, { body }));

async function makeParts(store, key, parts) {
	const id = (await ok(request(store, "POST", BUCKET, key, { query: { uploads: "" } }))).xml("UploadId");
	for (const [i, body] of parts.entries())
		await ok(request(store, "PUT", BUCKET, key, { query: { partNumber: String(i + 1), uploadId: id }, body }));
	await ok(request(store, "POST", BUCKET, key, { query: { uploadId: id }, headers: { "x-oss-complete-all": "yes" } }));
	return Buffer.concat(parts);
}

async function append(store, key, pieces) {
	let position = 0;
	for (const body of pieces) {
		await ok(request(store, "POST", BUCKET, key, { query: { append: "", position: String(position) }, body }));
		position += body.length;
	}
	return Buffer.concat(pieces);
}

/** Each twice: one stays whole. `at` is the byte to damage; `early` that nothing can be sent before. */
const KINDS = [
	{ name: "small", size: 100, at: 50, early: true },
	{ name: "inline", size: 60 * KIB, at: 60 * KIB - 1, early: true },
	{ name: "long-inline", size: 300 * KIB, at: 299 * KIB, early: true },
	{ name: "large-first", size: 3 * MIB + 5, at: 10, early: true },
	{ name: "large-middle", size: 3 * MIB + 5, at: MIB + 700 },
	{ name: "large-last", size: 3 * MIB + 50, at: 3 * MIB + 49 },
	{ name: "huge", size: 40 * MIB + 1, at: 39 * MIB + 999 },
	{ name: "parts-file", parts: [150 * KIB, MIB + 9, 5], at: MIB },
	{ name: "parts-first", parts: [150 * KIB, MIB + 9, 20], at: 100, early: true },
	{ name: "parts-last", parts: [150 * KIB, MIB + 9, 20], at: 150 * KIB + MIB + 9 + 18 },
	{ name: "pieces-file", pieces: [10, MIB + 1, 77], at: MIB / 2 },
	{ name: "pieces-last", pieces: [10, MIB + 1, 77], at: 10 + MIB + 1 + 60 },
	{ name: "old-version", size: 2 * MIB, at: MIB + 500, version: true },
	{ name: "old-small-version", size: 1000, at: 999, early: true, version: true },
];

async function make(store, name, { size, parts, pieces, version }) {
	if (parts)
		return { key: name, bytes: await makeParts(store, name, parts.map(n => randomBytes(n))) };
	if (pieces)
		return { key: name, bytes: await append(store, name, pieces.map(n => randomBytes(n))) };
	const bytes = randomBytes(size);
	const id = (await put(store, name, bytes)).headers["x-oss-version-id"];
	if (version)
		await put(store, name, "newer");
	return { key: name, bytes, version: version ? id : undefined };
}

before(async () => {
	data = await temporaryFolder(all);
	certificates = await temporaryFolder(all);
	await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=store", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1",
		"-keyout", `${certificates}/store.key`, "-out", `${certificates}/store.crt`]);
	const server = new Server(data, {});
	await server.ready();
	const { store } = server;
	await ok(request(store, "PUT", BUCKET, "", { headers: { "x-oss-acl": "public-read" } }));
	for (const kind of KINDS.filter(({ version }) => !version))
		for (const name of [kind.name, `${kind.name}-whole`])
			objects.set(name, { ...kind, ...await make(store, name, kind) });
	await ok(request(store, "PUT", BUCKET, "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }));
	for (const kind of KINDS.filter(({ version }) => version))
		for (const name of [kind.name, `${kind.name}-whole`])
			objects.set(name, { ...kind, ...await make(store, name, kind) });
	for (const target of ["small", "large-middle"]) {
		const { bytes, at, early } = objects.get(target);
		await ok(request(store, "PUT", BUCKET, `link-${target}`, { query: { symlink: "" },
			headers: { "x-oss-symlink-target": target } }));
		objects.set(`link-${target}`, { key: `link-${target}`, bytes, at, early, link: true });
	}
	objects.set("sums", { key: "sums", bytes: randomBytes(MIB) });
	await put(store, "sums", objects.get("sums").bytes);
	objects.set("short", { key: "short", bytes: randomBytes(2 * MIB) });
	await put(store, "short", objects.get("short").bytes);
	await server.stop();
	for (const [name, object] of objects) {
		if (name.endsWith("-whole"))
			object.at = undefined;
		else if (!object.link && object.at !== undefined)
			Object.assign(object, await damage(data, object.bytes, object.at));
	}
});
after(all.run);

/** A server on the damaged folder; one at a time. */
async function onDamage(t, how, work) {
	const server = new Server(data, how);
	t.after(() => server.stop());
	await server.ready();
	try {
		await work(server);
	} finally {
		await server.stop();
	}
}

function urlOf(store, { key, version }) {
	return `${store}/${BUCKET}/${key}${version ? `?versionId=${version}` : ""}`;
}

/** A range with the damage in it, or one in the middle. */
function around({ bytes, at = bytes.length >> 1 }) {
	return { first: Math.max(0, at - 9), last: Math.min(bytes.length - 1, at + 9) };
}

function isRefused(got, what) {
	assert.equal(got.status, 500, what);
	assert.match(got.bytes.toString(), /<Code>InternalError<\/Code>/, what);
	assert.equal(got.complete, true, what);
	assert.equal(got.headers["x-oss-hash-crc64ecma"], undefined, what);
}

/** Bytes that are right, and end before the damaged block. */
function isCutOff(got, { bytes, at }, what) {
	assert.equal(got.status, 200, what);
	assert.equal(got.complete, false, `${what}: it is cut off`);
	assert.ok(got.bytes.length <= at, `${what}: ${got.bytes.length} bytes, the one at ${at} is wrong`);
	assert.ok(got.bytes.equals(bytes.subarray(0, got.bytes.length)), `${what}: what came is right`);
}

/** Reads every object in every way. `forget` is called before what was not read yet. */
async function readAll(store, forget = async () => {}) {
	const readable = [...objects.values()].filter(({ key }) => key !== "sums" && key !== "short");
	await forget();
	for (const object of readable) {
		const { key, bytes, at, early } = object;
		const whole = await download(urlOf(store, object));
		if (at === undefined) {
			assert.equal(whole.status, 200, key);
			assert.ok(whole.complete && whole.bytes.equals(bytes), `${key} is whole`);
		} else if (early) {
			isRefused(whole, key);
		} else {
			isCutOff(whole, object, key);
		}
	}
	await forget();
	for (const object of readable) {
		const { key, bytes, at } = object;
		const { first, last } = around(object);
		const range = await download(urlOf(store, object), { Range: `bytes=${first}-${last}` });
		if (at === undefined) {
			assert.equal(range.status, 206, key);
			assert.ok(range.bytes.equals(bytes.subarray(first, last + 1)), `${key}, a range`);
		} else {
			isRefused(range, `${key}, a range`);
		}
		assert.equal((await send(urlOf(store, object), "HEAD")).status, 200, key);
	}
}

test("over HTTP", t => onDamage(t, {}, async server => {
	await readAll(server.store);
	const { path, offset } = objects.get("large-middle");
	const block = offset - offset % BLOCK;
	const file = relative(data, path).replaceAll(".", "\\.");
	await server.logged(new RegExp(`is damaged: bucket=open key="?large-middle"? version=null file=${file} `
		+ `offset=${block} request=[0-9A-F]{24}`));
	await server.logged(new RegExp(`key="?old-version"? version=${objects.get("old-version").version} `));
	assert.match((await send(`${server.console}/metrics`)).text, /^postern_store_damaged_reads_total [1-9]/m);
}));

test("over TLS", t => onDamage(t, { env: {
	POSTERN_STORE_TLS_CERTIFICATE: `${certificates}/store.crt`,
	POSTERN_STORE_TLS_KEY: `${certificates}/store.key`,
} }, ({ store }) => readAll(store)));

test("from the disk", t => onDamage(t, {}, ({ store }) => readAll(store, () => forgetPages(data))));

test("a slow client gets no wrong byte either", t => onDamage(t, {}, async ({ store }) => {
	const { bytes } = objects.get("huge-whole");
	const got = await new Promise((done, fail) => {
		httpRequest(`${store}/${BUCKET}/huge-whole`, { agent: false }, async response => {
			const pieces = [];
			for await (const piece of response) {
				pieces.push(piece);
				if (pieces.length % 50 === 0)
					await new Promise(next => setTimeout(next, 2));
			}
			done(Buffer.concat(pieces));
		}).on("error", fail).end();
	});
	assert.ok(got.equals(bytes));
}));

test("ranges beside the damage are answered", t => onDamage(t, {}, async ({ store }) => {
	for (const name of ["large-middle", "huge", "parts-file"]) {
		const { bytes, at } = objects.get(name);
		for (const [first, last] of [[0, 999], [at - BLOCK * 3 + 1, at - BLOCK * 2], [at + BLOCK, at + BLOCK + 5],
			[at + BLOCK + 1, bytes.length - 1]]) {
			const got = await download(`${store}/${BUCKET}/${name}`, { Range: `bytes=${first}-${last}` });
			assert.equal(got.status, 206, name);
			assert.ok(got.complete && got.bytes.equals(bytes.subarray(first, last + 1)), `${name} ${first}-${last}`);
		}
	}
	const { bytes, at } = objects.get("large-middle");
	const first = at - at % BLOCK - 4 * BLOCK;
	const cut = await download(`${store}/${BUCKET}/large-middle`, { Range: `bytes=${first}-${at}` });
	assert.equal(cut.status, 206, "one that begins in front of it is cut off");
	assert.ok(!cut.complete && cut.bytes.length <= 4 * BLOCK
		&& cut.bytes.equals(bytes.subarray(first, first + cut.bytes.length)));
}));

test("damage that comes while all is known to be whole", t => onDamage(t, {}, async ({ store }) => {
	const bytes = randomBytes(3 * MIB + 50);
	await ok(request(store, "PUT", "uploads", "hot", { headers: { "x-oss-object-acl": "public-read" }, body: bytes }));
	const url = `${store}/uploads/hot`;
	// A file that was just written is checked each time.
	for (let i = 0; i < 25; i++) {
		assert.ok((await download(url)).bytes.equals(bytes));
		await new Promise(next => setTimeout(next, 50));
	}
	await damage(data, bytes, 2 * MIB + 5);
	isCutOff(await download(url), { bytes, at: 2 * MIB + 5 }, "damaged now");
	isRefused(await download(url, { Range: `bytes=${2 * MIB}-${2 * MIB + 99}` }), "a range");
}));

test("nothing is copied of what is damaged", t => onDamage(t, {}, async ({ store }) => {
	for (const object of objects.values()) {
		const { key, bytes, at, version, link } = object;
		if (link || key === "sums" || key === "short")
			continue; // of a link the link is copied
		const source = { "x-oss-copy-source": `/${BUCKET}/${key}${version ? `?versionId=${version}` : ""}` };
		const copied = await request(store, "PUT", "uploads", `copy-${key}`, { headers: source });
		assert.equal(copied.status, at === undefined ? 200 : 500, `${key}: ${copied.text}`);
		const there = await request(store, "GET", "uploads", `copy-${key}`);
		assert.equal(there.status, at === undefined ? 200 : 404, key);
		assert.ok(at !== undefined || there.body.equals(bytes), `${key} was copied`);

		const target = { query: { uploads: "" } };
		const id = (await ok(request(store, "POST", "uploads", "target", target))).xml("UploadId");
		const { first, last } = around(object);
		for (const [number, range] of [["1", {}], ["2", { "x-oss-copy-source-range": `bytes=${first}-${last}` }]]) {
			const part = await request(store, "PUT", "uploads", "target",
				{ query: { partNumber: number, uploadId: id }, headers: { ...source, ...range } });
			assert.equal(part.status, at === undefined ? 200 : 500, `${key}, part ${number}: ${part.text}`);
		}
		const parts = await ok(request(store, "GET", "uploads", "target", { query: { uploadId: id } }));
		assert.equal(parts.text.split("<PartNumber>").length - 1, at === undefined ? 2 : 0, key);
		if (at === undefined && bytes.length >= 100 * KIB) {
			await ok(request(store, "POST", "uploads", "target", { query: { uploadId: id },
				headers: { "x-oss-complete-all": "yes" } }));
			const made = await ok(request(store, "GET", "uploads", "target"));
			assert.ok(made.body.equals(Buffer.concat([bytes, bytes.subarray(first, last + 1)])), key);
		} else {
			await ok(request(store, "DELETE", "uploads", "target", { query: { uploadId: id } }));
		}
	}
}));

test("a file that is cut short, and sums that are damaged", async t => {
	const { bytes } = objects.get("short");
	const { path } = await whereIs(data, bytes.subarray(0, 100));
	// The sums stand behind the bytes; what is missing is in front of them.
	const sums = await whereIs(data, objects.get("sums").bytes.subarray(0, 100));
	await flipBit(sums.path, MIB + 40);
	await truncate(path, MIB);
	await onDamage(t, {}, async server => {
		isRefused(await download(`${server.store}/${BUCKET}/sums`), "sums");
		isRefused(await download(`${server.store}/${BUCKET}/short`), "short");
		await server.logged(/key="?short"? version=[0-9A-F]{16} file=large\/\S+ offset=2097152/);
		await server.logged(/key="?sums"? version=[0-9A-F]{16} file=large\/\S+ offset=1048576/);
	});
});
