// SPDX-License-Identifier: Apache-2.0
// Files that the store would refuse are refused before they are sent.
import { UploadError } from "./errors.js";
import { formatSize } from "./format.js";

/**
 * @param {File} file
 * @param {import("./grant.js").Grant} grant
 * @returns {UploadError | null}
 */
export function checkLimits(file, grant) {
	const { min_size = 0, max_size = Infinity, types } = grant;
	if (file.size > max_size) {
		return new UploadError("size", "The file is too large.", { facts: ["max", max_size] });
	}
	if (file.size < min_size) {
		return new UploadError("size", "The file is too small.", { facts: ["min", min_size] });
	}
	// What a browser cannot name it sends as bytes of no known kind.
	const type = file.type || "application/octet-stream";
	if (types?.length && !types.some(pattern => typeMatches(type, pattern))) {
		return new UploadError("type", `Files of type ${type} are not accepted.`, { facts: [type, ...types] });
	}
	return null;
}

/** @param {string} type @param {string} pattern */
function typeMatches(type, pattern) {
	if (pattern.endsWith("*"))
		return type.startsWith(pattern.slice(0, -1));
	return type === pattern;
}
