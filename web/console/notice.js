// SPDX-License-Identifier: Apache-2.0
// What the page tells: errors in the server's own words, and news for screen readers.
import { button, el, fill } from "./dom.js";
import { t } from "./texts.js";
import { RequestError } from "./oss/client.js";

/**
 * An error where it happened.
 * @param {Element} place @param {unknown} error @param {() => void} [again] what failed can be tried again
 */
export function showError(place, error, again) {
	if (error instanceof DOMException && error.name === "AbortError")
		return;
	const { message, reference } = describe(error);
	fill(place, el("div", { class: "notice bad", role: "alert" },
		typeof message === "string" ? el("p", { class: "message" }, message)
			: el("p", { class: "message", t: message.t }),
		reference && el("p", { class: "reference" }, reference),
		again && el("p", {}, button({ t: "error.again", on: { click: () => {
			fill(place);
			again();
		} } }))));
}

/** @param {unknown} error @returns {{message: string | {t: string}, reference: string}} */
function describe(error) {
	if (!(error instanceof RequestError))
		return { message: error instanceof Error ? error.message : String(error), reference: "" };
	if (error.code === "NoAnswer")
		return { message: { t: "error.noAnswer" }, reference: "" };
	const reference = [error.status && `HTTP ${error.status}`, error.code, error.ec && `EC ${error.ec}`,
		error.requestId && `request ${error.requestId}`].filter(Boolean).join(" · ");
	return { message: error.message || { t: "error.unexplained" }, reference };
}

/** @param {Element} place @param {import("./dom.js").Text} text @param {"good" | "warn" | "bad"} [kind] */
export function showNotice(place, text, kind = "good") {
	fill(place, el("div", { class: `notice ${kind}`, role: "status" }, el("p", { t: text })));
}

/** What a screen reader says. @param {string} name of a text @param {...string} args */
export function say(name, ...args) {
	const news = document.getElementById("news");
	if (news)
		news.textContent = t(name, ...args);
}
