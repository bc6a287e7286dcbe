// SPDX-License-Identifier: Apache-2.0
// Makes a form of what somebody pasted: a policy alone (base64 or JSON), the answer of an
// application server, lines of name=value, a multipart body, a curl command, or an HTML form.
import { encodePolicy } from "./policy.js";

/**
 * @typedef {object} Pasted
 * @property {"nothing" | "policy" | "grant" | "lines" | "multipart" | "curl" | "html"} kind
 * @property {[string, string][]} fields in order; those before the file
 * @property {string | null} bucket
 * @property {{name: string, type: string, size: number | null} | null} file
 * @property {string[]} late names of fields behind the file, which the store ignores
 */

const MAX_CHARACTERS = 4_000_000;

/** @param {string} pasted @returns {Pasted} */
export function readPasted(pasted) {
	const text = pasted.slice(0, MAX_CHARACTERS).trim();
	if (!text)
		return form("nothing", []);
	if (/^curl\s/.test(text))
		return readCurl(text);
	if (/^--[^\n]*\r?\n[^]*content-disposition:/i.test(text))
		return readMultipart(text);
	if (/<(form|input|textarea)\b/i.test(text))
		return readHtml(text);
	if (text.startsWith("{"))
		return readJson(text);
	if (/^[A-Za-z0-9+/\s]+={0,2}$/.test(text))
		return form("policy", [["policy", text.replace(/\s/g, "")]]);
	return readLines(text);
}

/**
 * @param {Pasted["kind"]} kind @param {[string, string][]} fields
 * @param {Partial<Pasted>} [more] @returns {Pasted}
 */
function form(kind, fields, more = {}) {
	return { kind, fields, bucket: null, file: null, late: [], ...more };
}

/** A policy as it was before base64, or what an application server answers. @param {string} text */
function readJson(text) {
	let document;
	try {
		document = JSON.parse(text);
	} catch {
		return form("policy", [["policy", encodePolicy(text)]]);
	}
	if ("conditions" in document || "expiration" in document || !(document.policy || document.fields))
		return form("policy", [["policy", encodePolicy(text)]]);
	/** @type {[string, string][]} */
	const fields = Object.entries(document.fields ?? classicFields(document))
		.filter(([, value]) => typeof value === "string")
		.map(([name, value]) => [name, String(value)]);
	return form("grant", fields, { bucket: bucketOf(String(document.url ?? document.host ?? "")) });
}

/** The token of the classic sample names things in its own way. @param {Record<string, any>} token */
function classicFields(token) {
	const names = { accessid: "OSSAccessKeyId", policy: "policy", signature: "Signature", callback: "callback" };
	/** @type {Record<string, any>} */
	const fields = token.dir === undefined ? {} : { key: `${token.dir}\${filename}` };
	for (const [name, field] of Object.entries(names))
		if (token[name] !== undefined)
			fields[field] = token[name];
	return { ...token, ...fields, accessid: undefined, signature: undefined, dir: undefined,
		host: undefined, expire: undefined };
}

/** @param {string} text */
function readLines(text) {
	/** @type {[string, string][]} */
	const fields = [];
	for (const line of text.split(/\r?\n|&(?=[\w.:-]+=)/)) {
		const [, name, value] = /^\s*"?([\w.:$-]+?)"?\s*(?:=|:\s)(.*)$/.exec(line) ?? [];
		if (name)
			fields.push([name, value.trim().replace(/^"(.*)",?$/, "$1")]);
	}
	return withoutFile(form("lines", fields));
}

/** Takes the file out of the fields, and what stands behind it. @param {Pasted} all @returns {Pasted} */
function withoutFile(all) {
	const at = all.fields.findIndex(([name]) => name.toLowerCase() === "file");
	if (at < 0)
		return all;
	return {
		...all,
		fields: all.fields.slice(0, at),
		file: all.file ?? { name: all.fields[at][1].replace(/^@/, ""), type: "", size: null },
		late: all.fields.slice(at + 1).map(([name]) => name),
	};
}

