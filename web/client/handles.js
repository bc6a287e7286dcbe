// SPDX-License-Identifier: Apache-2.0
/**
 * Goes on with files after a reload without choosing them again, where the browser has handles of files that
 * may be kept (Chromium, on pages that came by HTTPS or from localhost).
 *
 *     const handles = createHandles();
 *     const id = await handles.keep(handle, { path, size: file.size });   // when its upload begins
 *     await handles.forget(id);                                           // when that has ended
 *
 *     for (const kept of await handles.all())                             // after a reload
 *         button.onclick = async () => uploader.add(await handles.open(kept)).start();
 *
 * What was sent already is known to resume.js. Files that another page is sending are not told of.
 */
import { UploadError } from "./errors.js";

const NAME = "postern-upload-handles";
const LONGEST = 7 * 86400000;
const MOST = 100;

/** @typedef {{path: string, size: number}} Known what people know the file by */
/** @typedef {Known & {id: number, at: number, handle: FileSystemFileHandle}} KeptHandle */

/**
 * @typedef {object} HandleStorage
 * @property {(kept: Omit<KeptHandle, "id">) => Promise<number>} add
 * @property {() => Promise<KeptHandle[]>} all
 * @property {(id: number) => Promise<unknown>} remove
 */

/**
 * @param {object} [options]
 * @param {HandleStorage} [options.storage]
 * @param {Pick<LockManager, "request" | "query">} [options.locks]
 * @param {() => number} [options.now]
 */
export function createHandles({ storage = databaseStorage(), locks = globalThis.navigator?.locks, now = Date.now } = {}) {
	/** @type {Map<number, () => void>} */ const ours = new Map();
	/** @param {number} id */
	const lockName = id => `${NAME} ${id}`;

	return {
		/**
		 * @param {FileSystemFileHandle} handle @param {Known} known
		 * @returns {Promise<number>} for forget(); 0 if this browser keeps nothing
		 */
		async keep(handle, { path, size }) {
			const id = await storage.add({ handle, path, size, at: now() }).catch(() => 0);
			if (id)
				locks?.request(lockName(id), () => new Promise(release => ours.set(id, () => release(undefined))));
			return id;
		},

		/** Those that no page is sending, the newest first. @returns {Promise<KeptHandle[]>} */
		async all() {
			const all = (await storage.all().catch(() => [])).sort((a, b) => b.at - a.at);
			const { held = [] } = await locks?.query() ?? {};
			const busy = new Set(held.map(({ name }) => name));
			const live = all.filter(({ at }, index) => index < MOST && now() - at < LONGEST);
			for (const { id } of all.filter(kept => !live.includes(kept)))
				await storage.remove(id).catch(() => {});
			return live.filter(({ id }) => !busy.has(lockName(id)));
		},

		/** Asks the user, if it must: call it when a button was pressed. @param {KeptHandle} kept @returns {Promise<File>} */
		async open({ handle }) {
			try {
				const asked = /** @type {any} */ (handle).requestPermission?.({ mode: "read" });
				if (await asked === "granted")
					return await handle.getFile();
			} catch (cause) {
				throw new UploadError("file", "The file cannot be read.", { cause });
			}
			throw new UploadError("file", "The file cannot be read.");
		},

		/** @param {number} id */
		async forget(id) {
			await storage.remove(id).catch(() => {});
			ours.get(id)?.();
			ours.delete(id);
		},
	};
}

/** In the browser's IndexedDB. @returns {HandleStorage} */
function databaseStorage() {
	/**
	 * @template T
	 * @param {IDBTransactionMode} mode @param {(handles: IDBObjectStore) => IDBRequest<T>} act
	 * @returns {Promise<T>}
	 */
	const transact = (mode, act) => new Promise((resolve, reject) => {
		const opened = indexedDB.open(NAME, 1);
		opened.onupgradeneeded = () => opened.result.createObjectStore("handles", { keyPath: "id", autoIncrement: true });
		opened.onerror = opened.onblocked = () => reject(opened.error);
		opened.onsuccess = () => {
			const transaction = opened.result.transaction("handles", mode);
			const request = act(transaction.objectStore("handles"));
			transaction.oncomplete = () => {
				opened.result.close();
				resolve(request.result);
			};
			transaction.onerror = transaction.onabort = () => {
				opened.result.close();
				reject(transaction.error);
			};
		};
	});
	return {
		add: async kept => Number(await transact("readwrite", handles => handles.add(kept))),
		all: () => transact("readonly", handles => handles.getAll()),
		remove: id => transact("readwrite", handles => handles.delete(id)),
	};
}
