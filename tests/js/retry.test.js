// SPDX-License-Identifier: Apache-2.0
// Failures that pass by themselves, and how many files are sent at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeNetwork, FakeStack, errorXml, file, grantAnswer, settle } from "./support.js";
import { createUploader } from "../../web/client/postern-upload.js";

const SLOW_DOWN = { status: 503, text: errorXml("SlowDown", "Please slow down.") };

function setup(options = {}) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const network = new FakeNetwork();
	const uploader = createUploader({ httpStack: stack, clock, network, random: () => 1, ...options });
	return { stack, clock, network, uploader };
}

/** Starts an upload and brings it as far as the POST. */
async function sending(options, given = file()) {
	const all = setup(options);
	const upload = all.uploader.add(given);
	const states = [];
	upload.addEventListener("change", () => {
		if (states.at(-1) !== upload.state)
			states.push(upload.state);
	});
	upload.start();
	(await all.stack.next()).respond(grantAnswer(all.clock));
	return { ...all, upload, states, post: await all.stack.next() };
}

test("a failure of the server is tried again, later each time, and a file that came through is done", async () => {
	const { stack, clock, upload, states, post } = await sending();
	post.respond(SLOW_DOWN);
	for (const wait of [500, 1000, 2000, 4000]) {
		await settle();
		assert.equal(upload.state, "retrying");
		assert.equal(upload.error.code, "SlowDown");
		assert.equal(clock.wait, wait);
		clock.pass(wait);
		(await stack.next()).respond(SLOW_DOWN);
	}
	await settle();
	clock.pass(8000);
	(await stack.next()).respond({ text: "{}" });
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(upload.error, null);
	assert.deepEqual(states.slice(0, 5), ["signing", "sending", "retrying", "signing", "sending"]);
	assert.equal(clock.timers, 0);
});

test("at last it fails, and says why", async () => {
	const { stack, clock, upload, post } = await sending({ retries: 2 });
	post.respond(SLOW_DOWN);
	for (let i = 0; i < 2; i++) {
		await settle();
		clock.pass(60000);
		(await stack.next()).respond(SLOW_DOWN);
	}
	await upload.finished;
	assert.equal(upload.state, "failed");
	assert.equal(upload.error.kind, "server");
	assert.equal(stack.pending, 0);
});

test("chance takes up to half of a wait away", async () => {
	const { clock, post } = await sending({ random: () => 0 });
	post.respond(SLOW_DOWN);
	await settle();
	assert.equal(clock.wait, 250);
});

test("Retry-After is heeded, as seconds and as a date, and within reason", async () => {
	for (const [value, wait] of [["7", 7000], [date => new Date(date + 9000).toUTCString(), 9000],
		["0", 500], ["soon", 500], ["-5", 500], ["999999", 300000]]) {
		const { clock, upload, post } = await sending();
		const text = typeof value === "string" ? value : value(clock.now());
		post.respond({ status: 429, headers: { "retry-after": text } });
		await settle();
		assert.equal(upload.state, "retrying");
		assert.equal(clock.wait, wait, text);
	}
});

test("the application server's bad moments pass too", async () => {
	const { stack, clock, uploader } = setup();
	const upload = uploader.add(file());
	upload.start();
	for (const answer of [{ status: 0 }, { status: 502 }, { status: 429, headers: { "retry-after": "1" } }]) {
		(await stack.next()).respond(answer);
		await settle();
		assert.equal(upload.state, "retrying");
		clock.pass(60000);
	}
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond();
	await upload.finished;
	assert.equal(upload.state, "done");
});

test("a connection that breaks on the way is no question of CORS", async () => {
	const { stack, clock, upload, post } = await sending();
	stack.alive = true;
	post.onProgress(3, 10);
	post.respond({ status: 0 });
	await settle();
	assert.equal(upload.state, "retrying");
	assert.equal(upload.error.kind, "network");
	clock.pass(500);
	const again = await stack.next();
	assert.deepEqual(upload.progress, { sent: 0, total: 5 });
	again.respond();
	await upload.finished;
	assert.equal(upload.state, "done");
});

