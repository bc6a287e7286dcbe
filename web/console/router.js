// SPDX-License-Identifier: Apache-2.0
// Views have addresses behind the `#`, so that they can be linked and Back works:
//
//     #/objects/BUCKET/PREFIX?search=TEXT
//
// A key may hold anything: each of its segments is encoded.

/** @typedef {{view: string, bucket: string, key: string, query: Record<string, string>}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
	const [path, search = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
	const [view, bucket = "", ...key] = path.split("/").map(decode);
	return { view, bucket, key: key.join("/"), query: Object.fromEntries(new URLSearchParams(search)) };
}

/**
 * @param {string} view @param {string} [bucket] @param {string} [key]
 * @param {Record<string, string>} [query] empty values are left out
 */
export function route(view, bucket = "", key = "", query = {}) {
	const parts = [view, ...bucket ? [bucket] : [], ...key ? key.split("/") : []];
	const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
	return `#/${parts.map(encodeURIComponent).join("/")}${search && `?${search}`}`;
}

/** @param {string} text */
function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
