// SPDX-License-Identifier: Apache-2.0
// Sends large files in parts, which the application server signs one by one. A part that fails is
// sent again, and not the others; with resume.js an upload goes on after the page was closed.
//
//     createUploader({ large: multipart({ url: "/s3", resume: createResume(), proof }) });
import { UploadError, networkError, storeError } from "./errors.js";
import { PartsApi } from "./parts_api.js";
import { combine } from "./crc64.js";
import { persist } from "./retry.js";
import { sendWatched } from "./watched.js";

const MEBIBYTE = 1 << 20;
/** A form is quicker for less; a form that breaks has to be sent again as a whole. */
const FROM = 16 * MEBIBYTE;
/** Small enough to lose, large enough to be worth a signature. */
const PART = 8 * MEBIBYTE;
/** No more parts than this, even if the application server would sign them. */
const MOST_PARTS = 1000;
/** Requests to one host at a time, forms and parts together. */
const CONNECTIONS = 6;

/**
 * @typedef {object} MultipartOptions
 * @property {string} [url] of the application server's uploads in parts; default "/s3"
 * @property {number} [from] files of so many bytes or more are sent in parts; default 16 MiB
 * @property {number} [partSize] at least; default 8 MiB. It grows with the file
 * @property {number} [parallel] parts of one file at a time, at most; default 4
 * @property {Record<string, string>} [headers] of requests to the application server
 * @property {Record<string, unknown>} [metadata] for the application server, such as a profile
 * @property {import("./proof.js").Proof} [proof]
 * @property {import("./resume.js").Resume} [resume]
 */

/**
 * @param {MultipartOptions} [options]
 * @returns {{from: number, send: import("./upload.js").Sender}}
 */
export function multipart(options = {}) {
	const crowd = { lanes: 0 };
	/** @type {WeakMap<File, import("./resume.js").Place>} */ const remembered = new WeakMap();
	return {
		from: options.from ?? FROM,
		async send(job) {
			const place = options.resume
				? await options.resume.open(job.file, job.signal, () => job.retrying(null))
				: remembered.get(job.file) ?? memory();
			remembered.set(job.file, place);
			try {
				if (!place.outcome)
					return await twice(() => new Parts(job, options, crowd, place).run());
				job.become("signing");
				job.become("sending");
				job.named(place.outcome.result.key);
				return place.outcome;
			} finally {
				place.close();
			}
		},
	};
}

/** @typedef {{lanes: number}} Crowd how many lanes beyond the first of each file there are */

/**
 * An upload that has ended at the server begins again, once.
 * @param {() => Promise<import("./upload.js").Outcome>} send
 */
async function twice(send) {
	try {
		return await send();
	} catch (error) {
		if (!(error instanceof UploadError) || error.kind !== "gone")
			throw error;
		return send();
	}
}

/** For this page alone: what was paused or has failed goes on. @returns {import("./resume.js").Place} */
function memory() {
	/** @type {Map<number, import("./resume.js").Part>} */ const parts = new Map();
	/** @type {import("./resume.js").Place} */
	const place = {
		started: null,
		outcome: null,
		parts: async () => new Map(parts),
		async begin(started) {
			place.started = started;
		},
		keep: async (number, part) => void parts.set(number, part),
		finish: async () => {},
		async forget() {
			place.started = null;
			parts.clear();
		},
		close() {},
	};
	return place;
}

class Parts {
	#job;
	#options;
	#crowd;
	#place;
	#api;
	/** @type {import("./resume.js").Started | null} */ #started = null;
	/** @type {Map<number, import("./resume.js").Part>} */ #done = new Map();
	/** Bytes of each part that is on its way. @type {Map<number, number>} */ #moving = new Map();
	#sent = 0;
	/** Numbers of parts from here on have not been looked at. */
	#next = 1;
	#lanes = 0;
	#held = 0;
	#sending = false;
	/** Ends all lanes of a file when one has failed for good. */
	#stop = new AbortController();

	/**
	 * @param {import("./upload.js").Job} job
	 * @param {MultipartOptions} options
	 * @param {Crowd} crowd
	 * @param {import("./resume.js").Place} place
	 */
	constructor(job, options, crowd, place) {
		this.#job = job;
		this.#options = options;
		this.#crowd = crowd;
		this.#place = place;
		this.#api = new PartsApi(options.url ?? "/s3", options.headers ?? {}, job.tools, this.#stop.signal);
	}

