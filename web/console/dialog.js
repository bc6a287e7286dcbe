// SPDX-License-Identifier: Apache-2.0
// Questions in front of the page: the browser's own modal dialogs, which keep the keyboard inside.
import { button, el, fill } from "./dom.js";
import { Guard } from "./guard.js";
import { showError } from "./notice.js";

/** @typedef {import("./dom.js").Text} Text */

/**
 * How a dialog ended: it was done; it was begun, and failed or was stopped, so that some of it may
 * have been done; or nothing was begun.
 * @typedef {"done" | "begun" | ""} End
 */

/**
 * @param {object} how
 * @param {Text} how.title
 * @param {(Node | null)[]} how.content
 * @param {Text} [how.action] the button that does it; none: there is only Close
 * @param {boolean} [how.danger]
 * @param {AbortSignal} how.view closes the dialog when the view is left
 * @param {Promise<unknown>} [how.until] it can be done only when this has come to its end
 * @param {(signal: AbortSignal) => Promise<unknown>} [how.run] the dialog closes when it has
 *   succeeded, and shows its error; the signal says that the dialog was closed meanwhile
 * @returns {Promise<End>}
 */
export function ask({ title, content, action, danger = false, view, until, run }) {
	return new Promise(resolve => {
		/** @type {End} */
		let end = "";
		/** @type {Promise<void> | null} */
		let running = null;
		const closed = new AbortController();
		const error = el("div");
		const heading = el("h2", { t: title, id: "dialog-title" });
		const fields = new Guard(...content).open();
		const go = action && el("button", { type: "submit", class: danger ? "danger" : "primary", t: action });
		const form = el("form", { method: "dialog" }, heading, fields.node, error,
			el("div", { class: "buttons end" },
				button({ t: action ? "dialog.cancel" : "dialog.close", on: { click: () => dialog.close() } }), go));
		const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
		const usable = (/** @type {boolean} */ yes) => {
			if (go)
				go.disabled = !yes;
		};
		usable(!until);
		until?.finally(() => usable(!running));

		async function doIt() {
			end = "begun";
			usable(false);
			fill(error);
			try {
				await fields.during(() => run?.(closed.signal));
				end = "done";
				dialog.close();
			} catch (cause) {
				showError(error, cause);
			}
			running = null;
			usable(true);
		}
		form.addEventListener("submit", event => {
			event.preventDefault();
			running ??= doIt();
		});
		dialog.addEventListener("close", async () => {
			closed.abort();
			dialog.remove();
			await running;
			resolve(end);
		});
		view.addEventListener("abort", () => dialog.close(), { signal: closed.signal });
		document.body.append(dialog);
		dialog.showModal();
	});
}
