// SPDX-License-Identifier: Apache-2.0
// A bucket's settings: what it is, who may read it, and its end.
import { ACLS, bucketInfo, bucketStat, setBucketAcl } from "../oss/buckets.js";
import { button, el, field, fill, select } from "../dom.js";
import * as format from "../format.js";
import { Guard } from "../guard.js";
import { say, showError, showNotice } from "../notice.js";
import { route } from "../router.js";
import { bucketHead } from "./bucket_head.js";
import { askDeleteBucket } from "./delete_bucket.js";

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, { bucket }, signal) {
	const facts = el("dl", { class: "facts" });
	const problem = el("div");
	const news = el("div");
	const acl = select(ACLS.map(value => [value, `acl.${value}`]), {});
	const save = el("button", { type: "submit", class: "primary", t: "settings.saveAcl" });
	const fields = new Guard(field("bucket.acl", acl, "acl.hint"), news, el("div", { class: "buttons" }, save));
	const form = el("form", { class: "card" }, el("h2", { t: "bucket.acl" }), fields.node);
	fill(root, bucketHead(bucket, "settings"), el("section", { class: "card" },
		el("h2", { t: "settings.facts" }), facts, problem), form,
	el("section", { class: "card" }, el("h2", { t: "settings.end" }), el("p", { t: "settings.endHint" }),
		button({ class: "danger", t: "settings.delete", on: { click: remove } })));

	form.addEventListener("submit", async event => {
		event.preventDefault();
		try {
			await fields.during(() => setBucketAcl(app.client, bucket, acl.value));
			showNotice(news, "settings.aclSaved");
		} catch (error) {
			showError(news, error);
		}
	});

	async function load() {
		try {
			const [info, stat] = await Promise.all([
				bucketInfo(app.client, bucket, signal).then(found => {
					fields.ready(() => {
						acl.value = found.acl;
					});
					return found;
				}),
				bucketStat(app.client, bucket, signal),
			]);
			fill(facts, ...[
				fact("settings.created", ["plain", () => format.time(info.created)]),
				fact("settings.region", ["plain", info.location]),
				fact("settings.storageClass", ["plain", info.storageClass]),
				fact("settings.owner", ["plain", info.owner]),
				fact("buckets.objects", ["plain", () => format.number(stat.objects)]),
				fact("buckets.size", ["plain", format.size(stat.bytes)]),
				fact("settings.url", ["plain", `${app.client.url}/${bucket}`]),
			].flat());
		} catch (error) {
			showError(problem, error, load);
		}
	}

	async function remove() {
		if (await askDeleteBucket(app, bucket, signal) === "done" && !signal.aborted) {
			say("buckets.deleted", bucket);
			location.hash = route("buckets");
		}
	}

	load();
}

/** @param {string} name @param {import("../dom.js").Text} value */
function fact(name, value) {
	return [el("dt", { t: name }), el("dd", { t: value })];
}
