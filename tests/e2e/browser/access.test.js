// SPDX-License-Identifier: Apache-2.0
// The page with the keyboard alone, with a screen reader, in the dark, and on a narrow screen.
import assert from "node:assert/strict";
import axe from "axe-core";
import { after, before, test } from "node:test";
import { screenshot, startBrowser } from "../lib/browser.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

/** What axe finds wrong, as text. */
async function violations(page) {
	await page.evaluate(axe.source);
	return page.evaluate(async () => {
		const { violations } = await globalThis.axe.run(document);
		return violations.map(({ id, help, nodes }) =>
			`${id}: ${help}: ${nodes.map(node => node.html).join(" | ")}`);
	});
}

test("the keyboard alone is enough", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	const focused = () => page.evaluate(() => document.activeElement.id
		|| document.activeElement.getAttribute("aria-label"));

	await page.keyboard.press("Tab");
	assert.equal(await focused(), "files");
	// The input itself cannot be seen: its label shows where the keyboard is.
	assert.notEqual(await page.getByText("Choose files")
		.evaluate(label => getComputedStyle(label).outlineStyle), "none");
	const [chooser] = await Promise.all([
		page.waitForEvent("filechooser"),
		page.keyboard.press("Enter"),
	]);
	await chooser.setFiles([testFile("typed.txt"), testFile("second.txt")]);
	await upload.row("typed.txt").waitFor();
	for (const id of ["folder", "random", "upload", "Remove typed.txt"]) {
		await page.keyboard.press("Tab");
		assert.equal(await focused(), id);
		assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement.id === "folder"
			? document.activeElement.nextElementSibling : document.activeElement).outlineStyle),
		"none", `${id} shows focus`);
	}
	await page.keyboard.press("Enter");
	assert.equal(await upload.row("typed.txt").count(), 0);
	assert.equal(await focused(), "upload");
	await page.keyboard.press("Enter");
	await upload.become("second.txt", "done");
});

test("a screen reader hears what happens", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	await upload.choose(testFile("heard.txt"));
	await upload.pressUpload();
	await page.getByRole("status").getByText("heard.txt: Uploaded").waitFor({ state: "attached" });
	assert.equal(await page.getByRole("progressbar", { name: "Progress of heard.txt" }).count(), 1);
	assert.equal(await page.getByRole("list", { name: "Files" }).count(), 1);
});

for (const colorScheme of ["light", "dark"]) {
	test(`axe finds nothing to complain of, ${colorScheme}`, async t => {
		const failing = await startServer(t, {
			env: {
				POSTERN_APP_CALLBACK_URL: `${await closedPort()}/`,
				POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
				POSTERN_APP_MAX_SIZE: "2000",
			},
		});
		const width = colorScheme === "dark" ? 360 : 1000;
		for (const at of [server, failing]) {
			const upload = await openUploadPage(t, browser, at, {
				colorScheme, viewport: { width, height: 800 },
			});
			const { page } = upload;
			await upload.open();
			assert.deepEqual(await violations(page), []);
			await upload.choose(testFile("a.txt"), testFile("too-large.txt", at === failing ? 2001 : 1));
			await upload.pressUpload();
			await upload.become("a.txt", at === failing ? "unconfirmed" : "done");
			await upload.become("too-large.txt", at === failing ? "failed" : "done");
			await upload.choose(testFile("ready.txt"));
			await upload.row("ready.txt").waitFor();
			await page.getByText(at === failing ? "0 of 3 files · 1.0 kB of 4.0 kB · 1 failed · 1 not confirmed"
				: "2 of 3 files · 1.0 kB of 2.0 kB").waitFor();
			assert.deepEqual(await violations(page), []);
			assert.ok(await page.evaluate(
				() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
			"nothing sticks out at the side");
			await screenshot(page, `page-${colorScheme}-${at === failing ? "troubled" : "well"}`);
		}
	});
}
