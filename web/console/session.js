// SPDX-License-Identifier: Apache-2.0
// Who is logged on: the keys, in this tab alone. They end with the tab, or when somebody logs off.

/** @typedef {import("./oss/sign.js").Keys} Keys */

const PLACE = "postern.keys";

/** @returns {Keys | null} */
export function readKeys() {
	try {
		const keys = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
		return keys && typeof keys.id === "string" && typeof keys.secret === "string" ? keys : null;
	} catch {
		return null;
	}
}

/** @param {Keys} keys */
export function keepKeys(keys) {
	sessionStorage.setItem(PLACE, JSON.stringify(keys));
}

/** Loads the page anew too, so that no variable remembers. */
export function forgetKeys() {
	sessionStorage.removeItem(PLACE);
	history.replaceState(null, "", "#/");
	location.reload();
}
