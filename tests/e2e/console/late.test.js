// SPDX-License-Identifier: Apache-2.0
// Answers that come late: they overwrite nothing that was filled in meanwhile, and what needs them
// cannot be used before.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holdAnswers, openPage, startBrowser } from "../lib/browser.js";
import { goTo, logOn, openConsole } from "../lib/console.js";
import { request, signedFieldsV4, postForm } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server, browser;
before(async () => {
	server = await startServer(all, { env: { POSTERN_APP_EVENTS: "true" } });
	browser = await startBrowser(all);
	await bucketWith("late", ["a.txt", "b.txt", "c.txt", "dir/d.txt"]);
	await putCors("late", "https://www.example.com");
});
after(all.run);

async function bucketWith(name, keys, acl = "private") {
	assert.equal((await request(server.store, "PUT", name, "", { headers: { "x-oss-acl": acl } })).status, 200);
	for (const key of keys)
		assert.equal((await request(server.store, "PUT", name, key, { body: key })).status, 200);
}

const corsOf = origin => `<CORSConfiguration><CORSRule><AllowedOrigin>${origin}</AllowedOrigin>
	<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`;
const putCors = (bucket, origin) => request(server.store, "PUT", bucket, "", { query: { cors: "" }, body: corsOf(origin) });
const aclOf = async bucket => (await request(server.store, "GET", bucket, "", { query: { acl: "" } })).xml("Grant");
const originOf = async bucket => (await request(server.store, "GET", bucket, "", { query: { cors: "" } })).xml("AllowedOrigin");

async function makeCallback(key) {
	const callback = Buffer.from(JSON.stringify({ callbackUrl: `${server.app}/callback`, callbackBody: "a=1" })).toString("base64");
	await postForm(server.store, signedFieldsV4(key, { callback }), { content: "hello" });
}

/**
 * A console that somebody has logged on to, in a view that asks the servers for nothing: the list of
 * buckets asks about each of them, and its answers would be held back too.
 */
async function openIdle(t) {
	const page = await openConsole(t, browser, server);
	await goTo(page, "policy");
	await page.getByLabel("Policy or form").waitFor();
	return page;
}

/** What comes from the servers, but for the console itself. */
const data = ({ url }) => url.startsWith(server.store) || /\/(metrics|callbacks|events|cors-test)\b/.test(url);
const asks = (method, text) => ({ method: used, url }) => used === method && url.includes(text);

const shownNames = page => page.locator(".object-row .cell-name a:visible").allInnerTexts();
const aclSelect = page => page.getByLabel("Access (ACL)").and(page.locator("select"));

/** Fills in all that can be filled in, and remembers it in the page. Gives how many those are. */
function fillAll(page, within) {
	return page.evaluate(selector => {
		const filled = [];
		for (const control of document.querySelectorAll(`${selector} :is(input, select, textarea):enabled`)) {
			if (control.readOnly || control.type === "file")
				continue;
			if (control.type === "checkbox")
				control.checked = !control.checked;
			else if (control.localName === "select")
				control.value = [...control.options].find(option => option.value !== control.value).value;
			else
				control.value = control.type === "number" ? "77" : "typed";
			filled.push([control, control.type === "checkbox" ? control.checked : control.value]);
			for (const type of ["input", "change"])
				control.dispatchEvent(new Event(type, { bubbles: true }));
		}
		globalThis.filled = filled;
		return filled.length;
	}, within);
}

/** What is no longer as it was filled in. */
function overwritten(page) {
	return page.evaluate(() => globalThis.filled
		.filter(([control, value]) => !control.isConnected || (control.type === "checkbox" ? control.checked : control.value) !== value)
		.map(([control, value]) => `${control.outerHTML}: ${value} became ${control.value}`));
}

/** Each view: what says that all answers have come, and how many fields can be used before. */
const VIEWS = {
	buckets: { come: page => page.getByText("There are no buckets").or(page.locator("tbody tr")).first().waitFor({ state: "attached" }), fields: 1 },
	"objects/late": { come: page => page.getByText(/^\d+ listed$/).waitFor(), fields: 2 },
	"object/late/a.txt": { come: page => page.locator("iframe").waitFor(), fields: 2 },
	"settings/late": { come: page => page.getByText(`${server.store}/late`).waitFor(), fields: 0 },
	"cors/late": { come: page => page.locator(".rule").waitFor(), fields: 0 },
	callbacks: { come: page => page.getByText("No callback has been sent").or(page.locator(".callback")).first().waitFor(), fields: 1 },
	events: { come: page => page.getByText("There are no events").or(page.locator(".event")).first().waitFor(), fields: 2 },
	policy: { fields: 4 },
	figures: { come: page => page.getByText("since the start").first().waitFor(), fields: 0 },
};

