// SPDX-License-Identifier: Apache-2.0
// kill -9 at a random moment under mixed load, restart on the same folder, and look: what was
// acknowledged is whole, what was not is there whole or not at all, what was deleted stays deleted,
// and no file is left that belongs to nothing.
//
// POSTERN_CRASH_ROUNDS makes it longer, POSTERN_CRASH_SEED repeats the choices of another run (not
// their timing).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { multipart, policy, request, signedFieldsV1 } from "../lib/oss.js";
import { pause, Server, startServer, temporaryFolder } from "../lib/server.js";

const ROUNDS = Number(process.env.POSTERN_CRASH_ROUNDS ?? 50);
const SEED = Number(process.env.POSTERN_CRASH_SEED ?? Date.now() % 1_000_000);
const BUCKET = "crash";
const WORKERS = 8;
const KEYS_EACH = 6;
/** Larger objects are files of their own (LIMIT_INLINE_BYTES). */
const INLINE_BYTES = 512 * 1024;
const DELETED = null;

/** Every version of every object has a number of its own. */
let versions = 0;

/** Numbers in [0, 1), the same for the same seed. */
function randomNumbers(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let x = Math.imul(state ^ (state >>> 15), state | 1);
		x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
		return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
	};
}

/** The bytes of a version: they say everywhere what they are. */
function contentOf(key, { version, size }) {
	return Buffer.alloc(size, `${key} v${version} s${size}; `);
}

function md5(bytes) {
	return `"${createHash("md5").update(bytes).digest("hex").toUpperCase()}"`;
}

/** The version that an object holds; an error if it is not one version, whole. */
function versionIn(key, bytes, etag) {
	const match = /^(\S+) v(\d+) s(\d+); /.exec(bytes.subarray(0, 100).toString("latin1"));
	assert.ok(match && match[1] === key, `${key} holds something else: ${bytes.subarray(0, 60)}`);
	const found = { version: Number(match[2]), size: Number(match[3]) };
	assert.ok(bytes.equals(contentOf(key, found)), `${key} is not whole: ${JSON.stringify(found)}`);
	assert.equal(etag, md5(bytes), key);
	return found;
}

const same = (a, b) => a === DELETED || b === DELETED ? a === b : a.version === b.version;

/**
 * For each key what was acknowledged last, and what has been asked for since without an answer.
 * Only one worker writes to a key, so these two are all that it may hold.
 */
class Model {
	acknowledged = new Map();
	pending = new Map();

	allows(key, found) {
		return same(found, this.acknowledged.get(key) ?? DELETED)
			|| (this.pending.has(key) && same(found, this.pending.get(key)));
	}

	settle(key, found) {
		this.acknowledged.set(key, found);
		this.pending.delete(key);
	}
}

class Load {
	done = 0;
	#ending = false;
	#failure = null;

	constructor(server, model, random) {
		this.url = `${server.store}/${BUCKET}`;
		this.model = model;
		this.random = random;
		this.workers = Array.from({ length: WORKERS }, (_, i) => this.#work(i));
	}

	/** After the server was killed. */
	async end() {
		this.#ending = true;
		await Promise.all(this.workers);
		if (this.#failure)
			throw this.#failure;
	}

	/** As fast as the answers come, until the connection breaks. */
	async #work(worker) {
		try {
			while (!this.#ending) {
				await this.#step(worker, Math.floor(this.random() * KEYS_EACH));
				this.done++;
			}
		} catch (error) {
			// fetch reports broken connections as TypeError; everything else is a finding.
			if (!(error instanceof TypeError))
				this.#failure ??= error;
		}
	}

	#step(worker, number) {
		const key = `w${worker}/k${number}`;
		const what = this.random();
		if (what < 0.15)
			return this.#change(key, DELETED, 204, { method: "DELETE" });
		if (what < 0.3)
			return this.#read(`w${Math.floor(this.random() * WORKERS)}/k${number}`);
		const next = { version: ++versions, size: this.#size() };
		const content = contentOf(key, next);
		if (what < 0.65)
			return this.#change(key, next, 200, { method: "PUT", body: content });
		const fields = signedFieldsV1(key, {}, { text: policy({ bucket: BUCKET }) });
		const { type, body } = multipart(fields, { content });
		return this.#change(key, next, 204, { method: "POST", body, headers: { "Content-Type": type } }, "");
	}

	#size() {
		const what = this.random();
		if (what < 0.7)
			return 40 + Math.floor(this.random() * 8000);
		if (what < 0.9)
			return 40 + Math.floor(this.random() * INLINE_BYTES / 2);
		return INLINE_BYTES - 1000 + Math.floor(this.random() * 2_000_000);
	}

	async #change(key, to, status, options, path = `/${key}`) {
		this.model.pending.set(key, to);
		const answer = await fetch(this.url + path, options);
		assert.equal(answer.status, status, `${options.method} ${key}`);
		await answer.arrayBuffer();
		this.model.settle(key, to);
	}

	/** A reader sees the old version or the new one, whole, whatever is going on. */
	async #read(key) {
		const answer = await fetch(`${this.url}/${key}`);
		const bytes = Buffer.from(await answer.arrayBuffer());
		if (answer.status !== 404)
			versionIn(key, bytes, answer.headers.get("etag"));
	}
}

