// SPDX-License-Identifier: Apache-2.0
// The configuration's three sources and their errors; first and second start; ports and folders
// that are taken; the operations port.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

import { postForm, send } from "../lib/oss.js";
import { startServer, temporaryFolder } from "../lib/server.js";

const BIN = resolve(process.env.POSTERN_BIN ?? "build/postern");

/** Runs a command that is expected to end by itself. */
function run(args, env = {}, cwd = ".") {
	const done = spawnSync(BIN, args, {
		encoding: "utf8", cwd, timeout: 30_000, env: { PATH: process.env.PATH, ...env },
	});
	return { status: done.status, out: done.stdout, err: done.stderr };
}

test("--version, help, and commands that do not exist", () => {
	assert.match(run(["--version"]).out, /^postern \d+\.\d+\.\d+\n$/);
	for (const args of [["--help"], ["-h"], ["help"], ["serve", "--help"]]) {
		const { status, out } = run(args);
		assert.equal(status, 0);
		assert.match(out, /callback_allow/);
	}
	assert.equal(run([]).status, 2);
	const { status, err } = run(["server"]);
	assert.equal(status, 2);
	assert.match(err, /no command `server`/);
});

test("a bad option says where it is and what is allowed, exit status 2", async t => {
	const folder = await temporaryFolder(t);
	const file = join(folder, "postern.ini");
	writeFileSync(file, "[store]\nlisten = 127.0.0.1:0\n\n[app]\nexpire_seconds = 5\n");
	const cases = [
		[["--console-listen", "none"], {}, /\[console\] listen: `none` is for `postern app` alone, .*give an ADDRESS:PORT/],
		[["--console-origins", "https://*.example.com"], {}, /\[console\] origins: .*one origin, without \*/],
		[["--console-origins", "console.example.com"], {}, /\[console\] origins: .*scheme:\/\/host/],
		[["--console-hosts", "https://a/"], {}, /\[console\] hosts: /],
		[["--app-allowed-origins", "*.example.com"], {}, /\[app\] allowed_origins: .*scheme:\/\/host/],
		[["--app-confirm", "yes"], {}, /--app-confirm: `yes` is neither auto, on nor off/],
		[["--config", file], {}, /postern\.ini:5: \[app\] expire_seconds: `5` is not a number from 10 to 86400/],
		[["--config", join(folder, "none")], {}, /cannot read .*none: No such file/],
		[["--app-bind-callback", "maybe"], {}, /--app-bind-callback: `maybe` is neither true nor false/],
		[["--app-colour=blue"], {}, /--app-colour: there is no such option/],
		[["--data"], {}, /--data: a value must follow/],
		[["extra"], {}, /`extra` is one argument too many/],
		[[], { POSTERN_APP_MAX_SIZE: "-1" }, /environment POSTERN_APP_MAX_SIZE: `-1` is not a number/],
		[["--app-max-size", "0"], {}, /--app-max-size: `0` is not a number from 1 to 5368709120/],
		[["--app-signature-version", "2"], {}, /--app-signature-version: `2` is neither 4 nor 1/],
		[["--app-listen", "127.0.0.1:99999"], {}, /--app-listen: `127\.0\.0\.1:99999` is not ADDRESS:PORT with a port from 0 to 65535/],
		[[], { POSTERN_CONSOLE_LISTEN: ":foo" }, /environment POSTERN_CONSOLE_LISTEN: `:foo` is not ADDRESS:PORT/],
		[["--server-tls-certificate", "a.pem"], {}, /\[server\] tls_key: must be set too, because tls_certificate is/],
		[["--server-tls-key", "a.pem"], {}, /\[server\] tls_certificate: must be set too, because tls_key is/],
		[["--app-tls-key", "a.pem", "--server-tls-certificate", "a.pem"], {},
			/\[app\] tls_certificate: must be set too/],
		[["--server-log-level", "loud"], {}, /--server-log-level: `loud` is neither error, info nor debug/],
	];
	for (const [args, env, want] of cases) {
		const { status, err } = run(["serve", ...args], env, folder);
		assert.match(err, want);
		assert.equal(status, 2, err);
	}
	const classic = run(["app", "127.0.0.1", "99999"]);
	assert.match(classic.err, /`127\.0\.0\.1:99999` is not ADDRESS:PORT/);
	assert.equal(classic.status, 2);
	writeFileSync(file, "[app]\ncolour = blue\n");
	assert.match(run(["serve", "--config", file]).err, /:2: \[app\] colour: there is no such option/);
});

test("the command line wins over the environment, and that over the file", async t => {
	const data = await temporaryFolder(t);
	const file = join(data, "postern.ini");
	writeFileSync(file, "[app]\nupload_dir = file/\nexpire_seconds = 60\nmax_size = 1\n");
	const server = await startServer(t, {
		data,
		env: { POSTERN_APP_EXPIRE_SECONDS: "70", POSTERN_APP_MAX_SIZE: "2" },
		args: ["--config", file, "--data", data, "--app-listen", "127.0.0.1:0", "--store-listen",
			"127.0.0.1:0", "--console-listen", "127.0.0.1:0", "--app-max-size=3"],
	});
	const token = await (await fetch(server.app)).json();
	const policy = JSON.parse(Buffer.from(token.policy, "base64").toString());
	assert.equal(token.dir, "file/");
	assert.ok(Math.abs(token.expire - Date.now() / 1000 - 70) < 10);
	assert.deepEqual(policy.conditions.find(c => c[0] === "content-length-range"),
		["content-length-range", 0, 3]);
});