/** @param {string} text */
function readMultipart(text) {
	const [boundary] = text.split(/\r?\n/, 1);
	/** @type {[string, string][]} */
	const fields = [];
	let file = null;
	for (const part of text.split(boundary).slice(1)) {
		const [, head, body = ""] = /^\r?\n([^]*?)\r?\n\r?\n([^]*)$/.exec(part) ?? [];
		const name = head && /;\s*name="([^"]*)"/i.exec(head)?.[1];
		if (!name)
			continue;
		const value = body.replace(/\r?\n$/, "");
		fields.push([name, value]);
		if (name.toLowerCase() === "file") {
			file ??= {
				name: /;\s*filename="([^"]*)"/i.exec(head)?.[1] ?? "",
				type: /^content-type:\s*(.+?)\s*$/im.exec(head)?.[1] ?? "",
				// Browsers' tools leave the content out.
				size: value ? new TextEncoder().encode(value).length : null,
			};
		}
	}
	return withoutFile(form("multipart", fields, { file }));
}

/** @param {string} text */
function readCurl(text) {
	const words = shellWords(text);
	/** @type {[string, string][]} */
	const fields = [];
	let bucket = null, file = null;
	for (let i = 1; i < words.length; i++) {
		const option = words[i];
		if (/^(-F|--form|--form-string)$/.test(option)) {
			const [, name, value] = /^([^=]*)=([^]*)$/.exec(words[++i] ?? "") ?? ["", "", ""];
			const isFile = name.toLowerCase() === "file" && option !== "--form-string";
			if (isFile) {
				const type = /;\s*type=([^;]+)/.exec(value)?.[1] ?? "";
				file ??= { name: value.replace(/^[@<]|;.*$/gs, ""), type, size: null };
			}
			fields.push([name, value]);
		} else if (/^--data(-raw|-binary|-ascii)?$|^-d$/.test(option)) {
			const body = words[++i] ?? "";
			if (/content-disposition:/i.test(body)) {
				const found = readMultipart(body.trim());
				return { ...found, kind: /** @type {const} */ ("curl"), bucket: bucket ?? bucketOf(urlIn(words)) };
			}
		}
	}
	bucket = bucketOf(urlIn(words));
	return withoutFile(form("curl", fields, { bucket, file }));
}

/** @param {string[]} words */
function urlIn(words) {
	return words.find(word => /^https?:\/\//.test(word)) ?? "";
}

/** The words of a command line, with the quotes of a shell. @param {string} text */
function shellWords(text) {
	const pieces = /\\\r?\n|(\s+)|\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\$]+|\$)/gs;
	const words = [""];
	for (const [, space, ansi, single, double, escaped, plain] of text.matchAll(pieces)) {
		if (space !== undefined)
			words.push("");
		else
			words[words.length - 1] += (ansi === undefined ? undefined : unescapeAnsi(ansi))
				?? single ?? double?.replace(/\\([\\"$`])/g, "$1") ?? escaped ?? plain ?? "";
	}
	return words.filter(word => word !== "");
}

/** @param {string} text */
function unescapeAnsi(text) {
	/** @type {Record<string, string>} */
	const letters = { n: "\n", r: "\r", t: "\t" };
	return text.replace(/\\(?:u([\da-f]{4})|x([\da-f]{2})|(.))/gis, (_, unicode, byte, letter) =>
		letter === undefined ? String.fromCharCode(parseInt(unicode ?? byte, 16))
			: letters[letter] ?? letter);
}

/** @param {string} text */
function readHtml(text) {
	/** @type {[string, string][]} */
	const fields = [];
	for (const [, attributes, , content] of text.matchAll(
		/<(?:input|textarea)\b((?:[^<>"']|"[^"]*"|'[^']*')*)>(([^<]*)<\/textarea>)?/gi)) {
		const name = attribute(attributes, "name");
		if (name)
			fields.push([name, content === undefined ? attribute(attributes, "value") : unescapeHtml(content)]);
	}
	const [, tag = ""] = /<form\b((?:[^<>"']|"[^"]*"|'[^']*')*)>/i.exec(text) ?? [];
	return withoutFile(form("html", fields, { bucket: bucketOf(attribute(tag, "action")) }));
}

/** @param {string} attributes @param {string} name */
function attribute(attributes, name) {
	const pattern = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i");
	const [, double, single, bare] = pattern.exec(attributes) ?? [];
	return unescapeHtml(double ?? single ?? bare ?? "");
}

/** @param {string} text */
function unescapeHtml(text) {
	return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<")
		.replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** The bucket that a form is posted to. @param {string} address */
export function bucketOf(address) {
	let url;
	try {
		url = new URL(address);
	} catch {
		return null;
	}
	const [first, ...rest] = url.hostname.split(".");
	const inPath = /^\/([a-z0-9-]+)/.exec(url.pathname)?.[1] ?? null;
	if (/^[\d.]+$|^\[/.test(url.hostname) || rest.length === 0 || first === "localhost")
		return inPath;
	return first;
}
