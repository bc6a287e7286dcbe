// SPDX-License-Identifier: Apache-2.0
// SIGHUP: the application server takes another key, drops no request, and refuses a configuration that
// does not hold. reload_rules.test.js is about the other options.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { json, startStore, upload } from "../lib/credentials.js";
import { postForm, send } from "../lib/oss.js";
import { until } from "../lib/parts.js";
import { REFUSED, pair, startWithFile } from "../lib/reload.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { ROLE, assumeRole } from "../lib/sts.js";

const run = promisify(execFile);
const all = cleanups();
let store;
before(async () => {
	store = await startStore(all);
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

/** A second access key of the store. */
async function addKey(own) {
	const { stdout } = await run(BIN, ["keys", "add", "--data", own.data]);
	const [id, secret] = ["id", "secret"].map(part => new RegExp(`access key ${part} +(\\S+)`).exec(stdout)[1]);
	return { id, secret };
}

/** Waits until the store takes it: it looks at its file once a second. */
const isKnown = (own, key) => until("the store knows the key", async () =>
	assumeRole({ ...own, console: own.console, key }).then(() => true, () => false));

const idOf = async app => (await json(`${app.app}/`)).accessid;

test("another pair is taken while requests run, and none is dropped", async t => {
	const second = await addKey(store);
	await isKnown(store, second);
	const { app, reload } = await startWithFile(t, store, pair(store.key));
	const before = await json(`${app.app}/grant`);
	const film = await json(`${app.app}/s3/multipart`, "POST", { filename: "film.txt" });
	let going = true;
	const statuses = new Set();
	const load = Array.from({ length: 4 }, async () => {
		while (going)
			statuses.add((await send(`${app.app}/grant`)).status);
	});
	for (let i = 0; i < 5; i++) {
		await reload(pair(second), /the configuration was read again/);
		assert.equal(await idOf(app), second.id);
		await reload(pair(store.key), /the configuration was read again/);
		assert.equal(await idOf(app), store.key.id);
	}
	await reload(pair(second), /the configuration was read again/);
	going = false;
	await Promise.all(load);
	assert.deepEqual([...statuses], [200]);
	await upload(app, store, "after");
	await upload(app, store, "before", before);
	assert.equal(await app.recorded(), 2, "what the old key has signed is believed");
	const query = new URLSearchParams({ key: film.key });
	const { url } = await json(`${app.app}/s3/multipart/${film.uploadId}/1?${query}`);
	assert.match(url, new RegExp(second.id));
	const put = await send(url, "PUT", {}, "film");
	assert.equal(put.status, 200, put.text);
	const done = await json(`${app.app}/s3/multipart/${film.uploadId}/complete?${query}`, "POST",
		{ parts: [{ PartNumber: 1, ETag: put.headers.etag }] });
	assert.equal(done.status, 200, JSON.stringify(done));
	assert.equal(await app.recorded(), 3);
	const state = await json(`${app.app}/grants/${before.id}?grant=${before.grant}`);
	assert.equal(state.state, "confirmed");
	assert.doesNotMatch(app.log, /error/);
});

test("a configuration that does not hold is refused, and the old one goes on", async t => {
	const { app, reload, folder } = await startWithFile(t, store, pair(store.key));
	for (const bad of [
		["nonsense"],
		["colour = blue"],
		[...pair({ id: "other", secret: "other" }), "max_size = many"],
		["access_key_id = other", "access_key_secret ="],
		["access_key_id = other", `access_key_secret_file = ${join(folder, "missing")}`],
		[...pair({ id: "other", secret: "other" }), "allowed_origins = nowhere"],
		["credentials = ecs"],
	]) {
		await reload(bad, /the configuration is refused: the old one goes on/);
		assert.equal(await idOf(app), store.key.id, bad.join());
	}
	await upload(app, store, "refused");
});

test("why a configuration is refused is in the log, as JSON if the log is", async t => {
	const { app, reload, folder } = await startWithFile(t, store, pair(store.key), { env: { POSTERN_SERVER_LOG_FORMAT: "json" } });
	const long = join(folder, "long");
	await writeFile(long, "x".repeat(300_000), { mode: 0o600 });
	const about = (name, value, why) => [[...pair(store.key), "auth = jwt", `${name} = ${value}`], `[app] ${name}: ${value} cannot be read${why}`];
	for (const [lines, why] of [[["colour = blue"], `${folder}/postern.ini:2: [app] colour: there is no such option; \`postern help\` lists them`],
		about("jwt_key_file", folder, ": Is a directory"), about("jwt_key_file", long, ": longer than 262144 bytes"),
		about("jwt_key_file", `${long}er`, ": No such file or directory"), about("jwt_secret_file", folder, ""), about("jwt_secret_file", long, "")]) {
		const log = await reload(lines, REFUSED);
		const said = log.split("\n").filter(line => line).map(line => JSON.parse(line).message);
		assert.ok(said.includes(why), `${why}\n${said.join("\n")}`);
	}
	assert.equal(await idOf(app), store.key.id);
});

test("a file in a folder that is new: its option is named, and that a restart is needed", async t => {
	const elsewhere = await temporaryFolder(t);
	const { app, reload, folder } = await startWithFile(t, store, pair(store.key));
	for (const [name, more] of [["access_key_secret_file", ["access_key_id = a"]],
		["jwt_secret_file", [...pair(store.key), "auth = jwt"]], ["jwt_key_file", [...pair(store.key), "auth = jwt"]]]) {
		const file = join(elsewhere, name);
		await writeFile(file, "a secret that has more than thirty-two bytes", { mode: 0o600 });
		const log = await reload([...more, `${name} = ${file}`], REFUSED);
		assert.match(log, new RegExp(`\\[app\\] ${name}: no file at the start was in the folder of ${file}, .* restart for that`));
	}
	const long = join(folder, "long");
	await writeFile(long, "x".repeat(1 << 20), { mode: 0o600 });
	for (const more of [["access_key_id = a", `access_key_secret_file = ${long}`], [...pair(store.key), "auth = jwt", `jwt_key_file = ${long}`]]) {
		const log = await reload(more, REFUSED);
		assert.match(log, new RegExp(`\\[app\\] \\w+_file: ${long} cannot be read`), "it is not the sandbox");
	}
	assert.equal(await idOf(app), store.key.id);
});

test("a secret in a file, and a security token", async t => {
	const session = await assumeRole(store);
	const { app, reload, folder } = await startWithFile(t, store, pair(store.key));
	await writeFile(join(folder, "secret"), session.secret, { mode: 0o600 });
	await writeFile(join(folder, "token"), session.token, { mode: 0o600 });
	await reload([`access_key_id = ${session.id}`, `access_key_secret_file = ${join(folder, "secret")}`,
		`security_token_file = ${join(folder, "token")}`], /the configuration was read again/);
	assert.equal((await upload(app, store, "token"))["x-oss-security-token"], session.token);
});

test("sts: the role is assumed with the new pair at once", async t => {
	const second = await addKey(store);
	await isKnown(store, second);
	const role = ["credentials = sts", `role_arn = ${ROLE}`, `sts_url = ${store.console}/sts/`];
	const { app, reload } = await startWithFile(t, store, [...pair(store.key), ...role]);
	const first = await json(`${app.app}/grant`);
	await reload([...pair(second), ...role], /the configuration was read again/);
	await until("another temporary key signs", async () =>
		(await json(`${app.app}/grant`)).fields["x-oss-security-token"] !== first.fields["x-oss-security-token"]);
	await upload(app, store, "sts-after");
	await upload(app, store, "sts-before", first);
	assert.equal(await app.recorded(), 2);
});

test("serve: it signs with the first key of its store that is enabled", async t => {
	const own = await startServer(t);
	const second = await addKey(own);
	const before = await json(`${own.app}/grant`);
	await run(BIN, ["keys", "disable", own.key.id, "--data", own.data]);
	own.signal("SIGHUP");
	await own.logged(/the configuration was read again/);
	assert.equal(await idOf(own), second.id);
	const { fields, dir } = await json(`${own.app}/grant`);
	const got = await postForm(own.store, { key: `${dir}own`, ...fields }, FILE);
	assert.deepEqual([got.status, got.text], [200, "{\"Status\":\"OK\"}"]);
	assert.equal((await postForm(own.store, { key: `${before.dir}old`, ...before.fields }, FILE)).status, 403,
		"a key that is disabled signs no more");
	const host = url => new URL(url).host;
	const doctor = await run(BIN, ["doctor", "serve", "--data", own.data, "--app-listen", host(own.app),
		"--store-listen", host(own.store)]).catch(error => error);
	assert.match(doctor.stdout, /ok +callback /, doctor.stdout);
});

/** How often one may ask is seen by asking: the answers of 20 requests, or of those until one is refused. */
async function askOften(url) {
	const statuses = [];
	while (statuses.length < 20 && statuses.at(-1) !== 429)
		statuses.push((await send(url)).status);
	return statuses;
}
const FREE = Array.from({ length: 20 }, () => 200);

test("rates are taken; those of a file that does not hold are not", async t => {
	const { app, reload } = await startWithFile(t, store, pair(store.key));
	const grant = await json(`${app.app}/grant`);
	const state = `${app.app}/grants/${grant.id}?grant=${grant.grant}`;
	const taken = /the configuration was read again/;
	assert.deepEqual([await askOften(`${app.app}/grant`), await askOften(state)], [FREE, FREE]);
	await reload([...pair(store.key), "grant_rate = 2", "part_rate = 3"], taken);
	for (const url of [`${app.app}/grant`, state])
		assert.equal((await askOften(url)).at(-1), 429);
	await reload([...pair(store.key), "grant_rate = 0", "part_rate = many"], /the configuration is refused: the old one goes on/);
	for (const url of [`${app.app}/grant`, state])
		assert.equal((await askOften(url)).at(-1), 429);
	await reload(pair(store.key), taken);
	assert.deepEqual([await askOften(`${app.app}/grant`), await askOften(state)], [FREE, FREE]);
	assert.doesNotMatch(app.log, /restart to use/);
});

test("the level of the log is taken", async t => {
	const level = name => [...pair(store.key), "[server]", "loops = 1", `log_level = ${name}`];
	const { app, reload } = await startWithFile(t, store, level("info"));
	const taken = /the configuration was read again/;
	await reload(level("error"), taken);
	await send(`${app.app}/quiet`);
	// By the same loop, and so after it.
	await send(`${app.app}/quiet`);
	await reload(level("info"), taken);
	await send(`${app.app}/loud`);
	await until("a request is logged", () => /target="\/loud"/.test(app.log));
	assert.ok((app.log.match(/target="\/quiet"/g) ?? []).length < 2, "no line at the level `error`");
	await reload(level("error"), taken);
});
