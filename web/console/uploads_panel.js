// SPDX-License-Identifier: Apache-2.0
// The uploads, below whatever view is shown.
import { EN, ZH, explain } from "../client/texts.js";
import { isAtRest } from "../client/states.js";
import { button, el, fill, label, plain } from "./dom.js";
import * as format from "./format.js";
import { say } from "./notice.js";
import { Rows } from "./rows.js";
import { language, t } from "./texts.js";

/** @typedef {import("./uploads.js").Entry} Entry */
/** @typedef {import("../client/postern-upload.js").Upload} Upload */

/** @param {HTMLElement} root @param {import("./uploads.js").Uploads} uploads */
export function mountUploads(root, uploads) {
	const { batch } = uploads;
	const { counts } = batch;
	const summary = el("p", { class: "summary" });
	const bar = el("progress", { tLabel: "uploads.progress", max: "1" });
	/** @type {Rows<Entry>} */
	const rows = new Rows({
		name: "uploads.title",
		head: el("div", { class: "upload-row" }, ...["name", "size", "state"].map(
			name => el("span", { role: "columnheader", t: `uploads.${name}` }))),
		create: () => el("div", { class: "upload-row" },
			...["name", "size", "state"].map(name => el("span", { role: "gridcell", class: `cell-${name}` }))),
		fill: (row, { bucket, key, upload }) => {
			const [name, size, state] = row.children;
			name.textContent = `${bucket}/${key}`;
			size.textContent = format.size(upload.file.size);
			state.textContent = stateText(upload);
			row.setAttribute("data-state", upload.state);
		},
		open: ({ upload }) => isAtRest(upload.state) ? upload.start() : upload.cancel(),
	});
	const cancel = button({ t: "uploads.cancelAll", on: { click: () => batch.cancel() } });
	const retry = button({ t: "uploads.retryAll", on: { click: () => batch.retry() } });
	const clear = button({ t: "uploads.clear", on: { click: () => uploads.clear() } });
	label(root, "uploads.title", "aria-label");
	fill(root, el("div", { class: "title" }, el("h2", { t: "uploads.title" }), summary,
		el("div", { class: "buttons" }, retry, cancel, clear)), bar, rows.node);

	const active = () => batch.busy || counts.idle > 0;
	let wasActive = false;
	batch.addEventListener("change", () => {
		const { done, failed, aborted } = counts;
		root.hidden = batch.size === 0;
		bar.value = batch.fraction;
		cancel.disabled = !active();
		clear.disabled = done + aborted === 0;
		retry.hidden = failed === 0;
		rows.show(uploads.all);
		label(summary, ["uploads.summary", () => format.number(counts.done), () => format.number(batch.size),
			() => format.number(counts.failed)]);
		if (wasActive && !active() && batch.size > 0)
			say("uploads.summary", String(done), String(batch.size), String(failed));
		wasActive = active();
	});
	addEventListener("beforeunload", event => {
		if (active())
			event.preventDefault();
	});
	plain(summary, "");
}

/** @param {Upload} upload */
function stateText({ state, progress: { sent, total }, error }) {
	if (state === "sending")
		return t("uploads.sending", String(total ? Math.floor(sent / total * 100) : 0));
	if (state === "failed" && error)
		return t("uploads.failed", explain(error, language() === "zh" ? ZH : EN).message);
	return t(`uploads.${state}`);
}
