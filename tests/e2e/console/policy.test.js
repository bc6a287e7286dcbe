// SPDX-License-Identifier: Apache-2.0
// The policy debugger, with forms that the store itself accepts or refuses.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { base64Json, multipart, policy, postForm, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

async function explain(page, text, more = {}) {
	await page.getByLabel("Policy or form").fill(text);
	for (const [name, value] of Object.entries(more))
		await page.getByRole("textbox", { name }).fill(value);
	await page.getByRole("button", { name: "Explain" }).click();
	await page.getByRole("heading", { name: "Verdict" }).waitFor();
}

/** The verdict on each condition, by the condition. */
async function results(page) {
	const rows = await page.locator("tr[data-result]").evaluateAll(
		nodes => nodes.map(node => [node.querySelector("code").textContent, node.dataset.result]));
	return Object.fromEntries(rows);
}

const lines = fields => Object.entries(fields).map(([name, value]) => `${name}=${value}`).join("\n");

test("a form that the store refuses: the same condition fails here", async t => {
	const fields = signedFieldsV1("other/a.txt", {}, { text: policy({ dir: "user/", conditions: [["content-length-range", 0, 5]] }) });
	const refused = await postForm(server.store, fields, { content: "hello" });
	const [, shown] = /Policy Condition failed: (.*)$/.exec(refused.xml("Message").replaceAll("&quot;", '"'));

	const page = await openPage(t, browser, `${server.console}/#/policy`, { locale: "en-GB" });
	await page.getByLabel("Policy or form").waitFor();
	const { body } = multipart(fields, { name: "a.txt", content: "hello" });
	const sent = [];
	page.on("request", request => sent.push(request.url()));
	await explain(page, body.toString("utf8"), { Bucket: "uploads", Secret: server.key.secret });
	assert.deepEqual(await results(page), {
		'["eq", "$bucket", "uploads"]': "pass",
		'["starts-with", "$key", "user/"]': "fail",
		'["content-length-range", 0, 5]': "pass",
	});
	assert.equal((await results(page))[shown], "fail", "the store's own words are one of the conditions");
	await page.getByText("Conditions that fail: 1").waitFor();
	await page.getByText("is what the form has").waitFor();
	await page.getByText(/^Valid until .* \(in 5 minutes\)\.$/).waitFor();
	assert.deepEqual(sent, [], "nothing leaves the browser");
});

test("a form signed by V4, with a wrong secret", async t => {
	const fields = signedFieldsV4("a.txt", {}, { accessKey: { id: "someid", secret: "wrong" } });
	const page = await openPage(t, browser, `${server.console}/#/policy`, { locale: "en-GB" });
	await explain(page, lines(fields), { Bucket: "uploads", Secret: "right" });
	await page.getByText("is not what the form has").waitFor();
	await page.getByText(fields["x-oss-signature"]).first().waitFor();
	await page.getByRole("textbox", { name: "Secret" }).fill("wrong");
	await page.getByRole("button", { name: "Explain" }).click();
	await page.getByText("is what the form has", { exact: true }).waitFor();
	await page.getByText("No condition fails.").waitFor();
});

test("a policy alone: decoded, expired, its string to sign", async t => {
	const text = base64Json({ expiration: "2020-01-01T00:00:00.000Z", conditions: [["eq", "$key", "é"]] });
	const page = await openPage(t, browser, `${server.console}/#/policy`, { locale: "en-GB", timezoneId: "Asia/Shanghai" });
	await explain(page, text);
	await page.getByText(/^Expired at 01\/01\/2020, 08:00:00 \(/).waitFor();
	await page.getByText(text, { exact: true }).waitFor();
	await page.getByText('"expiration": "2020-01-01T00:00:00.000Z"').waitFor();
	assert.deepEqual(await results(page), { '["eq", "$key", "é"]': "unknown" });
});

test("what is wrong with the shape of a form and of a policy", async t => {
	const page = await openPage(t, browser, `${server.console}/#/policy`, { locale: "en-GB" });
	const text = policy();
	await explain(page, `policy=${text}\nfile=@x\nkey=a.txt`);
	await page.getByText("The field key stands behind the file, and is ignored.").waitFor();
	await page.getByText("The form has no field key").waitFor();
	await explain(page, '{"expiration":"2030-01-01T00:00:00Z","conditions":[["ends-with","$key","a"]]}');
	await page.getByText(/The operator must be eq/).waitFor();
	await explain(page, `key=<img src=x onerror=globalThis.hit=1>\npolicy=${text}`);
	await page.getByText("<img src=x onerror=globalThis.hit=1>").first().waitFor();
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
});
