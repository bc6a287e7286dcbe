// SPDX-License-Identifier: Apache-2.0
// The objects of a bucket: a folder at a time, or all names that begin with something.
import { deleteEntries, listObjects, objectUrl } from "../oss/objects.js";
import { button, check, el, fill, label } from "../dom.js";
import { ask } from "../dialog.js";
import { chosenFiles, droppedFiles } from "../dropped.js";
import * as format from "../format.js";
import { say, showError } from "../notice.js";
import { route } from "../router.js";
import { Rows } from "../rows.js";
import { t } from "../texts.js";
import { bucketHead } from "./bucket_head.js";

/** @typedef {import("../oss/objects.js").Entry} Entry */
/** @typedef {import("../dropped.js").Found} Found */

/** How long to wait for the next letter of a search. */
const TYPING_MS = 150;
const DOWNLOAD_SECONDS = 300;

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, { bucket, key: folder, query }, signal) {
	const listing = new Listing(app, bucket, folder, query, signal);
	const { rows, search, flat, status, news } = listing;

	const files = chooser({ multiple: true });
	const tree = chooser({ webkitdirectory: true });
	const remove = button({ class: "danger", t: "objects.delete", disabled: true, on: { click: () => listing.remove() } });
	const download = button({ t: "objects.download", disabled: true, on: { click: () => listing.download() } });
	listing.onSelection = () => {
		remove.disabled = listing.selected.size === 0;
		download.disabled = listing.selected.size === 0;
	};
	fill(root, bucketHead(bucket, "objects"), crumbs(bucket, folder),
		el("div", { class: "bar" }, search, check("objects.flat", flat), status,
			el("div", { class: "buttons" },
				button({ class: "primary", t: "objects.upload", on: { click: () => files.click() } }),
				button({ t: "objects.uploadFolder", on: { click: () => tree.click() } }), download, remove,
				button({ t: "objects.refresh", on: { click: () => listing.start() } }), files, tree)),
		news, rows.node);

	/** @param {Found[]} found */
	const upload = found => app.uploads.add(bucket,
		found.map(({ file, path }) => ({ file, key: folder + path })));
	for (const input of [files, tree]) {
		input.addEventListener("change", () => {
			upload(chosenFiles(input.files));
			input.value = "";
		});
	}
	for (const type of ["dragover", "dragleave", "drop"]) {
		root.addEventListener(type, async event => {
			event.preventDefault();
			rows.node.classList.toggle("over", type === "dragover");
			if (type === "drop" && event instanceof DragEvent && event.dataTransfer)
				upload(await droppedFiles(event.dataTransfer).catch(error => {
					showError(news, error);
					return [];
				}));
		}, { signal });
	}
	// One list anew for many files.
	let timer = 0;
	app.uploads.addEventListener("stored", event => {
		if (/** @type {CustomEvent} */ (event).detail.bucket !== bucket)
			return;
		clearTimeout(timer);
		timer = setTimeout(() => listing.start(true), 300);
	}, { signal });
	signal.addEventListener("abort", () => clearTimeout(timer));
	listing.start();
}

/** @param {Record<string, boolean>} how */
function chooser(how) {
	return el("input", { type: "file", hidden: true, tLabel: "objects.upload", ...how });
}

/** @param {string} bucket @param {string} folder */
function crumbs(bucket, folder) {
	const parts = folder.split("/").slice(0, -1);
	return el("nav", { class: "crumbs", tLabel: "objects.path" },
		el("a", { href: route("objects", bucket) }, bucket),
		...parts.map((name, i) => el("a", {
			href: route("objects", bucket, `${parts.slice(0, i + 1).join("/")}/`),
		}, name || "/")));
}

