// SPDX-License-Identifier: Apache-2.0
// "Already there": GET /duplicates, for the subject that has uploaded the bytes and for nobody else. A
// proxy in front of the store shows whether it is asked, and breaks it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer, request as open } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startStore } from "../lib/credentials.js";
import { bearer, token } from "../lib/jwt.js";
import { postForm, request, send, sha256 } from "../lib/oss.js";
import { begin, path, startWith, stateOf, until } from "../lib/parts.js";
import { pair, startWithFile } from "../lib/reload.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const SECRET = "a secret that has more than thirty-two bytes";
const as = (sub, claims = {}) => bearer(token({ alg: "HS256", secret: SECRET }, { sub, ...claims }));
const ann = as("ann"), bob = as("bob");
const NONE = '{"upload":null}';
let server, folder, jwt;
/** Requests of the application server to the store, and which of them it answers with 500. */
const asked = [];
let fails = "";

before(async () => {
	folder = await temporaryFolder(all);
	await writeFile(join(folder, "secret"), SECRET, { mode: 0o600 });
	jwt = `auth = jwt\njwt_secret_file = ${join(folder, "secret")}\n`;
	const proxy = createServer((from, to) => {
		asked.push(from.method);
		if (!server || from.method === fails)
			return to.writeHead(server ? 500 : 404).end();
		const { host, port } = new URL(server.store);
		const on = open({ host: "127.0.0.1", port, method: from.method, path: from.url, headers: { ...from.headers, host } },
			answer => answer.pipe(to.writeHead(answer.statusCode, answer.headers)));
		on.on("error", () => to.destroy());
		from.pipe(on);
	});
	await new Promise(done => proxy.listen(0, "127.0.0.1", done));
	all.after(() => new Promise(done => {
		proxy.close(done);
		proxy.closeAllConnections();
	}));
	server = await startWith(all, `[app]
${jwt}duplicates = subject
store_url = http://127.0.0.1:${proxy.address().port}/uploads
max_size = 100000
[profile off]
duplicates = off
[profile other]
upload_dir = other/
[profile held]
key = held/\${uuid}
checks = type
[profile teams]
upload_dir = teams/\${team}/\${uuid}/
`);
});

const query = (content, more = {}) => String(new URLSearchParams({ sha256: sha256(content),
	size: String(Buffer.byteLength(content)), ...more }));
const lookUp = (who, content, more = {}, at = server) => send(`${at.app}/duplicates?${query(content, more)}`, "GET", who);

/** Uploads a form that says the hash of the content, or what `more` says. */
async function upload(who, content, { profile = "", name = "a.txt", more = {}, at = server, store = at } = {}) {
	const grant = JSON.parse((await send(`${at.app}/grant?${new URLSearchParams({ profile, filename: name })}`, "GET", who)).text);
	const got = await postForm(store.store, { ...grant.fields, "x:sha256": sha256(content), ...more },
		{ name, type: "text/plain", content });
	return { grant, got, key: grant.fields.key };
}

/** The same, which is confirmed. */
async function uploaded(who, content, how) {
	const done = await upload(who, content, how);
	assert.deepEqual([done.got.status, done.got.text], [200, '{"Status":"OK"}'], done.got.text);
	return done;
}

const logged = pattern => until(`in the log: ${pattern}`, () => pattern.test(server.log));
const there = async () => Number(/^postern_app_duplicates_total (\d+)$/m.exec((await send(`${server.console}/metrics`)).text)[1]);

test("what a subject has uploaded is there, for that subject and that profile alone", async () => {
	const CONTENT = "of ann";
	const before = await there();
	assert.equal((await lookUp(ann, CONTENT)).text, NONE);
	const { key, grant } = await uploaded(ann, CONTENT);
	const { last } = await stateOf(server, grant);
	asked.length = 0;
	const got = await lookUp(ann, CONTENT);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { upload: last }, "as GET /grants/ID tells it");
	assert.deepEqual([last.object, last.size, last.mimeType, last.confirmed], [key, CONTENT.length, "text/plain", true]);
	assert.deepEqual(asked, ["HEAD"], "the store is asked, once");
	await logged(/target="\/duplicates\?sha256=\*\*\*&size=6" status=200 .*duplicate=yes/);
	assert.equal(await there(), before + 1);
	const nothing = await lookUp(bob, "of nobody");
	for (const other of [
		await lookUp(bob, CONTENT), await lookUp(as(undefined), CONTENT), await lookUp(ann, CONTENT, { profile: "other" }),
		await lookUp(ann, CONTENT, { size: "7" }), await lookUp(ann, "of anu"),
	]) {
		const { date: _, ...headers } = other.headers;
		const { date: __, ...expected } = nothing.headers;
		assert.deepEqual([other.status, other.text, Object.keys(headers)], [200, NONE, Object.keys(expected)]);
	}
	assert.deepEqual(asked, ["HEAD"], "for nobody else");
	await uploaded(ann, CONTENT, { profile: "other" });
	assert.match(JSON.parse((await lookUp(ann, CONTENT, { profile: "other" })).text).upload.object, /^other\//);
	assert.equal(JSON.parse((await lookUp(ann, CONTENT)).text).upload.object, key);
	assert.equal(JSON.parse((await lookUp(ann, CONTENT, { filename: "b.txt" })).text).upload.object, key,
		"whatever it is called now");
});

