// SPDX-License-Identifier: Apache-2.0
// The classic client, plupload from npm in a real browser, on an origin of its own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPage, screenshot, startBrowser } from "../lib/browser.js";
import { getObject, listObjects, request, sha256, signedFieldsV1, policy } from "../lib/oss.js";
import { PNG, testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";
import { closedPort, says, serves, startSink } from "../lib/sink.js";

const CORS = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
	+ "<AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule>"
	+ "</CORSConfiguration>";

const all = cleanups();
let server, browser;
before(async () => {
	server = await start(all);
	browser = await startBrowser(all);
});
after(all.run);

/** A server whose bucket lets every origin post, as the classic tutorial sets it up. */
async function start(t, env) {
	const started = await startServer(t, { env });
	const put = await request(started.store, "PUT", "uploads", "", {
		query: { cors: "" }, body: CORS, headers: { "Content-Type": "application/xml" },
	});
	assert.equal(put.status, 200, put.text);
	return started;
}

function file(path) {
	return readFile(fileURLToPath(new URL(path, import.meta.url)), "utf8");
}

/** The classic site, in front of an application server. `token` may change the token. */
async function openSite(t, { app }, token) {
	// Not by playwright's routes: with these, it answers preflights itself.
	const between = token && await startSink(t, async (_, response) => {
		const real = await (await fetch(`${app}/`)).json();
		response.setHeader("Access-Control-Allow-Origin", "*");
		response.end(JSON.stringify(token(real)));
	});
	const html = (await file("index.html")).replace("SERVER_URL", between?.url ?? app);
	const plupload = await file("../../node_modules/plupload/js/plupload.full.min.js");
	const site = await startSink(t, serves({
		"/": { type: "text/html", body: html },
		"/client.js": { type: "text/javascript", body: await file("client.js") },
		"/plupload.full.min.js": { type: "text/javascript", body: plupload },
	}));
	return openPage(t, browser, site.url);
}

async function upload(page, ...files) {
	const [chooser] = await Promise.all([
		page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "choose", exact: true }).click(),
	]);
	await chooser.setFiles(files);
	await page.locator("#ossfile p").nth(files.length - 1).waitFor();
	await page.getByRole("button", { name: "start", exact: true }).click();
	await page.waitForFunction(results => {
		const { textContent } = document.getElementById("console");
		return textContent.match(/^(uploaded|odd|Error)/gm)?.length === results;
	}, files.length);
	return page.locator("#console").textContent();
}

test("local_name: names with spaces, quotes and Chinese arrive", async t => {
	const page = await openSite(t, server);
	const files = ["plain.png", "two words  here.png", "it's \"quoted\".zip", "照片 文件.jpg",
		"a+b&c=d%41.gif"].map((name, i) => testFile(name, 5000 + i, "image/png"));
	const text = await upload(page, ...files);
	for (const { name, buffer } of files) {
		// Browsers send a quote as %22, and OSS leaves it so.
		const sent = name.replaceAll('"', "%22");
		const key = (await listObjects(server.store)).find(one => one.endsWith(`/${sent}`));
		assert.ok(key, `${name} in ${await listObjects(server.store)}`);
		assert.ok(text.includes(`/${name} answer: {"Status":"OK"}`), text);
		assert.equal(sha256(await getObject(server.store, key)), sha256(buffer), name);
	}
	await screenshot(page, "classic");
});

test("random_name: ten characters and the extension", async t => {
	const page = await openSite(t, server);
	await page.getByLabel("random name").check();
	const text = await upload(page, { name: "my photo.png", mimeType: "image/png", buffer: PNG });
	const key = /^uploaded (\S+) answer: \{"Status":"OK"\}\n$/.exec(text)?.[1];
	assert.match(key ?? text, /\/[A-HJKMNP-Za-fhijkmnprstwxyz2-8]{10}\.png$/);
	assert.deepEqual(await getObject(server.store, key), PNG);
});

test("the fields come in the classic order", async t => {
	const sink = await startSink(t, (_, response) => {
		response.setHeader("Access-Control-Allow-Origin", "*");
		says('{"Status":"OK"}')(_, response);
	});
	const page = await openSite(t, server, token => ({ ...token, host: sink.url }));
	await upload(page, testFile("a.png"));
	// Progress listeners make the browser ask first, without naming a header.
	const [preflight, post] = sink.requests;
	assert.equal(preflight.method, "OPTIONS");
	assert.equal(preflight.headers["access-control-request-method"], "POST");
	assert.equal(preflight.headers["access-control-request-headers"], undefined);
	const names = [...post.body.toString("latin1").matchAll(/form-data; name="(\w+)"/g)];
	assert.deepEqual(names.map(([, name]) => name), ["name", "key", "policy", "OSSAccessKeyId",
		"success_action_status", "callback", "signature", "file"]);
});

test("callback down: the text for 203, and the file is kept", async t => {
	const down = await start(t, {
		POSTERN_APP_CALLBACK_URL: `${await closedPort()}/`, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	});
	const text = await upload(await openSite(t, down), testFile("kept.png", 700));
	assert.match(text, /^uploaded \S+kept\.png but the callback failed: /);
	assert.match(text, /<Code>CallbackFailed<\/Code><Message>Error status : /);
	const [key] = await listObjects(down.store);
	assert.deepEqual(await getObject(down.store, key), testFile("kept.png", 700).buffer);
});

test("callback slow: the text for 203 after five seconds", async t => {
	const sink = await startSink(t, () => {});
	const slow = await start(t, {
		POSTERN_APP_CALLBACK_URL: `${sink.url}/`, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	});
	const text = await upload(await openSite(t, slow), testFile("slow.png"));
	assert.match(text, /but the callback failed: .*reply timeout/s);
	assert.equal(sink.requests.length, 1);
	assert.equal((await listObjects(slow.store)).length, 1);
});

test("callback answered with no JSON, and with an error: the text for 203", async t => {
	const noJson = says("<h1>hello</h1>", 200, "text/html");
	const error = says('{"Status":"no"}', 400);
	// By the file: a callback may come twice, if its connection was closed meanwhile.
	const sink = await startSink(t, (request, response) =>
		(String(request.body).includes("1.png") ? noJson : error)(request, response));
	const bad = await start(t, {
		POSTERN_APP_CALLBACK_URL: `${sink.url}/cb`, POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
	});
	const text = await upload(await openSite(t, bad), testFile("1.png"), testFile("2.png"));
	assert.match(text, /1\.png but the callback failed: .*not valid json format/s);
	assert.match(text, /2\.png but the callback failed: .*Error status : 400\./s);
	assert.equal(sink.requests[0].url, "/cb");
});

test("an expired token: the store's XML reaches the page", async t => {
	const page = await openSite(t, server, token => {
		const text = policy({ dir: token.dir, seconds: -5 });
		const { policy: expired, Signature } = signedFieldsV1("", {}, { text });
		return { ...token, policy: expired, signature: Signature };
	});
	const before = await listObjects(server.store);
	const text = await upload(page, testFile("late.png"));
	assert.match(text, /^Error xml:.*<Code>AccessDenied<\/Code>/s);
	assert.match(text, /Invalid according to Policy: Policy expired\./);
	assert.deepEqual(await listObjects(server.store), before);
});

test("the page dropped the callback: refused, for it is part of the policy", async t => {
	const page = await openSite(t, server, ({ callback, ...token }) => token);
	const text = await upload(page, testFile("sly.png"));
	assert.match(text, /^Error xml:.*Policy Condition failed: .*callback/s);
});
