// SPDX-License-Identifier: Apache-2.0
// Deleting a bucket, or saying what stops it.
import { abortUpload, deleteBucket, unfinishedUploads, whatIsIn } from "../oss/buckets.js";
import { button, el, fill } from "../dom.js";
import { ask } from "../dialog.js";
import { showError } from "../notice.js";
import { route } from "../router.js";

/** @typedef {import("../app.js").App} App */

/**
 * @param {App} app @param {string} bucket @param {AbortSignal} view
 * @returns {Promise<import("../dialog.js").End>}
 */
export function askDeleteBucket(app, bucket, view) {
	const contents = new Contents(app, bucket);
	return ask({
		title: ["buckets.deleteTitle", bucket], action: "buckets.delete", danger: true, content: [contents.node],
		view, until: contents.look(),
		run: async signal => {
			try {
				await deleteBucket(app.client, bucket, signal);
			} catch (error) {
				await contents.look();
				throw error;
			}
		},
	});
}

/** What keeps a bucket from being deleted. */
class Contents {
	node = el("div", {}, el("p", { t: "buckets.looking" }));
	/** Counts the looks: what an earlier one saw is old. */
	#turn = 0;
	#app;
	#bucket;

	/** @param {App} app @param {string} bucket */
	constructor(app, bucket) {
		this.#app = app;
		this.#bucket = bucket;
	}

	async look() {
		const turn = ++this.#turn;
		try {
			const found = await whatIsIn(this.#app.client, this.#bucket);
			if (turn === this.#turn)
				this.#show(found);
		} catch (error) {
			if (turn === this.#turn)
				showError(this.node, error);
		}
	}

	/** @param {Awaited<ReturnType<typeof whatIsIn>>} found */
	#show({ objects, uploads }) {
		if (objects.length === 0 && uploads.length === 0) {
			fill(this.node, el("p", { t: "buckets.isEmpty" }));
			return;
		}
		const abort = button({ t: "buckets.abort", on: { click: () => {
			abort.disabled = true;
			this.#abort();
		} } });
		fill(this.node, el("p", { t: "buckets.isNotEmpty" }),
			objects.length > 0 && el("ul", { class: "stops" }, ...objects.map(key => el("li", {}, key))),
			objects.length > 0 && el("p", {}, el("a", { href: route("objects", this.#bucket), t: "buckets.seeObjects",
				on: { click: () => this.node.closest("dialog")?.close() } })),
			uploads.length > 0 && el("p", { t: ["buckets.unfinished", uploads.length] }),
			uploads.length > 0 && abort);
	}

	async #abort() {
		try {
			for (const upload of await unfinishedUploads(this.#app.client, this.#bucket))
				await abortUpload(this.#app.client, this.#bucket, upload);
			await this.look();
		} catch (error) {
			showError(this.node, error);
		}
	}
}
