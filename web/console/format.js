// SPDX-License-Identifier: Apache-2.0
// Sizes, numbers and times as people read them.
import { language, onLanguage } from "./texts.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
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

/** @param {number} bytes */
export function size(bytes) {
	let value = bytes;
	let unit = 0;
	for (; value >= 999.5 && unit < UNITS.length - 1; unit++)
		value /= 1000;
	const digits = unit > 0 && value < 10 ? value.toFixed(1) : String(Math.round(value));
	return `${digits} ${UNITS[unit]}`;
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