test("offline, nothing is sent; back online it goes on, and no try is counted", async () => {
	const { stack, clock, network, upload, states, post } = await sending({ retries: 0 });
	post.onProgress(3, 10);
	network.set(false);
	post.respond({ status: 0 });
	await settle();
	assert.equal(upload.state, "retrying");
	assert.equal(upload.error, null);
	clock.pass(3_600_000);
	await settle();
	assert.equal(stack.pending, 0);
	network.set(true);
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond();
	await upload.finished;
	assert.deepEqual(states, ["signing", "sending", "retrying", "signing", "sending", "done"]);
	assert.equal(network.waiting, 0);
});

test("begun offline, it waits for the network", async () => {
	const { stack, network, uploader } = setup();
	network.set(false);
	const upload = uploader.add(file());
	upload.start();
	await settle();
	assert.equal(upload.state, "retrying");
	assert.equal(stack.pending, 0);
	network.set(true);
	assert.equal((await stack.next()).url, "/grant");
});

test("an upload that stands still is sent again", async () => {
	const { stack, clock, upload, post } = await sending();
	post.onProgress(2, 10);
	clock.pass(29_000);
	post.onProgress(4, 10);
	clock.pass(29_000);
	await settle();
	assert.equal(post.signal.aborted, false);
	clock.pass(1_000);
	await settle();
	assert.equal(post.signal.aborted, true);
	assert.equal(upload.state, "retrying");
	assert.equal(upload.error.kind, "stalled");
	clock.pass(500);
	const again = await stack.next();
	again.onSent();
	// The store may wait for the application server.
	clock.pass(60_000);
	await settle();
	assert.equal(again.signal.aborted, false);
	again.respond();
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(clock.timers, 0);
});

test("paused and resumed, it is sent from its beginning; its promise is the same", async () => {
	const { stack, clock, upload, states, post } = await sending();
	const { finished } = upload;
	upload.pause();
	await settle();
	assert.equal(post.signal.aborted, true);
	assert.equal(stack.pending, 0);
	upload.start();
	(await stack.next()).respond();
	assert.equal(await finished, upload);
	assert.deepEqual(states, ["signing", "sending", "paused", "idle", "signing", "sending", "done"]);
	assert.equal(clock.timers, 0);
});

test("paused while it waits, cancelled while it is paused", async () => {
	const { stack, clock, upload, post } = await sending();
	post.respond(SLOW_DOWN);
	await settle();
	upload.pause();
	await settle();
	assert.equal(clock.timers, 0);
	assert.equal(upload.error, null);
	upload.cancel();
	await upload.finished;
	assert.equal(upload.state, "aborted");
	assert.equal(stack.pending, 0);
});

test("what was not started is not paused", () => {
	const { uploader } = setup();
	const upload = uploader.add(file());
	upload.pause();
	assert.equal(upload.state, "idle");
});

test("a made-up name is the same when the file is sent again", async () => {
	const { stack, clock, post } = await sending({ names: "random" });
	post.respond(SLOW_DOWN);
	await settle();
	clock.pass(500);
	assert.equal((await stack.next()).body.get("key"), post.body.get("key"));
});

test("a grant that ends while many files are sent is asked for once more, and nobody notices", async () => {
	const { stack, clock, uploader } = setup({ parallel: 3, stallMs: 1e9 });
	const uploads = Array.from({ length: 30 }, (_, i) => uploader.add(file(`${i}`)));
	const states = new Set();
	for (const upload of uploads) {
		upload.addEventListener("change", () => states.add(upload.state));
		upload.start();
	}
	let grants = 0;
	let ends = 0;
	for (let sent = 0; sent < 30;) {
		const next = await stack.next();
		if (next.method === "GET") {
			grants++;
			ends = clock.now() + 300_000;
			next.respond(grantAnswer(clock));
		} else if (clock.now() >= ends) {
			next.respond({ status: 403, text: errorXml("AccessDenied", "x Policy expired.") });
		} else {
			sent++;
			clock.pass(25_000);
			next.respond();
		}
	}
	await Promise.all(uploads.map(upload => upload.finished));
	assert.deepEqual([...states].sort(), ["done", "sending", "signing"]);
	assert.ok(grants >= 3 && grants <= 4, `${grants} grants`);
});

