// SPDX-License-Identifier: Apache-2.0
// The objects of a bucket: a folder at a time, or all names that begin with something.
import { button, check, el, fill } from "../dom.js";
import { chosenFiles, droppedFiles } from "../../client/dropped.js";
import { showError } from "../notice.js";
import { route } from "../router.js";
import { bucketHead } from "./bucket_head.js";
import { ObjectList } from "./object_list.js";

/** @typedef {import("../../client/dropped.js").Found} Found */

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, { bucket, key: folder, query }, signal) {
	const list = new ObjectList(app, bucket, folder, query, signal);
	const { rows, search, flat, status, news } = list;

	const files = chooser({ multiple: true });
	const tree = chooser({ webkitdirectory: true });
	const remove = button({ class: "danger", t: "objects.delete", disabled: true, on: { click: () => list.remove() } });
	const download = button({ t: "objects.download", disabled: true, on: { click: () => list.download() } });
	list.onSelection = () => {
		remove.disabled = list.selected.size === 0;
		download.disabled = list.selected.size === 0;
	};
	fill(root, bucketHead(bucket, "objects"), crumbs(bucket, folder),
		el("div", { class: "bar" }, search, check("objects.flat", flat), status,
			el("div", { class: "buttons" },
				button({ class: "primary", t: "objects.upload", on: { click: () => files.click() } }),
				button({ t: "objects.uploadFolder", on: { click: () => tree.click() } }), download, remove,
				button({ t: "objects.refresh", on: { click: () => list.start() } }), files, tree)),
		news, rows.node);

	/** @param {Found[]} found */
	const upload = found => app.uploads.add(bucket,
		found.map(({ file, path }) => ({ file, key: folder + path })));
	for (const input of [files, tree]) {
		input.addEventListener("change", () => {
			upload(chosenFiles(input.files));
			input.value = "";
		});
	}
	for (const type of ["dragover", "dragleave", "drop"]) {
		root.addEventListener(type, async event => {
			event.preventDefault();
			rows.node.classList.toggle("over", type === "dragover");
			if (type === "drop" && event instanceof DragEvent && event.dataTransfer)
				upload(await droppedFiles(event.dataTransfer).catch(error => {
					showError(news, error);
					return [];
				}));
		}, { signal });
	}
	// One list anew for many files.
	let timer = 0;
	app.uploads.addEventListener("stored", event => {
		if (/** @type {CustomEvent} */ (event).detail.bucket !== bucket)
			return;
		clearTimeout(timer);
		timer = setTimeout(() => list.again(), 300);
	}, { signal });
	signal.addEventListener("abort", () => clearTimeout(timer));
	list.start();
}

/** @param {Record<string, boolean>} how */
function chooser(how) {
	return el("input", { type: "file", hidden: true, tLabel: "objects.upload", ...how });
}

/** @param {string} bucket @param {string} folder */
function crumbs(bucket, folder) {
	const parts = folder.split("/").slice(0, -1);
	return el("nav", { class: "crumbs", tLabel: "objects.path" },
		el("a", { href: route("objects", bucket) }, bucket),
		...parts.map((name, i) => el("a", {
			href: route("objects", bucket, `${parts.slice(0, i + 1).join("/")}/`),
		}, name || "/")));
}
