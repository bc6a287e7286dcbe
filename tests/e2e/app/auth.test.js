// SPDX-License-Identifier: Apache-2.0
// Who may ask for an upload: `[app] auth = jwt`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { exchange } from "../lib/http.js";
import { bearer, issuer, token } from "../lib/jwt.js";
import { postForm, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
const SECRET = "a secret that has more than thirty-two bytes";
const shop = { alg: "HS256", secret: SECRET };
const now = () => Math.floor(Date.now() / 1000);
let folder, secretFile;

/** Starts a server with these options of [app]. */
function start(t, options) {
	const env = Object.fromEntries(Object.entries(options).map(
		([name, value]) => [`POSTERN_APP_${name.toUpperCase()}`, String(value)]));
	return startServer(t, { env });
}

async function ask(server, headers = {}, path = "/grant") {
	const got = await send(server.app + path, "GET", headers);
	return { ...got, json: JSON.parse(got.text) };
}

before(async () => {
	folder = await temporaryFolder(all);
	secretFile = join(folder, "secret");
	await writeFile(secretFile, `${SECRET}\n`, { mode: 0o600 });
});

test("without a token there is no grant, and with one an upload ends to end", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile });
	for (const path of ["/", "/grant"]) {
		const got = await ask(server, {}, path);
		assert.equal(got.status, 401);
		assert.equal(got.json.error, "unauthorized");
		assert.equal(got.headers["www-authenticate"], 'Bearer realm="postern"');
		assert.equal(got.headers["content-type"], "application/json");
		assert.equal(got.headers["cache-control"], "no-store");
	}
	const good = bearer(token(shop, { sub: "ann" }));
	assert.equal((await ask(server, good, "/")).status, 200);
	const { json: grant } = await ask(server, good);
	const got = await postForm(server.store, { key: `${grant.dir}a.txt`, ...grant.fields }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" }, "the callback needs no token");
	assert.equal((await send(`${server.app}/upload/`)).status, 200, "nor does the page");
	assert.equal((await send(`${server.app}/grant`, "OPTIONS", {
		Origin: "http://a.example", "Access-Control-Request-Headers": "authorization",
	})).headers["access-control-allow-headers"], "authorization", "nor a preflight");
});

test("of who is not admitted no body is read", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile });
	for (const path of ["/grants", "/s3/multipart", "/s3/multipart/x/complete?key=a"]) {
		const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
		const none = await exchange(server.app, `${head}Content-Length: 10000\r\n\r\n`);
		assert.equal(none.status, 401, "the answer does not wait for it");
		const bad = await exchange(server.app, `${head}Content-Length: 1\r\n\r\n{`);
		assert.equal(bad.status, 401, "nor is it looked at");
	}
	const good = { ...bearer(token(shop, { sub: "ann" })), "Content-Type": "application/json" };
	const got = await send(`${server.app}/grants`, "POST", good, '{"files":[{"name":"a"}]}');
	assert.equal(got.status, 200, got.text);
});

test("a token that is not good is refused, and told why", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile,
		jwt_issuer: "https://login.example", jwt_audience: "uploads" });
	const claims = { iss: "https://login.example", aud: ["x", "uploads"], sub: "ann" };
	const cases = {
		"expired": [token(shop, { ...claims, exp: now() - 60 }), /expired/],
		"not yet valid": [token(shop, { ...claims, nbf: now() + 600 }), /not valid yet/],
		"of another issuer": [token(shop, { ...claims, iss: "x" }), /issuer/],
		"for another audience": [token(shop, { ...claims, aud: "x" }), /audience/],
		"without exp": [token(shop, { ...claims, exp: undefined }), /no exp/],
		"without signature": [token(shop, claims, { alg: "none" }).replace(/[^.]*$/, ""),
			/algorithm/],
		"by another secret": [token({ ...shop, secret: `${SECRET}!` }, claims), /verify/],
		"with a key in it": [token(shop, claims, { jwk: {} }), /jwk/],
		"no token": ["hello", /three parts/],
	};
	for (const [name, [text, why]] of Object.entries(cases)) {
		const got = await ask(server, bearer(text));
		assert.equal(got.status, 401, name);
		assert.equal(got.json.error, "invalid_token", name);
		assert.match(got.json.message, why, name);
		assert.match(got.headers["www-authenticate"], /^Bearer .*error="invalid_token"/, name);
	}
	const good = token(shop, claims);
	assert.equal((await ask(server, bearer(good))).status, 200);
	assert.equal((await ask(server, { authorization: `bEARER  ${good}` })).status, 200);
	assert.equal((await ask(server, { Authorization: `Basic ${good}` })).status, 401);
	assert.equal((await ask(server, { Cookie: `token=${good}` })).status, 401,
		"no cookie counts unless it is named");
});

