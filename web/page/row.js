// SPDX-License-Identifier: Apache-2.0
// One file in the list: name, bar, state, buttons, and what was answered.
import { formatSize } from "../client/format.js";
import { explain } from "../client/texts.js";

/** @typedef {import("../client/postern-upload.js").Upload} Upload */

/**
 * @param {HTMLElement} list
 * @param {Upload} upload
 * @param {{say: (text: string) => void, remove: () => void}} page
 */
export function mountRow(list, upload, page) {
	const template = /** @type {HTMLTemplateElement} */ (document.getElementById("row"));
	const row = /** @type {HTMLElement} */ (template.content.children[0].cloneNode(true));
	/**
	 * @template {HTMLElement} T
	 * @param {string} selector
	 * @returns {T}
	 */
	const part = selector => /** @type {T} */ (row.querySelector(selector));
	/** @type {HTMLProgressElement} */ const bar = part("progress");
	/** @type {HTMLButtonElement} */ const cancel = part(".cancel");
	/** @type {HTMLButtonElement} */ const retry = part(".retry");
	/** @type {HTMLButtonElement} */ const remove = part(".remove");
	const { name, size } = upload.file;

	part(".name").textContent = name;
	part(".size").textContent = formatSize(size);
	bar.setAttribute("aria-label", `Progress of ${name}`);
	for (const button of [cancel, retry, remove])
		button.setAttribute("aria-label", `${button.textContent} ${name}`);
	cancel.addEventListener("click", () => upload.cancel());
	retry.addEventListener("click", () => upload.start());
	remove.addEventListener("click", page.remove);

	let shown = "";
	function show() {
		const { state } = upload;
		part(".state").textContent = stateText(upload);
		bar.value = state === "done" || state === "unconfirmed" ? 1 : fraction(upload);
		if (state === shown)
			return;
		const focused = document.activeElement;
		shown = state;
		row.setAttribute("data-state", state);
		cancel.hidden = !["signing", "sending", "retrying"].includes(state);
		retry.hidden = state !== "failed" && state !== "aborted" && state !== "unconfirmed";
		remove.hidden = !cancel.hidden;
		retry.textContent = state === "unconfirmed" ? "Send again" : "Try again";
		retry.setAttribute("aria-label", `${retry.textContent} ${name}`);
		keepFocus(focused, [cancel, retry, remove]);
		showError(part(".error"), upload);
		showAnswer(part(".answer"), upload);
		if (state !== "idle" && state !== "signing")
			page.say(`${name}: ${stateText(upload)}${upload.error ? `. ${explain(upload.error).advice}` : ""}`);
	}
	upload.addEventListener("change", show);
	show();
	list.append(row);
	return { remove: () => row.remove() };
}

/** @param {Upload} upload */
function fraction({ progress: { sent, total } }) {
	return total ? sent / total : 0;
}

/** @param {Upload} upload */
function stateText(upload) {
	switch (upload.state) {
	case "idle":
		return "Ready";
	case "signing":
		return "Asking for permission";
	case "sending":
		return upload.waiting ? "Sent, waiting for the answer"
			: `Sending, ${Math.floor(fraction(upload) * 100)} %`;
	case "retrying":
		return upload.error ? "Trying again in a moment" : "Waiting for the network";
	case "paused":
		return "Paused";
	case "done":
		return "Uploaded";
	case "unconfirmed":
		return "Stored, but not confirmed";
	case "failed":
		return "Failed";
	case "aborted":
		return "Cancelled";
	}
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

/** @param {HTMLElement} box @param {Upload} upload */
function showError(box, { error }) {
	box.hidden = !error;
	if (!error)
		return;
	const reference = [
		error.status && `status ${error.status}`,
		error.code,
		error.ec,
		error.requestId && `request ${error.requestId}`,
	];
	const { message, advice } = explain(error);
	setText(box, ".message", message);
	setText(box, ".advice", advice);
	setText(box, ".reference", reference.filter(Boolean).join(" · "));
}

/** @param {HTMLElement} box @param {Upload} upload */
function showAnswer(box, { state, result }) {
	box.hidden = state !== "done" || !result;
	if (state !== "done" || !result)
		return;
	setText(box, ".answer-title", result.text
		? `Stored as ${result.key}. The application server answered:`
		: `Stored as ${result.key}.`);
	setText(box, "pre", result.json === undefined ? result.text
		: JSON.stringify(result.json, null, 2));
	/** @type {HTMLElement} */ (box.querySelector("pre")).hidden = !result.text;
}

/** @param {HTMLElement} box @param {string} selector @param {string} text */
function setText(box, selector, text) {
	/** @type {HTMLElement} */ (box.querySelector(selector)).textContent = text;
}
