// SPDX-License-Identifier: Apache-2.0
// The policy debugger: what a form or a policy says, and which of its conditions fail. All of it
// happens in the browser; nothing of what is pasted leaves it.
import { ALGORITHM, signPolicyV1, signPolicyV4 } from "../oss/sign.js";
import { fieldOf, missingPins, readPolicy, testForm } from "../oss/policy.js";
import { readPasted } from "../oss/pasted.js";
import { el, field, fill } from "../dom.js";
import * as format from "../format.js";
import { showError } from "../notice.js";

/** @typedef {import("../oss/policy.js").Policy} Policy */
/** @typedef {import("../oss/policy.js").Form} Form */
/** @typedef {import("../oss/pasted.js").Pasted} Pasted */

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, _route, signal) {
	const pasted = el("textarea", { rows: "12", class: "mono", spellcheck: "false", autocomplete: "off" });
	const bucket = el("input", { spellcheck: "false" });
	const size = el("input", { inputmode: "numeric" });
	const secret = el("input", { type: "password", autocomplete: "off" });
	const result = el("div", { class: "results" });
	const form = el("form", { class: "card" },
		field("policy.paste", pasted, "policy.pasteHint"),
		el("div", { class: "rule-fields" }, field("policy.bucket", bucket, "policy.bucketHint"),
			field("policy.size", size, "policy.sizeHint"),
			field("policy.secret", secret, app.keys ? "policy.secretSession" : "policy.secretHint")),
		el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary", t: "policy.run" })));
	fill(root, el("h1", { t: "policy.title" }), el("p", { class: "quiet-text", t: "policy.intro" }), form, result);

	/** Counts the questions: only the last one is answered. */
	let turns = 0;
	form.addEventListener("submit", async event => {
		event.preventDefault();
		const turn = ++turns;
		const found = readPasted(pasted.value);
		const bytes = /^\d+$/.test(size.value.trim()) ? Number(size.value.trim()) : null;
		const asked = {
			...found,
			bucket: bucket.value.trim() || found.bucket,
			file: bytes === null ? found.file : { name: "", type: "", ...found.file, size: bytes },
		};
		try {
			const parts = await explain(asked, secret.value || app.keys?.secret || "");
			if (!signal.aborted && turn === turns)
				fill(result, ...parts);
		} catch (error) {
			if (turn === turns)
				showError(result, error);
		}
	});
}

/** @param {Pasted} form @param {string} secret */
async function explain(form, secret) {
	const base64 = fieldOf(form, "policy");
	if (!base64)
		return [card("policy.found", el("p", { class: "verdict bad", t: "policy.noPolicy" })),
			...form.fields.length ? [fieldsCard(form)] : []];
	const policy = readPolicy(base64);
	// Tested only if there is a form: a policy alone fails nothing.
	const alone = form.fields.length === 1 && !form.file;
	return [
		...summary(policy, form, alone),
		conditionsCard(policy, form, alone),
		await signatureCard(policy, form, secret),
		...alone ? [] : [fieldsCard(form)],
		card("policy.decoded", el("pre", { tabindex: "0", tLabel: "policy.decoded" }, pretty(policy.text))),
	];
}

/** @param {string} title @param {...(Node | null)} children */
function card(title, ...children) {
	return el("section", { class: "card" }, el("h2", { t: title }), ...children);
}

/** @param {Policy} policy @param {Form & Pasted} form @param {boolean} alone */
function summary(policy, form, alone) {
	/** @type {HTMLElement[]} */
	const lines = [];
	const line = (/** @type {"good" | "bad"} */ kind, /** @type {import("../dom.js").Text} */ text) =>
		lines.push(el("li", { class: `verdict ${kind}`, t: text }));
	if (policy.fault)
		line("bad", [policy.fault.text, ...policy.fault.args]);
	if (!Number.isNaN(policy.expiration)) {
		const left = policy.expiration - Date.now();
		line(left >= 0 ? "good" : "bad", [left >= 0 ? "policy.validUntil" : "policy.expired",
			() => format.time(policy.expiration), () => format.distance(policy.expiration - Date.now())]);
	}
	if (!alone) {
		if (!fieldOf(form, "key"))
			line("bad", "policy.noKey");
		for (const name of form.late)
			line("bad", ["policy.late", name]);
		if (isV4(form))
			for (const name of policy.fault ? [] : missingPins(policy, form))
				line("bad", ["policy.missingPin", name]);
	}
	const failed = testForm(policy, form).filter(({ passes }) => passes === false).length;
	if (!alone && !policy.fault)
		line(failed ? "bad" : "good", failed ? ["policy.failed", failed] : "policy.allPass");
	return [card("policy.summary", el("ul", { class: "verdicts" }, ...lines))];
}

/** @param {Form} form */
function isV4(form) {
	return fieldOf(form, "x-oss-signature-version") === ALGORITHM;
}

/** @param {Policy} policy @param {Form} form @param {boolean} alone */
function conditionsCard(policy, form, alone) {
	const rows = testForm(policy, form).map(({ condition, passes, value }) => {
		const state = alone || passes === null ? "unknown" : passes ? "pass" : "fail";
		return el("tr", { "data-result": state },
			el("td", {}, el("code", {}, condition.shown)),
			el("td", {}, alone ? "" : el("code", {}, value)),
			el("td", { class: `verdict ${{ pass: "good", fail: "bad", unknown: "" }[state]}`, t: `policy.${state}` }));
	});
	const head = el("tr", {}, ...["condition", "value", "result"].map(
		name => el("th", { scope: "col", t: `policy.${name}` })));
	return card("policy.conditions", el("div", { class: "scroll", role: "region", tabindex: "0", tLabel: "policy.conditions" },
		el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))));
}