test("a token is good until it expires, though it was seen before", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile,
		jwt_leeway_seconds: 0 });
	const short = bearer(token(shop, { sub: "ann", exp: now() + 3 }));
	assert.equal((await ask(server, short)).status, 200);
	assert.equal((await ask(server, short)).status, 200);
	let got;
	do {
		await new Promise(done => setTimeout(done, 100));
		got = await ask(server, short);
	} while (got.status === 200);
	assert.equal(got.status, 401);
	assert.match(got.json.message, /expired/);
});

for (const alg of ["RS256", "ES256", "EdDSA"]) {
	test(`${alg}: the key from a file`, async t => {
		const login = issuer(alg), other = issuer(alg);
		const file = join(folder, `${alg}.pem`);
		await writeFile(file, login.pem);
		const server = await start(t, { auth: "jwt", jwt_key_file: file });
		assert.equal((await ask(server, bearer(token(login)))).status, 200);
		assert.equal((await ask(server, bearer(token(other)))).status, 401);
		const forged = token({ alg: "HS256", secret: login.pem });
		assert.equal((await ask(server, bearer(forged))).status, 401, "the key is no secret");
	});
}

test("keys from a URL are kept, and fetched again for a name that is new, but not often", async t => {
	const first = issuer("ES256", "first"), second = issuer("RS256", "second");
	let set = { keys: [first.jwk] };
	const login = await startSink(t, (request, response) =>
		says(JSON.stringify(set))(request, response));
	const server = await start(t, { auth: "jwt", jwt_keys_url: `${login.url}/keys` });
	const statuses = await Promise.all(Array.from({ length: 20 }, async () =>
		(await ask(server, bearer(token(first)))).status));
	assert.deepEqual(new Set(statuses), new Set([200]));
	assert.equal(login.requests.length, 1, "one fetch for all");
	set = { keys: [first.jwk, second.jwk] };
	for (let i = 0; i < 5; i++) {
		const got = await ask(server, bearer(token(second)));
		assert.equal(got.status, 401);
		assert.match(got.json.message, /no key is known/);
	}
	assert.equal(login.requests.length, 1, "not within half a minute of the fetch before");
	assert.equal((await ask(server, bearer(token(first)))).status, 200);
});

test("while there are no keys the answer is to try again", async t => {
	const login = await startSink(t, says("no", 500));
	const server = await start(t, { auth: "jwt", jwt_keys_url: login.url });
	const got = await ask(server, bearer(token(issuer("ES256", "a"))));
	assert.equal(got.status, 503);
	assert.equal(got.headers["retry-after"], "5");
	await server.logged(/jwt_keys_url: not answered with 200/);
	assert.equal((await ask(server)).status, 401, "no token is no token all the same");
});

test("who goes away while keys are fetched does no harm", async t => {
	const login = issuer("EdDSA", "a");
	let answer;
	const waiting = new Promise(done => {
		answer = done;
	});
	const sink = await startSink(t, async (request, response) => {
		await waiting;
		says(JSON.stringify({ keys: [login.jwk] }))(request, response);
	});
	const server = await start(t, { auth: "jwt", jwt_keys_url: sink.url });
	const aborted = new AbortController();
	const gone = fetch(`${server.app}/grant`,
		{ headers: bearer(token(login)), signal: aborted.signal });
	const stays = ask(server, bearer(token(login)));
	while (sink.requests.length === 0)
		await new Promise(done => setTimeout(done, 10));
	aborted.abort();
	await assert.rejects(gone);
	answer();
	assert.equal((await stays).status, 200);
});

