// SPDX-License-Identifier: Apache-2.0
// Reads the policy of a form and tests a form against it, as the store does (src/oss/policy/policy.c), but
// goes on where the store stops at the first condition that fails.

/** A text of texts.js with its arguments. */
/** @typedef {{text: string, args: string[]}} Fault */

/**
 * @typedef {object} Condition
 * @property {"eq" | "starts-with" | "in" | "not-in" | "content-length-range"} kind
 * @property {string} name without `$`; empty for a range
 * @property {string[]} values what the field is compared with
 * @property {[number, number]} [range]
 * @property {string} shown as OSS shows it in an error
 */

/**
 * @typedef {object} Policy
 * @property {string} base64 what is signed
 * @property {string} text decoded; empty if it cannot be
 * @property {number} expiration milliseconds; NaN if the policy does not say
 * @property {Condition[]} conditions
 * @property {Fault | null} fault why the store refuses the policy whatever the form
 */

/**
 * What a form has for a policy to test.
 * @typedef {object} Form
 * @property {[string, string][]} fields as posted, the file not among them
 * @property {string | null} bucket
 * @property {{type: string, size: number | null} | null} file
 */

/** @typedef {{condition: Condition, passes: boolean | null, value: string}} Result passes is null if the form does not tell */

const OPERATORS = ["eq", "starts-with", "in", "not-in"];
const EXPIRATION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

class PolicyFault extends Error {
	/** @param {string} text @param {string[]} args */
	constructor(text, ...args) {
		super(text);
		/** @type {Fault} */
		this.fault = { text, args };
	}
}

/** @param {string} base64 @returns {Policy} */
export function readPolicy(base64) {
	/** @type {Policy} */
	const policy = { base64, text: "", expiration: NaN, conditions: [], fault: null };
	try {
		policy.text = decode(base64);
		readDocument(policy, parseJson(policy.text));
	} catch (error) {
		if (!(error instanceof PolicyFault))
			throw error;
		policy.fault = error.fault;
	}
	return policy;
}

/** base64 of a policy's text. @param {string} text */
export function encodePolicy(text) {
	const bytes = new TextEncoder().encode(text);
	let binary = "";
	for (const byte of bytes)
		binary += String.fromCharCode(byte);
	return btoa(binary);
}

/** @param {string} base64 */
function decode(base64) {
	if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4)
		throw new PolicyFault("policy.fault.base64");
	try {
		const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		throw new PolicyFault("policy.fault.base64");
	}
}

/** JSON in which OSS's `\$` is allowed in strings; a name given twice is not. @param {string} text */
function parseJson(text) {
	const strict = text.replace(/"(?:[^"\\]|\\.)*"/gs,
		string => string.replace(/\\(.)/gs, (all, c) => c === "$" ? "\\\\$" : all));
	let document;
	try {
		document = JSON.parse(strict);
	} catch (error) {
		throw new PolicyFault("policy.fault.json", error instanceof Error ? error.message : "");
	}
	const twice = repeatedName(strict);
	if (twice)
		throw new PolicyFault("policy.fault.twice", twice);
	return document;
}

/** The first name that an object of a JSON text has twice. @param {string} text */
function repeatedName(text) {
	/** @type {Set<string>[]} */
	const open = [];
	for (const [token, name] of text.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
		const names = open[open.length - 1];
		if (token === "{")
			open.push(new Set());
		else if (token === "}")
			open.pop();
		else if (name !== undefined && names.has(name))
			return name;
		else if (name !== undefined)
			names.add(name);
	}
	return "";
}

/** @param {Policy} policy @param {any} document */
function readDocument(policy, document) {
	if (!isObject(document))
		throw new PolicyFault("policy.fault.object");
	for (const name of Object.keys(document))
		if (name !== "expiration" && name !== "conditions")
			throw new PolicyFault("policy.fault.member", name);
	const { expiration, conditions } = document;
	if (expiration === undefined)
		throw new PolicyFault("policy.fault.noExpiration");
	if (typeof expiration !== "string" || !EXPIRATION.test(expiration) || Number.isNaN(Date.parse(expiration)))
		throw new PolicyFault("policy.fault.expiration");
	policy.expiration = Date.parse(expiration);
	if (!Array.isArray(conditions) || conditions.length === 0)
		throw new PolicyFault("policy.fault.noConditions");
	for (const condition of conditions)
		policy.conditions.push(readCondition(condition));
}

