// SPDX-License-Identifier: Apache-2.0
// Deleting a bucket, or saying what stops it.
import { abortUpload, deleteBucket, unfinishedUploads, whatIsIn } from "../oss/buckets.js";
import { button, el, fill } from "../dom.js";
import { ask } from "../dialog.js";
import { showError } from "../notice.js";
import { route } from "../router.js";

/** @typedef {import("../app.js").App} App */

/** @param {App} app @param {string} bucket @returns {Promise<boolean>} whether it is gone */
export async function askDeleteBucket(app, bucket) {
	const state = el("div", {}, el("p", { t: "buckets.looking" }));
	look(app, bucket, state);
	return ask({
		title: ["buckets.deleteTitle", bucket], action: "buckets.delete", danger: true, content: [state],
		run: async () => {
			try {
				await deleteBucket(app.client, bucket);
			} catch (error) {
				await look(app, bucket, state);
				throw error;
			}
		},
	});
}

/** @param {App} app @param {string} bucket @param {HTMLElement} state */
async function look(app, bucket, state) {
	try {
		const { objects, uploads } = await whatIsIn(app.client, bucket);
		if (objects.length === 0 && uploads.length === 0)
			fill(state, el("p", { t: "buckets.isEmpty" }));
		else
			fill(state, el("p", { t: "buckets.isNotEmpty" }),
				objects.length > 0 && el("ul", { class: "stops" }, ...objects.map(key => el("li", {}, key))),
				objects.length > 0 && el("p", {}, el("a", { href: route("objects", bucket), t: "buckets.seeObjects",
					on: { click: () => state.closest("dialog")?.close() } })),
				uploads.length > 0 && el("p", { t: ["buckets.unfinished", uploads.length] }),
				uploads.length > 0 && button({ t: "buckets.abort", on: { click: () => abort(app, bucket, state) } }));
	} catch (error) {
		showError(state, error);
	}
}

/** @param {App} app @param {string} bucket @param {HTMLElement} state */
async function abort(app, bucket, state) {
	try {
		for (const upload of await unfinishedUploads(app.client, bucket))
			await abortUpload(app.client, bucket, upload);
		await look(app, bucket, state);
	} catch (error) {
		showError(state, error);
	}
}
