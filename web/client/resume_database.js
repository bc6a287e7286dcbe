// SPDX-License-Identifier: Apache-2.0
// What resume.js keeps, in the browser's IndexedDB: uploads by id, and their parts one by one, so
// that a part costs the same however many there are.

const NAME = "postern-upload";

/** @returns {import("./resume.js").Storage} */
export function databaseStorage() {
	/** @type {Promise<IDBDatabase> | null} */ let opened = null;

	function open() {
		opened ??= new Promise((resolve, reject) => {
			const request = indexedDB.open(NAME, 1);
			request.onupgradeneeded = () => {
				request.result.createObjectStore("uploads", { keyPath: "id" });
				request.result.createObjectStore("parts");
			};
			request.onsuccess = () => {
				const database = request.result;
				// Another page wants another version, or the browser needs room.
				database.onversionchange = () => database.close();
				resolve(database);
			};
			request.onerror = request.onblocked = () => reject(request.error);
		});
		return opened;
	}

	/**
	 * @template T
	 * @param {IDBTransactionMode} mode
	 * @param {(uploads: IDBObjectStore, parts: IDBObjectStore) => IDBRequest<T>} act
	 * @returns {Promise<T>}
	 */
	async function transact(mode, act) {
		const database = await open();
		return new Promise((resolve, reject) => {
			const transaction = database.transaction(["uploads", "parts"], mode);
			const request = act(transaction.objectStore("uploads"), transaction.objectStore("parts"));
			transaction.oncomplete = () => resolve(request.result);
			transaction.onerror = transaction.onabort = () => reject(transaction.error);
		});
	}

	/** @param {string} id */
	const range = id => IDBKeyRange.bound([id, 0], [id, Infinity]);

	return {
		get: id => transact("readonly", uploads => uploads.get(id)),
		put: kept => transact("readwrite", uploads => uploads.put(kept)),
		all: () => transact("readonly", uploads => uploads.getAll()),
		putPart: (id, number, part) => transact("readwrite",
			(_, parts) => parts.put({ number, part }, [id, number])),
		async parts(id) {
			const all = await transact("readonly", (_, parts) => parts.getAll(range(id)));
			return new Map(all.map(({ number, part }) => [number, part]));
		},
		remove: id => transact("readwrite", (uploads, parts) => {
			uploads.delete(id);
			return parts.delete(range(id));
		}),
	};
}
