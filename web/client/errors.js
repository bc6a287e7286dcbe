// SPDX-License-Identifier: Apache-2.0
// What went wrong, and what the person in front of the page can do about it.
import { parseErrorXml } from "./xml.js";

/**
 * @typedef {"grant"|"network"|"cors"|"file"|"type"|"size"|"expired"|"clock"|"callback"|"used"
 *   |"refused"|"server"} Kind
 */

/**
 * @typedef {object} Details
 * @property {number} [status] of the HTTP answer; 0 when there was none
 * @property {string} [code] OSS's Code, such as AccessDenied
 * @property {string} [ec] OSS's number of the exact case
 * @property {string} [requestId]
 * @property {string} [advice]
 * @property {string} [response] the answer's text
 * @property {unknown} [cause]
 */

export class UploadError extends Error {
	/**
	 * @param {Kind} kind
	 * @param {string} message
	 * @param {Details} [details]
	 */
	constructor(kind, message, details = {}) {
		super(message, { cause: details.cause });
		this.name = "UploadError";
		this.kind = kind;
		this.status = details.status ?? 0;
		this.code = details.code ?? "";
		this.ec = details.ec ?? "";
		this.requestId = details.requestId ?? "";
		this.advice = details.advice ?? "";
		this.response = details.response ?? "";
	}
}

/**
 * The codes with advice of their own; `ec` narrows a code that means several things.
 * @type {Array<{code: string, ec?: string, message?: RegExp, kind: Kind, advice: string}>}
 */
const KNOWN = [
	{
		code: "AccessDenied",
		ec: "0006-00000213",
		message: /policy expired/i,
		kind: "expired",
		advice: "The permission to upload ran out. Try again; if it happens at once, the clocks of "
			+ "the application server and the store differ.",
	},
	{
		code: "AccessDenied",
		message: /policy condition failed/i,
		kind: "refused",
		advice: "The file is outside what the application server permits (name, type or another "
			+ "condition quoted in the message). Choose another file, or change the permission there.",
	},
	{ code: "EntityTooLarge", kind: "size", advice: "The file is too large. Choose a smaller one." },
	{ code: "EntityTooSmall", kind: "size", advice: "The file is too small, perhaps empty." },
	{
		code: "RequestTimeTooSkewed",
		kind: "clock",
		advice: "The clocks of the application server and the store differ by more than 15 minutes. "
			+ "Set them right (NTP); the clock of this computer does not matter.",
	},
	{
		code: "SignatureDoesNotMatch",
		kind: "refused",
		advice: "The access key secret of the application server is not the store's, or something "
			+ "between them changes the form. Tell whoever runs the application server.",
	},
	{
		code: "InvalidAccessKeyId",
		kind: "refused",
		advice: "The store does not know the application server's access key. Tell whoever runs it.",
	},
	{
		code: "NoSuchBucket",
		kind: "refused",
		advice: "The bucket does not exist at this store. Create it, or correct the application "
			+ "server's configuration.",
	},
	{
		code: "FileAlreadyExists",
		kind: "refused",
		advice: "The store already has a file of this name. Rename the file, or upload it under a "
			+ "random name.",
	},
	{
		code: "RequestTimeout",
		kind: "network",
		advice: "The connection was too slow or stood still. Try again.",
	},
];

/**
 * Reads the store's answer of a failed upload.
 * @param {import("./xhr.js").Answer} answer
 */
export function storeError(answer) {
	const { status, text } = answer;
	const xml = parseErrorXml(text) ?? {};
	const code = xml.Code ?? "";
	const ec = xml.EC ?? "";
	const message = xml.Message || `The store answered with status ${status}.`;
	const known = KNOWN.find(row => row.code === code
		&& ((!row.ec && !row.message) || (row.ec && row.ec === ec) || row.message?.test(message)));
	return new UploadError(known?.kind ?? (status >= 500 ? "server" : "refused"), message, {
		status,
		code,
		ec,
		requestId: xml.RequestId ?? answer.header("x-oss-request-id") ?? "",
		response: text,
		advice: known?.advice ?? (status >= 500
			? "The store has a problem of its own. Try again later."
			: "The store refused the upload. Show the message above to whoever runs it."),
	});
}

/**
 * Status 203: the file is stored, but the application server did not take the callback.
 * @param {import("./xhr.js").Answer} answer
 */
export function callbackError(answer) {
	const error = storeError(answer);
	error.kind = /error status : 429\b/i.test(error.message) ? "used" : "callback";
	error.advice = "The file is safe in the store, but the application server does not know of it. "
		+ callbackAdvice(error.message)
		+ " Sending the file again makes the store call once more.";
	return error;
}

/** @param {string} message */
function callbackAdvice(message) {
	if (/502|-1\.|connect/i.test(message))
		return "The store could not reach the application server: is it running, and can the store "
			+ "connect to the callback address?";
	if (/timeout/i.test(message))
		return "The application server took longer than five seconds to answer.";
	if (/json/i.test(message))
		return "The application server's answer was not JSON.";
	if (/429/.test(message))
		return "The permission to upload is used up: the application server takes only so many files "
			+ "with one.";
	return "The application server refused the store's message; its log says why.";
}

/**
 * @param {number} status
 * @param {string} url
 */
export function grantAdvice(status, url) {
	if (status === 0)
		return `Check that the application server runs at ${url} and, if this page comes from `
			+ "another address, that it permits this page's origin.";
	if (status === 401 || status === 403)
		return "Sign in, then try again.";
	return "Try again later, and look into the application server's log.";
}

/**
 * A request without an answer. Browsers do not say why, so the stack is asked two questions: can
 * the file still be read, and does anything answer at that address.
 * @param {string} url
 * @param {File} file
 * @param {import("./xhr.js").HttpStack} http
 */
export async function networkError(url, file, http) {
	const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
	if (!readable) {
		return new UploadError("file", "The file cannot be read.", {
			advice: "It was moved, deleted or changed after you chose it. Choose it again.",
		});
	}
	const origin = globalThis.location?.origin ?? "this page's origin";
	if (globalThis.location?.protocol === "https:" && url.startsWith("http:")) {
		return new UploadError("network", "The browser blocked the upload.", {
			advice: `This page is secure (https) but the store at ${url} is not: browsers forbid that. `
				+ "Give the store a certificate and use its https address.",
		});
	}
	if (await http.reachable(url)) {
		return new UploadError("cors", "The browser did not let this page talk to the store.", {
			advice: `The store answers, so its CORS rules are to blame. Add a rule to the bucket with `
				+ `allowed origin ${origin}, allowed method POST and allowed headers *.`,
		});
	}
	return new UploadError("network", "The store cannot be reached.", {
		advice: `Check your connection, and that the store runs at ${url}. Then try again.`,
	});
}
