// SPDX-License-Identifier: Apache-2.0
// A grid of any number of rows, of which only those in sight are elements. The keyboard moves
// through it as through a list of files: arrows, Page Up and Down, Home, End; Enter opens, Space
// selects.
import { el } from "./dom.js";

const ROW_HEIGHT = 34;
const SPARE = 8;
/** This close to the end, more rows are asked for. */
const AHEAD = 400;

/**
 * @template Item
 * @typedef {object} Columns
 * @property {import("./dom.js").Text} name of the grid
 * @property {HTMLElement} head the row of the headings
 * @property {() => HTMLElement} create an empty row, made of gridcells
 * @property {(row: HTMLElement, item: Item, selected: boolean) => void} fill
 * @property {(item: Item) => void} open
 * @property {(item: Item) => void} [toggle] selects an item, or no longer
 * @property {(item: Item) => boolean} [selected]
 * @property {() => void} [remove] the key Delete
 * @property {() => void} [needMore] the end is near
 */

let grids = 0;

/** @template Item */
export class Rows {
	/** @type {Item[]} */ items = [];
	#columns;
	#body;
	/** @type {{row: HTMLElement, index: number}[]} */ #pool = [];
	#active = 0;
	#id = `grid-${++grids}`;
	#drawing = false;
	#resized = new ResizeObserver(() => this.#later());

	/** @param {Columns<Item>} columns */
	constructor(columns) {
		this.#columns = columns;
		this.#body = el("div", { role: "rowgroup", class: "grid-body" });
		columns.head.setAttribute("role", "row");
		columns.head.setAttribute("aria-rowindex", "1");
		columns.head.classList.add("grid-row", "grid-head");
		this.node = el("div", {
			class: "grid", role: "grid", tabindex: "0", tLabel: columns.name,
			...columns.toggle && { "aria-multiselectable": "true" },
			on: {
				scroll: () => this.#later(),
				keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
				focus: () => this.#draw(),
			},
		}, el("div", { role: "rowgroup" }, columns.head), this.#body);
		this.#body.addEventListener("mousedown", event => this.#press(event));
		this.#resized.observe(this.node);
	}

	/** @param {Item[]} items @param {boolean} [complete] whether there are no more */
	show(items, complete = true) {
		this.items = items;
		this.#active = Math.min(this.#active, Math.max(0, items.length - 1));
		this.node.setAttribute("aria-rowcount", complete ? String(items.length + 1) : "-1");
		this.#body.style.height = `${items.length * ROW_HEIGHT}px`;
		this.refresh();
	}

	/** From the top again. */
	rewind() {
		this.#active = 0;
		this.node.scrollTop = 0;
	}

	/** Draws the rows anew, whose items have changed: whatever is said of them next is seen already. */
	refresh() {
		for (const place of this.#pool)
			place.index = -1;
		this.#draw();
	}

	#later() {
		if (this.#drawing)
			return;
		this.#drawing = true;
		requestAnimationFrame(() => {
			this.#drawing = false;
			this.#draw();
		});
	}

	#draw() {
		const height = this.node.clientHeight;
		const first = Math.max(0, Math.floor(this.node.scrollTop / ROW_HEIGHT) - SPARE);
		const count = Math.ceil(height / ROW_HEIGHT) + 2 * SPARE;
		const end = Math.min(this.items.length, first + count);
		while (this.#pool.length < Math.min(count, this.items.length))
			this.#addPlace();
		// An item has its place by its number: scrolled by one, one row is filled anew.
		const used = new Set();
		for (let index = first; index < end; index++) {
			const at = index % this.#pool.length;
			used.add(at);
			this.#place(this.#pool[at], index);
		}
		this.#pool.forEach(({ row }, at) => {
			row.hidden = !used.has(at);
		});
		this.#mark();
		if (end + AHEAD > this.items.length)
			this.#columns.needMore?.();
	}

	#addPlace() {
		const row = this.#columns.create();
		row.id = `${this.#id}-${this.#pool.length}`;
		row.setAttribute("role", "row");
		row.classList.add("grid-row");
		this.#pool.push({ row, index: -1 });
		this.#body.append(row);
		// Items change places when there are more of those.
		for (const place of this.#pool)
			place.index = -1;
	}

	/** @param {{row: HTMLElement, index: number}} place @param {number} index */
	#place(place, index) {
		if (place.index === index)
			return;
		place.index = index;
		const { row } = place;
		const item = this.items[index];
		const selected = this.#columns.selected?.(item) ?? false;
		row.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
		row.setAttribute("aria-rowindex", String(index + 2));
		if (this.#columns.selected)
			row.setAttribute("aria-selected", String(selected));
		this.#columns.fill(row, item, selected);
	}

	/** Shows where the keyboard is. */
	#mark() {
		const active = this.#pool.find(({ index, row }) => index === this.#active && !row.hidden);
		for (const { row } of this.#pool)
			row.classList.toggle("active", row === active?.row);
		if (active)
			this.node.setAttribute("aria-activedescendant", active.row.id);
		else
			this.node.removeAttribute("aria-activedescendant");
	}

	/** @param {MouseEvent} event */
	#press(event) {
		const row = event.target instanceof Element ? event.target.closest(".grid-row") : null;
		const place = this.#pool.find(candidate => candidate.row === row);
		if (!place)
			return;
		this.#active = place.index;
		this.#mark();
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const item = this.items[this.#active];
		const page = Math.max(1, Math.floor(this.node.clientHeight / ROW_HEIGHT) - 2);
		/** @type {Record<string, () => void>} */
		const keys = {
			ArrowDown: () => this.#move(this.#active + 1),
			ArrowUp: () => this.#move(this.#active - 1),
			PageDown: () => this.#move(this.#active + page),
			PageUp: () => this.#move(this.#active - page),
			Home: () => this.#move(0),
			End: () => this.#move(this.items.length - 1),
			Enter: () => this.#columns.open(item),
			" ": () => this.#columns.toggle?.(item),
			Delete: () => this.#columns.remove?.(),
		};
		if (event.target !== this.node || event.altKey || event.ctrlKey || event.metaKey
			|| !keys[event.key] || !item)
			return;
		event.preventDefault();
		keys[event.key]();
	}

	/** @param {number} index */
	#move(index) {
		this.#active = Math.max(0, Math.min(this.items.length - 1, index));
		const top = this.#active * ROW_HEIGHT;
		const room = this.node.clientHeight - 2 * ROW_HEIGHT;
		if (top < this.node.scrollTop)
			this.node.scrollTop = top;
		else if (top > this.node.scrollTop + room)
			this.node.scrollTop = top - room;
		this.#draw();
	}
}
