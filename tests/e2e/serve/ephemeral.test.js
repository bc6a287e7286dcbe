// SPDX-License-Identifier: Apache-2.0
// `--ephemeral`: all that a store does, and nothing on a disk.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { test } from "node:test";
import { ask } from "../lib/console_api.js";
import { getObject, listObjects, postForm, request, send } from "../lib/oss.js";
import { BIN, startServer, temporaryFolder } from "../lib/server.js";
import { assumeRole } from "../lib/sts.js";

const MIB = 1 << 20;
const LISTEN = ["--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"];

/** `folder` is where it would put files: where it runs, its home, and where temporary files go. */
function start(t, folder, { args = [], env = {} } = {}) {
	return startServer(t, { data: folder, args: ["--ephemeral", ...LISTEN, ...args],
		env: { HOME: folder, TMPDIR: folder, SQLITE_TMPDIR: folder, ...env } });
}

async function uploadByForm(server, name, content) {
	const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	const got = await postForm(server.store, { key: dir + name, ...fields }, { name, content });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" }, "called back");
	return dir + name;
}

/** What it has open that is a file, and has written to a disk. */
async function touched(server) {
	const files = [];
	for (const fd of await readdir(`/proc/${server.pid}/fd`)) {
		const name = await readlink(`/proc/${server.pid}/fd/${fd}`).catch(() => "");
		if (name.startsWith("/") && !name.startsWith("/dev/"))
			files.push(name);
	}
	const io = await readFile(`/proc/${server.pid}/io`, "utf8");
	return { files, written: Number(/^write_bytes: (\d+)$/m.exec(io)[1]) };
}