test("the first start makes keys, bucket and rule; the second changes nothing", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data, env: { POSTERN_ACCESS_KEY_ID: "", POSTERN_ACCESS_KEY_SECRET: "" } });
	const [, id] = /access key id +(\S+)/.exec(first.output);
	const [, secret] = /access key secret +(\S+)/.exec(first.output);
	assert.ok(id.length >= 16 && secret.length >= 30);
	const files = ["access_keys.json", "callback_key.pem"].map(name => join(data, name));
	for (const file of files)
		assert.equal(statSync(file).mode & 0o777, 0o600, file);
	const before = files.map(file => readFileSync(file, "utf8"));
	await first.stop();
	assert.ok(!first.log.includes(secret), "the secret is not in the log");

	const second = await startServer(t, { data });
	assert.doesNotMatch(second.output, /access key/);
	assert.deepEqual(files.map(file => readFileSync(file, "utf8")), before);
	const token = await (await fetch(second.app)).json();
	assert.equal(token.accessid, id, "the environment's key pair is for the first start only");
});

test("keys from the environment on the first start", async t => {
	const server = await startServer(t);
	assert.match(server.output, new RegExp(`access key id +${server.key.id}\n`));
	const token = await (await fetch(server.app)).json();
	assert.equal(token.accessid, server.key.id);
});

test("a folder or a port that is in use is told", async t => {
	const server = await startServer(t);
	const free = ["--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"];
	const folder = run(["serve", "--data", server.data, ...free]);
	assert.equal(folder.status, 1);
	assert.match(folder.err, /another process|in use|locked/i);
	const port = run(["serve", "--data", join(server.data, "other"), ...free.slice(2),
		"--app-listen", new URL(server.app).host]);
	assert.equal(port.status, 1);
	assert.match(port.err, /the port is in use/);
	assert.ok((await fetch(`${server.console}/health`)).ok, "the first is not disturbed");
});

test("a page that the bucket's CORS rules shut out is told at start", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data });
	await first.stop();
	assert.doesNotMatch(first.log, /CORS/);
	const moved = await startServer(t, { data });
	await moved.logged(new RegExp(`no CORS rule of the bucket uploads admits ${moved.app}`));
});

test("health and metrics on the operations port", async t => {
	const server = await startServer(t);
	const health = await fetch(`${server.console}/health`);
	assert.equal(health.status, 200);
	assert.equal(await health.text(), "ok\n");
	const metrics = await (await fetch(`${server.console}/metrics`)).text();
	assert.match(metrics, /^postern_store_objects 0$/m);
	assert.match(metrics, /^# TYPE postern_requests_total counter$/m);
	assert.equal((await fetch(`${server.console}/none`)).status, 404);
	assert.equal((await fetch(`${server.console}/health`, { method: "POST" })).status, 405);
});

test("the parts run alone: postern store, postern app ADDRESS PORT", async t => {
	const store = await startServer(t, { command: "store" });
	assert.equal(store.app, undefined);
	assert.equal((await fetch(`${store.store}/-/callback_pub_key_v1.pem`)).status, 200);
	const data = await temporaryFolder(t);
	const app = await startServer(t, {
		command: "app",
		data,
		args: ["127.0.0.1", "0", "--data", data, "--console-listen", "127.0.0.1:0"],
		env: {
			POSTERN_APP_HOST: "https://bucket.oss-cn-hangzhou.aliyuncs.com",
			POSTERN_APP_ACCESS_KEY_ID: "AKI", POSTERN_APP_ACCESS_KEY_SECRET: "secret",
		},
	});
	const token = await (await fetch(app.app)).json();
	assert.equal(token.host, "https://bucket.oss-cn-hangzhou.aliyuncs.com");
	assert.ok(!("callback" in token));
	// It has a port for operations too, though no console.
	assert.match(app.output, /^ {2}operations +http:/m);
	assert.equal(await (await fetch(`${app.console}/health`)).text(), "ok\n");
	assert.match(await (await fetch(`${app.console}/metrics`)).text(), /^postern_app_confirms [01]$/m);
	assert.equal((await fetch(`${app.console}/`)).status, 404);
	assert.ok(!existsSync(join(data, "access_keys.json")), "no store, no keys of a store");
	const none = run(["app", "--data", data, "--app-listen", "127.0.0.1:0", "--console-listen", "none"]);
	assert.equal(none.status, 2);
	assert.match(none.err, /\[app\] .*host|access_key/);
	const half = run(["store", "--data", join(data, "half"), "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"], { POSTERN_ACCESS_KEY_ID: "AKI" });
	assert.equal(half.status, 1);
	assert.match(half.err, /set both/);
});

for (const storeListen of ["127.0.0.1:0", "[::1]:0"]) {
	test(`the application server on the IPv6 loopback, the store on ${storeListen}: uploads are called back`, async t => {
		const data = await temporaryFolder(t);
		const server = await startServer(t, { args: ["--data", data, "--app-listen", "[::1]:0",
			"--store-listen", storeListen, "--console-listen", "[::1]:0"] });
		assert.match(server.app, /^http:\/\/\[::1\]:\d+$/);
		assert.doesNotMatch(server.log, /CORS|error/);
		const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
		const got = await postForm(server.store, { key: `${dir}six`, ...fields }, { name: "a", content: "hello" });
		assert.equal(got.status, 200, got.text);
		assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
		assert.equal((await send(`${server.console}/ready`)).text, "ready\n");
	});
}

test("/ready says why not: the reserve of the disk, while /health says that it runs", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data });
	await first.stop();
	const full = await startServer(t, { data, env: { POSTERN_STORE_RESERVE_BYTES: "4611686018427387904" } });
	const ready = await send(`${full.console}/ready`);
	assert.equal(ready.status, 503);
	assert.match(ready.text, /^not ready: the store refuses changes: .*reserve_bytes/);
	assert.equal((await send(`${full.console}/health`)).status, 200);
	assert.equal((await send(`${full.console}/ready`, "POST")).status, 405);
});
