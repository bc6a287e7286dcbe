// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeStack, errorXml, file, grantAnswer, settle } from "./support.js";
import { createUploader } from "../../web/client/postern-upload.js";
import { explain } from "../../web/client/texts.js";

const EXPIRED = {
	status: 403,
	text: errorXml("AccessDenied", "Invalid according to Policy: Policy expired.",
		"<EC>0006-00000213</EC>"),
};

function setup(options) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const uploader = createUploader({ httpStack: stack, clock, retries: 0, ...options });
	return { stack, clock, uploader };
}

/** Starts an upload and brings it as far as the POST. */
async function sending(options, given = file(), changes = {}) {
	const all = setup(options);
	const upload = all.uploader.add(given);
	const states = [];
	upload.addEventListener("change", () => {
		if (states.at(-1) !== upload.state)
			states.push(upload.state);
	});
	upload.start();
	(await all.stack.next()).respond(grantAnswer(all.clock, changes));
	const post = await all.stack.next();
	return { ...all, upload, states, post };
}

test("a file goes up, and the application server's answer comes back", async () => {
	const { upload, states, post } = await sending();
	assert.equal(post.method, "POST");
	assert.equal(post.url, "http://store.test/uploads");
	assert.deepEqual([...post.body.keys()], ["key", "policy", "callback", "file"]);
	assert.equal(post.body.get("key"), "user/a.txt");
	assert.equal(await post.body.get("file").text(), "hello");
	post.onProgress(50, 200);
	assert.deepEqual(upload.progress, { sent: 50, total: 200 });
	post.onSent();
	assert.equal(upload.waiting, true);
	post.respond({ text: '{"Status":"OK"}', headers: { etag: '"5D"', "x-oss-request-id": "R1" } });
	await upload.finished;
	assert.deepEqual(states, ["signing", "sending", "done"]);
	assert.deepEqual(upload.result, {
		status: 200, key: "user/a.txt", etag: '"5D"', requestId: "R1",
		text: '{"Status":"OK"}', json: { Status: "OK" },
	});
	assert.equal(upload.error, null);
	assert.equal(upload.waiting, false);
});

test("the key that is sent may ask for the file's name; the key that is told has it", async () => {
	const { upload, post } = await sending({}, file("$&.txt"), { fields: { key: "u/${filename}" } });
	assert.equal(post.body.get("key"), "u/${filename}");
	assert.equal(upload.key, "u/$&.txt");
});

test("a file can have a sender of its own", async () => {
	const { stack, uploader } = setup();
	const upload = uploader.add(file("own.txt"), { large: { from: 0, async send(job) {
		job.become("signing");
		job.become("sending");
		return { error: null, result: { key: job.file.name } };
	} } });
	upload.start();
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(upload.result.key, "own.txt");
	const other = uploader.add(file("other.txt"));
	other.start();
	assert.equal((await stack.next()).url, "/grant");
});

test("an answer without a body is a success too", async () => {
	const { upload, post } = await sending();
	post.respond({ status: 204 });
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(upload.result.json, undefined);
});

test("203 is a state of its own, with the reason", async () => {
	const { upload, post } = await sending();
	post.respond({
		status: 203,
		text: errorXml("CallbackFailed", "Error status : 502.", "<EC>0007-00000203</EC>"),
	});
	await upload.finished;
	assert.equal(upload.state, "unconfirmed");
	assert.equal(upload.result.status, 203);
	assert.equal(upload.error.kind, "callback");
	assert.equal(upload.error.code, "CallbackFailed");
	assert.equal(upload.error.message, "Error status : 502.");
	assert.equal(upload.error.ec, "0007-00000203");
	assert.equal(upload.error.requestId, "5F3A");
	assert.match(explain(upload.error).advice, /safe in the store/);
	assert.match(explain(upload.error).advice, /could not reach the application server/);
});

test("203 for slowness and for an answer that is not JSON are told apart", async () => {
	for (const [message, advice] of [
		["Callback reply timeout, cost:5000ms, timeout:5000ms.", /five seconds/],
		["Response body is not valid json format.", /not JSON/],
		["Error status : 400.", /refused/],
	]) {
		const { upload, post } = await sending();
		post.respond({ status: 203, text: errorXml("CallbackFailed", message) });
		await upload.finished;
		assert.match(explain(upload.error).advice, advice);
	}
});

test("an expired grant is replaced and the file sent again, once", async () => {
	const { stack, clock, upload, states, post } = await sending();
	post.respond(EXPIRED);
	(await stack.next()).respond(grantAnswer(clock, { fields: { policy: "bmV3" } }));
	const again = await stack.next();
	assert.equal(again.body.get("policy"), "bmV3");
	again.respond({ text: "{}" });
	await upload.finished;
	assert.deepEqual(states, ["signing", "sending", "signing", "sending", "done"]);
});

