// SPDX-License-Identifier: Apache-2.0
// Which language the console speaks, and its texts from the one table of words.js.
import { WORDS } from "./words.js";

/** @typedef {"en" | "zh"} Language */

const PLACE = "postern.language";
/** @type {(() => void)[]} */
const listeners = [];
let current = preferred();

/** @returns {Language} */
function preferred() {
	const kept = globalThis.localStorage?.getItem(PLACE);
	if (kept === "en" || kept === "zh")
		return kept;
	return globalThis.navigator?.language?.startsWith("zh") ? "zh" : "en";
}

export function language() {
	return current;
}

/** @param {Language} language */
export function setLanguage(language) {
	current = language;
	localStorage.setItem(PLACE, language);
	showLanguage();
	for (const listener of listeners)
		listener();
}

/** Tells browsers and screen readers. */
function showLanguage() {
	document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

/** Called after each change. @param {() => void} listener */
export function onLanguage(listener) {
	listeners.push(listener);
}

/**
 * A text; {0}, {1} in it stand for the arguments.
 * @param {string} name @param {...string} args
 */
export function t(name, ...args) {
	const words = WORDS[name];
	if (!words)
		throw new Error(`there is no text ${name}`);
	return words[current === "zh" ? 1 : 0].replace(/\{(\d)\}/g, (_, index) => args[Number(index)] ?? "");
}

if (globalThis.document)
	showLanguage();