test("a claimed hash is believed for who claims it", async () => {
	await uploaded(bob, "evil", { more: { "x:sha256": sha256("good") } });
	assert.equal((await lookUp(ann, "good", { size: "4" })).text, NONE);
	assert.notEqual((await lookUp(bob, "good", { size: "4" })).text, NONE, "what bob has said is bob's own");
	assert.equal((await lookUp(bob, "evil")).text, NONE);
});

test("what was deleted or is another object now is not there", async () => {
	const CONTENT = "fleeting";
	const { key } = await uploaded(ann, CONTENT);
	const put = body => request(server.store, "PUT", "uploads", key, { body });
	assert.equal((await put("fleeing!")).status, 200);
	assert.equal((await lookUp(ann, CONTENT)).text, NONE, "overwritten");
	await put("fleeting and more");
	assert.equal((await lookUp(ann, CONTENT)).text, NONE, "overwritten by a longer one");
	await put(CONTENT);
	assert.equal(JSON.parse((await lookUp(ann, CONTENT)).text).upload.object, key, "by the same bytes");
	assert.equal((await request(server.store, "DELETE", "uploads", key)).status, 204);
	assert.equal((await lookUp(ann, CONTENT)).text, NONE, "deleted");
	await logged(/duplicate=gone/);
	const again = await uploaded(ann, CONTENT);
	assert.equal(JSON.parse((await lookUp(ann, CONTENT)).text).upload.object, again.key, "and uploaded again");
});

test("if the store cannot be asked, nothing is there, and that is no error", async t => {
	const CONTENT = "unreachable";
	await uploaded(ann, CONTENT);
	t.after(() => {
		fails = "";
	});
	fails = "HEAD";
	const got = await lookUp(ann, CONTENT);
	assert.deepEqual([got.status, got.text], [200, NONE]);
	await logged(/duplicate=unknown/);
	fails = "";
	assert.notEqual((await lookUp(ann, CONTENT)).text, NONE);
});

test("what was rejected, is pending, or came without a hash is not there", async t => {
	const rejected = await upload(ann, "rejected", { more: { "x:crc64": "1" } });
	assert.equal(rejected.got.status, 203);
	assert.equal((await lookUp(ann, "rejected")).text, NONE);
	t.after(() => {
		fails = "";
	});
	fails = "GET";
	const pending = await upload(ann, "pending", { profile: "held" });
	assert.equal(JSON.parse(pending.got.text).Status, "Pending");
	assert.equal((await lookUp(ann, "pending", { profile: "held", filename: "a.txt" })).text, NONE);
	for (const hash of ["", "x", sha256("spelt").toUpperCase(), sha256("spelt").slice(1)])
		await uploaded(ann, "spelt", { more: { "x:sha256": hash } });
	assert.equal((await lookUp(ann, "spelt")).text, NONE);
});

test("an upload in parts", async () => {
	const CONTENT = "of parts";
	const film = await begin(server, {}, ann);
	const { url } = JSON.parse((await send(`${server.app}/s3${path(film, "/1")}`, "GET", ann)).text);
	const { etag } = (await send(url, "PUT", {}, CONTENT)).headers;
	const end = more => send(`${server.app}/s3${path(film, "/complete")}`, "POST", { ...ann, "Content-Type": "application/json" },
		JSON.stringify({ parts: [{ PartNumber: 1, ETag: etag }], ...more }));
	for (const bad of [5, "", "x", sha256(CONTENT).toUpperCase(), `${sha256(CONTENT)}0`])
		assert.equal((await end({ sha256: bad })).status, 400, String(bad));
	const done = await end({ sha256: sha256(CONTENT) });
	assert.equal(done.status, 200, done.text);
	assert.equal(JSON.parse((await lookUp(ann, CONTENT)).text).upload.object, film.key);
	assert.equal((await lookUp(bob, CONTENT)).text, NONE);
});

test("where the caller may not upload now, nothing is there", async () => {
	const CONTENT = "of a team";
	const red = as("ann", { team: "red" }), blue = as("ann", { team: "blue" });
	const { key } = await uploaded(red, CONTENT, { profile: "teams" });
	assert.equal((await lookUp(blue, CONTENT, { profile: "teams" })).text, NONE);
	assert.equal(JSON.parse((await lookUp(red, CONTENT, { profile: "teams" })).text).upload.object, key);
});

