// SPDX-License-Identifier: Apache-2.0
// What the page says when an upload does not go through, and what it does about it.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { screenshot, startBrowser, startBrowserWith } from "../lib/browser.js";
import { makeCertificate } from "../lib/certificate.js";
import { getObject, listObjects, request, signedFieldsV4 } from "../lib/oss.js";
import { PNG, openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
let browser;
before(async () => {
	browser = await startBrowser(all);
});
after(all.run);

/** A server whose store calls back somewhere else. */
function calling(t, url) {
	return startServer(t, {
		env: { POSTERN_APP_CALLBACK_URL: url, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" },
	});
}

test("too large or of the wrong type: refused before anything is sent", async t => {
	const server = await startServer(t, {
		env: { POSTERN_APP_MAX_SIZE: "1000", POSTERN_APP_ALLOWED_TYPES: "image/png text/plain" },
	});
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	assert.equal(await page.locator("#limits").textContent(),
		"Types: image/png, text/plain. Up to 1.0 kB each.");
	assert.equal(await page.locator("#files").getAttribute("accept"), "image/png,text/plain");
	await upload.choose(testFile("large.txt", 1001, "text/plain"),
		testFile("page.html", 10, "text/html"), { name: "dot.png", mimeType: "image/png", buffer: PNG },
		testFile("limit.txt", 1000, "text/plain"));
	await upload.pressUpload();
	const large = await upload.become("large.txt", "failed");
	assert.match(await large.locator(".error").innerText(), /larger than 1\.0 kB[^]*smaller file/);
	const type = await upload.become("page.html", "failed");
	assert.match(await type.locator(".error").innerText(), /text\/html[^]*image\/png, text\/plain/);
	await upload.become("dot.png", "done");
	await upload.become("limit.txt", "done");
	assert.equal(upload.posts, 2);
	assert.equal((await listObjects(server.store)).length, 2);
});

test("the store enforces the limits whatever the page believes", async t => {
	const server = await startServer(t, {
		env: { POSTERN_APP_MAX_SIZE: "1000", POSTERN_APP_ALLOWED_TYPES: "text/plain" },
	});
	const upload = await openUploadPage(t, browser, server);
	await upload.page.route("**/grant", async route => {
		const response = await route.fetch();
		const { types, max_size, ...grant } = await response.json();
		assert.deepEqual([types, max_size], [["text/plain"], 1000]);
		await route.fulfill({ response, json: { ...grant, max_size: 1e9 } });
	});
	await upload.open();
	await upload.choose(testFile("large.txt", 500_000, "text/plain"),
		testFile("page.html", 10, "text/html"));
	await upload.pressUpload();
	const large = await upload.become("large.txt", "failed");
	assert.match(await large.locator(".error").innerText(), /EntityTooLarge/);
	const type = await upload.become("page.html", "failed");
	assert.match(await type.locator(".error").innerText(), /AccessDenied[^]*|Policy Condition failed/);
	assert.deepEqual(await listObjects(server.store), []);
});

test("callback server down: stored, but not confirmed", async t => {
	const server = await calling(t, `${await closedPort()}/callback`);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	const file = testFile("kept.txt");
	await upload.choose(file);
	await upload.pressUpload();
	const row = await upload.become(file.name, "unconfirmed");
	const text = await row.innerText();
	assert.match(text, /Stored, but not confirmed/);
	assert.match(text, /Error status : /);
	assert.match(text, /could not reach the application server/);
	assert.match(text, /status 203 · CallbackFailed · .*request [0-9A-F]+/i);
	const [key] = await listObjects(server.store);
	assert.deepEqual(await getObject(server.store, key), file.buffer);
	await screenshot(upload.page, "unconfirmed");
});

test("callback answered with something else than JSON, then repaired and sent again", async t => {
	let answer = says("<html>hello</html>");
	const sink = await startSink(t, (...both) => answer(...both));
	const server = await calling(t, `${sink.url}/callback`);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.choose(testFile("again.txt"));
	await upload.pressUpload();
	const row = await upload.become("again.txt", "unconfirmed");
	assert.match(await row.innerText(), /not JSON/);
	answer = says('{"id":42}');
	await row.getByRole("button", { name: "Send again again.txt" }).click();
	await upload.become("again.txt", "done");
	assert.deepEqual(JSON.parse(await row.locator("pre").textContent()), { id: 42 });
	assert.equal(sink.requests.length, 2);
	assert.equal(sink.requests[0].method, "POST");
});

test("a bucket without a CORS rule: the page names the culprit and the remedy", async t => {
	const server = await startServer(t);
	const deleted = await request(server.store, "DELETE", "uploads", "", { query: { cors: "" } });
	assert.equal(deleted.status, 204);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.choose(testFile("blocked.txt"));
	await upload.pressUpload();
	const row = await upload.become("blocked.txt", "failed");
	const text = await row.innerText();
	assert.match(text, /CORS rules are to blame/);
	assert.ok(text.includes(new URL(server.app).origin), text);
	assert.match(text, /allowed method POST/);
});

test("an extension that blocks the store's address is named", async t => {
	const server = await startServer(t);
	const folder = await temporaryFolder(t);
	const extension = join(folder, "blocker");
	await mkdir(extension);
	await writeFile(join(extension, "manifest.json"), JSON.stringify({
		manifest_version: 3, name: "blocker", version: "1", permissions: ["declarativeNetRequest"],
		declarative_net_request: { rule_resources: [{ id: "rules", enabled: true, path: "rules.json" }] },
	}));
	await writeFile(join(extension, "rules.json"), JSON.stringify([{ id: 1, action: { type: "block" },
		condition: { urlFilter: "/uploads", resourceTypes: ["xmlhttprequest"] } }]));
	const context = await startBrowserWith(t, extension, join(folder, "profile"));
	const upload = await openUploadPage(t, { newContext: () => context }, server);
	await upload.open();
	await upload.choose(testFile("blocked.txt"));
	await upload.pressUpload();
	const row = await upload.become("blocked.txt", "failed");
	const text = await row.innerText();
	assert.match(text, /Something blocked the upload[^]*extension/);
	assert.ok(text.includes(`${server.store}/uploads`), text);
});

test("a secure page in front of a store that is not: the browser forbids it, and the page says so", async t => {
	const folder = await temporaryFolder(t);
	await makeCertificate(folder, "all");
	const server = await startServer(t, { env: { POSTERN_SERVER_TLS_CERTIFICATE: `${folder}/all.crt`,
		POSTERN_SERVER_TLS_KEY: `${folder}/all.key` } });
	assert.match(server.page, /^https:/);
	const upload = await openUploadPage(t, browser, server, { ignoreHTTPSErrors: true });
	// An address that nobody has. Of the loopback a browser takes everything for secure.
	await upload.page.route("**/grant", async route => {
		const response = await route.fetch();
		await route.fulfill({ response, json: { ...await response.json(), url: "http://192.0.2.1/uploads" } });
	});
	await upload.page.route(server.page, async route => {
		const response = await route.fetch();
		const headers = response.headers();
		delete headers["content-security-policy"];
		await route.fulfill({ response, headers });
	});
	await upload.open();
	await upload.choose(testFile("mixed.txt"));
	await upload.pressUpload();
	const row = await upload.become("mixed.txt", "failed");
	assert.match(await row.locator(".error").innerText(), /secure \(https\) but the store at http:\/\/192\.0\.2\.1\/uploads is not/);
});

test("a condition of the policy that the form does not satisfy is quoted, and the raw answer is a click away", async t => {
	const server = await startServer(t, { env: { POSTERN_APP_MAX_SIZE: "1000000" } });
	const upload = await openUploadPage(t, browser, server, { locale: "zh-CN" });
	const { page } = upload;
	await page.route("**/grant", async route => {
		const response = await route.fetch();
		const grant = await response.json();
		await route.fulfill({ response, json: { ...grant, fields: { ...grant.fields, "x-oss-object-acl": "private" } } });
	});
	await page.goto(server.page);
	await page.getByText(/^每个文件不超过/).waitFor();
	await page.locator("#files").setInputFiles(testFile("acl.txt"));
	await page.getByRole("button", { name: "上传", exact: true }).click();
	const error = (await upload.become("acl.txt", "failed")).locator(".error");
	assert.match(await error.innerText(), /表单不满足 Policy 的条件[^]*x-oss-object-acl/);
	assert.equal(await error.getByText("<Code>AccessDenied</Code>").isVisible(), false);
	await error.getByText("服务器的原始应答").click();
	await error.getByText("<Code>AccessDenied</Code>").waitFor();
});

test("a store whose clock is not the application server's", async t => {
	const server = await startServer(t);
	const upload = await openUploadPage(t, browser, server);
	await upload.page.route("**/grant", async route => {
		const response = await route.fetch();
		const grant = await response.json();
		const { key, ...fields } = signedFieldsV4("", {}, { dir: grant.dir, seconds: 86400, now: new Date(Date.now() + 3_600_000) });
		await route.fulfill({ response, json: { ...grant, fields, expires: Date.now() / 1000 + 86400 } });
	});
	await upload.open();
	await upload.choose(testFile("clock.txt"));
	await upload.pressUpload();
	const row = await upload.become("clock.txt", "failed");
	assert.match(await row.locator(".error").innerText(), /clocks of the application server and the store differ by more than 15 minutes/);
});

test("a store that is not there is not called a CORS problem", async t => {
	const server = await startServer(t);
	const nowhere = await closedPort();
	const upload = await openUploadPage(t, browser, server);
	await upload.page.route("**/grant", async route => {
		const response = await route.fetch();
		await route.fulfill({ response, json: { ...await response.json(), url: `${nowhere}/uploads` } });
	});
	// The page may only connect to the store it knows: for this test, to any.
	await upload.page.route(server.page, async route => {
		const response = await route.fetch();
		const headers = response.headers();
		delete headers["content-security-policy"];
		await route.fulfill({ response, headers });
	});
	await upload.open();
	await upload.choose(testFile("nowhere.txt"));
	await upload.pressUpload();
	const row = await upload.become("nowhere.txt", "failed");
	const text = await row.innerText();
	assert.match(text, /cannot be reached/);
	assert.doesNotMatch(text, /CORS/);
});

test("a grant that the store finds expired is replaced, and the file sent again", async t => {
	const server = await startServer(t);
	const upload = await openUploadPage(t, browser, server);
	let first = true;
	await upload.page.route("**/grant", async route => {
		const response = await route.fetch();
		const grant = await response.json();
		if (first) {
			const { key, ...fields } = signedFieldsV4("", {}, { dir: grant.dir, seconds: -5 });
			grant.fields = fields;
		}
		first = false;
		await route.fulfill({ response, json: grant });
	});
	await upload.open();
	await upload.choose(testFile("late.txt"));
	await upload.pressUpload();
	await upload.become("late.txt", "done");
	assert.equal(upload.grants, 2);
	assert.equal(upload.posts, 2);
});

test("a grant is renewed before it expires", async t => {
	const server = await startServer(t, { env: { POSTERN_APP_EXPIRE_SECONDS: "300" } });
	const upload = await openUploadPage(t, browser, server);
	// The browser's time stands still, however long an upload takes.
	const begun = Date.now();
	await upload.page.clock.setFixedTime(begun);
	await upload.open();
	assert.equal(upload.grants, 1);
	await upload.choose(testFile("early.txt"), testFile("later.txt"));
	await upload.page.clock.setFixedTime(begun + 280_000);
	await upload.pressUpload();
	await upload.become("early.txt", "done");
	assert.equal(upload.grants, 1);
	await upload.choose(testFile("last.txt"), testFile("very-last.txt"));
	await upload.page.clock.setFixedTime(begun + 290_000);
	await upload.pressUpload();
	await upload.become("last.txt", "done");
	await upload.become("very-last.txt", "done");
	assert.equal(upload.grants, 2);
});

test("an application server that does not answer", async t => {
	const server = await startServer(t);
	const upload = await openUploadPage(t, browser, server);
	await upload.open();
	await upload.page.route("**/grant", route => route.fulfill({ status: 500, body: "oops" }));
	await upload.page.reload();
	await upload.page.getByText("answered 500 instead of a grant").waitFor();
	await upload.choose(testFile("early.txt"));
	await upload.pressUpload();
	await upload.become("early.txt", "failed");
	await upload.page.unroute("**/grant");
	await upload.page.getByRole("button", { name: "Try again early.txt" }).click();
	await upload.become("early.txt", "done");
});
