// SPDX-License-Identifier: Apache-2.0
// Log on: an access key, tried once on the store.
import { Client, RequestError } from "../oss/client.js";
import { listBuckets } from "../oss/buckets.js";
import { el, field } from "../dom.js";
import { Guard } from "../guard.js";
import { showError, showNotice } from "../notice.js";

/**
 * @param {HTMLElement} root @param {import("../app.js").App} app @param {AbortSignal} signal
 * @param {(keys: import("../oss/sign.js").Keys) => void} done
 */
export function mount(root, app, signal, done) {
	const id = el("input", { autocomplete: "username", required: true, spellcheck: "false" });
	const secret = el("input", { type: "password", autocomplete: "current-password", required: true });
	const token = el("input", { autocomplete: "off", spellcheck: "false" });
	const news = el("div");
	const button = el("button", { type: "submit", class: "primary", t: "logon.button" });
	const fields = new Guard(field("logon.id", id), field("logon.secret", secret),
		field("logon.token", token, "logon.tokenHint"),
		el("p", { class: "quiet-text", t: "logon.promise" }), news, button);
	const form = el("form", { class: "card narrow" },
		el("h1", { t: "logon.title" }),
		el("p", { class: "quiet-text", t: ["logon.where", app.config.store] }), fields.node);
	form.addEventListener("submit", async event => {
		event.preventDefault();
		const keys = { id: id.value.trim(), secret: secret.value.trim(),
			...token.value.trim() && { token: token.value.trim() } };
		try {
			await fields.during(() =>
				tryKeys(new Client({ url: app.config.store, region: app.config.region, keys }), signal));
			// Who has gone to another view meanwhile may have filled in something there.
			if (!signal.aborted)
				done(keys);
		} catch (error) {
			showError(news, error);
		}
	});
	root.append(form);
	// Browsers sign only on pages that nobody can have changed on their way.
	if (crypto.subtle)
		fields.open();
	else
		showNotice(news, "logon.insecure", "bad");
}

/** A good key need not be allowed to list buckets. @param {Client} client @param {AbortSignal} signal */
async function tryKeys(client, signal) {
	try {
		await listBuckets(client, signal);
	} catch (error) {
		if (!(error instanceof RequestError && error.code === "AccessDenied"))
			throw error;
	}
}
