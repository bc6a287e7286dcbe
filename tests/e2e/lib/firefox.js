// SPDX-License-Identifier: Apache-2.0
// Firefox from the Debian package, driven by puppeteer-core, which speaks WebDriver BiDi to it.
import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";

const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** Why its tests are not run, or false: an option of test(). */
export const noFirefox = existsSync(FIREFOX) ? false
	: `there is no ${FIREFOX}; the Debian package is firefox-esr`;

export async function startFirefox(t) {
	const browser = await puppeteer.launch({
		browser: "firefox", executablePath: FIREFOX, headless: true,
		extraPrefsFirefox: { "intl.accept_languages": "en-GB", "intl.locale.requested": "en-GB" },
	});
	t.after(() => browser.close());
	return browser;
}

/** A page in a context of its own; the test fails in the end if the page had an error. */
export async function openFirefox(t, browser, url) {
	const context = await browser.createBrowserContext();
	const page = await context.newPage();
	page.setDefaultTimeout(60_000);
	const problems = [];
	page.on("pageerror", error => {
		// What CORS refuses is an error of the page to Firefox.
		if (!/Cross-Origin Request Blocked/.test(String(error)))
			problems.push(String(error));
	});
	t.after(async () => {
		await context.close();
		if (problems.length)
			throw new Error(`the page had problems:\n${problems.join("\n")}`);
	});
	await page.goto(url);
	return page;
}