test("with auth = forward, among what is below the prefix of now", async t => {
	let prefix = "one/";
	const backEnd = await startSink(t, (from, to) => says(JSON.stringify({ sub: "ann", prefix }))(from, to));
	const at = await startServer(t, { env: { POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: backEnd.url,
		POSTERN_APP_DUPLICATES: "subject" } });
	const { key } = await uploaded({}, "hello", { at });
	assert.equal(JSON.parse((await lookUp({}, "hello", {}, at)).text).upload.object, key);
	prefix = "two/";
	assert.equal((await lookUp({}, "hello", {}, at)).text, NONE);
});

test("a question that is none is refused, and so is one for a file that may not be uploaded", async () => {
	const hash = sha256("x");
	for (const [text, status, error] of [
		["", 400, "invalid_request"], [`sha256=${hash}`, 400, "invalid_request"], ["size=1", 400, "invalid_request"],
		[`sha256=${hash}&size=`, 400, "invalid_request"], [`sha256=${hash}&size=-1`, 400, "invalid_request"],
		[`sha256=${hash}&size=1x`, 400, "invalid_request"], [`sha256=${hash}&size=99999999999999999999`, 400, "invalid_request"],
		[`sha256=${hash.toUpperCase()}&size=1`, 400, "invalid_request"], [`sha256=${hash}0&size=1`, 400, "invalid_request"],
		[`sha256=${hash.slice(1)}g&size=1`, 400, "invalid_request"], [`sha256=${hash.slice(2)}&size=1`, 400, "invalid_request"],
		[`sha256=${hash}&size=1&profile=nothing`, 404, "no_such_profile"], [`sha256=${hash}&size=100001`, 403, "size_refused"],
		[`sha256=${hash}&size=1&profile=off`, 404, "not_offered"],
	]) {
		const got = await send(`${server.app}/duplicates?${text}`, "GET", ann);
		assert.deepEqual([got.status, JSON.parse(got.text).error], [status, error], text);
	}
	assert.equal((await send(`${server.app}/duplicates?${query("x")}`)).status, 401, "without a token");
	const post = await send(`${server.app}/duplicates?${query("x")}`, "POST", ann, "");
	assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD, OPTIONS"]);
});

test("it counts against the rate of grants", async t => {
	const at = await startWith(t, `[app]\n${jwt}duplicates = subject\ngrant_rate = 2\n`);
	const ask = async () => (await lookUp(ann, "x", {}, at)).status;
	assert.deepEqual([await ask(), await ask(), await ask()], [200, 200, 429]);
	assert.equal((await send(`${at.app}/grant`, "GET", ann)).status, 429, "one rate for both");
});

test("it is off by default; SIGHUP turns it on, for what comes then", async t => {
	const store = await startStore(t);
	const lines = [...pair(store.key), ...jwt.trim().split("\n")];
	const { app, reload } = await startWithFile(t, store, lines);
	await uploaded(ann, "before", { at: app, store });
	assert.equal((await lookUp(ann, "before", {}, app)).status, 404);
	await reload([...lines, "duplicates = subject"]);
	assert.equal((await lookUp(ann, "before", {}, app)).text, NONE, "its hash was not remembered");
	const { key } = await uploaded(ann, "after", { at: app, store });
	assert.equal(JSON.parse((await lookUp(ann, "after", {}, app)).text).upload.object, key);
	await reload([...lines, "[profile one]", "duplicates = subject"]);
	assert.equal((await lookUp(ann, "after", {}, app)).status, 404);
	assert.equal((await lookUp(ann, "after", { profile: "one" }, app)).text, NONE);
});

test("what cannot work ends the start", () => {
	const run = (...args) => spawnSync(BIN, ["app", "127.0.0.1", "0", "--console-listen", "none", "--data", folder,
		"--app-host", "http://127.0.0.1:1/uploads", "--app-access-key-id", "a", "--app-access-key-secret", "b", ...args],
	{ encoding: "utf8", timeout: 60_000 });
	const known = ["--app-auth", "jwt", "--app-jwt-secret-file", join(folder, "secret")];
	for (const [args, why] of [
		[["--app-duplicates", "subject"], /duplicates: `subject` needs auth = jwt or forward/],
		[[...known, "--app-duplicates", "all"], /duplicates: must be off or subject/],
		[[...known, "--app-duplicates", "subject", "--app-confirm", "off"], /duplicates: the store must be asked/],
		[[...known, "--app-duplicates", "subject", "--app-grants-max", "0"], /duplicates: need grants_max above 0/],
	]) {
		const done = run(...args);
		assert.equal(done.status, 2, `${args}: ${done.stderr}`);
		assert.match(done.stderr, why);
	}
});
