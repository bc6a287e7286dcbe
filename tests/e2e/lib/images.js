// SPDX-License-Identifier: Apache-2.0
// Real images of 3 x 2 pixels: PNG, JPEG and WebP as a browser's canvas writes them.

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAEklEQVR4AWL6z8DwH4aZGJAAAAAA//+GpNPh"
	+ "AAAABklEQVQDAHTzBf+1yIrkAAAAAElFTkSuQmCC";
const JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////"
	+ "////////////////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////"
	+ "////////////////////////////////////wAARCAACAAMDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAA"
	+ "AAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAwT/xAAUEQEAAAAAAAAAAAAAAAAA"
	+ "AAAA/9oADAMBAAIRAxEAPwCQA1j/2Q==";
const WEBP = "UklGRjQAAABXRUJQVlA4ICgAAACQAQCdASoDAAIAB0CWJaACdLoAA5gA/uUK+Cepco/+N48CvJdjoAAA";

const GIF = "R0lGODlhAwACAIAAAP8AAAAAACwAAAAAAwACAAACAoRRADs=";

/** 24 bits a pixel, rows of 3 pixels padded to 12 bytes. */
function bmp() {
	const bytes = Buffer.alloc(54 + 24, 0x7f);
	bytes.fill(0, 0, 54);
	bytes.write("BM", 0, "latin1");
	bytes.writeUInt32LE(bytes.length, 2);
	bytes.writeUInt32LE(54, 10);
	bytes.writeUInt32LE(40, 14);
	bytes.writeInt32LE(3, 18);
	bytes.writeInt32LE(2, 22);
	bytes.writeUInt16LE(1, 26);
	bytes.writeUInt16LE(24, 28);
	return bytes;
}

/** By the name that ${imageInfo.format} gives them. */
export const IMAGES = [
	{ name: "png", type: "image/png", bytes: Buffer.from(PNG, "base64") },
	{ name: "jpg", type: "image/jpeg", bytes: Buffer.from(JPEG, "base64") },
	{ name: "gif", type: "image/gif", bytes: Buffer.from(GIF, "base64") },
	{ name: "webp", type: "image/webp", bytes: Buffer.from(WEBP, "base64") },
	{ name: "bmp", type: "image/bmp", bytes: bmp() },
];
