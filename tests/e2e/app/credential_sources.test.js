// SPDX-License-Identifier: Apache-2.0
// Where credentials come from: the store's own STS, and services of Alibaba Cloud, which a small web
// server stands for. What these hand out is of the store's STS, so that uploads succeed with it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { json, startApp, startStore, upload } from "../lib/credentials.js";
import { postForm, send } from "../lib/oss.js";
import { until } from "../lib/parts.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { startSink } from "../lib/sink.js";
import { ROLE, allow, assumeRole } from "../lib/sts.js";

const run = promisify(execFile);
const all = cleanups();
let store;
before(async () => {
	store = await startStore(all);
});
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const seconds = ms => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const answer = (response, status, body) => {
	response.writeHead(status, { "Content-Type": "application/json" });
	response.end(typeof body === "string" ? body : JSON.stringify(body));
};
const asJson = (session, more) => ({ AccessKeyId: session.id, AccessKeySecret: session.secret,
	SecurityToken: session.token, ...more });

/** A command that must not start: what it complains of. */
async function complaint(t, env) {
	const data = await temporaryFolder(t);
	const got = await run(BIN, ["app", "--data", data, "--app-listen", "127.0.0.1:0", "--console-listen", "none"], { env: { ...process.env,
		POSTERN_APP_HOST: `${store.store}/uploads`, ...env } }).catch(error => error);
	assert.equal(got.code, 2, got.stderr);
	return got.stderr;
}

const stsOf = own => ({
	POSTERN_APP_CREDENTIALS: "sts",
	POSTERN_APP_STS_URL: `${own.console}/sts/`,
	POSTERN_APP_ACCESS_KEY_ID: own.key.id,
	POSTERN_APP_ACCESS_KEY_SECRET: own.key.secret,
	POSTERN_APP_ROLE_ARN: ROLE,
});

test("sts: the role is assumed at the store's own STS", async t => {
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "policy.json"), JSON.stringify(
		allow(["oss:PutObject", "oss:GetObject", "oss:ListParts",
			"oss:AbortMultipartUpload"], ["acs:oss:*:*:uploads/user-dir-prefix/*"])));
	const app = await startApp(t, store, { ...stsOf(store), POSTERN_APP_ROLE_SECONDS: "900",
		POSTERN_APP_ROLE_SESSION_NAME: "audited", POSTERN_APP_ROLE_POLICY_FILE: join(folder, "policy.json") });
	const fields = await upload(app, store, "sts");
	assert.match(fields["x-oss-credential"], /^STS\./);
	assert.equal(await app.recorded(), 1);
	await store.logged(/issued=STS\./);
	const left = await app.metric("app_credentials_expire_seconds") - Date.now() / 1000;
	assert.ok(left > 600 && left <= 900, `${left}`);
	assert.equal((await send(`${app.console}/ready`)).status, 200);
	const classic = await json(`${app.app}/`);
	assert.match(classic.accessid, /^STS\./);
	assert.ok(classic.expire <= Date.now() / 1000 + 300);
	const session = { id: fields["x-oss-credential"].split("/")[0], token: fields["x-oss-security-token"] };
	assert.notEqual(session.token, undefined);
	await app.logged(/pages of the classic sample \(GET \/\) cannot upload/);
	assert.doesNotMatch(app.log, /error/);
});

test("sts: a grant is not known by the key that signed it, but by the access key's secret", async t => {
	const env = stsOf(store);
	const app = await startApp(t, store, env);
	const grant = await json(`${app.app}/grant`);
	const data = app.data, listen = app.app;
	await app.stop();
	const again = await startApp(t, store, env, { data, listen });
	await upload(again, store, "before", grant);
	assert.equal(await again.recorded(), 1, "the callback of a grant of before the start is believed");
	const state = await json(`${again.app}/grants/${grant.id}?grant=${grant.grant}`);
	assert.equal(state.state, "confirmed");
});