for (const [view, { come, fields }] of Object.entries(VIEWS)) {
	test(`no late answer changes what was filled in: ${view}`, async t => {
		const page = await openIdle(t);
		const held = await holdAnswers(page, data);
		await goTo(page, view);
		if (come)
			await held.count(1);
		assert.equal(await fillAll(page, "#view"), fields);
		await held.release();
		await come?.(page);
		assert.deepEqual(await overwritten(page), []);
		// Now everything can be used; nothing has the name that was typed, and could be selected.
		assert.deepEqual(await page.locator("#view :is(input, select, textarea):disabled").evaluateAll(nodes =>
			nodes.filter(node => node.offsetParent && !node.closest(".object-row")).map(node => node.outerHTML)), []);
	});
}

test("the ACL can be chosen when the bucket's own is known, and is what is saved", async t => {
	await bucketWith("open", [], "public-read-write");
	const page = await openIdle(t);
	const loading = await holdAnswers(page, asks("GET", "/open/?"));
	await goTo(page, "settings/open");
	await loading.count(2);
	const save = page.getByRole("button", { name: "Save" });
	assert.equal(await aclSelect(page).isDisabled(), true);
	assert.equal(await save.isDisabled(), true);
	await loading.release();
	await page.locator("select:enabled").and(aclSelect(page)).waitFor();
	assert.equal(await aclSelect(page).inputValue(), "public-read-write");

	await aclSelect(page).selectOption("private");
	const saving = await holdAnswers(page, data);
	await save.click();
	await saving.count(1);
	assert.equal(await aclSelect(page).isDisabled(), true);
	assert.equal(await save.isDisabled(), true);
	assert.equal(await page.getByText("Saved.").count(), 0);
	await saving.release();
	await page.getByText("Saved.").waitFor();
	assert.equal(await aclSelect(page).isEnabled(), true);
	assert.equal(await aclSelect(page).inputValue(), "private");
	assert.equal(await aclOf("open"), "private");
	assert.equal(await save.evaluate(node => node === document.activeElement), true);
});

test("settings that cannot be read are not there to be saved, until they are read", async t => {
	await bucketWith("unread", [], "public-read");
	const page = await openConsole(t, browser, server);
	await page.route(`${server.store}/unread/*`, route => route.abort());
	await goTo(page, "settings/unread");
	await page.getByRole("alert").waitFor();
	assert.equal(await aclSelect(page).isDisabled(), true);
	await page.unrouteAll();
	await page.getByRole("button", { name: "Try again" }).click();
	await page.getByText(`${server.store}/unread`).waitFor();
	assert.equal(await aclSelect(page).inputValue(), "public-read");
	assert.equal(await page.getByRole("alert").count(), 0);
});

test("CORS rules can be changed when they are there, and not while they are saved", async t => {
	await bucketWith("ruled", []);
	await putCors("ruled", "https://old.example.com");
	const page = await openIdle(t);
	const loading = await holdAnswers(page, data);
	await goTo(page, "cors/ruled");
	await loading.count(1);
	for (const name of ["Create rule", "Preset: browser upload", "Save rules", "Test"])
		assert.equal(await page.getByRole("button", { name, exact: true }).isDisabled(), true, name);
	assert.equal(await page.getByText("There are no rules.").isVisible(), false);
	await loading.release();
	const origins = page.getByLabel("Sources");
	await origins.fill("https://new.example.com");
	const saving = await holdAnswers(page, data);
	const save = page.getByRole("button", { name: "Save rules" });
	await save.click();
	await saving.count(1);
	assert.equal(await origins.isDisabled(), true);
	assert.equal(await save.isDisabled(), true);
	await saving.release();
	await page.getByText("Saved. The rules are in force").waitFor();
	assert.equal(await origins.isEnabled(), true);
	assert.equal(await originOf("ruled"), "https://new.example.com");

	const testing = await holdAnswers(page, data);
	await page.getByRole("button", { name: "Test", exact: true }).click();
	await testing.count(1);
	assert.equal(await page.getByLabel("Origin of the page").isDisabled(), true);
	assert.equal(await origins.isEnabled(), true);
	await testing.release();
	await page.locator(".preflight pre").waitFor();
	assert.equal(await page.getByLabel("Origin of the page").isEnabled(), true);
});

