// SPDX-License-Identifier: Apache-2.0
// One file on its way into the store.
import { UploadError } from "./errors.js";
import { isAtRest, mayFollow } from "./states.js";

/**
 * @typedef {object} Result
 * @property {number} status 200 and the like, or 203
 * @property {string} key the name in the store
 * @property {string} etag empty if the bucket's CORS rule does not expose it
 * @property {string} requestId likewise
 * @property {string} text the answer's body
 * @property {unknown} json the body as a value, or undefined if it is not JSON
 * @property {boolean} [duplicate] nothing was sent: it was there already (duplicates.js)
 */

/**
 * @typedef {object} Outcome
 * @property {Result} result
 * @property {UploadError | null} error stored, but not confirmed
 * @property {import("./grant.js").Grant} [grant] of a form: that was used
 */

/**
 * @typedef {object} Shared what all uploads of an uploader have in common
 * @property {import("./xhr.js").HttpStack} http
 * @property {import("./grant.js").GrantSource} grants
 * @property {import("./queue.js").Queue} queue
 * @property {number} stallMs
 * @property {boolean} admitted the store has let this page send something
 */

/** @typedef {Shared & import("./retry.js").Patience} Tools */

/**
 * @typedef {object} Job what a sender has to do, and how it tells of it
 * @property {File} file
 * @property {import("./postern-upload.js").Options} options
 * @property {Tools} tools
 * @property {{sha256?: string}} [sums] of the file, for the application server, besides its CRC-64
 * @property {AbortSignal} signal whatever is told after it is ignored; its reason is the new state
 * @property {(state: "signing" | "sending") => void} become
 * @property {(key: string) => void} named
 * @property {(sent: number, total: number) => void} progress
 * @property {() => void} sent the answer is awaited
 * @property {(error: UploadError | null) => void} retrying
 */

/** @typedef {(job: Job) => Promise<Outcome>} Sender */
/** @typedef {(outcome: Outcome, job: Job) => Promise<Outcome>} Settle which never fails */

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
	#send;
	/** @type {AbortController | null} */ #run = null;
	/** @type {(upload: Upload) => void} */ #finish = () => {};

	/**
	 * @param {File} file
	 * @param {import("./postern-upload.js").Options} options
	 * @param {Tools} tools
	 * @param {Sender} send
	 */
	constructor(file, options, tools, send) {
		super();
		this.file = file;
		this.#options = options;
		this.#tools = tools;
		this.#send = send;
		this.finished = this.#promise();
	}

	/** Begins, goes on, or begins again. Does nothing to an upload that is on its way or done. */
	start() {
		const { state } = this;
		if (this.#run || state === "done")
			return;
		if (state !== "idle") {
			if (state !== "paused")
				this.finished = this.#promise();
			this.#clear();
			this.#become("idle");
		}
		const { signal } = this.#run = new AbortController();
		this.#tools.queue.run(() => this.#go(signal));
	}

	/** Holds an upload that was started, until start(). */
	pause() {
		if (this.#run && mayFollow(this.state, "paused"))
			this.#stop("paused");
	}

	/** Gives up. The store keeps nothing of a file that did not arrive whole. */
	cancel() {
		if (!isAtRest(this.state))
			this.#stop("aborted");
	}

	/** @param {"paused" | "aborted"} state */
	#stop(state) {
		// What was paused has no run, but may have parts at the server.
		const held = this.state === "paused";
		const run = this.#run ?? new AbortController();
		this.#run = null;
		this.error = null;
		this.#become(state);
		run.abort(state);
		if (held)
			this.#send(this.#job(run.signal)).catch(() => {});
	}

	/** @param {AbortSignal} signal */
	async #go(signal) {
		if (signal.aborted)
			return -1;
		try {
			const job = this.#job(signal);
			const { check } = this.#options;
			if (check) {
				job.become("signing");
				const refusal = await check(this.file);
				signal.throwIfAborted();
				if (refusal)
					throw refusal;
			}
			// Others may be sent while it is awaited what becomes of this one.
			this.#end(await this.#send(job), job);
		} catch (cause) {
			if (!signal.aborted) {
				this.error = asUploadError(cause);
				this.#become("failed");
			}
		}
		// What was given up says nothing of the speed.
		return signal.aborted ? -1 : this.file.size;
	}

	/** @param {Outcome} outcome @param {Job} job */
	async #end(outcome, job) {
		const { settle } = this.#options;
		if (outcome.error && settle)
			outcome = await settle(outcome, job);
		if (job.signal.aborted)
			return;
		this.result = outcome.result;
		this.error = outcome.error;
		this.#become(outcome.error ? "unconfirmed" : "done");
	}

	/** @param {AbortSignal} signal @returns {Job} */
	#job(signal) {
		/** @template {unknown[]} A @param {(...args: A) => void} tell @returns {(...args: A) => void} */
		const unless = tell => (...args) => {
			if (!signal.aborted)
				tell(...args);
		};
		return {
			file: this.file,
			options: this.#options,
			tools: this.#tools,
			signal,
			become: unless(state => {
				if (state === this.state)
					return;
				this.#clear(this.progress);
				this.#become(state);
			}),
			named: unless(key => {
				this.key = key;
			}),
			progress: unless((sent, total) => {
				this.progress = { sent, total };
				if (this.state === "sending")
					this.#changed();
			}),
			sent: unless(() => {
				this.waiting = true;
				this.#changed();
			}),
			retrying: unless(error => {
				this.error = error;
				this.#become("retrying");
			}),
		};
	}

	#clear(progress = { sent: 0, total: 0 }) {
		this.progress = progress;
		this.result = null;
		this.error = null;
	}

	#promise() {
		return new Promise(resolve => {
			this.#finish = resolve;
		});
	}

	/** @param {import("./states.js").State} state */
	#become(state) {
		if (state !== this.state && !mayFollow(this.state, state))
			throw new Error(`an upload that is ${this.state} cannot become ${state}`);
		this.state = state;
		this.waiting = false;
		if (isAtRest(state)) {
			this.#run = null;
			this.#finish(this);
		}
		this.#changed();
	}

	#changed() {
		this.dispatchEvent(new Event("change"));
	}
}

/** @param {any} cause */
function asUploadError(cause) {
	return cause instanceof UploadError ? cause : new UploadError("grant", cause?.message ?? String(cause), { cause });
}
