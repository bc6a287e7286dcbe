// SPDX-License-Identifier: Apache-2.0
// A request that is given up when nothing moves any more.

/** When all is sent, the store may have to call the application server first. */
const ANSWER_MS = 120000;

/**
 * @param {import("./xhr.js").Request} request
 * @param {{http: import("./xhr.js").HttpStack, clock: import("./clock.js").Clock,
 *   stallMs: number}} tools
 * @returns {Promise<{answer: import("./xhr.js").Answer, moved: boolean, stalled: boolean}>} moved:
 *   something was sent, which browsers permit only when the server has admitted the page
 */
export async function sendWatched(request, { http, clock, stallMs }) {
	const stop = new AbortController();
	const abort = () => stop.abort();
	let last = clock.now();
	let patience = stallMs;
	let moved = false;
	let stalled = false;
	let cancel = () => {};
	const look = () => {
		const left = last + patience - clock.now();
		stalled = left <= 0;
		if (stalled)
			abort();
		else
			// A clock that was set back does not stop the watch.
			cancel = clock.after(Math.min(left, patience), look);
	};
	request.signal?.addEventListener("abort", abort);
	const asked = http.send({
		...request,
		signal: stop.signal,
		onProgress(sent, total) {
			moved ||= sent > 0;
			last = clock.now();
			request.onProgress?.(sent, total);
		},
		onSent() {
			moved = true;
			last = clock.now();
			patience = Math.max(stallMs, ANSWER_MS);
			request.onSent?.();
		},
	});
	look();
	const answer = await asked;
	cancel();
	request.signal?.removeEventListener("abort", abort);
	return { answer, moved, stalled };
}
