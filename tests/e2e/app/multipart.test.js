// SPDX-License-Identifier: Apache-2.0
// Uploads in parts (docs/multipart.md).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bearer, token } from "../lib/jwt.js";
import { getObject, postForm, request, send } from "../lib/oss.js";
import { PART, ask, begin, complete, path, put, startWith } from "../lib/parts.js";
import { cleanups, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const CONFIG = `
[app]
max_size = ${3 * PART}

[profile strict]
upload_dir = strict/
key = \${name}\${ext}
min_size = 3
allowed_types = text/plain
allowed_extensions = txt
forbid_overwrite = true
acl = public-read
cache_control = no-store
metadata = kind=film
`;

let server;

before(async () => {
	server = await startWith(all, CONFIG);
});

const big = Buffer.alloc(PART, "a");

for (const version of ["4", "1"]) {
	test(`V${version}: an upload in parts, from its beginning to the ledger`, async t => {
		const at = version === "4" ? server
			: await startWith(t, CONFIG, { POSTERN_APP_SIGNATURE_VERSION: version });
		const upload = await begin(at, { filename: "a/Film.TXT" });
		assert.match(upload.key, /^user-dir-prefix\/[0-9a-f-]{36}\.txt$/);
		assert.deepEqual([upload.bucket, upload.part_size, upload.max_parts, upload.max_size],
			["uploads", PART, 3, 3 * PART]);
		assert.match(upload.uploadId, /^[A-Za-z0-9._-]+$/);
		assert.deepEqual((await ask(at, "GET", path(upload))).json, []);
		const first = await put(at, upload, 1, big);
		const second = await put(at, upload, 2, "end");
		assert.deepEqual([first.status, second.status], [200, 200], second.text);
		const { json: listed } = await ask(at, "GET", path(upload));
		assert.deepEqual(listed.map(part => [part.PartNumber, part.ETag, part.Size]),
			[[1, first.part.ETag, PART], [2, second.part.ETag, 3]]);
		const unquoted = [first, second].map(({ part }) => ({ ...part, ETag: part.ETag.slice(1, -1) }));
		const done = await complete(at, upload, unquoted);
		assert.equal(done.status, 200, JSON.stringify(done.json));
		assert.deepEqual(done.json, { location: `${at.store}/uploads/${upload.key}`,
			key: upload.key, bucket: "uploads" });
		assert.equal((await getObject(at.store, upload.key)).length, PART + 3);
		const state = await send(`${at.app}/grants/${upload.id}?grant=${upload.grant}`);
		const { state: word, uploads, last } = JSON.parse(state.text);
		assert.deepEqual([word, uploads, last.object, last.size, last.mimeType],
			["confirmed", 1, upload.key, PART + 3, "text/plain"]);
		const again = await complete(at, upload, unquoted);
		assert.deepEqual([again.status, again.json], [200, done.json], "as the first time");
		assert.equal((await ask(at, "GET", path(upload))).status, 404);
		assert.deepEqual((await ask(at, "DELETE", path(upload))).json, {});
		assert.ok(await getObject(at.store, upload.key), "an object stays");
		const rows = JSON.parse((await send(`${at.app}/grants/${upload.id}?grant=${upload.grant}`)).text);
		assert.equal(rows.uploads, 1);
	});
}

test("a batch of URLs, and sizes that are signed", async () => {
	const upload = await begin(server);
	const { json } = await ask(server, "GET",
		path(upload, "/batch", { partNumbers: "1,2,3", sizes: `${PART},${PART},3` }));
	assert.deepEqual(Object.keys(json.presignedUrls), ["1", "2", "3"]);
	assert.ok(json.expires > 0 && json.expires <= 300);
	assert.equal((await send(json.presignedUrls[3], "PUT", {}, "four")).status, 403, "one too many");
	assert.equal((await send(json.presignedUrls[3], "PUT", {}, "end")).status, 200);
	const plain = (await ask(server, "GET", path(upload, "/batch", { partNumbers: "1" }))).json;
	assert.equal((await send(plain.presignedUrls[1], "PUT", {}, "any")).status, 200);
	for (const query of [{ partNumbers: "" }, { partNumbers: "0" }, { partNumbers: "1,x" },
		{ partNumbers: "10001" }, { partNumbers: "1,2", sizes: "1" }, { partNumbers: "1", sizes: "1,2" },
		{ partNumbers: "1", sizes: "-1" }, {},
		{ partNumbers: Array.from({ length: 1001 }, (_, i) => i + 1).join() }])
		assert.equal((await ask(server, "GET", path(upload, "/batch", query))).status, 400,
			JSON.stringify(query).slice(0, 60));
	for (const [query, status] of [[{ partNumbers: "4" }, 403],
		[{ partNumbers: "1", sizes: String(3 * PART + 1) }, 403]])
		assert.equal((await ask(server, "GET", path(upload, "/batch", query))).json.error, "size_refused",
			String(status));
	await ask(server, "DELETE", path(upload));
	assert.equal((await ask(server, "GET", path(upload))).json.error, "no_such_upload");
});

test("an upload id is good for its key alone, and cannot be made", async () => {
	const upload = await begin(server), other = await begin(server);
	const last = upload.uploadId.at(-1) === "0" ? "1" : "0";
	for (const bad of [{ ...upload, key: other.key }, { ...upload, uploadId: other.uploadId },
		{ ...upload, uploadId: upload.uploadId.slice(0, -1) + last },
		{ ...upload, uploadId: upload.uploadId.replace(/\.(\d{10})\./, ".9999999999.") },
		{ ...upload, uploadId: "x" }, { ...upload, uploadId: "a".repeat(2000) }]) {
		for (const [method, rest] of [["GET", ""], ["GET", "/1"], ["DELETE", ""]]) {
			const got = await ask(server, method, path(bad, rest));
			assert.deepEqual([got.status, got.json.error], [403, "invalid_upload"], rest);
		}
		assert.equal((await complete(server, bad, [{ PartNumber: 1, ETag: "x" }])).status, 403);
	}
	assert.equal((await send(`${server.app}/s3/multipart/${upload.uploadId}`)).status, 400, "no key");
});

test("what has become too large is aborted", async () => {
	const upload = await begin(server);
	for (const number of [1, 2, 3])
		assert.equal((await put(server, upload, number, Buffer.alloc(PART + 1))).status, 200);
	const { json: parts } = await ask(server, "GET", path(upload));
	const got = await complete(server, upload, parts);
	assert.deepEqual([got.status, got.json.error], [403, "size_refused"]);
	assert.equal((await ask(server, "GET", path(upload))).status, 404);
	assert.equal(await getObject(server.store, upload.key), null);
});

test("after 64 parts that were signed those at the store are summed", async () => {
	const upload = await begin(server);
	for (const number of [1, 2, 3])
		assert.equal((await put(server, upload, number, Buffer.alloc(PART + 1))).status, 200);
	const signed = [];
	for (let i = 0; i < 64; i++)
		signed.push((await ask(server, "GET", path(upload, "/1"))).status);
	assert.equal(signed.indexOf(403), 61, "three before, and 61 now, are 64");
	assert.ok(signed.slice(62).every(status => status === 404));
});

test("a profile's rules hold in parts, too", async () => {
	const wish = { profile: "strict" };
	for (const [change, error] of [[{ type: "image/png" }, "type_refused"], [{ type: "" }, "type_refused"],
		[{ filename: "a.exe" }, "type_refused"], [{ size: 2 }, "size_refused"],
		[{ profile: "none" }, "no_such_profile"], [{ filename: 1 }, "invalid_request"],
		[{ size: 3 * PART + 1 }, "size_refused"]])
		assert.equal((await ask(server, "POST", "/multipart", { filename: "a.txt", type: "text/plain",
			...wish, ...change })).json.error, error);
	const upload = await begin(server, { filename: "film.txt", metadata: wish });
	assert.equal(upload.key, "strict/film.txt");
	const named = await ask(server, "POST", "/multipart?profile=strict", { filename: "query.txt", type: "text/plain" });
	assert.equal(named.json.key, "strict/query.txt", "named in the query");
	assert.equal((await ask(server, "POST", "/multipart?profile=none", { filename: "a.txt" })).json.error, "no_such_profile");
	const small = await put(server, upload, 1, "ab");
	assert.equal((await complete(server, upload, [small.part])).json.error, "size_refused");
	const { part } = await put(server, upload, 1, "abc");
	const second = await begin(server, { filename: "film.txt", ...wish });
	assert.equal((await complete(server, upload, [{ ...part, ETag: '"0"' }])).json.error,
		"invalid_parts");
	assert.equal((await complete(server, upload, [part])).status, 200);
	const head = await request(server.store, "HEAD", "uploads", upload.key);
	assert.deepEqual(["content-type", "cache-control", "x-oss-meta-kind"].map(name => head.headers[name]),
		["text/plain", "no-store", "film"]);
	assert.equal((await send(`${server.store}/uploads/${upload.key}`)).status, 200, "public");
	const late = await put(server, second, 1, "abc");
	assert.equal((await complete(server, second, [late.part])).json.error, "already_there");
	assert.equal((await ask(server, "POST", "/multipart",
		{ filename: "film.txt", type: "text/plain", ...wish })).json.error, "already_there");
});

test("a small file gets a form for one key", async () => {
	const { json } = await ask(server, "GET",
		`/params?${new URLSearchParams({ filename: "a.png", type: "image/png", "metadata[name]": "x" })}`);
	assert.deepEqual([json.method, json.url], ["POST", `${server.store}/uploads`]);
	assert.match(json.fields.key, /^user-dir-prefix\/[0-9a-f-]{36}\.png$/);
	const file = { name: "blob", type: "application/octet-stream", content: "x" };
	assert.equal((await postForm(server.store, json.fields, file)).status, 200);
	const strict = await ask(server, "GET", "/params?filename=a.txt&metadata%5Bprofile%5D=strict");
	assert.equal(strict.json.fields.key, "strict/a.txt");
});

test("what is no request of these is told so", async () => {
	for (const [method, at, status] of [["GET", "/multipart", 405], ["POST", "/params", 405],
		["GET", "/nothing", 404], ["PUT", "/multipart/x?key=a", 405], ["GET", "/multipart/x/complete?key=a", 405],
		["POST", "/multipart/x/1?key=a", 405]])
		assert.equal((await ask(server, method, at, method === "GET" ? undefined : {})).status, status, at);
	for (const body of [[], { filename: "a", type: 3 }, { filename: "a", size: "1" }])
		assert.equal((await ask(server, "POST", "/multipart", body)).status, 400);
	const upload = await begin(server);
	for (const parts of [undefined, [], [{}], [{ PartNumber: 0, ETag: "a" }], [{ PartNumber: 1 }],
		[{ PartNumber: 1, ETag: "" }], [{ PartNumber: "1", ETag: "a" }]])
		assert.equal((await complete(server, upload, parts)).status, 400, JSON.stringify(parts));
	const off = await send(`${server.app}/s3/multipart`, "OPTIONS",
		{ Origin: "https://a.example", "Access-Control-Request-Method": "DELETE",
			"Access-Control-Request-Headers": "content-type" });
	assert.equal(off.status, 204);
	assert.equal(off.headers["access-control-allow-headers"], "content-type");
	assert.match(off.headers["access-control-allow-methods"], /DELETE/);
});

test("an upload is its subject's", async t => {
	const shop = { alg: "HS256", secret: "a secret that has more than thirty-two bytes" };
	const folder = await temporaryFolder(t), file = join(folder, "secret");
	await writeFile(file, shop.secret, { mode: 0o600 });
	const at = await startWith(t, CONFIG,
		{ POSTERN_APP_AUTH: "jwt", POSTERN_APP_JWT_SECRET_FILE: file });
	const as = sub => bearer(token(shop, { sub }));
	assert.equal((await ask(at, "POST", "/multipart", { filename: "a" })).status, 401);
	const upload = await begin(at, {}, as("ann"));
	assert.equal((await ask(at, "GET", path(upload), undefined, as("ann"))).status, 200);
	for (const rest of ["", "/1", "/batch"])
		assert.equal((await ask(at, "GET", path(upload, rest, { partNumbers: "1" }), undefined,
			as("bob"))).json.error, "invalid_upload");
	assert.equal((await ask(at, "DELETE", path(upload), undefined, as("bob"))).status, 403);
	assert.equal((await ask(at, "POST", path(upload, "/complete"),
		{ parts: [{ PartNumber: 1, ETag: "a" }] }, as("bob"))).status, 403);
});

test("if the callback fails, the next try records the upload", async t => {
	let answer = 500;
	const callbacks = [];
	const receiver = createServer((request, response) => {
		callbacks.push(request.url);
		request.resume();
		response.writeHead(answer, { "Content-Type": "application/json" });
		response.end("{}");
	});
	await new Promise(done => receiver.listen(0, "127.0.0.1", done));
	t.after(() => new Promise(done => receiver.close(done)));
	const { port } = receiver.address();
	const at = await startWith(t, CONFIG, { POSTERN_APP_CALLBACK_URL: `http://127.0.0.1:${port}/lost`,
		POSTERN_STORE_CALLBACK_ALLOW: `127.0.0.1:${port}` });
	const upload = await begin(at);
	const { part } = await put(at, upload, 1, "abc");
	const first = await complete(at, upload, [part]);
	assert.deepEqual([first.status, first.json.error], [502, "callback_failed"]);
	assert.deepEqual(callbacks, ["/lost"]);
	const state = async () => JSON.parse(
		(await send(`${at.app}/grants/${upload.id}?grant=${upload.grant}`)).text);
	assert.equal((await state()).uploads, 0);
	for (let i = 0; i < 2; i++) {
		const next = await complete(at, upload, [part]);
		assert.deepEqual([next.status, next.json.key], [200, upload.key]);
		const { uploads, last } = await state();
		assert.deepEqual([uploads, last.size, last.confirmed], [1, 3, true]);
	}
	answer = 200;
});

test("1,200 parts: a list of several pages, and no signature is refused", async t => {
	const at = await startWith(t, `[app]\nmax_size = ${1300 * PART}\n`);
	const upload = await begin(at);
	const numbers = Array.from({ length: 1200 }, (_, i) => i + 1);
	for (let from = 0; from < numbers.length; from += 600) {
		const { json } = await ask(at, "GET",
			path(upload, "/batch", { partNumbers: numbers.slice(from, from + 600).join() }));
		const urls = Object.values(json.presignedUrls);
		for (let i = 0; i < urls.length; i += 50)
			await Promise.all(urls.slice(i, i + 50).map(async url =>
				assert.equal((await send(url, "PUT", {}, "x")).status, 200)));
	}
	const { json: parts } = await ask(at, "GET", path(upload));
	assert.deepEqual(parts.map(part => part.PartNumber), numbers);
	assert.equal((await complete(at, upload, parts)).json.error, "invalid_parts", "too small");
});
