// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeNetwork, FakeStack, file, grantAnswer, settle } from "./support.js";
import { Batch } from "../../web/client/batch.js";
import { createUploader } from "../../web/client/postern-upload.js";

function setup(count, { size = 10, ...options } = {}) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const uploader = createUploader({ httpStack: stack, clock, network: new FakeNetwork(), retries: 0, ...options });
	const batch = new Batch({ clock });
	const uploads = Array.from({ length: count }, (_, i) => uploader.add(file(`${i}`, "x".repeat(size))));
	for (const upload of uploads)
		batch.add(upload);
	return { stack, clock, batch, uploads };
}

const states = uploads => uploads.map(upload => upload.state);

test("sums and states are those of all", async () => {
	const { stack, clock, batch, uploads } = setup(4, { parallel: 2 });
	assert.deepEqual([batch.size, batch.total, batch.sent, batch.busy], [4, 40, 0, false]);
	batch.start();
	(await stack.next()).respond(grantAnswer(clock));
	const [one, two] = [await stack.next(), await stack.next()];
	assert.equal(batch.counts.sending, 2);
	one.onProgress(6, 12);
	two.onProgress(300, 500);
	assert.equal(batch.sent, 16);
	one.respond();
	two.respond({ status: 400 });
	const [three] = [await stack.next(), await stack.next()];
	await settle();
	assert.equal(batch.counts.done, 1);
	assert.equal(batch.counts.failed, 1);
	assert.equal(batch.sent, 10);
	uploads[3].cancel();
	assert.deepEqual([batch.total, batch.counts.aborted], [30, 1]);
	three.respond();
	await uploads[2].finished;
	assert.equal(batch.busy, false);
	assert.deepEqual([batch.sent, batch.counts.done], [20, 2]);
	batch.remove(uploads[1]);
	batch.remove(uploads[3]);
	batch.remove(uploads[3]);
	assert.deepEqual([batch.size, batch.total, batch.fraction], [2, 20, 1]);
	assert.deepEqual([...batch], [uploads[0], uploads[2]]);
});

test("all are paused, resumed, cancelled, tried again", async () => {
	const { stack, clock, batch, uploads } = setup(5, { parallel: 2 });
	batch.start();
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond();
	await uploads[0].finished;
	batch.pause();
	assert.deepEqual(states(uploads), ["done", "paused", "paused", "paused", "paused"]);
	batch.start();
	await settle();
	assert.equal(batch.counts.sending, 2);
	batch.cancel();
	assert.equal(batch.counts.aborted, 4);
	batch.retry();
	await settle();
	while (stack.pending) {
		(await stack.next()).respond();
		await settle();
	}
	assert.deepEqual(batch.counts.done, 5);
});

test("speed and the time that is left", async () => {
	const { stack, clock, batch, uploads } = setup(1, { size: 1_000_000 });
	assert.equal(batch.timeLeft, null);
	batch.start();
	(await stack.next()).respond(grantAnswer(clock));
	const post = await stack.next();
	for (let sent = 0; sent <= 500_000; sent += 50_000) {
		post.onProgress(sent, 1_000_000);
		clock.pass(500);
	}
	assert.equal(Math.round(batch.speed), 100_000);
	assert.equal(Math.round(batch.timeLeft / 1000), 6);
	// After a rest nothing is known of the speed.
	clock.pass(20_000);
	post.onProgress(500_001, 1_000_000);
	assert.equal(batch.timeLeft, null);
	post.respond();
	await uploads[0].finished;
	assert.equal(batch.speed, 0);
});

test("ten thousand files: one event for many changes, and none that looks at all of them", async () => {
	const { stack, clock, batch, uploads } = setup(10_000, { parallel: 6, size: 1 });
	let told = 0;
	let walked = 0;
	batch.addEventListener("change", () => told++);
	const walk = batch[Symbol.iterator].bind(batch);
	batch[Symbol.iterator] = () => {
		walked++;
		return walk();
	};
	clock.pass(50);
	assert.equal(told, 1);
	batch.start();
	(await stack.next()).respond(grantAnswer(clock));
	for (let i = 0; i < 10_000; i++)
		(await stack.next()).respond();
	await Promise.all(uploads.map(upload => upload.finished));
	assert.equal(told, 1);
	clock.pass(50);
	assert.equal(told, 2);
	assert.equal(walked, 0);
	assert.equal(batch.counts.done, 10_000);
	assert.equal(clock.timers, 0);
});

test("a file that is being summed is on its way", async () => {
	/** @type {(more: Record<string, string>) => void} */ let summed = () => {};
	const proof = { before: () => new Promise(done => {
		summed = done;
	}) };
	const { stack, clock, batch, uploads } = setup(1, { proof });
	batch.start();
	await settle();
	assert.deepEqual([states(uploads), batch.busy], [["signing"], true]);
	summed({ "x:crc64": "1" });
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond();
	await uploads[0].finished;
	assert.equal(batch.busy, false);
});
