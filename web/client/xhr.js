// SPDX-License-Identifier: Apache-2.0
// How requests are sent: XMLHttpRequest, because fetch does not tell how much was sent.

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} url
 * @property {FormData | Blob | string} [body]
 * @property {Record<string, string>} [headers]
 * @property {(sent: number, total: number) => void} [onProgress]
 * @property {() => void} [onSent] the whole body is on its way; the answer is awaited
 * @property {AbortSignal} [signal]
 */

/**
 * @typedef {object} Answer
 * @property {number} status 0 when there was no answer that this page may read
 * @property {string} text
 * @property {(name: string) => string | null} header
 */

/**
 * @typedef {object} HttpStack
 * @property {(request: Request) => Promise<Answer>} send always resolves; an aborted request
 *   has status 0
 * @property {(url: string) => Promise<boolean>} reachable whether anything answers there, even
 *   if this page may not read what
 */

/** @returns {HttpStack} */
export function xhrStack() {
	return { send, reachable };
}

/** @param {Request} request @returns {Promise<Answer>} */
function send({ method, url, body, headers = {}, onProgress, onSent, signal }) {
	return new Promise(resolve => {
		const xhr = new XMLHttpRequest();
		const abort = () => xhr.abort();
		xhr.open(method, url);
		for (const [name, value] of Object.entries(headers))
			xhr.setRequestHeader(name, value);
		if (onProgress || onSent) {
			xhr.upload.onprogress = event => onProgress?.(event.loaded, event.total);
			xhr.upload.onload = () => onSent?.();
		}
		xhr.onloadend = () => {
			signal?.removeEventListener("abort", abort);
			resolve({
				status: xhr.status,
				text: xhr.responseText,
				header: name => exposed(xhr, name),
			});
		};
		signal?.addEventListener("abort", abort);
		xhr.send(body);
	});
}

/**
 * Browsers complain in their console when a hidden header is asked for by name.
 * @param {XMLHttpRequest} xhr @param {string} name
 */
function exposed(xhr, name) {
	const lines = xhr.getAllResponseHeaders().split("\r\n");
	const line = lines.find(text => text.toLowerCase().startsWith(`${name}:`));
	return line ? line.slice(name.length + 1).trim() : null;
}

/** @param {string} url */
function reachable(url) {
	return fetch(url, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);
}
