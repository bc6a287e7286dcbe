// SPDX-License-Identifier: Apache-2.0
// Files on their way into the store, by forms like those that browsers post: a few at a time,
// whatever view is shown.
import { errorOf, RequestError } from "./oss/client.js";
import { encodePolicy } from "./oss/policy.js";
import { ALGORITHM, basicDate, scopeOf, signPolicyV4 } from "./oss/sign.js";

/** @typedef {import("./oss/client.js").Client} Client */

/**
 * @typedef {object} Upload
 * @property {File} file
 * @property {string} bucket
 * @property {string} key
 * @property {"waiting" | "sending" | "done" | "failed" | "cancelled"} state
 * @property {number} attempt counts how often it was begun: what an earlier attempt learns is old
 * @property {number} sent bytes
 * @property {RequestError | null} error
 */

const AT_ONCE = 3;
/** A form is signed when it is sent; a large file needs time until it has arrived. */
const VALID_MS = 6 * 3600 * 1000;

/** Dispatches `change` when anything has changed, and `stored` when an upload has been. */
export class Uploads extends EventTarget {
	/** @type {Upload[]} */ all = [];
	#sending = 0;
	/** The next that may be waiting. */
	#next = 0;
	/** @type {Map<Upload, XMLHttpRequest>} */ #requests = new Map();
	#client;

	/** @param {Client} client */
	constructor(client) {
		super();
		this.#client = client;
	}

	/** @param {string} bucket @param {{file: File, key: string}[]} files */
	add(bucket, files) {
		for (const { file, key } of files)
			this.all.push({ file, bucket, key, state: "waiting", attempt: 0, sent: 0, error: null });
		this.#changed();
		this.#sendMore();
	}

	/** @param {Upload} upload */
	cancel(upload) {
		if (upload.state === "waiting" || upload.state === "sending") {
			upload.state = "cancelled";
			this.#requests.get(upload)?.abort();
			this.#changed();
		}
	}

	cancelAll() {
		for (const upload of this.all)
			this.cancel(upload);
	}

	/** @param {Upload} upload */
	retry(upload) {
		if (upload.state !== "failed" && upload.state !== "cancelled")
			return;
		Object.assign(upload, { state: "waiting", sent: 0, error: null });
		this.#next = Math.min(this.#next, this.all.indexOf(upload));
		this.#changed();
		this.#sendMore();
	}

	/** Takes away what has come to its end well. */
	clear() {
		this.all = this.all.filter(({ state }) => state !== "done" && state !== "cancelled");
		this.#next = 0;
		this.#changed();
	}

	get busy() {
		return this.#sending > 0;
	}

	#changed() {
		this.dispatchEvent(new Event("change"));
	}

	#sendMore() {
		while (this.#sending < AT_ONCE && this.#next < this.all.length) {
			const upload = this.all[this.#next++];
			if (upload.state === "waiting")
				this.#send(upload);
		}
	}

	/** @param {Upload} upload */
	async #send(upload) {
		const attempt = ++upload.attempt;
		const current = () => upload.attempt === attempt && upload.state === "sending";
		let stored = false;
		this.#sending++;
		upload.state = "sending";
		try {
			const form = await makeForm(this.#client, upload);
			if (current())
				await this.#post(upload, form);
			stored = current();
			if (stored)
				upload.state = "done";
		} catch (error) {
			if (current()) {
				upload.state = "failed";
				upload.error = error instanceof RequestError ? error : new RequestError(String(error));
			}
		}
		this.#sending--;
		this.#changed();
		if (stored)
			this.dispatchEvent(new CustomEvent("stored", { detail: upload }));
		this.#sendMore();
	}

	/** fetch() does not tell how much was sent. @param {Upload} upload @param {FormData} form */
	#post(upload, form) {
		const xhr = new XMLHttpRequest();
		this.#requests.set(upload, xhr);
		return new Promise((resolve, reject) => {
			xhr.open("POST", `${this.#client.url}/${upload.bucket}`);
			xhr.upload.onprogress = event => {
				upload.sent = Math.min(event.loaded, upload.file.size);
				this.#changed();
			};
			xhr.onload = () => xhr.status < 300 ? resolve(undefined)
				: reject(errorOf(xhr.status, xhr.responseText, ""));
			xhr.onerror = () => reject(new RequestError("", { code: "NoAnswer" }));
			xhr.onabort = () => resolve(undefined);
			xhr.send(form);
		}).finally(() => {
			if (this.#requests.get(upload) === xhr)
				this.#requests.delete(upload);
		});
	}
}

/** A form for this one file. @param {Client} client @param {Upload} upload */
async function makeForm(client, { file, bucket, key }) {
	const { signer } = client;
	/** @type {Record<string, string>} */
	const fields = {
		"x-oss-signature-version": ALGORITHM,
		"x-oss-credential": `${signer.keys.id}/${scopeOf(signer)}`,
		"x-oss-date": basicDate(signer.now),
		...signer.keys.token && { "x-oss-security-token": signer.keys.token },
	};
	const expiration = new Date(signer.now.getTime() + VALID_MS).toISOString();
	const policy = encodePolicy(JSON.stringify({
		expiration,
		conditions: [
			{ bucket }, ["eq", "$key", key], ["content-length-range", file.size, file.size],
			...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
		],
	}));
	const form = new FormData();
	form.append("key", key);
	for (const [name, value] of Object.entries(fields))
		form.append(name, value);
	form.append("policy", policy);
	form.append("x-oss-signature", await signPolicyV4(policy, signer));
	form.append("file", file, "file");
	return form;
}
