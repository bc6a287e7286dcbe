// SPDX-License-Identifier: Apache-2.0
// What a page asks to be checked before anything is sent. Pictures are measured in
// e2e/browser/smaller.test.js.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeNetwork, FakeStack, file, grantAnswer, settle } from "./support.js";
import { createChecks } from "../../web/client/checks.js";
import { createUploader } from "../../web/client/postern-upload.js";

for (const [name, checks, given, kind, facts] of [
	["nothing asked", {}, file("a"), null],
	["an extension that is asked for, in large letters", { extensions: ["jpg"] }, file("A.B.JPG"), null],
	["another extension", { extensions: ["jpg", "png"] }, file("a.jpg.exe"), "extension", [".exe", ".jpg", ".png"]],
	["no extension", { extensions: ["jpg"] }, file("jpg"), "extension", ["", ".jpg"]],
	["a dot in a folder", { extensions: ["b/a"] }, file("a.b/a"), "extension", ["", ".b/a"]],
	["an empty list asks for nothing", { extensions: [], types: [] }, file("a"), null],
	["at the limits", { minSize: 5, maxSize: 5, types: ["text/*"] }, file(), null],
	["too large", { maxSize: 4 }, file(), "size", ["max", 4]],
	["too small", { minSize: 6 }, file(), "size", ["min", 6]],
	["another type", { types: ["image/*"] }, file(), "type", ["text/plain", "image/*"]],
	["what is no picture has no pixels", { minWidth: 10 }, file(), null],
	["nor has a drawing", { minWidth: 10 }, file("a.svg", "<svg/>", "image/svg+xml"), null],
])
	test(`checked: ${name}`, async () => {
		const error = await createChecks(checks)(given);
		assert.equal(error?.kind ?? null, kind);
		assert.deepEqual(error?.facts, facts);
	});

/** An upload whose check ends when the test says so. */
function checked(options = {}) {
	const stack = new FakeStack();
	const clock = new FakeClock();
	const asked = [];
	const uploader = createUploader({ httpStack: stack, clock, network: new FakeNetwork(),
		check: seen => new Promise((done, fail) => asked.push({ seen, done, fail })), ...options });
	const upload = uploader.add(file());
	const states = [];
	upload.addEventListener("change", () => states.push(upload.state));
	return { stack, clock, upload, asked, states };
}

const wrong = createChecks({ maxSize: 1 })(file());

test("a file that is not right fails before a grant is asked for; begun again, it is checked again", async () => {
	const { stack, upload, asked, states } = checked();
	upload.start();
	for (const round of [0, 1]) {
		assert.equal(upload.state, "signing");
		assert.equal(asked[round].seen, upload.file);
		asked[round].done(await wrong);
		await upload.finished;
		assert.equal(upload.state, "failed");
		assert.equal(upload.error, await wrong);
		upload.start();
	}
	assert.deepEqual(states.slice(0, 4), ["signing", "failed", "idle", "signing"]);
	assert.equal(stack.pending, 0);
});

test("a file that is right is sent; so is a large one", async () => {
	for (const large of [undefined, { from: 0, send: async job => {
		job.become("signing");
		job.become("sending");
		return { result: { status: 200, key: "k", etag: "", requestId: "", text: "", json: undefined }, error: null };
	} }]) {
		const { stack, clock, upload, asked } = checked({ large });
		upload.start();
		asked[0].done(null);
		if (!large) {
			(await stack.next()).respond(grantAnswer(clock));
			(await stack.next()).respond();
		}
		await upload.finished;
		assert.equal(upload.state, "done");
	}
});

test("held or given up while it is checked: nothing is sent, whatever comes out", async () => {
	for (const what of ["pause", "cancel"])
		for (const end of [null, await wrong]) {
			const sent = [];
			const { stack, upload, asked } = checked({ large: { from: 0, send: async job => void sent.push(job) } });
			upload.start();
			upload[what]();
			asked[0].done(end);
			await settle();
			assert.equal(upload.state, what === "pause" ? "paused" : "aborted");
			assert.equal(upload.error, null);
			assert.equal(stack.pending, 0);
			assert.deepEqual(sent, []);
		}
});

test("a check that cannot be made is an error of the page", async () => {
	const { upload, asked } = checked();
	upload.start();
	asked[0].fail(new Error("no"));
	await upload.finished;
	assert.deepEqual([upload.state, upload.error.kind, upload.error.message], ["failed", "grant", "no"]);
});
