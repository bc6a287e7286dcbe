// SPDX-License-Identifier: Apache-2.0
// Reads and writes the XML of OSS: elements and text, no attributes that mean anything. The
// browser's own parser is closed to us: it takes no text where Trusted Types are required.
import { unescape } from "../../client/xml.js";

/** @typedef {{name: string, text: string, children: Element[]}} Element */

const DEPTH = 16;
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

/** The elements of a name. @param {Element | null | undefined} parent @param {string} name */
export function elements(parent, name) {
	return parent ? parent.children.filter(child => child.name === name) : [];
}

/**
 * The text of the element that a path such as "Bucket/Owner/ID" leads to; empty if there is none.
 * @param {Element | null | undefined} parent @param {string} path
 */
export function textAt(parent, path) {
	/** @type {Element | null | undefined} */
	let at = parent;
	for (const name of path.split("/"))
		at = at?.children.find(child => child.name === name);
	return at?.text ?? "";
}

/**
 * The name of an object in a list, which is asked for with `encoding-type=url`: no other way shows
 * every name. The list says whether it answers so.
 * @param {Element} list the root @param {Element} parent @param {string} path
 */
export function nameAt(list, parent, path) {
	const text = textAt(parent, path);
	return textAt(list, "EncodingType") === "url" ? decodeURIComponent(text) : text;
}

/** An element with its text. @param {string} name @param {string} text */
export function element(name, text) {
	const escaped = text.replace(/[&<>\r]/g, c => `&#${c.charCodeAt(0)};`);
	return `<${name}>${escaped}</${name}>`;
}