test("an object's headers cannot be changed while they are saved", async t => {
	await bucketWith("heads", ["h.txt"]);
	const page = await openConsole(t, browser, server, "object/heads/h.txt");
	await page.getByLabel("cache-control").fill("no-store");
	const saving = await holdAnswers(page, data);
	await page.getByRole("button", { name: "Save headers" }).click();
	await saving.count(1);
	assert.equal(await page.getByLabel("cache-control").isDisabled(), true);
	assert.equal(await page.getByLabel("User metadata").isDisabled(), true);
	await saving.release();
	await page.getByText("Saved.").waitFor();
	assert.equal(await page.locator(".facts").getByText("no-store").count(), 1);
	assert.equal(await page.getByLabel("cache-control").isEnabled(), true);
});

test("a copy is what was asked for when the button was pressed", async t => {
	await bucketWith("copies", ["from.txt"]);
	const page = await openConsole(t, browser, server, "object/copies/from.txt");
	await page.getByRole("button", { name: "Copy or move" }).click();
	const dialog = page.getByRole("dialog");
	const name = dialog.getByLabel("Name of the copy");
	await name.fill("to.txt");
	const copying = await holdAnswers(page, data);
	await name.press("Enter");
	await copying.count(1);
	for (const control of [name, dialog.getByLabel("To bucket"), dialog.getByLabel("Delete the original"),
		dialog.getByRole("button", { name: "Copy" })])
		assert.equal(await control.isDisabled(), true);
	await copying.release();
	await page.getByRole("heading", { name: "to.txt" }).waitFor();
	assert.equal((await request(server.store, "HEAD", "copies", "from.txt")).status, 200);
});

