// SPDX-License-Identifier: Apache-2.0
// What to do about failures that pass by themselves: wait, longer each time, and try again.
import { UploadError } from "./errors.js";

/** The first wait; each further one is twice as long. */
const FIRST_MS = 500;
const LONGEST_MS = 30000;
/** A server may ask for patience, but not for more than this. */
const LONGEST_ASKED_MS = 300000;

/**
 * @typedef {object} Patience
 * @property {import("./clock.js").Clock} clock
 * @property {import("./clock.js").Network} network
 * @property {() => number} random 0 to 1
 * @property {number} retries how many times more
 * @property {() => void} [trouble] told of each failure that may come from too many at a time
 */

/**
 * Tries until it works, for as long as the error says that it may. Nothing is tried without a
 * network, and what failed because there was none does not count.
 * @template T
 * @param {() => Promise<T>} attempt throws an UploadError
 * @param {Patience} patience
 * @param {AbortSignal} signal
 * @param {(error: UploadError | null) => void} [waiting] null: only the network is awaited
 * @returns {Promise<T>}
 */
export async function persist(attempt, patience, signal, waiting) {
	const { clock, network, random, retries } = patience;
	for (let failures = 0;;) {
		signal.throwIfAborted();
		if (!network.online) {
			waiting?.(null);
			await until(done => network.whenOnline(done), signal);
		}
		try {
			return await attempt();
		} catch (cause) {
			signal.throwIfAborted();
			if (!(cause instanceof UploadError) || !cause.again)
				throw cause;
			if (!network.online)
				continue;
			patience.trouble?.();
			if (failures >= retries)
				throw cause;
			const most = Math.min(FIRST_MS * 2 ** failures++, LONGEST_MS);
			waiting?.(cause);
			// Half of it by chance: those who failed together do not come back together.
			await until(done => clock.after(
				Math.max(most * (1 + random()) / 2, Math.min(cause.retryAfter, LONGEST_ASKED_MS)), done),
			signal);
		}
	}
}

/**
 * @param {(done: () => void) => () => void} begin
 * @param {AbortSignal} signal
 */
function until(begin, signal) {
	return new Promise((resolve, reject) => {
		const stop = () => {
			cancel();
			reject(signal.reason);
		};
		const cancel = begin(() => {
			signal.removeEventListener("abort", stop);
			cancel();
			resolve(undefined);
		});
		signal.addEventListener("abort", stop, { once: true });
	});
}

/** Whether a request with this status may succeed without any change. @param {number} status */
export function passes(status) {
	return status === 0 || status === 429 || status >= 500 && status !== 501;
}

/**
 * What Retry-After asks for, in milliseconds.
 * @param {import("./xhr.js").Answer} answer
 * @param {number} now
 */
export function retryAfter(answer, now) {
	const text = answer.header("retry-after") ?? "";
	const seconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
	return seconds > 0 ? seconds : 0;
}
