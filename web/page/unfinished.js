// SPDX-License-Identifier: Apache-2.0
// Files that were on their way when the page was closed: they go on at the press of a button.
import { createHandles } from "../client/handles.js";
import { formatSize } from "../client/format.js";
import { t, tError } from "./words.js";

/** @typedef {import("../client/postern-upload.js").Upload} Upload */
/** @typedef {import("../client/handles.js").KeptHandle} KeptHandle */

/**
 * @param {HTMLElement} root
 * @param {(file: File, path: string, handle: FileSystemFileHandle) => void} goOn
 */
export function mountUnfinished(root, goOn) {
	const handles = createHandles();
	const list = /** @type {HTMLElement} */ (root.querySelector("ul"));
	/** @type {KeptHandle[]} */ let kept = [];
	/** What is kept of uploads that are on their way. @type {WeakMap<Upload, Promise<number>>} */
	const ids = new WeakMap();

	/** @param {KeptHandle} one */
	function drop(one) {
		handles.forget(one.id);
		kept = kept.filter(other => other !== one);
		show();
	}

	function show() {
		root.hidden = kept.length === 0;
		list.replaceChildren(...kept.map(one => {
			const row = document.createElement("li");
			const name = document.createElement("bdi");
			name.textContent = one.path;
			const size = document.createElement("span");
			size.textContent = formatSize(one.size);
			const problem = document.createElement("p");
			row.append(name, size, button(t("goOn"), t("goOnWith", one.path), async () => {
				try {
					const file = await handles.open(one);
					drop(one);
					goOn(file, one.path, one.handle);
				} catch (error) {
					const { message, advice } = tError(/** @type {any} */ (error));
					problem.textContent = `${message} ${advice}`;
				}
			}), button(t("forget"), t("forgetWith", one.path), () => drop(one)), problem);
			return row;
		}));
	}

	handles.all().then(all => {
		kept = all;
		show();
	});
	return {
		show,
		/** An upload has begun. @param {Upload} upload @param {FileSystemFileHandle} handle @param {string} path */
		began(upload, handle, path) {
			if (!ids.has(upload))
				ids.set(upload, handles.keep(handle, { path, size: upload.file.size }));
			// It was dropped again instead of going on here.
			for (const one of kept.filter(({ path: other, size }) => other === path && size === upload.file.size))
				drop(one);
		},
		/** It has come to its end, or is no longer wanted. @param {Upload} upload */
		ended(upload) {
			ids.get(upload)?.then(handles.forget);
			ids.delete(upload);
		},
	};
}

/** @param {string} word @param {string} label @param {() => void} act */
function button(word, label, act) {
	const made = document.createElement("button");
	made.type = "button";
	made.textContent = word;
	made.setAttribute("aria-label", label);
	made.addEventListener("click", act);
	return made;
}
