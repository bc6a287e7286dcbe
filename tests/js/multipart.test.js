// SPDX-License-Identifier: Apache-2.0
// Large files in parts, against a server in memory that behaves as the tests tell it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeNetwork, FakeStack, errorXml, settle } from "./support.js";
import { Crc64 } from "../../web/client/crc64.js";
import { multipart } from "../../web/client/multipart.js";
import { createUploader } from "../../web/client/postern-upload.js";
import { createProof } from "../../web/client/proof.js";
import { createResume, identity } from "../../web/client/resume.js";

const PART = 1000;
const sumOf = bytes => String(new Crc64().update(bytes).value);
const proof = createProof({ worker: () => {
	throw new Error("no workers here");
} });

function largeFile(size = 5500, name = "film.mp4", lastModified = 1) {
	const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
	return new File([bytes], name, { type: "video/mp4", lastModified });
}

/** What resume.js keeps, as long as the test. */
class MemoryStorage {
	uploads = new Map();
	stored = new Map();
	puts = 0;
	get = async id => structuredClone(this.uploads.get(id));
	put = async kept => void this.uploads.set(kept.id, structuredClone(kept));
	all = async () => [...this.uploads.values()];
	parts = async id => new Map(this.stored.get(id) ?? []);
	putPart = async (id, number, part) => {
		this.puts++;
		this.stored.set(id, (this.stored.get(id) ?? new Map()).set(number, part));
	};
	remove = async id => {
		this.uploads.delete(id);
		this.stored.delete(id);
	};
}

/** Locks as browsers have them, for all pages of a test. */
class FakeLocks {
	#held = new Map();
	async request(name, { ifAvailable, signal }, act) {
		if (ifAvailable && this.#held.has(name))
			return act(null);
		while (this.#held.has(name)) {
			signal?.throwIfAborted();
			await Promise.race([this.#held.get(name),
				new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)))]);
		}
		const done = act({});
		this.#held.set(name, done);
		await done;
		this.#held.delete(name);
		return undefined;
	}
}

/** Application server and store. `refuse(request, what)` may answer in their place. */
class FakeServer {
	stack = new FakeStack();
	uploads = new Map();
	log = [];
	open = 0;
	most = 0;
	refuse = () => null;
	hold = false;

	async run() {
		for (;;) {
			const request = await this.stack.next();
			this.most = Math.max(this.most, ++this.open);
			const answer = async () => {
				const { pathname, searchParams } = new URL(request.url, "http://app.test");
				const what = this.#what(request, pathname, searchParams);
				this.log.push(what);
				const reply = this.refuse(request, what) ?? await this.#answer(request, what, searchParams);
				this.open--;
				if (reply !== "never")
					request.respond(reply);
			};
			setImmediate(answer);
		}
	}

	#what({ method, url }, pathname, query) {
		if (url.startsWith("http://store.test/"))
			return `put ${query.get("partNumber")}`;
		const [, , , id, last] = pathname.split("/");
		if (pathname === "/grant")
			return "grant";
		if (!id)
			return "begin";
		if (method === "DELETE")
			return "abort";
		return last === undefined ? "list" : last === "complete" ? "complete" : `sign ${last}`;
	}

	async #answer({ body, url }, what, query) {
		const json = value => ({ text: JSON.stringify(value) });
		if (what === "grant")
			return { status: 401 };
		if (what === "begin") {
			const uploadId = `u${this.uploads.size + 1}`;
			this.uploads.set(uploadId, { parts: new Map(), asked: JSON.parse(body) });
			return json({ key: "dir/k.mp4", uploadId, bucket: "b", part_size: PART, max_parts: 50,
				expires: 2_000_000_000 });
		}
		const id = what.startsWith("put") ? query.get("uploadId") : url.split("/")[3].split("?")[0];
		const upload = this.uploads.get(id);
		if (!upload || upload.gone)
			return { status: 404, text: '{"error":"no_such_upload","message":"There is no such upload."}' };
		if (what === "list")
			return json([...upload.parts].map(([n, bytes]) => (
				{ PartNumber: n, ETag: `"${sumOf(bytes)}"`, Size: bytes.length })));
		if (what === "abort") {
			upload.gone = true;
			return json({});
		}
		if (what === "complete") {
			upload.completed = JSON.parse(body);
			return json({ location: "http://store.test/b/k", key: "dir/k.mp4", bucket: "b" });
		}
		const number = Number(what.split(" ")[1]);
		if (what.startsWith("sign"))
			return json({ url: `http://store.test/b/k?partNumber=${number}&uploadId=${id}`, expires: 300 });
		const bytes = new Uint8Array(await body.arrayBuffer());
		upload.parts.set(number, bytes);
		return { headers: { etag: `"${sumOf(bytes)}"`, "x-oss-hash-crc64ecma": sumOf(bytes) } };
	}

	count(what) {
		return this.log.filter(line => line === what || line.startsWith(`${what} `)).length;
	}
}

