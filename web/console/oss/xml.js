// SPDX-License-Identifier: Apache-2.0
// The XML of OSS: finding one's way in what was read, and writing it.
export { readXml } from "../../client/xml.js";

/** @typedef {import("../../client/xml.js").Element} Element */

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
