// SPDX-License-Identifier: Apache-2.0
// The uploads, below whatever view is shown.
import { button, el, fill, label, plain } from "./dom.js";
import * as format from "./format.js";
import { say } from "./notice.js";
import { Rows } from "./rows.js";
import { t } from "./texts.js";

/** @typedef {import("./uploads.js").Upload} Upload */

/** @param {HTMLElement} root @param {import("./uploads.js").Uploads} uploads */
export function mountUploads(root, uploads) {
	const summary = el("p", { class: "summary" });
	const bar = el("progress", { tLabel: "uploads.progress", max: "1" });
	/** @type {Rows<Upload>} */
	const rows = new Rows({
		name: "uploads.title",
		head: el("div", { class: "upload-row" }, ...["name", "size", "state"].map(
			name => el("span", { role: "columnheader", t: `uploads.${name}` }))),
		create: () => el("div", { class: "upload-row" },
			...["name", "size", "state"].map(name => el("span", { role: "gridcell", class: `cell-${name}` }))),
		fill: (row, upload) => {
			const [name, size, state] = row.children;
			name.textContent = `${upload.bucket}/${upload.key}`;
			size.textContent = format.size(upload.file.size);
			state.textContent = stateText(upload);
			row.setAttribute("data-state", upload.state);
		},
		open: upload => upload.state === "sending" || upload.state === "waiting"
			? uploads.cancel(upload) : uploads.retry(upload),
	});
	const cancel = button({ t: "uploads.cancelAll", on: { click: () => uploads.cancelAll() } });
	const retry = button({ t: "uploads.retryAll", on: { click: () => {
		for (const upload of uploads.all)
			uploads.retry(upload);
	} } });
	const clear = button({ t: "uploads.clear", on: { click: () => uploads.clear() } });
	label(root, "uploads.title", "aria-label");
	fill(root, el("div", { class: "title" }, el("h2", { t: "uploads.title" }), summary,
		el("div", { class: "buttons" }, retry, cancel, clear)), bar, rows.node);

	let wasBusy = false;
	function show() {
		const { all } = uploads;
		const count = (/** @type {Upload["state"]} */ state) =>
			all.reduce((sum, upload) => sum + Number(upload.state === state), 0);
		const failed = count("failed");
		const done = count("done");
		root.hidden = all.length === 0;
		const bytes = all.reduce((sum, { file }) => sum + file.size, 0);
		const sent = all.reduce((sum, upload) => sum + (upload.state === "done" ? upload.file.size : upload.sent), 0);
		bar.value = bytes ? sent / bytes : Number(done === all.length);
		cancel.disabled = !uploads.busy;
		clear.disabled = done + count("cancelled") === 0;
		retry.hidden = failed === 0;
		rows.show(all);
		label(summary, ["uploads.summary", () => format.number(done), () => format.number(all.length),
			() => format.number(failed)]);
		if (wasBusy && !uploads.busy && all.length > 0 && count("waiting") === 0)
			say("uploads.summary", String(done), String(all.length), String(failed));
		wasBusy = uploads.busy;
	}

	// Many small files change many times a frame.
	let planned = false;
	uploads.addEventListener("change", () => {
		if (planned)
			return;
		planned = true;
		requestAnimationFrame(() => {
			planned = false;
			show();
		});
	});
	addEventListener("beforeunload", event => {
		if (uploads.busy)
			event.preventDefault();
	});
	plain(summary, "");
}

/** @param {Upload} upload */
function stateText({ state, sent, file, error }) {
	if (state === "sending")
		return t("uploads.sending", String(file.size ? Math.floor(sent / file.size * 100) : 0));
	if (state === "failed" && error)
		return t("uploads.failed", error.message || t("error.noAnswer"));
	return t(`uploads.${state}`);
}