test("a view that is left takes its dialog and its answers with it", async t => {
	await bucketWith("left", ["from.txt"]);
	const page = await openIdle(t);
	await goTo(page, "object/left/from.txt");
	await page.getByRole("button", { name: "Copy or move" }).click();
	await page.getByRole("dialog").getByLabel("Name of the copy").fill("to.txt");
	const copying = await holdAnswers(page, asks("PUT", ""));
	await page.getByRole("dialog").getByRole("button", { name: "Copy" }).click();
	await copying.count(1);
	await page.goBack();
	await page.getByLabel("Policy or form").fill("typed");
	assert.equal(await page.getByRole("dialog").count(), 0);
	await copying.release();
	await page.evaluate(() => fetch("console/config.json"));
	assert.match(page.url(), /#\/policy$/);
	assert.equal(await page.getByLabel("Policy or form").inputValue(), "typed");
});

test("a bucket is created as it was when the button was pressed; a dialog that is closed does not hide it", async t => {
	const page = await openConsole(t, browser, server);
	await page.getByRole("link", { name: "late", exact: true }).waitFor();
	const dialog = page.getByRole("dialog");
	const create = async name => {
		await page.getByRole("button", { name: "Create bucket" }).click();
		await dialog.getByLabel("Name").fill(name);
		const creating = await holdAnswers(page, asks("PUT", ""));
		await dialog.getByLabel("Name").press("Enter");
		await creating.count(1);
		return creating;
	};
	const creating = await create("made");
	assert.equal(await dialog.getByLabel("Name").isDisabled(), true);
	assert.equal(await aclSelect(page).isDisabled(), true);
	await creating.release();
	await page.getByRole("link", { name: "made", exact: true }).waitFor();

	const stopped = await create("stopped");
	await dialog.getByRole("button", { name: "Cancel" }).click();
	await page.getByRole("link", { name: "stopped", exact: true }).waitFor();
	await stopped.release();
});

test("what is new is said when it is shown", async t => {
	const page = await openConsole(t, browser, server);
	await page.getByRole("link", { name: "late", exact: true }).waitFor();
	await page.getByRole("button", { name: "Create bucket" }).click();
	await page.getByRole("dialog").getByLabel("Name").fill("said");
	const listing = await holdAnswers(page, asks("GET", "max-keys=1000"));
	await page.getByRole("dialog").getByLabel("Name").press("Enter");
	await listing.count(1);
	assert.equal(await page.getByText("Bucket said was created.").count(), 0);
	await listing.release();
	await page.getByText("Bucket said was created.").waitFor({ state: "attached" });
	assert.equal(await page.getByRole("link", { name: "said", exact: true }).count(), 1);
});

test("a bucket can be deleted when it is known what is in it", async t => {
	await bucketWith("full", ["inside.txt"]);
	const page = await openConsole(t, browser, server, "settings/full");
	const looking = await holdAnswers(page, asks("GET", "list-type=2"));
	await page.getByRole("button", { name: "Delete bucket" }).click();
	const dialog = page.getByRole("dialog");
	const go = dialog.getByRole("button", { name: "Delete", exact: true });
	await looking.count(1);
	assert.equal(await go.isDisabled(), true);
	await looking.release();
	await dialog.getByText("inside.txt").waitFor();
	await dialog.locator("button[type=submit]:enabled").waitFor();
	assert.equal(await go.isEnabled(), true);
});

test("an older list of buckets does not replace a newer one", async t => {
	const page = await openIdle(t);
	const lists = await holdAnswers(page, asks("GET", "max-keys=1000"));
	await goTo(page, "buckets");
	await lists.count(1);
	await page.getByRole("button", { name: "Create bucket" }).click();
	await page.getByRole("dialog").getByLabel("Name").fill("newest");
	await page.getByRole("dialog").getByLabel("Name").press("Enter");
	await lists.count(2);
	await lists.releaseOne(1);
	await page.getByRole("link", { name: "newest", exact: true }).waitFor();
	await lists.release();
	await page.evaluate(() => fetch("console/config.json"));
	assert.equal(await page.getByRole("link", { name: "newest", exact: true }).count(), 1);
});

test("an older search of objects does not replace a newer one, nor can its rows be used", async t => {
	await bucketWith("sought", ["apple.txt", "apricot.txt", "banana.txt"]);
	const page = await openConsole(t, browser, server, "objects/sought");
	await page.getByText("3 listed").waitFor();
	await page.getByLabel("Select banana.txt").check();
	const searches = await holdAnswers(page, asks("GET", "/sought/?"));
	const search = page.getByLabel("Name begins with");
	await search.fill("ap");
	await searches.count(1);
	await page.getByText("Loading").waitFor();
	assert.deepEqual(await shownNames(page), []);
	assert.equal(await page.getByLabel("Select all that are listed").isDisabled(), true);
	assert.equal(await page.getByRole("button", { name: "Delete" }).isDisabled(), true);
	await search.fill("apr");
	await searches.count(2);
	await searches.releaseOne(1);
	await page.getByText("1 listed").waitFor();
	await searches.release();
	await page.evaluate(() => fetch("console/config.json"));
	assert.deepEqual(await shownNames(page), ["apricot.txt"]);
	assert.equal(await search.inputValue(), "apr");
});

test("a search that was still being typed does not take back a link that was followed", async t => {
	await bucketWith("typing", ["dir/a.txt", "top.txt"]);
	const page = await openConsole(t, browser, server);
	await goTo(page, "objects/typing/dir/");
	await page.getByRole("link", { name: "a.txt" }).waitFor();
	// The timer's turn comes after the click, and before the event that tells of the new address.
	await page.evaluate(() => {
		globalThis.typing = [];
		globalThis.setTimeout = job => globalThis.typing.push(job);
	});
	await page.getByLabel("Name begins with").fill("a");
	const address = await page.evaluate(() => {
		document.querySelector(".crumbs a").click();
		for (const job of globalThis.typing)
			job();
		return location.hash;
	});
	assert.equal(address, "#/objects/typing");
	await page.getByRole("link", { name: "top.txt" }).waitFor();
});

test("what is selected stays selected when uploads make the list come anew", async t => {
	await bucketWith("kept", ["a.txt", "b.txt", "z.txt"]);
	const page = await openConsole(t, browser, server, "objects/kept");
	await page.getByLabel("Select b.txt").check();
	const lists = await holdAnswers(page, asks("GET", "/kept/?"));
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("m.txt", 10)]);
	await lists.count(1);
	await page.getByLabel("Select z.txt").check();
	await page.getByText("2 of 3 selected").waitFor();
	await request(server.store, "DELETE", "kept", "b.txt");
	await lists.release();
	await page.getByRole("link", { name: "m.txt" }).waitFor();
	await page.getByText("2 of 4 selected").waitFor();
	assert.equal(await page.getByRole("row", { selected: true }).count(), 2);
	await page.getByRole("button", { name: "Delete" }).click();
	assert.deepEqual(await page.getByRole("dialog").getByRole("listitem").allInnerTexts(), ["b.txt", "z.txt"]);
});

test("steady uploads do not keep a slow list from ever being shown", async t => {
	await bucketWith("steady", ["first.txt"]);
	const page = await openIdle(t);
	const lists = await holdAnswers(page, asks("GET", "/steady/?"));
	await goTo(page, "objects/steady");
	await lists.count(1);
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Upload files" }).click()]);
	await chooser.setFiles([testFile("second.txt", 10)]);
	await page.getByText("1 of 1 done, 0 failed").first().waitFor();
	// The list that the upload asked for waits for the first one.
	await page.waitForTimeout(400);
	await lists.releaseOne(0);
	await page.getByRole("link", { name: "first.txt" }).waitFor();
	await lists.count(1);
	await lists.release();
	await page.getByRole("link", { name: "second.txt" }).waitFor();
});

