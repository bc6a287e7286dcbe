// SPDX-License-Identifier: Apache-2.0
// Handles of files over reloads: what is kept, for how long, and for whom. e2e/browser/parts.test.js has the
// browser's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "./support.js";
import { createHandles } from "../../web/client/handles.js";

const DAY = 86400000;

/** A browser with several pages: what they share. */
function browser() {
	const kept = new Map();
	const held = new Set();
	let last = 0;
	const storage = {
		add: async one => {
			kept.set(++last, { ...one, id: last });
			return last;
		},
		all: async () => [...kept.values()],
		remove: async id => void kept.delete(id),
	};
	const clock = { now: 1000 };
	const page = () => {
		const mine = new Set();
		const locks = {
			async request(name, use) {
				held.add(name);
				mine.add(name);
				await use();
				held.delete(name);
			},
			query: async () => ({ held: [...held].map(name => ({ name })) }),
		};
		return { handles: createHandles({ storage, locks, now: () => clock.now }), close: () => mine.forEach(name => held.delete(name)) };
	};
	return { page, kept, clock };
}

const handle = (permission = "granted", file = new File(["x"], "a")) => ({
	requestPermission: async ({ mode }) => mode === "read" ? permission : "denied",
	getFile: async () => file ?? Promise.reject(new Error("NotFoundError")),
});
const paths = async handles => (await handles.all()).map(({ path }) => path);

test("what a page is sending is told to others when that page has gone", async () => {
	const { page } = browser();
	const first = page();
	await first.handles.keep(handle(), { path: "film", size: 3 });
	const second = page();
	assert.deepEqual(await paths(second.handles), []);
	first.close();
	assert.deepEqual(await paths(second.handles), ["film"]);
});

test("what has ended is forgotten, and its lock is released", async () => {
	const { page, kept } = browser();
	const { handles } = page();
	const id = await handles.keep(handle(), { path: "film", size: 3 });
	await handles.forget(id);
	await settle();
	assert.equal(kept.size, 0);
	await handles.keep(handle(), { path: "other", size: 3 });
	assert.deepEqual(await paths(handles), []);
});

test("no more than a hundred, and none for longer than a week; the newest first", async () => {
	const { page, kept, clock } = browser();
	const first = page();
	for (let i = 0; i < 150; i++) {
		clock.now++;
		await first.handles.keep(handle(), { path: `${i}`, size: 1 });
	}
	first.close();
	const { handles } = page();
	assert.deepEqual(await paths(handles), Array.from({ length: 100 }, (_, i) => `${149 - i}`));
	assert.equal(kept.size, 100);
	clock.now += 7 * DAY;
	assert.deepEqual(await paths(handles), []);
	assert.equal(kept.size, 0);
});

test("a file is opened if the user permits it and it is there", async () => {
	const { handles } = browser().page();
	assert.equal((await handles.open({ handle: handle() })).name, "a");
	for (const gone of [handle("denied"), handle("prompt"), handle("granted", null), {}])
		await assert.rejects(handles.open({ handle: gone }), { kind: "file" });
});

test("a browser that keeps nothing does without", async () => {
	const fail = () => Promise.reject(new Error("no"));
	const handles = createHandles({ storage: { add: fail, all: fail, remove: fail }, locks: undefined });
	assert.equal(await handles.keep(handle(), { path: "film", size: 3 }), 0);
	assert.deepEqual(await handles.all(), []);
	await handles.forget(0);
});
