// SPDX-License-Identifier: Apache-2.0
/**
 * Checks of files before they are sent, beyond those that the grant asks for.
 *
 *     const check = createChecks({ extensions: ["jpg", "png"], minWidth: 1200, minHeight: 800 });
 *     const uploader = createUploader({ check });
 *
 * Or for oneself, when files are chosen:
 *
 *     const error = await check(file);
 *     if (error)
 *         show(explain(error).message, explain(error).advice);
 *
 * They spare people an upload in vain. What must hold, the server has to check: a browser can send anything.
 */
import { UploadError } from "./errors.js";
import { checkLimits } from "./limits.js";

/**
 * @typedef {object} Checks all may be left out
 * @property {number} [minSize] in bytes
 * @property {number} [maxSize]
 * @property {string[]} [types] media types, also as "image/*"
 * @property {string[]} [extensions] of the name, without the dot, in small letters
 * @property {number} [minWidth] in pixels, as the picture is seen: turned as the camera said
 * @property {number} [minHeight]
 * @property {number} [maxWidth]
 * @property {number} [maxHeight]
 */

/**
 * @param {Checks} checks
 * @returns {(file: File) => Promise<UploadError | null>} null: nothing is wrong
 */
export function createChecks({ minSize, maxSize, types, extensions, minWidth = 0, minHeight = 0,
	maxWidth = Infinity, maxHeight = Infinity }) {
	const measured = minWidth > 0 || minHeight > 0 || maxWidth < Infinity || maxHeight < Infinity;
	return async file => {
		const extension = /\.([^./\\]+)$/.exec(file.name)?.[1].toLowerCase() ?? "";
		if (extensions?.length && !extensions.includes(extension)) {
			return new UploadError("extension", "Files of this kind are not accepted.",
				{ facts: [extension ? `.${extension}` : "", ...extensions.map(each => `.${each}`)] });
		}
		const limit = checkLimits(file, { url: "", fields: {}, dir: "", min_size: minSize, max_size: maxSize, types });
		if (limit || !measured || !hasPixels(file.type))
			return limit;
		const size = await dimensions(file).catch(() => null);
		if (!size)
			return new UploadError("dimensions", "The picture cannot be read.", { facts: ["unknown"] });
		const { width, height } = size;
		if (width < minWidth || height < minHeight)
			return wrong("small", width, height, minWidth, minHeight);
		if (width > maxWidth || height > maxHeight)
			return wrong("large", width, height, maxWidth, maxHeight);
		return null;
	};
}

/** Pictures made of lines have any size. @param {string} type */
function hasPixels(type) {
	return type.startsWith("image/") && type !== "image/svg+xml";
}

/** @param {"small" | "large"} how @param {number} width @param {number} height @param {...number} limits */
function wrong(how, width, height, ...limits) {
	return new UploadError("dimensions", `The picture is too ${how}.`, { facts: [how, width, height, ...limits] });
}

/**
 * An image element reads the head of a picture, and decodes it only to show it.
 * @param {File} file @returns {Promise<{width: number, height: number}>}
 */
async function dimensions(file) {
	const url = URL.createObjectURL(file);
	try {
		const image = new Image();
		await new Promise((done, fail) => {
			image.onload = done;
			image.onerror = fail;
			image.src = url;
		});
		return { width: image.naturalWidth, height: image.naturalHeight };
	} catch {
		// A Content-Security-Policy may forbid pictures of this kind of address.
		const bitmap = await createImageBitmap(file);
		const { width, height } = bitmap;
		bitmap.close();
		return { width, height };
	} finally {
		URL.revokeObjectURL(url);
	}
}