test("each caller has a folder, which no claim can leave", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile,
		upload_dir: "users/${sub}/${yyyy}/${mm}" });
	const grantOf = sub => ask(server, bearer(token(shop, { sub })));
	const { json: ann } = await grantOf("ann|1@example.com");
	assert.match(ann.dir, /^users\/ann\|1@example\.com\/20\d\d\/[01]\d\/$/);
	const own = await postForm(server.store, { key: `${ann.dir}a.txt`, ...ann.fields }, FILE);
	assert.equal(own.status, 200, own.text);
	assert.deepEqual(JSON.parse(own.text), { Status: "OK" });
	const { json: bob } = await grantOf("bob");
	const stolen = await postForm(server.store, { key: `${ann.dir}a.txt`, ...bob.fields }, FILE);
	assert.equal(stolen.status, 403, stolen.text);
	const classic = await ask(server, bearer(token(shop, { sub: "bob" })), "/");
	assert.equal(classic.json.dir, bob.dir);
	for (const sub of ["..", ".", "a/b", "../ann", "a\\b", "a\nb", "${filename}", "a\u0080", ""]) {
		const got = await grantOf(sub);
		assert.equal(got.status, 403, JSON.stringify(sub));
		assert.equal(got.json.error, "forbidden");
		assert.match(got.json.message, /claim/);
	}
	assert.equal((await ask(server, bearer(token(shop)))).status, 403, "no sub at all");
});

test("a cookie counts from pages of ours only", async t => {
	const server = await start(t, { auth: "jwt", jwt_secret_file: secretFile,
		jwt_cookie: "session", allowed_origins: "https://a.example https://*.b.example null" });
	const good = token(shop, { sub: "ann" });
	const cookie = `theme=dark; session=${good}`;
	const status = async headers => (await ask(server, { Cookie: cookie, ...headers })).status;
	assert.equal(await status({ Origin: "https://a.example" }), 200);
	assert.equal(await status({ "Sec-Fetch-Site": "same-origin" }), 200);
	const foreign = [
		{}, { "Sec-Fetch-Site": "none" }, { "Sec-Fetch-Site": "cross-site" },
		{ "Sec-Fetch-Site": "same-site" }, { Origin: "https://evil.example" },
		{ Origin: "https://x.b.example" }, { Origin: "null" },
		{ Origin: "http://a.example" }, { Origin: "https://a.example.evil.example" },
		{ Origin: "https://evil.example", "Sec-Fetch-Site": "same-origin" },
		{ Origin: ["https://a.example", "https://evil.example"] },
		{ Origin: "", "Sec-Fetch-Site": "same-origin" },
	];
	for (const headers of foreign) {
		const got = await ask(server, { Cookie: cookie, ...headers });
		assert.equal(got.status, 403, JSON.stringify(headers));
		assert.equal(got.json.error, "origin_refused");
	}
	assert.equal((await ask(server, { Cookie: "theme=dark" })).status, 401);
	assert.equal((await ask(server, { Origin: "https://a.example",
		Cookie: `${cookie}; session=other` })).status, 401, "two cookies of the name");
	assert.equal((await ask(server, { Origin: "https://x.b.example", ...bearer(good) })).status,
		200, "a header is not sent by a browser on its own");
	assert.equal((await ask(server, { Cookie: cookie, "Sec-Fetch-Site": "same-origin",
		...bearer("bad") })).status, 401, "the header wins");
});

