// SPDX-License-Identifier: Apache-2.0
// The upload page: chooses files, and shows what becomes of them.
import { Batch } from "../client/batch.js";
import { canPick, chosenFiles, droppedFiles, pickFiles } from "../client/dropped.js";
import { objectKey } from "../client/form.js";
import { sendForm } from "../client/form_sender.js";
import { formatSize } from "../client/format.js";
import { multipart } from "../client/multipart.js";
import { createPictures } from "../client/pictures.js";
import { createUploader } from "../client/postern-upload.js";
import { createProof } from "../client/proof.js";
import { createResume } from "../client/resume.js";
import { List } from "./list.js";
import { createRow, stateText } from "./row.js";
import { mountTotal } from "./total.js";
import { mountUnfinished } from "./unfinished.js";
import { otherLanguage, showLanguage, t, tError } from "./words.js";

/** @typedef {import("../client/postern-upload.js").Upload} Upload */

/** Of more files a screen reader hears the sum alone. */
const FEW = 20;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = id => /** @type {T} */ (document.getElementById(id));

/** @type {HTMLInputElement} */ const input = byId("files");
/** @type {HTMLInputElement} */ const folder = byId("folder");
/** @type {HTMLInputElement} */ const camera = byId("camera");
/** @type {HTMLInputElement} */ const random = byId("random");
/** @type {HTMLInputElement} */ const smallerBox = byId("smaller");
/** @type {HTMLButtonElement} */ const uploadButton = byId("upload");
/** @type {HTMLButtonElement} */ const clearButton = byId("clear");
const drop = byId("drop");
const listNode = byId("list");
const news = byId("news");

const proof = createProof();
const large = multipart({ url: new URL("../s3", location.href).href, proof, resume: createResume() });
const uploader = createUploader({
	grantUrl: new URL("../grant", location.href).href,
	proof,
	large: { from: 0, send },
});
const makeSmaller = createPictures();
/** @type {WeakMap<Upload, FileSystemFileHandle>} */ const handles = new WeakMap();
/** Pictures that are to be made smaller. @type {WeakSet<File>} */ const wished = new WeakSet();
/** What is sent in their place. @type {WeakMap<File, Promise<File>>} */ const smaller = new WeakMap();
const batch = new Batch();
/** Which names were asked for when Upload was pressed. @type {WeakMap<Upload, "random" | "file">} */
const names = new WeakMap();
/** @type {WeakMap<Upload, string>} */ const paths = new WeakMap();
/** What of each upload was said last. @type {WeakMap<Upload, string>} */ const said = new WeakMap();
/** Not begun yet: what Upload begins. @type {Set<Upload>} */ let chosen = new Set();

/** @type {List<Upload>} */
const list = new List(listNode, upload => createRow(upload, paths.get(upload) ?? "", () => remove(upload)));

/** @type {import("../client/upload.js").Sender} */
async function send(job) {
	let { file } = job;
	if (wished.has(file)) {
		// When it is its turn, and once: what is sent again is the same.
		const made = smaller.get(file) ?? makeSmaller(file);
		smaller.set(file, made);
		file = await made;
	}
	return (file.size < large.from ? sendForm : large.send)({ ...job, file });
}

/** @param {import("../client/dropped.js").Found[]} files */
function add(files) {
	if (files.some(({ file }) => file.type.startsWith("image/")))
		byId("smaller-label").hidden = false;
	const added = [];
	for (const { file, path, handle } of files) {
		const upload = uploader.add(file, {
			// The box may be ticked after the file was chosen, but not after Upload was pressed.
			key: (sent, grant) => objectKey(sent, grant, { names: names.get(upload),
				path: sent === file ? path : path.replace(/[^/]*$/, () => sent.name) }),
		});
		paths.set(upload, path);
		if (handle)
			handles.set(upload, handle);
		added.push(upload);
		upload.addEventListener("change", changed);
		batch.add(upload);
		list.add(upload);
		chosen.add(upload);
	}
	if (files.length > FEW)
		say(t("added", files.length));
	update();
	return added;
}

/** @param {Iterable<Upload>} uploads */
function begin(uploads) {
	for (const upload of uploads) {
		names.set(upload, random.checked ? "random" : "file");
		if (smallerBox.checked)
			wished.add(upload.file);
		const handle = handles.get(upload);
		if (handle)
			unfinished.began(upload, handle, paths.get(upload) ?? "");
		upload.start();
	}
	update();
}