/** @param {Policy} policy @param {Form} form @param {string} secret */
async function signatureCard(policy, form, secret) {
	const node = card("policy.signatures", el("h3", { t: "policy.signed" }),
		el("p", { class: "quiet-text", t: "policy.signedHint" }),
		el("pre", { tabindex: "0", tLabel: "policy.signed", class: "wrap" }, policy.base64));
	const list = el("dl", { class: "facts" });
	node.append(list);
	const v1 = fieldOf(form, "Signature");
	const v4 = fieldOf(form, "x-oss-signature");
	add(list, "policy.v1", v1, secret && await signPolicyV1(policy.base64, secret));
	const [, id, day, region] = /^([^/]+)\/(\d{8})\/([^/]+)\/oss\/aliyun_v4_request$/
		.exec(fieldOf(form, "x-oss-credential") ?? condition(policy, "x-oss-credential")) ?? [];
	if (id) {
		const now = new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
		const keys = { id, secret };
		add(list, "policy.v4", v4, secret && !Number.isNaN(now.getTime())
			&& await signPolicyV4(policy.base64, { keys, region, now }));
	} else {
		list.append(el("dt", { t: "policy.v4" }), el("dd", { t: "policy.noCredential" }));
	}
	if (!secret)
		node.append(el("p", { class: "quiet-text", t: "policy.needSecret" }));
	return node;
}

/** What the policy itself pins. @param {Policy} policy @param {string} name */
function condition(policy, name) {
	return policy.conditions.find(each => each.kind === "eq" && each.name.toLowerCase() === name)?.values[0] ?? "";
}

/**
 * A signature as it was given, and as it ought to be.
 * @param {HTMLElement} list @param {string} name
 * @param {string | undefined} given @param {string | false} right
 */
function add(list, name, given, right) {
	list.append(el("dt", { t: name }));
	if (right)
		list.append(el("dd", {}, el("code", {}, right), " ", given === undefined ? null
			: el("span", { class: `verdict ${given === right ? "good" : "bad"}`,
				t: given === right ? "policy.same" : "policy.differs" })));
	if (given !== undefined && given !== right)
		list.append(el("dd", {}, el("span", { t: "policy.given" }), " ", el("code", {}, given)));
	if (!right && given === undefined)
		list.append(el("dd", {}, "–"));
}

/** @param {Pasted} form */
function fieldsCard(form) {
	const rows = [...form.fields, ...form.file ? [["file", fileText(form.file)]] : []].map(([name, value]) =>
		el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, el("code", {}, value))));
	return card("policy.fields", el("p", { class: "quiet-text", t: `policy.kind.${form.kind}` }),
		el("p", {}, el("span", { t: "policy.bucket" }), ": ", form.bucket ?? "?"),
		el("div", { class: "scroll", role: "region", tabindex: "0", tLabel: "policy.fields" },
			el("table", { class: "wrap" }, el("tbody", {}, ...rows))));
}

/** @param {NonNullable<Pasted["file"]>} file */
function fileText({ name, type, size }) {
	return [name, type, size === null ? "" : `${size} B`].filter(Boolean).join(" · ");
}

/** @param {string} text */
function pretty(text) {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text || "–";
	}
}
