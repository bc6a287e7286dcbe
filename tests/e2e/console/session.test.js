// SPDX-License-Identifier: Apache-2.0
// Logging on and off, languages, colours, addresses.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { goTo, logOn, openConsole } from "../lib/console.js";
import { send } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";
import { allow, assumeRole } from "../lib/sts.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

const storages = page => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));

test("a wrong secret is refused in the store's own words, a right one opens the view that was asked for", async t => {
	const page = await openPage(t, browser, `${server.console}/#/settings/uploads`);
	await page.getByLabel("Access key ID").fill(server.key.id);
	await page.getByLabel("Access key secret").fill("wrong");
	await page.getByRole("button", { name: "Log on" }).click();
	await page.getByRole("alert").getByText("SignatureDoesNotMatch").waitFor();
	assert.doesNotMatch(await storages(page), /wrong/);
	await logOn(page, server.key);
	await page.getByRole("heading", { name: "About the bucket" }).waitFor();
});

test("log-off forgets the secret; until then it survives a reload of this tab alone", async t => {
	const page = await openConsole(t, browser, server, "settings/uploads");
	await goTo(page, "buckets");
	const secret = new RegExp(server.key.secret);
	await page.reload();
	await page.getByRole("link", { name: "uploads", exact: true }).waitFor();
	assert.match(await storages(page), secret);
	assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage })), secret);
	const other = await page.context().newPage();
	await other.goto(server.console);
	await other.getByRole("button", { name: "Log on" }).waitFor();

	await page.getByRole("button", { name: "Log off" }).click();
	await page.getByRole("button", { name: "Log on" }).waitFor();
	assert.doesNotMatch(await storages(page), secret);
	assert.equal(await page.getByLabel("Access key secret").inputValue(), "");
	await page.goBack();
	await page.getByRole("button", { name: "Log on" }).waitFor();
	assert.equal(await page.getByText("uploads", { exact: true }).count(), 0);
});

test("no request carries the secret", async t => {
	const page = await openPage(t, browser, server.console);
	const sent = [];
	page.on("request", async request =>
		sent.push(request.url(), request.postData() ?? "", JSON.stringify(request.headers())));
	await logOn(page, server.key);
	await goTo(page, "objects/uploads");
	await page.getByRole("grid").waitFor();
	assert.ok(sent.some(text => text.includes("OSS4-HMAC-SHA256")));
	assert.equal(sent.filter(text => text.includes(server.key.secret)).length, 0);
});

test("Chinese and back, without losing what was typed, and remembered", async t => {
	const page = await openConsole(t, browser, server);
	await goTo(page, "policy");
	await page.getByLabel("Policy or form").fill("typed");
	await page.getByRole("button", { name: "中文" }).click();
	await page.getByRole("heading", { name: "Policy 调试" }).waitFor();
	assert.equal(await page.getByLabel("Policy 或表单").inputValue(), "typed");
	assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
	await goTo(page, "buckets");
	await page.getByRole("columnheader", { name: "创建时间" }).waitFor();
	await page.reload();
	await page.getByRole("button", { name: "创建 Bucket" }).waitFor();
	await page.getByRole("button", { name: "English" }).click();
	await page.getByRole("button", { name: "Create bucket" }).waitFor();
});

test("a browser that prefers Chinese gets it", async t => {
	const page = await openPage(t, browser, server.console, { locale: "zh-CN" });
	await page.getByRole("button", { name: "登录" }).waitFor();
});

test("the colours are the system's, or those chosen", async t => {
	const page = await openConsole(t, browser, server, "buckets", { colorScheme: "light" });
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await ground();
	await page.getByLabel("Colours").selectOption("dark");
	const dark = await ground();
	assert.notEqual(light, dark);
	await page.reload();
	assert.equal(await ground(), dark);
	await page.getByLabel("Colours").selectOption("system");
	assert.equal(await ground(), light);
	await page.emulateMedia({ colorScheme: "dark" });
	assert.equal(await ground(), dark);
});

test("a clock that is wrong by hours is no obstacle", async t => {
	const page = await openPage(t, browser, null, { locale: "en-GB" });
	await page.clock.setSystemTime(Date.now() + 5 * 3600 * 1000);
	await page.goto(`${server.console}/#/settings/uploads`);
	await logOn(page, server.key);
	await page.getByText(`${server.store}/uploads`).waitFor();
});

test("temporary keys do what they are allowed to, and no more", async t => {
	const key = await assumeRole(server, allow("oss:*", ["acs:oss:*:*:uploads", "acs:oss:*:*:uploads/*"]));
	const page = await openPage(t, browser, `${server.console}/#/objects/uploads`, { locale: "en-GB" });
	await logOn(page, key);
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("temporary.txt", 10, "text/plain")]);
	await page.getByRole("link", { name: "temporary.txt" }).click();
	await page.getByRole("button", { name: "Make URL" }).click();
	const result = page.getByRole("textbox", { name: "Signed URL" });
	await result.waitFor();
	assert.equal((await send(await result.inputValue())).status, 200);
	await goTo(page, "buckets");
	await page.getByRole("alert").getByText("AccessDenied").waitFor();
});

test("who is logged on debugs policies with the secret of the session", async t => {
	const page = await openConsole(t, browser, server);
	await goTo(page, "policy");
	await page.getByLabel("Policy or form").fill("cG9saWN5");
	await page.getByRole("button", { name: "Explain" }).click();
	const signature = createHmac("sha1", server.key.secret).update("cG9saWN5").digest("base64");
	await page.getByText(signature).waitFor();
});

test("Back leads to the view before", async t => {
	const page = await openConsole(t, browser, server);
	await page.getByRole("link", { name: "uploads", exact: true }).click();
	await page.getByRole("grid").waitFor();
	await page.getByRole("link", { name: "Figures" }).click();
	await page.getByRole("heading", { name: "Figures", exact: true }).waitFor();
	assert.match(await page.title(), /^Figures/);
	await page.goBack();
	await page.getByRole("grid").waitFor();
	await page.goBack();
	await page.getByRole("heading", { name: "Buckets" }).waitFor();
});
