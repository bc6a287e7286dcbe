// SPDX-License-Identifier: Apache-2.0
// The credentials that the application server signs with (docs/credentials.md). Temporary ones are
// of the store's own STS.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { json, startApp, startStore, upload } from "../lib/credentials.js";
import { getObject, postForm, send } from "../lib/oss.js";
import { begin, complete, put, stateOf, until } from "../lib/parts.js";
import { cleanups, temporaryFolder } from "../lib/server.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let store;
before(async () => {
	store = await startStore(all);
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

async function withToken(t, env = {}, policy = undefined) {
	const session = await assumeRole(store, policy);
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "token"), `${session.token}\n`, { mode: 0o600 });
	await writeFile(join(folder, "grants"), "what grants are made with, and nothing else\n", { mode: 0o600 });
	const app = await startApp(t, store, {
		POSTERN_APP_ACCESS_KEY_ID: session.id,
		POSTERN_APP_ACCESS_KEY_SECRET: session.secret,
		POSTERN_APP_SECURITY_TOKEN_FILE: join(folder, "token"),
		POSTERN_APP_GRANT_SECRET_FILE: join(folder, "grants"),
		...env,
	});
	return { app, session };
}

for (const version of ["4", "1"]) {
	test(`V${version}: a temporary key signs forms, requests and URLs`, async t => {
		const { app, session } = await withToken(t, { POSTERN_APP_SIGNATURE_VERSION: version });
		assert.doesNotMatch(app.log, /error/, "its HEAD at start is signed too");
		const fields = await upload(app, store, `v${version}`);
		assert.equal(fields["x-oss-security-token"], session.token);
		const policy = JSON.parse(Buffer.from(fields.policy, "base64").toString());
		assert.ok(policy.conditions.some(one => one["x-oss-security-token"] === session.token));
		assert.equal(await app.recorded(), 1, "the callback was believed, and confirmed by HEAD");
		assert.equal(await app.metric("app_confirms"), 1);
		const { grants } = await json(`${app.app}/grants`, "POST", { files: [{ name: "b.txt" }] });
		assert.equal((await postForm(store.store, grants[0].fields, FILE)).status, 200);
		const film = await begin({ app: app.app }, { filename: "film.txt" });
		const first = await put({ app: app.app }, film, 1, "film");
		assert.equal(first.status, 200, first.text);
		const done = await complete({ app: app.app }, film, [first.part]);
		assert.equal(done.status, 200, JSON.stringify(done.json));
		assert.equal(String(await getObject(store.store, film.key)), "film");
		assert.equal((await stateOf(app, film)).state, "confirmed");
		assert.equal(await app.recorded(), 3);
		const given = await begin({ app: app.app }, { filename: "given-up.txt" });
		assert.equal((await send(`${app.app}/s3/multipart/${given.uploadId}?${
			new URLSearchParams({ key: given.key })}`, "DELETE")).status, 200);
	});
}

test("pages of the samples get the token; the newer ones send it", async t => {
	const { app, session } = await withToken(t);
	const classic = await json(`${app.app}/`);
	assert.equal(classic.security_token, session.token);
	assert.equal(classic.accessid, session.id);
	const token = await json(`${app.app}/get_post_signature_for_oss_upload`);
	assert.equal(token.security_token, session.token);
	const got = await postForm(store.store, { success_action_status: "200", policy: token.policy,
		"x-oss-signature": token.signature, "x-oss-signature-version": token.version,
		"x-oss-credential": token.x_oss_credential, "x-oss-date": token.x_oss_date, key: `${token.dir}sample`,
		"x-oss-security-token": token.security_token, callback: token.callback }, FILE);
	assert.equal(got.status, 200, got.text);
	const sent = await postForm(store.store, { key: `${classic.dir}classic`, OSSAccessKeyId: classic.accessid,
		policy: classic.policy, Signature: classic.signature, success_action_status: "200",
		callback: classic.callback, "x-oss-security-token": classic.security_token }, FILE);
	assert.equal(sent.status, 200, sent.text);
	assert.equal(await app.recorded(), 2);
});

test("with a fixed pair there is no token", async t => {
	const app = await startApp(t, store, { POSTERN_APP_ACCESS_KEY_ID: store.key.id,
		POSTERN_APP_ACCESS_KEY_SECRET: store.key.secret });
	const fields = await upload(app, store, "fixed");
	assert.equal(fields["x-oss-security-token"], undefined);
	assert.equal((await json(`${app.app}/get_post_signature_for_oss_upload`)).security_token, "");
	assert.equal((await json(`${app.app}/`)).security_token, undefined);
	assert.equal(/grant=([^"&]+)/.exec(Buffer.from(fields.callback, "base64").toString())[1].split(".").length, 6);
});

const BELOW = ["acs:oss:*:*:uploads/user-dir-prefix/*"];
const beginning = app => json(`${app.app}/s3/multipart`, "POST", { filename: "film.txt" });

test("a key that may do what is needed, and no more", async t => {
	const { app } = await withToken(t, {}, allow(["oss:PutObject", "oss:GetObject", "oss:ListParts",
		"oss:AbortMultipartUpload"], BELOW));
	assert.doesNotMatch(app.log, /error/);
	await upload(app, store, "narrow");
	assert.equal((await beginning(app)).status, 200);
	assert.deepEqual([await app.metric("app_confirms"), await app.metric("app_parts")], [1, 1]);
	assert.equal((await send(`${app.console}/ready`)).text, "ready\n");
});

test("a key that may only upload: confirming and parts are off, and it is said", async t => {
	const { app } = await withToken(t, {}, allow(["oss:PutObject"], BELOW));
	await app.logged(/uploads are NOT confirmed.*oss:GetObject/);
	await app.logged(/NO uploads in parts.*oss:ListParts/);
	await upload(app, store, "only");
	assert.equal(await app.recorded(), 1, "what the callback says is believed");
	const refused = await beginning(app);
	assert.deepEqual([refused.status, refused.error], [501, "no_parts"]);
	assert.equal((await json(`${app.app}/s3/params?filename=a.txt&type=text/plain`)).status, 200, "small files go on");
	assert.deepEqual([await app.metric("app_confirms"), await app.metric("app_parts")], [0, 0]);
	const ready = await send(`${app.console}/ready`);
	assert.deepEqual([ready.status, ready.text.split("\n").length], [200, 4]);
	assert.match(ready.text, /no uploads in parts: the key may not do oss:ListParts/);
});

test("a key that may not abort uploads", async t => {
	const { app } = await withToken(t, {}, allow(["oss:PutObject", "oss:GetObject", "oss:ListParts"], BELOW));
	await app.logged(/NO uploads in parts.*oss:AbortMultipartUpload/);
	assert.doesNotMatch(app.log, /NOT confirmed/);
	assert.equal((await beginning(app)).status, 501);
	await upload(app, store, "no-abort");
});

test("what is off already is not asked about", async t => {
	const before = store.log.length;
	const { app } = await withToken(t, { POSTERN_APP_CONFIRM: "off", POSTERN_APP_MULTIPART_PATH: "" },
		allow(["oss:PutObject"], BELOW));
	assert.doesNotMatch(app.log, /error/);
	await upload(app, store, "quiet");
	await until("the store has logged it", () => / op=/.test(store.log.slice(before)));
	assert.deepEqual([...store.log.slice(before).matchAll(/ op=(\w+)/g)].map(([, op]) => op), ["PostObject"]);
});
