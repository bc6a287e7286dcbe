// SPDX-License-Identifier: Apache-2.0
// What a camera writes into a JPEG: which way up it was held, and where it was.

/**
 * The JPEG with an APP1 segment behind its beginning.
 * @param {Buffer} jpeg @param {number} orientation 1 to 8; 6: to be turned to the right by a quarter
 */
export function withExif(jpeg, orientation) {
	const tiff = Buffer.alloc(104);
	tiff.write("II*\0", 0, "latin1");
	tiff.writeUInt32LE(8, 4);
	tiff.writeUInt16LE(2, 8);
	entry(tiff, 10, 0x0112, 3, 1, orientation);
	entry(tiff, 22, 0x8825, 4, 1, 38);
	// The GPS directory: 48 degrees, 51 minutes and 24 seconds north.
	tiff.writeUInt16LE(2, 38);
	entry(tiff, 40, 1, 2, 2, "N".charCodeAt(0));
	entry(tiff, 52, 2, 5, 3, 68);
	for (const [i, value] of [48, 1, 51, 1, 24, 1].entries())
		tiff.writeUInt32LE(value, 68 + 4 * i);
	tiff.write("POSTERNCAM", 92, "latin1");
	const head = Buffer.from("\xff\xe1\0\0Exif\0\0", "latin1");
	head.writeUInt16BE(2 + 6 + tiff.length, 2);
	return Buffer.concat([jpeg.subarray(0, 2), head, tiff, jpeg.subarray(2)]);
}

function entry(tiff, at, tag, type, count, value) {
	tiff.writeUInt16LE(tag, at);
	tiff.writeUInt16LE(type, at + 2);
	tiff.writeUInt32LE(count, at + 4);
	tiff.writeUInt32LE(value, at + 8);
}
