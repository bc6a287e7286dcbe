// SPDX-License-Identifier: Apache-2.0
// SIGHUP: what the configuration says of uploads is taken while requests run, all of it or nothing;
// what needs a restart is named; and what was granted before is judged fairly.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { json, startStore, upload } from "../lib/credentials.js";
import { bearer, issuer, token } from "../lib/jwt.js";
import { postForm, request, send } from "../lib/oss.js";
import { until } from "../lib/parts.js";
import { REFUSED, TAKEN, pair, startWithFile } from "../lib/reload.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { says, startLateSink, startProxy, startSink } from "../lib/sink.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let store, key;
before(async () => {
	store = await startStore(all);
	key = pair(store.key);
});
after(all.run);

const TEXT = { name: "a.txt", type: "text/plain", content: "hello" };
const grantOf = (app, query = "") => json(`${app.app}/grant${query}`);
const seconds = () => Math.floor(Date.now() / 1000);
const conditions = grant => JSON.parse(Buffer.from(grant.fields.policy, "base64").toString()).conditions;
const range = grant => conditions(grant).find(one => one[0] === "content-length-range");

/** Posts a file with the grant's form. */
const post = (grant, name, file = TEXT) => postForm(store.store, { key: `${grant.dir}${name}`, ...grant.fields }, file);
/** Whether a request of the webhook, or with an event, is signed with the secret. */
const isSigned = ({ headers, body }, secret) => headers["webhook-signature"].includes(createHmac("sha256", secret)
	.update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64"));
const stateOf = (app, grant) => json(`${app.app}/grants/${grant.id}?grant=${grant.grant}`);

test("sizes, life, folder, origins, names and profiles are those of the file", async t => {
	const { app, reload } = await startWithFile(t, store, [...key, "[profile old]", "max_size = 7"]);
	const origin = { Origin: "https://b.example" };
	assert.equal((await send(`${app.app}/grant`, "GET", origin)).headers["access-control-allow-origin"], "*");
	assert.equal((await grantOf(app, "?profile=old")).max_size, 7);
	assert.equal((await grantOf(app, "?profile=new")).status, 404);
	const log = await reload([...key, "max_size = 50", "min_size = 3", "expire_seconds = 1000", "upload_dir = elsewhere",
		"allowed_types = text/plain", "allowed_origins = https://a.example", "hosts = shop.example",
		"[profile new]", "max_size = 9", "upload_dir = new"]);
	assert.doesNotMatch(log, /restart/);
	const grant = await grantOf(app);
	assert.deepEqual([grant.max_size, grant.min_size, grant.dir, grant.types], [50, 3, "elsewhere/", ["text/plain"]]);
	assert.deepEqual(range(grant), ["content-length-range", 3, 50], "in the policy, too");
	assert.ok(grant.expires > seconds() + 900, "its life");
	assert.equal((await post(grant, "a", { ...TEXT, content: "x".repeat(51) })).status, 400);
	assert.equal((await post(grant, "a")).status, 200);
	const made = await grantOf(app, "?profile=new");
	assert.deepEqual([made.profile, made.dir, range(made)], ["new", "new/", ["content-length-range", 3, 9]]);
	const gone = await grantOf(app, "?profile=old");
	assert.deepEqual([gone.status, gone.error], [404, "no_such_profile"]);
	const allowed = async from => (await send(`${app.app}/grant`, "GET", { Origin: from })).headers["access-control-allow-origin"];
	assert.deepEqual([await allowed("https://a.example"), await allowed("https://b.example")], ["https://a.example", undefined]);
	const named = async host => (await send(`${app.app}/grant`, "GET", { Host: host })).status;
	assert.deepEqual([await named("shop.example"), await named("a.example"), await named("b.example")], [200, 200, 421]);
	await reload(key);
	assert.deepEqual([await named("shop.example"), (await grantOf(app)).max_size], [421, 1048576000]);
});

/** An application server with a key for `uploads/mine/` alone, and what it believes of that. */
async function startWithSession(t, env) {
	const session = await assumeRole(store, allow(["oss:PutObject", "oss:GetObject", "oss:ListParts",
		"oss:AbortMultipartUpload"], ["acs:oss:*:*:uploads/mine/*"]));
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "token"), session.token, { mode: 0o600 });
	await writeFile(join(folder, "grants"), "what grants are made with, and nothing else\n", { mode: 0o600 });
	const lines = [...pair(session), `security_token_file = ${folder}/token`, `grant_secret_file = ${folder}/grants`];
	const { app, reload } = await startWithFile(t, store, [...lines, "upload_dir = mine/"], { env });
	const rights = async () => [await app.metric("app_confirms"), await app.metric("app_parts")];
	assert.deepEqual(await rights(), [1, 1]);
	return { app, rights, reload: name => reload([...lines, `upload_dir = ${name}`]) };
}

