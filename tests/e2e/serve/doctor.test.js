// SPDX-License-Identifier: Apache-2.0
// `postern doctor`: finds each fault that it is to find, against a real store, and leaves nothing
// behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import { after, before, test } from "node:test";
import { listObjects, request } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let server;
before(async () => {
	server = await startServer(all);
});
after(all.run);

/** Runs a command to its end, while this process goes on answering. */
async function run(command, args, env = {}) {
	const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } });
	const result = { out: "", err: "" };
	child.stdout.on("data", text => (result.out += text));
	child.stderr.on("data", text => (result.err += text));
	result.status = await new Promise(done => child.on("close", done));
	return result;
}

const host = url => new URL(url).host;

/** What the doctor says of a `serve`: {status, out, of(check)}. */
async function examine(which, args = [], { command = [], env = {} } = {}) {
	const [first, ...rest] = [...command, BIN, "doctor", ...which, ...args];
	const got = await run(first, rest, env);
	const lines = got.out.trim().split("\n").map(line => /^(ok|warning|failed) +(\S+) +(.*)$/.exec(line));
	return {
		...got,
		of: check => lines.filter(line => line?.[2] === check).map(([, result, , text]) => `${result}: ${text}`).join("\n"),
	};
}

const serving = (own, args = [], how = {}) => examine(["serve", "--data", own.data, "--app-listen", host(own.app),
	"--store-listen", host(own.store)], args, how);

const appArgs = (own, key = own.key) => ["app", "--app-host", `${own.store}/uploads`, "--app-access-key-id", key.id,
	"--app-access-key-secret", key.secret, "--app-listen", "127.0.0.1:1"];

async function leavesNothing(own = server) {
	assert.deepEqual((await listObjects(own.store)).filter(name => name.includes("doctor")), []);
}

test("all is well: a line for each check, and nothing is left behind", async () => {
	const got = await serving(server);
	assert.equal(got.status, 0, got.out + got.err);
	assert.doesNotMatch(got.out, /warning|failed/);
	for (const check of ["store", "clock", "key", "bucket", "read", "cors", "upload", "callback", "remove"])
		assert.match(got.of(check), /^ok: /, check);
	await leavesNothing();
	const json = await serving(server, ["--json"]);
	const { checks, result } = JSON.parse(json.out);
	assert.equal(result, "ok");
	assert.deepEqual(checks.map(one => one.check),
		["store", "clock", "key", "bucket", "read", "cors", "upload", "callback", "remove"]);
});

test("help, and a command line at fault", async () => {
	const help = await run(BIN, ["doctor", "--help"]);
	assert.equal(help.status, 0);
	assert.match(help.out, /--security-token-file FILE/);
	for (const [args, want] of [
		[["--origin"], /a value must follow/],
		...["nonsense", "https://", "www.example.com", "https://a.example/", "https://*.example.com", "*", "https://a.example:x", "null", ""]
			.map(origin => [["--origin", origin], /--origin `.*` is not an origin, scheme:\/\/host\[:port\]/]),
		[["neither"], /neither serve nor app/],
		[["--app-colour", "blue"], /no such option/],
		[["serve", "--data", "/nonexistent"], /access_keys\.json/],
		[["serve", "--data", server.data, "--app-listen", "127.0.0.1:0"], /give the port/],
		[["app", "--app-host", "nothing", "--app-access-key-id", "a", "--app-access-key-secret", "b"], /\[app\] host/],
	]) {
		const got = await run(BIN, ["doctor", ...args]);
		assert.equal(got.status, 2, args.join(" "));
		assert.match(got.err, want);
	}
});

test("a store that does not answer", async () => {
	const gone = await closedPort();
	const got = await examine(appArgs({ store: gone, key: server.key }));
	assert.equal(got.status, 2);
	assert.match(got.of("store"), /^failed: .*does not answer.* Fix: /);
});

test("the wrong region", async t => {
	const own = await startServer(t, { env: { POSTERN_STORE_REGION: "eu-test-1", POSTERN_APP_REGION: "eu-test-1" } });
	const got = await serving(own, ["--app-region", "cn-hangzhou"]);
	assert.equal(got.status, 2);
	assert.match(got.of("region"), /^failed: \[app\] region is cn-hangzhou.*Fix: set \[app\] region/);
	assert.equal((await serving(own, ["--app-region", "eu-test-1"])).status, 0);
});

