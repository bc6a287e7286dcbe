// SPDX-License-Identifier: Apache-2.0
// The store's operations on objects.
import { encodePath } from "./sign.js";
import { md5Base64 } from "./md5.js";
import { element, elements, nameAt, textAt } from "./xml.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {{folder: boolean, key: string, size: number, modified: string}} Entry */

/** As many as the store tells, or deletes, at a time. */
export const PAGE = 1000;

const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** The headers of an object that whoever stores it chooses, besides its x-oss-meta-*. */
export const CHOSEN_HEADERS = ["content-type", "cache-control", "content-disposition",
	"content-encoding", "content-language", "expires"];

/**
 * A page of a folder, in the order of the store.
 * @param {Client} client @param {string} bucket
 * @param {{prefix?: string, flat?: boolean, token?: string, limit?: number, signal?: AbortSignal}} how
 * @returns {Promise<{entries: Entry[], next: string}>} next: the token of the page that follows
 */
export async function listObjects(client, bucket, { prefix = "", flat, token, limit = PAGE, signal }) {
	const query = {
		"list-type": "2",
		"max-keys": String(limit),
		"encoding-type": "url",
		...prefix && { prefix },
		...!flat && { delimiter: "/" },
		...token && { "continuation-token": token },
	};
	const root = await client.xml("GET", { bucket, query, signal });
	const entries = elements(root, "Contents").map(content => ({
		folder: false,
		key: nameAt(root, content, "Key"),
		size: Number(textAt(content, "Size")),
		modified: textAt(content, "LastModified"),
	}));
	const folders = elements(root, "CommonPrefixes").map(common => ({
		folder: true,
		key: nameAt(root, common, "Prefix"),
		size: 0,
		modified: "",
	}));
	const all = folders.length
		? [...entries, ...folders].sort((a, b) => a.key < b.key ? -1 : 1) : entries;
	return { entries: all, next: textAt(root, "NextContinuationToken") };
}

/**
 * The headers of an object, by their names in lower case.
 * @param {Client} client @param {string} bucket @param {string} key @param {AbortSignal} [signal]
 */
export async function headObject(client, bucket, key, signal) {
	const response = await client.send("HEAD", { bucket, key, signal });
	return new Map(response.headers);
}

/**
 * The first bytes of an object.
 * @param {Client} client @param {string} bucket @param {string} key
 * @param {{bytes?: number, signal?: AbortSignal}} [how]
 */
export async function readObject(client, bucket, key, { bytes, signal } = {}) {
	const headers = bytes ? { range: `bytes=0-${bytes - 1}` } : {};
	const response = await client.send("GET", { bucket, key, headers, signal });
	return response.blob();
}

/**
 * A URL by which anybody can get the object for a while.
 * @param {Client} client @param {string} bucket @param {string} key @param {number} seconds
 * @param {{download?: boolean}} [how] download: browsers save it and do not show it
 */
export function objectUrl(client, bucket, key, seconds, { download = false } = {}) {
	const name = key.replace(/^.*\//s, "") || "object";
	const disposition = `attachment; filename*=UTF-8''${encodePath(name)}`;
	const query = download ? { "response-content-disposition": disposition } : undefined;
	return client.presigned({ bucket, key, query }, seconds);
}

/**
 * What a copy has only if it is asked for: who may read the object, and its storage class.
 * @param {Client} client @param {{bucket: string, key: string}} of @param {AbortSignal} [signal]
 */
async function keptByCopy(client, of, signal) {
	const acl = await client.xml("GET", { ...of, query: { acl: "" }, signal });
	const head = await headObject(client, of.bucket, of.key, signal);
	return {
		"x-oss-object-acl": textAt(acl, "AccessControlList/Grant"),
		"x-oss-storage-class": head.get("x-oss-storage-class") ?? "Standard",
	};
}

/**
 * The copy may be read by whom the object may, unless the bucket decides that.
 * @param {Client} client @param {{bucket: string, key: string}} from
 * @param {{bucket: string, key: string}} to @param {{overwrite: boolean, signal?: AbortSignal}} how
 */
export async function copyObject(client, from, to, { overwrite, signal }) {
	await client.send("PUT", {
		...to,
		signal,
		headers: {
			...await keptByCopy(client, from, signal),
			"x-oss-copy-source": encodePath(`/${from.bucket}/${from.key}`),
			...!overwrite && { "x-oss-forbid-overwrite": "true" },
		},
	});
}

/**
 * Puts other headers in place of the object's own, and changes nothing else.
 * @param {Client} client @param {string} bucket @param {string} key
 * @param {Record<string, string>} headers of CHOSEN_HEADERS, and x-oss-meta-*
 * @param {string} etag of the object that they are for: another one is not changed
 */
export async function replaceHeaders(client, bucket, key, headers, etag) {
	await client.send("PUT", {
		bucket,
		key,
		headers: {
			...headers,
			...await keptByCopy(client, { bucket, key }),
			"x-oss-copy-source": encodePath(`/${bucket}/${key}`),
			"x-oss-copy-source-if-match": etag,
			"x-oss-metadata-directive": "REPLACE",
		},
	});
}

/**
 * Deletes at most PAGE objects. Names that XML cannot hold are deleted one by one.
 * @param {Client} client @param {string} bucket @param {string[]} keys @param {AbortSignal} [signal]
 */
async function deleteObjects(client, bucket, keys, signal) {
	const odd = keys.filter(key => NOT_XML.test(key));
	for (const key of odd)
		await client.send("DELETE", { bucket, key, signal });
	if (odd.length === keys.length)
		return;
	const objects = keys.filter(key => !NOT_XML.test(key)).map(key => `<Object>${element("Key", key)}</Object>`).join("");
	const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Delete><Quiet>true</Quiet>${objects}</Delete>`;
	await client.send("POST", {
		bucket,
		query: { delete: "" },
		headers: { "content-md5": md5Base64(body), "content-type": "application/xml" },
		body,
		signal,
	});
}

/**
 * Deletes objects, and folders with all that is in them.
 * @param {Client} client @param {string} bucket @param {Entry[]} entries
 * @param {{signal?: AbortSignal, onProgress?: (deleted: number) => void}} [how]
 */
export async function deleteEntries(client, bucket, entries, { signal, onProgress } = {}) {
	let deleted = 0;
	const remove = async (/** @type {string[]} */ keys) => {
		if (keys.length)
			await deleteObjects(client, bucket, keys, signal);
		deleted += keys.length;
		onProgress?.(deleted);
	};
	const keys = entries.filter(entry => !entry.folder).map(entry => entry.key);
	for (let at = 0; at < keys.length; at += PAGE)
		await remove(keys.slice(at, at + PAGE));
	for (const { key: prefix } of entries.filter(entry => entry.folder)) {
		let token = "";
		do {
			const page = await listObjects(client, bucket, { prefix, flat: true, token, signal });
			await remove(page.entries.map(entry => entry.key));
			token = page.next;
		} while (token);
	}
	return deleted;
}
