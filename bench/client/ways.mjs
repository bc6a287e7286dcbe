// SPDX-License-Identifier: Apache-2.0
// The ways to upload that are measured. Each `open` runs in a page and sets `globalThis.bench`:
// add(files) ends when the files are taken, send() when all have arrived, with how many those are.
/* global location */
import { fileURLToPath } from "node:url";

const module = path => fileURLToPath(new URL(`../../tests/node_modules/${path}`, import.meta.url));

/** The browser's own fetch, six at a time, with one form for all. */
async function openBare() {
	const grant = await (await fetch("/grant")).json();
	let files = [];
	globalThis.bench = {
		add(list) {
			files = list;
		},
		async send() {
			let next = 0;
			let done = 0;
			const loop = async () => {
				while (next < files.length) {
					const file = files[next++];
					const form = new FormData();
					for (const [name, value] of Object.entries({ ...grant.fields, key: grant.dir + file.name }))
						form.append(name, value);
					form.append("file", file);
					const answer = await fetch(grant.url, { method: "POST", body: form });
					await answer.text();
					done += answer.status === 200;
				}
			};
			await Promise.all(Array.from({ length: 6 }, loop));
			return done;
		},
	};
}

async function openLibrary() {
	const { createUploader } = await import("/client/postern-upload.js");
	const { Batch } = await import("/client/batch.js");
	const uploader = createUploader();
	const batch = new Batch();
	globalThis.bench = {
		add(files) {
			for (const file of files)
				batch.add(uploader.add(file));
		},
		async send() {
			batch.start();
			await Promise.all([...batch].map(upload => upload.finished));
			return [...batch].filter(upload => upload.state === "done").length;
		},
	};
}

/** As a person does it: files are dropped, and the button is pressed. */
function openPage() {
	let count = 0;
	let transfer;
	globalThis.bench = {
		prepare(files) {
			count = files.length;
			transfer = new DataTransfer();
			for (const file of files)
				transfer.items.add(file);
		},
		async add() {
			document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
			while (document.getElementById("upload").disabled)
				await new Promise(requestAnimationFrame);
		},
		send() {
			const sums = document.getElementById("sums");
			return new Promise(done => {
				const look = () => {
					if (document.getElementById("total").dataset.state !== "sending" && sums.textContent)
						done(Number(/^(\d+) of/.exec(sums.textContent)?.[1]));
				};
				new MutationObserver(look).observe(sums, { childList: true, characterData: true, subtree: true });
				document.getElementById("upload").click();
			}).then(found => found === count ? found : Promise.reject(new Error(sums.textContent)));
		},
	};
}

/** Uppy has each file signed by the application server, in place of its Companion. */
function openUppy(dashboard) {
	const { Uppy, AwsS3, Dashboard } = globalThis.Uppy;
	const uppy = new Uppy().use(AwsS3, { companionEndpoint: location.origin });
	if (dashboard)
		uppy.use(Dashboard, { inline: true, target: document.body });
	globalThis.bench = {
		add: files => void uppy.addFiles(files.map(data => ({ name: data.name, type: data.type, data, source: "bench" }))),
		send: async () => (await uppy.upload()).successful.length,
	};
}

/** plupload sends one file at a time. */
async function openPlupload() {
	const grant = await (await fetch("/grant")).json();
	const button = document.createElement("button");
	button.textContent = "choose";
	document.body.append(button);
	const uploader = new globalThis.plupload.Uploader({
		runtimes: "html5", browse_button: button, url: grant.url,
		multipart_params: { ...grant.fields, key: `${grant.dir}\${filename}` },
	});
	await new Promise(done => {
		uploader.bind("PostInit", done);
		uploader.init();
	});
	globalThis.bench = {
		add: files => new Promise(done => {
			uploader.bind("FilesAdded", () => uploader.files.length === files.length && done());
			uploader.addFile(files);
		}),
		send: () => new Promise(done => {
			uploader.bind("UploadComplete", (_, files) => done(files.filter(({ status }) => status === 5).length));
			uploader.start();
		}),
	};
}

/** @type {{name: string, page?: boolean, scripts?: string[], styles?: string[], open: Function, given?: unknown}[]} */
export const WAYS = [
	{ name: "bare `fetch`, six at a time", open: openBare },
	{ name: "postern-upload, library alone", open: openLibrary },
	{ name: "postern-upload, page, list and proof", open: openPage, page: true },
	{ name: "Uppy, without a user interface", open: openUppy, given: false, scripts: [module("uppy/dist/uppy.min.js")] },
	{ name: "Uppy with Dashboard", open: openUppy, given: true, scripts: [module("uppy/dist/uppy.min.js")],
		styles: [module("uppy/dist/uppy.min.css")] },
	{ name: "plupload, without a user interface", open: openPlupload, scripts: [module("plupload/js/plupload.full.min.js")] },
];
