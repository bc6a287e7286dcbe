// SPDX-License-Identifier: Apache-2.0
/**
 * Uppy's uploader: Dashboard and the other plugins of Uppy on top, this library below.
 *
 *     import { PosternUppy } from "./uppy.js";
 *
 *     new Uppy().use(Dashboard, {...}).use(PosternUppy, { uploader: createUploader() });
 *
 * The answer of the application server is the `body` of Uppy's "upload-success", the key in the store its
 * `uploadURL`. A file whose callback failed is an error, although the store has it: "Retry" sends it again.
 */

/** @typedef {import("./postern-upload.js").Upload} Upload */
/** @typedef {ReturnType<typeof import("./postern-upload.js").createUploader>} Uploader */

export class PosternUppy {
	type = "uploader";
	id;
	#uppy;
	#options;
	/** By Uppy's id of the file; until it is done or removed. @type {Map<string, Upload>} */
	#uploads = new Map();
	/** @type {[string, (...args: any[]) => void][]} */ #events;

	/**
	 * @param {any} uppy
	 * @param {{uploader: Uploader, id?: string, explain?: (error: import("./errors.js").UploadError) => string}} options
	 *   explain: what the user is told of an error; default: its message
	 */
	constructor(uppy, options) {
		this.#uppy = uppy;
		this.#options = options;
		this.id = options.id ?? "PosternUppy";
		/** @param {(upload: Upload) => void} act */
		const each = act => () => this.#uploads.forEach(act);
		this.#events = [
			["file-removed", ({ id }) => this.#forget(id)],
			["cancel-all", () => [...this.#uploads.keys()].forEach(id => this.#forget(id))],
			["upload-pause", ({ id }, paused) => {
				const upload = this.#uploads.get(id);
				if (paused)
					upload?.pause();
				else
					upload?.start();
			}],
			["pause-all", each(upload => upload.pause())],
			["resume-all", each(upload => upload.state === "paused" && upload.start())],
		];
	}

	install() {
		this.#capable(true);
		this.#uppy.addUploader(this.#run);
		for (const [name, act] of this.#events)
			this.#uppy.on(name, act);
	}

	uninstall() {
		this.#capable(false);
		this.#uppy.removeUploader(this.#run);
		for (const [name, act] of this.#events)
			this.#uppy.off(name, act);
		[...this.#uploads.keys()].forEach(id => this.#forget(id));
	}

	/** Uppy calls these of every plugin. */
	update() {}
	afterUpdate() {}
	setOptions(/** @type {object} */ options) {
		this.#options = { ...this.#options, ...options };
	}

	/** Whether Uppy offers to pause. @param {boolean} resumableUploads */
	#capable(resumableUploads) {
		const { capabilities } = this.#uppy.getState();
		this.#uppy.setState({ capabilities: { ...capabilities, resumableUploads } });
	}

	/** @param {string} id */
	#forget(id) {
		this.#uploads.get(id)?.cancel();
		this.#uploads.delete(id);
	}

	/** @param {string[]} ids */
	#run = async ids => {
		const files = this.#uppy.getFilesByIds(ids)
			.filter((/** @type {any} */ file) => !file.error && !file.progress?.uploadComplete);
		this.#uppy.emit("upload-start", files);
		await Promise.all(files.map((/** @type {any} */ file) => this.#send(file)));
	};

	/** @param {any} file of Uppy's */
	async #send({ id, isRemote, data, name, type, meta }) {
		const uppy = this.#uppy;
		if (isRemote) {
			uppy.emit("upload-error", uppy.getFile(id), new Error("Files of other services are not sent."));
			return;
		}
		let upload = this.#uploads.get(id);
		if (!upload) {
			// Plugins that change a file put a Blob in its place.
			const whole = data instanceof File ? data : new File([data], name, { type });
			upload = this.#options.uploader.add(whole, { path: meta.relativePath || meta.name || name });
			this.#uploads.set(id, upload);
			this.#report(id, upload);
		}
		upload.start();
		await upload.finished;
		const { state, result, error } = upload;
		if (state === "done" && result) {
			this.#uploads.delete(id);
			uppy.emit("upload-success", uppy.getFile(id),
				{ status: result.status, body: result.json ?? result.text, uploadURL: result.key });
		} else if (error) {
			const told = Object.assign(new Error(this.#options.explain?.(error) ?? error.message), { cause: error });
			uppy.emit("upload-error", uppy.getFile(id), told, { status: error.status, body: error.response });
		}
	}

	/** @param {string} id @param {Upload} upload */
	#report(id, upload) {
		const uploadStarted = Date.now();
		upload.addEventListener("change", () => {
			const file = this.#uppy.getFile(id);
			if (file && upload.state === "sending" && upload.progress.total)
				this.#uppy.emit("upload-progress", file, { uploadStarted,
					bytesUploaded: Math.min(upload.progress.sent, upload.file.size), bytesTotal: upload.file.size });
		});
	}
}
