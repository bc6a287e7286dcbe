// SPDX-License-Identifier: Apache-2.0
// The events of the application server: what waits, what was delivered, and what was given up. Each
// of those that ended can be delivered again, and all dead letters at once.
import { ask } from "../dialog.js";
import { button, check, el, fill, label, plain, select } from "../dom.js";
import * as format from "../format.js";
import { say, showError } from "../notice.js";
import { route } from "../router.js";

/**
 * @typedef {object} Event
 * @property {string} id @property {string} type @property {string} subject @property {string} time
 * @property {string} state @property {number} tries @property {string} fault
 * @property {string} due @property {string} ended
 * @property {string} [event] JSON, of one that was asked for by its id
 */

/**
 * An event in the list.
 * @typedef {object} Row
 * @property {HTMLElement} node
 * @property {(event: Event) => void} show
 */

const PAGE = 50;
const SHOWN = 500;
const EVERY_MS = 3000;
const STATES = ["waiting", "dead", "delivered", "kept"];

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, _route, signal) {
	/** @type {Map<string, Row>} */
	const rows = new Map();
	const list = el("ol", { class: "callbacks", tLabel: "events.title" });
	const none = el("p", { class: "empty", t: "events.none", hidden: true });
	const news = el("div");
	const depth = el("p", { class: "events-depth", role: "status" });
	const older = button({ t: "events.older", hidden: true, on: { click: () => {
		wanted += PAGE;
		refresh();
	} } });
	const state = select([["", "events.any"], ...STATES.map(name => /** @type {[string, string]} */ ([name, `events.state.${name}`]))],
		{ tLabel: "events.filter", on: { change: () => {
			wanted = PAGE;
			refresh();
		} } });
	const live = el("input", { type: "checkbox" });
	live.checked = true;
	const all = button({ t: "events.replayAll", on: { click: replayAll } });
	fill(root, el("div", { class: "title" }, el("h1", { t: "events.title" }), el("div", { class: "buttons" },
		state, check("events.live", live), button({ t: "events.refresh", on: { click: refresh } }), all)),
	el("p", { class: "quiet-text", t: "events.intro" }), depth, news, none, list,
	el("div", { class: "buttons" }, older));
	let wanted = PAGE;

	/** Their state changes: all that are shown are read again. */
	async function read() {
		const filter = state.value;
		/** @type {Event[]} */
		const events = [];
		let after = "";
		do {
			const query = { limit: String(PAGE), ...filter && { state: filter }, ...after && { after } };
			const response = await app.service.send("GET", { path: "/events", query, signal });
			const page = /** @type {{events: Event[], next: string}} */ (await response.json());
			events.push(...page.events);
			after = page.next;
		} while (after && events.length < wanted);
		// Something else was chosen meanwhile: that has been asked for, too.
		if (filter !== state.value)
			return;
		show(events);
		older.hidden = !after || wanted >= SHOWN;
	}

	/** @type {Promise<void> | null} */
	let loading = null;

	/** One answer at a time: those of a slow server would come together. */
	function load() {
		loading ??= read().then(() => fill(news), error => showError(news, error)).finally(() => {
			loading = null;
		});
		return loading;
	}

	/** Asked from now on, not a while ago. */
	async function refresh() {
		await loading;
		await load();
	}

	/** @param {Event[]} events the newest first */
	function show(events) {
		const ids = new Set(events.map(({ id }) => id));
		for (const [id, { node }] of rows)
			if (!ids.has(id)) {
				node.remove();
				rows.delete(id);
			}
		/** @type {HTMLElement | null} */
		let before = null;
		for (const event of events) {
			const row = rows.get(event.id) ?? makeRow(event, app, signal);
			rows.set(event.id, row);
			row.show(event);
			/** @type {Element | null} */
			const place = before ? before.nextElementSibling : list.firstElementChild;
			if (place !== row.node)
				list.insertBefore(row.node, place);
			before = row.node;
		}
		none.hidden = rows.size > 0;
	}

	async function replayAll() {
		const end = await ask({ title: "events.replayAll", content: [el("p", { t: "events.replayAllWhat" })],
			action: "events.replayAll", view: signal, run: async () => {
				const response = await app.service.send("POST", { path: "/events/replay" });
				const { replayed } = await response.json();
				say("events.replayedAll", String(replayed));
			} });
		if (end)
			refresh();
	}

	function showDepth() {
		const last = app.samples.all[app.samples.all.length - 1];
		if (!last)
			return;
		const value = (/** @type {string} */ name) => last.values.get(`postern_app_events_${name}`) ?? 0;
		const oldest = value("oldest_seconds");
		label(depth, ["events.depth", () => format.number(value("waiting")),
			() => oldest ? format.distance(-oldest * 1000) : "–", () => format.number(value("dead"))]);
	}
	app.samples.addEventListener("change", showDepth, { signal });
	app.samples.watch(signal);
	showDepth();

	const timer = setInterval(() => {
		if (live.checked && !document.hidden)
			load();
	}, EVERY_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
	load();
}

/**
 * Keeps its element, so that what is open in it stays so.
 * @param {Event} event @param {import("../app.js").App} app @param {AbortSignal} signal @returns {Row}
 */
function makeRow({ id, type, subject, time }, app, signal) {
	const path = `/events/${id}`;
	const verdict = el("span", { class: "verdict" });
	const what = el("p", { class: "quiet-text" });
	const fault = el("p", { class: "verdict bad" });
	const problem = el("div");
	const json = el("pre", { tabindex: "0", tLabel: "events.json" });
	const again = button({ t: "events.replay", tLabel: ["events.replayNamed", id], on: { click: replay } });
	const details = el("details", { on: { toggle: open } }, el("summary", { t: "events.json" }), json);
	const isObject = type.startsWith("postern.upload.");
	const node = el("li", { class: "card callback event", "data-id": id },
		el("div", { class: "title" }, el("p", {}, verdict, " ", el("span", {}, subject)),
			el("div", { class: "buttons" }, again)),
		what, fault, details, problem);

	/** @param {Event} event */
	function show(event) {
		node.setAttribute("data-state", event.state);
		node.setAttribute("data-ok", String(event.state !== "dead"));
		label(verdict, `events.state.${event.state}`);
		verdict.classList.toggle("bad", event.state === "dead");
		verdict.classList.toggle("good", event.state === "delivered");
		label(what, ["events.what", id, type, () => format.time(time), event.tries]);
		plain(fault, event.state === "delivered" ? "" : event.fault);
		fault.hidden = !fault.textContent;
		again.hidden = event.state === "waiting" || event.state === "kept";
		if (event.event)
			showJson(event.event);
	}

	/** @param {string} text */
	function showJson(text) {
		const event = JSON.parse(text);
		const { bucket, object } = event.data;
		plain(json, JSON.stringify(event, null, 2));
		if (isObject && bucket && !details.querySelector("a"))
			details.append(el("p", {}, el("a", { href: route("object", bucket, object), t: "events.object" })));
	}

	async function open() {
		if (!details.open || json.textContent)
			return;
		try {
			const event = /** @type {Event} */ (await (await app.service.send("GET", { path, signal })).json());
			showJson(/** @type {string} */ (event.event));
			fill(problem);
		} catch (error) {
			showError(problem, error, open);
		}
	}

	async function replay() {
		again.disabled = true;
		try {
			show(await (await app.service.send("POST", { path: `${path}/replay` })).json());
			fill(problem);
			say("events.replayed");
		} catch (error) {
			showError(problem, error);
		}
		again.disabled = false;
	}
	return { node, show };
}