test("whatever is said of the list is seen in it already", async t => {
	await bucketWith("atonce", ["a.txt", "b.txt", "c.txt"]);
	const page = await openConsole(t, browser, server);
	// In the same instant in which the text changes: what waits for the next frame is late.
	await page.evaluate(() => {
		globalThis.seen = [];
		new MutationObserver(() => {
			const text = document.querySelector(".count")?.textContent;
			if (text && text !== globalThis.seen.at(-1)?.[0])
				globalThis.seen.push([text, document.querySelectorAll(".object-row[id]:not([hidden])").length,
					document.querySelectorAll("[aria-selected=true]").length,
					document.querySelectorAll(".object-row[id] input:checked").length,
					document.querySelector("button.danger").disabled]);
		}).observe(document.getElementById("view"), { subtree: true, childList: true, characterData: true });
	});
	await goTo(page, "objects/atonce");
	await page.getByText("3 listed").waitFor();
	await page.getByRole("grid").focus();
	await page.keyboard.press("Space");
	await page.getByText("1 of 3 selected").waitFor();
	await page.keyboard.press("Control+a");
	await page.getByText("3 of 3 selected").waitFor();
	await page.keyboard.press("Control+a");
	await page.getByText("3 listed").waitFor();
	assert.deepEqual(await page.evaluate(() => globalThis.seen), [
		["Loading…", 0, 0, 0, true], ["3 listed", 3, 0, 0, true], ["1 of 3 selected", 3, 1, 1, false],
		["3 of 3 selected", 3, 3, 3, false], ["3 listed", 3, 0, 0, true],
	]);
});

test("callbacks stand in their order, whichever answer comes first", async t => {
	const page = await openIdle(t);
	await makeCallback("callback-1.txt");
	await goTo(page, "callbacks");
	await page.getByText("callback-1.txt").waitFor();
	await page.getByLabel("Keep up to date").uncheck();
	const reading = await holdAnswers(page, asks("GET", "/callbacks?"));
	await makeCallback("callback-2.txt");
	await page.getByRole("button", { name: "Refresh" }).click();
	await reading.count(1);
	await page.getByRole("button", { name: "Send again: callback-1.txt" }).click();
	await page.locator(".callback").nth(1).waitFor();
	await reading.release();
	await page.getByText("callback-2.txt").waitFor();
	assert.deepEqual(await page.locator(".callback .title a").allInnerTexts(),
		["uploads/callback-1.txt", "uploads/callback-2.txt", "uploads/callback-1.txt"]);
});

test("figures that come late make no wrong rates", async t => {
	const page = await openPage(t, browser, null, { locale: "en-GB" });
	await page.clock.install();
	await page.goto(`${server.console}/#/policy`);
	await page.getByLabel("Policy or form").waitFor();
	const reading = await holdAnswers(page, asks("GET", "/metrics"));
	let asked = 0;
	page.on("request", sent => {
		asked += Number(sent.url().endsWith("/metrics"));
	});
	await page.clock.pauseAt(Date.now() + 3600_000);
	await goTo(page, "figures");
	await reading.count(1);
	await page.clock.runFor(20_000);
	await page.evaluate(() => fetch("console/config.json"));
	assert.equal(asked, 1);
	await reading.release();
	await page.getByText("since the start").first().waitFor();
});

test("log-on: what was typed stays while it is tried, and who goes elsewhere meanwhile is not disturbed", async t => {
	const page = await openPage(t, browser, `${server.console}/#/buckets`, { locale: "en-GB" });
	const trying = await holdAnswers(page, data);
	await page.getByLabel("Access key ID").fill(server.key.id);
	await page.getByLabel("Access key secret").fill(server.key.secret);
	await page.getByRole("button", { name: "Log on" }).click();
	await trying.count(1);
	assert.equal(await page.getByLabel("Access key ID").isDisabled(), true);
	await goTo(page, "policy");
	await page.getByLabel("Policy or form").fill("typed");
	await trying.release();
	await page.evaluate(() => fetch("console/config.json"));
	assert.equal(await page.getByLabel("Policy or form").inputValue(), "typed");
	await goTo(page, "buckets");
	await logOn(page, server.key);
});