test("a second expiry is a failure with advice", async () => {
	const { stack, clock, upload, post } = await sending();
	post.respond(EXPIRED);
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond(EXPIRED);
	await upload.finished;
	assert.equal(upload.state, "failed");
	assert.equal(upload.error.kind, "expired");
	assert.equal(upload.error.status, 403);
	assert.match(explain(upload.error).advice, /clocks/);
	assert.equal(stack.pending, 0);
});

test("uploads that expire together ask for one new grant", async () => {
	const { stack, clock, uploader } = setup();
	const uploads = [uploader.add(file("1")), uploader.add(file("2"))];
	for (const upload of uploads)
		upload.start();
	(await stack.next()).respond(grantAnswer(clock));
	const [one, two] = [await stack.next(), await stack.next()];
	one.respond(EXPIRED);
	await settle();
	const grant = await stack.next();
	assert.equal(grant.method, "GET");
	grant.respond(grantAnswer(clock));
	(await stack.next()).respond();
	two.respond(EXPIRED);
	const post = await stack.next();
	assert.equal(post.method, "POST");
	post.respond();
	await Promise.all(uploads.map(upload => upload.finished));
	assert.deepEqual(uploads.map(upload => upload.state), ["done", "done"]);
});

const USED = { status: 203, text: errorXml("CallbackFailed", "Error status : 429.") };

test("a grant that is used up is replaced and the file sent again, once", async () => {
	const { stack, clock, upload, states, post } = await sending();
	post.respond(USED);
	(await stack.next()).respond(grantAnswer(clock, { dir: "new/" }));
	const again = await stack.next();
	assert.equal(again.body.get("key"), "new/a.txt");
	again.respond();
	await upload.finished;
	assert.deepEqual(states, ["signing", "sending", "signing", "sending", "done"]);
	assert.equal(upload.error, null);
});

test("a new grant that is used up too: stored, and not confirmed", async () => {
	const { stack, clock, upload, post } = await sending();
	post.respond(USED);
	(await stack.next()).respond(grantAnswer(clock));
	(await stack.next()).respond(USED);
	await upload.finished;
	assert.equal(upload.state, "unconfirmed");
	assert.equal(upload.error.kind, "used");
	assert.match(explain(upload.error).advice, /used up/);
	assert.equal(upload.result.status, 203);
	assert.equal(stack.pending, 0);
});

test("after max_uploads files another grant is asked for", async () => {
	const { stack, clock, uploader } = setup();
	const uploads = [1, 2, 3, 4, 5].map(n => uploader.add(file(`${n}.txt`)));
	for (const upload of uploads)
		upload.start();
	const keys = [];
	let grants = 0;
	for (let i = 0; i < 8; i++) {
		const next = await stack.next();
		if (next.method === "GET") {
			grants++;
			next.respond(grantAnswer(clock, { max_uploads: 2, dir: `${grants}/` }));
		} else {
			keys.push(next.body.get("key"));
			next.respond();
		}
	}
	await Promise.all(uploads.map(upload => upload.finished));
	assert.equal(grants, 3);
	assert.deepEqual(keys.map(key => key[0]).sort(), ["1", "1", "2", "2", "3"]);
});

test("other refusals are not tried again", async () => {
	for (const [code, status, kind] of [
		["EntityTooLarge", 400, "size"],
		["RequestTimeTooSkewed", 403, "clock"],
		["SignatureDoesNotMatch", 403, "refused"],
		["AccessDenied", 403, "refused"],
		["Unheard", 400, "refused"],
		["InternalError", 500, "server"],
	]) {
		const { stack, upload, post } = await sending();
		post.respond({ status, text: errorXml(code, "No &amp; no.") });
		await upload.finished;
		assert.equal(upload.state, "failed");
		assert.equal(upload.error.kind, kind, code);
		assert.equal(upload.error.code, code);
		assert.equal(upload.error.message, "No & no.");
		assert.notEqual(explain(upload.error).advice, "");
		assert.equal(stack.pending, 0);
	}
});

test("an error that is not XML keeps its status", async () => {
	const { upload, post } = await sending();
	post.respond({ status: 502, text: "<html>Bad gateway</html>" });
	await upload.finished;
	assert.equal(upload.error.kind, "server");
	assert.equal(upload.error.status, 502);
	assert.equal(upload.error.response, "<html>Bad gateway</html>");
});

test("no answer from a store that lives: CORS is to blame", async () => {
	const { stack, upload, post } = await sending();
	stack.alive = true;
	post.respond({ status: 0 });
	await upload.finished;
	assert.equal(upload.error.kind, "cors");
	assert.match(explain(upload.error).advice, /allowed method POST/);
});

test("no answer from a store that does not live", async () => {
	const { upload, post } = await sending();
	post.respond({ status: 0 });
	await upload.finished;
	assert.equal(upload.error.kind, "network");
});

