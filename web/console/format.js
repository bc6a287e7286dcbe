// SPDX-License-Identifier: Apache-2.0
// Sizes, numbers and times as people read them.
import { language, onLanguage } from "./texts.js";

export { shortSize as size } from "../client/format.js";

let formats = make();
onLanguage(() => {
	formats = make();
});

function make() {
	const locale = language() === "zh" ? "zh-CN" : "en-GB";
	return {
		number: new Intl.NumberFormat(locale),
		time: new Intl.DateTimeFormat(locale, {
			year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
			second: "2-digit", hourCycle: "h23",
		}),
		relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
	};
}

/** @param {number} value */
export function number(value) {
	return formats.number.format(value);
}

/** Local time. @param {string | number} time what Date understands */
export function time(time) {
	const date = new Date(time);
	return Number.isNaN(date.getTime()) ? String(time) : formats.time.format(date);
}

/** "in 5 minutes", "3 days ago". @param {number} ms */
export function distance(ms) {
	const seconds = ms / 1000;
	for (const [unit, length] of /** @type {const} */ ([["day", 86400], ["hour", 3600], ["minute", 60]]))
		if (Math.abs(seconds) >= length)
			return formats.relative.format(Math.round(seconds / length), unit);
	return formats.relative.format(Math.round(seconds), "second");
}
