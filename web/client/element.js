// SPDX-License-Identifier: Apache-2.0
/**
 * A field of a form whose value is the keys of the objects that were uploaded.
 *
 *     <script type="module" src="/client/element.js"></script>
 *     <form> <postern-upload name="photos" accept="image/*" multiple required></postern-upload> </form>
 *
 * Attributes: `name`, `multiple`, `accept`, `required`, `disabled` as of <input type=file>; `grant-url`,
 * default "/grant". Files are sent as soon as they are chosen or dropped. While one is on its way, or has
 * failed, the form is not valid. The form's data have one entry for each object, under the field's name.
 *
 * Properties: `uploader`, an uploader with options of your own, to be set before files are chosen; `uploads`;
 * `value`, an array of keys. Events: "input" and "change" when `value` has changed. Parts for your CSS:
 * button, list, file, name, state, progress; the custom properties --accent, --line, --bad are colours.
 */
import { createUploader } from "./postern-upload.js";
import { isAtRest } from "./states.js";
import { EN, ZH, explain } from "./texts.js";

/** @typedef {import("./postern-upload.js").Upload} Upload */

const WORDS = {
	en: { choose: "Choose files", one: "Choose a file", drop: "or drop them here", remove: "Remove {0}", retry: "Try again {0}",
		progress: "Progress of {0}", idle: "Waiting", done: "Uploaded", missing: "Please choose a file.",
		busy: "Please wait until all files are uploaded.", failed: "Some files were not uploaded." },
	zh: { choose: "选择文件", one: "选择文件", drop: "或拖放到此处", remove: "移除 {0}", retry: "重试 {0}",
		progress: "{0} 的进度", idle: "等待中", done: "已上传", missing: "请选择文件。",
		busy: "请等待所有文件上传完成。", failed: "有文件未上传成功。" },
};

const STYLE = `
:host { display: block; font: inherit; }
:host([hidden]), [hidden] { display: none !important; }
#drop { padding: 1rem; border: 1.5px dashed var(--line, #8a94a3); border-radius: 12px; text-align: center; }
#drop.over { border-color: var(--accent, #0b5cad); }
button { font: inherit; padding: .4rem .9rem; border: 1px solid var(--line, #8a94a3); border-radius: 8px;
  background: none; color: inherit; cursor: pointer; }
#drop button { margin-inline-end: .4rem; border-color: transparent; background: var(--accent, #0b5cad); color: var(--on-accent, #fff); }
button:disabled { opacity: .5; cursor: default; }
:focus-visible { outline: 3px solid var(--accent, #0b5cad); outline-offset: 2px; }
ul { margin: .5rem 0 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; gap: .1rem .5rem; align-items: center; padding-block: .4rem; }
li progress, .state { grid-column: 1 / -1; }
progress { width: 100%; height: 4px; accent-color: var(--accent, #0b5cad); }
.name { overflow-wrap: anywhere; }
.state { font-size: .875em; }
.bad { color: var(--bad, #a8201f); }
li button { padding: .15rem .6rem; font-size: .875em; }
#news { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  :host { --accent: #7db8f5; --on-accent: #0d1a29; --bad: #ff9d97; }
}`;

/** @type {typeof HTMLElement} */
const Base = globalThis.HTMLElement ?? class {};

export class PosternUploadElement extends Base {
	static formAssociated = true;
	static observedAttributes = ["accept", "multiple", "required", "disabled", "grant-url"];

	/** @type {Upload[]} */ uploads = [];
	/** @type {ReturnType<typeof createUploader> | null} */ uploader = null;
	#internals = this.attachInternals();
	#root = this.attachShadow({ mode: "open", delegatesFocus: true });
	#off = false;
	#told = "";
	/** @type {Map<Upload, HTMLElement>} */ #rows = new Map();
	#input = make("input", { type: "file", hidden: true });
	#button = make("button", { type: "button", part: "button" });
	#hint = make("span", {});
	#drop = make("div", { id: "drop" }, this.#button, this.#hint, this.#input);
	#list = make("ul", { part: "list" });
	#news = make("div", { id: "news", role: "status" });

