// SPDX-License-Identifier: Apache-2.0
// What the scrub, which checks all that is stored, has found; from the figures of /metrics.
import { el, fill } from "./dom.js";
import * as format from "./format.js";

/**
 * Hidden until a sample has figures of a scrub.
 * @returns {{node: HTMLElement, show: (values: Map<string, number>) => void}}
 */
export function scrubPanel() {
	const lines = el("div");
	const node = el("section", { class: "card", "data-panel": "scrub", hidden: true }, el("h2", { t: "scrub.title" }), lines);

	/** @param {Map<string, number>} values */
	function show(values) {
		const get = (/** @type {string} */ name) => values.get(`postern_store_scrub_${name}`) ?? 0;
		node.hidden = !values.has("postern_store_scrub_rate_bytes");
		if (node.hidden)
			return;
		const damaged = get("damaged");
		const total = get("pass_total_bytes");
		const ended = get("ended_seconds");
		fill(lines,
			el("p", { class: damaged ? "scrub-damaged" : "", role: damaged ? "alert" : "status",
				t: damaged ? ["scrub.damaged", () => format.number(damaged)] : "scrub.well" }),
			el("p", { class: "quiet-text", t: total
				? ["scrub.underWay", () => format.size(get("pass_bytes")), () => format.size(Math.max(total, get("pass_bytes")))]
				: "scrub.atRest" }),
			el("p", { class: "quiet-text", t: ended ? ["scrub.ended", () => format.time(ended * 1000)] : "scrub.notYet" }));
	}
	return { node, show };
}
