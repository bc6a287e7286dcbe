// SPDX-License-Identifier: Apache-2.0
// Time and the state of the network, as the browser tells them. Tests put others in their place.

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since 1970
 * @property {(ms: number, then: () => void) => () => void} after calls later; the result cancels
 */

/** @type {Clock} */
export const systemClock = {
	now: () => Date.now(),
	after(ms, then) {
		const timer = setTimeout(then, ms);
		return () => clearTimeout(timer);
	},
};

/**
 * @typedef {object} Network
 * @property {boolean} online
 * @property {(back: () => void) => () => void} whenOnline calls when the network is back; the
 *   result cancels
 */

/** @type {Network} */
export const browserNetwork = {
	get online() {
		return globalThis.navigator?.onLine !== false;
	},
	whenOnline(back) {
		addEventListener("online", back);
		return () => removeEventListener("online", back);
	},
};