/** What the grid shows, page after page. */
class Listing {
	/** @type {Entry[]} */ #entries = [];
	/** By their keys: a list that is loaded anew has other entries. @type {Map<string, Entry>} */ selected = new Map();
	onSelection = () => {};
	#next = "";
	#loading = false;
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
		let timer = 0;
		this.search.addEventListener("input", () => {
			clearTimeout(timer);
			timer = setTimeout(() => this.#asked(), TYPING_MS);
		});
		this.#signal.addEventListener("abort", () => clearTimeout(timer));
		this.flat.addEventListener("change", () => this.#asked());
		this.all.addEventListener("change", () => {
			this.selected = new Map(this.all.checked ? this.#entries.map(entry => [entry.key, entry]) : []);
			this.#selectionChanged();
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
		this.#selectionChanged();
	}

	#selectionChanged() {
		this.all.checked = this.selected.size > 0 && this.selected.size === this.#entries.length;
		this.rows.refresh();
		this.#count();
		this.onSelection();
	}

	/** A search is part of the address, but no step of the way back. */
	#asked() {
		history.replaceState(null, "", route("objects", this.#bucket, this.#folder, {
			search: this.search.value, flat: this.flat.checked ? "1" : "",
		}));
		this.start();
	}

	/**
	 * Lists from the beginning.
	 * @param {boolean} [stay] at the place where the list is scrolled to, with what is selected
	 */
	start(stay = false) {
		this.#turn++;
		this.#next = "";
		this.#loading = false;
		if (!stay) {
			if (this.selected.size) {
				this.selected.clear();
				this.#selectionChanged();
			}
			this.rows.rewind();
		}
		this.#load([]);
	}

	/** Selects no longer what is not there any more. @param {Entry[]} entries @param {boolean} complete */
	#forget(entries, complete) {
		if (this.selected.size === 0)
			return;
		const keys = new Set(entries.map(({ key }) => key));
		const last = entries.at(-1)?.key ?? "";
		for (const key of this.selected.keys())
			if (!keys.has(key) && (complete || key < last))
				this.selected.delete(key);
	}

	#more() {
		if (this.#next && !this.#loading)
			this.#load(this.#entries);
	}

	/** @param {Entry[]} before */
	async #load(before) {
		const turn = this.#turn;
		this.#loading = true;
		try {
			const { entries, next } = await listObjects(this.#app.client, this.#bucket, {
				prefix: this.#folder + this.search.value, flat: this.flat.checked, token: this.#next,
				signal: this.#signal,
			});
			if (turn !== this.#turn)
				return;
			// An object that is the folder itself says nothing.
			const shown = entries.filter(({ key }) => key !== this.#folder);
			for (const entry of shown)
				before.push(entry);
			this.#entries = before;
			this.#next = next;
			this.#loading = false;
			fill(this.news);
			this.#forget(before, !next);
			this.rows.show(before, !next);
			this.#selectionChanged();
		} catch (error) {
			if (turn !== this.#turn)
				return;
			this.#loading = false;
			this.#next = "";
			showError(this.news, error);
		}
	}

	#count() {
		const count = () => format.number(this.#entries.length);
		if (this.selected.size)
			label(this.status, ["objects.selected", () => format.number(this.selected.size), count]);
		else
			label(this.status, [this.#next ? "objects.countMore" : "objects.count", count]);
	}

	async download() {
		for (const { folder, key } of this.selected.values()) {
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
		if (await ask({
			title: ["objects.deleteTitle", () => format.number(entries.length)], action: "objects.delete", danger: true,
			content: [
				el("ul", { class: "stops" }, ...names,
					entries.length > names.length ? el("li", {}, "…") : null),
				entries.some(({ folder }) => folder) ? el("p", { t: "objects.deleteFolders" }) : null,
				progress,
			],
			run: () => deleteEntries(this.#app.client, this.#bucket, entries, deleted =>
				label(progress, ["objects.deletedSoFar", () => format.number(deleted)])),
		})) {
			say("objects.deleted");
			this.start(true);
		}
		this.rows.node.focus();
	}
}