test("sts in `serve`: its own STS, with its own key", async t => {
	const own = await startServer(t, { env: { POSTERN_APP_CREDENTIALS: "sts", POSTERN_APP_ROLE_ARN: ROLE } });
	const { fields, dir } = await json(`${own.app}/grant`);
	assert.match(fields["x-oss-credential"], /^STS\./);
	const got = await postForm(own.store, { key: `${dir}own`, ...fields }, FILE);
	assert.deepEqual([got.status, got.text], [200, "{\"Status\":\"OK\"}"]);
	assert.doesNotMatch(own.log, /error/);
	const host = url => new URL(url).host;
	const doctor = await run(BIN, ["doctor", "serve", "--data", own.data, "--app-listen", host(own.app),
		"--store-listen", host(own.store), "--console-listen", host(own.console)],
	{ env: { ...process.env, POSTERN_APP_CREDENTIALS: "sts", POSTERN_APP_ROLE_ARN: ROLE } }).catch(error => error);
	assert.equal(doctor.code ?? 0, 0, doctor.stdout);
	assert.match(doctor.stdout, /the store takes the key STS\./);
	assert.match(doctor.stdout, /ok +callback /);
});

test("sts: a secret that is wrong: nothing is signed, and everybody is told", async t => {
	const app = await startApp(t, store, { ...stsOf(store), POSTERN_APP_ACCESS_KEY_SECRET: "wrong-secret" });
	await app.logged(/credentials: STS at http.* answered 400 "SignatureDoesNotMatch.*nothing can be signed/);
	const ready = await send(`${app.console}/ready`);
	assert.equal(ready.status, 503);
	assert.match(ready.text, /no valid credentials/);
	assert.equal((await send(`${app.console}/health`)).status, 200);
	for (const path of ["/", "/grant", "/get_post_signature_for_oss_upload"])
		assert.equal((await json(app.app + path)).status, 503, path);
	const { grants } = await json(`${app.app}/grants`, "POST", { files: [{ name: "a" }] });
	assert.equal(grants[0].error, "unavailable");
	assert.equal((await json(`${app.app}/s3/multipart`, "POST", { filename: "a" })).status, 503);
	assert.equal(await app.metric("app_credentials_valid"), 0);
	assert.ok(await app.metric("app_credentials_failed_total") >= 1);
	assert.doesNotMatch(app.log, /wrong-secret/);
});

/**
 * A metadata service: {url, requests, and what it says, to be changed}. Its credentials end after
 * `lasts` seconds.
 */
async function startMetadata(t) {
	const service = { lasts: 3600, fails: false, policy: undefined, token: "a token of the service", given: [] };
	const sink = await startSink(t, async (request, response) => {
		const path = "/latest/meta-data/ram/security-credentials/";
		if (service.fails)
			answer(response, 500, "no");
		else if (request.url === "/latest/api/token")
			request.method === "PUT" && request.headers["x-aliyun-ecs-metadata-token-ttl-seconds"]
				? answer(response, 200, service.token) : answer(response, 405, "");
		else if (request.headers["x-aliyun-ecs-metadata-token"] !== service.token)
			answer(response, 403, "");
		else if (request.url === path)
			answer(response, 200, "uploader-role");
		else if (request.url === `${path}uploader-role`) {
			const session = await assumeRole(store, service.policy);
			const expires = Date.now() + service.lasts * 1000;
			service.given.push({ ...session, expires });
			answer(response, 200, asJson(session, { Code: "Success", LastUpdated: seconds(Date.now()),
				Expiration: seconds(expires) }));
		} else
			answer(response, 404, "");
	});
	return Object.assign(service, sink);
}

test("ecs: the role of the machine, by a token of the metadata service", async t => {
	const service = await startMetadata(t);
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_METADATA_URL: service.url });
	const fields = await upload(app, store, "ecs");
	assert.equal(fields["x-oss-security-token"], service.given[0].token);
	assert.equal(await app.recorded(), 1);
	assert.deepEqual(service.requests.map(one => [one.method, one.url.split("/").at(-1)]),
		[["PUT", "token"], ["GET", ""], ["GET", "uploader-role"]]);
	assert.equal(service.requests[0].body.length, 0);
	assert.doesNotMatch(app.log, /error/);
	const doctor = await run(BIN, ["doctor", "app", "--data", app.data, "--app-host", `${store.store}/uploads`,
		"--app-credentials", "ecs", "--app-ecs-metadata-url", `${service.url}/`, "--app-ecs-role", "uploader-role",
		"--app-callback-url", `${app.app}/done`, "--app-listen", new URL(app.app).host,
		"--app-key-urls", `${store.store}/-/callback_pub_key_v1.pem`]).catch(error => error);
	assert.match(doctor.stdout, /ok +upload /, doctor.stdout + doctor.stderr);
	assert.match(doctor.stdout, /ok +callback /, "the pass is made with what lasts");
});

