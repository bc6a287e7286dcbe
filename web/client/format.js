// SPDX-License-Identifier: Apache-2.0
// Numbers for people.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** "999 B", "1.0 kB". @param {number} bytes */
export function shortSize(bytes) {
	let value = bytes;
	let unit = 0;
	for (; value >= 999.5 && unit < UNITS.length - 1; unit++)
		value /= 1000;
	return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** The same with bytes in words. @param {number} bytes */
export function formatSize(bytes) {
	if (bytes < 1000)
		return bytes === 1 ? "1 byte" : `${bytes} bytes`;
	return shortSize(bytes);
}