/** Compares everything with the model, which then holds what is there. Gives the sizes. */
async function verify(server, model) {
	const found = new Map();
	for (let worker = 0; worker < WORKERS; worker++) {
		await Promise.all(Array.from({ length: KEYS_EACH }, async (_, i) => {
			const key = `w${worker}/k${i}`;
			const answer = await fetch(`${server.store}/${BUCKET}/${key}`);
			const bytes = Buffer.from(await answer.arrayBuffer());
			assert.ok([200, 404].includes(answer.status), `${key}: ${answer.status} ${bytes}`);
			const etag = answer.headers.get("etag");
			const version = answer.status === 404 ? DELETED : versionIn(key, bytes, etag);
			assert.ok(model.allows(key, version), `${key} holds ${JSON.stringify(version)}, not `
				+ `${JSON.stringify(model.acknowledged.get(key))} or ${JSON.stringify(model.pending.get(key))}`);
			model.settle(key, version);
			if (version)
				found.set(key, { size: String(version.size), etag });
		}));
	}
	const list = await request(server.store, "GET", BUCKET, "", { query: { "max-keys": "1000" } });
	const listed = new Map([...list.text.matchAll(/<Contents>(.*?)<\/Contents>/g)].map(([, xml]) => {
		const text = name => new RegExp(`<${name}>([^<]*)<`).exec(xml)[1].replace(/&quot;/g, "\"");
		return [text("Key"), { size: text("Size"), etag: text("ETag") }];
	}));
	assert.deepEqual([...listed].sort(), [...found].sort(), "the list says what is there");
	return [...found.values()].map(({ size }) => Number(size));
}

/** Sizes of all files below a folder, in order; null if one vanished meanwhile. */
async function fileSizes(folder) {
	try {
		const entries = await readdir(folder, { withFileTypes: true, recursive: true });
		const sizes = await Promise.all(entries.filter(entry => entry.isFile())
			.map(async entry => (await stat(join(entry.path, entry.name))).size));
		return sizes.sort((a, b) => a - b);
	} catch (error) {
		if (error.code === "ENOENT")
			return null;
		throw error;
	}
}

/** The size of a large file: behind the bytes are pages with the sums of its blocks. */
function withSums(size) {
	const blocks = Math.ceil(size / 65536);
	return (Math.ceil(size / 4096) + Math.ceil(blocks / 507)) * 4096;
}

/** The large files are those of the large objects; the collector may need a moment to get there. */
async function verifyNoOrphans(server, sizes) {
	const large = sizes.filter(size => size > INLINE_BYTES).map(withSums).sort((a, b) => a - b);
	const deadline = Date.now() + 60_000;
	let files = await fileSizes(join(server.data, "large"));
	while (files?.join() !== large.join() && Date.now() < deadline) {
		await pause(20);
		files = await fileSizes(join(server.data, "large"));
	}
	assert.deepEqual(files, large, "one file for each large object, of its size");
	const metrics = await fetch(`${server.console}/metrics`).then(got => got.text());
	const metric = name => Number(new RegExp(`^postern_store_${name} (\\d+)$`, "m").exec(metrics)[1]);
	assert.equal(metric("objects"), sizes.length);
	assert.equal(metric("object_bytes"), sizes.reduce((sum, size) => sum + size, 0));
}

async function verifyAll(server, model, when) {
	try {
		await verifyNoOrphans(server, await verify(server, model));
	} catch (error) {
		error.message = `${when}, POSTERN_CRASH_SEED=${SEED}: ${error.message}`;
		throw error;
	}
}

test(`${ROUNDS} times kill -9 under load`, { timeout: ROUNDS * 30_000 }, async t => {
	t.diagnostic(`POSTERN_CRASH_SEED=${SEED}`);
	const random = randomNumbers(SEED);
	const data = await temporaryFolder(t);
	const model = new Model();
	let operations = 0;
	for (let round = 0; round < ROUNDS; round++) {
		if (round > 0 && random() < 0.2) {
			// Recovery is interrupted too.
			const early = new Server(data, { command: "store" });
			await pause(random() * 100);
			await early.kill();
		}
		const server = await startServer(t, { data, command: "store" });
		if (round === 0)
			await request(server.store, "PUT", BUCKET, "", { headers: { "x-oss-acl": "public-read-write" } });
		else
			await verifyAll(server, model, `round ${round}`);
		const load = new Load(server, model, random);
		await pause(50 + random() * 500);
		await server.kill();
		await load.end();
		operations += load.done;
		assert.deepEqual(server.log.match(/^\S+ error .*$/gm) ?? [], [], `round ${round}, POSTERN_CRASH_SEED=${SEED}`);
	}
	t.diagnostic(`${operations} operations were acknowledged`);
	const last = await startServer(t, { data, command: "store" });
	await verifyAll(last, model, "in the end");
	await last.stop();
	const again = await startServer(t, { data, command: "store" });
	await verifyAll(again, model, "after a stop in good order");
});
