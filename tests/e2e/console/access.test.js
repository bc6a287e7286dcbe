// SPDX-License-Identifier: Apache-2.0
// Every view: with a screen reader (axe), in the dark, on a narrow screen, in both languages. Keeps
// pictures of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, screenshot, startBrowser } from "../lib/browser.js";
import { goTo, openConsole, violations } from "../lib/console.js";
import { policy, postForm, request, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { PNG, testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all, { env: { POSTERN_APP_EVENTS: "true" } });
	browser = await startBrowser(all);
	await furnish();
});
after(all.run);

/** Something to see in each view. */
async function furnish() {
	await request(server.store, "PUT", "photos", "", { headers: { "x-oss-acl": "public-read" } });
	for (const key of ["2026/05/dune.jpg", "2026/06/river.jpg", "drafts/notes.md", "index.html", "logo.svg", "price list.csv"])
		await request(server.store, "PUT", "photos", key, { body: `${key}\n`.repeat(key.length * 40) });
	await request(server.store, "PUT", "photos", "pixel.png", { body: PNG, headers: { "Content-Type": "image/png" } });
	await request(server.store, "PUT", "photos", "", { query: { cors: "" }, body: `<CORSConfiguration>
		<CORSRule><AllowedOrigin>https://www.example.com</AllowedOrigin><AllowedOrigin>https://*.example.org</AllowedOrigin>
		<AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
		<ExposeHeader>x-oss-request-id</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>
		<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod></CORSRule>
		<ResponseVary>true</ResponseVary></CORSConfiguration>` });
	const grant = await (await fetch(`${server.app}/grant`)).json();
	await postForm(server.store, { key: `${grant.dir}confirmed.txt`, ...grant.fields }, { content: "hello" });
	const callback = Buffer.from(JSON.stringify({ callbackUrl: `${server.app}/callback`, callbackBody: "a=1" })).toString("base64");
	await postForm(server.store, signedFieldsV4("unconfirmed.txt", { callback }), { content: "hello" });
}

const FORM = Object.entries(signedFieldsV1("elsewhere/a.txt", {}, { text: policy({ dir: "user/" }) }))
	.map(([name, value]) => `${name}=${value}`).join("\n");

/** Each view, and how to make it show what it has. */
const VIEWS = {
	buckets: page => page.getByRole("link", { name: "photos", exact: true }).waitFor(),
	"objects/photos": async page => {
		await page.getByText("price list.csv").waitFor();
		await page.locator(".object-row input").nth(2).check();
	},
	"object/photos/pixel.png": async page => {
		await page.frameLocator("iframe").locator("image").waitFor({ state: "attached" });
		await page.locator("form").first().locator("button[type=submit]").click();
		await page.locator("textarea[readonly]").waitFor();
	},
	"settings/photos": page => page.getByText(`${server.store}/photos`).waitFor(),
	"cors/photos": async page => {
		await page.locator(".rule").nth(1).waitFor();
		await page.locator(".rule-fields button[type=submit]").click();
		await page.locator(".preflight pre").waitFor();
	},
	policy: async page => {
		await page.locator("textarea").fill(FORM);
		await page.locator("button[type=submit]").click();
		await page.locator("tr[data-result]").first().waitFor();
	},
	events: async page => {
		await page.locator(".event summary").first().click();
		await page.getByText("specversion").waitFor();
	},
	callbacks: page => page.locator(".callback").nth(1).waitFor(),
	figures: page => page.locator("path.line[d^=M]").first().waitFor({ state: "attached" }),
};

for (const [colorScheme, width] of [["light", 1200], ["dark", 360]]) {
	test(`axe finds nothing in any view, ${colorScheme}, ${width} wide`, async t => {
		const options = { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" };
		const name = view => `console-${view.split("/")[0]}-${colorScheme}-${width}`;
		const stranger = await openPage(t, browser, server.console, { locale: "en-GB", ...options });
		await stranger.getByRole("button", { name: "Log on" }).waitFor();
		assert.deepEqual(await violations(stranger), []);
		await screenshot(stranger, name("logon"));

		const page = await openConsole(t, browser, server, "buckets", options);
		for (const [view, show] of Object.entries(VIEWS)) {
			await goTo(page, view);
			await show(page);
			assert.deepEqual(await violations(page), [], view);
			assert.ok(await page.evaluate(
				() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
			`nothing sticks out at the side of ${view}`);
			await screenshot(page, name(view));
		}
	});
}

test("axe finds nothing in dialogs, notices and uploads", async t => {
	const page = await openConsole(t, browser, server, "buckets");
	await page.getByRole("button", { name: "Create bucket" }).click();
	assert.deepEqual(await violations(page), []);
	await page.keyboard.press("Escape");
	await page.getByRole("button", { name: "Delete bucket photos" }).click();
	await page.getByText("It cannot be deleted yet").waitFor();
	assert.deepEqual(await violations(page), []);
	await page.keyboard.press("Escape");
	await goTo(page, "objects/photos");
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("a.bin"), testFile("b.bin")]);
	await page.getByText("2 of 2 done, 0 failed").first().waitFor();
	assert.deepEqual(await violations(page), []);
	await screenshot(page, "console-uploads");
	await goTo(page, "objects/nowhere");
	await page.getByRole("alert").waitFor();
	assert.deepEqual(await violations(page), []);
});

test("every view speaks Chinese, and nothing else but names and the store's words", async t => {
	const page = await openConsole(t, browser, server, "buckets", { viewport: { width: 1200, height: 800 } });
	await page.getByRole("button", { name: "中文" }).click();
	for (const [view, show] of Object.entries(VIEWS)) {
		await goTo(page, view);
		await show(page);
		const english = await page.locator("#view :is(h2, h3, button, label, legend, small, th, dt):visible").evaluateAll(nodes =>
			nodes.map(node => node.textContent.trim()).filter(text => / [a-z]+ [a-z]+/.test(text)));
		assert.deepEqual(english, [], view);
		await screenshot(page, `console-${view.split("/")[0]}-zh`);
	}
	assert.deepEqual(await violations(page), []);
});
