// SPDX-License-Identifier: Apache-2.0
// All buckets: what is in them, and making a new one.
import { ACLS, bucketStat, createBucket, listBuckets } from "../oss/buckets.js";
import { button, el, field, fill, plain, select } from "../dom.js";
import { ask } from "../dialog.js";
import * as format from "../format.js";
import { say, showError } from "../notice.js";
import { route } from "../router.js";
import { askDeleteBucket } from "./delete_bucket.js";

/** @typedef {import("../app.js").App} App */

/** How many buckets are counted at a time. */
const COUNTING = 4;

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, _, signal) {
	const body = el("tbody");
	const news = el("div");
	const none = el("p", { class: "empty", t: "buckets.none", hidden: true });
	const table = el("table", {}, el("caption", { class: "unseen", t: "buckets.title" }),
		el("thead", {}, el("tr", {}, ...["name", "objects", "size", "created"].map(
			name => el("th", { scope: "col", t: `buckets.${name}`, class: `column-${name}` })),
		el("td", {}, el("span", { class: "unseen", t: "buckets.actions" })))), body);
	const filter = el("input", { type: "search", tLabel: "buckets.filter", tPlaceholder: "buckets.filter",
		on: { input: () => narrow(body, filter.value) } });
	fill(root, el("div", { class: "title" }, el("h1", { t: "buckets.title" }),
		el("div", { class: "buttons" }, filter, button({
			class: "primary", t: "buckets.create", on: { click: create },
		}))), news, el("div", { class: "card scroll", role: "region", tLabel: "buckets.title", tabindex: "0" }, table, none));

	/** Counts the lists that were begun: an older one that comes later is no news. */
	let turns = 0;

	async function load() {
		const turn = ++turns;
		try {
			const buckets = await listBuckets(app.client, signal);
			if (turn !== turns)
				return;
			fill(news);
			const rows = buckets.map(bucket => row(bucket, () => remove(bucket.name)));
			fill(body, ...rows.map(({ node }) => node));
			none.hidden = buckets.length > 0;
			table.hidden = buckets.length === 0;
			narrow(body, filter.value);
			count(app, buckets.map(({ name }) => name), rows, signal).catch(error => {
				if (turn === turns)
					showError(news, error);
			});
		} catch (error) {
			if (turn === turns)
				showError(news, error, load);
		}
	}

	async function create() {
		const name = el("input", { required: true, pattern: "[a-z0-9][a-z0-9\\-]{1,61}[a-z0-9]", spellcheck: "false" });
		const acl = select(ACLS.map(value => [value, `acl.${value}`]), {});
		const end = await ask({
			title: "buckets.createTitle", action: "buckets.create", view: signal,
			content: [field("buckets.name", name, "buckets.nameRule"), field("bucket.acl", acl, "acl.hint")],
			run: stop => createBucket(app.client, name.value, acl.value, stop),
		});
		await settle(end, "buckets.madeNamed", name.value);
	}

	/** @param {string} name */
	async function remove(name) {
		await settle(await askDeleteBucket(app, name, signal), "buckets.deleted", name);
	}

	/** @param {import("../dialog.js").End} end @param {string} text @param {string} name */
	async function settle(end, text, name) {
		if (end)
			await load();
		if (end === "done")
			say(text, name);
	}

	load();
}

/** @param {import("../oss/buckets.js").Bucket} bucket @param {() => void} remove */
function row({ name, created }, remove) {
	const objects = el("td", { class: "number column-objects" }, "…");
	const size = el("td", { class: "number column-size" }, "…");
	const link = (/** @type {string} */ view) => el("a", {
		href: route(view, name), t: `bucket.${view}`, tLabel: [`bucket.${view}Of`, name],
	});
	const node = el("tr", { "data-name": name },
		el("th", { scope: "row", class: "column-name" }, el("a", { href: route("objects", name) }, name)),
		objects, size, el("td", { class: "column-created", t: ["plain", () => format.time(created)] }),
		el("td", { class: "actions" }, link("cors"), link("settings"),
			button({ class: "quiet", t: "buckets.delete", tLabel: ["buckets.deleteNamed", name], on: { click: remove } })));
	return { node, objects, size };
}

/**
 * Counting takes the store a while: the table is there first.
 * @param {App} app @param {string[]} names
 * @param {{objects: HTMLElement, size: HTMLElement}[]} rows @param {AbortSignal} signal
 */
async function count(app, names, rows, signal) {
	let next = 0;
	const worker = async () => {
		while (next < names.length) {
			const at = next++;
			const stat = await bucketStat(app.client, names[at], signal);
			plain(rows[at].objects, format.number(stat.objects));
			plain(rows[at].size, format.size(stat.bytes));
		}
	};
	await Promise.all(Array.from({ length: COUNTING }, worker));
}

/** @param {HTMLElement} body @param {string} text */
function narrow(body, text) {
	for (const row of body.querySelectorAll("tr"))
		row.hidden = !row.getAttribute("data-name")?.includes(text.trim().toLowerCase());
}
