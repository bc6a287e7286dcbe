// SPDX-License-Identifier: Apache-2.0
// Files that the server says are there already are not sent, and everything else is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeStack, file, grantAnswer, settle } from "./support.js";
import { createDuplicates } from "../../web/client/duplicates.js";
import { createUploader } from "../../web/client/postern-upload.js";

const HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const QUESTION = `/duplicates?sha256=${HELLO}&size=5&filename=a.txt&type=text%2Fplain`;
const THERE = { text: JSON.stringify({ upload: { object: "user/before.txt", etag: "5D", size: 5 } }) };
const NONE = { text: '{"upload":null}' };

function begin(options = {}, more = {}) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const uploader = createUploader({ httpStack: stack, clock, retries: 0, parallel: 1,
		large: createDuplicates(options), ...more });
	const add = one => {
		const upload = uploader.add(one);
		upload.start();
		return upload;
	};
	return { stack, clock, add };
}

/** Answers for the grant, if there is none yet, and the form; its hash. */
async function form({ stack, clock }, withGrant = true) {
	if (withGrant)
		(await stack.next()).respond(grantAnswer(clock));
	const post = await stack.next();
	assert.equal(post.method, "POST");
	post.respond({ text: '{"Status":"OK"}' });
	return post.body.get("x:sha256");
}

test("a file that is there is done, and nothing is sent", async () => {
	const { stack, add } = begin({ headers: { Authorization: "Bearer x" } });
	const upload = add(file());
	const question = await stack.next();
	assert.deepEqual([question.method, question.url, question.headers],
		["GET", QUESTION, { Authorization: "Bearer x" }]);
	assert.equal(upload.state, "signing");
	question.respond(THERE);
	await upload.finished;
	const { result, key, error, state } = upload;
	assert.deepEqual([state, error, key], ["done", null, "user/before.txt"]);
	assert.deepEqual(result, { status: 200, key: "user/before.txt", etag: "5D", requestId: "", text: THERE.text,
		json: JSON.parse(THERE.text), duplicate: true });
	assert.equal(stack.pending, 0);
});

test("one that is not is sent with its hash", async () => {
	const all = begin({ url: "/duplicates?profile=a" }, { fields: { "x:user": "17" } });
	const upload = all.add(file());
	const question = await all.stack.next();
	assert.equal(question.url, QUESTION.replace("?", "?profile=a&"));
	question.respond(NONE);
	assert.equal(await form(all), HELLO);
	await upload.finished;
	assert.deepEqual([upload.state, upload.result.duplicate], ["done", undefined]);
});

for (const [what, answer] of Object.entries({
	"an error": { status: 500 }, "too many": { status: 429 }, "no answer": { status: 0 }, "no JSON": { text: "hello" },
	"other JSON": { text: '{"upload":{"object":7}}' }, "nothing": { text: "null" }, "a refusal": { status: 403 },
}))
	test(`${what} instead of an answer does not keep the file from being sent`, async () => {
		const all = begin();
		const upload = all.add(file());
		(await all.stack.next()).respond(answer);
		assert.equal(await form(all), HELLO);
		await upload.finished;
		assert.equal(upload.state, "done");
		all.add(file());
		assert.match((await all.stack.next()).url, /^\/duplicates\?/, "the next is asked for again");
	});

test("a server that does not offer it is asked once", async () => {
	const all = begin();
	const first = all.add(file());
	(await all.stack.next()).respond({ status: 404 });
	await form(all);
	await first.finished;
	const second = all.add(file());
	assert.equal(await form(all, false), null);
	await second.finished;
	assert.equal(second.state, "done");
});

test("a file that is too large, or cannot be read, is sent without asking", async () => {
	const all = begin({ maxSize: 5 });
	const large = all.add(file("a.txt", "hello!"));
	assert.equal(await form(all), null);
	await large.finished;
	const gone = file();
	gone.arrayBuffer = () => Promise.reject(new Error("gone"));
	const upload = all.add(gone);
	assert.equal(await form(all, false), null);
	await upload.finished;
	assert.equal(upload.state, "done");
});

test("one file at a time is in memory, and none is read again", async () => {
	const all = begin({}, { parallel: 6 });
	const reads = [];
	const files = ["a", "b"].map(content => {
		const one = file("a.txt", content);
		one.arrayBuffer = () => new Promise(done => reads.push(() => done(new TextEncoder().encode(content).buffer)));
		return one;
	});
	const [upload] = files.map(one => all.add(one));
	await settle();
	assert.equal(reads.length, 1);
	reads[0]();
	const question = await all.stack.next();
	await settle();
	assert.equal(reads.length, 2, "after it the next");
	upload.pause();
	question.respond(NONE);
	await settle();
	upload.start();
	assert.equal((await all.stack.next()).url, question.url);
	assert.equal(reads.length, 2);
});

test("a large file goes the way of large files, which is told its hash", async () => {
	const seen = [];
	const large = { from: 5, send: async job => {
		seen.push([job.signal.aborted, job.sums]);
		job.become("signing");
		job.become("sending");
		return { error: null, result: { status: 200, key: "k", etag: "", requestId: "", text: "", json: {} } };
	} };
	const { stack, add } = begin({ large });
	const upload = add(file());
	(await stack.next()).respond(NONE);
	await upload.finished;
	assert.deepEqual(seen, [[false, { sha256: HELLO }]]);
	const held = add(file());
	await stack.next();
	held.pause();
	held.cancel();
	assert.equal(held.state, "aborted");
	assert.deepEqual(seen[1], [true, undefined], "it can end what it has at the server");
	const small = add(file("a.txt", "hell"));
	(await stack.next()).respond(NONE);
	assert.equal((await stack.next()).url, "/grant", "a small one does not");
	small.cancel();
});

test("an upload that is cancelled while it is asked for is not done", async () => {
	const { stack, add } = begin();
	const upload = add(file());
	const question = await stack.next();
	upload.cancel();
	question.respond(THERE);
	await settle();
	assert.deepEqual([upload.state, upload.result, stack.pending], ["aborted", null, 0]);
});
