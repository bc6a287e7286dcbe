// SPDX-License-Identifier: Apache-2.0
// A look at an image or a text, in a frame that may do nothing: no scripts, no origin, no forms.
import { readObject } from "../oss/objects.js";
import { el } from "../dom.js";
import * as format from "../format.js";
import { showError } from "../notice.js";

/** Larger images are downloaded rather than shown; of texts the beginning is shown. */
const IMAGE_BYTES = 20_000_000;
const TEXT_BYTES = 200_000;
const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const TEXTS = /^(text\/.*|application\/(json|xml|javascript|yaml|x-sh|sql)|.*\+(json|xml))$/;
const TEXT_NAMES = /\.(txt|md|csv|log|json|xml|ya?ml|ini|conf|js|css|html?|c|h|py|sh|sql)$/i;

/**
 * An image that fills its frame, as large as fits. In a drawing it is an image and nothing more,
 * also if it is a drawing itself. (By themselves browsers show images with styles of their own,
 * which the Content-Security-Policy forbids.)
 * @param {Blob} content @param {string} type @returns {Promise<Blob>}
 */
function picture(content, type) {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.onerror = () => reject(reader.error);
		reader.onload = () => resolve(new Blob([
			'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"><image width="100%" height="100%" ',
			`href="${reader.result}"/></svg>`,
		], { type: "image/svg+xml" }));
		reader.readAsDataURL(new Blob([content], { type }));
	});
}

/**
 * @param {HTMLElement} card @param {import("./object.js").Place} place
 * @param {Map<string, string>} head
 */
export async function mountPreview(card, { app, bucket, key, signal }, head) {
	const type = (head.get("content-type") ?? "").replace(/;.*/, "").trim().toLowerCase();
	const bytes = Number(head.get("content-length") ?? 0);
	const image = IMAGES.test(type);
	if (bytes === 0 || image && bytes > IMAGE_BYTES || !image && !TEXTS.test(type) && !TEXT_NAMES.test(key)) {
		card.append(el("p", { class: "quiet-text", t: bytes === 0 ? "preview.empty" : "preview.none" }));
		return;
	}
	try {
		const content = await readObject(app.client, bucket, key, { bytes: image ? undefined : TEXT_BYTES, signal });
		// The type is ours: whatever the object calls itself, a text is shown as one.
		const blob = image ? await picture(content, type)
			: new Blob([content], { type: "text/plain;charset=utf-8" });
		const url = URL.createObjectURL(blob);
		signal.addEventListener("abort", () => URL.revokeObjectURL(url));
		if (signal.aborted)
			return;
		card.append(el("iframe", { sandbox: "", src: url, tTitle: ["preview.of", key], class: image ? "image" : "text" }));
		if (!image && bytes > TEXT_BYTES)
			card.append(el("p", { class: "quiet-text", t: ["preview.cut", format.size(TEXT_BYTES)] }));
	} catch (error) {
		showError(card.appendChild(el("div")), error);
	}
}
