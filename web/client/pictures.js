// SPDX-License-Identifier: Apache-2.0
/**
 * Pictures before they are sent: smaller, and without what they tell of place, time and camera.
 *
 *     const smaller = createPictures({ maxWidth: 2000, maxHeight: 2000 });
 *     uploader.add(await smaller(file)).start();
 *
 * JPEG, PNG, WebP and AVIF are decoded, turned the right way round, made smaller if they are larger, and
 * encoded again. AVIF becomes WebP; the file's name gets the extension of its new type. Everything else is
 * given back as it is: files that are no pictures, GIF and what else moves, SVG, and what this browser cannot
 * decode, such as HEIC in most. Where it matters that no place is told, compare: `result === file`.
 */
import { shrink } from "./shrink.js";

const EXTENSIONS = /** @type {Record<string, string>} */ ({
	"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp",
});

/**
 * @typedef {object} PictureOptions
 * @property {number} [maxWidth] in pixels; default 2560
 * @property {number} [maxHeight] likewise
 * @property {"image/jpeg"|"image/png"|"image/webp"} [type] what all become; default: what they are
 * @property {number} [quality] of JPEG and WebP, from 0 to 1; default 0.85
 * @property {() => Worker} [makeWorker] default: pictures_worker.js beside this file
 */

/**
 * @param {PictureOptions} [options]
 * @returns {(file: File) => Promise<File>}
 */
export function createPictures({ maxWidth = 2560, maxHeight = 2560, type, quality = 0.85,
	makeWorker = () => new Worker(new URL("./pictures_worker.js", import.meta.url), { type: "module" }) } = {}) {
	const how = { maxWidth, maxHeight, type: type ?? "", quality };
	/** @type {Worker | null | undefined} */ let worker;
	/** @type {Map<number, {blob: Blob, done: (result: Blob | null) => void}>} */ const asked = new Map();
	let last = 0;

	/** Without a worker, which some pages forbid, the page does it. */
	async function alone() {
		worker = null;
		for (const [id, { blob, done }] of asked) {
			asked.delete(id);
			done(await shrink(blob, how).catch(() => null));
		}
	}

	function begin() {
		try {
			worker = makeWorker();
		} catch {
			worker = null;
			return;
		}
		worker.onerror = event => {
			event.preventDefault();
			alone();
		};
		worker.onmessage = ({ data: { id, result } }) => {
			asked.get(id)?.done(result);
			asked.delete(id);
		};
	}

	return async file => {
		if (!file.type.startsWith("image/"))
			return file;
		if (worker === undefined)
			begin();
		const id = ++last;
		const result = await new Promise(done => {
			asked.set(id, { blob: file, done });
			if (worker)
				worker.postMessage({ id, blob: file, how });
			else
				alone();
		});
		return result ? named(file, result) : file;
	};
}

/** @param {File} file @param {Blob} blob */
function named(file, blob) {
	const stem = file.name.replace(/\.[^./\\]*$/, "");
	const name = blob.type === file.type ? file.name : `${stem}.${EXTENSIONS[blob.type]}`;
	return new File([blob], name, { type: blob.type, lastModified: file.lastModified });
}