test("uploads, callbacks, parts and versions, without a file", async t => {
	const folder = await temporaryFolder(t);
	const server = await start(t, folder);
	const bytes = randomBytes(3 * MIB + 17);
	const key = await uploadByForm(server, "form", bytes);
	assert.deepEqual(await getObject(server.store, key), bytes);
	const range = await request(server.store, "GET", "uploads", key,
		{ headers: { Range: `bytes=${MIB - 3}-${2 * MIB + 5}` } });
	assert.equal(range.status, 206);
	assert.deepEqual(range.body, bytes.subarray(MIB - 3, 2 * MIB + 6), "across the pieces");
	const copy = await request(server.store, "PUT", "uploads", "copy",
		{ headers: { "x-oss-copy-source": `/uploads/${key}` } });
	assert.equal(copy.status, 200, copy.text);
	assert.deepEqual(await getObject(server.store, "copy"), bytes);

	const begun = await request(server.store, "POST", "uploads", "parts", { query: { uploads: "" } });
	const uploadId = begun.xml("UploadId");
	const parts = [bytes.subarray(0, MIB), bytes.subarray(MIB, 2 * MIB), bytes.subarray(2 * MIB)];
	for (const [i, body] of parts.entries())
		assert.equal((await request(server.store, "PUT", "uploads", "parts",
			{ query: { partNumber: String(i + 1), uploadId }, body })).status, 200);
	const list = parts.map((part, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${
		createHash("md5").update(part).digest("hex").toUpperCase()}"</ETag></Part>`).join("");
	const done = await request(server.store, "POST", "uploads", "parts",
		{ query: { uploadId }, body: `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>` });
	assert.equal(done.status, 200, done.text);
	assert.deepEqual(await getObject(server.store, "parts"), bytes);

	const versioning = await request(server.store, "PUT", "uploads", "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" });
	assert.equal(versioning.status, 200, versioning.text);
	assert.equal((await request(server.store, "DELETE", "uploads", "copy")).status, 204);
	assert.equal(await getObject(server.store, "copy"), null);
	const old = await request(server.store, "GET", "uploads", "copy", { query: { versionId: "null" } });
	assert.deepEqual(old.body, bytes, "the older version");

	const { json } = await ask(server, "GET", "/callbacks");
	assert.deepEqual(json.callbacks.map(one => [one.object, one.ok]), [[key, true]], "the history of callbacks");
	const session = await assumeRole(server);
	assert.equal((await request(server.store, "GET", "uploads", "parts", { accessKey: session,
		headers: { "x-oss-security-token": session.token } })).status, 200, "temporary keys");
	assert.equal((await send(`${server.console}/ready`)).text, "ready\n");

	const { files, written } = await touched(server);
	assert.deepEqual(files, []);
	// Reading a file may write when it was read; what was uploaded is much more than that.
	assert.ok(written < 256 << 10, `${written} bytes were written`);
	await server.stop();
	assert.deepEqual(await readdir(folder), []);
});

test("the next start knows nothing of the last, and makes other keys", async t => {
	const folder = await temporaryFolder(t);
	const own = { POSTERN_ACCESS_KEY_ID: "", POSTERN_ACCESS_KEY_SECRET: "" };
	const seen = [];
	for (let i = 0; i < 2; i++) {
		const server = await start(t, folder, { env: own });
		const id = /^ *access key id +(\S+)$/m.exec(server.output)?.[1];
		const secret = /^ *access key secret +(\S+)$/m.exec(server.output)?.[1];
		assert.ok(id && secret, server.output);
		assert.match(server.output, /^ *data +in memory/m);
		const accessKey = { id, secret };
		const listed = await request(server.store, "GET", "uploads", "", { accessKey });
		assert.equal(listed.status, 200, listed.text);
		assert.equal(listed.xml("Key"), null, "empty");
		const key = await uploadByForm(server, "x", "content");
		assert.equal((await request(server.store, "GET", "uploads", key, { accessKey })).text, "content");
		for (const before of seen)
			assert.equal((await request(server.store, "GET", "uploads", key, { accessKey: before })).xml("Code"),
				"InvalidAccessKeyId");
		seen.push(accessKey);
		await server.stop();
	}
	const given = await start(t, folder);
	assert.doesNotMatch(given.output, /access key/, "whoever gave the keys knows them");
	assert.deepEqual(await listObjects(given.store), []);
});

test("above its part of the memory it is full: 507, until something is deleted", async t => {
	const server = await start(t, await temporaryFolder(t), { args: ["--server-memory", String(32 * MIB)] });
	const body = randomBytes(MIB);
	const put = key => request(server.store, "PUT", "uploads", key, { body });
	let count = 0;
	let answer;
	while ((answer = await put(`k${count}`)).status === 200)
		assert.ok(++count < 16);
	assert.equal(answer.status, 507, answer.text);
	assert.equal(count, 15);
	assert.deepEqual(await getObject(server.store, "k0"), body, "reading goes on");
	assert.equal((await request(server.store, "DELETE", "uploads", "k0")).status, 204);
	assert.equal((await put("again")).status, 200);
	const { text } = await send(`${server.console}/metrics`);
	assert.ok(Number(/^postern_memory_store_bytes (\d+)$/m.exec(text)[1]) > 15 * MIB);
});

test("a slow reader of what is in memory gets all of it, though it is deleted", async t => {
	const server = await start(t, await temporaryFolder(t));
	const body = randomBytes(20 * MIB);
	assert.equal((await request(server.store, "PUT", "uploads", "large", { body })).status, 200);
	const acl = await request(server.store, "PUT", "uploads", "large",
		{ query: { acl: "" }, headers: { "x-oss-object-acl": "public-read" } });
	assert.equal(acl.status, 200, acl.text);
	const answer = await fetch(`${server.store}/uploads/large`);
	const pieces = [];
	for await (const piece of answer.body) {
		if (pieces.length === 0)
			assert.equal((await request(server.store, "DELETE", "uploads", "large")).status, 204);
		pieces.push(piece);
	}
	assert.ok(Buffer.concat(pieces).equals(body));
});

test("it goes with no folder, and not with the application server alone", async t => {
	const folder = await temporaryFolder(t);
	const run = (command, ...args) => spawnSync(BIN, [command, "--ephemeral", ...args], { encoding: "utf8" });
	const both = run("store", "--data", folder);
	assert.equal(both.status, 2);
	assert.match(both.stderr, /--ephemeral keeps nothing, so there is no --data/);
	assert.deepEqual(await readdir(folder), []);
	const app = run("app");
	assert.equal(app.status, 2);
	assert.match(app.stderr, /for `serve` and `store`/);
	const small = run("store", "--server-memory", String(16 * MIB));
	assert.equal(small.status, 2);
	assert.match(small.stderr, /at least 33554432 bytes with --ephemeral/);
});
