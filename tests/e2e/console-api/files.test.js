// SPDX-License-Identifier: Apache-2.0
// The console's files, the headers that protect its origin, and what it is told to begin with.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";

const WEB = fileURLToPath(new URL("../../../web/console/", import.meta.url));
const VERSION = readFileSync(new URL("../../../VERSION", import.meta.url), "utf8").trim();

const all = cleanups();
let server;
before(async () => {
	server = await startServer(all);
});
after(all.run);

const policyOf = answer => new Map(answer.headers["content-security-policy"].split("; ")
	.map(rule => [rule.split(" ")[0], rule.split(" ").slice(1).join(" ")]));

test("/ is index.html, and every file of web/console is there as it is", async () => {
	const page = await send(`${server.console}/`);
	assert.equal(page.status, 200);
	assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
	assert.deepEqual(page.body, readFileSync(`${WEB}index.html`));
	const names = readdirSync(WEB, { recursive: true, withFileTypes: true })
		.filter(entry => entry.isFile())
		.map(entry => `${entry.path}/${entry.name}`.replaceAll("//", "/").slice(WEB.length));
	for (const name of names) {
		const got = await send(`${server.console}/console/${name}`);
		assert.equal(got.status, 200, name);
		assert.deepEqual(got.body, readFileSync(WEB + name), name);
	}
});

test("nothing else is, and nothing outside of the folder", async () => {
	for (const path of ["/console", "/console/", "/console/none.js", "/index.html",
		"/console/../page/page.js", "/console/%2e%2e/page/page.js", "/console//index.html"]) {
		const got = await send(server.console + path);
		assert.equal(got.status, 404, path);
	}
	const posted = await send(`${server.console}/`, "POST", {}, "");
	assert.equal(posted.status, 405);
	assert.equal(posted.headers.allow, "GET, HEAD");
	assert.equal((await send(`${server.console}/health`)).text, "ok\n");
});

test("the page may run its own scripts, talk to the store, and be framed by nobody", async () => {
	for (const path of ["/", "/console/index.html"]) {
		const got = await send(server.console + path);
		const policy = policyOf(got);
		assert.equal(policy.get("default-src"), "'none'");
		assert.equal(policy.get("script-src"), "'self'");
		assert.equal(policy.get("style-src"), "'self'");
		assert.equal(policy.get("connect-src"), `'self' ${server.store}`);
		assert.equal(policy.get("frame-src"), "blob:");
		assert.equal(policy.get("frame-ancestors"), "'none'");
		assert.equal(policy.get("form-action"), "'none'");
		assert.equal(policy.get("require-trusted-types-for"), "'script'");
		assert.equal(policy.get("trusted-types"), "'none'");
		assert.equal(got.headers["x-content-type-options"], "nosniff");
		assert.equal(got.headers["referrer-policy"], "no-referrer");
		assert.equal(got.headers["cross-origin-opener-policy"], "same-origin");
	}
});

test("a file that the browser has is not sent again", async () => {
	const first = await send(`${server.console}/`);
	assert.equal(first.headers["cache-control"], "no-cache");
	const again = await send(`${server.console}/`, "GET", { "If-None-Match": first.headers.etag });
	assert.equal(again.status, 304);
	assert.equal(again.body.length, 0);
	const other = await send(`${server.console}/`, "GET", { "If-None-Match": "\"0\"" });
	assert.equal(other.status, 200);
	const head = await send(`${server.console}/`, "HEAD");
	assert.equal(Number(head.headers["content-length"]), first.body.length);
});

test("config.json says where the store is", async () => {
	const got = await send(`${server.console}/console/config.json`);
	assert.equal(got.headers["content-type"], "application/json");
	assert.equal(got.headers["cache-control"], "no-store");
	assert.deepEqual(JSON.parse(got.text),
		{ version: VERSION, store: server.store, region: "cn-hangzhou", events: false });
});

test("behind a proxy the configuration says where the store is", async t => {
	const proxied = await startServer(t, { env: {
		POSTERN_CONSOLE_STORE_URL: "https://oss.example.com:8443/store/",
		POSTERN_STORE_REGION: "eu-central-1",
	} });
	const { store, region } = JSON.parse((await send(`${proxied.console}/console/config.json`)).text);
	assert.equal(store, "https://oss.example.com:8443/store");
	assert.equal(region, "eu-central-1");
	assert.equal(policyOf(await send(`${proxied.console}/`)).get("connect-src"),
		"'self' https://oss.example.com:8443");
});

test("a store URL that is none is refused at the start", async t => {
	const data = await temporaryFolder(t);
	for (const url of ["oss.example.com", "ftp://oss.example.com", "https://", "https://a b/",
		"https://a;script-src/", "https://u@h/"]) {
		const done = spawnSync(BIN, ["store", "--data", data, "--store-listen", "127.0.0.1:0",
			"--console-listen", "127.0.0.1:0", "--console-store-url", url],
		{ encoding: "utf8", timeout: 30_000 });
		assert.equal(done.status, 2, url);
		assert.match(done.stderr, /\[console\] store_url/);
	}
});
