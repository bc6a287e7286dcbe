// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeStack, grantAnswer, settle } from "./support.js";
import { createUploader } from "../../web/client/postern-upload.js";
import { explain } from "../../web/client/texts.js";

function setup(options) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	return { stack, clock, uploader: createUploader({ httpStack: stack, clock, ...options }) };
}

test("many who ask at once cause one request", async () => {
	const { stack, clock, uploader } = setup({ grantUrl: "/tokens" });
	const asked = [uploader.grant(), uploader.grant(), uploader.grant()];
	const request = await stack.next();
	assert.equal(request.url, "/tokens");
	request.respond(grantAnswer(clock));
	const grants = await Promise.all(asked);
	assert.equal(grants[0], grants[2]);
	assert.equal(stack.pending, 0);
});

test("a grant is kept until it nears its end", async () => {
	const { stack, clock, uploader } = setup();
	const asked = uploader.grant();
	(await stack.next()).respond(grantAnswer(clock));
	await asked;
	clock.pass(284_000);
	await uploader.grant();
	assert.equal(stack.pending, 0);
	clock.pass(1_000);
	uploader.grant();
	await settle();
	assert.equal(stack.pending, 1);
});

test("a short grant is used for half of its life", async () => {
	const { stack, clock, uploader } = setup();
	const asked = uploader.grant();
	(await stack.next()).respond(grantAnswer(clock, { expires: clock.now() / 1000 + 10 }));
	await asked;
	clock.pass(4_900);
	await uploader.grant();
	assert.equal(stack.pending, 0);
	clock.pass(200);
	uploader.grant();
	await settle();
	assert.equal(stack.pending, 1);
});

test("a wrong clock in the browser does not matter when the server tells its own", async () => {
	for (const wrong of [-7_200_000, 7_200_000]) {
		const { stack, clock, uploader } = setup();
		const answer = grantAnswer(clock);
		answer.headers = { date: new Date(clock.now()).toUTCString() };
		clock.pass(wrong);
		const asked = uploader.grant();
		(await stack.next()).respond(answer);
		await asked;
		clock.pass(200_000);
		await uploader.grant();
		assert.equal(stack.pending, 0);
		clock.pass(90_000);
		uploader.grant();
		await settle();
		assert.equal(stack.pending, 1);
	}
});

test("a refused grant fails the upload, and the next try asks again", async () => {
	const { stack, clock, uploader } = setup();
	const upload = uploader.add(new File(["x"], "x"));
	upload.start();
	(await stack.next()).respond({ status: 401 });
	await upload.finished;
	assert.equal(upload.state, "failed");
	assert.equal(upload.error.kind, "grant");
	assert.match(explain(upload.error).advice, /Sign in/);
	upload.start();
	(await stack.next()).respond(grantAnswer(clock));
	assert.equal((await stack.next()).method, "POST");
});

test("answers that are no grant are named as such", async () => {
	for (const text of ["", "<html>", "[]", "null", "{}", '{"url":"http://store.test/","fields":null}']) {
		const { stack, uploader } = setup();
		const asked = uploader.grant();
		(await stack.next()).respond({ text });
		await assert.rejects(asked, { kind: "grant", message: /not a grant/ });
	}
});

test("no application server at all", async () => {
	const { stack, uploader } = setup();
	const asked = uploader.grant();
	(await stack.next()).respond({ status: 0 });
	await assert.rejects(asked, { kind: "grant", status: 0, message: /cannot be reached/ });
});

test("getGrant replaces the request", async () => {
	const { stack, uploader } = setup({
		getGrant: async url => JSON.parse(grantAnswer(new FakeClock(), { dir: url }).text),
		grantUrl: "mine/",
	});
	const upload = uploader.add(new File(["x"], "x"));
	upload.start();
	assert.equal((await stack.next()).body.get("key"), "mine/x");
});

test("what getGrant throws is the upload's error", async () => {
	const { uploader } = setup({ getGrant: () => Promise.reject(new Error("signed out")) });
	const upload = uploader.add(new File(["x"], "x"));
	upload.start();
	await upload.finished;
	assert.equal(upload.error.message, "signed out");
	assert.equal(upload.error.cause.message, "signed out");
});
