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

	for (const id of ["language", "files"]) {
		await page.keyboard.press("Tab");
		assert.equal(await focused(), id);
	}
	// The input itself cannot be seen: its label shows where the keyboard is.
	assert.notEqual(await page.locator("label[for=files]")
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

test("what everything is, is said by roles and names, and nothing is said twice", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	await upload.open();
	const snapshot = async () => (await page.locator("body").ariaSnapshot()).split("\n").map(line => line.trim());
	assert.deepEqual(await snapshot(), [
		"- main:",
		"- heading \"Upload files\" [level=1]",
		"- button \"中文\"",
		"- paragraph: Up to 1.0 GB each.",
		"- paragraph: Drop files and folders anywhere, paste them, or",
		"- button \"Choose files\"",
		"- text: Choose files",
		"- button \"Choose a folder\"",
		"- text: Choose a folder",
		"- checkbox \"Store under random names\"",
		"- text: Store under random names",
		"- button \"Upload\" [disabled]",
		"- status",
	]);
	for (const id of ["files", "folder"])
		assert.equal(await page.locator(`#${id}`).getAttribute("aria-describedby"), "limits");
	await upload.choose(testFile("first.png"), testFile("second.txt"));
	await upload.row("second.txt").waitFor();
	await upload.pressUpload();
	await upload.become("first.png", "done");
	await upload.become("second.txt", "done");
	const region = page.getByRole("region", { name: "All files" });
	await region.getByRole("progressbar", { name: "Progress of all files" }).waitFor();
	const row = page.getByRole("list", { name: "Files" }).getByRole("listitem").first();
	assert.equal(await row.getAttribute("aria-posinset"), "1");
	assert.equal(await row.getAttribute("aria-setsize"), "2");
	assert.deepEqual(await row.getByRole("button").evaluateAll(buttons =>
		buttons.map(button => button.getAttribute("aria-label"))), ["Remove first.png"]);
	// The picture and its letters are for the eye alone: the name says it already.
	assert.doesNotMatch(await row.ariaSnapshot(), /PNG/);
	// One live region, and what it says changes when a file comes to its end, not with each byte.
	assert.equal(await page.locator("[aria-live], [role=status], [role=alert], output").count(), 1);
	assert.match(await page.getByRole("status").innerText(), /^(first\.png|second\.txt): Uploaded$/);
	await page.evaluate(() => {
		globalThis.said = [];
		new MutationObserver(() => globalThis.said.push(document.getElementById("news").textContent))
			.observe(document.getElementById("news"), { childList: true });
	});
	await upload.throttle(300_000);
	await upload.choose(testFile("third.bin", 200_000));
	await upload.pressUpload();
	await upload.become("third.bin", "done");
	assert.equal((await page.evaluate(() => globalThis.said)).at(-1), "third.bin: Uploaded");
	const said = await page.evaluate(() => globalThis.said);
	assert.equal(new Set(said).size, said.length);
	assert.ok(said.length <= 2, said.join("\n"));
});

test("from the right: everything is mirrored, names and numbers are not", async t => {
	for (const width of [320, 1280]) {
		const upload = await openUploadPage(t, browser, server, { viewport: { width, height: 800 } });
		const { page } = upload;
		await upload.open();
		await page.evaluate(() => {
			document.documentElement.dir = "rtl";
		});
		await upload.choose(testFile("(a) b.txt"), testFile("second.txt"));
		await upload.pressUpload();
		await upload.become("second.txt", "done");
		const row = await upload.become("(a) b.txt", "done");
		const left = selector => row.locator(selector).evaluate(node => node.getBoundingClientRect().left);
		const [thumb, name, remove] = [await left(".thumb"), await left(".name"), await left(".remove")];
		assert.ok(thumb > name && name > remove, `${thumb} ${name} ${remove}`);
		// The name begins beside its picture, and reads from its own first letter.
		assert.ok(await row.evaluate(node => node.querySelector(".thumb").getBoundingClientRect().left
			- node.querySelector(".name").getBoundingClientRect().right < 20));
		assert.equal(await row.locator(".name").evaluate(node => getComputedStyle(node).unicodeBidi), "isolate");
		assert.equal(await row.locator("pre").evaluate(node => getComputedStyle(node).direction), "ltr");
		if (width === 1280)
			assert.ok(await page.evaluate(() => document.getElementById("side").getBoundingClientRect().left
				> document.getElementById("work").getBoundingClientRect().right));
		assert.deepEqual(await violations(page), []);
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth
			- document.documentElement.clientWidth), 0);
		assert.equal(await page.evaluate(() => document.documentElement.scrollLeft), 0);
		await screenshot(page, `page-rtl-${width}`);
	}
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
		const width = colorScheme === "dark" ? 320 : 1000;
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
