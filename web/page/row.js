// SPDX-License-Identifier: Apache-2.0
// One file in the list: picture, name, bar, state, buttons, and what was answered.
import { formatSize } from "../client/format.js";
import { kindOf, showThumb } from "./thumbs.js";
import { t, tError } from "./words.js";

/** @typedef {import("../client/postern-upload.js").Upload} Upload */
/** @typedef {import("../client/states.js").State} State */

/** @type {Record<string, State[]>} */
const WHEN = {
	pause: ["signing", "sending", "retrying"],
	resume: ["paused"],
	cancel: ["signing", "sending", "retrying", "paused"],
	retry: ["failed", "aborted", "unconfirmed"],
	remove: ["idle", "failed", "aborted", "unconfirmed", "done"],
};

/** JSON of fewer letters stands in one line. */
const SHORT = 60;

/**
 * @param {Upload} upload
 * @param {string} name of the file, with its folder
 * @param {() => void} remove
 */
export function createRow(upload, name, remove) {
	const template = /** @type {HTMLTemplateElement} */ (document.getElementById("row"));
	const node = /** @type {HTMLElement} */ (template.content.children[0].cloneNode(true));
	/**
	 * @template {HTMLElement} T
	 * @param {string} selector
	 * @returns {T}
	 */
	const part = selector => /** @type {T} */ (node.querySelector(selector));
	/** @type {HTMLProgressElement} */ const bar = part("progress");
	/** @type {[string, HTMLButtonElement][]} */
	const buttons = Object.keys(WHEN).map(action => [action, part(`.${action}`)]);
	/** @type {Record<string, () => void>} */
	const act = {
		pause: () => upload.pause(),
		resume: () => upload.start(),
		cancel: () => upload.cancel(),
		retry: () => upload.start(),
		remove,
	};

	part(".name").textContent = name;
	part(".kind").textContent = kindOf(name);
	const forgetThumb = showThumb(upload.file, part(".thumb"));
	part(".size").textContent = formatSize(upload.file.size);
	part("summary").textContent = t("raw");
	bar.setAttribute("aria-label", t("progressOf", name));
	for (const [action, button] of buttons)
		button.addEventListener("click", act[action]);

	let shown = "";
	function show() {
		const { state, error } = upload;
		part(".state").textContent = stateText(upload);
		bar.value = state === "done" || state === "unconfirmed" ? 1 : fraction(upload);
		if (state === shown)
			return;
		const focused = document.activeElement;
		shown = state;
		node.setAttribute("data-state", state);
		for (const [action, button] of buttons) {
			button.hidden = !WHEN[action].includes(state);
			const words = t(action === "retry" && state === "unconfirmed" ? "sendAgain" : action);
			button.title = words;
			button.setAttribute("aria-label", `${words} ${name}`);
			if (action === "retry")
				setText(button, ".words", words);
		}
		keepFocus(focused, buttons.map(([, button]) => button));
		showError(part(".error"), error);
		showAnswer(part(".answer"), upload);
	}
	upload.addEventListener("change", show);
	show();
	return {
		node,
		remove() {
			forgetThumb();
			upload.removeEventListener("change", show);
			node.remove();
		},
	};
}

/** @param {Upload} upload */
function fraction({ progress: { sent, total } }) {
	return total ? sent / total : 0;
}

/** @param {Upload} upload */
export function stateText(upload) {
	const { state, waiting, error } = upload;
	if (state === "sending")
		return waiting ? t("waiting") : t("sending", Math.floor(fraction(upload) * 100));
	return t(state === "retrying" && !error ? "offline" : state);
}

/**
 * A button that goes away hands the keyboard to the one that takes its place.
 * @param {Element | null} focused
 * @param {HTMLButtonElement[]} buttons
 */
function keepFocus(focused, buttons) {
	if (buttons.some(button => button === focused && button.hidden))
		buttons.find(button => !button.hidden)?.focus();
}

/** @param {HTMLElement} box @param {Upload["error"]} error */
function showError(box, error) {
	box.hidden = !error;
	if (!error)
		return;
	const reference = [
		error.status && t("status", error.status),
		error.code,
		error.ec,
		error.requestId && t("request", error.requestId),
	];
	const { message, advice } = tError(error);
	setText(box, ".message", message);
	setText(box, ".advice", advice);
	setText(box, ".reference", reference.filter(Boolean).join(" · "));
	setText(box, ".raw code", error.response);
	/** @type {HTMLElement} */ (box.querySelector(".raw")).hidden = !error.response;
}

/** @param {HTMLElement} box @param {Upload} upload */
function showAnswer(box, { state, result }) {
	box.hidden = state !== "done" || !result;
	if (state !== "done" || !result)
		return;
	setText(box, ".answer-title", t(result.text ? "answered" : "storedAs", result.key));
	const short = JSON.stringify(result.json) ?? result.text;
	setText(box, "pre", result.json === undefined || short.length < SHORT ? short
		: JSON.stringify(result.json, null, 2));
	/** @type {HTMLElement} */ (box.querySelector("pre")).hidden = !result.text;
}

/** @param {HTMLElement} box @param {string} selector @param {string} text */
function setText(box, selector, text) {
	/** @type {HTMLElement} */ (box.querySelector(selector)).textContent = text;
}
