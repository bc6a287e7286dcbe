// SPDX-License-Identifier: Apache-2.0
// Numbers for people.

/** @param {number} bytes */
export function formatSize(bytes) {
	if (bytes < 1000)
		return bytes === 1 ? "1 byte" : `${bytes} bytes`;
	const units = ["kB", "MB", "GB", "TB"];
	let value = bytes / 1000;
	let unit = 0;
	for (; value >= 999.5 && unit < units.length - 1; unit++)
		value /= 1000;
	return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
