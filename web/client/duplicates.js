// SPDX-License-Identifier: Apache-2.0
/**
 * A file that the same user has uploaded before is not sent again, if the application server offers it
 * (`[app] duplicates`): the upload is done at once, with what the server says of the earlier one.
 *
 *     createUploader({ large: createDuplicates({ large: multipart() }) });
 *
 * It comes before all ways of sending, and needs a page that came by HTTPS or from localhost. Whatever goes
 * wrong with it, the file is sent as without it.
 */
import { sendForm } from "./form_sender.js";
import { sendWatched } from "./watched.js";

/** Browsers hash what lies in memory as a whole. */
const LARGEST = 64 << 20;

/**
 * @typedef {object} DuplicatesOptions
 * @property {string} [url] where the application server is asked; default "/duplicates"
 * @property {Record<string, string>} [headers] of that request, such as Authorization
 * @property {number} [maxSize] larger files are sent without asking; default 64 MiB
 * @property {{from: number, send: import("./upload.js").Sender}} [large] how large files are sent (multipart.js)
 */

/**
 * @param {DuplicatesOptions} [options]
 * @returns {{from: number, send: import("./upload.js").Sender}}
 */
export function createDuplicates({ url = "/duplicates", headers = {}, maxSize = LARGEST, large } = {}) {
	/** What was hashed is not hashed again when it is tried again. @type {WeakMap<File, Promise<string>>} */
	const hashes = new WeakMap();
	/** One at a time is in memory. @type {Promise<unknown>} */ let last = Promise.resolve();
	let offered = Boolean(globalThis.crypto?.subtle);

	/** The SHA-256, or "" if the file cannot be read. @param {File} file */
	function hashOf(file) {
		let hash = hashes.get(file);
		if (!hash) {
			hash = last.then(() => sha256(file)).catch(() => "");
			hashes.set(file, hash);
			last = hash;
		}
		return hash;
	}

	/** @param {import("./upload.js").Job} job @param {string} sha256 */
	async function ask({ file, tools, signal }, sha256) {
		const query = new URLSearchParams({ sha256, size: String(file.size), filename: file.name, type: file.type });
		try {
			const { answer: { status, text } } = await sendWatched({
				method: "GET", url: `${url}${url.includes("?") ? "&" : "?"}${query}`, headers, signal,
			}, tools);
			if (status === 404)
				offered = false;
			const json = status === 200 ? JSON.parse(text) : null;
			return typeof json?.upload?.object === "string" ? { json, text } : null;
		} catch {
			return null;
		}
	}

	return {
		from: 0,
		async send(job) {
			const { file, options, signal } = job;
			const send = large && file.size >= large.from ? large.send : sendForm;
			if (!offered || file.size > maxSize || signal.aborted)
				return send(job);
			job.become("signing");
			const hash = await hashOf(file);
			signal.throwIfAborted();
			const there = hash && await ask(job, hash);
			signal.throwIfAborted();
			if (!there)
				return send(hash ? { ...job, sums: { sha256: hash },
					options: { ...options, fields: { ...options.fields, "x:sha256": hash } } } : job);
			const { json, text } = there;
			job.become("sending");
			job.named(json.upload.object);
			return { error: null, result: { status: 200, key: json.upload.object, etag: json.upload.etag ?? "", requestId: "",
				text, json, duplicate: true } };
		},
	};
}

/** @param {File} file */
async function sha256(file) {
	const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
	return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}
