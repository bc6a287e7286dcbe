// SPDX-License-Identifier: Apache-2.0
// Decodes a picture, makes it smaller, and encodes it again. What is written has the pixels alone: turned as
// the camera said, and without place, time and camera. Runs in a worker or in the page.

/** @typedef {{maxWidth: number, maxHeight: number, type: string, quality: number}} How type "": its own */

/** What is decoded, and what it becomes; other kinds may move, or are not made of pixels. */
const KINDS = /** @type {Record<string, string>} */ ({
	"image/jpeg": "image/jpeg", "image/png": "image/png", "image/webp": "image/webp", "image/avif": "image/webp",
});
/** The words that say that a picture moves stand before its pixels. */
const HEAD = 65536;

/**
 * @param {Blob} blob @param {How} how
 * @returns {Promise<Blob | null>} null: it is no picture, moves, or cannot be decoded or encoded here
 */
export async function shrink(blob, { maxWidth, maxHeight, type, quality }) {
	if (!KINDS[blob.type] || !globalThis.OffscreenCanvas || await moves(blob))
		return null;
	const picture = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => null);
	if (!picture)
		return null;
	const scale = Math.min(1, maxWidth / picture.width, maxHeight / picture.height);
	const width = Math.max(1, Math.round(picture.width * scale));
	const height = Math.max(1, Math.round(picture.height * scale));
	const wanted = type || KINDS[blob.type];
	let from = /** @type {ImageBitmap | OffscreenCanvas} */ (picture);
	// In halves: what is made much smaller at once loses fine lines.
	while (from.width > 2 * width && from.height > 2 * height)
		from = draw(from, from.width >> 1, from.height >> 1);
	const canvas = draw(from, width, height, wanted === "image/jpeg" ? "#fff" : "");
	picture.close();
	return canvas.convertToBlob({ type: wanted, quality });
}

/**
 * @param {CanvasImageSource} from @param {number} width @param {number} height
 * @param {string} [ground] what shows where nothing is; JPEG knows no transparency
 */
function draw(from, width, height, ground) {
	const canvas = new OffscreenCanvas(width, height);
	const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
	if (ground) {
		context.fillStyle = ground;
		context.fillRect(0, 0, width, height);
	}
	context.imageSmoothingQuality = "high";
	context.drawImage(from, 0, 0, width, height);
	return canvas;
}

/** Whether it has several pictures, of which one would be left. @param {Blob} blob */
async function moves(blob) {
	const head = new TextDecoder("latin1").decode(await blob.slice(0, HEAD).arrayBuffer());
	const pixels = head.indexOf("IDAT");
	return /^RIFF[^]{4}WEBPVP8X/.test(head) && (head.charCodeAt(20) & 2) !== 0
		|| head.slice(0, pixels < 0 ? HEAD : pixels).includes("acTL")
		|| head.slice(4, 12) === "ftypavis";
}
