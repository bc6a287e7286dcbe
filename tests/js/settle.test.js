// SPDX-License-Identifier: Apache-2.0
// What is not decided when the store answers: the application server is asked until it knows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createUploader } from "../../web/client/postern-upload.js";
import { createSettle } from "../../web/client/settle.js";
import { ZH, explain } from "../../web/client/texts.js";
import { FakeClock, FakeStack, errorXml, file, grantAnswer, settle } from "./support.js";

const PENDING = { text: '{"Status":"Pending","grant":"6b0a"}' };
const CALLBACK = { status: 203, text: errorXml("CallbackFailed", "Error status : 503.") };
const KEYED = { id: "6b0a", grant: "6b0a.f.1", fields: { key: "user/a.txt", policy: "cA==" } };

/** An upload whose form was answered so. */
async function answered(answer, options = { settle: createSettle() }, grant = KEYED) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const uploader = createUploader({ httpStack: stack, clock, retries: 0, parallel: 1, ...options });
	const upload = uploader.add(file());
	upload.start();
	(await stack.next()).respond(grantAnswer(clock, grant));
	const post = await stack.next();
	post.onSent();
	post.respond(answer);
	await settle();
	return { stack, clock, uploader, upload };
}

/** The next question about the grant, which comes after a while. */
async function question({ clock, stack }) {
	await settle();
	assert.ok(clock.wait >= 2000 && clock.wait <= 30000, `${clock.wait} ms`);
	clock.pass(clock.wait);
	const request = await stack.next();
	assert.equal(`${request.method} ${request.url}`, "GET /grants/6b0a?grant=6b0a.f.1");
	return request;
}

const state = (name, more = {}) => ({ text: JSON.stringify({ id: "6b0a", state: name, uploads: 0, ...more }) });
const CONFIRMED = state("confirmed", { uploads: 1, last: { object: "user/a.txt", etag: "5D" } });

test("an upload that is pending is done once it is confirmed", async () => {
	const all = await answered(PENDING);
	assert.equal(all.upload.state, "sending");
	assert.equal(all.upload.waiting, true);
	(await question(all)).respond(state("pending"));
	(await question(all)).respond({ status: 503 });
	(await question(all)).respond({ text: "no JSON" });
	(await question(all)).respond(CONFIRMED);
	await all.upload.finished;
	assert.equal(all.upload.state, "done");
	assert.equal(all.upload.error, null);
	assert.equal(all.upload.result.json.state, "confirmed");
	assert.equal(all.upload.result.key, "user/a.txt");
});

test("one whose callback failed is done once it is found", async () => {
	const all = await answered(CALLBACK);
	(await question(all)).respond(state("issued"));
	(await question(all)).respond(state("found", { uploads: 1, last: { object: "user/a.txt" } }));
	await all.upload.finished;
	assert.equal(all.upload.state, "done");
});

test("one that is rejected is not confirmed, and says why", async () => {
	const all = await answered(PENDING);
	(await question(all)).respond(state("rejected", { reason: "a virus was found" }));
	await all.upload.finished;
	assert.equal(all.upload.state, "unconfirmed");
	assert.equal(all.upload.error.kind, "callback");
	assert.equal(all.upload.error.message, "a virus was found");
});

test("others are sent meanwhile", async () => {
	const all = await answered(PENDING);
	const other = all.uploader.add(file("b.txt"));
	other.start();
	(await all.stack.next()).respond({});
	await other.finished;
	assert.equal(other.state, "done");
	assert.equal(all.upload.state, "sending");
});

test("one that is cancelled meanwhile stays so, and nothing is asked any more", async () => {
	const all = await answered(PENDING);
	all.upload.cancel();
	all.clock.pass(60_000);
	await settle();
	assert.equal(all.upload.state, "aborted");
	assert.equal(all.stack.pending, 0);
});

test("patience ends, and what is not decided is not confirmed", async () => {
	const all = await answered(PENDING, { settle: createSettle({ patienceMs: 5000 }) });
	(await question(all)).respond(state("pending"));
	(await question(all)).respond(state("pending"));
	await all.upload.finished;
	assert.equal(all.upload.state, "unconfirmed");
	assert.equal(all.upload.error.kind, "pending");
});

test("nothing is asked where no answer would be about this file", async () => {
	for (const grant of [{}, { ...KEYED, fields: { policy: "cA==" } }]) {
		const { stack, upload } = await answered(PENDING, undefined, grant);
		await upload.finished;
		assert.equal(upload.state, "unconfirmed");
		assert.equal(stack.pending, 0);
	}
	const all = await answered(CALLBACK);
	(await question(all)).respond({ status: 404, text: "{}" });
	await all.upload.finished;
	assert.equal(all.upload.state, "unconfirmed");
});

test("without it, what is pending is not confirmed", async () => {
	const { upload } = await answered(PENDING, {});
	await upload.finished;
	assert.equal(upload.state, "unconfirmed");
	assert.equal(upload.error.kind, "pending");
	assert.match(explain(upload.error).message, /still being checked/);
	assert.match(explain(upload.error, ZH).message, /检查/);
	assert.equal(upload.result.status, 200);
});
