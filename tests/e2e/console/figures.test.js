// SPDX-License-Identifier: Apache-2.0
// Live figures: they follow what the server does.
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});
after(all.run);

test("uploads and errors appear in their charts", async t => {
	const page = await openPage(t, browser, `${server.console}/#/figures`, { locale: "en-GB" });
	const figure = name => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
	await figure("Uploads").getByText("0 since the start").waitFor();
	await figure("Objects").getByText("0", { exact: true }).waitFor();
	for (let i = 0; i < 7; i++)
		await request(server.store, "PUT", "uploads", `a${i}`, { body: "x" });
	await request(server.store, "GET", "uploads", "not-there");
	await figure("Uploads").getByText("7 since the start").waitFor();
	await figure("Errors").getByText(/^[1-9]\d* since the start/).waitFor();
	await figure("Objects").getByText("7", { exact: true }).waitFor();
	await figure("Uploads").getByText(/\/s$/).waitFor();
	await figure("Uploads").locator("path.line[d^=M]").waitFor({ state: "attached" });
});

test("the check of what is stored is shown", async t => {
	const page = await openPage(t, browser, `${server.console}/#/figures`, { locale: "en-GB" });
	await page.getByText("No damage is known.").waitFor();
	await page.getByText(/^Everything was read by /).waitFor();
});
