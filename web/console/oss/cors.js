// SPDX-License-Identifier: Apache-2.0
// CORS rules: the document of a bucket, what a rule may hold, and which rule fits a request. The
// store decides all of this itself (src/oss/rules/cors.c); here it is for telling people why.
import { RequestError } from "./client.js";
import { element, elements, textAt } from "./xml.js";

/** @typedef {import("./client.js").Client} Client */

/**
 * @typedef {object} Rule
 * @property {string[]} origins
 * @property {string[]} methods
 * @property {string[]} headers
 * @property {string[]} expose
 * @property {string} maxAge a number of seconds, or empty
 */

/** @typedef {{rules: Rule[], vary: boolean}} Configuration */
/** @typedef {{origin: string, method: string, headers: string[]}} Question */

/** What is wrong with one field of a rule: a text of texts.js with its arguments. */
/** @typedef {{rule: number, field: keyof Rule, text: string, args: string[]}} Fault */

/**
 * Why a rule does not fit, or that it does.
 * @typedef {{matches: boolean, why: "" | "origin" | "method" | "header", header: string}} Verdict
 */

export const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"];
export const MAX_RULES = 20;
const MAX_AGE = 999_999_999;

/** What a page needs that uploads by form and reads the answer. @returns {Rule} */
export function browserUpload() {
	return {
		origins: ["*"], methods: ["POST"], headers: ["*"], expose: ["ETag", "x-oss-request-id"],
		maxAge: "600",
	};
}

/** @param {Client} client @param {string} bucket @param {AbortSignal} [signal] */
export async function readCors(client, bucket, signal) {
	try {
		return parseCors(await client.xml("GET", { bucket, query: { cors: "" }, signal }));
	} catch (error) {
		if (error instanceof RequestError && error.code === "NoSuchCORSConfiguration")
			return { rules: [], vary: false };
		throw error;
	}
}

/** A bucket without rules has no configuration. @param {Client} client @param {string} bucket
 * @param {Configuration} configuration */
export async function writeCors(client, bucket, configuration) {
	const call = { bucket, query: { cors: "" } };
	if (configuration.rules.length === 0) {
		await client.send("DELETE", call);
		return;
	}
	await client.send("PUT", {
		...call, body: formatCors(configuration), headers: { "content-type": "application/xml" },
	});
}

/** @param {import("./xml.js").Element} root @returns {Configuration} */
export function parseCors(root) {
	const rules = elements(root, "CORSRule").map(rule => {
		const texts = (/** @type {string} */ name) =>
			elements(rule, name).map(({ text }) => text.trim());
		return {
			origins: texts("AllowedOrigin"),
			methods: texts("AllowedMethod"),
			headers: texts("AllowedHeader"),
			expose: texts("ExposeHeader"),
			maxAge: textAt(rule, "MaxAgeSeconds").trim(),
		};
	});
	return { rules, vary: /^true$/i.test(textAt(root, "ResponseVary").trim()) };
}

/** @param {Configuration} configuration */
export function formatCors({ rules, vary }) {
	const texts = (/** @type {string} */ name, /** @type {string[]} */ list) =>
		list.map(text => element(name, text)).join("");
	const documents = rules.map(rule => `<CORSRule>${texts("AllowedOrigin", rule.origins)}`
		+ texts("AllowedMethod", rule.methods) + texts("AllowedHeader", rule.headers)
		+ texts("ExposeHeader", rule.expose)
		+ `${rule.maxAge ? element("MaxAgeSeconds", rule.maxAge) : ""}</CORSRule>`);
	return `<?xml version="1.0" encoding="UTF-8"?>\n<CORSConfiguration>${documents.join("")}`
		+ `${element("ResponseVary", String(vary))}</CORSConfiguration>`;
}

/** @param {Configuration} configuration @returns {Fault[]} */
export function checkCors({ rules }) {
	/** @type {Fault[]} */
	const faults = [];
	rules.forEach((rule, index) => {
		/** @param {keyof Rule} field @param {string} text @param {string[]} args */
		const fault = (field, text, ...args) => faults.push({ rule: index, field, text, args });
		if (rule.origins.length === 0)
			fault("origins", "cors.fault.noOrigin");
		if (rule.methods.length === 0)
			fault("methods", "cors.fault.noMethod");
		for (const origin of rule.origins) {
			const wrong = originFault(origin);
			if (wrong)
				fault("origins", wrong, origin);
		}
		for (const header of rule.headers)
			if (!printable(header, "<>&'\"") || stars(header) > 1)
				fault("headers", "cors.fault.header", header);
		for (const header of rule.expose)
			if (!printable(header, "*<>&'\""))
				fault("expose", "cors.fault.expose", header);
		if (rule.maxAge && !(/^\d+$/.test(rule.maxAge) && Number(rule.maxAge) <= MAX_AGE))
			fault("maxAge", "cors.fault.maxAge", String(MAX_AGE));
	});
	return faults;
}

/** The name of the text that says what is wrong, or nothing. @param {string} origin */
function originFault(origin) {
	if (!printable(origin, " <>&'\""))
		return "cors.fault.originCharacter";
	if (stars(origin) > 1)
		return "cors.fault.originStars";
	if (origin === "*")
		return "";
	const [, host] = /^[^:]+:\/\/(.*)$/.exec(origin) ?? [];
	if (host === undefined)
		return "cors.fault.originForm";
	if (host.includes("/"))
		return "cors.fault.originPath";
	const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
	if (!name || /[@?#]/.test(host))
		return "cors.fault.originForm";
	if (name === "*")
		return "cors.fault.originHost";
	if (port !== undefined && port !== "*" && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65535))
		return "cors.fault.originPort";
	return "";
}

/** @param {string} text @param {string} except */
function printable(text, except) {
	return /^[ -~]+$/.test(text) && ![...text].some(letter => except.includes(letter));
}

/** @param {string} text */
function stars(text) {
	return text.split("*").length - 1;
}

/** @param {Rule} rule @param {Question} question @returns {Verdict} */
export function explainRule(rule, { origin, method, headers }) {
	const no = (/** @type {Verdict["why"]} */ why, header = "") => ({ matches: false, why, header });
	if (!printable(origin, " \"") || !rule.origins.some(pattern => fits(pattern, origin)))
		return no("origin");
	if (!rule.methods.includes(method))
		return no("method");
	const refused = headers.find(header => !printable(header, " \"")
		|| !rule.headers.some(pattern => fits(pattern, header)));
	return refused === undefined ? { matches: true, why: "", header: "" } : no("header", refused);
}

/** A pattern has one `*` at most; the case of letters does not count. @param {string} pattern @param {string} text */
function fits(pattern, text) {
	const [wanted, given] = [pattern.toLowerCase(), text.toLowerCase()];
	const star = wanted.indexOf("*");
	if (star < 0)
		return wanted === given;
	return given.length >= wanted.length - 1 && given.startsWith(wanted.slice(0, star))
		&& given.endsWith(wanted.slice(star + 1));
}
