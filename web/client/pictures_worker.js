// SPDX-License-Identifier: Apache-2.0
// Makes pictures smaller for the page, one at a time: each takes the memory of all its pixels.
import { shrink } from "./shrink.js";

/** @type {Promise<unknown>} */ let last = Promise.resolve();

addEventListener("message", ({ data: { id, blob, how } }) => {
	last = last.then(() => shrink(blob, how)).catch(() => null).then(result => postMessage({ id, result }));
});