	constructor() {
		super();
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(STYLE);
		this.#root.adoptedStyleSheets = [sheet];
		this.#root.append(this.#drop, this.#list, this.#news);
		this.#button.addEventListener("click", () => this.#input.click());
		this.#input.addEventListener("change", () => {
			this.add([...this.#input.files ?? []]);
			this.#input.value = "";
		});
		for (const type of ["dragover", "dragleave", "drop"])
			this.#drop.addEventListener(type, event => {
				event.preventDefault();
				this.#drop.classList.toggle("over", type === "dragover");
				if (type === "drop")
					this.add([.../** @type {DragEvent} */ (event).dataTransfer?.files ?? []]);
			});
	}

	connectedCallback() {
		this.#show();
	}

	attributeChangedCallback(/** @type {string} */ name) {
		if (name === "grant-url")
			this.uploader = null;
		this.#show();
	}

	formDisabledCallback(/** @type {boolean} */ off) {
		this.#off = off;
		this.#show();
	}

	formResetCallback() {
		for (const upload of this.uploads)
			upload.cancel();
		this.uploads = [];
		this.#show();
	}

	/** The keys of the uploaded objects. */
	get value() {
		return this.uploads.filter(({ state }) => state === "done").map(({ result }) => result?.key ?? "");
	}

	get form() {
		return this.#internals.form;
	}

	get name() {
		return this.getAttribute("name") ?? "";
	}

	get validity() {
		return this.#internals.validity;
	}

	get validationMessage() {
		return this.#internals.validationMessage;
	}

	checkValidity() {
		return this.#internals.checkValidity();
	}

	reportValidity() {
		return this.#internals.reportValidity();
	}

	/** Sends files. Without `multiple` the last one takes the place of what was there. @param {File[]} files */
	add(files) {
		if (this.#off || !files.length)
			return;
		const { multiple } = this.#input;
		if (!multiple)
			this.formResetCallback();
		this.uploader ??= createUploader({ grantUrl: this.getAttribute("grant-url") ?? undefined });
		for (const file of multiple ? files : files.slice(-1)) {
			const upload = this.uploader.add(file);
			this.uploads.push(upload);
			upload.addEventListener("change", () => {
				if (!this.uploads.includes(upload))
					return;
				if (isAtRest(upload.state))
					this.#news.textContent = `${file.name}: ${this.#stateOf(upload).text}`;
				this.#show();
			});
			upload.start();
		}
		this.#show();
	}

	/** @param {Upload} upload */
	removeUpload(upload) {
		this.uploads = this.uploads.filter(other => other !== upload);
		upload.cancel();
		this.#show();
		this.#button.focus();
	}

	/** @param {keyof WORDS["en"]} name @param {string} [fact] */
	#t(name, fact = "") {
		return WORDS[this.#chinese ? "zh" : "en"][name].replace("{0}", () => fact);
	}

	get #chinese() {
		return /^zh/i.test(this.closest("[lang]")?.getAttribute("lang") ?? navigator.language);
	}

	/** @param {Upload} upload */
	#stateOf({ state, error, progress: { sent, total } }) {
		if (state === "done")
			return { text: this.#t("done"), bad: false };
		if (!error)
			return { text: state === "sending" && total ? `${Math.floor(sent / total * 100)} %` : this.#t("idle"), bad: false };
		const { message, advice } = explain(error, this.#chinese ? ZH : EN);
		return { text: `${message} ${advice}`, bad: true };
	}

	#show() {
		if (!this.isConnected)
			return;
		this.#input.multiple = this.hasAttribute("multiple");
		this.#input.accept = this.getAttribute("accept") ?? "";
		this.#button.textContent = this.#t(this.#input.multiple ? "choose" : "one");
		this.#button.disabled = this.#off;
		this.#hint.textContent = this.#t("drop");
		for (const [upload, row] of this.#rows)
			if (!this.uploads.includes(upload)) {
				row.remove();
				this.#rows.delete(upload);
			}
		for (const upload of this.uploads) {
			if (!this.#rows.has(upload))
				this.#rows.set(upload, this.#list.appendChild(this.#createRow(upload)));
			this.#showRow(upload);
		}
		this.#tell();
	}

	/** @param {Upload} upload */
	#createRow(upload) {
		const { name } = upload.file;
		const retry = make("button", { type: "button", class: "retry" });
		const remove = make("button", { type: "button", class: "remove" });
		retry.addEventListener("click", () => upload.start());
		remove.addEventListener("click", () => this.removeUpload(upload));
		for (const [button, word, sign] of /** @type {const} */ ([[retry, "retry", "↻"], [remove, "remove", "✕"]])) {
			button.textContent = sign;
			button.setAttribute("aria-label", this.#t(word, name));
		}
		const bar = make("progress", { part: "progress", "aria-label": this.#t("progress", name) });
		const title = make("bdi", { class: "name", part: "name" });
		title.textContent = name;
		return make("li", { part: "file" }, title, retry, remove, bar, make("span", { class: "state", part: "state" }));
	}

	/** @param {Upload} upload */
	#showRow(upload) {
		const row = /** @type {HTMLElement} */ (this.#rows.get(upload));
		const [, retry, remove, bar, told] = /** @type {HTMLElement[]} */ ([...row.children]);
		const { state, progress: { sent, total } } = upload;
		const { text, bad } = this.#stateOf(upload);
		row.dataset.state = state;
		retry.hidden = !isAtRest(state) || state === "done";
		remove.hidden = this.#off;
		bar.hidden = isAtRest(state);
		/** @type {HTMLProgressElement} */ (bar).value = total ? sent / total : 0;
		told.textContent = text;
		told.classList.toggle("bad", bad);
	}

	/** Tells the form what the value is, and whether it is one. */
	#tell() {
		const { value, uploads } = this;
		const data = new FormData();
		for (const key of value)
			data.append(this.name, key);
		this.#internals.setFormValue(this.name && value.length ? data : null);
		const problem = uploads.some(({ state }) => !isAtRest(state)) ? "busy"
			: value.length < uploads.length ? "failed"
				: this.hasAttribute("required") && !value.length ? "missing" : null;
		if (problem)
			this.#internals.setValidity({ [problem === "missing" ? "valueMissing" : "customError"]: true },
				this.#t(problem), this.#button);
		else
			this.#internals.setValidity({});
		const now = JSON.stringify(value);
		if (now === (this.#told || "[]"))
			return;
		this.#told = now;
		this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
		this.dispatchEvent(new Event("change", { bubbles: true }));
	}
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name @param {Record<string, string | boolean>} attributes @param {...Node} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
function make(name, attributes, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value === true ? "" : String(value));
	node.append(...children);
	return node;
}

globalThis.customElements?.define("postern-upload", PosternUploadElement);
