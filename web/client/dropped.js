// SPDX-License-Identifier: Apache-2.0
// The files of what was dropped on the page, folders with all that is in them.

/** A file and its way below what was dropped or chosen. @typedef {{file: File, path: string}} Found */

/** @param {DataTransfer} dropped @returns {Promise<Found[]>} */
export async function droppedFiles(dropped) {
	/** @type {Found[]} */
	const found = [];
	// The entries have to be asked for before anything is waited for.
	const entries = [...dropped.items].filter(item => item.kind === "file")
		.map(item => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
	for (const { entry, file } of entries)
		if (entry?.isDirectory)
			await walk(/** @type {FileSystemDirectoryEntry} */ (entry), found);
		else if (file)
			found.push({ file, path: file.name });
	return found;
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
