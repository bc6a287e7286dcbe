// SPDX-License-Identifier: Apache-2.0
// The form of PostObject: which name the file gets, and the order of the fields.

/**
 * @param {File} file
 * @param {import("./grant.js").Grant} grant
 * @param {import("./postern-upload.js").Options} options
 */
export function objectKey(file, grant, options) {
	if (grant.fields.key !== undefined)
		return grant.fields.key;
	if (options.key)
		return options.key(file, grant);
	const name = options.names === "random" ? randomName(file.name)
		: options.path || file.webkitRelativePath || file.name;
	// A name in the store may hold anything, but not begin with a slash.
	return grant.dir + name.replace(/^[/\\]+/, "");
}

/**
 * What the store makes of a key: it puts the file's name in place of ${filename}, in the spelling
 * in which browsers send it.
 * @param {string} key
 * @param {File} file
 */
export function storedKey(key, file) {
	const name = file.name.replace(/^.*[/\\]/s, "").replace(/["\r\n]/g, encodeURIComponent);
	return key.replaceAll("${filename}", () => name);
}

/** Twenty letters and digits, 100 bits of chance. @param {string} name */
function randomName(name) {
	const extension = /[^.](\.[^./\\]+)$/.exec(name)?.[1] ?? "";
	return Array.from(crypto.getRandomValues(new Uint8Array(20)), byte => (byte & 31).toString(32)).join("")
		+ extension;
}

/**
 * The store ignores what follows the file, so the file goes last.
 * @param {File} file
 * @param {string} key
 * @param {import("./grant.js").Grant} grant
 * @param {Record<string, string>} [more]
 */
export function buildForm(file, key, grant, more = {}) {
	const form = new FormData();
	form.append("key", key);
	for (const [name, value] of Object.entries({ ...more, ...grant.fields }))
		if (name !== "key" && name !== "file")
			form.append(name, value);
	form.append("file", file, file.name);
	return form;
}