/** @param {Event} event */
function changed({ target }) {
	const upload = /** @type {Upload} */ (target);
	if (upload.state === said.get(upload))
		return;
	said.set(upload, upload.state);
	if (upload.state !== "idle")
		chosen.delete(upload);
	if (["done", "unconfirmed", "aborted"].includes(upload.state))
		unfinished.ended(upload);
	if (batch.size <= FEW && upload.state !== "idle" && upload.state !== "signing")
		say(`${paths.get(upload)}: ${stateText(upload)}`
			+ (upload.error ? `. ${tError(upload.error).advice}` : ""));
	update();
}

/** @param {Upload} upload */
function remove(upload) {
	forget(upload);
	list.filter(other => other !== upload);
	update();
	(uploadButton.disabled ? input : uploadButton).focus();
}

/** @param {Upload} upload */
function forget(upload) {
	upload.cancel();
	unfinished.ended(upload);
	batch.remove(upload);
	chosen.delete(upload);
}

/** @param {string} text what a screen reader says */
function say(text) {
	news.textContent = text;
}

function update() {
	byId("main").classList.toggle("filled", batch.size > 0);
	listNode.hidden = byId("list-title").hidden = batch.size === 0;
	uploadButton.disabled = chosen.size === 0;
	clearButton.disabled = batch.counts.done === 0;
}

/** Says what the policy permits, and lets the file chooser offer only that. */
async function showLimits() {
	const { min_size, max_size, types } = await uploader.grant();
	const parts = [];
	if (types?.length) {
		input.accept = types.join(",");
		camera.accept = types.filter(type => /^(image|video)\//.test(type)).join(",");
		byId("photo").classList.toggle("unwanted", !camera.accept);
		parts.push(t("types", types.join(", ")));
	}
	if (min_size && min_size > 1)
		parts.push(t("least", formatSize(min_size)));
	if (max_size)
		parts.push(t("most", formatSize(max_size)));
	byId("limits").textContent = parts.join(" ") || t("straight");
}

function tryLimits() {
	showLimits().catch(error => {
		const { message, advice } = tError(error);
		byId("limits").textContent = `${message} ${advice}`;
	});
}

for (const chooser of [input, folder, camera])
	chooser.addEventListener("change", () => {
		add(chosenFiles(chooser.files));
		// The same file can be chosen again.
		chooser.value = "";
	});

// What is chosen by its handle goes on after a reload without being chosen again. If that chooser
// does not open, say for a type that it does not know, the input's own does.
let picks = canPick();
input.addEventListener("click", event => {
	if (!picks)
		return;
	event.preventDefault();
	pickFiles({ types: input.accept ? input.accept.split(",") : [], handlesFrom: large.from }).then(add, () => {
		picks = false;
		setTimeout(() => input.click()); // not within the click that comes by the label
	});
});

uploadButton.addEventListener("click", () => {
	const begun = chosen;
	chosen = new Set();
	begin(begun);
});

clearButton.addEventListener("click", () => {
	list.filter(upload => {
		if (upload.state !== "done")
			return true;
		forget(upload);
		return false;
	});
	update();
	say(t("cleared"));
});

byId("language").addEventListener("click", () => {
	otherLanguage();
	list.redraw();
	unfinished.show();
	total();
	tryLimits();
});

// Files may be dropped anywhere.
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
	document.addEventListener(type, event => {
		event.preventDefault();
		// Between two elements of the page the pointer leaves nothing.
		const left = type === "dragleave" && !(/** @type {DragEvent} */ (event).relatedTarget);
		if (type !== "dragleave" || left)
			drop.classList.toggle("over", !left && type !== "drop");
	});
}

document.addEventListener("drop", event => {
	if (event.dataTransfer && !input.disabled)
		droppedFiles(event.dataTransfer, { handlesFrom: large.from }).then(add, error => say(String(error)));
});

document.addEventListener("paste", event => {
	const files = [...event.clipboardData?.files ?? []];
	add(files.map(file => ({ file, path: file.name })));
});

window.addEventListener("beforeunload", event => {
	if (batch.busy)
		event.preventDefault();
});

const unfinished = mountUnfinished(byId("unfinished"), (file, path, handle) => begin(add([{ file, path, handle }])));
const total = mountTotal(byId("total"), batch, say, FEW);
showLanguage();
// Until now nobody would have heard of what was chosen.
for (const id of ["files", "folder", "camera", "random", "smaller", "language"])
	/** @type {HTMLInputElement | HTMLButtonElement} */ (byId(id)).disabled = false;
tryLimits();
