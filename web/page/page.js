// SPDX-License-Identifier: Apache-2.0
// The upload page: chooses files, and shows what becomes of them.
import { createUploader } from "../client/postern-upload.js";
import { objectKey } from "../client/form.js";
import { formatSize } from "../client/format.js";
import { explain } from "../client/texts.js";
import { mountRow } from "./row.js";

/** @typedef {import("../client/postern-upload.js").Upload} Upload */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = id => /** @type {T} */ (document.getElementById(id));

/** @type {HTMLInputElement} */ const input = byId("files");
/** @type {HTMLInputElement} */ const random = byId("random");
/** @type {HTMLButtonElement} */ const uploadButton = byId("upload");
/** @type {HTMLButtonElement} */ const clearButton = byId("clear");
const drop = byId("drop");
const list = byId("list");
const news = byId("news");

const uploader = createUploader({ grantUrl: new URL("../grant", location.href).href });
/** @type {Map<Upload, {remove: () => void}>} */
const rows = new Map();
/** Which names were asked for when Upload was pressed. @type {WeakMap<Upload, "random" | "file">} */
const names = new WeakMap();

/** @param {Iterable<File>} files */
function add(files) {
	for (const file of files) {
		const upload = uploader.add(file, {
			// The box may be ticked after the file was chosen, but not after Upload was pressed.
			key: (_, grant) => objectKey(file, grant, { names: names.get(upload) }),
		});
		rows.set(upload, mountRow(list, upload, { say, remove: () => remove(upload) }));
		upload.addEventListener("change", update);
	}
	update();
}

/** @param {Upload} upload */
function remove(upload) {
	upload.cancel();
	rows.get(upload)?.remove();
	rows.delete(upload);
	update();
	(uploadButton.disabled ? input : uploadButton).focus();
}

/** @param {string} text what a screen reader says */
function say(text) {
	news.textContent = text;
}

function update() {
	const uploads = [...rows.keys()];
	list.hidden = byId("list-title").hidden = uploads.length === 0;
	uploadButton.disabled = !uploads.some(upload => upload.state === "idle");
	clearButton.disabled = !uploads.some(upload => upload.state === "done");
}

/** Says what the policy permits, and lets the file chooser offer only that. */
async function showLimits() {
	const { min_size, max_size, types } = await uploader.grant();
	const parts = [];
	if (types?.length) {
		input.accept = types.join(",");
		parts.push(`Types: ${types.join(", ")}.`);
	}
	if (min_size && min_size > 1)
		parts.push(`At least ${formatSize(min_size)} each.`);
	if (max_size)
		parts.push(`Up to ${formatSize(max_size)} each.`);
	if (parts.length)
		byId("limits").textContent = parts.join(" ");
}

input.addEventListener("change", () => {
	add(input.files ?? []);
	// The same file can be chosen again.
	input.value = "";
});

uploadButton.addEventListener("click", () => {
	for (const upload of rows.keys())
		if (upload.state === "idle" && !names.has(upload)) {
			names.set(upload, random.checked ? "random" : "file");
			upload.start();
		}
});

clearButton.addEventListener("click", () => {
	for (const upload of [...rows.keys()])
		if (upload.state === "done")
			remove(upload);
	say("Finished files cleared.");
});

// A file dropped beside the area must not replace the page.
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
	document.addEventListener(type, event => {
		event.preventDefault();
		const inside = event.target instanceof Node && drop.contains(event.target);
		drop.classList.toggle("over", inside && type !== "dragleave" && type !== "drop");
	});
}

drop.addEventListener("drop", event => {
	// A folder is listed as a file that cannot be read: only real files are taken.
	const items = [...event.dataTransfer?.items ?? []];
	const files = items.filter(item => item.kind === "file")
		.filter(item => !item.webkitGetAsEntry?.()?.isDirectory)
		.map(item => item.getAsFile());
	add(files.filter(file => file !== null));
	if (files.length < items.length)
		say("Folders were left out: drop files.");
});

window.addEventListener("beforeunload", event => {
	if ([...rows.keys()].some(upload => ["signing", "sending", "retrying"].includes(upload.state)))
		event.preventDefault();
});

// Until now nobody would have heard of what was chosen.
input.disabled = random.disabled = false;

showLimits().catch(error => {
	const { message, advice } = explain(error);
	byId("limits").textContent = `${message} ${advice}`;
});
