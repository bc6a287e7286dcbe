// SPDX-License-Identifier: Apache-2.0
// One file on its way into the store.
import { UploadError, callbackError, networkError, storeError } from "./errors.js";
import { buildForm, objectKey, storedKey } from "./form.js";
import { checkLimits } from "./limits.js";
import { isAtRest, mayFollow } from "./states.js";

/**
 * @typedef {object} Result
 * @property {number} status 200 and the like, or 203
 * @property {string} key the name in the store
 * @property {string} etag empty if the bucket's CORS rule does not expose it
 * @property {string} requestId likewise
 * @property {string} text the answer's body
 * @property {unknown} json the body as a value, or undefined if it is not JSON
 */

/**
 * @typedef {object} Tools
 * @property {import("./xhr.js").HttpStack} http
 * @property {import("./grant.js").GrantSource} grants
 * @property {import("./queue.js").Queue} queue
 */

export class Upload extends EventTarget {
	/** @type {import("./states.js").State} */ state = "idle";
	/** Bytes of the form: what is sent is a little more than the file. */
	progress = { sent: 0, total: 0 };
	/** All bytes are sent, and the store's answer is awaited. */
	waiting = false;
	/** The name in the store, once a grant has told it. */
	key = "";
	/** @type {Result | null} */ result = null;
	/** @type {UploadError | null} */ error = null;
	/** @type {Promise<Upload>} */ finished;

	#options;
	#tools;
	/** @type {AbortController | null} */ #run = null;
	/** @type {(upload: Upload) => void} */ #finish = () => {};

	/**
	 * @param {File} file
	 * @param {import("./postern-upload.js").Options} options
	 * @param {Tools} tools
	 */
	constructor(file, options, tools) {
		super();
		this.file = file;
		this.#options = options;
		this.#tools = tools;
		this.finished = this.#promise();
	}

	/** Begins, or begins again. Does nothing to an upload that is on its way or done. */
	start() {
		if (this.#run || this.state === "done")
			return;
		if (this.state !== "idle") {
			this.#reset();
			this.#become("idle");
		}
		const run = this.#run = new AbortController();
		this.#tools.queue.run(() => this.#go(run.signal));
	}

	/** Gives up. The store keeps nothing of a file that did not arrive whole. */
	cancel() {
		if (isAtRest(this.state))
			return;
		const run = this.#run;
		this.#become("aborted");
		run?.abort();
	}

	/** @param {AbortSignal} signal */
	async #go(signal) {
		try {
			if (!signal.aborted && !await this.#attempt(signal, false) && !signal.aborted)
				await this.#attempt(signal, true);
		} catch (cause) {
			if (!signal.aborted)
				this.#fail(asUploadError(cause));
		}
	}

	/**
	 * Sends the file once. False: the grant had expired or was used up, and it is worth trying with
	 * a new one.
	 * @param {AbortSignal} signal
	 * @param {boolean} last
	 */
	async #attempt(signal, last) {
		this.#become("signing");
		const grant = await this.#tools.grants.take();
		if (signal.aborted)
			return true;
		const refusal = checkLimits(this.file, grant);
		if (refusal) {
			this.#fail(refusal);
			return true;
		}
		const answer = await this.#send(grant, signal);
		if (signal.aborted)
			return true;
		if (answer.status === 0) {
			const error = await networkError(grant.url, this.file, this.#tools.http);
			if (!signal.aborted)
				this.#fail(error);
			return true;
		}
		return this.#settle(answer, grant, last);
	}

	/**
	 * @param {import("./grant.js").Grant} grant
	 * @param {AbortSignal} signal
	 */
	#send(grant, signal) {
		const key = objectKey(this.file, grant, this.#options);
		this.key = storedKey(key, this.file);
		this.progress = { sent: 0, total: this.file.size };
		this.#become("sending");
		const changed = () => {
			if (!signal.aborted)
				this.#changed();
		};
		return this.#tools.http.send({
			method: "POST",
			url: grant.url,
			body: buildForm(this.file, key, grant, this.#options.fields),
			signal,
			onProgress: (sent, total) => {
				this.progress = { sent, total };
				changed();
			},
			onSent: () => {
				this.waiting = true;
				changed();
			},
		});
	}

	/**
	 * @param {import("./xhr.js").Answer} answer
	 * @param {import("./grant.js").Grant} grant
	 * @param {boolean} last
	 */
	#settle(answer, grant, last) {
		this.waiting = false;
		if (answer.status < 200 || answer.status > 299) {
			const error = storeError(answer);
			if (error.kind === "expired") {
				this.#tools.grants.discard(grant);
				if (!last)
					return false;
			}
			this.#fail(error);
			return true;
		}
		const unconfirmed = answer.status === 203 ? callbackError(answer) : null;
		if (unconfirmed?.kind === "used") {
			this.#tools.grants.discard(grant);
			if (!last)
				return false;
		}
		this.result = {
			status: answer.status,
			key: this.key,
			etag: answer.header("etag") ?? "",
			requestId: answer.header("x-oss-request-id") ?? "",
			text: answer.text,
			json: parseJson(answer.text),
		};
		if (unconfirmed) {
			this.error = unconfirmed;
			this.#become("unconfirmed");
		} else {
			this.#become("done");
		}
		return true;
	}

	/** @param {UploadError} error */
	#fail(error) {
		this.waiting = false;
		this.error = error;
		this.#become("failed");
	}

	#reset() {
		this.progress = { sent: 0, total: 0 };
		this.waiting = false;
		this.result = null;
		this.error = null;
		this.finished = this.#promise();
	}

	#promise() {
		return new Promise(resolve => {
			this.#finish = resolve;
		});
	}

	/** @param {import("./states.js").State} state */
	#become(state) {
		if (!mayFollow(this.state, state))
			throw new Error(`an upload that is ${this.state} cannot become ${state}`);
		this.state = state;
		if (isAtRest(state)) {
			this.#run = null;
			this.waiting = false;
			this.#finish(this);
		}
		this.#changed();
	}

	#changed() {
		this.dispatchEvent(new Event("change"));
	}
}

/** @param {string} text */
function parseJson(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** @param {unknown} cause */
function asUploadError(cause) {
	if (cause instanceof UploadError)
		return cause;
	const message = cause instanceof Error ? cause.message : String(cause);
	return new UploadError("grant", message, { cause, advice: "Try again." });
}
