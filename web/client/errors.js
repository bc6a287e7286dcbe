// SPDX-License-Identifier: Apache-2.0
// What went wrong. What the person in front of the page can do about it is in texts.js.
import { passes, retryAfter } from "./retry.js";
import { parseErrorXml } from "./xml.js";

/**
 * @typedef {"grant"|"network"|"mixed"|"stalled"|"cors"|"blocked"|"file"|"type"|"size"|"extension"|"dimensions"|"expired"
 *   |"clock"|"callback"|"pending"|"used"|"policy"|"refused"|"gone"|"damaged"|"server"} Kind
 */

/**
 * @typedef {object} Details
 * @property {number} [status] of the HTTP answer; 0 when there was none
 * @property {string} [code] OSS's Code, such as AccessDenied
 * @property {string} [ec] OSS's number of the exact case
 * @property {string} [requestId]
 * @property {string} [response] the answer's text
 * @property {string} [url] where the request went
 * @property {(string | number)[]} [facts] what the texts for people need
 * @property {boolean} [again] it may pass by itself
 * @property {number} [retryAfter] milliseconds that the server asked to wait
 * @property {unknown} [cause]
 */

export class UploadError extends Error {
	name = "UploadError";
	status = 0;
	code = "";
	ec = "";
	requestId = "";
	response = "";
	url = "";
	/** @type {(string | number)[]} */ facts = [];
	again = false;
	retryAfter = 0;

	/**
	 * @param {Kind} kind
	 * @param {string} message
	 * @param {Details} [details]
	 */
	constructor(kind, message, details) {
		super(message);
		this.kind = kind;
		Object.assign(this, details);
	}
}

/** @type {Record<string, Kind>} */
const KINDS = {
	EntityTooLarge: "size", EntityTooSmall: "size", RequestTimeTooSkewed: "clock",
	RequestTimeout: "network",
};

/**
 * Reads the store's answer of a failed upload.
 * @param {import("./xhr.js").Answer} answer
 * @param {string} url
 * @param {number} [now]
 */
export function storeError(answer, url, now = 0) {
	const { status, text } = answer;
	const xml = parseErrorXml(text) ?? {};
	const code = xml.Code ?? "";
	const ec = xml.EC ?? "";
	const message = xml.Message || `The store answered with status ${status}.`;
	const denied = code === "AccessDenied";
	return new UploadError(KINDS[code]
		?? (denied && (ec === "0006-00000213" || /policy expired/i.test(message)) ? "expired"
			: denied && /policy condition failed/i.test(message) ? "policy"
				: passes(status) ? "server" : "refused"), message, {
		status,
		code,
		ec,
		requestId: xml.RequestId ?? answer.header("x-oss-request-id") ?? "",
		response: text,
		url,
		again: passes(status) || code === "RequestTimeout",
		retryAfter: retryAfter(answer, now),
	});
}

/**
 * The file is stored. Status 203: but the application server did not take the callback; another: it
 * has not decided yet.
 * @param {import("./xhr.js").Answer} answer
 * @param {string} url
 */
export function callbackError(answer, url) {
	const error = storeError(answer, url);
	error.kind = answer.status !== 203 ? "pending" : /error status : 429\b/i.test(error.message) ? "used" : "callback";
	return error;
}

/**
 * A request without an answer. Browsers do not say why, so questions are asked: can the file
 * still be read, does anything answer at that address, does anything elsewhere on that server.
 * @param {string} url
 * @param {File} file
 * @param {import("./xhr.js").HttpStack} http
 * @param {boolean} admitted whether the store has let this page send something before
 */
export async function networkError(url, file, http, admitted) {
	const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
	if (!readable)
		return new UploadError("file", "The file cannot be read.");
	// Browsers take loopback addresses for safe (W3C Mixed Content; Secure Contexts 3.1).
	if (globalThis.location?.protocol === "https:" && /^http:..(?!localhost|127\.|\[::1)/.test(url))
		return new UploadError("mixed", "The browser blocked the upload.", { url });
	if (!admitted && await http.reachable(url))
		return new UploadError("cors", "The browser blocked the store's answer.", { url });
	// What blocks by address lets others of the same server through.
	if (!admitted && await http.reachable(new URL("/", url).href))
		return new UploadError("blocked", "Something blocked the upload.", { url });
	return new UploadError("network", "The store cannot be reached.", { url, again: true });
}
