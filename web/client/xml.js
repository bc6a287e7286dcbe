// SPDX-License-Identifier: Apache-2.0
// Reads OSS's error document: an <Error> of flat elements.

/** @type {Record<string, string>} */
const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/**
 * @param {string} text
 * @returns {Record<string, string> | null} the elements by name, or null if it is something else
 */
export function parseErrorXml(text) {
	const body = /<Error(?:\s[^<>]*)?>([^]*)<\/Error>\s*$/.exec(text)?.[1];
	if (body === undefined)
		return null;
	/** @type {Record<string, string>} */
	const elements = {};
	for (const [, name, value] of body.matchAll(/<(\w+)>([^<]*)<\/\1>/g))
		elements[name] = unescape(value);
	return elements;
}

/** What a text of XML stands for. @param {string} text */
export function unescape(text) {
	return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
		if (name)
			return ENTITIES[name] ?? all;
		const code = decimal ? parseInt(decimal, 10) : parseInt(hex, 16);
		return code <= 0x10ffff ? String.fromCodePoint(code) : all;
	});
}
