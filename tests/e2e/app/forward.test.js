// SPDX-License-Identifier: Apache-2.0
// Who may ask for an upload: `[app] auth = forward`, a back end decides.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { SECRET } from "../lib/events.js";
import { postForm, request, send } from "../lib/oss.js";
import { BIN, cleanups, startServer } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };
let server, backEnd, decide;
before(async () => {
	backEnd = await startSink(all, (request, response) => decide(request, response));
	server = await startServer(all, { env: {
		POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: `${backEnd.url}/may-upload?x=1`,
		POSTERN_APP_UPLOAD_DIR: "users/${sub}/", POSTERN_APP_MAX_SIZE: "1000",
		POSTERN_APP_ALLOWED_TYPES: "text/plain image/png",
		POSTERN_APP_ALLOWED_ORIGINS: "https://a.example",
	} });
});

async function ask(headers = {}, path = "/grant", at = server) {
	const got = await send(at.app + path, "GET", headers);
	return { ...got, json: JSON.parse(got.text) };
}

const permits = answer => says(JSON.stringify({ sub: "ann", ...answer }));

test("the back end is asked with the caller's headers, and no more", async () => {
	decide = permits();
	const got = await ask({ Authorization: "Bearer abc", Cookie: "session=1",
		Origin: "https://a.example", "X-Empty": "", "X-Own": "1", "X-Hop": "2",
		Connection: "close, X-Hop", "Proxy-Authorization": "Basic x", "Accept-Encoding": "gzip",
		"X-Original-URI": "/forged", "Content-Length": "0", TE: "trailers" }, "/grant?a=b");
	assert.equal(got.status, 200, got.text);
	const asked = backEnd.requests.at(-1);
	assert.equal(asked.method, "GET");
	assert.equal(asked.url, "/may-upload?x=1");
	assert.deepEqual(Object.keys(asked.headers).sort(),
		["accept", "authorization", "connection", "cookie", "host", "origin", "x-empty",
			"x-original-method", "x-original-uri", "x-own"]
			.filter(name => name in asked.headers || !["accept", "connection"].includes(name)));
	assert.equal(asked.headers.authorization, "Bearer abc");
	assert.equal(asked.headers.cookie, "session=1");
	assert.equal(asked.headers["x-original-uri"], "/grant?a=b");
	assert.equal(asked.headers["x-original-method"], "GET");
	assert.equal(`http://${asked.headers.host}`, backEnd.url);
	assert.equal(got.headers["access-control-allow-credentials"], "true");
});

test("cookies are passed on for pages of ours only", async () => {
	decide = permits();
	const cookies = async headers => {
		await ask({ Cookie: "session=1", ...headers });
		return backEnd.requests.at(-1).headers.cookie;
	};
	assert.equal(await cookies({ Origin: "https://a.example" }), "session=1");
	assert.equal(await cookies({ "Sec-Fetch-Site": "same-origin" }), "session=1");
	assert.equal(await cookies({}), undefined);
	assert.equal(await cookies({ Origin: "https://evil.example" }), undefined);
	assert.equal(await cookies({ "Sec-Fetch-Site": "cross-site" }), undefined);
});

test("an answer narrows the grant, and an upload ends to end", async () => {
	decide = permits({ prefix: "today/", max_size: 10, types: ["TEXT/Plain", "image/gif"],
		expire_seconds: 60 });
	const { json: grant } = await ask();
	assert.equal(grant.dir, "users/ann/today/");
	assert.equal(grant.max_size, 10);
	assert.deepEqual(grant.types, ["text/plain"]);
	assert.ok(grant.expires - Date.now() / 1000 <= 60);
	const put = (key, file) => postForm(server.store, { key, "Content-Type": file.type,
		...grant.fields }, file);
	const good = await put(`${grant.dir}a.txt`, FILE);
	assert.equal(good.status, 200, good.text);
	assert.deepEqual(JSON.parse(good.text), { Status: "OK" });
	assert.equal((await put("users/ann/a.txt", FILE)).status, 403);
	assert.notEqual((await put(`${grant.dir}b`, { ...FILE, content: "12345678901" })).status, 200);
	assert.equal((await put(`${grant.dir}b`, { ...FILE, type: "image/png" })).status, 403);
	const begun = await send(`${server.app}/s3/multipart`, "POST", { "Content-Type": "application/json" },
		JSON.stringify({ filename: "a.txt", type: "text/plain" }));
	const upload = JSON.parse(begun.text);
	assert.ok(upload.expires - Date.now() / 1000 <= 60, begun.text);
	const part = await send(`${server.app}/s3/multipart/${upload.uploadId}/1?${
		new URLSearchParams({ key: upload.key })}`);
	assert.ok(JSON.parse(part.text).expires <= 60, part.text);
	decide = permits({ max_size: 5000, expire_seconds: 80000 });
	const wide = (await ask()).json;
	assert.equal(wide.max_size, 1000, "never more than is configured");
	assert.ok(wide.expires - Date.now() / 1000 <= 300);
	assert.deepEqual(wide.types, ["text/plain", "image/png"]);
	decide = permits({ types: ["image/gif"] });
	assert.equal((await ask()).status, 403, "none of allowed_types is for this one");
});

