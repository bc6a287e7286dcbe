// SPDX-License-Identifier: Apache-2.0
// The list of a bucket's objects: what is listed, shown and selected.
import { deleteEntries, listObjects, objectUrl } from "../oss/objects.js";
import { ask } from "../dialog.js";
import { el, fill, label, plain } from "../dom.js";
import * as format from "../format.js";
import { say, showError } from "../notice.js";
import { route } from "../router.js";
import { Rows } from "../rows.js";
import { t } from "../texts.js";

/** @typedef {import("../oss/objects.js").Entry} Entry */

/** How long to wait for the next letter of a search. */
const TYPING_MS = 150;
const DOWNLOAD_SECONDS = 300;

/** What the grid shows, page after page. */
export class ObjectList {
	/** @type {Entry[]} */ #entries = [];
	/** By their keys. @type {Map<string, Entry>} */ selected = new Map();
	onSelection = () => {};
	/** The timer that waits for the next letter. */
	#typing = 0;
	/** The address of the list. */
	#here = location.hash;
	/** What is listed, also when something else has been typed meanwhile. */
	#what = { prefix: "", flat: false };
	#next = "";
	/** @type {Promise<void> | null} */ #loading = null;
	/** What is being listed has changed meanwhile. */
	#stale = false;
	/** Counts the lists that were begun: answers for an older one come too late. */
	#turn = 0;
	#app;
	#bucket;
	#folder;
	#signal;

	/**
	 * @param {import("../app.js").App} app @param {string} bucket @param {string} folder
	 * @param {Record<string, string>} query @param {AbortSignal} signal
	 */
	constructor(app, bucket, folder, query, signal) {
		this.#app = app;
		this.#bucket = bucket;
		this.#folder = folder;
		this.#signal = signal;
		this.news = el("div");
		this.status = el("span", { class: "quiet-text count", role: "status" });
		this.search = el("input", { type: "search", tLabel: "objects.search", tPlaceholder: "objects.search",
			value: query.search ?? "", spellcheck: "false" });
		this.flat = el("input", { type: "checkbox" });
		this.flat.checked = query.flat === "1";
		this.all = el("input", { type: "checkbox", tLabel: "objects.selectAll" });
		this.rows = this.#makeRows();
		this.#listen();
	}