	async run() {
		const { signal } = this.#job;
		const stop = () => this.#stop.abort(signal.reason);
		signal.addEventListener("abort", stop);
		if (signal.aborted)
			stop();
		try {
			this.#job.become("signing");
			await this.#begin();
			return await this.#finish();
		} catch (error) {
			this.#stop.abort(error);
			if (signal.reason === "aborted" && this.#started)
				this.#api.abort(this.#started);
			if (signal.reason === "aborted" || error instanceof UploadError
				&& (error.kind === "gone" || error.code === "invalid_parts"))
				await this.#place.forget();
			throw error;
		} finally {
			signal.removeEventListener("abort", stop);
		}
	}

	/** Finds out what the server has, or begins a new upload. */
	async #begin() {
		const { file } = this.#job;
		const kept = this.#place.started;
		if (kept) {
			this.#started = kept;
			this.#job.named(kept.key);
			if (kept.completing) {
				this.#done = await this.#place.parts();
				return;
			}
			const [there, ours] = await Promise.all([
				this.#patiently(() => this.#api.list(kept)),
				this.#place.parts(),
			]);
			for (const { PartNumber, ETag, Size } of there) {
				const part = ours.get(PartNumber);
				// A part whose answer never came has no sum: it is sent again.
				if (Size === this.#sizeOf(PartNumber) && (part?.etag === ETag || !this.#options.proof))
					this.#done.set(PartNumber, { etag: ETag, sum: part?.sum ?? "" });
			}
			for (const number of this.#done.keys())
				this.#sent += this.#sizeOf(number);
			return;
		}
		const begun = await this.#patiently(() => this.#api.begin(file, this.#options.metadata ?? {}));
		this.#started = {
			key: begun.key,
			uploadId: begun.uploadId,
			expires: (begun.expires ?? 0) * 1000,
			partSize: Math.max(this.#options.partSize ?? PART, begun.part_size ?? 0,
				Math.ceil(file.size / Math.min(begun.max_parts ?? MOST_PARTS, MOST_PARTS))),
			completing: false,
		};
		this.#job.named(begun.key);
		await this.#place.begin(this.#started);
	}

	async #finish() {
		const started = this.#ready();
		this.#sending = true;
		this.#job.become("sending");
		if (!started.completing) {
			this.#tell();
			await this.#sendAll();
			started.completing = true;
			await this.#place.begin(started);
		}
		this.#job.progress(this.#job.file.size, this.#job.file.size);
		this.#job.sent();
		const parts = [...this.#done].sort(([a], [b]) => a - b);
		const crc64 = this.#sum(parts);
		try {
			const answer = await this.#patiently(() => this.#api.complete(started, parts, { ...this.#job.sums, crc64 }));
			const outcome = { error: null, result: result(started.key, answer) };
			await this.#place.finish(outcome);
			return outcome;
		} catch (error) {
			if (error instanceof UploadError && error.kind === "callback")
				return { error, result: result(started.key, { status: error.status, text: error.response }) };
			throw error;
		}
	}

	/** Lanes take part after part. There are as many as this file and the others leave room for. */
	#sendAll() {
		return new Promise((resolve, reject) => {
			const last = Math.max(1, Math.ceil(this.#job.file.size / this.#ready().partSize));
			const grow = () => {
				while (this.#next <= last && (this.#lanes === 0 || this.#roomForAnother()))
					lane(this.#lanes > 0);
			};
			/** @param {boolean} extra */
			const lane = async extra => {
				this.#lanes++;
				this.#crowd.lanes += Number(extra);
				try {
					for (let number; (number = this.#take(last)) !== 0;) {
						await this.#sendPart(number);
						grow();
						if (extra && this.#tools.queue.running + this.#crowd.lanes > CONNECTIONS)
							break;
					}
				} catch (error) {
					this.#stop.abort(error);
					reject(error);
				} finally {
					this.#crowd.lanes -= Number(extra);
					if (--this.#lanes === 0 && !this.#stop.signal.aborted)
						resolve(undefined);
				}
			};
			grow();
			if (this.#lanes === 0)
				resolve(undefined);
		});
	}

	#roomForAnother() {
		return this.#lanes < (this.#options.parallel ?? 4)
			&& this.#tools.queue.running + this.#crowd.lanes < CONNECTIONS;
	}

	get #tools() {
		return this.#job.tools;
	}

	#ready() {
		return /** @type {import("./resume.js").Started} */ (this.#started);
	}

	/** The next part that is missing; 0: none. @param {number} last */
	#take(last) {
		while (this.#next <= last)
			if (!this.#done.has(this.#next++))
				return this.#next - 1;
		return 0;
	}

	/** @param {number} number */
	async #sendPart(number) {
		const { file } = this.#job;
		const start = (number - 1) * this.#ready().partSize;
		const blob = file.slice(start, start + this.#sizeOf(number));
		/** Read once, however often it is sent. @type {Promise<bigint | null> | undefined} */
		let sum;
		const part = await this.#patiently(async () => {
			const { url } = await this.#api.sign(this.#ready(), number, blob.size);
			sum ??= Promise.resolve(this.#options.proof?.sum(blob, this.#stop.signal) ?? null);
			// It is awaited below.
			sum.catch(() => {});
			return this.#put(url, blob, number, sum);
		});
		this.#moving.delete(number);
		this.#done.set(number, part);
		await this.#place.keep(number, part);
	}

	/**
	 * @param {string} url
	 * @param {Blob} blob
	 * @param {number} number
	 * @param {Promise<bigint | null>} sum
	 * @returns {Promise<import("./resume.js").Part>}
	 */
	async #put(url, blob, number, sum) {
		const tools = this.#tools;
		this.#move(number, 0);
		const { answer, moved, stalled } = await sendWatched({
			method: "PUT",
			url,
			body: blob,
			signal: this.#stop.signal,
			onProgress: sent => this.#move(number, sent),
			onSent: () => this.#move(number, blob.size),
		}, tools);
		this.#stop.signal.throwIfAborted();
		tools.admitted ||= moved || answer.status > 0;
		const place = url.split("?")[0];
		if (stalled || answer.status !== 200)
			this.#move(number, 0);
		if (stalled)
			throw new UploadError("stalled", "Nothing moved.", { url: place, again: true });
		if (answer.status === 0)
			throw await networkError(place, this.#job.file, tools.http, tools.admitted);
		if (answer.status !== 200) {
			const error = storeError(answer, place, tools.clock.now());
			// The next try has a new signature.
			error.again ||= error.kind === "expired";
			if (error.code === "NoSuchUpload")
				error.kind = "gone";
			throw error;
		}
		const etag = answer.header("etag");
		if (!etag)
			throw new UploadError("cors", "This page may not read the ETag of a part.",
				{ status: 200, url: place });
		const text = String(await sum.catch(cause => {
			throw new UploadError("file", "The file cannot be read.", { cause });
		}) ?? "");
		this.#options.proof?.after(answer, text);
		return { etag, sum: text };
	}

	/** @param {number} number */
	#sizeOf(number) {
		const { partSize } = this.#ready();
		return Math.max(0, Math.min(partSize, this.#job.file.size - (number - 1) * partSize));
	}

	/** @param {number} number @param {number} sent */
	#move(number, sent) {
		this.#sent += sent - (this.#moving.get(number) ?? 0);
		this.#moving.set(number, sent);
		this.#tell();
	}

	#tell() {
		this.#job.progress(this.#sent, this.#job.file.size);
	}

	/**
	 * The sum of the whole file from those of its parts.
	 * @param {[number, import("./resume.js").Part][]} parts
	 */
	#sum(parts) {
		return this.#options.proof && parts.every(([, { sum }]) => sum)
			? String(parts.reduce((all, [number, { sum }]) => combine(all, BigInt(sum), this.#sizeOf(number)), 0n))
			: undefined;
	}

	/**
	 * Tries again what may pass. The upload is said to wait only when nothing of it moves.
	 * @template T
	 * @param {() => Promise<T>} attempt
	 */
	#patiently(attempt) {
		const job = this.#job;
		let held = false;
		const go = () => {
			if (held) {
				held = false;
				this.#held--;
				job.become(this.#sending ? "sending" : "signing");
			}
			return attempt();
		};
		return persist(go, job.tools, this.#stop.signal, error => {
			held = true;
			if (++this.#held >= this.#lanes)
				job.retrying(error);
		});
	}
}

/**
 * @param {string} key
 * @param {{status: number, text: string, json?: any}} answer
 * @returns {import("./upload.js").Result}
 */
function result(key, { status, text, json }) {
	return { status, key, etag: "", requestId: "", text, json };
}
