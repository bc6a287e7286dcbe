// SPDX-License-Identifier: Apache-2.0
// What became of a grant: GET /grants/ID.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bearer, token } from "../lib/jwt.js";
import { holdDatabase } from "../lib/ledger.js";
import { postForm, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const shop = { alg: "HS256", secret: "a secret that has more than thirty-two bytes" };
let server;
before(async () => {
	server = await startServer(all);
});

async function json(at, path, headers = {}) {
	const got = await send(at.app + path, "GET", headers);
	return { status: got.status, headers: got.headers, ...JSON.parse(got.text) };
}

const stateOf = (at, id, grant, headers) =>
	json(at, `/grants/${id}${grant ? `?grant=${grant}` : ""}`, headers);

function upload(at, grant, name) {
	return postForm(at.store, { key: grant.dir + name, ...grant.fields }, FILE);
}

test("the holder of a grant sees it issued, and then confirmed", async () => {
	const grant = await json(server, "/grant");
	assert.match(grant.id, /^[0-9a-f]{24}$/);
	assert.ok(Math.abs(parseInt(grant.id.slice(0, 8), 16) - Date.now() / 1000) < 60,
		"an id begins with the time");
	const open = await stateOf(server, grant.id, grant.grant);
	assert.equal(open.status, 200);
	assert.equal(open.headers["retry-after"], "2");
	assert.deepEqual([open.id, open.state, open.uploads, open.expires, open.last],
		[grant.id, "issued", 0, grant.expires, undefined]);
	assert.equal((await upload(server, grant, "one.txt")).status, 200);
	assert.equal((await upload(server, grant, "two.txt")).status, 200);
	const done = await stateOf(server, grant.id, grant.grant);
	assert.deepEqual([done.state, done.uploads], ["confirmed", 2]);
	assert.equal(done.headers["retry-after"], undefined);
	assert.deepEqual(
		[done.last.object, done.last.size, done.last.mimeType, done.last.confirmed],
		[`${grant.dir}two.txt`, 5, "text/plain", true]);
});

test("a classic token is written down, too, and answers as it did", async () => {
	const classic = await json(server, "/");
	assert.deepEqual(Object.keys(classic).filter(name => name !== "status" && name !== "headers"),
		["accessid", "host", "policy", "signature", "expire", "callback", "dir"]);
	const { callbackBody } = JSON.parse(Buffer.from(classic.callback, "base64"));
	const grant = new URLSearchParams(callbackBody).get("grant");
	assert.equal((await stateOf(server, grant.split(".")[0], grant)).state, "issued");
});

test("nobody else learns of it, and the grant is in no log", async () => {
	const mine = await json(server, "/grant"), other = await json(server, "/grant");
	const forged = mine.grant.replace(/.$/, last => last === "0" ? "1" : "0");
	for (const [id, grant] of [[mine.id, ""], [mine.id, other.grant], [mine.id, forged],
		[mine.id, mine.id], ["0".repeat(24), mine.grant], [`${mine.id}0`, mine.grant],
		["", mine.grant], [mine.id.toUpperCase(), mine.grant]]) {
		const got = await stateOf(server, id, grant);
		assert.equal(got.status, 404, `${id} ${grant}`);
		assert.equal(got.error, "not_found");
	}
	assert.equal((await send(`${server.app}/grants/${mine.id}`, "POST")).status, 405);
	await stateOf(server, mine.id, mine.grant);
	await server.logged(new RegExp(`target="/grants/${mine.id}[^"]*" status=200`));
	assert.ok(!server.log.includes(mine.grant));
});

test("with tokens the subject that asked for it may ask, and no other", async t => {
	const folder = await temporaryFolder(t), file = join(folder, "secret");
	await writeFile(file, shop.secret, { mode: 0o600 });
	const known = await startServer(t,
		{ env: { POSTERN_APP_AUTH: "jwt", POSTERN_APP_JWT_SECRET_FILE: file } });
	const as = sub => bearer(token(shop, { sub }));
	const grant = await json(known, "/grant", as("ann"));
	assert.equal((await stateOf(known, grant.id, "", as("ann"))).state, "issued");
	assert.equal((await stateOf(known, grant.id, "", as("bob"))).status, 404);
	assert.equal((await stateOf(known, grant.id, "", as(undefined))).status, 404);
	assert.equal((await stateOf(known, grant.id, "", {})).status, 401);
	assert.equal((await stateOf(known, grant.id, grant.grant)).state, "issued",
		"the holder needs no token");
});

test("above grants_max grants are given all the same, and counted", async t => {
	const data = await temporaryFolder(t);
	const env = { POSTERN_APP_GRANTS_MAX: "1" };
	const first = await startServer(t, { data, env });
	const written = await json(first, "/grant"), unwritten = await json(first, "/grant");
	assert.equal(unwritten.status, 200);
	const before = await stateOf(first, unwritten.id, unwritten.grant);
	assert.deepEqual([before.state, before.uploads, before.issued], ["issued", 0, undefined]);
	// The ledger has come to it: it answers in order.
	assert.match((await send(`${first.console}/metrics`)).text,
		/^postern_app_grants_unwritten_total 1$/m);
	assert.equal((await upload(first, unwritten, "a.txt")).status, 200);
	assert.equal((await stateOf(first, unwritten.id, unwritten.grant)).state, "confirmed");
	await first.stop();
	const again = await startServer(t, { data, env });
	assert.equal((await stateOf(again, written.id, written.grant)).state, "issued",
		"what was written down is there after a new start");
});

test("with grants_awaited a grant is durable before it is given", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data, env: { POSTERN_APP_GRANTS_AWAITED: "true" } });
	const grants = await Promise.all(Array.from({ length: 50 }, () => json(first, "/grant")));
	await first.kill();
	const again = await startServer(t, { data });
	for (const grant of grants)
		assert.notEqual((await stateOf(again, grant.id, grant.grant)).issued, undefined);
});

