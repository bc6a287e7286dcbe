// SPDX-License-Identifier: Apache-2.0
// Sends signed requests, to the store or to the console's own port, and makes errors of what is
// refused. It knows HTTP and nothing of the page.
import { parseErrorXml } from "../../client/xml.js";
import { encodePath, encodeQuery, presign, signHeaders } from "./sign.js";
import { readXml } from "./xml.js";

/** @typedef {import("./sign.js").Keys} Keys */

/**
 * @typedef {object} Call
 * @property {string} [bucket] none: a request to the service
 * @property {string} [key] with a bucket: an object
 * @property {string} [path] instead of both
 * @property {Record<string, string>} [query]
 * @property {Record<string, string | undefined>} [headers] names in lower case
 * @property {string} [body]
 * @property {AbortSignal} [signal]
 */

/** What the server said when it refused; status 0 if there was no answer. */
export class RequestError extends Error {
	/**
	 * @param {string} message
	 * @param {{status?: number, code?: string, ec?: string, requestId?: string,
	 *   element?: (name: string) => string, cause?: unknown}} [details]
	 */
	constructor(message, details = {}) {
		super(message, { cause: details.cause });
		this.status = details.status ?? 0;
		this.code = details.code ?? "";
		this.ec = details.ec ?? "";
		this.requestId = details.requestId ?? "";
		this.element = details.element ?? (() => "");
	}
}

export class Client {
	/** How far the server's clock is ahead of ours, once it has said so. */
	#ahead = 0;

	/** @param {{url: string, region: string, keys: Keys}} where */
	constructor({ url, region, keys }) {
		this.url = url.replace(/\/$/, "");
		this.region = region;
		this.keys = keys;
	}

	/**
	 * @param {string} method @param {Call} [call]
	 * @returns {Promise<Response>} with a status below 300; a RequestError otherwise
	 */
	async send(method, call = {}) {
		const response = await this.#fetch(method, call);
		if (response.ok)
			return response;
		const error = await readError(response);
		if (error.code !== "RequestTimeTooSkewed")
			throw error;
		this.#ahead = Date.parse(error.element("ServerTime")) - Date.now() || 0;
		const again = await this.#fetch(method, call);
		if (again.ok)
			return again;
		throw await readError(again);
	}

	/** The root element of an answer. @param {string} method @param {Call} [call] */
	async xml(method, call) {
		const response = await this.send(method, call);
		const root = readXml(await response.text());
		if (!root)
			throw new RequestError("The answer is no XML document.", { status: response.status });
		return root;
	}

	/** @param {Call} call @param {number} seconds how long anybody may GET it by this URL */
	async presigned(call, seconds) {
		const path = resourceOf(call);
		const query = await presign({ method: "GET", path, query: call.query }, this.signer, seconds);
		return this.#address(call, query);
	}

	/** What signs, at the server's time. */
	get signer() {
		return { keys: this.keys, region: this.region, now: new Date(Date.now() + this.#ahead) };
	}

	/** @param {Call} call @param {Record<string, string>} query */
	#address(call, query) {
		const search = encodeQuery(query);
		return `${this.url}${wirePath(call)}${search && `?${search}`}`;
	}

	/** @param {string} method @param {Call} call */
	async #fetch(method, call) {
		const { query = {}, body, signal } = call;
		/** @type {Record<string, string>} */
		const headers = {};
		for (const [name, value] of Object.entries(call.headers ?? {}))
			if (value !== undefined)
				headers[name] = value;
		// fetch() would add this type itself, after the signature.
		if (body !== undefined)
			headers["content-type"] ??= "text/plain;charset=UTF-8";
		const signed = await signHeaders({ method, path: resourceOf(call), query, headers }, this.signer);
		try {
			return await fetch(this.#address(call, query), {
				method, headers: signed, body, signal, credentials: "omit", redirect: "error",
				referrerPolicy: "no-referrer",
				// It adds a header Cache-Control, which the store would keep with what is stored.
				cache: method === "GET" || method === "HEAD" ? "no-store" : "default",
			});
		} catch (cause) {
			if (signal?.aborted)
				throw cause;
			throw new RequestError("", { code: "NoAnswer", cause });
		}
	}
}

/** @param {Call} call */
function pathOf({ path, bucket, key = "" }) {
	return path ?? (bucket ? `/${bucket}/${key}` : "/");
}

/** What is signed as the path: that of the console's own API is none of a bucket. @param {Call} call */
function resourceOf(call) {
	return call.path === undefined ? pathOf(call) : `/-/console${call.path}`;
}

/**
 * The path as it is sent. Browsers resolve segments like `..`; with its slashes encoded, a key is
 * one segment that they leave alone.
 * @param {Call} call
 */
function wirePath(call) {
	const { bucket, key = "" } = call;
	if (bucket && /(^|\/)\.\.?(\/|$)/.test(key))
		return `${encodePath(`/${bucket}/`)}${encodePath(key).replaceAll("/", "%2F")}`;
	return encodePath(pathOf(call));
}

/** @param {Response} response */
export async function readError(response) {
	const hidden = response.headers.get("x-oss-err");
	const text = await response.text().catch(() => "") || (hidden ? decodeBase64(hidden) : "");
	return errorOf(response.status, text, response.headers.get("x-oss-request-id") ?? "");
}

/** @param {number} status @param {string} text @param {string} requestId */
export function errorOf(status, text, requestId) {
	const root = parseErrorXml(text);
	const element = (/** @type {string} */ name) => root?.[name] ?? "";
	return new RequestError(root ? element("Message") : text.trim().slice(0, 300), {
		status,
		code: element("Code") || `HTTP ${status}`,
		ec: element("EC"),
		requestId: element("RequestId") || requestId,
		element,
	});
}

/** @param {string} text */
function decodeBase64(text) {
	try {
		return new TextDecoder().decode(Uint8Array.from(atob(text), c => c.charCodeAt(0)));
	} catch {
		return "";
	}
}
