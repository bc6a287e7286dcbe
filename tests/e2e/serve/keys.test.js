// SPDX-License-Identifier: Apache-2.0
// `postern keys`, on the folder of a store that is running.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { request } from "../lib/oss.js";
import { BIN, cleanups, pause, startServer } from "../lib/server.js";

const all = cleanups();
const empty = mkdtempSync(join(tmpdir(), "postern-keys-"));
let server;
before(async () => {
	server = await startServer(all, { command: "store" });
});
after(async () => {
	rmSync(empty, { recursive: true });
	await all.run();
});

function keys(args, { data = server.data, input = "" } = {}) {
	const { status, stdout, stderr } = spawnSync(BIN, ["keys", ...args, "--data", data],
		{ input, encoding: "utf8" });
	return { status, out: stdout, err: stderr };
}

const list = () => keys(["list"]).out.trimEnd().split("\n");

async function outcome(accessKey) {
	const answer = await request(server.store, "GET", "", "", { accessKey });
	return answer.status === 200 ? "fine" : answer.xml("Code");
}

/** The store looks at the file by itself, once a second. */
async function becomes(accessKey, wanted) {
	for (const deadline = Date.now() + 30_000; Date.now() < deadline; await pause(50))
		if (await outcome(accessKey) === wanted)
			return;
	assert.equal(await outcome(accessKey), wanted);
}

test("a pair is added, disabled, enabled and removed while the store runs", async () => {
	assert.deepEqual(list(), [`enabled   ${server.key.id}`]);
	const added = keys(["add"]);
	assert.equal(added.status, 0, added.err);
	const id = /^access key id +([0-9A-Za-z]{24})$/m.exec(added.out)?.[1];
	const secret = /^access key secret +([0-9A-Za-z]{30})$/m.exec(added.out)?.[1];
	assert.ok(id && secret, added.out);
	await becomes({ id, secret }, "fine");
	assert.equal(await outcome(server.key), "fine");
	assert.deepEqual(list(), [`enabled   ${server.key.id}`, `enabled   ${id}`]);
	assert.equal(keys(["disable", id]).status, 0);
	await becomes({ id, secret }, "InvalidAccessKeyId");
	assert.deepEqual(list(), [`enabled   ${server.key.id}`, `disabled  ${id}`]);
	assert.equal(keys(["enable", id]).status, 0);
	await becomes({ id, secret }, "fine");
	assert.equal(keys(["remove", id]).status, 0);
	await becomes({ id, secret }, "InvalidAccessKeyId");
	assert.deepEqual(list(), [`enabled   ${server.key.id}`]);
	assert.ok(!server.log.includes(secret));
	assert.equal(statSync(join(server.data, "access_keys.json")).mode & 0o777, 0o600);
});

test("a pair that is given, its secret in a file or on standard input", async () => {
	const file = join(empty, "secret");
	writeFileSync(file, "from a file\n");
	chmodSync(file, 0o600);
	assert.match(keys(["add", "--id", "given", "--secret-file", file]).err, /without spaces/);
	writeFileSync(file, "from-a-file\n");
	assert.match(keys(["add", "--id", "given", "--secret-file", file]).out, /secret +from-a-file\n/);
	assert.match(keys(["add", "--id", "piped", "--secret-file", "-"], { input: "piped" }).out, /secret +piped\n/);
	await becomes({ id: "given", secret: "from-a-file" }, "fine");
	await becomes({ id: "piped", secret: "piped" }, "fine");
	assert.equal(await outcome({ id: "given", secret: "other" }), "SignatureDoesNotMatch");
	assert.equal(keys(["remove", "given"]).status, 0);
	assert.equal(keys(["remove", "piped"]).status, 0);
});

test("what cannot be done is refused with the reason, and changes nothing", () => {
	const file = join(server.data, "access_keys.json");
	const before = readFileSync(file, "utf8");
	const id = server.key.id;
	for (const [args, why] of [
		[["disable", id], /last enabled key/],
		[["remove", id], /last enabled key/],
		[["add", "--id", id], /is a key testaccesskeyid already/],
		[["add", "--id", "STS.x"], /does not begin with `STS\.`/],
		[["add", "--id", "a/b"], /letters, digits/],
		[["add", "--secret-file", "/dev/null"], /holds no secret/],
		[["add", "--secret-file", join(empty, "none")], /No such file/],
		[["disable", "nobody"], /no key nobody/],
		[["enable", "nobody"], /no key nobody/],
		[["remove", "nobody"], /no key nobody/],
		[["remove"], /give the id/],
		[["remove", "a", "b"], /give the id/],
		[["list", "a"], /too many/],
		[["list", "--id", "a"], /are for `add`/],
		[["change"], /there is list, add/],
		[[], /say what to do/],
		[["list", "--verbose"], /not known/],
	]) {
		const done = keys(args);
		assert.equal(done.status, 2, args.join(" "));
		assert.match(done.err, why);
		assert.equal(done.out, "");
	}
	assert.equal(readFileSync(file, "utf8"), before);
	const absent = keys(["add"], { data: empty });
	assert.equal(absent.status, 2);
	assert.match(absent.err, /holds no access_keys\.json/);
	assert.equal(keys(["list"], { data: join(empty, "none") }).status, 2);
	writeFileSync(join(empty, "access_keys.json"), "{}");
	const broken = keys(["list"], { data: empty });
	assert.equal(broken.status, 1);
	assert.match(broken.err, /is not a list of access keys/);
	const help = keys(["--help"]);
	assert.equal(help.status, 0);
	assert.match(help.out, /^Usage: postern keys list/);
});