function setup(options = {}, server = new FakeServer()) {
	if (!server.running)
		server.running = server.run();
	const clock = new FakeClock();
	const network = new FakeNetwork();
	const uploader = createUploader({
		httpStack: server.stack, clock, network, random: () => 1,
		large: multipart({ from: 1500, partSize: PART, proof, ...options }),
	});
	return { server, clock, network, uploader };
}

/** Lets the server work until the upload rests or waits. */
async function until(check) {
	for (let i = 0; i < 2000 && !check(); i++)
		await settle();
	assert.ok(check());
}

async function content(server, id = "u1") {
	const { parts } = server.uploads.get(id);
	return Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
}

test("a large file goes up in parts, several at once, and its sum with it", async () => {
	const { server, uploader } = setup({ metadata: { profile: "films" } });
	const film = largeFile();
	const upload = uploader.add(film);
	const states = [];
	const sent = [];
	upload.addEventListener("change", () => {
		sent.push(upload.progress.sent);
		if (states.at(-1) !== upload.state)
			states.push(upload.state);
	});
	upload.start();
	await upload.finished;
	assert.equal(upload.error, null);
	assert.deepEqual(states, ["signing", "sending", "done"]);
	const bytes = new Uint8Array(await film.arrayBuffer());
	assert.deepEqual(new Uint8Array(await content(server)), bytes);
	const { asked, completed } = server.uploads.get("u1");
	assert.deepEqual(asked, { filename: "film.mp4", type: "video/mp4", size: 5500,
		metadata: { profile: "films" } });
	assert.deepEqual(completed.parts.map(part => part.PartNumber), [1, 2, 3, 4, 5, 6]);
	assert.equal(completed.crc64, sumOf(bytes));
	assert.equal(upload.result.key, "dir/k.mp4");
	assert.equal(upload.result.json.location, "http://store.test/b/k");
	assert.equal(server.most, 4);
	assert.equal(server.count("put"), 6);
	assert.deepEqual(upload.progress, { sent: 5500, total: 5500 });
});

test("a small file goes by a form", async () => {
	const { server, uploader } = setup();
	uploader.add(largeFile(1499)).start();
	await until(() => server.log.length);
	assert.equal(server.log[0], "grant");
});

test("parts that fail, stall, arrive damaged or are signed too late are sent again, the others not", async () => {
	const { server, clock, uploader } = setup();
	const failures = {
		"put 2": [{ status: 503 }, { status: 0 }],
		"put 3": [{ headers: { etag: '"x"', "x-oss-hash-crc64ecma": "1" } }],
		"put 4": ["never"],
		"put 5": [{ status: 403, text: errorXml("AccessDenied", "x Policy expired.", "<EC>0006-00000213</EC>") }],
		"sign 6": [{ status: 429, headers: { "retry-after": "3" } }],
	};
	server.refuse = (_, what) => failures[what]?.shift() ?? null;
	server.stack.alive = true;
	const upload = uploader.add(largeFile());
	upload.start();
	for (let i = 0; i < 400 && upload.state !== "done"; i++) {
		await settle();
		if (i % 20 === 19)
			clock.pass(10_000);
	}
	assert.equal(upload.state, "done");
	for (const [part, times] of [[1, 1], [2, 3], [3, 2], [4, 2], [5, 2], [6, 1]])
		assert.equal(server.log.filter(line => line === `put ${part}`).length, times, `part ${part}`);
	assert.deepEqual(await content(server), Buffer.from(await upload.file.arrayBuffer()));
});

test("a store that hides ETag is named as what it is", async () => {
	const { server, uploader } = setup();
	server.refuse = (_, what) => what.startsWith("put") ? {} : null;
	const upload = uploader.add(largeFile());
	upload.start();
	await upload.finished;
	assert.equal(upload.error.kind, "cors");
});

