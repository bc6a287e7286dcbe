// SPDX-License-Identifier: Apache-2.0
// Profiles: what a grant says is what the store lets in. Each test breaks one member of a form.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { postForm, request, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const CONFIG = `
[app]
upload_dir = files/
max_size = 1000
min_size = 2
allowed_types = Text/Plain image/png

[profile avatar]
upload_dir = avatars/\${date}/
key = \${uuid}\${ext}
min_size = 10
max_size = 20
allowed_types = image/png image/jpeg
allowed_extensions = png jpg

[profile strict]
forbid_overwrite = true
key = fixed.txt
acl = public-read
storage_class = IA
cache_control = public, max-age=60
content_disposition = attachment; filename=x.txt
metadata = kind=avatar, source=web
callback_answer = {"profile":"strict"}

[profile named]
key = \${name}\${ext}

[profile empty]

[profile any]
allowed_types =
allowed_extensions =
`;

let server;

async function start(t, text, env = {}) {
	const data = await temporaryFolder(t);
	const file = join(data, "postern.ini");
	await writeFile(file, text);
	return startServer(t, { data, env, args: ["--data", join(data, "data"), "--config", file,
		"--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"] });
}

before(async () => {
	server = await start(all, CONFIG);
});

async function json(at, path, how = {}) {
	const got = await send(at.app + path, how.method ?? "GET",
		how.body ? { "Content-Type": "application/json" } : {},
		how.body && JSON.stringify(how.body));
	return { status: got.status, ...JSON.parse(got.text) };
}

const file = (content, type = "text/plain") => ({ name: "a", type, content });

/** Posts the grant's form, changed by `change`; the status. */
async function post(at, grant, content, change = {}, type = "text/plain") {
	const fields = { key: `${grant.dir}a.txt`, ...grant.fields, ...change };
	for (const [name, value] of Object.entries(fields))
		if (value === undefined)
			delete fields[name];
	return postForm(at.store, fields, file(content, type));
}

for (const version of [4, 1]) {
	test(`V${version}: sizes, types and the key of a profile are conditions`, async t => {
		const at = version === 4 ? server
			: await start(t, CONFIG, { POSTERN_APP_SIGNATURE_VERSION: "1" });
		const ask = "/grant?profile=avatar&filename=Me.PNG&type=image%2Fpng";
		const grant = await json(at, ask);
		assert.equal(grant.status, 200, grant.message);
		assert.match(grant.fields.key,
			/^avatars\/\d{4}-\d\d-\d\d\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.png$/);
		assert.deepEqual([grant.profile, grant.min_size, grant.max_size, grant.types, grant.extensions],
			["avatar", 10, 20, ["image/png", "image/jpeg"], ["png", "jpg"]]);
		const good = "0123456789";
		for (const [what, content, change, type] of [
			["too small", "012345678", {}],
			["too large", "0".repeat(21), {}],
			["another type", good, { "x-oss-content-type": "image/jpeg" }],
			["no type", good, { "x-oss-content-type": undefined }],
			["another key", good, { key: `${grant.dir}a.png` }],
			["another extension", good, { key: `${grant.fields.key}.html` }],
			["another grant", good, { "x-oss-meta-grant": "0".repeat(24) }],
			["no callback", good, { callback: undefined }],
		]) {
			const got = await post(at, grant, content, change, type ?? "image/png");
			assert.ok([400, 403].includes(got.status), `${what}: ${got.status} ${got.text}`);
		}
		assert.equal((await post(at, grant, good, {}, "text/html")).status, 200);
		const head = await request(at.store, "HEAD", "uploads", grant.fields.key);
		assert.equal(head.headers["content-type"], "image/png");
		assert.notEqual((await json(at, ask)).fields.key, grant.fields.key);
	});

	test(`V${version}: of types the case does not count, and the policy has what the page says`, async t => {
		const at = version === 4 ? server
			: await start(t, CONFIG, { POSTERN_APP_SIGNATURE_VERSION: "1" });
		const any = await json(at, "/grant");
		assert.deepEqual(any.types, ["text/plain", "image/png"]);
		assert.equal((await post(at, any, "ab", { "Content-Type": "text/plain" })).status, 200);
		const told = await json(at, "/grant?filename=a.txt&type=TEXT%2Fplain");
		assert.equal(told.fields["x-oss-content-type"], "TEXT/plain");
		assert.equal((await post(at, told, "ab", { key: told.fields.key })).status, 200);
		for (const other of ["TEXT/plainer", "text/plain;", "text/plain; charset=utf-8"])
			assert.equal((await json(at, `/grant?filename=a.txt&type=${encodeURIComponent(other)}`)).error, "type_refused", other);
		const begun = await json(at, "/s3/multipart", { method: "POST", body: { filename: "a.txt", type: "Image/PNG" } });
		assert.equal(begun.status, 200, begun.message);
	});

	test(`V${version}: headers, metadata, ACL and class are conditions, and stored`, async t => {
		const at = version === 4 ? server
			: await start(t, CONFIG, { POSTERN_APP_SIGNATURE_VERSION: "1" });
		const grant = await json(at, "/grant?profile=strict");
		assert.equal(grant.fields.key, "files/fixed.txt");
		const wanted = { "x-oss-object-acl": "public-read", "x-oss-storage-class": "IA",
			"Cache-Control": "public, max-age=60",
			"Content-Disposition": "attachment; filename=x.txt",
			"x-oss-meta-kind": "avatar", "x-oss-meta-source": "web",
			"x-oss-forbid-overwrite": "true" };
		for (const [name, value] of Object.entries(wanted)) {
			assert.equal(grant.fields[name], value);
			for (const other of [undefined, name === "x-oss-forbid-overwrite" ? "false" : "Other"]) {
				const got = await post(at, grant, "content", { [name]: other });
				assert.ok([400, 403].includes(got.status), `${name}=${other}: ${got.status}`);
			}
		}
		const stored = await post(at, grant, "content");
		assert.equal(stored.status, 200, stored.text);
		assert.deepEqual(JSON.parse(stored.text), { profile: "strict" });
		const head = await request(at.store, "HEAD", "uploads", "files/fixed.txt");
		assert.equal(head.headers["cache-control"], wanted["Cache-Control"]);
		assert.equal(head.headers["content-disposition"], wanted["Content-Disposition"]);
		assert.equal(head.headers["x-oss-storage-class"], "IA");
		assert.equal(head.headers["x-oss-meta-kind"], "avatar");
		assert.equal((await send(`${at.store}/uploads/files/fixed.txt`)).status, 200, "public");
		assert.equal((await post(at, grant, "content")).status, 409, "not a second time");
		assert.equal((await post(at, await json(at, "/grant?profile=strict"), "x")).status, 400,
			"min_size is that of [app]");
	});
}

test("what a profile does not allow gets no grant", async () => {
	for (const [query, status, error] of [
		["profile=avatar", 400, "invalid_request"],
		["profile=avatar&filename=a.exe", 403, "type_refused"],
		["profile=avatar&filename=png", 403, "type_refused"],
		["profile=avatar&filename=a.png&type=text%2Fplain", 403, "type_refused"],
		["profile=avatar&filename=a.png&size=21", 403, "size_refused"],
		["profile=avatar&filename=a.png&size=9", 403, "size_refused"],
		["profile=avatar&filename=a.png&size=x", 400, "invalid_request"],
		["profile=named", 400, "invalid_request"],
		["profile=nothing", 404, "no_such_profile"],
		["type=image%2Fgif", 403, "type_refused"],
	]) {
		const got = await json(server, `/grant?${query}`);
		assert.deepEqual([got.status, got.error], [status, error], query);
	}
	const named = await json(server, `/grant?profile=named&filename=${
		encodeURIComponent("C:\\x\\../a/ü $1\n.TXT")}`);
	assert.equal(named.fields.key, "files/ü _1_.txt");
});

test("the default profile is [app], for any key below upload_dir", async () => {
	const grant = await json(server, "/grant");
	assert.deepEqual([grant.profile, grant.fields.key, grant.dir, grant.min_size],
		["default", undefined, "files/", 2]);
	assert.equal((await post(server, grant, "ok")).status, 200);
	assert.ok([400, 403].includes((await post(server, grant, "x")).status), "too small");
	const one = await json(server, "/grant?filename=a.txt&profile=default");
	assert.match(one.fields.key, /^files\/[0-9a-f-]{36}\.txt$/);
	assert.equal((await post(server, one, "ok")).status, 200);
	assert.equal((await post(server, one, "ok", { key: "files/a.txt" })).status, 403);
});

test("a profile that says nothing is [app] under another name", async () => {
	const grant = await json(server, "/grant?profile=empty&filename=a.txt");
	assert.deepEqual([grant.status, grant.profile, grant.dir, grant.min_size, grant.max_size],
		[200, "empty", "files/", 2, 1000]);
	assert.equal((await post(server, grant, "ok")).status, 200);
	assert.ok([400, 403].includes((await post(server, grant, "x")).status), "too small");
});

test("a profile whose list is empty allows any", async () => {
	const inherited = await json(server, "/grant?profile=empty&filename=a.txt");
	assert.deepEqual(inherited.types, ["text/plain", "image/png"]);
	const grant = await json(server, "/grant?profile=any&filename=a.htm&type=text%2Fhtml");
	assert.deepEqual([grant.status, grant.types, grant.extensions], [200, [], []]);
	assert.equal((await post(server, grant, "<b>", { key: grant.fields.key })).status, 200);
});

test("POST /grants has a form for each file, or why there is none", async () => {
	const files = [{ name: "a.png", type: "image/png", size: 10 }, { name: "b.exe" },
		{ name: "c.jpg", type: "image/jpeg" }];
	const got = await json(server, "/grants", { method: "POST", body: { profile: "avatar", files } });
	assert.equal(got.status, 200, got.message);
	assert.deepEqual(got.grants.map(one => one.error), [undefined, "type_refused", undefined]);
	const [first, , third] = got.grants;
	assert.notEqual(first.id, third.id);
	assert.ok(first.fields.key.endsWith(".png") && third.fields.key.endsWith(".jpg"));
	assert.equal((await post(server, first, "0123456789", {}, "image/png")).status, 200);
	assert.equal((await post(server, third, "0123456789", { key: first.fields.key })).status, 403);
	const state = await json(server, `/grants/${first.id}?grant=${first.grant}`);
	assert.equal(state.state, "confirmed");
	assert.equal((await json(server, `/grants/${third.id}?grant=${third.grant}`)).state, "issued");
});

test("100 files are one request, and 101 are too many", async () => {
	const files = Array.from({ length: 101 }, (_, i) => ({ name: `${"n".repeat(200)}${i}.png` }));
	const body = { profile: "avatar", files: files.slice(0, 100) };
	const got = await json(server, "/grants", { method: "POST", body });
	assert.equal(new Set(got.grants.map(one => one.fields.key)).size, 100);
	for (const bad of [{ files }, { files: [] }, {}, [], { files: [{ name: 1 }] },
		{ files: [{ name: "a", size: -1 }] }, { profile: 3, files: [{ name: "a" }] }])
		assert.equal((await json(server, "/grants", { method: "POST", body: bad })).status, 400,
			JSON.stringify(bad).slice(0, 60));
	assert.equal((await send(`${server.app}/grants`)).status, 405);
	const long = { files: [{ name: "a".repeat(140_000) }] };
	assert.equal((await json(server, "/grants", { method: "POST", body: long })).status, 413);
});

test("the newer samples' token is a form of theirs", async () => {
	const token = await json(server, "/get_post_signature_for_oss_upload");
	assert.deepEqual(Object.keys(token), ["status", "version", "x_oss_signature_version", "policy",
		"x_oss_credential", "x_oss_date", "signature", "security_token", "host", "callback", "dir"]);
	const form = { success_action_status: "200", policy: token.policy,
		"x-oss-signature": token.signature, "x-oss-signature-version": "OSS4-HMAC-SHA256",
		"x-oss-credential": token.x_oss_credential, "x-oss-date": token.x_oss_date,
		key: `${token.dir}sample.txt`, "x-oss-security-token": token.security_token,
		callback: token.callback };
	const got = await postForm(server.store, form, file("content"));
	assert.deepEqual([got.status, got.text], [200, '{"Status":"OK"}']);
	assert.equal((await postForm(server.store, { ...form, key: "other/a" }, file("content"))).status,
		403);
	assert.ok([400, 403].includes((await postForm(server.store, form, file("x"))).status));
});

test("a section that does not hold ends the start, and says what", async t => {
	const folder = await temporaryFolder(t), path = join(folder, "bad.ini");
	for (const [text, why] of [
		["[profile a b]", /\[profile a b\] a name has/],
		["[profile default]\n; nothing", /\[profile default\] a name has/],
		["[profile ]", /\[profile \] a name has/],
		["\ufeff[profile a b]", /\[profile a b\] a name has/],
		["[app]\nauth = none\n\n[app]\nauth = none", /bad.ini:5: \[app\] auth: it is there already, in line 2: keep one/],
		["[profile app]\nacl = private\n[app]\nmin_size = 1\n[profile  app]\nmin_size = 2\nacl = private",
			/bad.ini:7: \[profile  app\] acl: it is there already, in line 2/],
		["[app]\nallowed_types = text/plain\n  image/png", /bad.ini:3: it begins with white space .* have all of a value in one line/],
		[`[app]\nallowed_origins = ${"https://a.example ".repeat(99)}\n; ${"a comment ".repeat(99)}\nmin_size = x`, /bad.ini:4: \[app\] min_size/],
		["[app]\nbucket = a\0b", /bad.ini:2: there is a control character in it/],
		["[app]\n\n[profile]\n[profile a b]", /bad.ini:3: \[profile\]: there is no such section/],
		["[app]\nmax_size = 1\n[profle a]", /bad.ini:3: \[profle a\]: there is no such section/],
		["  [profle a]", /bad.ini:1: \[profle a\]: there is no such section/],
		["[app]\nnonsense\n[profle a]", /bad.ini:2: this is neither/],
		[Array.from({ length: 33 }, (_, i) => `[profile p${i}]`).join("\n"),
			/bad.ini:33: \[profile p32\]: there are more than 32 sections/],
		["[profile a]\nnothing = 1", /bad.ini:2: \[profile a\] nothing/],
		["[profile a b]\nkey = x", /\[profile a b\] a name has/],
		["[profile default]\nkey = x", /\[profile default\] a name has/],
		["[profile a]\nkey = /x", /\[profile a\] key/],
		["[profile a]\nupload_dir = ${sub}", /\[profile a\] upload_dir: with auth = none/],
		["[profile a]\nkey = ${sub}", /\[profile a\] key: with auth = none/],
		["[profile a]\nmin_size = 9\nmax_size = 8", /\[profile a\] min_size/],
		["[profile a]\nmax_size = much", /\[profile a\] max_size/],
		["[profile a]\nmax_size = 0", /\[profile a\] max_size: must be from 1 to/],
		["[profile a]\nallowed_types = image/*", /\[profile a\] allowed_types/],
		["[profile a]\nallowed_extensions = .png", /\[profile a\] allowed_extensions/],
		["[profile a]\nforbid_overwrite = maybe", /\[profile a\] forbid_overwrite/],
		["[profile a]\nacl = all", /\[profile a\] acl/],
		["[profile a]\nstorage_class = Cold", /\[profile a\] storage_class/],
		["[profile a]\nmetadata = grant=1", /\[profile a\] metadata/],
		["[profile a]\nmetadata = A=1", /\[profile a\] metadata: `A=1` is not NAME=VALUE/],
		["[profile a]\nmetadata = a_b=1", /\[profile a\] metadata: `a_b=1` is not NAME=VALUE/],
		["[profile a]\nmetadata = a=1 b=1 a=2", /\[profile a\] metadata: `a` is there twice/],
		["[profile a]\ncallback_answer = {", /\[profile a\] callback_answer/],
	]) {
		await writeFile(path, `${text}\n`);
		const got = spawnSync(BIN, ["serve", "--ephemeral", "--config", path, "--app-listen",
			"127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"],
		{ encoding: "utf8", timeout: 30_000 });
		assert.equal(got.status, 2, text);
		assert.match(got.stderr, why);
	}
});
