// SPDX-License-Identifier: Apache-2.0
// const { uploads, add, batch } = useUploads({ grantUrl: "/grant" });
// <input type="file" multiple onChange={event => add(event.target.files)} />
// {uploads.map(({ id, upload }) => <p key={id}>{upload.file.name}: {upload.state}</p>)}
import { useState, useSyncExternalStore } from "react";
import { createUploader } from "postern-upload";
import { Batch } from "postern-upload/batch";

/** Draws the component anew, at most twenty times a second, when an upload has changed. */
export function useUploads(options) {
	const [store] = useState(() => {
		const uploader = createUploader(options);
		const batch = new Batch();
		const store = {
			now: { batch, uploads: [] },
			subscribe(changed) {
				const listen = () => {
					store.now = { ...store.now, uploads: [...store.now.uploads] };
					changed();
				};
				batch.addEventListener("change", listen);
				return () => batch.removeEventListener("change", listen);
			},
			add(files) {
				const added = [...files].map(file => ({ id: crypto.randomUUID(), upload: uploader.add(file) }));
				store.now = { ...store.now, uploads: [...store.now.uploads, ...added] };
				added.forEach(({ upload }) => batch.add(upload));
				batch.start();
			},
		};
		return store;
	});
	return { ...useSyncExternalStore(store.subscribe, () => store.now), add: store.add };
}
