// SPDX-License-Identifier: Apache-2.0
// The rule editor and the tester.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBrowser } from "../lib/browser.js";
import { openConsole } from "../lib/console.js";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

const cors = bucket => request(server.store, "GET", bucket, "", { query: { cors: "" } });
const values = (text, name) => [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "g"))].map(([, value]) => value);

async function open(t, bucket) {
	await request(server.store, "PUT", bucket);
	const page = await openConsole(t, browser, server, `cors/${bucket}`);
	await page.getByRole("heading", { name: "Why does it fail?" }).waitFor();
	return page;
}

const rule = (page, number) => page.getByRole("listitem").filter({
	has: page.getByRole("heading", { name: `Rule ${number}`, exact: true }) });

test("rules are made, ordered, saved, shown again and removed", async t => {
	const page = await open(t, "rules");
	await page.getByText("There are no rules.").first().waitFor();
	await page.getByRole("button", { name: "Preset: browser upload" }).click();
	await page.getByRole("button", { name: "Create rule" }).click();
	const second = rule(page, 2);
	await second.getByLabel("Sources").fill("https://a.example.com\n\n https://*.b.example.com \n");
	await second.getByLabel("GET").check();
	await second.getByLabel("PUT").check();
	await second.getByLabel("Allowed Headers").fill("x-oss-*");
	await second.getByRole("button", { name: "Up: rule 2" }).click();
	await page.getByLabel("Vary: Origin").check();
	await page.getByRole("button", { name: "Save rules" }).click();
	await page.getByText("The rules are in force now.").waitFor();

	const { text } = await cors("rules");
	assert.deepEqual(values(text, "AllowedOrigin"), ["https://a.example.com", "https://*.b.example.com", "*"]);
	assert.deepEqual(values(text, "AllowedMethod"), ["GET", "PUT", "POST"]);
	assert.deepEqual(values(text, "AllowedHeader"), ["x-oss-*", "*"]);
	assert.deepEqual(values(text, "ExposeHeader"), ["ETag", "x-oss-request-id"]);
	assert.deepEqual(values(text, "MaxAgeSeconds"), ["600"]);
	assert.deepEqual(values(text, "ResponseVary"), ["true"]);

	await page.reload();
	await rule(page, 2).getByRole("button", { name: "Down: rule 2" }).waitFor();
	assert.equal(await rule(page, 1).getByLabel("Sources").inputValue(), "https://a.example.com\nhttps://*.b.example.com");
	assert.equal(await rule(page, 2).getByLabel("Cache Timeout").inputValue(), "600");
	assert.equal(await page.getByLabel("Vary: Origin").isChecked(), true);
	for (let left = 2; left > 0; left--)
		await rule(page, 1).getByRole("button", { name: "Remove" }).click();
	await page.getByRole("button", { name: "Save rules" }).click();
	await page.getByText("The rules are in force now.").waitFor();
	assert.equal((await cors("rules")).xml("Code"), "NoSuchCORSConfiguration");
});

test("faults are shown at their rule before anything is sent; the store's refusal in its own words", async t => {
	const page = await open(t, "faulty");
	const sent = [];
	page.on("request", each => each.method() === "PUT" && sent.push(each.url()));
	await page.getByRole("button", { name: "Create rule" }).click();
	await rule(page, 1).getByLabel("Sources").fill("https://*.example.*");
	await page.getByRole("button", { name: "Save rules" }).click();
	await page.getByText("Not saved yet. Faults in the rules: 2").waitFor();
	await rule(page, 1).getByText("https://*.example.* holds more than one *").waitFor();
	await rule(page, 1).getByText("choose at least one").waitFor();
	assert.equal(await rule(page, 1).getByLabel("Sources").getAttribute("aria-invalid"), "true");
	assert.deepEqual(sent, []);

	// Longer than a configuration may be, which only the store knows.
	await rule(page, 1).getByLabel("Sources").fill(Array.from({ length: 400 },
		(_, i) => `https://a-rather-long-host-name-${i}.example.com`).join("\n"));
	await rule(page, 1).getByLabel("POST").check();
	await page.getByRole("button", { name: "Save rules" }).click();
	await page.getByRole("alert").getByText(/HTTP 400|HTTP 413/).waitFor();
	assert.equal(sent.length, 1);
});

test("at most twenty rules", async t => {
	const page = await open(t, "twenty");
	for (let i = 0; i < 20; i++)
		await page.getByRole("button", { name: "Preset: browser upload" }).click();
	assert.equal(await page.getByRole("button", { name: "Create rule" }).isDisabled(), true);
	await page.getByRole("button", { name: "Save rules" }).click();
	await page.getByText("The rules are in force now.").waitFor();
	assert.equal(values((await cors("twenty")).text, "AllowedOrigin").length, 20);
});

test("the tester says which rule fits, why others do not, and what the store answers", async t => {
	await request(server.store, "PUT", "tested");
	await request(server.store, "PUT", "tested", "", { query: { cors: "" }, body: `<CORSConfiguration>
		<CORSRule><AllowedOrigin>https://other.example.com</AllowedOrigin><AllowedMethod>POST</AllowedMethod></CORSRule>
		<CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>
		<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>POST</AllowedMethod><AllowedHeader>x-oss-*</AllowedHeader>
			<MaxAgeSeconds>77</MaxAgeSeconds></CORSRule>
		<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>` });
	const page = await openConsole(t, browser, server, "cors/tested");
	await rule(page, 4).waitFor();
	const result = page.locator(".verdicts");
	await page.getByLabel("Origin of the page").fill("https://www.example.com");
	await page.getByLabel("Headers that the page sets").fill("X-Oss-Meta-A");
	await page.getByRole("button", { name: "Test" }).click();
	await page.getByText("Status 200, by rule 3").waitFor();
	assert.deepEqual(await result.getByRole("listitem").allInnerTexts(), [
		"Rule 1 allows no origin like https://www.example.com.",
		"Rule 2 allows the origin, but not the method POST.",
		"Rule 3 fits, and is the one that is used.",
		"Rule 4 allows origin and method, but not the header X-Oss-Meta-A.",
	]);
	await page.getByText("Access-Control-Max-Age: 77").waitFor();

	await page.getByLabel("Headers that the page sets").fill("");
	await page.getByRole("button", { name: "Test" }).click();
	await result.getByText("Rule 4 fits too, but an earlier rule is used.").waitFor();

	await page.getByLabel("Headers that the page sets").fill("x-oss-a, content-type");
	await page.getByRole("button", { name: "Test" }).click();
	await page.getByText("Status 403: the browser does not send the request.").waitFor();
	await result.getByText("Rule 3 allows origin and method, but not the header content-type.").waitFor();
});
