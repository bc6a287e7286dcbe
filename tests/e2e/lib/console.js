// SPDX-License-Identifier: Apache-2.0
// The console, as a person uses it.
import axe from "axe-core";
import { openPage } from "./browser.js";

/** A console that somebody has logged on to, at a view: "objects/uploads". */
export async function openConsole(t, browser, server, view = "buckets", options = {}) {
	const page = await openPage(t, browser, `${server.console}/#/${view}`, { locale: "en-GB", ...options });
	await logOn(page, server.key);
	return page;
}

export async function logOn(page, { id, secret, token }) {
	await page.getByLabel("Access key ID").fill(id);
	await page.getByLabel("Access key secret").fill(secret);
	if (token)
		await page.getByLabel("Security token").fill(token);
	await page.getByRole("button", { name: "Log on" }).click();
	await page.getByRole("button", { name: "Log off" }).waitFor();
}

/** Goes to another view, as a link would. */
export async function goTo(page, view) {
	await page.evaluate(hash => {
		location.hash = hash;
	}, `#/${view}`);
}

/** What axe finds wrong, as text. */
export async function violations(page) {
	await page.evaluate(axe.source);
	return page.evaluate(async () => {
		const { violations } = await globalThis.axe.run(document);
		return violations.map(({ id, help, nodes }) =>
			`${id}: ${help}: ${nodes.map(node => node.html).join(" | ")}`);
	});
}
