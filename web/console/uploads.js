// SPDX-License-Identifier: Apache-2.0
// Files on their way into the store, whatever view is shown. The JavaScript library sends them, as it
// does for browsers everywhere; only the forms are signed here, one for each file.
import { Batch } from "../client/batch.js";
import { sendForm } from "../client/form_sender.js";
import { GrantSource } from "../client/grant.js";
import { createUploader } from "../client/postern-upload.js";
import { encodePolicy } from "./oss/policy.js";
import { ALGORITHM, basicDate, scopeOf, signPolicyV4 } from "./oss/sign.js";

/** @typedef {import("./oss/client.js").Client} Client */
/** @typedef {import("../client/postern-upload.js").Upload} Upload */
/** @typedef {{bucket: string, key: string, upload: Upload}} Entry */

/** A form is signed when it is sent; a large file needs time until it has arrived. */
const VALID_MS = 6 * 3600 * 1000;

/** Dispatches `stored` when an upload has been. */
export class Uploads extends EventTarget {
	/** @type {Entry[]} */ all = [];
	batch = new Batch();
	#client;
	#uploader = createUploader();

	/** @param {Client} client */
	constructor(client) {
		super();
		this.#client = client;
	}

	/** @param {string} bucket @param {{file: File, key: string}[]} files */
	add(bucket, files) {
		for (const { file, key } of files) {
			const upload = this.#uploader.add(file, {
				key: () => key,
				large: { from: 0, send: job => sendSigned(job, this.#client, bucket, key) },
			});
			const entry = { bucket, key, upload };
			this.all.push(entry);
			this.batch.add(upload);
			upload.addEventListener("change", () => {
				if (upload.state === "done")
					this.dispatchEvent(new CustomEvent("stored", { detail: entry }));
			});
			upload.start();
		}
	}

	/** Takes away what has come to its end well. */
	clear() {
		this.all = this.all.filter(({ upload }) => {
			const over = upload.state === "done" || upload.state === "aborted";
			if (over)
				this.batch.remove(upload);
			return !over;
		});
	}
}

/**
 * The store has let this page in before, or there would be no bucket to upload to.
 * @param {import("../client/upload.js").Job} job
 * @param {Client} client @param {string} bucket @param {string} key
 */
function sendSigned(job, client, bucket, key) {
	const getGrant = () => makeForm(client, bucket, key, job.file.size);
	const grants = new GrantSource({ url: client.url, getGrant, margin: 0, ...job.tools });
	// The store puts the file's name in place of ${filename}: so the key stays what it is.
	const file = new File([job.file], "${filename}", { type: job.file.type });
	return sendForm({ ...job, file, tools: { ...job.tools, grants, admitted: true } });
}

/**
 * A form for this one file.
 * @param {Client} client @param {string} bucket @param {string} key @param {number} size
 * @returns {Promise<import("../client/grant.js").Grant>}
 */
async function makeForm({ signer, url }, bucket, key, size) {
	/** @type {Record<string, string>} */
	const fields = {
		"x-oss-signature-version": ALGORITHM,
		"x-oss-credential": `${signer.keys.id}/${scopeOf(signer)}`,
		"x-oss-date": basicDate(signer.now),
		...signer.keys.token && { "x-oss-security-token": signer.keys.token },
	};
	const expires = signer.now.getTime() + VALID_MS;
	const policy = encodePolicy(JSON.stringify({
		expiration: new Date(expires).toISOString(),
		conditions: [
			{ bucket }, ["eq", "$key", key], ["content-length-range", size, size],
			...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
		],
	}));
	const signature = await signPolicyV4(policy, signer);
	return {
		url: `${url}/${bucket}`,
		dir: "",
		expires: expires / 1000,
		fields: { ...fields, policy, "x-oss-signature": signature },
	};
}
