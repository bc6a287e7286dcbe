// SPDX-License-Identifier: Apache-2.0
// The store's operations on buckets.
import { elements, nameAt, textAt } from "./xml.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {{name: string, created: string, location: string}} Bucket */

export const ACLS = ["private", "public-read", "public-read-write"];

/** All of them. @param {Client} client @param {AbortSignal} [signal] */
export async function listBuckets(client, signal) {
	/** @type {Bucket[]} */
	const buckets = [];
	let marker = "";
	do {
		const query = { "max-keys": "1000", ...marker && { marker } };
		const root = await client.xml("GET", { query, signal });
		for (const bucket of elements(elements(root, "Buckets")[0], "Bucket")) {
			buckets.push({
				name: textAt(bucket, "Name"),
				created: textAt(bucket, "CreationDate"),
				location: textAt(bucket, "Location"),
			});
		}
		marker = textAt(root, "IsTruncated") === "true" ? textAt(root, "NextMarker") : "";
	} while (marker);
	return buckets;
}

/**
 * How many bytes and objects.
 * @param {Client} client @param {string} bucket @param {AbortSignal} [signal]
 */
export async function bucketStat(client, bucket, signal) {
	const root = await client.xml("GET", { bucket, query: { stat: "" }, signal });
	return { bytes: Number(textAt(root, "Storage")), objects: Number(textAt(root, "ObjectCount")) };
}

/** @param {Client} client @param {string} bucket @param {AbortSignal} [signal] */
export async function bucketInfo(client, bucket, signal) {
	const root = await client.xml("GET", { bucket, query: { bucketInfo: "" }, signal });
	const at = (/** @type {string} */ path) => textAt(root, `Bucket/${path}`);
	return {
		created: at("CreationDate"),
		location: at("Location"),
		storageClass: at("StorageClass"),
		owner: at("Owner/ID"),
		acl: at("AccessControlList/Grant"),
	};
}

/** @param {Client} client @param {string} bucket @param {string} acl @param {AbortSignal} [signal] */
export async function createBucket(client, bucket, acl, signal) {
	await client.send("PUT", { bucket, headers: { "x-oss-acl": acl }, signal });
}

/** @param {Client} client @param {string} bucket @param {AbortSignal} [signal] */
export async function deleteBucket(client, bucket, signal) {
	await client.send("DELETE", { bucket, signal });
}

/** @param {Client} client @param {string} bucket @param {string} acl */
export async function setBucketAcl(client, bucket, acl) {
	await client.send("PUT", { bucket, query: { acl: "" }, headers: { "x-oss-acl": acl } });
}

/**
 * What keeps a bucket from being deleted: the first of its objects and unfinished uploads.
 * @param {Client} client @param {string} bucket
 */
export async function whatIsIn(client, bucket) {
	const query = { "list-type": "2", "max-keys": "5", "encoding-type": "url" };
	const root = await client.xml("GET", { bucket, query });
	const objects = elements(root, "Contents").map(content => nameAt(root, content, "Key"));
	return { objects, uploads: await unfinishedUploads(client, bucket) };
}

/**
 * @param {Client} client @param {string} bucket
 * @returns {Promise<{key: string, id: string}[]>} the first thousand
 */
export async function unfinishedUploads(client, bucket) {
	const query = { uploads: "", "max-uploads": "1000", "encoding-type": "url" };
	const root = await client.xml("GET", { bucket, query });
	return elements(root, "Upload").map(upload => ({
		key: nameAt(root, upload, "Key"),
		id: textAt(upload, "UploadId"),
	}));
}

/** @param {Client} client @param {string} bucket @param {{key: string, id: string}} upload */
export async function abortUpload(client, bucket, { key, id }) {
	await client.send("DELETE", { bucket, key, query: { uploadId: id } });
}
