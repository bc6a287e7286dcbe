// SPDX-License-Identifier: Apache-2.0
// All files as one: bar, speed, the time that is left, and the buttons for all.
import { formatSize } from "../client/format.js";
import { t } from "./words.js";

/**
 * @param {HTMLElement} root
 * @param {import("../client/batch.js").Batch} batch
 * @param {(text: string) => void} say
 * @param {number} few of more files their end is said in sum
 * @returns {() => void} shows it anew
 */
export function mountTotal(root, batch, say, few) {
	/**
	 * @template {HTMLElement} T
	 * @param {string} id
	 * @returns {T}
	 */
	const part = id => /** @type {T} */ (root.querySelector(`#${id}`));
	/** @type {HTMLProgressElement} */ const bar = part("total-bar");
	/** @type {[string, () => void, () => boolean][]} */
	const buttons = [
		["pause-all", () => batch.pause(), () => batch.busy],
		["resume-all", () => batch.start(), () => batch.counts.paused > 0],
		["retry-all", () => batch.retry(), () =>
			batch.counts.failed + batch.counts.unconfirmed + batch.counts.aborted > 0],
		["cancel-all", () => batch.cancel(), () => batch.busy || batch.counts.paused > 0],
	];
	for (const [id, act] of buttons)
		part(id).addEventListener("click", act);

	let begun = false;
	/** How many had ended when that was said last. */ let told = 0;
	function show() {
		const { counts, size } = batch;
		begun = size > 0 && (begun || counts.idle < size);
		// One file says it all itself.
		root.hidden = !begun || size < 2;
		const over = !batch.busy && counts.idle + counts.paused === 0;
		// What has failed will not be sent, unless somebody says so: then it is files that count.
		bar.value = over ? counts.done / Math.max(1, size - counts.aborted) : batch.fraction;
		part("percent").textContent = over ? "" : `${Math.floor(batch.fraction * 100)} %`;
		root.dataset.state = !over ? "sending" : counts.failed ? "failed" : counts.unconfirmed ? "unconfirmed" : "done";
		part("sums").textContent = sums(batch);
		for (const [id, , when] of buttons)
			part(id).hidden = !when();
		const ended = counts.done + counts.failed + counts.unconfirmed;
		if (over && ended > told && size > few)
			say(t("allDone", counts.done, counts.failed + counts.unconfirmed));
		told = over ? ended : Math.min(told, ended);
	}
	batch.addEventListener("change", show);
	return show;
}

/** @param {import("../client/batch.js").Batch} batch */
function sums(batch) {
	const { counts, speed, timeLeft } = batch;
	return [
		t("sumFiles", counts.done, batch.size),
		t("sumBytes", formatSize(batch.sent), formatSize(batch.total)),
		counts.failed > 0 && t("sumFailed", counts.failed),
		counts.unconfirmed > 0 && t("sumUnconfirmed", counts.unconfirmed),
		speed > 0 && t("speed", formatSize(Math.round(speed))),
		timeLeft !== null && timeText(timeLeft / 1000),
	].filter(Boolean).join(" · ");
}

/** @param {number} seconds */
function timeText(seconds) {
	if (seconds < 90)
		return t("seconds", Math.ceil(seconds));
	if (seconds < 5400)
		return t("minutes", Math.ceil(seconds / 60));
	return t("hours", (seconds / 3600).toFixed(1));
}
