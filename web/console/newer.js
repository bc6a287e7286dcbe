// SPDX-License-Identifier: Apache-2.0
// What is new at the front of a list that is read in pages, the newest first: more than a page may
// have come since it was read last.

/**
 * @template {{id: string}} T
 * @typedef {{callbacks: T[], next: string}} Page
 */

/**
 * Reads pages until one reaches what is known, or nothing is left, or `most` have come. All or
 * nothing: a page that cannot be read is thrown, so that no gap is left behind it.
 *
 * @template {{id: string}} T
 * @param {(after: string) => Promise<Page<T>>} read
 * @param {bigint} known the newest that is known
 * @param {number} most
 * @returns {Promise<T[]>} the newest first
 */
export async function readNewer(read, known, most) {
	/** @type {T[]} */
	const found = [];
	for (let after = ""; ;) {
		const page = await read(after);
		const fresh = page.callbacks.filter(({ id }) => BigInt(id) > known);
		found.push(...fresh);
		if (fresh.length < page.callbacks.length || !page.next || found.length >= most)
			return found.slice(0, most);
		after = page.next;
	}
}