/** @param {any} condition @returns {Condition} */
function readCondition(condition) {
	if (Array.isArray(condition))
		return condition[0] === "content-length-range" ? readRange(condition) : readMatch(condition);
	if (!isObject(condition))
		throw new PolicyFault("policy.fault.condition", JSON.stringify(condition));
	const [name, ...more] = Object.keys(condition);
	if (name === undefined || more.length || typeof condition[name] !== "string")
		throw new PolicyFault("policy.fault.simple", JSON.stringify(condition));
	return make("eq", name, [unescape(condition[name])]);
}

/** @param {any[]} condition @returns {Condition} */
function readMatch(condition) {
	const [kind, operand, value] = condition;
	const shown = JSON.stringify(condition);
	if (!OPERATORS.includes(kind))
		throw new PolicyFault("policy.fault.operator", shown);
	const name = typeof operand === "string" ? unescape(operand) : "";
	if (condition.length !== 3 || !/^\$./s.test(name))
		throw new PolicyFault("policy.fault.name", shown);
	const list = kind === "in" || kind === "not-in";
	const values = list ? value : [value];
	if (!Array.isArray(values) || values.some(text => typeof text !== "string"))
		throw new PolicyFault(list ? "policy.fault.list" : "policy.fault.string", shown);
	return make(kind, name.slice(1), values.map(unescape));
}

/** @param {any[]} condition @returns {Condition} */
function readRange(condition) {
	const [, min, max] = condition;
	const whole = (/** @type {any} */ bound) => Number.isInteger(bound) && bound >= 0;
	if (condition.length !== 3 || !whole(min) || !whole(max) || max < min)
		throw new PolicyFault("policy.fault.range", JSON.stringify(condition));
	return {
		kind: "content-length-range", name: "", values: [], range: [min, max],
		shown: `["content-length-range", ${min}, ${max}]`,
	};
}

/** @param {Condition["kind"]} kind @param {string} name @param {string[]} values @returns {Condition} */
function make(kind, name, values) {
	const texts = values.map(value => JSON.stringify(value)).join(", ");
	const list = kind === "in" || kind === "not-in";
	return {
		kind, name, values,
		shown: `["${kind}", ${JSON.stringify(`$${name}`)}, ${list ? `[${texts}]` : texts}]`,
	};
}

/** @param {string} text */
function unescape(text) {
	return text.replaceAll("\\$", "$");
}

/** @param {any} value */
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first field of a name, whose case does not count. @param {Form} form @param {string} name */
export function fieldOf(form, name) {
	return form.fields.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
}

/** @param {Policy} policy @param {Form} form @returns {Result[]} in the order of the policy */
export function testForm(policy, form) {
	return policy.conditions.map(condition => {
		if (condition.range) {
			const size = form.file?.size ?? null;
			const [min, max] = condition.range;
			return { condition, value: size === null ? "" : String(size),
				passes: size === null ? null : size >= min && size <= max };
		}
		const value = matchable(form, condition.name);
		return { condition, value: value ?? "", passes: value === null ? null : holds(condition, value) };
	});
}

/** What a condition looks at: null if that is not known. @param {Form} form @param {string} name */
function matchable(form, name) {
	switch (name.toLowerCase()) {
	case "bucket":
		return form.bucket;
	case "content-type":
		return fieldOf(form, "x-oss-content-type") || form.file?.type
			|| fieldOf(form, "content-type") || (form.file ? "application/octet-stream" : null);
	default:
		return fieldOf(form, name) ?? "";
	}
}

/** @param {Condition} condition @param {string} value */
function holds({ kind, values }, value) {
	switch (kind) {
	case "eq":
		return value === values[0];
	case "starts-with":
		return value.startsWith(values[0]);
	case "in":
		return values.includes(value);
	default:
		return !values.includes(value);
	}
}

/** What a form signed by V4 must pin in its policy and does not. @param {Policy} policy @param {Form} form */
export function missingPins(policy, form) {
	const names = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"];
	if (fieldOf(form, "x-oss-security-token"))
		names.push("x-oss-security-token");
	return names.filter(name => !policy.conditions.some(
		condition => condition.kind === "eq" && condition.name.toLowerCase() === name));
}
