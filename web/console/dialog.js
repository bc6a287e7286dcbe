// SPDX-License-Identifier: Apache-2.0
// Questions in front of the page: the browser's own modal dialogs, which keep the keyboard inside.
import { button, controls, el, fill } from "./dom.js";
import { showError } from "./notice.js";

/** @typedef {import("./dom.js").Text} Text */

/**
 * @param {object} how
 * @param {Text} how.title
 * @param {(Node | null)[]} how.content
 * @param {Text} [how.action] the button that does it; none: there is only Close
 * @param {boolean} [how.danger]
 * @param {() => Promise<unknown> | unknown} [how.run] the dialog closes when it has succeeded, and shows its error
 * @returns {Promise<boolean>} whether it was done
 */
export function ask({ title, content, action, danger = false, run }) {
	return new Promise(resolve => {
		let done = false;
		const error = el("div");
		const heading = el("h2", { t: title, id: "dialog-title" });
		const go = action && el("button", { type: "submit", class: danger ? "danger" : "primary", t: action });
		const asked = controls(true, ...content);
		const form = el("form", { method: "dialog" }, heading, asked, error,
			el("div", { class: "buttons end" },
				button({ t: action ? "dialog.cancel" : "dialog.close", on: { click: () => dialog.close() } }), go));
		const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
		form.addEventListener("submit", async event => {
			event.preventDefault();
			if (go)
				go.disabled = true;
			asked.disabled = true;
			fill(error);
			try {
				await run?.();
				done = true;
				dialog.close();
			} catch (cause) {
				showError(error, cause);
			} finally {
				asked.disabled = false;
				if (go)
					go.disabled = false;
			}
		});
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(done);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}
