// SPDX-License-Identifier: Apache-2.0
// libpostern as it is installed: the examples in C, shared and static, and in Python against a real
// store; the symbols and types that programs rely on; the manual page.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { base64Json, postForm, send } from "../lib/oss.js";
import { cleanups, pause, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PREFIX = "/opt/postern";
const all = cleanups();
let folder, library, server;
before(async () => {
	folder = await temporaryFolder(all);
	// Started by a make that passes on its own flags, another make would take them.
	const { MAKEFLAGS: _, MAKELEVEL: __, ...env } = process.env;
	await run("make", ["-s", "-C", ROOT, "install", `DESTDIR=${folder}`, `PREFIX=${PREFIX}`], { env });
	library = `${folder}${PREFIX}/lib`;
	server = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
});
after(all.run);

async function flags(...which) {
	const { stdout } = await run("pkg-config", [...which, "libpostern"], { env: { ...process.env,
		PKG_CONFIG_PATH: `${library}/pkgconfig`, PKG_CONFIG_SYSROOT_DIR: folder } });
	return stdout.trim().split(/ +/);
}

async function build(name, link) {
	await run("cc", ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", `${ROOT}examples/upload_form.c`,
		...await flags("--cflags"), ...link, "-o", `${folder}/${name}`]);
	return `${folder}/${name}`;
}

/** The example's fields, as a form takes them. */
async function form(program, callback) {
	const { stdout } = await run(program, ["uploads", "library/", base64Json(callback)], { env: {
		LD_LIBRARY_PATH: library, OSS_ACCESS_KEY_ID: server.key.id, OSS_ACCESS_KEY_SECRET: server.key.secret } });
	return Object.fromEntries(stdout.trim().split("\n").map(line => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** Starts the example in Python; {url, hears(pattern)}. */
async function receiver(t, keyUrl) {
	const { port } = new URL(await closedPort());
	const child = spawn("python3", [`${ROOT}examples/receive_callback.py`, port, keyUrl],
		{ env: { ...process.env, LD_LIBRARY_PATH: library }, stdio: ["ignore", "pipe", "pipe"] });
	let said = "", wrong = "";
	child.stdout.on("data", text => (said += text));
	child.stderr.on("data", text => (wrong += text));
	const ended = new Promise(done => child.on("close", done));
	t.after(async () => {
		child.kill();
		await ended;
	});
	while (!await send(`http://127.0.0.1:${port}/`).then(() => true, () => false)) {
		assert.equal(child.exitCode, null, wrong);
		await pause(20);
	}
	const hears = async pattern => {
		while (!pattern.test(said)) {
			assert.equal(child.exitCode, null, wrong);
			await pause(20);
		}
	};
	return { url: `http://127.0.0.1:${port}/callback?who=a%20b`, hears };
}

test("a form signed in C is taken, and its callback is verified in Python", async t => {
	const program = await build("shared", await flags("--libs"));
	const python = await receiver(t, `${server.store}/-/callback_pub_key_v1.pem`);
	const fields = await form(program, { callbackUrl: python.url, callbackBody: "object=${object}&size=${size}" });
	const got = await postForm(server.store, { key: "library/a b.txt", ...fields }, { content: "signed in C" });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	await python.hears(/^It worked\. object=library%2Fa%20b\.txt&size=11$/m);
	const forged = await send(python.url, "POST", { Authorization: "AAAA", "x-oss-pub-key-url":
		Buffer.from(`${server.store}/-/callback_pub_key_v1.pem`).toString("base64") }, "object=x");
	assert.equal(forged.status, 403);
	const elsewhere = await send(python.url, "POST", { Authorization: "AAAA", "x-oss-pub-key-url":
		Buffer.from("http://127.0.0.1:1/key.pem").toString("base64") }, "object=x");
	assert.equal(elsewhere.status, 403);
	await python.hears(/not what the store signed.*\n.*is not trusted/);
	const outside = await postForm(server.store, { key: "elsewhere/x", ...fields }, { content: "x" });
	assert.equal(outside.status, 403);
});

test("the static library needs libcrypto alone", async () => {
	const program = await build("static", [`${library}/libpostern.a`, "-lcrypto"]);
	const fields = await form(program, { callbackUrl: "http://127.0.0.1:1/", callbackBody: "x" });
	assert.equal(fields["x-oss-signature"].length, 64);
	const { stdout } = await run("readelf", ["-d", `${library}/libpostern.so.0`]);
	assert.deepEqual([...stdout.matchAll(/\(NEEDED\).*\[(\w+)\./g)].map(found => found[1]).sort(), ["libc", "libcrypto"]);
});

test("symbols and types are those that are written down, and there is no global state", async () => {
	const { stdout, stderr } = await run(`${ROOT}tools/check-abi`, [`${library}/libpostern.so.0`]);
	assert.equal(stdout + stderr, "");
	const other = await run(`${ROOT}tools/check-abi`, ["/lib/x86_64-linux-gnu/libz.so.1"]).catch(error => error);
	assert.equal(other.code, 1);
	assert.match(other.stdout, /does not export/);
});

test("the header is C++ too; examples are short; the manual page names every function", async () => {
	await run("clang", ["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-x", "c++", `${folder}${PREFIX}/include/postern.h`]);
	const page = await readFile(`${folder}${PREFIX}/share/man/man3/libpostern.3`, "utf8");
	for (const name of (await readFile(`${ROOT}lib/symbols`, "utf8")).trim().split("\n"))
		assert.match(page, new RegExp(`^\\.F[no] .*${name}`, "m"), name);
	await run("mandoc", ["-T", "lint", "-W", "error", `${folder}${PREFIX}/share/man/man3/libpostern.3`]);
});
