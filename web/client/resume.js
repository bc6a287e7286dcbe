// SPDX-License-Identifier: Apache-2.0
// Where an upload in parts had come to, kept over reloads and crashes of the page. A file is known
// by its name, size, time and samples of its bytes. Two pages do not send the same file: the second
// waits for the first, and has its result or goes on where it ended.
import { Crc64 } from "./crc64.js";
import { databaseStorage } from "./resume_database.js";

const SAMPLES = 8;
const SAMPLE = 65536;
const DAY = 86400000;
/** Uploads whose end the server did not tell are forgotten after this. */
const LONGEST = 7 * DAY;
/** A result is kept for pages that wait for it. */
const RESULT = 60000;
const MOST = 500;

/**
 * @typedef {object} Started
 * @property {string} key
 * @property {string} uploadId
 * @property {number} partSize
 * @property {number} expires milliseconds since 1970, or 0
 * @property {boolean} completing all parts are there
 */

/** @typedef {{etag: string, sum: string}} Part sum: the CRC-64, or empty */

/**
 * @typedef {object} Kept
 * @property {string} id
 * @property {number} ends when it is forgotten
 * @property {Started | null} started
 * @property {import("./upload.js").Outcome | null} outcome
 */

/**
 * @typedef {object} Storage
 * @property {(id: string) => Promise<Kept | undefined>} get
 * @property {(kept: Kept) => Promise<unknown>} put
 * @property {(id: string) => Promise<Map<number, Part>>} parts
 * @property {(id: string, number: number, part: Part) => Promise<unknown>} putPart
 * @property {(id: string) => Promise<unknown>} remove with its parts
 * @property {() => Promise<Kept[]>} all
 */

/**
 * @typedef {object} Place of one file
 * @property {Started | null} started
 * @property {import("./upload.js").Outcome | null} outcome another page has just had
 * @property {() => Promise<Map<number, Part>>} parts
 * @property {(started: Started) => Promise<void>} begin
 * @property {(number: number, part: Part) => Promise<void>} keep
 * @property {(outcome: import("./upload.js").Outcome) => Promise<void>} finish
 * @property {() => Promise<void>} forget
 * @property {() => void} close
 */

/**
 * @typedef {object} Resume
 * @property {(file: File, signal: AbortSignal, waiting: () => void) => Promise<Place>} open waits
 *   while another page sends the file
 */

/**
 * @param {object} [options]
 * @param {string} [options.scope] uploads of different people or places are kept apart by it
 * @param {Storage} [options.storage]
 * @param {Pick<LockManager, "request">} [options.locks]
 * @param {() => number} [options.now]
 * @returns {Resume}
 */
export function createResume({ scope = "", storage = databaseStorage(), locks = globalThis.navigator?.locks,
	now = Date.now } = {}) {
	/** @type {Promise<unknown> | undefined} */ let swept;
	return {
		async open(file, signal, waiting) {
			swept ??= quietly(sweep(storage, now()));
			await swept;
			const id = await identity(file, scope);
			const { release, waited } = await hold(locks, id, signal, waiting);
			const kept = await quietly(storage.get(id));
			const live = kept && kept.ends > now() ? kept : null;
			if (kept && !live)
				await quietly(storage.remove(id));
			/** @type {Place} */
			const place = {
				started: live?.started ?? null,
				outcome: waited ? live?.outcome ?? null : null,
				parts: async () => await quietly(storage.parts(id)) ?? new Map(),
				begin: async started => void await quietly(storage.put({
					id, started, outcome: null, ends: started.expires || now() + LONGEST,
				})),
				keep: async (number, part) => void await quietly(storage.putPart(id, number, part)),
				async finish(outcome) {
					await quietly(storage.remove(id));
					await quietly(storage.put({ id, started: null, outcome, ends: now() + RESULT }));
				},
				async forget() {
					place.started = null;
					await quietly(storage.remove(id));
				},
				close: release,
			};
			return place;
		},
	};
}

/**
 * What the file is known by. Bytes between the samples may differ unseen: the sums of proof.js see
 * to those.
 * @param {File} file
 * @param {string} scope
 */
export async function identity(file, scope = "") {
	const sum = new Crc64();
	const step = Math.max(SAMPLE, Math.ceil((file.size - SAMPLE) / (SAMPLES - 1)));
	for (let at = 0; at < file.size; at += step) {
		const from = Math.max(0, Math.min(at, file.size - SAMPLE));
		sum.update(new Uint8Array(await file.slice(from, from + SAMPLE).arrayBuffer()));
	}
	return JSON.stringify([scope, file.webkitRelativePath || file.name, file.size, file.lastModified,
		String(sum.value)]);
}

/**
 * @param {Pick<LockManager, "request"> | undefined} locks which pages without HTTPS have not got
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {() => void} waiting
 * @returns {Promise<{release: () => void, waited: boolean}>}
 */
async function hold(locks, id, signal, waiting) {
	if (!locks)
		return { release() {}, waited: false };
	const name = `postern-upload ${id}`;
	/** @param {LockOptions} options @returns {Promise<(() => void) | null>} */
	const request = options => new Promise((resolve, reject) => {
		locks.request(name, options, lock => lock
			? new Promise(release => resolve(() => release(undefined)))
			: resolve(null)).catch(reject);
	});
	const free = await request({ ifAvailable: true });
	if (free)
		return { release: free, waited: false };
	waiting();
	return { release: /** @type {() => void} */ (await request({ signal })), waited: true };
}

/** Removes what nobody will go on with. @param {Storage} storage @param {number} now */
async function sweep(storage, now) {
	const all = await storage.all();
	const live = all.filter(({ ends }) => ends > now).sort((a, b) => b.ends - a.ends);
	const kept = new Set(live.slice(0, MOST));
	for (const one of all)
		if (!kept.has(one))
			await storage.remove(one.id);
}

/**
 * A browser that keeps nothing (a private window, a full disk) does not stop an upload.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T | undefined>}
 */
function quietly(promise) {
	return promise.catch(() => undefined);
}