test("another folder: what the key may do there is asked again", async t => {
	const { app, rights, reload } = await startWithSession(t);
	await reload("of-others/");
	await until("it is seen", async () => String(await rights()) === "0,0");
	await app.logged(/uploads are NOT confirmed/);
	await reload("mine/below/");
	await until("it is seen", async () => String(await rights()) === "1,1");
});

test("two folders, one soon after the other: a late answer about the first does not count", async t => {
	let answer;
	const held = new Promise(done => { answer = done; });
	const proxy = await startProxy(t, () => store.store,
		(method, url) => method === "HEAD" && url.includes("of-others") ? held : null);
	const asked = (method, name) => until(`${method} of ${name}`,
		() => proxy.requests.some(one => one.method === method && one.url.includes(name)));
	const { app, rights, reload } = await startWithSession(t, { POSTERN_APP_STORE_URL: `${proxy.url}/uploads` });
	await reload("of-others/");
	await asked("HEAD", "of-others");
	await reload("mine/below/");
	await asked("HEAD", "mine/below");
	answer();
	await asked("GET", "of-others"); // when it has heard of the HEAD
	await asked("DELETE", "mine/below");
	assert.deepEqual(await rights(), [1, 1]);
	await upload(app, store, "a.txt"); // the store is asked, behind the answer to that
	assert.deepEqual(await rights(), [1, 1]);
});

test("what does not hold is refused with a sentence, all of it, and the old goes on", async t => {
	const { app, reload } = await startWithFile(t, store, [...key, "max_size = 20", "grants_max = 0", "[profile a]", "max_size = 10"]);
	const good = "max_size = 30";
	for (const [lines, why] of [
		[[good, "[profile a]", "min_size = 31"], /error \[profile a\] min_size: must be from 0 to max_size\n/],
		[[good, "[profile b]", "colour = red"], /\[profile b\] colour: there is no such option/],
		[[good, "allowed_origins = nowhere"], /error \[app\] allowed_origins: `nowhere` is not an origin/],
		[[good, "auth = jwt"], /error \[app\] auth: jwt needs one of/],
		[[good, "expire_seconds = 1"], /\[app\] expire_seconds: `1` is not a number from 10/],
		[[good, "webhook_url = nowhere"], /error \[app\] webhook_url: must be an http or https URL\n/],
		[[good, "region = x", "upload_dir = ${sub}"], /error \[app\] upload_dir: with auth = none there is nobody/],
		// It would hold after a restart.
		[[good, "grants_max = 10", "checks = object"],
			/checks: need grants_max .*\n.*error this does not hold without what needs a restart: \[app\] grants_max\n/],
	]) {
		const log = await reload([...key, ...lines], REFUSED);
		assert.match(log, why);
		assert.doesNotMatch(log, TAKEN);
		assert.equal((await grantOf(app)).max_size, 20, lines.join());
		assert.equal((await grantOf(app, "?profile=a")).max_size, 10);
	}
	await reload([...key, good]);
	assert.equal((await grantOf(app)).max_size, 30);
});

