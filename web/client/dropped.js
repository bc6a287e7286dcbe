// SPDX-License-Identifier: Apache-2.0
// The files of what was dropped on the page or chosen, folders with all that is in them.

/**
 * A file and its way below what was dropped or chosen.
 * @typedef {{file: File, path: string, handle?: FileSystemFileHandle | null}} Found handle: see handles.js
 */

/**
 * @param {DataTransfer} dropped
 * @param {{handlesFrom?: number}} [options] of files of so many bytes and more their handles are told too, where
 *   the browser has them, but not of those in folders; default: of none
 * @returns {Promise<Found[]>}
 */
export async function droppedFiles(dropped, { handlesFrom = Infinity } = {}) {
	/** @type {Found[]} */
	const found = [];
	// The entries have to be asked for before anything is waited for.
	const entries = [...dropped.items].filter(item => item.kind === "file")
		.map(item => {
			const file = item.getAsFile();
			return { entry: item.webkitGetAsEntry(), file, handle: file && file.size >= handlesFrom ? handleOf(item) : null };
		});
	for (const { entry, file, handle } of entries)
		if (entry?.isDirectory)
			await walk(/** @type {FileSystemDirectoryEntry} */ (entry), found);
		else if (file)
			found.push({ file, path: file.name, handle: await handle });
	return found;
}

/** @param {any} item a DataTransferItem @returns {Promise<FileSystemFileHandle | null>} */
async function handleOf(item) {
	const handle = await item.getAsFileSystemHandle?.().catch(() => null);
	return handle?.kind === "file" ? handle : null;
}

/** @param {FileSystemDirectoryEntry} folder @param {Found[]} found */
async function walk(folder, found) {
	const reader = folder.createReader();
	for (;;) {
		/** @type {FileSystemEntry[]} */
		const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
		if (entries.length === 0)
			return;
		for (const entry of entries) {
			if (entry.isDirectory) {
				await walk(/** @type {FileSystemDirectoryEntry} */ (entry), found);
				continue;
			}
			/** @type {File} */
			const file = await new Promise((resolve, reject) =>
				/** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
			found.push({ file, path: entry.fullPath.replace(/^\//, "") });
		}
	}
}

/** What a file chooser gave. @param {FileList | null} files @returns {Found[]} */
export function chosenFiles(files) {
	return [...files ?? []].map(file => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Whether pickFiles() works: in Chromium, on pages that came by HTTPS or from localhost and are in no frame. */
export const canPick = () => "showOpenFilePicker" in globalThis && globalThis.top === globalThis.self;

/**
 * Opens the file chooser that tells handles, which an `<input>` does not: call it when something was pressed.
 * @param {{types?: string[], handlesFrom?: number}} [options] types: those that are offered, such as `image/*`;
 *   handlesFrom: as of droppedFiles()
 * @returns {Promise<Found[]>} none if the user chose none
 */
export async function pickFiles({ types = [], handlesFrom = Infinity } = {}) {
	const accept = Object.fromEntries(types.map(type => [type, []]));
	/** @type {FileSystemFileHandle[]} */
	const handles = await /** @type {any} */ (globalThis).showOpenFilePicker({ multiple: true,
		...types.length ? { types: [{ accept }] } : {},
	}).catch((/** @type {Error} */ error) => {
		if (error.name === "AbortError")
			return [];
		throw error;
	});
	return Promise.all(handles.map(async handle => {
		const file = await handle.getFile();
		return { file, path: file.name, handle: file.size >= handlesFrom ? handle : null };
	}));
}