test("V1 where V4 is wanted", async t => {
	const own = await startServer(t, { env: { POSTERN_STORE_SIGNATURE_VERSIONS: "v4" } });
	const got = await serving(own, ["--app-signature-version", "1"]);
	assert.equal(got.status, 2);
	assert.match(got.of("signature"), /^failed: .*V1.*Fix: set \[app\] signature_version = 4/);
	assert.equal((await serving(own)).status, 0);
	assert.equal((await serving(server, ["--app-signature-version", "1"])).status, 0);
});

test("the wrong secret, and a key that is not there", async () => {
	const wrong = await examine(appArgs(server, { ...server.key, secret: "wrong" }));
	assert.equal(wrong.status, 2);
	assert.match(wrong.of("key"), /^failed: the secret is not that of the key testaccesskeyid.*Fix: /);
	const v1 = await examine(appArgs(server, { ...server.key, secret: "wrong" }), ["--app-signature-version", "1"]);
	assert.match(v1.of("key"), /^failed: the secret is not that/);
	const unknown = await examine(appArgs(server, { id: "nobody", secret: "x" }));
	assert.match(unknown.of("key"), /^failed: the store does not know the key nobody.*Fix: /);
});

test("a bucket that is not there", async () => {
	const got = await examine(appArgs(server), ["--app-host", `${server.store}/nowhere`]);
	assert.equal(got.status, 2);
	assert.match(got.of("bucket"), /^failed: there is no bucket nowhere.*Fix: /);
});