test("a clock that is wrong by a day, on a page that cannot read the server's", async () => {
	for (const wrong of [-86_400_000, 86_400_000]) {
		for (const v4 of [true, false]) {
			const { stack, clock, uploader } = setup({ parallel: 1 });
			const right = clock.now();
			const date = new Date(right).toISOString().replace(/[-:]|\.\d+/g, "");
			const answer = grantAnswer(clock, v4 ? { fields: { "x-oss-date": date } } : {});
			clock.pass(wrong);
			const uploads = ["1", "2", "3"].map(name => uploader.add(file(name)));
			for (const upload of uploads)
				upload.start();
			(await stack.next()).respond(answer);
			for (let i = 0; i < 3; i++) {
				const post = await stack.next();
				assert.equal(post.method, "POST");
				post.respond();
			}
			await Promise.all(uploads.map(upload => upload.finished));
			assert.deepEqual(uploads.map(upload => upload.state), ["done", "done", "done"]);
			// Long after its end.
			clock.pass(400_000);
			const late = uploader.add(file("late"));
			late.start();
			let next = await stack.next();
			if (next.method === "POST") {
				assert.equal(v4, false);
				next.respond({ status: 403, text: errorXml("AccessDenied", "x Policy expired.") });
				next = await stack.next();
			}
			next.respond(answer);
			(await stack.next()).respond();
			await late.finished;
			assert.equal(late.state, "done");
		}
	}
});

/** Sends files through a network that moves `speed(n)` files a second when n are on their way. */
async function through(count, speed, options) {
	const { stack, clock, uploader } = setup(options);
	for (let i = 0; i < count; i++)
		uploader.add(file(`${i}`)).start();
	(await stack.next()).respond(grantAnswer(clock, { expires: clock.now() / 1000 + 1e6 }));
	const widths = [];
	const open = [];
	for (let done = 0; done < count; done++) {
		await settle();
		while (stack.pending)
			open.push(await stack.next());
		widths.push(open.length);
		clock.pass(1000 / speed(open.length));
		open.shift().respond();
	}
	return widths;
}

test("as many files at a time as help", async () => {
	const more = await through(400, n => n * 10);
	assert.equal(Math.max(...more), 6);
	assert.ok(more.filter(width => width === 6).length > 300);
	const none = await through(400, () => 30);
	assert.ok(none.filter(width => width <= 4).length > 395, "no more than are tried");
	const three = await through(400, n => 10 * Math.min(n, 3));
	assert.ok(three.filter(width => width === 3 || width === 4).length > 250);
});

test("when the servers have too much to do, fewer at a time", async () => {
	const { stack, clock, uploader } = setup();
	for (let i = 0; i < 20; i++)
		uploader.add(file(`${i}`)).start();
	(await stack.next()).respond(grantAnswer(clock));
	await settle();
	assert.equal(stack.pending, 3);
	const first = [await stack.next(), await stack.next(), await stack.next()];
	for (const post of first)
		post.respond({ ...SLOW_DOWN, headers: { "retry-after": "100" } });
	await settle();
	clock.pass(100_000);
	await settle();
	// Those three come back, and when they are done there is one at a time.
	assert.equal(stack.pending, 3);
	for (let i = 0; i < 3; i++)
		(await stack.next()).respond();
	await settle();
	assert.equal(stack.pending, 1);
});

test("ten thousand files: the work for each does not depend on how many there are", async () => {
	/** How many events there are, and how many steps of the clock, for each file. */
	const work = async count => {
		const { stack, clock, uploader } = setup({ parallel: 6 });
		let events = 0;
		const uploads = Array.from({ length: count }, (_, i) => uploader.add(file(`${i}`, "x")));
		let asked = 0;
		const now = clock.now;
		clock.now = () => {
			asked++;
			return now();
		};
		for (const upload of uploads) {
			upload.addEventListener("change", () => events++);
			upload.start();
		}
		(await stack.next()).respond(grantAnswer(clock));
		for (let i = 0; i < count; i++)
			(await stack.next()).respond();
		await Promise.all(uploads.map(upload => upload.finished));
		return [events / count, Math.round(asked / count)];
	};
	assert.deepEqual(await work(10_000), await work(100));
});
