// SPDX-License-Identifier: Apache-2.0
// What /metrics counts of the application server: grants by profile and outcome, callbacks by verdict, and
// requests that were not let in.
import assert from "node:assert/strict";
import { createSign } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { metric } from "../lib/metrics.js";
import { postForm, request, send } from "../lib/oss.js";
import { startServer, temporaryFolder } from "../lib/server.js";

const FILE = { name: "a.png", type: "image/png", content: "hello" };
const CONFIG = `
[profile avatar]
allowed_types = image/png
max_size = 10
`;

async function start(t, env = {}) {
	const folder = await temporaryFolder(t);
	const config = join(folder, "postern.ini");
	await writeFile(config, CONFIG);
	return startServer(t, { env, data: folder, args: ["--data", join(folder, "data"), "--config", config,
		"--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"] });
}

const json = async (at, path, method = "GET", body = undefined) => JSON.parse((await send(at.app + path, method,
	{ "Content-Type": "application/json" }, body && JSON.stringify(body))).text);

/** Those that are not 0. */
async function counts(at, name, label, values, labels = {}) {
	const all = {};
	for (const value of values) {
		const count = await metric(at, name, { ...labels, [label]: value });
		if (count > 0)
			all[value] = count;
	}
	return all;
}
const OUTCOMES = ["issued", "refused", "unavailable", "confirmed", "found", "rejected"];
const VERDICTS = ["recorded", "known", "pending", "malformed", "key_url", "grant", "signature", "object", "repeated",
	"exhausted", "undecided"];
const grants = (at, profile) => counts(at, "app_grants_total", "outcome", OUTCOMES, { profile });
const callbacks = at => counts(at, "app_callbacks_total", "verdict", VERDICTS);
const denials = at => counts(at, "app_denied_total", "by", ["token", "origin", "back_end", "rate", "unavailable"]);

test("grants are counted by their profile and by what became of them", async t => {
	const at = await start(t);
	assert.deepEqual([await grants(at, "default"), await grants(at, "avatar")], [{}, {}]);

	await json(at, "/");
	await json(at, "/grant");
	await json(at, "/grant?profile=avatar");
	await json(at, "/grant?profile=avatar&filename=a.txt&type=text/plain&size=1");
	await json(at, "/grant?profile=nobody");
	await json(at, "/grants", "POST", { profile: "avatar", files: [
		{ filename: "a.png", type: "image/png", size: 5 }, { filename: "b.png", type: "image/png", size: 11 }] });
	assert.deepEqual(await grants(at, "default"), { issued: 2 });
	assert.deepEqual(await grants(at, "avatar"), { issued: 2, refused: 2 });
	assert.equal(await metric(at, "app_grants_total", { profile: "nobody" }), 0, "names that clients think of are none");

	await json(at, "/s3/multipart", "POST", { filename: "a.png", type: "image/png", metadata: { profile: "avatar" } });
	await json(at, "/s3/multipart", "POST", { filename: "a.txt", type: "text/plain", metadata: { profile: "avatar" } });
	assert.deepEqual(await grants(at, "avatar"), { issued: 3, refused: 3 });

	const grant = await json(at, "/grant?profile=avatar");
	const got = await postForm(at.store, { key: `${grant.dir}a.png`, ...grant.fields, "Content-Type": "image/png" }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(await grants(at, "avatar"), { issued: 4, refused: 3, confirmed: 1 });
	assert.deepEqual(await callbacks(at), { recorded: 1 });
});

test("callbacks are counted by their verdict, and what was not believed by its profile", async t => {
	const at = await start(t, { POSTERN_APP_GRANT_UPLOADS: "1" });
	const pem = await readFile(join(at.data, "data", "callback_key.pem"));
	const own = `${at.store}/-/callback_pub_key_v1.pem`;
	let count = 0;
	const deliver = (members, { url = own, key = pem } = {}) => {
		const body = new URLSearchParams({ bucket: "uploads", size: "5", etag: "5D41402ABC4B2A76B9719D911017C592",
			reqId: `R${count++}`, ...members }).toString();
		return send(`${at.app}/`, "POST", { "Content-Type": "application/x-www-form-urlencoded",
			Authorization: createSign("md5").update(`/\n${body}`).sign(key, "base64"),
			"x-oss-pub-key-url": Buffer.from(url).toString("base64") }, body);
	};
	const { dir, fields, id, grant: ticket } = await json(at, "/grant?profile=avatar");

	assert.equal((await send(`${at.app}/`, "POST", {}, "nothing of a callback")).status, 400);
	assert.deepEqual(await callbacks(at), { malformed: 1 });
	await deliver({ object: `${dir}a`, grant: ticket }, { url: "http://127.0.0.1:1/key.pem" });
	await deliver({ object: "elsewhere/a", grant: ticket });
	await send(`${at.app}/`, "POST", { "Content-Type": "application/x-www-form-urlencoded", Authorization: "AAAA",
		"x-oss-pub-key-url": Buffer.from(own).toString("base64") },
	new URLSearchParams({ bucket: "uploads", object: `${dir}a`, reqId: "R", grant: ticket }).toString());
	assert.deepEqual(await callbacks(at), { malformed: 1, key_url: 1, grant: 1, signature: 1 });
	assert.deepEqual(await grants(at, "avatar"), { issued: 1 }, "what anybody may send says nothing of a grant");

	await deliver({ object: `${dir}none`, grant: ticket });
	assert.deepEqual(await callbacks(at), { malformed: 1, key_url: 1, grant: 1, signature: 1, object: 1 });
	assert.deepEqual(await grants(at, "avatar"), { issued: 1, rejected: 1 });

	const got = await postForm(at.store, { key: `${dir}a.png`, ...fields, "Content-Type": "image/png" }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.equal((await postForm(at.store, { key: `${dir}b.png`, ...fields, "Content-Type": "image/png" }, FILE)).status, 203);
	const after = await callbacks(at);
	assert.deepEqual([after.recorded, after.exhausted], [1, 1]);
	assert.deepEqual(await grants(at, "avatar"), { issued: 1, confirmed: 1, rejected: 2 });
	assert.equal((await request(at.store, "HEAD", "uploads", `${dir}a.png`)).headers["x-oss-meta-grant"], id);
});

test("who is not let in is counted by what was in the way", async t => {
	const folder = await temporaryFolder(t);
	const file = join(folder, "secret");
	await writeFile(file, "a secret that has more than thirty-two bytes", { mode: 0o600 });
	const at = await start(t, { POSTERN_APP_AUTH: "jwt", POSTERN_APP_JWT_SECRET_FILE: file, POSTERN_APP_GRANT_RATE: "2" });
	assert.equal((await send(`${at.app}/grant`)).status, 401);
	assert.equal((await send(`${at.app}/grant`, "GET", { Authorization: "Bearer a.b.c" })).status, 401);
	assert.equal((await send(`${at.app}/grant`)).status, 429);
	assert.deepEqual(await denials(at), { token: 2, rate: 1 });
	assert.equal(await metric(at, "app_grants_total"), 0);
});