test("an answer gives objects metadata, in a form and in parts", async () => {
	decide = permits({ metadata: { order: 12, kind: "a b" } });
	const { json: { dir, fields } } = await ask();
	assert.deepEqual([fields["x-oss-meta-order"], fields["x-oss-meta-kind"]], ["12", "a b"]);
	const posted = await postForm(server.store, { key: `${dir}meta.txt`, ...fields }, FILE);
	assert.equal(posted.status, 200, posted.text);
	const head = await request(server.store, "HEAD", "uploads", `${dir}meta.txt`);
	assert.deepEqual([head.headers["x-oss-meta-order"], head.headers["x-oss-meta-kind"]], ["12", "a b"]);
	const changed = await postForm(server.store, { key: `${dir}meta.txt`, ...fields, "x-oss-meta-order": "13" }, FILE);
	assert.equal(changed.status, 403, "the policy demands it");
	const key = await sendInParts(server, "b.txt");
	assert.equal((await request(server.store, "HEAD", "uploads", key)).headers["x-oss-meta-order"], "12");
});

/** Sends a file in one part; what the back end says when it is completed does not matter. */
async function sendInParts(at, filename) {
	const post = (path, body) => send(at.app + path, "POST", { "Content-Type": "application/json" }, JSON.stringify(body));
	const begun = await post("/s3/multipart", { filename, type: "text/plain" });
	assert.equal(begun.status, 200, begun.text);
	const { key, uploadId } = JSON.parse(begun.text);
	const path = `/s3/multipart/${uploadId}`, query = new URLSearchParams({ key });
	const { url } = JSON.parse((await send(`${at.app}${path}/1?${query}`)).text);
	const put = await send(url, "PUT", {}, "hello");
	const before = decide;
	decide = permits({ variables: { order: "of another request" } });
	const done = await post(`${path}/complete?${query}`, { parts: [{ PartNumber: 1, ETag: put.headers.etag }] });
	assert.equal(done.status, 200, done.text);
	decide = before;
	return key;
}