test("ecs: keys are changed in time, kept through failures, and never used when they have ended", async t => {
	const service = await startMetadata(t);
	service.lasts = 12;
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_METADATA_URL: service.url,
		POSTERN_APP_EXPIRE_SECONDS: "3600" });
	const grant = await json(`${app.app}/grant`);
	assert.ok(grant.expires * 1000 <= service.given[0].expires, "no longer than the key");
	const policy = JSON.parse(Buffer.from(grant.fields.policy, "base64").toString());
	assert.ok(Date.parse(policy.expiration) <= service.given[0].expires);
	await until("other keys are used", async () =>
		(await json(`${app.app}/grant`)).fields["x-oss-security-token"] !== service.given[0].token);
	assert.ok(Date.now() < service.given[0].expires, "before the first ended");
	await upload(app, store, "changed");
	service.fails = true;
	await app.logged(/credentials: the metadata service at .* answered 500; those that there are go on/);
	const last = service.given.at(-1);
	const later = await json(`${app.app}/grant`);
	assert.equal(later.status === 200 ? later.fields["x-oss-security-token"] : "ended",
		Date.now() < last.expires ? last.token : "ended");
	await until("nothing is signed any more", async () => (await json(`${app.app}/grant`)).status === 503);
	assert.ok(Date.now() >= Math.floor(last.expires / 1000) * 1000);
	assert.equal((await send(`${app.console}/ready`)).status, 503);
	service.fails = false;
	service.lasts = 3600;
	await until("there are keys again", async () => (await json(`${app.app}/grant`)).status === 200);
	await app.logged(/they are had again/);
	assert.equal((await send(`${app.console}/ready`)).status, 200);
	await upload(app, store, "again");
	assert.ok(await app.metric("app_credentials_failed_total") >= 2);
});

test("ecs: keys that come after the start are asked what they may do", async t => {
	const service = await startMetadata(t);
	service.fails = true;
	service.policy = allow(["oss:PutObject", "oss:GetObject"], ["acs:oss:*:*:uploads/user-dir-prefix/*"]);
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_METADATA_URL: service.url });
	await app.logged(/answered 500; nothing can be signed/);
	assert.doesNotMatch(app.log, /uploads in parts/);
	service.fails = false;
	await app.logged(/NO uploads in parts.*oss:ListParts/, 60_000);
	await upload(app, store, "late");
});

test("ecs: what comes is no credentials", async t => {
	const service = await startSink(t, (request, response) => answer(response, 200,
		request.url.endsWith("/role") ? { Code: "Failed", AccessKeyId: "a", AccessKeySecret: "b" } : "role"));
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_METADATA_URL: service.url });
	await app.logged(/its Code is not Success; nothing can be signed/);
	assert.equal((await json(`${app.app}/grant`)).status, 503);
});