test("what the application server refuses is told by its kind", async () => {
	for (const [status, error, kind] of [[403, "size_refused", "size"], [403, "type_refused", "type"],
		[401, "unauthorized", "grant"], [404, "no_such_profile", "grant"]]) {
		const { server, uploader } = setup();
		server.refuse = () => ({ status, text: JSON.stringify({ error, message: "No." }) });
		const upload = uploader.add(largeFile());
		upload.start();
		await upload.finished;
		assert.equal(upload.state, "failed");
		assert.equal(upload.error.kind, kind);
		assert.equal(upload.error.message, "No.");
		assert.equal(server.log.length, 1);
	}
});

test("a callback that fails is asked for again; if that does not help: stored, not confirmed", async () => {
	const { server, clock, uploader } = setup();
	let bad = 8;
	server.refuse = (_, what) => what === "complete" && bad-- > 0
		? { status: 502, text: '{"error":"callback_failed","message":"It could not be recorded."}' } : null;
	const upload = uploader.add(largeFile());
	upload.start();
	await until(() => upload.state === "retrying");
	for (let i = 0; i < 200 && upload.state !== "unconfirmed"; i++) {
		await settle();
		clock.pass(3_000);
	}
	assert.equal(upload.state, "unconfirmed");
	assert.equal(upload.error.kind, "callback");
	assert.equal(server.count("complete"), 6);
	upload.start();
	for (let i = 0; i < 200 && upload.state !== "done"; i++) {
		await settle();
		clock.pass(3_000);
	}
	assert.equal(upload.state, "done");
	assert.equal(server.count("put"), 6);
	assert.equal(server.count("begin"), 1);
});

test("paused and resumed, only what is missing is sent", async () => {
	const { server, uploader } = setup({ parallel: 1 });
	const upload = uploader.add(largeFile());
	upload.start();
	await until(() => server.count("put") === 3);
	upload.pause();
	await settle();
	await settle();
	const before = server.uploads.get("u1").parts.size;
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(server.count("begin"), 1);
	assert.ok(server.count("put") <= 7, `${server.count("put")} parts for ${before} that were there`);
});

test("cancelled, on its way or paused, the upload ends at the server", async () => {
	for (const paused of [false, true]) {
		const { server, uploader } = setup();
		const upload = uploader.add(largeFile());
		upload.start();
		await until(() => server.count("put") >= 1);
		if (paused)
			upload.pause();
		upload.cancel();
		await until(() => server.count("abort") === 1);
		assert.equal(upload.state, "aborted");
		assert.equal(server.count("complete"), 0);
	}
});

test("an upload that has ended at the server begins again, once", async () => {
	const { server, uploader } = setup();
	let once = true;
	server.refuse = (_, what) => {
		if (what !== "put 4" || !once)
			return null;
		once = false;
		server.uploads.get("u1").gone = true;
		return { status: 404, text: errorXml("NoSuchUpload", "It is gone.") };
	};
	const upload = uploader.add(largeFile());
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(server.count("begin"), 2);
	assert.equal((await content(server, "u2")).length, 5500);
	server.refuse = (_, what) => what.startsWith("put") ? { status: 404, text: errorXml("NoSuchUpload", "x") } : null;
	const other = uploader.add(largeFile(5000, "b"));
	other.start();
	await other.finished;
	assert.equal(other.error.kind, "gone");
	assert.equal(server.count("begin"), 4);
});

test("offline it waits, and says so; online it goes on", async () => {
	const { server, network, uploader } = setup({ parallel: 2 });
	const upload = uploader.add(largeFile());
	upload.start();
	await until(() => server.count("put") >= 2);
	network.set(false);
	await until(() => upload.state === "retrying");
	assert.equal(upload.error, null);
	network.set(true);
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(server.count("put"), 6);
});

test("no more than six requests at a time, however many files", async () => {
	const { server, uploader } = setup();
	const uploads = Array.from({ length: 8 }, (_, i) => uploader.add(largeFile(5000, `${i}`)));
	for (const upload of uploads)
		upload.start();
	await Promise.all(uploads.map(upload => upload.finished));
	assert.deepEqual([...new Set(uploads.map(upload => upload.state))], ["done"]);
	assert.ok(server.most <= 6, `${server.most}`);
});

/** A page: what it keeps outlives it. */
function page(server, storage, locks, more = {}) {
	return setup({ resume: createResume({ storage, locks, now: () => 1_900_000_000_000, ...more }) }, server);
}

