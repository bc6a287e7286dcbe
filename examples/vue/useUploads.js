// SPDX-License-Identifier: Apache-2.0
// const { uploads, add, batch } = useUploads({ grantUrl: "/grant" });
// <input type="file" multiple @change="add($event.target.files)">
// <p v-for="{ id, upload } in uploads" :key="id">{{ upload.file.name }}: {{ upload.state }}</p>
import { onScopeDispose, shallowRef } from "vue";
import { createUploader } from "postern-upload";
import { Batch } from "postern-upload/batch";

/** Draws what uses `uploads` anew, at most twenty times a second, when an upload has changed. */
export function useUploads(options) {
	const uploader = createUploader(options);
	const batch = new Batch();
	const uploads = shallowRef([]);
	const changed = () => {
		uploads.value = [...uploads.value];
	};
	batch.addEventListener("change", changed);
	onScopeDispose(() => batch.removeEventListener("change", changed));

	/** @param {Iterable<File>} files */
	function add(files) {
		const added = [...files].map(file => ({ id: crypto.randomUUID(), upload: uploader.add(file) }));
		uploads.value = [...uploads.value, ...added];
		added.forEach(({ upload }) => batch.add(upload));
		batch.start();
	}
	return { uploads, add, batch };
}
