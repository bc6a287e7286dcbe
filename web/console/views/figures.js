// SPDX-License-Identifier: Apache-2.0
// Live figures: what the server is doing, from the numbers that Prometheus reads too.
import { chart } from "../chart.js";
import { el, fill, label } from "../dom.js";
import * as format from "../format.js";
import { showError } from "../notice.js";
import { EVERY_MS, KEPT, rates } from "../samples.js";
import { scrubPanel } from "../scrub_panel.js";

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} metric
 * @property {boolean} [level] what it is now, not how fast it grows
 * @property {boolean} [bytes]
 */

/** @type {Figure[]} */
const FIGURES = [
	{ name: "requests", metric: "postern_requests_total" },
	{ name: "uploads", metric: "postern_store_uploads_total" },
	{ name: "callbacks", metric: "postern_store_callbacks_total" },
	{ name: "callbacksFailed", metric: "postern_store_callbacks_failed_total" },
	{ name: "errors", metric: "postern_store_errors_total" },
	{ name: "received", metric: "postern_received_body_bytes_total", bytes: true },
	{ name: "sent", metric: "postern_sent_bytes_total", bytes: true },
	{ name: "connections", metric: "postern_connections", level: true },
	{ name: "objects", metric: "postern_store_objects", level: true },
	{ name: "disk", metric: "postern_store_disk_bytes", level: true, bytes: true },
];

/** @type {import("../app.js").View["mount"]} */
export function mount(root, { samples }, _route, signal) {
	const news = el("div");
	const panels = FIGURES.map(figure => {
		const now = el("p", { class: "figure-now", t: "figures.waiting" });
		const total = el("p", { class: "quiet-text" });
		const { node, draw } = chart(KEPT);
		return { figure, now, total, draw, node: el("li", { class: "card figure", "data-figure": figure.name },
			el("h2", { t: `figures.${figure.name}` }), now, node, total) };
	});
	const scrub = scrubPanel();
	fill(root, el("h1", { t: "figures.title" }),
		el("p", { class: "quiet-text", t: ["figures.intro", EVERY_MS / 1000, KEPT * EVERY_MS / 60000] }), news,
		scrub.node, el("ul", { class: "figures", tLabel: "figures.title" }, ...panels.map(({ node }) => node)));

	function show() {
		fill(news);
		if (samples.error)
			showError(news, samples.error);
		const last = samples.all[samples.all.length - 1];
		if (!last)
			return;
		scrub.show(last.values);
		for (const { figure, now, total, draw, node } of panels) {
			const value = last.values.get(figure.metric);
			node.hidden = value === undefined;
			if (value === undefined)
				continue;
			const text = (/** @type {number} */ amount) => figure.bytes ? format.size(amount) : format.number(rounded(amount));
			const line = figure.level ? samples.all.map(({ values }) => values.get(figure.metric) ?? 0)
				: rates(samples.all, figure.metric);
			draw(line);
			const current = line[line.length - 1];
			if (figure.level)
				label(now, ["plain", () => text(value)]);
			else if (current !== undefined)
				label(now, ["figures.perSecond", () => text(current)]);
			if (!figure.level)
				label(total, ["figures.total", () => text(value)]);
		}
	}

	samples.addEventListener("change", show, { signal });
	samples.watch(signal);
	show();
}

/** @param {number} value */
function rounded(value) {
	return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