test("credentials are let through for origins that are named, never for any", async t => {
	const options = { auth: "jwt", jwt_secret_file: secretFile, jwt_cookie: "session" };
	const narrow = await start(t, { ...options,
		allowed_origins: "https://a.example https://*.b.example" });
	const wide = await start(t, { ...options, allowed_origins: "* https://a.example" });
	const cors = async (server, origin, method = "GET") => {
		const { headers } = await send(`${server.app}/grant`, method, { Origin: origin });
		assert.match(headers.vary, /Origin/);
		return [headers["access-control-allow-origin"], headers["access-control-allow-credentials"]];
	};
	for (const method of ["GET", "OPTIONS"]) {
		assert.deepEqual(await cors(narrow, "https://a.example", method),
			["https://a.example", "true"]);
		assert.deepEqual(await cors(narrow, "https://x.b.example", method),
			["https://x.b.example", undefined]);
		assert.deepEqual(await cors(narrow, "https://evil.example", method),
			[undefined, undefined]);
		assert.deepEqual(await cors(wide, "https://a.example", method),
			["https://a.example", "true"]);
		assert.deepEqual(await cors(wide, "https://evil.example", method), ["*", undefined]);
	}
	const cookie = `session=${token(shop)}`;
	assert.equal((await ask(wide, { Cookie: cookie, Origin: "https://evil.example" })).status, 403);
	const bearerOnly = await start(t, { auth: "jwt", jwt_secret_file: secretFile,
		allowed_origins: "https://a.example" });
	assert.deepEqual(await cors(bearerOnly, "https://a.example"), ["https://a.example", undefined]);
});

test("a server that others can reach says who may upload", async t => {
	const open = "192.0.2.1:0"; // not an address of this machine, so nothing is opened
	const run = (...args) => spawnSync(BIN, ["serve", "--data", folder, "--app-listen", open,
		"--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0", ...args],
	{ encoding: "utf8", timeout: 30_000 }).stderr;
	assert.match(run(), /\[app\] auth = none: anybody who reaches 192\.0\.2\.1:0 can upload/);
	assert.doesNotMatch(run("--app-auth", "jwt", "--app-jwt-secret-file", secretFile),
		/anybody who reaches/);
	const local = await start(t, {});
	assert.equal((await ask(local)).status, 200);
	assert.doesNotMatch(local.log, /anybody who reaches/);
});

test("options that would protect nothing end the start", async () => {
	const weak = join(folder, "weak");
	await writeFile(weak, "0123456789abcdef0123456789abcde", { mode: 0o600 });
	await chmod(weak, 0o600);
	const cases = [
		[["--app-auth", "token"], /neither none, jwt nor forward/],
		[["--app-auth", "jwt"], /needs one of/],
		[["--app-auth", "jwt", "--app-jwt-secret-file", weak], /less than 32 bytes/],
		[["--app-auth", "jwt", "--app-jwt-secret-file", join(folder, "none")], /there is no/],
		[["--app-auth", "jwt", "--app-jwt-key-file", join(folder, "none")], /No such file/],
		[["--app-auth", "jwt", "--app-jwt-key-file", secretFile], /neither a PEM nor/],
		[["--app-auth", "jwt", "--app-jwt-keys-url", "ftp://a/"], /http or https/],
		[["--app-auth", "jwt", "--app-jwt-keys-url", "http://a/", "--app-jwt-secret-file",
			secretFile], /not more/],
		[["--app-auth", "jwt", "--app-jwt-secret-file", secretFile, "--app-jwt-cookie", "a=b"],
			/not the name of a cookie/],
		[["--app-jwt-secret-file", secretFile], /must be jwt/],
		[["--app-upload-dir", "users/${sub}/"], /auth = none/],
	];
	for (const [args, why] of cases) {
		const done = spawnSync(BIN, ["app", "127.0.0.1", "0", "--console-listen", "none", "--data", folder, "--app-host",
			"http://127.0.0.1:1/uploads", "--app-access-key-id", "a", "--app-access-key-secret",
			"b", ...args], { encoding: "utf8", timeout: 30_000 });
		assert.equal(done.status, 2, `${args}: ${done.stderr}`);
		assert.match(done.stderr, why);
	}
});
