// SPDX-License-Identifier: Apache-2.0
// What stands above the views of a bucket: its name, and the way to its other views.
import { el } from "../dom.js";
import { route } from "../router.js";

/** @param {string} bucket @param {"objects" | "cors" | "settings"} current */
export function bucketHead(bucket, current) {
	const tab = (/** @type {string} */ view) => el("a", {
		href: route(view, bucket), t: `bucket.${view}`,
		"aria-current": view === current ? "page" : undefined,
	});
	return el("header", { class: "bucket-head" },
		el("h1", {}, bucket),
		el("nav", { class: "tabs", tLabel: "bucket.views" }, tab("objects"), tab("cors"), tab("settings")));
}
