// SPDX-License-Identifier: Apache-2.0
// Makes elements. Text goes in as text; texts of the table follow the language.
import { onLanguage, t } from "./texts.js";

/** A text of texts.js: its name, or its name with arguments; functions are asked each time. */
/** @typedef {string | [string, ...(string | number | (() => string))[]]} Text */

/**
 * @typedef {object} Props
 * @property {Text} [t] the text of the element
 * @property {Text} [tLabel] its aria-label
 * @property {Text} [tTitle] what shows under the pointer
 * @property {Text} [tPlaceholder]
 * @property {Record<string, (event: any) => void>} [on]
 * @property {string} [value]
 */

/** Attributes that would be code or break the Content-Security-Policy are never set here. */
const FORBIDDEN = /^(on|style$|srcdoc$)/;

/** @type {WeakMap<Element, Map<string, Text>>} */
const labels = new WeakMap();
/** How many fields have been numbered. */
let fields = 0;
/** @type {Record<string, string>} */
const PLACES = { t: "", tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" };

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props & Record<string, any>} [props] attributes besides; true and false add and remove
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props)) {
		if (value === undefined || value === null)
			continue;
		if (name in PLACES)
			label(node, value, PLACES[name]);
		else if (name === "on")
			for (const [type, listener] of Object.entries(value))
				node.addEventListener(type, /** @type {EventListener} */ (listener));
		else if (name !== "value")
			setAttribute(node, name, value);
	}
	for (const child of children)
		if (child)
			node.append(child);
	// A select knows its values only when it has its options.
	if (props.value !== undefined)
		/** @type {HTMLInputElement} */ (/** @type {unknown} */ (node)).value = props.value;
	return node;
}

/** @param {Element} node @param {string} name @param {any} value */
function setAttribute(node, name, value) {
	if (FORBIDDEN.test(name))
		throw new Error(`${name} is no attribute to set`);
	if (typeof value === "boolean")
		node.toggleAttribute(name, value);
	else
		node.setAttribute(name, String(value));
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
export function svg(tag, attributes = {}) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes))
		setAttribute(node, name, value);
	return node;
}

/**
 * Puts a text of the table into an element, or into one of its attributes.
 * @param {Element} node @param {Text} text @param {string} [attribute]
 */
export function label(node, text, attribute = "") {
	const texts = labels.get(node) ?? new Map();
	texts.set(attribute, text);
	labels.set(node, texts);
	node.setAttribute("data-t", "");
	write(node, text, attribute);
}

/** Text that is nobody's translation, in place of one that was. @param {Element} node @param {string} text */
export function plain(node, text) {
	labels.get(node)?.delete("");
	node.textContent = text;
}

/** @param {Element} node @param {Text} text @param {string} attribute */
function write(node, text, attribute) {
	const [name, ...args] = Array.isArray(text) ? text : [text];
	const words = t(name, ...args.map(arg => String(typeof arg === "function" ? arg() : arg)));
	if (attribute)
		node.setAttribute(attribute, words);
	else
		node.textContent = words;
}

onLanguage(() => {
	for (const node of document.querySelectorAll("[data-t]"))
		for (const [attribute, text] of labels.get(node) ?? [])
			write(node, text, attribute);
});

/** @param {Props & Record<string, any>} props */
export function button(props) {
	return el("button", { type: "button", ...props });
}

/**
 * A field with its name above it.
 * @param {Text} name @param {HTMLElement} control @param {Text} [hint]
 */
export function field(name, control, hint) {
	control.id ||= `field-${++fields}`;
	const hintNode = hint && el("small", { id: `${control.id}-hint`, t: hint });
	if (hintNode)
		control.setAttribute("aria-describedby", hintNode.id);
	return el("div", { class: "field" }, el("label", { for: control.id, t: name }), control, hintNode);
}

/** @param {Text} name @param {HTMLInputElement} box */
export function check(name, box) {
	return el("label", { class: "check" }, box, el("span", { t: name }));
}

/** A select of texts. @param {[string, Text][]} options @param {Props & Record<string, any>} props */
export function select(options, props) {
	return el("select", props, ...options.map(([value, text]) => el("option", { value, t: text })));
}

/** Empties an element and fills it. @param {Element} node @param {...(Node | string | null | false)} children */
export function fill(node, ...children) {
	node.replaceChildren(...children.filter(child => child !== null && child !== false));
}
