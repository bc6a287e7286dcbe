// SPDX-License-Identifier: Apache-2.0
/**
 * FilePond's server: what its option `server` takes.
 *
 *     import { filepondServer } from "./filepond.js";
 *
 *     FilePond.create(input, { server: filepondServer(createUploader()) });
 *
 * The key in the store is FilePond's server id, which its form field sends. A file whose callback failed is
 * an error. What was uploaded is not removed from the store when it is removed from the list.
 *
 * @param {ReturnType<typeof import("./postern-upload.js").createUploader>} uploader
 * @param {{explain?: (error: import("./errors.js").UploadError) => string}} [options] explain: what
 *   FilePond's `labelFileProcessingError` is given as `body`; default: the error's message
 */
export function filepondServer(uploader, { explain = error => error.message } = {}) {
	return {
		revert: null,
		/**
		 * @param {string} field @param {File} file @param {object} metadata
		 * @param {(id: string) => void} load @param {(text: string) => void} fail
		 * @param {(computable: boolean, sent: number, total: number) => void} progress
		 * @param {() => void} abort
		 */
		process(field, file, metadata, load, fail, progress, abort) {
			const upload = uploader.add(file);
			upload.addEventListener("change", () => {
				const { state, progress: { sent, total } } = upload;
				if (state === "sending")
					progress(total > 0, sent, total);
				else if (state === "done" && upload.result)
					load(upload.result.key);
				else if ((state === "failed" || state === "unconfirmed") && upload.error)
					fail(explain(upload.error));
			});
			upload.start();
			return {
				abort() {
					upload.cancel();
					abort();
				},
			};
		},
	};
}
