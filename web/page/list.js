// SPDX-License-Identifier: Apache-2.0
// A list of which only what is near the window are elements, however long it is. Rows have heights
// of their own: a tree of sums finds the row at a place, and the place of a row, in a few steps.

/** What a row is taken for before it was seen. */
const GUESS = 78;
/** So many pixels beyond the window are there already. */
const SPARE = 800;
/** A list that is shorter is there as a whole. */
const WHOLE = 50;

/** Sums of the first n heights, each changed and found in log n steps. */
export class Heights {
	/** @type {number[]} */ #tree = [0];
	/** @type {number[]} */ #values = [];

	get length() {
		return this.#values.length;
	}

	/** @param {number} value */
	push(value) {
		const at = this.#values.push(value);
		const below = at - (at & -at);
		this.#tree.push(this.before(at - 1) - this.before(below) + value);
	}

	/** @param {number} index @param {number} value */
	set(index, value) {
		const by = value - this.#values[index];
		this.#values[index] = value;
		for (let at = index + 1; at < this.#tree.length; at += at & -at)
			this.#tree[at] += by;
	}

	/** @param {number} index */
	at(index) {
		return this.#values[index];
	}

	/** The sum of the first `count`. @param {number} count */
	before(count) {
		let sum = 0;
		for (let at = count; at > 0; at -= at & -at)
			sum += this.#tree[at];
		return sum;
	}

	/** Which one is at a place; the last one if it is beyond. @param {number} place */
	find(place) {
		let index = 0;
		let rest = place;
		for (let step = 1 << 30; step; step >>= 1)
			if (index + step < this.#tree.length && this.#tree[index + step] <= rest) {
				index += step;
				rest -= this.#tree[index];
			}
		return Math.max(0, Math.min(index, this.length - 1));
	}
}

/**
 * @template Item
 */
export class List {
	/** @type {Item[]} */ items = [];
	#root;
	#create;
	#heights = new Heights();
	/** @type {Map<Item, {node: HTMLElement, remove: () => void, index: number}>} */ #shown = new Map();
	#planned = false;
	#resized = new ResizeObserver(() => this.plan());

	/**
	 * @param {HTMLElement} root
	 * @param {(item: Item) => {node: HTMLElement, remove: () => void}} create
	 */
	constructor(root, create) {
		this.#root = root;
		this.#create = create;
		addEventListener("scroll", () => this.plan(), { passive: true });
		addEventListener("resize", () => this.plan());
	}

	/** @param {Item} item */
	add(item) {
		this.items.push(item);
		this.#heights.push(GUESS);
		this.plan();
	}

	/** Keeps those for which it holds. @param {(item: Item) => boolean} wanted */
	filter(wanted) {
		const heights = new Heights();
		const kept = [];
		for (const [index, item] of this.items.entries())
			if (wanted(item)) {
				kept.push(item);
				heights.push(this.#heights.at(index));
			} else {
				this.#hide(item);
			}
		this.items = kept;
		this.#heights = heights;
		for (const [index, item] of kept.entries()) {
			const shown = this.#shown.get(item);
			if (shown)
				shown.index = index;
		}
		this.#draw();
	}

	/** Makes the rows that are there anew. */
	redraw() {
		for (const item of [...this.#shown.keys()])
			this.#hide(item);
		this.#draw();
	}

	/** Draws before the next frame. */
	plan() {
		if (this.#planned)
			return;
		this.#planned = true;
		requestAnimationFrame(() => {
			this.#planned = false;
			this.#draw();
		});
	}

	#draw() {
		const { length } = this.items;
		for (const { node, index } of this.#shown.values()) {
			const style = getComputedStyle(node);
			const height = node.offsetHeight + parseFloat(style.marginBottom);
			if (height)
				this.#heights.set(index, height);
		}
		const top = -this.#root.getBoundingClientRect().top;
		const whole = length <= WHOLE;
		const first = whole ? 0 : this.#heights.find(top - SPARE);
		const end = whole ? length : Math.min(length, this.#heights.find(top + innerHeight + SPARE) + 1);
		for (const [item, { index }] of this.#shown)
			if (index < first || index >= end)
				this.#hide(item);
		let before = null;
		for (let index = end - 1; index >= first; index--)
			before = this.#show(index, before);
		this.#root.style.paddingTop = `${this.#heights.before(first)}px`;
		this.#root.style.paddingBottom = `${this.#heights.before(length) - this.#heights.before(end)}px`;
	}

	/** @param {number} index @param {HTMLElement | null} before */
	#show(index, before) {
		const item = this.items[index];
		let shown = this.#shown.get(item);
		if (!shown) {
			shown = { ...this.#create(item), index };
			this.#shown.set(item, shown);
			this.#root.insertBefore(shown.node, before);
			this.#resized.observe(shown.node);
		}
		shown.node.setAttribute("aria-posinset", String(index + 1));
		shown.node.setAttribute("aria-setsize", String(this.items.length));
		return shown.node;
	}

	/** @param {Item} item */
	#hide(item) {
		const shown = this.#shown.get(item);
		if (!shown)
			return;
		this.#resized.unobserve(shown.node);
		this.#shown.delete(item);
		shown.remove();
	}
}