test("a clock that is an hour off", async () => {
	for (const [offset, how] of [["+3600", /36\d\d s ahead of/], ["-3600", /3\d\d\d s behind/]]) {
		const got = await serving(server, [], {
			command: ["faketime", "-f", offset], env: { DONT_FAKE_MONOTONIC: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" },
		});
		assert.equal(got.status, 2, got.out + got.err);
		assert.match(got.of("clock"), /^failed: .*Fix: set this machine's clock/);
		assert.match(got.of("clock"), how);
	}
});

/** A server whose bucket has this CORS document; null: none. */
async function withCors(t, document) {
	const own = await startServer(t);
	const got = await request(own.store, document ? "PUT" : "DELETE", "uploads", "", { query: { cors: "" }, body: document ?? undefined });
	assert.ok(got.status < 300, got.text);
	return own;
}

const rule = exposed => "<CORSConfiguration><CORSRule><AllowedOrigin>https://www.example.com</AllowedOrigin>"
	+ "<AllowedMethod>POST</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>"
	+ exposed.map(name => `<ExposeHeader>${name}</ExposeHeader>`).join("") + "</CORSRule></CORSConfiguration>";
const ORIGIN = ["--origin", "https://www.example.com"];

test("no CORS rule", async t => {
	const own = await withCors(t, null);
	const got = await serving(own, ORIGIN);
	assert.equal(got.status, 2);
	assert.match(got.of("cors"), /^failed: browsers refuse POST from pages of https:\/\/www\.example\.com.*Fix: add a rule/);
	assert.match(got.of("upload"), /^ok/);
});

test("a rule for another origin, or without PUT", async t => {
	const own = await withCors(t, rule(["ETag"]).replace("<AllowedMethod>PUT</AllowedMethod>", ""));
	assert.match((await serving(own, ORIGIN)).of("cors"), /^failed: browsers refuse PUT/);
	const both = await serving(own, [...ORIGIN, "--origin", "https://other.example.com", "--app-multipart-path", ""]);
	assert.match(both.of("cors"), /^warning: .*www.*\nfailed: browsers refuse POST from pages of https:\/\/other/);
});

test("a header that is not exposed", async t => {
	const one = await serving(await withCors(t, rule(["ETag", "x-oss-request-id"])), ORIGIN);
	assert.equal(one.status, 1);
	assert.match(one.of("cors"), /^warning: .*cannot read x-oss-hash-crc64ecma of.*Fix: /);
	const etag = await serving(await withCors(t, rule(["x-oss-request-id", "x-oss-hash-crc64ecma"])), ORIGIN);
	assert.equal(etag.status, 2);
	assert.match(etag.of("cors"), /^failed: .*cannot read ETag of/);
	const good = await serving(await withCors(t, rule(["etag", "X-Oss-Request-Id", "x-oss-hash-crc64ecma"])), ORIGIN);
	assert.equal(good.status, 0, good.out);
});

/** A temporary key as files and arguments. */
async function temporary(t, actions) {
	const key = await assumeRole(server, allow(actions, ["acs:oss:*:*:uploads/*"]));
	const file = `${await temporaryFolder(t)}/token`;
	await writeFile(file, `${key.token}\n`);
	return examine(appArgs(server, key), ["--security-token-file", file, ...ORIGIN]);
}

test("a key without oss:PutObject", async t => {
	const got = await temporary(t, ["oss:GetObject"]);
	assert.equal(got.status, 2);
	assert.match(got.of("read"), /^ok/);
	assert.match(got.of("upload"), /^failed: the key may not upload.*oss:PutObject.*Fix: allow the key oss:PutObject/);
});

test("a key that may not read, or not remove: what stays is named", async t => {
	const got = await temporary(t, ["oss:PutObject"]);
	assert.match(got.of("read"), /^warning: the key may not read \(oss:GetObject\).*Fix: /);
	assert.match(got.of("upload"), /^ok/);
	const [, name] = /^warning: (\S+) stays in the bucket uploads/.exec(got.of("remove"));
	assert.equal((await request(server.store, "DELETE", "uploads", name)).status, 204);
	await leavesNothing();
});

/**
 * A server behind a proxy that changes requests; `change` gets {path, body, headers} and returns
 * what is different.
 */
async function behind(t, change, path = "/hook?x=1") {
	let target;
	const proxy = await startSink(t, (incoming, response) => {
		const { url, method, headers, body } = incoming;
		const changed = { path: url, body, headers, ...change({ path: url, body, headers }) };
		const outgoing = http.request(target + changed.path, { method,
			headers: { ...changed.headers, "content-length": changed.body.length } }, answer => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		});
		outgoing.on("error", () => response.destroy());
		outgoing.end(changed.body);
	});
	const url = proxy.url + path;
	const own = await startServer(t, { env: { POSTERN_APP_CALLBACK_URL: url, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	target = own.app;
	return serving(own, ["--app-callback-url", url]);
}

test("a proxy that changes nothing", async t => {
	const got = await behind(t, () => ({}), "/hook?token=private");
	assert.equal(got.status, 0, got.out);
	assert.match(got.of("callback"), /^ok: .*\/hook came in/);
	assert.doesNotMatch(got.out, /private/, "the query of callback_url is not shown");
});

test("a proxy that takes a prefix away, and one that decodes the path", async t => {
	const got = await behind(t, ({ path }) => ({ path: path.replace("/site", "") }), "/site/hook?token=private");
	assert.equal(got.status, 2);
	assert.match(got.of("callback"), /^failed: .*a proxy on the way changes it.*\/site\/hook .*came in: \/hook, with a query.*Fix: let the proxy pass path/);
	assert.doesNotMatch(got.out, /private/);
	const slash = await behind(t, ({ path }) => ({ path: path.replace("/hook", "/hook/") }));
	assert.match(slash.of("callback"), /^failed: .*changes it/);
});

test("a proxy that writes the body anew", async t => {
	const got = await behind(t, ({ body }) => ({ body: Buffer.from(body.toString().replaceAll("%20", "+")) }));
	assert.equal(got.status, 2);
	assert.match(got.of("callback"), /^failed: .*changes it/);
	const line = await behind(t, ({ body }) => ({ body: Buffer.concat([body, Buffer.from("\n")]) }));
	assert.match(line.of("callback"), /^failed: .*line end at the end of the body is left out/);
});

test("a proxy that drops the query, one that renames the host, one that keeps headers to itself", async t => {
	const query = await behind(t, ({ path }) => ({ path: path.split("?")[0] }));
	assert.match(query.of("callback"), /^failed: .*not this application server.*Fix: see where the proxy sends/);
	const name = await behind(t, ({ headers }) => ({ headers: { ...headers, host: "inside.example" } }));
	assert.match(name.of("host"), /^failed: .*inside\.example.*Fix: let the proxy pass Host on/);
	const header = await behind(t, ({ headers: { "x-oss-pub-key-url": _, ...headers } }) => ({ headers }));
	assert.match(header.of("key-url"), /^failed: .*without the header x-oss-pub-key-url/);
});

test("a callback host that is not public", async () => {
	for (const url of ["http://10.1.2.3/callback", "http://127.0.0.1:2/", "http://localhost:2/"]) {
		const got = await serving(server, ["--app-callback-url", url]);
		assert.equal(got.status, 2);
		assert.match(got.of("callback"), /^failed: .*(10\.1\.2\.3|127\.0\.0\.1|::1) is not public.*Fix: give \[app\] callback_url/);
		assert.match(got.of("upload"), /^ok/);
		await leavesNothing();
	}
});

test("nothing answers the callback, or somebody else", async t => {
	const own = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const gone = await serving(own, ["--app-callback-url", `${await closedPort()}/?token=private`]);
	assert.match(gone.of("callback"), /^failed: .*nothing answers there.*Fix: start the application server/);
	assert.doesNotMatch(gone.out, /private/);
	const other = await startSink(t, says("{\"Status\":\"OK\"}"));
	const got = await serving(own, ["--app-callback-url", `${other.url}/?token=private`]);
	assert.doesNotMatch(got.out, /private/);
	assert.match(got.of("callback"), /^failed: something else than this application server answered/);
	const refusing = await startSink(t, says("{}", 404));
	assert.match((await serving(own, ["--app-callback-url", refusing.url])).of("callback"), /^failed: .*not this application server/);
	await leavesNothing(own);
});

test("a key URL that is not pinned, in front of a store that is another process", async t => {
	const store = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const env = { POSTERN_APP_HOST: `${store.store}/uploads`, POSTERN_APP_ACCESS_KEY_ID: store.key.id,
		POSTERN_APP_ACCESS_KEY_SECRET: store.key.secret };
	const app = await startServer(t, { command: "app", env });
	const args = ["--app-listen", host(app.app), "--app-callback-url", app.app, ...ORIGIN];
	const got = await examine(["app"], args, { env });
	assert.equal(got.status, 2);
	const url = `${store.store}/-/callback_pub_key_v1.pem`;
	assert.ok(got.of("key-url").startsWith(`failed: the store's key is at ${url}`), got.out);
	const pinned = await examine(["app"], [...args, "--app-key-urls", url], { env });
	assert.equal(pinned.of("key-url"), "");
	assert.match(pinned.of("callback"), /^ok/);
});

test("a webhook that answers, and one that does not", async t => {
	const sink = await startSink(t, says("{}"));
	const got = await serving(server, ["--app-webhook-url", `${sink.url}?token=private`]);
	assert.match(got.of("webhook"), /^ok/);
	assert.ok(got.of("webhook").includes(sink.url), "it is named");
	assert.doesNotMatch(got.of("webhook"), /private/, "without its query");
	assert.deepEqual(sink.requests.map(one => [one.method, one.body.length]), [["HEAD", 0]]);
	const gone = await serving(server, ["--app-webhook-url", `${await closedPort()}/?token=private`]);
	assert.equal(gone.status, 2);
	assert.match(gone.of("webhook"), /^failed: .*does not answer.*Fix: /);
	assert.doesNotMatch(gone.of("webhook"), /private/);
});

test("without a pass the mirror is not there", async () => {
	const text = "postern-doctor=9999999999.00000000000000000000000000000000";
	for (const path of [`/?${text}`, `/nothing?${text}`, "/?postern-doctor=", `/?postern-doctor=1.${"0".repeat(32)}`]) {
		const got = await fetch(server.app + path, { method: "POST", body: "x" });
		assert.doesNotMatch(await got.text(), /postern-mirror/);
		assert.notEqual(got.status, 200);
	}
});