test("oidc: the token of the service account is exchanged, and read each time", async t => {
	const FIRST = "first.token.x";
	const calls = [];
	const sts = await startSink(t, async (request, response) => {
		const form = new URLSearchParams(request.body.toString());
		calls.push(form);
		const session = await assumeRole(store);
		answer(response, 200, { RequestId: "r", Credentials: asJson(session, {
			Expiration: seconds(Date.now() + (form.get("OIDCToken") === FIRST ? 6_000 : 3_600_000)) }) });
	});
	const folder = await temporaryFolder(t);
	const token = join(folder, "token");
	await writeFile(token, `${FIRST}\n`);
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "oidc", POSTERN_APP_STS_URL: `${sts.url}/`,
		ALIBABA_CLOUD_ROLE_ARN: ROLE, ALIBABA_CLOUD_OIDC_PROVIDER_ARN: "acs:ram::1:oidc-provider/ack",
		ALIBABA_CLOUD_OIDC_TOKEN_FILE: token });
	await upload(app, store, "oidc");
	assert.equal(await app.recorded(), 1);
	const { method, headers } = sts.requests[0];
	assert.deepEqual([method, headers["content-type"]], ["POST", "application/x-www-form-urlencoded"]);
	const { Timestamp, SignatureNonce, ...form } = Object.fromEntries(calls[0]);
	assert.match(Timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	assert.ok(SignatureNonce.length >= 16);
	assert.deepEqual(form, { Action: "AssumeRoleWithOIDC", Version: "2015-04-01", Format: "JSON", RoleArn: ROLE,
		RoleSessionName: "postern", DurationSeconds: "3600", OIDCProviderArn: "acs:ram::1:oidc-provider/ack",
		OIDCToken: FIRST });
	await writeFile(`${token}.new`, "second.token.x\n");
	await rename(`${token}.new`, token);
	await until("it is read again", () => calls.some(form => form.get("OIDCToken") === "second.token.x"));
	assert.doesNotMatch(app.log, /first\.token|second\.token/);
});

test("file: JSON that is replaced, broken and repaired", async t => {
	const folder = await temporaryFolder(t);
	const path = join(folder, "key.json");
	const replace = async text => {
		await writeFile(`${path}.new`, text);
		await rename(`${path}.new`, path);
	};
	await replace(JSON.stringify({ AccessKeyId: store.key.id, AccessKeySecret: store.key.secret }));
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "file", POSTERN_APP_CREDENTIALS_FILE: path });
	const before = await json(`${app.app}/grant`);
	assert.match(before.fields["x-oss-credential"], new RegExp(`^${store.key.id}/`));
	const session = await assumeRole(store);
	await replace(JSON.stringify(asJson(session, { Expiration: seconds(Date.now() + 900_000) })));
	await until("the new key signs", async () =>
		(await json(`${app.app}/grant`)).fields["x-oss-security-token"] === session.token);
	await upload(app, store, "file-after");
	await upload(app, store, "file-before", before);
	assert.equal(await app.recorded(), 2, "what the old key has signed is still believed");
	await replace("{");
	await app.logged(/key\.json has is not what is needed: .*; those that there are go on/);
	await upload(app, store, "file-broken");
	await replace(JSON.stringify(asJson(session, { Expiration: seconds(Date.now() - 60_000) })));
	await app.logged(/has expired already/);
	await replace(JSON.stringify({ AccessKeyId: store.key.id, AccessKeySecret: store.key.secret }));
	await until("the old key is back", async () => (await json(`${app.app}/`)).accessid === store.key.id);
	await app.logged(/they are had again/);
});

test("file: id, secret and token that Kubernetes swaps together", async t => {
	const folder = await temporaryFolder(t);
	const swap = async (name, session) => {
		await mkdir(join(folder, name));
		await Promise.all(["id", "secret", "token"].map(part =>
			writeFile(join(folder, name, part), `${session[part]}\n`)));
		await symlink(name, join(folder, "..data.new"));
		await rename(join(folder, "..data.new"), join(folder, "..data"));
	};
	const [first, second] = [await assumeRole(store), await assumeRole(store)];
	await swap("..1", first);
	for (const part of ["id", "secret", "token"])
		await symlink(join("..data", part), join(folder, part));
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "file",
		POSTERN_APP_ACCESS_KEY_ID_FILE: join(folder, "id"), POSTERN_APP_ACCESS_KEY_SECRET_FILE: join(folder, "secret"),
		POSTERN_APP_SECURITY_TOKEN_FILE: join(folder, "token") });
	assert.equal((await upload(app, store, "pod-1"))["x-oss-security-token"], first.token);
	await swap("..2", second);
	await until("the second key signs", async () =>
		(await json(`${app.app}/grant`)).fields["x-oss-security-token"] === second.token);
	await upload(app, store, "pod-2");
});

