// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeStack, file, grantAnswer, settle } from "./support.js";
import { Crc64, combine, crc64Of } from "../../web/client/crc64.js";
import { createUploader } from "../../web/client/postern-upload.js";
import { createProof } from "../../web/client/proof.js";

/** One bit after the other, as the standard describes it. */
function slow(bytes) {
	let sum = ~0n & 0xFFFFFFFFFFFFFFFFn;
	for (const byte of bytes) {
		sum ^= BigInt(byte);
		for (let bit = 0; bit < 8; bit++)
			sum = sum & 1n ? sum >> 1n ^ 0xC96C5795D7870F42n : sum >> 1n;
	}
	return sum ^ 0xFFFFFFFFFFFFFFFFn;
}

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i * 151 + 7);

test("the check value of the standard", () => {
	assert.equal(new Crc64().update(new TextEncoder().encode("123456789")).value, 0x995DC9BBDF1939FAn);
	assert.equal(new Crc64().value, 0n);
});

test("every length, at every offset in the memory, and split anywhere", () => {
	for (let length = 0; length <= 40; length++)
		for (let offset = 0; offset < 9; offset++)
			assert.equal(new Crc64().update(BYTES.subarray(offset, offset + length)).value,
				slow(BYTES.slice(offset, offset + length)));
	for (let split = 0; split <= BYTES.length; split++)
		assert.equal(new Crc64().update(BYTES.subarray(0, split)).update(BYTES.subarray(split)).value,
			slow(BYTES));
});

test("sums are combined without the bytes", () => {
	for (let split = 0; split <= BYTES.length; split++)
		assert.equal(combine(slow(BYTES.slice(0, split)), slow(BYTES.slice(split)), BYTES.length - split),
			slow(BYTES));
});

test("parts of one length and of others are combined, in any order", () => {
	for (const lengths of [[5, 5, 5, 3], [3, 5, 3, 5], [0, 4, 4, 0, 4]]) {
		let at = 0;
		let sum = slow(BYTES.slice(0, 0));
		for (const length of lengths) {
			sum = combine(sum, slow(BYTES.slice(at, at + length)), length);
			at += length;
		}
		assert.equal(sum, slow(BYTES.slice(0, at)), String(lengths));
	}
});

test("a file is summed piece by piece", async () => {
	const bytes = new Uint8Array(5 << 20).map((_, i) => i * i >> 5);
	assert.equal(await crc64Of(new Blob([bytes])), new Crc64().update(bytes).value);
	const stop = new AbortController();
	stop.abort();
	await assert.rejects(crc64Of(new Blob([bytes]), stop.signal));
});

/** A worker that answers when it is told to, or cannot be had. */
class FakeWorker {
	asked = [];
	postMessage(message) {
		this.asked.push(message);
	}
}

test("the worker's sums come to whom they belong; when it breaks, the page sums itself", async () => {
	const worker = new FakeWorker();
	const proof = createProof({ worker: () => worker });
	const { signal } = new AbortController();
	const sums = ["a", "b", "c"].map(text => proof.sum(new Blob([text]), signal));
	worker.onmessage({ data: { id: worker.asked[1].id, sum: "22" } });
	worker.onmessage({ data: { id: worker.asked[0].id, sum: "11" } });
	assert.deepEqual(await Promise.all(sums.slice(0, 2)), [11n, 22n]);
	worker.onerror({ preventDefault() {} });
	assert.equal(await sums[2], slow([99]));
	assert.equal(await proof.sum(new Blob(["d"]), signal), slow([100]));
	assert.equal(worker.asked.length, 3);
});

test("a page that forbids workers sums itself", async () => {
	const proof = createProof({ worker: () => {
		throw new Error("SecurityError");
	} });
	assert.equal(await proof.sum(new Blob(["d"])), slow([100]));
});

test("a form carries the sum; an answer with another sum is no success", async () => {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const proof = createProof({ worker: () => {
		throw new Error("none");
	} });
	const uploader = createUploader({ httpStack: stack, clock, proof, random: () => 1 });
	const upload = uploader.add(file());
	upload.start();
	(await stack.next()).respond(grantAnswer(clock));
	const right = String(slow(new TextEncoder().encode("hello")));
	const post = await stack.next();
	assert.deepEqual([...post.body.keys()], ["key", "x:crc64", "policy", "callback", "file"]);
	assert.equal(post.body.get("x:crc64"), right);
	post.respond({ text: "{}", headers: { "x-oss-hash-crc64ecma": "5" } });
	await settle();
	assert.equal(upload.state, "retrying");
	assert.equal(upload.error.kind, "damaged");
	clock.pass(500);
	(await stack.next()).respond({ text: "{}", headers: { "x-oss-hash-crc64ecma": right } });
	await upload.finished;
	assert.equal(upload.state, "done");
});
