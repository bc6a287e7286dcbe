// SPDX-License-Identifier: Apache-2.0
// Chromium from the Debian package, driven by playwright-core.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** One browser for a file of tests; it ends with them. */
export async function startBrowser(t) {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: FLAGS,
		chromiumSandbox: false,
	});
	t.after(() => browser.close());
	return browser;
}

/**
 * A page in a context of its own. The test fails in the end if the page had an error that it did
 * not catch or broke the Content-Security-Policy.
 */
export async function openPage(t, browser, url, options = {}) {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	page.setDefaultTimeout(20_000);
	const problems = [];
	page.on("pageerror", error => problems.push(String(error)));
	page.on("console", message => {
		if (/Content Security Policy/.test(message.text()))
			problems.push(message.text());
	});
	t.after(async () => {
		if (t.passed === false)
			await keepFailure(t, page);
		await context.close();
		if (problems.length)
			throw new Error(`the page had problems:\n${problems.join("\n")}`);
	});
	if (url)
		await page.goto(url);
	return page;
}

/** What a page looked like when its test failed, beside the logs. */
async function keepFailure(t, page) {
	const name = t.name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 80);
	const path = join(ROOT, process.env.TEST_LOGS ?? "build/test-logs", `failed-${name}.png`);
	await mkdir(dirname(path), { recursive: true });
	await page.screenshot({ path }).then(() => t.diagnostic(`"${t.name}" failed; the page is in ${path}`),
		error => t.diagnostic(`"${t.name}" failed, and no picture could be taken: ${error.message}`));
}

/** Keeps a picture of the page under build/screenshots/. */
export async function screenshot(page, name) {
	const path = join(ROOT, "build/screenshots", `${name}.png`);
	await mkdir(dirname(path), { recursive: true });
	await page.screenshot({ path, fullPage: true });
}
