// SPDX-License-Identifier: Apache-2.0
// Light, dark, or as the system has it.

const PLACE = "postern.theme";
const THEMES = ["system", "light", "dark"];

export function theme() {
	const kept = localStorage.getItem(PLACE) ?? "";
	return THEMES.includes(kept) ? kept : "system";
}

/** @param {string} name */
export function setTheme(name) {
	localStorage.setItem(PLACE, name);
	applyTheme();
}

export function applyTheme() {
	const name = theme();
	document.documentElement.toggleAttribute("data-theme", name !== "system");
	if (name !== "system")
		document.documentElement.setAttribute("data-theme", name);
}