test("no answer, and the file has gone", async () => {
	const gone = file();
	gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("NotReadable")) });
	const { stack, upload, post } = await sending({}, gone);
	stack.alive = true;
	post.respond({ status: 0 });
	await upload.finished;
	assert.equal(upload.error.kind, "file");
});

test("cancel while sending aborts the request and says nothing more", async () => {
	const { stack, upload, states, post } = await sending();
	let changes = 0;
	upload.cancel();
	upload.addEventListener("change", () => changes++);
	assert.equal(post.signal.aborted, true);
	await upload.finished;
	await settle();
	assert.deepEqual(states, ["signing", "sending", "aborted"]);
	assert.equal(changes, 0);
	assert.equal(upload.error, null);
	assert.equal(stack.pending, 0);
});

test("cancel while signing sends no file", async () => {
	const { stack, clock, uploader } = setup();
	const upload = uploader.add(file());
	upload.start();
	const grant = await stack.next();
	upload.cancel();
	grant.respond(grantAnswer(clock));
	await settle();
	assert.equal(upload.state, "aborted");
	assert.equal(stack.pending, 0);
});

test("a cancelled upload can be started again", async () => {
	const { stack, upload, states } = await sending();
	upload.cancel();
	upload.start();
	const post = await stack.next();
	post.respond({ text: "{}" });
	await upload.finished;
	assert.deepEqual(states, ["signing", "sending", "aborted", "idle", "signing", "sending", "done"]);
});

test("cancelled and started again, while signing or in the queue, the file is sent once", async () => {
	for (const parallel of [1, 4]) {
		const { stack, clock, uploader } = setup({ parallel });
		const uploads = [uploader.add(file("1")), uploader.add(file("2"))];
		for (const upload of uploads) {
			upload.start();
			upload.cancel();
			upload.start();
		}
		(await stack.next()).respond(grantAnswer(clock));
		for (const key of ["user/1", "user/2"]) {
			const post = await stack.next();
			assert.equal(post.body.get("key"), key);
			post.respond();
		}
		await Promise.all(uploads.map(upload => upload.finished));
		await settle();
		assert.deepEqual(uploads.map(upload => upload.state), ["done", "done"]);
		assert.equal(stack.pending, 0);
	}
});

test("an unconfirmed upload can be sent again, and forgets its error", async () => {
	const { stack, upload, post } = await sending();
	post.respond({ status: 203, text: errorXml("CallbackFailed", "Error status : 502.") });
	await upload.finished;
	upload.start();
	(await stack.next()).respond({ text: "{}" });
	await upload.finished;
	assert.equal(upload.state, "done");
	assert.equal(upload.error, null);
});

test("a finished upload stays finished", async () => {
	const { stack, upload, post } = await sending();
	post.respond();
	await upload.finished;
	upload.cancel();
	upload.start();
	await settle();
	assert.equal(upload.state, "done");
	assert.equal(stack.pending, 0);
});

test("starting twice sends once", async () => {
	const { stack, upload } = await sending();
	upload.start();
	await settle();
	assert.equal(stack.pending, 0);
});

test("files outside the grant's limits are not sent", async () => {
	for (const [changes, kind] of [
		[{ max_size: 4 }, "size"],
		[{ min_size: 6 }, "size"],
		[{ types: ["image/png", "video/*"] }, "type"],
	]) {
		const { stack, clock, uploader } = setup();
		const upload = uploader.add(file());
		upload.start();
		(await stack.next()).respond(grantAnswer(clock, changes));
		await upload.finished;
		assert.equal(upload.state, "failed");
		assert.equal(upload.error.kind, kind);
		assert.equal(stack.pending, 0);
	}
});

test("files at the grant's limits are sent", async () => {
	for (const changes of [{ max_size: 5, min_size: 5 }, { types: ["text/*"] },
		{ types: ["text/plain"] }, { types: [] }]) {
		const { post } = await sending({}, file(), changes);
		assert.equal(post.method, "POST");
	}
	const { post } = await sending({}, file("a", "x", ""), { types: ["application/octet-stream"] });
	assert.equal(post.method, "POST");
});

test("no more files at a time than `parallel`, and in order", async () => {
	const { stack, clock, uploader } = setup({ parallel: 2 });
	const uploads = ["1", "2", "3", "4"].map(name => uploader.add(file(name)));
	for (const upload of uploads)
		upload.start();
	(await stack.next()).respond(grantAnswer(clock));
	const first = await stack.next();
	const second = await stack.next();
	await settle();
	assert.equal(stack.pending, 0);
	assert.deepEqual(uploads.map(upload => upload.state), ["sending", "sending", "idle", "idle"]);
	uploads[2].cancel();
	first.respond();
	const next = await stack.next();
	assert.equal(next.body.get("key"), "user/4");
	second.respond();
	next.respond();
	await Promise.all(uploads.map(upload => upload.finished));
	assert.deepEqual(uploads.map(upload => upload.state), ["done", "done", "aborted", "done"]);
});
