// SPDX-License-Identifier: Apache-2.0
// The CORS rules of a bucket: a form for each, in the order in which the store tries them.
import { browserUpload, checkCors, MAX_RULES, METHODS, readCors, writeCors } from "../oss/cors.js";
import { button, check, el, field, fill, label } from "../dom.js";
import { Guard } from "../guard.js";
import { say, showError, showNotice } from "../notice.js";
import { bucketHead } from "./bucket_head.js";
import { mountTester } from "./cors_tester.js";

/** @typedef {import("../oss/cors.js").Rule} Rule */

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, { bucket }, signal) {
	/** @type {RuleForm[]} */
	let forms = [];
	const list = el("ol", { class: "rules" });
	const none = el("p", { class: "empty", t: "cors.none", hidden: true });
	const vary = el("input", { type: "checkbox" });
	const problem = el("div");
	const news = el("div");
	const add = button({ t: "cors.add", on: { click: () => insert(emptyRule()) } });
	const preset = button({ t: "cors.preset", tTitle: "cors.presetHint", on: { click: () => insert(browserUpload()) } });
	const save = button({ class: "primary", t: "cors.save", on: { click: store } });
	const tester = el("section", { class: "card" });
	const fields = new Guard(none, list, el("div", { class: "buttons" }, add, preset), el("div", { class: "card" },
		check("cors.vary", vary), el("p", { class: "quiet-text", t: "cors.varyHint" }), news,
		el("div", { class: "buttons" }, save)), tester);
	fill(root, bucketHead(bucket, "cors"), el("p", { class: "quiet-text", t: "cors.intro" }), problem, fields.node);
	mountTester(tester, app, bucket, () => forms.map(form => form.rule));

	/** @returns {Rule} */
	function emptyRule() {
		return { origins: [], methods: [], headers: [], expose: [], maxAge: "" };
	}

	/** @param {Rule} rule */
	function insert(rule) {
		forms.push(new RuleForm(rule, act));
		draw();
		forms[forms.length - 1].focus();
	}

	/** @param {RuleForm} form @param {"up" | "down" | "remove"} what */
	function act(form, what) {
		const at = forms.indexOf(form);
		forms.splice(at, 1);
		if (what !== "remove")
			forms.splice(at + (what === "up" ? -1 : 1), 0, form);
		draw();
		if (what === "remove")
			add.focus();
		else
			form.focus(what);
	}

	function draw() {
		forms.forEach((form, index) => form.number(index, forms.length));
		fill(list, ...forms.map(form => form.node));
		none.hidden = forms.length > 0;
		add.disabled = preset.disabled = forms.length >= MAX_RULES;
	}

	async function store() {
		const configuration = { rules: forms.map(form => form.rule), vary: vary.checked };
		const faults = checkCors(configuration);
		forms.forEach((form, index) => form.complain(faults.filter(fault => fault.rule === index)));
		if (faults.length) {
			showNotice(news, ["cors.faults", faults.length], "bad");
			return;
		}
		try {
			await fields.during(() => writeCors(app.client, bucket, configuration));
			showNotice(news, "cors.saved");
		} catch (error) {
			showError(news, error);
		}
	}

	async function load() {
		try {
			const configuration = await readCors(app.client, bucket, signal);
			fields.ready(() => {
				forms = configuration.rules.map(rule => new RuleForm(rule, act));
				vary.checked = configuration.vary;
				draw();
			});
		} catch (error) {
			showError(problem, error, load);
		}
	}

	load();
}

/** The fields of one rule. */
class RuleForm {
	#methods;
	#texts;
	#maxAge;
	#title = el("h2");
	#up;
	#down;
	#faults = el("ul", { class: "faults", role: "alert" });

	/** @param {Rule} rule @param {(form: RuleForm, what: "up" | "down" | "remove") => void} act */
	constructor(rule, act) {
		const lines = (/** @type {string[]} */ list) => el("textarea", {
			rows: "3", wrap: "off", value: list.join("\n"), spellcheck: "false", class: "mono",
		});
		this.#texts = { origins: lines(rule.origins), headers: lines(rule.headers), expose: lines(rule.expose) };
		this.#maxAge = el("input", { inputmode: "numeric", value: rule.maxAge });
		this.#methods = METHODS.map(method => {
			const box = el("input", { type: "checkbox", value: method });
			box.checked = rule.methods.includes(method);
			return box;
		});
		this.#up = button({ t: "cors.up", on: { click: () => act(this, "up") } });
		this.#down = button({ t: "cors.down", on: { click: () => act(this, "down") } });
		this.node = el("li", { class: "card rule" },
			el("div", { class: "title" }, this.#title, el("div", { class: "buttons" }, this.#up, this.#down,
				button({ t: "cors.remove", on: { click: () => act(this, "remove") } }))),
			el("div", { class: "rule-fields" },
				field("cors.origins", this.#texts.origins, "cors.originsHint"),
				el("fieldset", {}, el("legend", { t: "cors.methods" }),
					...this.#methods.map(box => check(["plain", box.value], box))),
				field("cors.headers", this.#texts.headers, "cors.headersHint"),
				field("cors.expose", this.#texts.expose, "cors.exposeHint"),
				field("cors.maxAge", this.#maxAge, "cors.maxAgeHint")),
			this.#faults);
	}

	/** @returns {Rule} what the fields say now */
	get rule() {
		const lines = (/** @type {HTMLTextAreaElement} */ area) =>
			area.value.split("\n").map(line => line.trim()).filter(Boolean);
		return {
			origins: lines(this.#texts.origins),
			methods: this.#methods.filter(box => box.checked).map(box => box.value),
			headers: lines(this.#texts.headers),
			expose: lines(this.#texts.expose),
			maxAge: this.#maxAge.value.trim(),
		};
	}

	/** @param {number} index @param {number} count */
	number(index, count) {
		label(this.#title, ["cors.rule", index + 1]);
		label(this.#up, ["cors.upNamed", index + 1], "aria-label");
		label(this.#down, ["cors.downNamed", index + 1], "aria-label");
		this.#up.disabled = index === 0;
		this.#down.disabled = index === count - 1;
	}

	/** @param {"up" | "down"} [where] */
	focus(where) {
		const button = where === "up" ? this.#up : this.#down;
		if (where && !button.disabled)
			button.focus();
		else
			this.#texts.origins.focus();
		if (where)
			say("cors.moved", this.#title.textContent ?? "");
	}

	/** @param {import("../oss/cors.js").Fault[]} faults */
	complain(faults) {
		fill(this.#faults, ...faults.map(({ text, args }) => el("li", { t: [text, ...args] })));
		for (const [name, area] of Object.entries({ ...this.#texts, maxAge: this.#maxAge }))
			area.setAttribute("aria-invalid", String(faults.some(({ field }) => field === name)));
	}
}
