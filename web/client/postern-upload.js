// SPDX-License-Identifier: Apache-2.0
/**
 * Uploads files from a browser straight to an object store that speaks OSS's PostObject, with
 * forms signed by an application server. This page is the whole contract.
 *
 *     import { createUploader } from "./postern-upload.js";
 *
 *     const uploader = createUploader({ grantUrl: "/grant" });
 *     const upload = uploader.add(file);
 *     upload.addEventListener("change", () => show(upload.state, upload.progress));
 *     upload.start();
 *
 * An upload is in one of the states of states.js, and tells of every change of its state or its
 * progress by a "change" event. `upload.start()` begins, goes on after a pause, or tries again
 * after failed, aborted or unconfirmed; `upload.pause()` holds it; `upload.cancel()` gives up;
 * `upload.finished` is a promise of the upload itself that is kept when it comes to rest. In the
 * states
 *
 *   done          `upload.result` has the answer of the application server (or the store's)
 *   unconfirmed   the store has the file, but the application server did not accept the store's
 *                 callback (HTTP status 203), or has not decided yet (an error of the kind "pending"):
 *                 `upload.result` and `upload.error` are both set
 *   failed        `upload.error` says why; explain() of texts.js says what to do
 *   retrying      `upload.error` says what it is that may pass; null: the network is awaited
 *
 * The application server's answer to GET grantUrl:
 *
 *     {"url": "...", "method": "POST", "fields": {...}, "dir": "...", "expires": 1446727949,
 *      "min_size": 0, "max_size": 104857600, "max_uploads": 1000, "types": ["image/png"]}
 *
 * `fields` are posted as they are. The last four are optional: files outside these limits are
 * refused before anything is sent, and after `max_uploads` files another grant is asked for. So it is
 * when the store says that a grant has expired, or the application server that it is used up.
 */
import { browserNetwork, systemClock } from "./clock.js";
import { sendForm } from "./form_sender.js";
import { GrantSource } from "./grant.js";
import { Queue } from "./queue.js";
import { Upload } from "./upload.js";
import { xhrStack } from "./xhr.js";

export { UploadError } from "./errors.js";
export { STATES } from "./states.js";
export { Upload };

/**
 * @typedef {object} Options
 * @property {string} [grantUrl] where grants come from; default "/grant"
 * @property {(url: string) => Promise<import("./grant.js").Grant>} [getGrant] fetches a grant
 *   in another way, for instance with a session token; replaces grantUrl
 * @property {number} [refreshMargin] a grant is renewed when it has fewer milliseconds to live
 *   than this, or than half its life; default 15000
 * @property {number} [parallel] how many files are sent at a time; default: as many as help, at
 *   most 6
 * @property {number} [retries] how often something that may pass is tried again; default 5
 * @property {number} [stallMs] a request of which nothing was sent for so long is sent again;
 *   default 30000
 * @property {"file"|"random"} [names] the name in the store, after the grant's dir: the file's
 *   own name, with its path if it came with a folder (default), or a made-up one with the file's
 *   extension
 * @property {string} [path] takes the place of the file's own name
 * @property {(file: File, grant: import("./grant.js").Grant) => string} [key] decides the whole
 *   name in the store; replaces names
 * @property {Record<string, string>} [fields] more form fields, such as "x:user"
 * @property {(file: File) => Promise<import("./errors.js").UploadError | null>} [check] what is wrong with a file, when it is its
 *   turn and before anything is sent (checks.js)
 * @property {import("./proof.js").Proof} [proof] sums files, and compares with the store (proof.js)
 * @property {import("./upload.js").Settle} [settle] waits for what is not decided yet (settle.js)
 * @property {{from: number, send: import("./upload.js").Sender}} [large] how files of `from`
 *   bytes or more are sent (multipart.js)
 * @property {import("./xhr.js").HttpStack} [httpStack] how requests are sent (tests)
 * @property {import("./clock.js").Clock} [clock] what time it is (tests)
 * @property {import("./clock.js").Network} [network] whether there is a network (tests)
 * @property {() => number} [random] from 0 to 1 (tests)
 */

/**
 * @param {Options} [options]
 */
export function createUploader(options = {}) {
	const http = options.httpStack ?? xhrStack();
	const clock = options.clock ?? systemClock;
	const grants = new GrantSource({
		url: options.grantUrl ?? "/grant",
		getGrant: options.getGrant,
		margin: options.refreshMargin ?? 15000,
		http,
		clock,
	});
	const queue = new Queue(options.parallel, clock);
	/** @type {import("./upload.js").Tools} */
	const tools = {
		http,
		clock,
		grants,
		queue,
		network: options.network ?? browserNetwork,
		random: options.random ?? Math.random,
		retries: options.retries ?? 5,
		stallMs: options.stallMs ?? 30000,
		trouble: () => queue.trouble(),
		admitted: false,
	};
	return {
		/** The grant in use; asks for one when there is none. Pages read the limits from it. */
		grant: () => grants.get(),

		/**
		 * @param {File} file
		 * @param {Pick<Options, "names"|"key"|"fields"|"path"|"large"|"check">} [own] options for this file alone
		 */
		add(file, own) {
			const all = { ...options, ...own };
			return new Upload(file, all, tools,
				all.large && file.size >= all.large.from ? all.large.send : sendForm);
		},
	};
}
