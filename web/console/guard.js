// SPDX-License-Identifier: Apache-2.0
// Fields that nobody can use before what they show is known, nor while it is being stored: then no
// answer that comes late can overwrite what was chosen meanwhile.
import { el } from "./dom.js";

export class Guard {
	#loaded = false;
	#jobs = 0;

	/** Closed until ready() or open(). @param {...(Node | null)} children */
	constructor(...children) {
		this.node = el("fieldset", { class: "guard", disabled: true }, ...children);
	}

	/** The fields can be used. Returns itself, for fields that show nothing of the server's. */
	open() {
		this.#loaded = true;
		this.#settle();
		return this;
	}

	/**
	 * What the fields show is known. Done once: a second answer finds them in use.
	 * @param {() => void} fill puts it into the fields
	 */
	ready(fill) {
		if (this.#loaded)
			return;
		fill();
		this.open();
	}

	/**
	 * Closed while a job uses what is in the fields; the keyboard comes back to where it was.
	 * @template T
	 * @param {() => Promise<T> | T} job
	 */
	async during(job) {
		const focused = document.activeElement;
		this.#jobs++;
		this.#settle();
		try {
			return await job();
		} finally {
			this.#jobs--;
			this.#settle();
			if (focused instanceof HTMLElement && this.node.contains(focused)
				&& (document.activeElement === document.body || !document.activeElement))
				focused.focus();
		}
	}

	#settle() {
		this.node.disabled = !this.#loaded || this.#jobs > 0;
	}
}