test("an answer's variables come back with the callback, in the webhook and the events", async t => {
	const hook = await startSink(t, says("{}"));
	const told = await startSink(t, says("", 204));
	const at = await startServer(t, { env: {
		POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: backEnd.url, POSTERN_APP_UPLOAD_DIR: "users/${sub}/",
		POSTERN_APP_WEBHOOK_URL: hook.url, POSTERN_APP_EVENTS_URL: told.url,
		POSTERN_APP_EVENTS_SECRET: SECRET,
	} });
	const odd = { quotes: `"'\\`, template: "${x:order}${object}$(a)", form: "a=b&grant=c#%26+;d", lines: "a\r\n\tb\u0001\u007f",
		utf8: "\u00e4\u4e2d\u{1f600}", empty: "", "a-b_9": "<b>" };
	const variables = { order: "12", ...odd };
	decide = permits({ variables: { ...variables, order: 12 } });
	const until = async (sink, count) => {
		for (const end = Date.now() + 60_000; sink.requests.length < count && Date.now() < end;)
			await new Promise(done => setTimeout(done, 20));
		return JSON.parse(sink.requests[count - 1].body);
	};
	const { json: grant } = await ask({}, "/grant", at);
	const fields = { key: `${grant.dir}a.txt`, ...grant.fields };
	const posted = await postForm(at.store, { ...fields, "x:order": "13", order: "13", variables: '{"order":"13"}' }, FILE);
	assert.equal(posted.status, 200, posted.text);
	assert.deepEqual((await until(hook, 1)).variables, variables);
	assert.deepEqual((await until(told, 1)).data.variables, variables);
	const forged = Buffer.from(fields.callback, "base64").toString()
		.replace(/[^.]+(\.[0-9a-f]{32})"/, `${Buffer.from('{"order":"13"}').toString("base64url")}$1"`);
	const refused = await postForm(at.store, { ...fields, callback: Buffer.from(forged).toString("base64") }, FILE);
	assert.equal(refused.status, 403, "the policy demands the callback");

	const { json: classic } = await ask({}, "/", at);
	const token = await postForm(at.store, { key: `${classic.dir}c.txt`, OSSAccessKeyId: classic.accessid, policy: classic.policy,
		signature: classic.signature, callback: classic.callback, success_action_status: "200" }, FILE);
	assert.equal(token.status, 200, token.text);
	assert.deepEqual((await until(hook, 2)).variables, variables, "with the classic token");

	const key = await sendInParts(at, "b.txt");
	const webhook = await until(hook, 3);
	assert.equal(webhook.object, key);
	assert.deepEqual(webhook.variables, variables, "in parts: those of the beginning");

	decide = permits({ variables: {} });
	const { json: none } = await ask({}, "/grant", at);
	assert.equal((await postForm(at.store, { key: `${none.dir}d.txt`, ...none.fields }, FILE)).status, 200);
	assert.deepEqual((await until(hook, 4)).variables, {});
	assert.deepEqual((await until(told, 4)).data.variables, {});
	decide = permits({ variables: Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`v${i}`, "x".repeat(52)])) });
	const { json: most } = await ask({}, "/grant", at);
	assert.equal((await postForm(at.store, { key: `${most.dir}e.txt`, ...most.fields }, FILE)).status, 200);
	assert.equal(Object.keys((await until(hook, 5)).variables).length, 16);
	for (const bad of [[], "a", null, { Order: "1" }, { "x:order": "1" }, { "": "1" }, { order: true }, { order: null }, { order: { a: 1 } },
		{ order: 1.5 }, { order: "x".repeat(1100) }, Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`v${i}`, ""]))]) {
		decide = permits({ variables: bad });
		assert.equal((await ask({}, "/grant", at)).status, 503, JSON.stringify(bad).slice(0, 80));
	}
	await at.logged(/auth_url: a name in variables has other than small letters/);
});

test("an upload in parts whose callback would be too long for a header does not begin", async t => {
	const at = await startServer(t, { env: { POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: backEnd.url,
		POSTERN_APP_UPLOAD_DIR: "d".repeat(900), POSTERN_APP_CALLBACK_URL: `http://127.0.0.1/callback?${"x".repeat(900)}` } });
	const begin = () => send(`${at.app}/s3/multipart`, "POST", { "Content-Type": "application/json" }, '{"filename":"a.txt"}');
	decide = permits({ variables: { long: "x".repeat(1000) } });
	const long = await begin();
	assert.equal(long.status, 403, long.text);
	assert.match(long.text, /variables are too long for an upload in parts/);
	assert.equal((await ask({}, "/grant", at)).status, 200, "a form may have it");
	decide = permits({ variables: { short: "x" } });
	assert.equal((await begin()).status, 200);
});

test("401 and 403 pass through, and what is no decision is 503", async () => {
	decide = (_, response) => {
		response.writeHead(401, { "WWW-Authenticate": 'Basic realm="shop"', "Set-Cookie": "a=b" });
		response.end("<html>");
	};
	const unknown = await ask();
	assert.equal(unknown.status, 401);
	assert.equal(unknown.json.error, "unauthorized");
	assert.equal(unknown.headers["www-authenticate"], 'Basic realm="shop"');
	assert.equal(unknown.headers["set-cookie"], undefined);
	decide = says("", 401);
	assert.equal((await ask()).headers["www-authenticate"], 'Bearer realm="postern"');
	decide = says("no", 403);
	const forbidden = await ask({}, "/");
	assert.equal(forbidden.status, 403);
	assert.equal(forbidden.json.error, "forbidden");
	for (const status of [302, 404, 429, 500]) {
		decide = says("{}", status);
		const got = await ask();
		assert.equal(got.status, 503, String(status));
		assert.equal(got.headers["retry-after"], "5");
	}
	const bad = ["", "[]", "{", '{"sub":"a","sub":"b"}', '{"sub":true}', '{"sub":"a","prefix":"../b"}',
		'{"sub":"a","prefix":"/b"}', '{"sub":"a","prefix":"b\\u0000"}', '{"sub":"a","max_size":0}',
		'{"sub":"a","max_size":"9"}', '{"sub":"a","types":[]}',
		'{"sub":"a","types":["image/*"]}', '{"sub":"a","types":"text/plain"}',
		'{"sub":"a","expire_seconds":-1}', '{"sub":"a","metadata":[]}', '{"sub":"a","metadata":{"A":"b"}}',
		'{"sub":"a","metadata":{"grant":"b"}}', '{"sub":"a","metadata":{"a":"b\\nc"}}', '{"sub":"a","metadata":{"a":""}}', `{"sub":"${"a".repeat(20_000)}"}`];
	for (const body of bad) {
		decide = says(body);
		assert.equal((await ask()).status, 503, body.slice(0, 80));
	}
	for (const [body, type, why] of [['{"prefix":"narrow/"}', "text/plain", "it begins as a JSON object does, and its Content-Type is not application/json"],
		['\r\n {"max_size":1}', "application/problem+json", "it begins as a JSON object does"], ['{"variables":{"a":"1","a":"2"}}', undefined, "a member stands twice in its JSON"],
		['{"variables":{"a":"\\u0000"}}', undefined, "there is a NUL in a text"], ['{"variables":{"a\\u0000":"1"}}', undefined, "there is a NUL in a text"],
		['{"variables":{"a":9223372036854775808}}', undefined, "a number in its JSON is too large"], [Buffer.from('{"sub":"\xff"}', "latin1"), undefined, "its JSON is not UTF-8"]]) {
		decide = says(body, 200, type);
		assert.equal((await ask()).status, 503, String(body));
		await server.logged(new RegExp(`auth_url: ${why}`));
	}
	decide = says("OK", 200, "text/plain");
	assert.equal((await ask()).status, 403, "permitted, but there is no sub for the folder");
	await server.logged(/auth_url: prefix could leave its folder/);
});

test("a back end that is not there or is silent is 503, and the page is not asked about", async t => {
	const env = { POSTERN_APP_AUTH: "forward", POSTERN_APP_AUTH_URL: await closedPort() };
	const alone = await startServer(t, { env });
	assert.equal((await send(`${alone.app}/grant`)).status, 503);
	assert.equal((await send(`${alone.app}/upload/`)).status, 200);
	assert.equal((await send(`${alone.app}/grant`, "OPTIONS")).status, 204);
	const asked = backEnd.requests.length;
	decide = () => {};
	assert.equal((await send(`${server.app}/grant`)).status, 503, "after three seconds");
	assert.equal(backEnd.requests.length, asked + 1);
});

test("options that would protect nothing end the start", () => {
	const cases = [
		[["--app-auth", "forward"], /auth_url: must be/],
		[["--app-auth", "forward", "--app-auth-url", "ftp://a/"], /auth_url: must be/],
		[["--app-auth-url", "http://a/"], /must be forward/],
		[["--app-auth", "forward", "--app-auth-url", "http://a/", "--app-jwt-issuer", "a"],
			/must be jwt/],
	];
	for (const [args, why] of cases) {
		const done = spawnSync(BIN, ["app", "127.0.0.1", "0", "--console-listen", "none", "--data", server.data, "--app-host",
			"http://127.0.0.1:1/uploads", "--app-access-key-id", "a", "--app-access-key-secret",
			"b", ...args], { encoding: "utf8", timeout: 30_000 });
		assert.equal(done.status, 2, `${args}: ${done.stderr}`);
		assert.match(done.stderr, why);
	}
});
