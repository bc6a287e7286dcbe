// SPDX-License-Identifier: Apache-2.0
// Why a preflight succeeds or fails: each rule of the form, and what the store itself answers. A
// browser lets no page choose the Origin header, so the console's port asks the store's rules.
import { explainRule, METHODS } from "../oss/cors.js";
import { el, field, fill, select } from "../dom.js";
import { Guard } from "../guard.js";
import { showError } from "../notice.js";

/**
 * @typedef {object} Answer
 * @property {number} matched the number of the rule; 0: none
 * @property {number} status
 * @property {Record<string, string>} headers
 */

/**
 * @param {HTMLElement} root @param {import("../app.js").App} app @param {string} bucket
 * @param {() => import("../oss/cors.js").Rule[]} rules as they are in the form
 */
export function mountTester(root, app, bucket, rules) {
	const origin = el("input", { value: "https://www.example.com", required: true, spellcheck: "false", class: "mono" });
	const method = select(METHODS.map(name => [name, ["plain", name]]), { value: "POST" });
	const headers = el("input", { spellcheck: "false", class: "mono", placeholder: "content-type, x-oss-meta-a" });
	const result = el("div", { class: "columns", role: "status" });
	const fields = new Guard(field("tester.origin", origin), field("tester.method", method),
		field("tester.headers", headers, "tester.headersHint"),
		el("div", { class: "buttons" }, el("button", { type: "submit", t: "tester.run" }))).open();
	const form = el("form", { class: "rule-fields" }, fields.node);
	fill(root, el("h2", { t: "tester.title" }), el("p", { class: "quiet-text", t: "tester.intro" }), form, result);

	form.addEventListener("submit", async event => {
		event.preventDefault();
		const question = {
			origin: origin.value.trim(),
			method: method.value,
			headers: headers.value.split(",").map(name => name.trim()).filter(Boolean),
		};
		const preflight = el("div", { class: "preflight" }, el("h3", { t: "tester.preflight" }));
		fill(result, showRules(rules(), question), preflight);
		try {
			preflight.append(showAnswer(await fields.during(() => preflightOf(app, bucket, question))));
		} catch (error) {
			showError(preflight.appendChild(el("div")), error);
		}
	});
}

/**
 * @param {import("../app.js").App} app @param {string} bucket
 * @param {import("../oss/cors.js").Question} question @returns {Promise<Answer>}
 */
async function preflightOf(app, bucket, question) {
	const response = await app.service.send("POST", {
		path: "/cors-test",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ bucket, key: "", ...question }),
	});
	return response.json();
}

/** @param {import("../oss/cors.js").Rule[]} rules @param {import("../oss/cors.js").Question} question */
function showRules(rules, question) {
	let used = false;
	const lines = rules.map((rule, index) => {
		const { matches, why, header } = explainRule(rule, question);
		const state = matches ? used ? "later" : "matches" : `${why}.no`;
		used ||= matches;
		return el("li", { class: `verdict ${state === "matches" ? "good" : matches ? "" : "bad"}` },
			el("strong", { t: ["cors.rule", index + 1] }), " ",
			el("span", { t: [`tester.${state}`, verdictArgument(why, question, header)] }));
	});
	return el("div", {}, el("h3", { t: "tester.rules" }),
		lines.length ? el("ul", { class: "verdicts" }, ...lines) : el("p", { t: "cors.none" }));
}

/** @param {string} why @param {import("../oss/cors.js").Question} question @param {string} header */
function verdictArgument(why, { origin, method }, header) {
	return why === "method" ? method : why === "header" ? header : origin;
}

/** @param {Answer} answer */
function showAnswer({ matched, status, headers }) {
	return el("div", {},
		el("p", { class: `verdict ${status < 300 ? "good" : "bad"}`, t: status >= 300 ? ["tester.refused", status]
			: matched ? ["tester.answered", status, matched] : ["tester.own", status] }),
		el("pre", { tabindex: "0", tLabel: "tester.answerHeaders" },
			Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n") || "–"),
		el("p", { class: "quiet-text", t: "tester.storedRules" }));
}