	#listen() {
		this.search.addEventListener("input", () => {
			clearTimeout(this.#typing);
			this.#typing = setTimeout(() => this.#asked(), TYPING_MS);
		});
		this.#signal.addEventListener("abort", () => clearTimeout(this.#typing));
		this.flat.addEventListener("change", () => this.#asked());
		this.all.addEventListener("change", () => {
			this.selected = new Map(this.all.checked ? this.#entries.map(entry => [entry.key, entry]) : []);
			this.#changed();
		});
		this.rows.node.addEventListener("keydown", event => {
			if ((event.ctrlKey || event.metaKey) && event.key === "a") {
				event.preventDefault();
				this.all.click();
			}
		});
	}

	/** @returns {Rows<Entry>} */
	#makeRows() {
		const cell = (/** @type {string} */ name, /** @type {(Node | null)[]} */ ...children) =>
			el("span", { role: "gridcell", class: `cell-${name}` }, ...children);
		return new Rows({
			name: ["objects.gridName", this.#bucket],
			head: el("div", { class: "object-row" }, el("span", { role: "columnheader" }, this.all),
				...["name", "size", "modified"].map(
					name => el("span", { role: "columnheader", class: `cell-${name}`, t: `objects.${name}` }))),
			create: () => {
				const box = el("input", { type: "checkbox", tabindex: "-1" });
				const row = el("div", { class: "object-row" }, cell("box", box), cell("name", el("a", { tabindex: "-1" })),
					cell("size"), cell("modified"));
				box.addEventListener("change", () => this.#toggle(this.#shown.get(row)));
				return row;
			},
			fill: (row, entry, selected) => this.#fill(row, entry, selected),
			selected: entry => this.selected.has(entry.key),
			toggle: entry => this.#toggle(entry),
			open: entry => {
				location.hash = this.#address(entry);
			},
			remove: () => this.remove(),
			needMore: () => this.#more(),
		});
	}

	/** @type {WeakMap<HTMLElement, Entry>} */ #shown = new WeakMap();

	/** @param {HTMLElement} row @param {Entry} entry @param {boolean} selected */
	#fill(row, entry, selected) {
		const [box, name, size, modified] = row.children;
		const input = /** @type {HTMLInputElement} */ (box.firstChild);
		const link = /** @type {HTMLAnchorElement} */ (name.firstChild);
		this.#shown.set(row, entry);
		input.checked = selected;
		input.setAttribute("aria-label", t("objects.select", entry.key));
		link.textContent = entry.key.slice(this.#folder.length) || entry.key;
		link.href = this.#address(entry);
		link.classList.toggle("folder", entry.folder);
		size.textContent = entry.folder ? "" : format.size(entry.size);
		modified.textContent = entry.folder ? "" : format.time(entry.modified);
	}

	/** @param {Entry} entry */
	#address(entry) {
		return route(entry.folder ? "objects" : "object", this.#bucket, entry.key);
	}

	/** @param {Entry | undefined} entry */
	#toggle(entry) {
		if (!entry)
			return;
		if (!this.selected.delete(entry.key))
			this.selected.set(entry.key, entry);
		this.#changed();
	}

	/** Other entries, or others of them selected: first all of it shows, then it is said. */
	#changed() {
		this.all.disabled = this.#entries.length === 0;
		this.all.checked = this.selected.size > 0 && this.selected.size === this.#entries.length;
		this.rows.show(this.#entries, !this.#next);
		this.onSelection();
		this.#count();
	}

	/** A search is part of the address, but no step of the way back. */
	#asked() {
		clearTimeout(this.#typing);
		// A link may have been followed, and the view not yet been left.
		if (location.hash !== this.#here)
			return;
		history.replaceState(null, "", route("objects", this.#bucket, this.#folder, {
			search: this.search.value, flat: this.flat.checked ? "1" : "",
		}));
		this.#here = location.hash;
		this.start();
	}

	/** Lists from the beginning; nothing is shown, and can be selected, until it is there. */
	start() {
		this.#what = { prefix: this.#folder + this.search.value, flat: this.flat.checked };
		this.#entries = [];
		this.#next = "";
		this.#stale = false;
		this.selected.clear();
		this.rows.rewind();
		fill(this.news);
		return this.#begin(() => this.#load([], ""));
	}

	/**
	 * Lists the same anew. What is shown stays until the new list is there, and what is selected
	 * stays selected, if it is still there.
	 * @returns {Promise<void>}
	 */
	again() {
		// An answer that is on its way is waited for: if not, many changes would keep all of them away.
		this.#stale = this.#loading !== null;
		return this.#loading ?? this.#begin(() => this.#reload());
	}

	#more() {
		if (this.#next && !this.#loading)
			this.#begin(() => this.#load(this.#entries, this.#next));
	}

	/** @param {() => Promise<void>} load @returns {Promise<void>} */
	#begin(load) {
		const turn = ++this.#turn;
		const loading = load().catch(error => {
			if (turn !== this.#turn)
				return;
			this.#next = "";
			showError(this.news, error);
		}).then(() => {
			if (turn !== this.#turn)
				return undefined;
			this.#loading = null;
			this.#changed();
			return this.#stale ? this.again() : undefined;
		});
		this.#loading = loading;
		this.#changed();
		return loading;
	}

	/** @param {Entry[]} before @param {string} token */
	async #load(before, token) {
		const turn = this.#turn;
		const { entries, next } = await this.#page(token);
		if (turn !== this.#turn)
			return;
		for (const entry of entries)
			before.push(entry);
		this.#entries = before;
		this.#next = next;
		fill(this.news);
	}

	/** As far as what is selected, but no further than it was listed. */
	async #reload() {
		const turn = this.#turn;
		const listed = this.#entries.length;
		/** @type {Map<string, Entry>} */
		const found = new Map();
		let token = "";
		do {
			const { entries, next } = await this.#page(token);
			for (const entry of entries)
				found.set(entry.key, entry);
			token = next;
		} while (token && found.size < listed && [...this.selected.keys()].some(key => !found.has(key)));
		if (turn !== this.#turn)
			return;
		this.#entries = [...found.values()];
		this.#next = token;
		for (const key of [...this.selected.keys()]) {
			const entry = found.get(key);
			if (entry)
				this.selected.set(key, entry);
			else
				this.selected.delete(key);
		}
		fill(this.news);
	}

	/** @param {string} token */
	async #page(token) {
		const { entries, next } = await listObjects(this.#app.client, this.#bucket,
			{ ...this.#what, token, signal: this.#signal });
		// An object that is the folder itself says nothing.
		return { entries: entries.filter(({ key }) => key !== this.#folder), next };
	}

	#count() {
		const count = () => format.number(this.#entries.length);
		if (this.#entries.length === 0 && this.#loading)
			label(this.status, "objects.loading");
		else if (this.#entries.length === 0 && this.news.hasChildNodes())
			plain(this.status, "");
		else if (this.selected.size)
			label(this.status, ["objects.selected", () => format.number(this.selected.size), count]);
		else
			label(this.status, [this.#next ? "objects.countMore" : "objects.count", count]);
	}

	async download() {
		for (const { folder, key } of [...this.selected.values()]) {
			if (folder)
				continue;
			const url = await objectUrl(this.#app.client, this.#bucket, key, DOWNLOAD_SECONDS, { download: true });
			const link = el("a", { href: url, download: "" });
			link.click();
			// Browsers keep only the last of several that are begun at once.
			await new Promise(resolve => setTimeout(resolve, 300));
		}
	}

	async remove() {
		const entries = [...this.selected.values()];
		if (entries.length === 0)
			return;
		const progress = el("p", { role: "status" });
		const names = entries.slice(0, 10).map(({ key }) => el("li", {}, key));
		const end = await ask({
			view: this.#signal,
			title: ["objects.deleteTitle", () => format.number(entries.length)], action: "objects.delete", danger: true,
			content: [
				el("ul", { class: "stops" }, ...names,
					entries.length > names.length ? el("li", {}, "…") : null),
				entries.some(({ folder }) => folder) ? el("p", { t: "objects.deleteFolders" }) : null,
				progress,
			],
			run: signal => deleteEntries(this.#app.client, this.#bucket, entries, {
				signal,
				onProgress: deleted => label(progress, ["objects.deletedSoFar", () => format.number(deleted)]),
			}),
		});
		this.rows.node.focus();
		if (end)
			await this.again();
		if (end === "done")
			say("objects.deleted");
	}
}
