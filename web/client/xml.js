// SPDX-License-Identifier: Apache-2.0
// Reads the XML of OSS: elements and text, no attributes that mean anything. The browser's own parser
// is closed to pages that require Trusted Types, as the console is.

/** @typedef {{name: string, text: string, children: Element[]}} Element */

const DEPTH = 16;
/** @type {Record<string, string>} */
const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const TOKEN = /<\?[^]*?\?>|<!--[^]*?-->|<(\/?)([A-Za-z_][\w.-]*)([^<>]*?)(\/?)>|([^<]+)/y;

/**
 * @param {string} source
 * @returns {Element | null} the root, or null if it is no such document
 */
export function readXml(source) {
	/** @type {Element} */
	const top = { name: "", text: "", children: [] };
	const open = [top];
	TOKEN.lastIndex = 0;
	while (TOKEN.lastIndex < source.length) {
		const token = TOKEN.exec(source);
		if (!token || open.length > DEPTH)
			return null;
		const [, end, name, , alone, text] = token;
		const current = open[open.length - 1];
		if (text !== undefined) {
			current.text += text.includes("&") ? unescape(text) : text;
		} else if (end) {
			if (open.length === 1 || current.name !== name)
				return null;
			open.pop();
		} else if (name) {
			const element = { name, text: "", children: [] };
			current.children.push(element);
			if (!alone)
				open.push(element);
		}
	}
	return open.length === 1 && top.children.length === 1 && !top.text.trim() ? top.children[0] : null;
}

/** @param {string} text */
function unescape(text) {
	return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
		if (name)
			return ENTITIES[name] ?? all;
		const code = decimal ? parseInt(decimal, 10) : parseInt(hex, 16);
		return code <= 0x10ffff ? String.fromCodePoint(code) : all;
	});
}

/**
 * An error document: an <Error> of flat elements.
 * @param {string} text
 * @returns {Record<string, string> | null} the elements by name, or null if it is something else
 */
export function parseErrorXml(text) {
	const root = readXml(text);
	if (root?.name !== "Error")
		return null;
	const flat = root.children.filter(child => child.children.length === 0);
	return Object.fromEntries(flat.map(child => [child.name, child.text]));
}
