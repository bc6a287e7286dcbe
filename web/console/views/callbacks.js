// SPDX-License-Identifier: Apache-2.0
// The callbacks that the store sent: where to, what came back, and why one failed. Each can be sent
// again.
import { button, check, el, fill } from "../dom.js";
import * as format from "../format.js";
import { readNewer } from "../newer.js";
import { say, showError } from "../notice.js";
import { route } from "../router.js";

/** @typedef {{url: string, status: number, ms: number, error: string}} Try */
/**
 * @typedef {object} Callback
 * @property {string} id @property {string} time @property {string} bucket @property {string} object
 * @property {string} event @property {number} size @property {Try[]} tries @property {boolean} ok
 * @property {string} answer @property {boolean} answer_truncated
 * @property {boolean} sendable whether its message was kept
 */

const PAGE = "50";
// As many as the store keeps; what is older goes from the list, too.
const SHOWN = 1000;
const EVERY_MS = 3000;

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, _route, signal) {
	/** @type {Set<string>} */
	const shown = new Set();
	const list = el("ol", { class: "callbacks", tLabel: "callbacks.title" });
	const none = el("p", { class: "empty", t: "callbacks.none", hidden: true });
	const news = el("div");
	const older = button({ t: "callbacks.older", hidden: true, on: { click: loadOlder } });
	const live = el("input", { type: "checkbox" });
	live.checked = true;
	fill(root, el("div", { class: "title" }, el("h1", { t: "callbacks.title" }), el("div", { class: "buttons" },
		check("callbacks.live", live), button({ t: "callbacks.refresh", on: { click: refresh } }))),
	el("p", { class: "quiet-text", t: "callbacks.intro" }), news, none, list,
	el("div", { class: "buttons" }, older));
	let next = "";
	/** The newest of the last list; all from there on are shown. Null until the first has come. @type {bigint | null} */
	let known = null;

	/** @param {string} after */
	async function read(after) {
		const query = { limit: PAGE, ...after && { after } };
		const response = await app.service.send("GET", { path: "/callbacks", query, signal });
		return /** @type {Promise<{callbacks: Callback[], next: string}>} */ (response.json());
	}

	/** @type {Promise<void> | null} */
	let loading = null;

	/** One answer at a time: those of a slow server would come together. */
	function loadNew() {
		loading ??= readNew().finally(() => {
			loading = null;
		});
		return loading;
	}

	/** Asked from now on, not a while ago. */
	async function refresh() {
		await loading;
		await loadNew();
	}

	async function readNew() {
		try {
			let newer;
			// Sent again, one may be here before the first list.
			if (known === null) {
				const page = await read("");
				next = page.next;
				newer = page.callbacks;
				known = 0n;
			} else {
				newer = await readNewer(read, known, SHOWN);
			}
			if (newer.length)
				known = BigInt(newer[0].id);
			for (const callback of newer)
				show(callback);
			fill(news);
			settle();
		} catch (error) {
			showError(news, error);
		}
	}

	async function loadOlder() {
		older.disabled = true;
		try {
			const page = await read(next);
			next = page.next;
			for (const callback of page.callbacks)
				show(callback);
			fill(news);
			settle();
		} catch (error) {
			showError(news, error);
		}
		older.disabled = false;
	}

	function settle() {
		while (shown.size > SHOWN) {
			const last = list.lastElementChild;
			shown.delete(last?.getAttribute("data-id") ?? "");
			last?.remove();
		}
		none.hidden = shown.size > 0;
		older.hidden = !next || shown.size === SHOWN;
	}

	/** Puts it where it belongs, the newest first; its answer may come late. @param {Callback} callback */
	function show(callback) {
		if (shown.has(callback.id))
			return;
		const node = record(callback, async (again, problem) => {
			again.disabled = true;
			try {
				const path = `/callbacks/${callback.id}/send`;
				const sent = await (await app.service.send("POST", { path })).json();
				show(sent);
				settle();
				fill(problem);
				say(sent.ok ? "callbacks.sentWell" : "callbacks.sentBadly");
			} catch (error) {
				showError(problem, error);
			}
			again.disabled = false;
		});
		const { id } = callback;
		const below = [...list.children].find(other => BigInt(other.getAttribute("data-id") ?? 0) < BigInt(id));
		list.insertBefore(node, below ?? null);
		shown.add(id);
	}

	const timer = setInterval(() => {
		if (live.checked && !document.hidden)
			loadNew();
	}, EVERY_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
	loadNew();
}

/**
 * @param {Callback} callback
 * @param {(button: HTMLButtonElement, problem: HTMLElement) => void} send
 */
function record(callback, send) {
	const { bucket, object, event, tries, ok } = callback;
	const problem = el("div");
	const again = button({ t: "callbacks.send", tLabel: ["callbacks.sendNamed", object],
		disabled: !callback.sendable, on: { click: () => send(again, problem) } });
	return el("li", { class: "card callback", "data-ok": String(ok), "data-id": callback.id },
		el("div", { class: "title" },
			el("p", {}, el("span", { class: `verdict ${ok ? "good" : "bad"}`, t: ok ? "callbacks.ok" : "callbacks.failed" }), " ",
				el("a", { href: route("object", bucket, object) }, `${bucket}/${object}`)),
			el("div", { class: "buttons" }, again)),
		el("p", { class: "quiet-text", t: ["callbacks.what", event, format.size(callback.size), () => format.time(callback.time)] }),
		el("ul", { class: "tries" }, ...tries.map(attempt => el("li", {}, el("code", {}, attempt.url), " ",
			el("span", { t: attempt.status ? ["callbacks.status", attempt.status, attempt.ms] : ["callbacks.noStatus", attempt.ms] }),
			attempt.error ? el("span", { class: "verdict bad" }, ` ${attempt.error}`) : null))),
		callback.answer ? el("details", {}, el("summary", { t: "callbacks.answer" }),
			el("pre", { tabindex: "0", tLabel: "callbacks.answer" }, callback.answer),
			callback.answer_truncated ? el("p", { class: "quiet-text", t: "callbacks.cut" }) : null) : null,
		problem);
}
