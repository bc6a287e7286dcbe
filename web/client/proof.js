// SPDX-License-Identifier: Apache-2.0
// Proof that what arrived is what was sent: the CRC-64 of each file and part, against the store's.
//
//     const proof = createProof();
//     createUploader({ proof, large: multipart({ proof }) });
import { crc64Of } from "./crc64.js";
import { UploadError } from "./errors.js";

/**
 * @typedef {object} Proof
 * @property {(blob: Blob, signal: AbortSignal) => Promise<bigint>} sum
 * @property {(file: File, signal: AbortSignal) => Promise<Record<string, string>>} before fields of
 *   the form: "x:crc64", which the callback can carry to the application server
 * @property {(answer: import("./xhr.js").Answer, sum: string) => void} after throws if the store has
 *   something else
 */

/**
 * @param {{worker?: () => Worker}} [options] worker: makes the worker, if it lies elsewhere
 * @returns {Proof}
 */
export function createProof({ worker = makeWorker } = {}) {
	const sum = summer(worker);
	return {
		sum,
		before: async (file, signal) => ({ "x:crc64": String(await sum(file, signal)) }),
		after(answer, expected) {
			const stored = answer.header("x-oss-hash-crc64ecma");
			if (stored && stored !== expected)
				throw new UploadError("damaged", "The store received other bytes than were sent.", {
					status: answer.status,
					requestId: answer.header("x-oss-request-id") ?? "",
					again: true,
				});
		},
	};
}

function makeWorker() {
	return new Worker(new URL("./crc64_worker.js", import.meta.url), { type: "module" });
}

/** @param {() => Worker} make @returns {Proof["sum"]} */
function summer(make) {
	/** @type {Worker | null | undefined} */ let worker;
	/** @type {Map<number, {done: (sum: bigint) => void, failed: (error: Error) => void, blob: Blob}>} */
	const asked = new Map();
	let last = 0;

	/** Without a worker, which some pages forbid, the page sums itself. */
	function alone() {
		worker = null;
		for (const { blob, done, failed } of asked.values())
			crc64Of(blob).then(done, failed);
		asked.clear();
	}

	function begin() {
		try {
			worker = make();
		} catch {
			return alone();
		}
		worker.onerror = event => {
			event.preventDefault();
			alone();
		};
		worker.onmessage = ({ data: { id, sum, error } }) => {
			const { done, failed } = asked.get(id) ?? {};
			asked.delete(id);
			if (sum)
				done?.(BigInt(sum));
			else
				failed?.(new UploadError("file", error));
		};
	}

	return (blob, signal) => {
		if (worker === undefined)
			begin();
		if (!worker)
			return crc64Of(blob, signal);
		const id = ++last;
		const answer = new Promise((done, failed) => asked.set(id, { done, failed, blob }));
		worker.postMessage({ id, blob });
		return answer;
	};
}
