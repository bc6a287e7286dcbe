// SPDX-License-Identifier: Apache-2.0
// What a file looks like: a small picture of a picture, and of others what their extension says.

/** So many pixels, on a screen with two a point. */
const SIDE = 96;
/** Decoding takes memory that grows with the picture. */
const LARGEST = 40e6;
/** Pictures that are open at a time; as many object URLs exist. */
const AT_ONCE = 2;
/** What every browser shows in an <img>. */
const SHOWN = /^image\/(png|jpe?g|gif|webp|avif|bmp|svg\+xml)$/;

/** @type {(() => Promise<void>)[]} */ const waiting = [];
let open = 0;

/**
 * Puts a picture of the file into `place`, if the file is one, when it is its turn.
 * @param {File} file @param {HTMLElement} place @returns {() => void} no longer wanted
 */
export function showThumb(file, place) {
	let wanted = true;
	if (SHOWN.test(file.type) && file.size <= LARGEST) {
		waiting.push(async () => {
			const canvas = wanted && await draw(file).catch(() => null);
			if (canvas && wanted)
				place.append(canvas);
		});
		next();
	}
	return () => {
		wanted = false;
	};
}

/** The extension, as far as it can be read at this size. @param {string} name */
export function kindOf(name) {
	return /[^.\s]\.([^./\\\s]{1,5})$/.exec(name)?.[1].toUpperCase() ?? "";
}

function next() {
	for (; open < AT_ONCE && waiting.length; open++)
		waiting.shift()?.().finally(() => {
			open--;
			next();
		});
}

/** @param {File} file */
async function draw(file) {
	const url = URL.createObjectURL(file);
	try {
		const image = new Image();
		image.src = url;
		await image.decode();
		const { naturalWidth: width, naturalHeight: height } = image;
		const side = Math.min(width, height);
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = SIDE;
		const context = canvas.getContext("2d");
		if (!context || !side)
			return null;
		context.imageSmoothingQuality = "high";
		context.drawImage(image, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
		return canvas;
	} finally {
		URL.revokeObjectURL(url);
	}
}