test("environment, as the SDKs name it", async t => {
	const app = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "environment",
		OSS_ACCESS_KEY_ID: store.key.id, OSS_ACCESS_KEY_SECRET: store.key.secret });
	assert.equal((await upload(app, store, "env"))["x-oss-security-token"], undefined);
	const session = await assumeRole(store);
	const temporary = await startApp(t, store, { POSTERN_APP_CREDENTIALS: "environment",
		OSS_ACCESS_KEY_ID: session.id, OSS_ACCESS_KEY_SECRET: session.secret, OSS_SESSION_TOKEN: session.token });
	assert.equal((await upload(temporary, store, "env-sts"))["x-oss-security-token"], session.token);
	assert.equal(await temporary.recorded(), 1);
});

test("copies of a server with grant_secret_file believe each other's grants", async t => {
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "grants"), "0123456789abcdef0123456789abcdef", { mode: 0o600 });
	const service = await startMetadata(t);
	const env = { POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_METADATA_URL: service.url,
		POSTERN_APP_GRANT_SECRET_FILE: join(folder, "grants") };
	const one = await startApp(t, store, env);
	const other = await startApp(t, store, { ...env, POSTERN_APP_CALLBACK_URL: `${one.app}/done` });
	const grant = await json(`${other.app}/grant`);
	await upload(one, store, "copy", grant);
	assert.equal(await one.recorded(), 1);
	assert.notEqual(service.given[0].token, service.given[1].token);
});

test("what cannot be meant is refused at start", async t => {
	const pair = { POSTERN_APP_ACCESS_KEY_ID: "a", POSTERN_APP_ACCESS_KEY_SECRET: "b" };
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "bad"), "[]", { mode: 0o600 });
	for (const [env, want] of [
		[{ POSTERN_APP_CREDENTIALS: "vault" }, /neither fixed, environment, file, sts, ecs nor oidc/],
		[{ POSTERN_APP_CREDENTIALS: "environment" }, /the environment has no OSS_ACCESS_KEY_ID/],
		[{ ...pair, POSTERN_APP_CREDENTIALS: "environment" }, /must be fixed/],
		[{ ...pair, POSTERN_APP_CREDENTIALS: "sts" }, /role_arn: must be set/],
		[{ ...pair, POSTERN_APP_CREDENTIALS: "sts", POSTERN_APP_ROLE_ARN: "uploader" }, /acs:ram::/],
		[{ ...pair, POSTERN_APP_CREDENTIALS: "ecs" }, /must be fixed or sts/],
		[{ POSTERN_APP_CREDENTIALS: "ecs", POSTERN_APP_ECS_ROLE: "a/b" }, /ecs_role/],
		[{ POSTERN_APP_CREDENTIALS: "oidc", POSTERN_APP_ROLE_ARN: ROLE }, /oidc_provider_arn: must be set/],
		[{ POSTERN_APP_CREDENTIALS: "file" }, /file needs credentials_file/],
		[{ POSTERN_APP_CREDENTIALS: "file", POSTERN_APP_CREDENTIALS_FILE: join(folder, "none") }, /cannot be read/],
		[{ POSTERN_APP_CREDENTIALS: "file", POSTERN_APP_CREDENTIALS_FILE: join(folder, "bad") }, /not one JSON object/],
		[{ ...pair, POSTERN_APP_GRANT_SECRET_FILE: join(folder, "bad") }, /32 characters or more/],
	])
		assert.match(await complaint(t, env), want, JSON.stringify(env));
});