/** GET /grant and POST /grants: their statuses, and what they say. */
async function ask(at) {
	const one = await send(`${at.app}/grant`);
	const many = await send(`${at.app}/grants`, "POST", { "Content-Type": "application/json" },
		JSON.stringify({ files: [{ name: "a.txt" }, { name: "b.txt" }] }));
	return [one, many].map(({ status, text }) => [status, JSON.parse(text).error]);
}

test("with grants_awaited no grant is given that cannot be written down", async t => {
	const data = await temporaryFolder(t);
	const UNAVAILABLE = [[503, "unavailable"], [503, "unavailable"]];
	const awaited = await startServer(t, { data, env: { POSTERN_APP_GRANTS_AWAITED: "true" } });
	assert.deepEqual(await ask(awaited), [[200, undefined], [200, undefined]]);
	// Another process has the file for itself.
	const release = await holdDatabase(t, join(data, "ledger.db"));
	assert.deepEqual(await ask(awaited), UNAVAILABLE);
	assert.equal((await send(`${awaited.app}/`)).status, 503);
	assert.equal(await release(), 3, "one grant, and two");
	assert.deepEqual(await ask(awaited), [[200, undefined], [200, undefined]]);
	// Nor is one that there is no room for.
	const full = await startServer(t, { env: { POSTERN_APP_GRANTS_AWAITED: "true", POSTERN_APP_GRANTS_MAX: "1" } });
	assert.equal((await send(`${full.app}/grant`)).status, 200);
	assert.deepEqual(await ask(full), UNAVAILABLE);
	// What a check may decide later is found by its row.
	const checked = await startServer(t, { env: { POSTERN_APP_CHECKS: "object", POSTERN_APP_GRANTS_MAX: "1" } });
	assert.equal((await send(`${checked.app}/grant`)).status, 200);
	assert.deepEqual(await ask(checked), UNAVAILABLE);
});

test("grants_max = 0 writes none down", async t => {
	const none = await startServer(t, { env: { POSTERN_APP_GRANTS_MAX: "0" } });
	const grant = await json(none, "/grant");
	assert.equal((await upload(none, grant, "a.txt")).status, 200);
	assert.equal((await stateOf(none, grant.id, grant.grant)).status, 404);
	const bad = spawnSync(BIN, ["app", "127.0.0.1", "0", "--console-listen", "none", "--app-grants-keep-days", "0"],
		{ encoding: "utf8", timeout: 30_000 });
	assert.equal(bad.status, 2);
});
