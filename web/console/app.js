// SPDX-License-Identifier: Apache-2.0
// Starts the console: who is logged on, and which view the address asks for.
import { Client } from "./oss/client.js";
import { button, el, fill, label, plain, select } from "./dom.js";
import { showError } from "./notice.js";
import { parseRoute, route } from "./router.js";
import { forgetKeys, keepKeys, readKeys } from "./session.js";
import { Samples } from "./samples.js";
import { language, setLanguage } from "./texts.js";
import { applyTheme, setTheme, theme } from "./theme.js";
import { Uploads } from "./uploads.js";
import { mountUploads } from "./uploads_panel.js";
import * as buckets from "./views/buckets.js";
import * as callbacks from "./views/callbacks.js";
import * as cors from "./views/cors.js";
import * as events from "./views/events.js";
import * as figures from "./views/figures.js";
import * as logon from "./views/logon.js";
import * as object from "./views/object.js";
import * as objects from "./views/objects.js";
import * as policy from "./views/policy.js";
import * as settings from "./views/settings.js";

/** @typedef {import("./oss/sign.js").Keys} Keys */
/** @typedef {{version: string, store: string, region: string, events: boolean}} Config */

/**
 * What every view has to do with.
 * @typedef {object} App
 * @property {Config} config
 * @property {Client} client the store
 * @property {Client} service the console's own port
 * @property {Uploads} uploads
 * @property {Samples} samples
 * @property {Keys | null} keys
 */

/**
 * @typedef {object} View
 * @property {(root: HTMLElement, app: App, route: import("./router.js").Route, signal: AbortSignal) => void} mount
 *   the signal says that the view is left
 */

/** @type {Record<string, View>} */
const VIEWS = { buckets, objects, object, settings, cors, policy, callbacks, events, figures };
/** Those that need no keys. */
const OPEN = new Set(["policy", "figures"]);
const NAV = ["buckets", "policy", "callbacks", "events", "figures"];
/** Views of a bucket belong to the first of the navigation. */
const PART_OF = /** @type {Record<string, string>} */ (
	{ objects: "buckets", object: "buckets", settings: "buckets", cors: "buckets" });

/** Not every process has events. @param {string} name @param {App} app */
const isThere = (name, app) => name !== "events" || app.config.events;

const top_ = /** @type {HTMLElement} */ (document.getElementById("top"));
const root = /** @type {HTMLElement} */ (document.getElementById("view"));
let leave = new AbortController();
let first = true;

async function start() {
	applyTheme();
	const config = await readConfig();
	const keys = readKeys();
	const app = makeApp(config, keys);
	if (keys)
		mountUploads(/** @type {HTMLElement} */ (document.getElementById("uploads")), app.uploads);
	mountTop(app);
	addEventListener("hashchange", () => show(app));
	show(app);
}

/** @returns {Promise<Config>} */
async function readConfig() {
	const response = await fetch("console/config.json", { cache: "no-store" });
	if (!response.ok)
		throw new Error(`config.json: HTTP ${response.status}`);
	return response.json();
}

/** @param {Config} config @param {Keys | null} keys @returns {App} */
function makeApp(config, keys) {
	const who = { region: config.region, keys: keys ?? { id: "", secret: "" } };
	const client = new Client({ url: config.store, ...who });
	const service = new Client({ url: location.origin, ...who });
	return { config, client, service, keys, uploads: new Uploads(client), samples: new Samples() };
}

/** @param {App} app */
function show(app) {
	const at = parseRoute(location.hash);
	const name = at.view in VIEWS && isThere(at.view, app) ? at.view : "buckets";
	leave.abort();
	leave = new AbortController();
	const view = app.keys || OPEN.has(name) ? VIEWS[name] : { mount: mountLogon };
	fill(root);
	root.setAttribute("data-view", app.keys || OPEN.has(name) ? name : "logon");
	view.mount(root, app, at, leave.signal);
	for (const link of top_.querySelectorAll("nav a"))
		if (link.getAttribute("href") === route(PART_OF[name] ?? name))
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	const heading = root.querySelector("h1")?.textContent ?? "";
	document.title = heading ? `${heading} · postern` : "postern";
	// Who moves with the keyboard goes on in the new view.
	if (!first && !root.contains(document.activeElement))
		root.focus({ preventScroll: true });
	first = false;
}

/** @type {View["mount"]} */
function mountLogon(place, app, _route, signal) {
	logon.mount(place, app, signal, keys => {
		keepKeys(keys);
		location.reload();
	});
}

/** @param {App} app */
function mountTop(app) {
	const nav = el("nav", { tLabel: "nav.label" },
		...NAV.filter(name => isThere(name, app)).map(name => el("a", { href: route(name), t: `nav.${name}` })));
	const languages = el("button", { type: "button", class: "quiet", lang: "zh",
		on: { click: () => setLanguage(language() === "en" ? "zh" : "en") } });
	label(languages, "nav.otherLanguage");
	const themes = select([["system", "theme.system"], ["light", "theme.light"], ["dark", "theme.dark"]], {
		class: "quiet", tLabel: "theme.label", value: theme(),
		on: { change: () => setTheme(themes.value) },
	});
	const who = el("span", { class: "who", tTitle: "nav.key" });
	plain(who, app.keys?.id ?? "");
	fill(top_, el("a", { class: "brand", href: route("buckets") }, "postern"), nav,
		el("div", { class: "tools" }, app.keys && who, languages, themes, app.keys ? button({
			class: "quiet", t: "nav.logOff", on: { click: () => {
				app.uploads.batch.cancel();
				forgetKeys();
			} },
		}) : el("a", { href: route("buckets"), t: "logon.button" })));
}

start().catch(error => showError(root, error));