test("ten reloads: each sends again at most what was on its way, and the file is complete", async () => {
	const server = new FakeServer();
	const storage = new MemoryStorage();
	const bytes = largeFile(40_000);
	let died = 0;
	for (let reload = 0; reload < 10; reload++) {
		const { uploader } = page(server, storage, new FakeLocks());
		const upload = uploader.add(largeFile(40_000));
		upload.start();
		const target = server.count("put") + 3;
		await until(() => server.count("put") >= target || upload.state === "done");
		if (upload.state !== "done") {
			died++;
			// The page is gone: its requests too.
			server.refuse = () => "never";
			await settle();
			await settle();
			upload.pause();
			await settle();
			await settle();
			server.refuse = () => null;
		}
	}
	assert.equal(died, 10);
	const { uploader } = page(server, storage, new FakeLocks());
	const upload = uploader.add(largeFile(40_000));
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(server.count("begin"), 1);
	assert.deepEqual(await content(server), Buffer.from(await bytes.arrayBuffer()));
	assert.equal(server.uploads.get("u1").completed.crc64, sumOf(new Uint8Array(await bytes.arrayBuffer())));
	assert.ok(server.count("put") <= 40 + 10 * 4, `${server.count("put")}`);
	assert.equal(storage.stored.size, 0);
});

test("another file of the same name, size and time is not gone on with", async () => {
	const a = largeFile();
	const bytes = new Uint8Array(await a.arrayBuffer());
	bytes[3000] ^= 1;
	const b = new File([bytes], "film.mp4", { type: "video/mp4", lastModified: 1 });
	assert.notEqual(await identity(a), await identity(b));
	assert.notEqual(await identity(a), await identity(a, "somebody else"));
	assert.notEqual(await identity(a), await identity(largeFile(5500, "film.mp4", 2)));
	assert.equal(await identity(a), await identity(largeFile()));
	const big = largeFile(3_000_000);
	let read = 0;
	big.slice = (from, to) => {
		read += to - from;
		return File.prototype.slice.call(big, from, to);
	};
	await identity(big);
	assert.ok(read <= 8 * 65536, "samples, not the file");
});

test("two pages do not both send: the second waits, and has the result of the first", async () => {
	const server = new FakeServer();
	const storage = new MemoryStorage();
	const locks = new FakeLocks();
	const [one, two] = [page(server, storage, locks), page(server, storage, locks)];
	const first = one.uploader.add(largeFile());
	const second = two.uploader.add(largeFile());
	first.start();
	await until(() => first.state === "sending");
	second.start();
	await until(() => second.state === "retrying");
	await Promise.all([first.finished, second.finished]);
	assert.deepEqual([first.state, second.state], ["done", "done"]);
	assert.equal(second.key, "dir/k.mp4");
	assert.equal(server.count("put"), 6);
	assert.equal(server.count("complete"), 1);
	// Who asks for it anew means it.
	const third = page(server, storage, locks).uploader.add(largeFile());
	third.start();
	await third.finished;
	assert.equal(server.count("put"), 12);
});

test("a page that goes away leaves the rest to the one that waits", async () => {
	const server = new FakeServer();
	const storage = new MemoryStorage();
	const locks = new FakeLocks();
	const first = page(server, storage, locks).uploader.add(largeFile());
	const second = page(server, storage, locks).uploader.add(largeFile());
	first.start();
	await until(() => server.count("put") >= 3);
	second.start();
	await until(() => second.state === "retrying");
	first.pause();
	await second.finished;
	assert.equal(second.state, "done");
	assert.equal(server.count("begin"), 1);
	assert.ok(server.count("put") <= 10);
});

test("what is kept is bounded, and ends", async () => {
	const storage = new MemoryStorage();
	const now = 1_900_000_000_000;
	for (let i = 0; i < 600; i++)
		await storage.put({ id: `${i}`, started: {}, outcome: null, ends: now + 1000 - i * 10 });
	await storage.putPart("599", 1, { etag: "e", sum: "" });
	const { uploader } = page(new FakeServer(), storage, new FakeLocks());
	const upload = uploader.add(largeFile());
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
	const ends = [...storage.uploads.values()].map(kept => kept.ends);
	assert.equal(ends.length, 101);
	assert.ok(Math.min(...ends) > now);
	assert.equal(storage.stored.size, 0);
});

test("a browser that keeps nothing uploads all the same", async () => {
	const broken = () => Promise.reject(new Error("QuotaExceededError"));
	const storage = { get: broken, put: broken, all: broken, parts: broken, putPart: broken, remove: broken };
	const { uploader } = page(new FakeServer(), storage, undefined);
	const upload = uploader.add(largeFile());
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
});
