// SPDX-License-Identifier: Apache-2.0
// Chromium from the Debian packages, driven by playwright-core.
import { EventEmitter, once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
// The same engine without windows takes a third less of the processor. Extensions need the whole browser.
const HEADLESS = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
const WITH_EXTENSIONS = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** One browser for a file of tests; it ends with them. */
export async function startBrowser(t) {
	const browser = await chromium.launch({
		executablePath: HEADLESS,
		args: FLAGS,
		chromiumSandbox: false,
	});
	t.after(() => browser.close());
	return browser;
}

/** A browser with an extension, which needs a profile of its own: a context. */
export async function startBrowserWith(t, extension, profile) {
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: WITH_EXTENSIONS,
		args: [...FLAGS.filter(flag => flag !== "--headless"), "--headless=new",
			`--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
		ignoreDefaultArgs: ["--disable-extensions"],
		chromiumSandbox: false,
		headless: false,
	});
	t.after(() => context.close());
	return context;
}

/**
 * A page in a context of its own. The test fails in the end if the page had an error that it did
 * not catch or broke the Content-Security-Policy.
 */
export async function openPage(t, browser, url, options = {}) {
	const context = await browser.newContext(options);
	// This chooser cannot be operated from here. Pages that have none use an <input>, as in other browsers.
	await context.addInitScript(() => {
		delete globalThis.showOpenFilePicker;
	});
	const page = await context.newPage();
	page.setDefaultTimeout(60_000);
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

/**
 * Holds the server's answers back, as a slow network would, until they are released: the server
 * has done what was asked, and the page does not know yet.
 * @param {(request: {method: string, url: string}) => boolean} [matches] which of them
 */
export async function holdAnswers(page, matches = () => true) {
	const session = await page.context().newCDPSession(page);
	const held = [];
	const seen = new EventEmitter();
	let open = false;
	// A request that the page has given up is there no longer.
	const go = ({ requestId }) => session.send("Fetch.continueRequest", { requestId }).catch(() => {});
	session.on("Fetch.requestPaused", event => {
		if (open || !matches(event.request)) {
			go(event);
			return;
		}
		held.push(event);
		seen.emit("held");
	});
	await session.send("Fetch.enable", { patterns: [{ urlPattern: "*", requestStage: "Response" }] });
	return {
		/** Waits until so many are held. */
		async count(wanted) {
			const signal = AbortSignal.timeout(60_000);
			while (held.length < wanted)
				await once(seen, "held", { signal });
		},
		/** Lets one of them through: the first is 0. */
		releaseOne: async index => void await go(held.splice(index, 1)[0]),
		/** Lets all through, also those to come. */
		async release() {
			open = true;
			await Promise.all(held.splice(0).map(go));
			await session.send("Fetch.disable");
			await session.detach();
		},
	};
}

/** Keeps a picture of the page under build/screenshots/. */
export async function screenshot(page, name) {
	const path = join(ROOT, "build/screenshots", `${name}.png`);
	await mkdir(dirname(path), { recursive: true });
	await page.screenshot({ path, fullPage: true });
}
