// SPDX-License-Identifier: Apache-2.0
// DNS rebinding: a page gives its own name an address of ours. The application server and the
// console's port answer to their own names alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server;
before(async () => {
	server = await startServer(all, { env: {
		POSTERN_APP_ALLOWED_ORIGINS: "https://www.example.com",
		POSTERN_APP_HOSTS: "inside",
		POSTERN_CONSOLE_ORIGINS: "https://console.example.com",
		POSTERN_CONSOLE_HOSTS: "postern, other.test",
	} });
});
after(all.run);

const status = async (url, Host) => (await send(url, "GET", { Host })).status;

test("a rebound name gets nothing from the application server", async () => {
	for (const host of ["evil.test", "evil.test:8888", "localhost.evil.test", "127.0.0.1.evil.test", "192.0.2.1",
		"console.example.com"]) {
		for (const path of ["/", "/grant", "/upload/", "/client/postern-upload.js", "/nothing"]) {
			const got = await send(server.app + path, "GET", { Host: host });
			assert.equal(got.status, 421, `${host} ${path}`);
			assert.equal(JSON.parse(got.text).error, "misdirected_request");
			assert.match(got.text, /hosts in \[app\]/);
		}
		assert.equal((await send(`${server.app}/`, "POST", { Host: host }, "x")).status, 421);
		assert.equal((await send(`${server.app}/`, "OPTIONS", { Host: host })).status, 421);
	}
	await server.logged(/service=app .* status=421 .*refused="a host name/);
});

test("a rebound name gets nothing from the console's port", async () => {
	for (const host of ["evil.test", "evil.test:9001", "www.example.com", "inside", "192.0.2.1"]) {
		for (const path of ["/", "/console/config.json", "/metrics", "/health", "/ready", "/callbacks", "/sts/",
			"/?Action=AssumeRole"]) {
			const got = await send(server.console + path, "GET", { Host: host });
			assert.equal(got.status, 421, `${host} ${path}`);
			assert.match(got.text, /hosts in \[console\]/);
		}
		assert.equal((await send(`${server.console}/cors-test`, "POST", { Host: host }, "x")).status, 421);
	}
});

test("their own names, the loopback's, and those of the configuration", async () => {
	const { port } = new URL(server.app);
	for (const host of ["localhost", `localhost:${port}`, "127.0.0.1", "[::1]:1", "a.localhost", "www.example.com",
		"WWW.example.com:443", "inside"])
		assert.equal(await status(`${server.app}/grant`, host), 200, host);
	for (const host of ["localhost", "127.0.0.1:9001", "console.example.com", "postern:80", "other.test"])
		assert.equal(await status(`${server.console}/health`, host), 200, host);
});

test("the store's port takes any name, as ever", async () => {
	assert.notEqual(await status(`${server.store}/`, "uploads.localhost"), 421);
	assert.notEqual(await status(`${server.store}/`, "evil.test"), 421);
});

test("the names of callback_url, and `*`", async t => {
	const own = await startServer(t, { env: { POSTERN_APP_CALLBACK_URL: "https://cb.example.com/callback",
		POSTERN_CONSOLE_HOSTS: "*" } });
	assert.equal(await status(`${own.app}/grant`, "cb.example.com"), 200);
	assert.equal(await status(`${own.app}/grant`, "example.com"), 421);
	assert.equal(await status(`${own.console}/health`, "anything.test"), 200);
});