test("what needs a restart is named, and all else is taken", async t => {
	const { app, reload } = await startWithFile(t, store, key);
	const more = ["max_size = 11", "region = elsewhere", "grants_max = 7", "events = true", "[server]", "loops = 2"];
	for (let i = 0; i < 2; i++)
		assert.match(await reload([...key, ...more]),
			/info restart to use what has changed: \[server\] loops, \[app\] region, \[app\] grants_max, \[app\] events\n/);
	const grant = await grantOf(app);
	assert.equal(grant.max_size, 11);
	assert.match(grant.fields["x-oss-credential"], /\/cn-hangzhou\//, "the region stays");
	assert.equal((await post(grant, "named")).status, 200);
	assert.doesNotMatch(await reload([...key, "max_size = 12"]), /restart/);
	assert.doesNotMatch(app.log, / error /);
});

test("a store alone reads its configuration again: the level of the log, and what needs a restart", async t => {
	const folder = await temporaryFolder(t);
	const file = join(folder, "postern.ini");
	await writeFile(file, "[store]\nregion = a\n");
	const own = await startServer(t, { command: "store", args: ["--data", join(folder, "data"), "--config", file,
		"--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"] });
	await writeFile(file, "[store]\nregion = b\n[server]\nlog_level = debug\n");
	own.signal("SIGHUP");
	await own.logged(/info restart to use what has changed: \[store\] region\n.*info the configuration was read again\n/);
	await writeFile(file, "[store]\nreserve_bytes = much\n");
	own.signal("SIGHUP");
	await own.logged(REFUSED);
});

test("what was granted before is good: a smaller size, and a profile that is gone", async t => {
	const gone = ["[profile gone]", "upload_dir = gone/", "max_size = 100", "callback_answer = {\"from\":\"gone\"}"];
	const { app, reload } = await startWithFile(t, store, [...key, "max_size = 100", ...gone]);
	const film = await json(`${app.app}/s3/multipart`, "POST", { filename: "film.txt", metadata: { profile: "gone" } });
	const [large, old, unused] = [await grantOf(app), await grantOf(app, "?profile=gone"), await grantOf(app, "?profile=gone")];
	await reload([...key, "max_size = 10", "expire_seconds = 20"]);
	assert.equal((await grantOf(app, "?profile=gone")).status, 404);
	const file = { ...TEXT, content: "x".repeat(60) };
	assert.equal((await post(await grantOf(app), "small", file)).status, 400, "from now on it is less");
	assert.deepEqual((await post(large, "large", file)).text, "{\"Status\":\"OK\"}");
	assert.deepEqual((await post(old, "old", file)).text, "{\"from\":\"gone\"}", "as the profile has it");
	for (const grant of [large, old])
		assert.equal((await stateOf(app, grant)).state, "confirmed");
	// An upload in parts that has begun is finished.
	const query = new URLSearchParams({ key: film.key });
	const { url } = await json(`${app.app}/s3/multipart/${film.uploadId}/1?${query}`);
	const put = await send(url, "PUT", {}, "x".repeat(60));
	assert.equal(put.status, 200, put.text);
	const done = await json(`${app.app}/s3/multipart/${film.uploadId}/complete?${query}`, "POST",
		{ parts: [{ PartNumber: 1, ETag: put.headers.etag }] });
	assert.equal(done.status, 200, JSON.stringify(done));
	assert.equal((await stateOf(app, film)).state, "confirmed");
	assert.equal(await app.recorded(), 3);
	// A profile of that name that is made anew is another one.
	await reload([...key, "[profile gone]", "callback_answer = {\"from\":\"new\"}"]);
	assert.deepEqual((await post(unused, "unused", file)).text, "{\"from\":\"new\"}");
	assert.doesNotMatch(app.log, / error /);
});

test("an upload without a callback is found by the rules of its grant", async t => {
	const base = [...key, "reconcile_seconds = 1", "expire_seconds = 10"];
	const { app, reload } = await startWithFile(t, store, [...base, "max_size = 100"]);
	const grant = await grantOf(app, "?filename=lost.txt");
	await reload([...base, "max_size = 10"]);
	const put = await request(store.store, "PUT", "uploads", grant.fields.key,
		{ body: "x".repeat(60), headers: { "x-oss-meta-grant": grant.id } });
	assert.equal(put.status, 200, put.text);
	await until("it is decided", async () => (await stateOf(app, grant)).state !== "issued");
	assert.equal((await stateOf(app, grant)).state, "found");
});

test("who may ask: anybody, nobody without a token, who has one of another key", async t => {
	const folder = await temporaryFolder(t);
	const secrets = ["a secret that has more than thirty-two bytes", "another that has more than thirty-two bytes"];
	const [shop, other] = secrets.map(secret => ({ alg: "HS256", secret }));
	const file = join(folder, "secret");
	await writeFile(file, secrets[0], { mode: 0o600 });
	// Which folders it may read from is settled at the start.
	const { app, reload } = await startWithFile(t, store, [...key, "auth = jwt", `jwt_secret_file = ${file}`]);
	const jwt = [...key, "auth = jwt", `jwt_secret_file = ${file}`];
	const ask = async text => JSON.parse((await send(`${app.app}/grant`, "GET", text ? bearer(text) : {})).text);
	const ann = token(shop, { sub: "ann" });
	await reload(key);
	assert.equal((await ask()).error, undefined, "open");
	await reload([...jwt, "upload_dir = ${sub}/"]);
	assert.equal((await ask()).error, "unauthorized", "closed");
	assert.equal((await ask(ann)).dir, "ann/");
	await writeFile(file, secrets[1], { mode: 0o600 });
	await reload(jwt);
	assert.equal((await ask(ann)).error, "invalid_token");
	assert.equal((await ask(token(other, { sub: "ann" }))).error, undefined);
});

test("a token that is remembered is judged anew: other claims, another issuer", async t => {
	const shop = issuer("ES256", "one");
	// Its keys stay the same ones, as those of a file do not.
	const keys = await startSink(t, says(JSON.stringify({ keys: [shop.jwk] })));
	const jwt = [...key, "auth = jwt", `jwt_keys_url = ${keys.url}`];
	const { app, reload } = await startWithFile(t, store, [...jwt, "upload_dir = ${sub}/"]);
	const ask = async text => JSON.parse((await send(`${app.app}/grant`, "GET", bearer(text))).text);
	const ann = token(shop, { sub: "ann", org: "acme", team: "red", iss: "one" });
	assert.equal((await ask(ann)).dir, "ann/");
	// What is remembered are values by the numbers of claims.
	await reload([...jwt, "upload_dir = ${org}/", "[profile team]", "upload_dir = ${team}/"]);
	assert.equal((await ask(ann)).dir, "acme/");
	await reload([...jwt, "upload_dir = ${team}/"]);
	assert.equal((await ask(ann)).dir, "red/");
	await reload([...jwt, "jwt_issuer = two"]);
	assert.equal((await ask(ann)).error, "invalid_token");
	assert.equal((await ask(token(shop, { sub: "ann", iss: "two" }))).error, undefined);
	assert.equal(keys.requests.length, 1);
});

test("the webhook goes elsewhere, and is signed with another secret", async t => {
	const [first, second] = [await startSink(t, says("{\"at\":1}")), await startSink(t, says("{\"at\":2}"))];
	const secrets = ["the first secret of the webhook", "the second secret of the webhook"];
	const { app, reload } = await startWithFile(t, store, [...key, `webhook_url = ${first.url}`, `events_secret = ${secrets[0]}`]);
	const grant = await grantOf(app);
	assert.equal((await post(grant, "w1")).text, "{\"at\":1}");
	assert.ok(isSigned(first.requests[0], secrets[0]));
	await reload([...key, `webhook_url = ${second.url}`, `events_secret = ${secrets[1]}`, `events_secret_old = ${secrets[0]}`]);
	assert.equal((await post(grant, "w2")).text, "{\"at\":2}");
	assert.ok(isSigned(second.requests[0], secrets[1]) && isSigned(second.requests[0], secrets[0]));
	assert.equal(first.requests.length, 1);
	await reload(key);
	assert.equal((await post(grant, "w3")).text, "{\"Status\":\"OK\"}");
});

test("events are signed with the secret of now", async t => {
	const sink = await startSink(t, says("{}"));
	const secrets = ["the first secret of the events", "the second secret of the events"];
	const events = [...key, `events_url = ${sink.url}`];
	const { app, reload } = await startWithFile(t, store, [...events, `events_secret = ${secrets[0]}`]);
	for (const [i, secret] of secrets.entries()) {
		await reload([...events, `events_secret = ${secret}`]);
		assert.equal((await post(await grantOf(app), `e${i}`)).status, 200);
		await until("the event comes", () => sink.requests.some(one => one.body.includes(`/e${i}`)));
		assert.ok(isSigned(sink.requests.find(one => one.body.includes(`/e${i}`)), secret), `${i}`);
	}
	assert.match(await reload(events, REFUSED), /events_secret: must be set/);
});

test("checks begin while it runs, with the sandbox on", async t => {
	const { app, reload } = await startWithFile(t, store, key);
	if (process.env.POSTERN_SERVER_SANDBOX !== "off")
		assert.match(app.log, /sandbox: (?!off)/);
	const html = { name: "a.png", type: "image/png", content: "<!DOCTYPE html><html><script>alert(1)</script></html>" };
	const upload = async () => {
		const grant = await grantOf(app, "?filename=a.png&type=image%2Fpng");
		return { got: await post(grant, "", html), grant };
	};
	assert.equal((await upload()).got.status, 200);
	assert.doesNotMatch((await send(`${app.console}/metrics`)).text, /postern_app_checks_total/);
	await reload([...key, "checks = type"]);
	const { got, grant } = await upload();
	assert.equal(got.status, 203, got.text);
	const state = await stateOf(app, grant);
	assert.deepEqual([state.state, /declared type/.test(state.reason)], ["rejected", true]);
	assert.match((await send(`${app.console}/metrics`)).text, /^postern_app_checks_total\{check="type",verdict="refused"\} 1$/m);
	await reload(key);
	assert.equal((await upload()).got.status, 200);
});

test("a request has the rules that it began with, to its end", async t => {
	const back = await startLateSink(t);
	const forward = [...key, "auth = forward", `auth_url = ${back.url}/`];
	const { app, reload } = await startWithFile(t, store, [...forward, "max_size = 10", "upload_dir = first", "allowed_origins = https://a.example"]);
	const first = send(`${app.app}/grant`, "GET", { Origin: "https://a.example" });
	const asked = await back.next();
	await reload([...key, "max_size = 20", "upload_dir = second", "allowed_origins = https://b.example"]);
	assert.deepEqual([(await grantOf(app)).max_size, (await grantOf(app)).dir], [20, "second/"]);
	asked.answer("{}");
	const got = await first;
	const grant = JSON.parse(got.text);
	assert.deepEqual([grant.max_size, grant.dir, got.headers["access-control-allow-origin"]], [10, "first/", "https://a.example"]);
	assert.equal((await post(grant, "kept")).status, 200);
});

test("requests of all kinds go on while many signals come: none is dropped, each has one configuration", { timeout: 300_000 }, async t => {
	const rules = n => [...key, `max_size = ${n}000`, `min_size = ${n}`, `upload_dir = d${n}`,
		...n % 2 ? ["[profile odd]", "min_size = 0"] : [], `[profile p]`, `max_size = ${n}000`,
		`checks = ${n % 2 ? "object" : "none"}`];
	const { app, reload } = await startWithFile(t, store, rules(1), { env: { POSTERN_SERVER_LOOPS: "2" } });
	assert.match(app.log, /sandbox: /);
	let going = true;
	const problems = [], counts = { grant: 0, upload: 0, parts: 0 };
	const expect = (what, condition, got) => condition || problems.push(`${what}: ${JSON.stringify(got).slice(0, 300)}`);
	const loop = async (kind, work) => {
		while (going)
			counts[kind] += await work();
	};
	const load = [
		loop("grant", async () => {
			const got = await grantOf(app);
			expect("grant", got.status === 200, got);
			expect("one configuration", got.max_size === got.min_size * 1000 && got.dir === `d${got.min_size}/`, got);
			return 1;
		}),
		loop("upload", async () => {
			const grant = await grantOf(app, "?profile=p&filename=a.txt");
			const got = await post(grant, "", { ...TEXT, content: "x".repeat(grant.max_size) });
			expect("upload", got.status === 200 && got.text === "{\"Status\":\"OK\"}", [got.status, got.text]);
			return 1;
		}),
		loop("parts", async () => {
			const film = await json(`${app.app}/s3/multipart`, "POST", { filename: "film.txt", metadata: { profile: "odd" } });
			if (film.error === "no_such_profile")
				return 0;
			const query = new URLSearchParams({ key: film.key });
			const { url } = await json(`${app.app}/s3/multipart/${film.uploadId}/1?${query}`);
			const put = await send(url, "PUT", {}, "film");
			const done = await json(`${app.app}/s3/multipart/${film.uploadId}/complete?${query}`, "POST",
				{ parts: [{ PartNumber: 1, ETag: put.headers.etag }] });
			expect("parts", done.status === 200 && done.key === film.key, [put.status, done.status, done]);
			return 1;
		}),
	];
	// Until each kind of request has seen some of them.
	for (let n = 2; n < 24 || Object.values(counts).some(count => count < 8); n++) {
		if (problems.length > 0)
			break;
		await reload(rules(1 + n % 8));
		if (n % 5 === 0)
			await reload([...rules(3), "max_size = none"], REFUSED);
	}
	going = false;
	await Promise.all(load);
	assert.deepEqual(problems, []);
	assert.doesNotMatch(app.log, / error (?!\S+postern.ini:\d+: \[profile p\] max_size|the configuration is refused)/);
});
