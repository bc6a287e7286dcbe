// SPDX-License-Identifier: Apache-2.0
// The application server's requests for uploads in parts. Their shape is that of the S3 endpoints
// of Uppy's Companion.
import { UploadError } from "./errors.js";
import { passes, retryAfter } from "./retry.js";
import { sendWatched } from "./watched.js";

/**
 * @typedef {object} Begun
 * @property {string} key
 * @property {string} uploadId
 * @property {number} [expires] seconds since 1970
 * @property {number} [part_size] the smallest
 * @property {number} [max_parts]
 */

/** @typedef {{key: string, uploadId: string}} Upload */

/** What the server's codes mean here. @type {Record<string, import("./errors.js").Kind>} */
const KINDS = {
	size_refused: "size", type_refused: "type", callback_failed: "callback",
	no_such_upload: "gone", expired: "gone", invalid_upload: "gone", unavailable: "server",
};

export class PartsApi {
	#url;
	#headers;
	#tools;
	#signal;

	/**
	 * @param {string} url
	 * @param {Record<string, string>} headers
	 * @param {import("./upload.js").Tools} tools
	 * @param {AbortSignal} signal
	 */
	constructor(url, headers, tools, signal) {
		this.#url = `${url.replace(/\/$/, "")}/multipart`;
		this.#headers = headers;
		this.#tools = tools;
		this.#signal = signal;
	}

	/** @param {File} file @param {Record<string, unknown>} metadata @returns {Promise<Begun>} */
	async begin({ name, type, size }, metadata) {
		const { json } = await this.#ask("POST", this.#url, { filename: name, type, size, metadata });
		if (typeof json?.key !== "string" || typeof json?.uploadId !== "string")
			throw new UploadError("grant", "The application server's answer is not an upload in parts.",
				{ status: 200, url: this.#url });
		return json;
	}

	/**
	 * @param {Upload} upload
	 * @returns {Promise<{PartNumber: number, ETag: string, Size: number}[]>}
	 */
	async list(upload) {
		const { json } = await this.#ask("GET", this.#at(upload));
		return Array.isArray(json) ? json : [];
	}

	/**
	 * @param {Upload} upload
	 * @param {number} number
	 * @param {number} size
	 * @returns {Promise<{url: string}>}
	 */
	async sign(upload, number, size) {
		const { json } = await this.#ask("GET", this.#at(upload, `/${number}`, `&size=${size}`));
		if (typeof json?.url !== "string")
			throw new UploadError("grant", "The application server's answer is not a signed URL.",
				{ status: 200, url: this.#url });
		return json;
	}

	/**
	 * @param {Upload} upload
	 * @param {[number, import("./resume.js").Part][]} parts
	 * @param {{crc64?: string, sha256?: string}} sums of all, if they are known
	 */
	complete(upload, parts, sums) {
		return this.#ask("POST", this.#at(upload, "/complete"), {
			parts: parts.map(([PartNumber, { etag }]) => ({ PartNumber, ETag: etag })),
			...sums,
		});
	}

	/** Nobody waits for this: what is left at the server ends by itself. @param {Upload} upload */
	abort(upload) {
		this.#tools.http.send({ method: "DELETE", url: this.#at(upload), headers: this.#headers });
	}

	/** @param {Upload} upload @param {string} [path] @param {string} [query] */
	#at({ uploadId, key }, path = "", query = "") {
		return `${this.#url}/${encodeURIComponent(uploadId)}${path}?key=${encodeURIComponent(key)}${query}`;
	}

	/** @param {string} method @param {string} url @param {object} [body] */
	async #ask(method, url, body) {
		const { answer } = await sendWatched({
			method,
			url,
			headers: { ...body && { "content-type": "application/json" }, ...this.#headers },
			...body && { body: JSON.stringify(body) },
			signal: this.#signal,
		}, this.#tools);
		this.#signal.throwIfAborted();
		const { status, text } = answer;
		/** @type {any} */ let json;
		try {
			json = JSON.parse(text);
		} catch {
			// Whoever needs it sees that it is not there.
		}
		if (status !== 200)
			throw new UploadError(KINDS[json?.error] ?? "grant", json?.message || (status
				? `The application server answered ${status}.`
				: "The application server cannot be reached."), {
				status,
				code: json?.error ?? "",
				url: this.#url,
				response: text,
				again: passes(status),
				retryAfter: retryAfter(answer, this.#tools.clock.now()),
			});
		return { status, text, json };
	}
}
