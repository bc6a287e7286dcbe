// SPDX-License-Identifier: Apache-2.0
// Grants: signed forms from the application server, shared by uploads and renewed in time.
import { UploadError } from "./errors.js";
import { passes, retryAfter } from "./retry.js";

/** A grant of which nobody knows how long it lives is used for this long. */
const UNKNOWN_MS = 60000;

/**
 * @typedef {object} Grant
 * @property {string} url where the form goes
 * @property {Record<string, string>} fields
 * @property {string} dir every name in the store begins with this
 * @property {string} [id] what the application server can be asked for by...
 * @property {string} [grant] ...with this
 * @property {number} [expires] unix time in seconds
 * @property {number} [min_size]
 * @property {number} [max_size]
 * @property {number} [max_uploads] how many files it is good for
 * @property {string[]} [types] media types, also as "image/*"
 */

export class GrantSource {
	/** @type {Grant | null} */ #grant = null;
	/** @type {Promise<Grant> | null} */ #fetching = null;
	#renewAt = 0;
	#uses = 0;
	#from;

	/**
	 * @param {{url: string, getGrant?: (url: string) => Promise<Grant>, margin: number,
	 *   http: import("./xhr.js").HttpStack, clock: import("./clock.js").Clock}} from
	 */
	constructor(from) {
		this.#from = from;
	}

	/**
	 * A grant with some life in it. Whoever asks while one is being fetched waits for that one.
	 * @returns {Promise<Grant>}
	 */
	get() {
		if (this.#grant && this.#from.clock.now() < this.#renewAt)
			return Promise.resolve(this.#grant);
		this.#fetching ??= this.#fetch().finally(() => {
			this.#fetching = null;
		});
		return this.#fetching;
	}

	/**
	 * A grant for one file: another one when that in use has served as many as it may.
	 * @returns {Promise<Grant>}
	 */
	async take() {
		for (;;) {
			const grant = await this.get();
			if (grant !== this.#grant || this.#uses < Math.max(1, grant.max_uploads ?? Infinity)) {
				this.#uses++;
				return grant;
			}
			this.discard(grant);
		}
	}

	/**
	 * The store said that this grant is no good. A newer one is kept.
	 * @param {Grant} grant
	 */
	discard(grant) {
		if (this.#grant === grant)
			this.#grant = null;
	}

	async #fetch() {
		const { url, getGrant, http, clock, margin } = this.#from;
		let serverNow = null;
		let grant;
		if (getGrant) {
			grant = await getGrant(url);
		} else {
			const answer = await http.send({ method: "GET", url });
			grant = read(answer, url, clock.now());
			serverNow = Date.parse(answer.header("date") ?? "");
		}
		const now = clock.now();
		// The browser's clock may be wrong: the life of a grant is measured by the server's, which a
		// page of another origin finds in the signed fields alone.
		let life = (grant.expires ?? Infinity) * 1000
			- (serverNow || signedAt(grant.fields["x-oss-date"]) || now);
		if (life <= 0)
			life = UNKNOWN_MS;
		this.#renewAt = now + life - Math.min(margin, life / 2);
		this.#grant = grant;
		this.#uses = 0;
		return grant;
	}
}

/**
 * @param {import("./xhr.js").Answer} answer
 * @param {string} url
 * @param {number} now
 * @returns {Grant}
 */
function read(answer, url, now) {
	const { status } = answer;
	if (status !== 200) {
		const message = status
			? `The application server answered ${status} instead of a grant.`
			: "The application server cannot be reached.";
		throw new UploadError("grant", message, {
			status,
			url,
			response: answer.text,
			again: passes(status),
			retryAfter: retryAfter(answer, now),
		});
	}
	try {
		const grant = JSON.parse(answer.text);
		if (typeof grant.url === "string" && typeof grant.fields === "object" && grant.fields)
			return { ...grant, dir: grant.dir ?? "" };
	} catch {
		// Not JSON: told below, like JSON of another kind.
	}
	throw new UploadError("grant", "The application server's answer is not a grant.", { status, url });
}

/** @param {string | undefined} text such as 20261128T073241Z */
function signedAt(text = "") {
	return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5"));
}
