// SPDX-License-Identifier: Apache-2.0
// One object: what it is, a look inside, a URL for others, a copy, other headers.
import { CHOSEN_HEADERS, copyObject, deleteEntries, headObject, objectUrl, replaceHeaders } from "../oss/objects.js";
import { button, check, el, field, fill, select } from "../dom.js";
import { ask } from "../dialog.js";
import * as format from "../format.js";
import { Guard } from "../guard.js";
import { say, showError, showNotice } from "../notice.js";
import { route } from "../router.js";
import { mountPreview } from "./preview.js";

/** @typedef {import("../app.js").App} App */
/** The object, and how long it is shown. @typedef {{app: App, bucket: string, key: string, signal: AbortSignal}} Place */

const LIFETIMES = /** @type {[string, string][]} */ (
	[["300", "url.5min"], ["3600", "url.1h"], ["86400", "url.1d"], ["604800", "url.7d"], ["", "url.seconds"]]);
const META = "x-oss-meta-";

/** @type {import("../app.js").View["mount"]} */
export function mount(root, app, { bucket, key }, signal) {
	const place = { app, bucket, key, signal };
	const folder = key.replace(/[^/]*\/?$/, "");
	const facts = el("dl", { class: "facts" });
	const news = el("div");
	const preview = el("section", { class: "card preview" }, el("h2", { t: "preview.title" }));
	const headers = el("section", { class: "card" }, el("h2", { t: "headers.title" }));
	fill(root, el("header", { class: "object-head" },
		el("a", { href: route("objects", bucket, folder), t: ["object.back", `${bucket}/${folder}`] }),
		el("h1", { class: "key" }, key),
		el("div", { class: "buttons" },
			button({ class: "primary", t: "object.download", on: { click: () => download(place, news) } }),
			button({ t: "object.copy", on: { click: () => copy(place) } }),
			button({ class: "danger", t: "object.delete", on: { click: () => remove(place, folder) } }))),
	news, el("div", { class: "columns" },
		el("section", { class: "card" }, el("h2", { t: "object.facts" }), facts), preview, urlCard(place), headers));

	async function load() {
		try {
			const head = await headObject(app.client, bucket, key, signal);
			showFacts(facts, head);
			headers.append(headerForm(place, head, facts));
			mountPreview(preview, place, head);
		} catch (error) {
			showError(news, error, load);
		}
	}

	load();
}

/** @param {HTMLElement} facts @param {Map<string, string>} head */
function showFacts(facts, head) {
	const bytes = Number(head.get("content-length") ?? 0);
	const modified = head.get("last-modified") ?? "";
	fill(facts, el("dt", { t: "objects.size" }),
		el("dd", { t: ["object.bytes", format.size(bytes), () => format.number(bytes)] }),
		el("dt", { t: "objects.modified" }), el("dd", { t: ["plain", () => format.time(modified)] }),
		...[...head].filter(([name]) => name === "etag" || name === "content-md5" || CHOSEN_HEADERS.includes(name)
			|| name.startsWith("x-oss-") && name !== "x-oss-request-id" && name !== "x-oss-server-time")
			.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** @param {Place} place @param {HTMLElement} news */
async function download({ app, bucket, key }, news) {
	try {
		const url = await objectUrl(app.client, bucket, key, 300, { download: true });
		el("a", { href: url, download: "" }).click();
	} catch (error) {
		showError(news, error);
	}
}

/** @param {Place} place */
function urlCard({ app, bucket, key }) {
	const lifetime = select(LIFETIMES, { value: "3600", on: { change: () => chosen() } });
	const seconds = el("input", { type: "number", min: "1", max: "604800", value: "900" });
	const own = field("url.seconds", seconds, "url.secondsRange");
	const chosen = () => {
		own.hidden = lifetime.value !== "";
		seconds.disabled = own.hidden;
	};
	chosen();
	const save = el("input", { type: "checkbox" });
	const url = el("textarea", { readonly: true, rows: "4", tLabel: "url.result", class: "mono" });
	const news = el("div");
	const result = el("div", { hidden: true }, url, el("div", { class: "buttons" },
		button({ t: "url.copy", on: { click: async () => {
			url.select();
			say(await copyText(url.value) ? "url.copied" : "url.notCopied");
		} } })));
	const form = el("form", {}, field("url.lifetime", lifetime), own, check("url.download", save),
		el("div", { class: "buttons" }, el("button", { type: "submit", t: "url.make" })), news, result);
	form.addEventListener("submit", async event => {
		event.preventDefault();
		const life = Number(lifetime.value || seconds.value);
		try {
			url.value = await objectUrl(app.client, bucket, key, life, { download: save.checked });
			result.hidden = false;
			const until = Date.now() + life * 1000;
			showNotice(news, ["url.until", () => format.time(until)]);
		} catch (error) {
			showError(news, error);
		}
	});
	return el("section", { class: "card" }, el("h2", { t: "url.title" }), el("p", { class: "quiet-text", t: "url.hint" }), form);
}

/** Browsers permit it only on pages that nobody can have changed on their way. @param {string} text */
async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return false;
	}
}

/** @param {Place} place */
async function copy({ app, bucket, key, signal }) {
	const toBucket = el("input", { value: bucket, required: true, spellcheck: "false" });
	const toKey = el("input", { value: key, required: true, spellcheck: "false" });
	const overwrite = el("input", { type: "checkbox" });
	const move = el("input", { type: "checkbox" });
	let to = { bucket, key };
	const end = await ask({
		title: "copy.title", action: "copy.action", view: signal,
		content: [field("copy.bucket", toBucket), field("copy.key", toKey), check("copy.overwrite", overwrite),
			check("copy.move", move)],
		run: async stop => {
			to = { bucket: toBucket.value, key: toKey.value };
			const same = to.bucket === bucket && to.key === key;
			await copyObject(app.client, { bucket, key }, to, { overwrite: overwrite.checked && !same, signal: stop });
			if (move.checked && !same)
				await deleteEntries(app.client, bucket, [{ folder: false, key, size: 0, modified: "" }], { signal: stop });
		},
	});
	if (end === "done" && !signal.aborted) {
		say("copy.done");
		location.hash = route("object", to.bucket, to.key);
	}
}

/** @param {Place} place @param {string} folder */
async function remove({ app, bucket, key, signal }, folder) {
	const end = await ask({
		title: ["objects.deleteTitle", "1"], action: "object.delete", danger: true, view: signal,
		content: [el("ul", { class: "stops" }, el("li", {}, key))],
		run: stop => deleteEntries(app.client, bucket, [{ folder: false, key, size: 0, modified: "" }], { signal: stop }),
	});
	if (end === "done" && !signal.aborted) {
		say("objects.deleted");
		location.hash = route("objects", bucket, folder);
	}
}

/** @param {Place} place @param {Map<string, string>} first what it has now @param {HTMLElement} facts about the object */
function headerForm({ app, bucket, key, signal }, first, facts) {
	let etag = first.get("etag") ?? "";
	const inputs = CHOSEN_HEADERS.map(name => ({
		name, input: el("input", { value: first.get(name) ?? "", spellcheck: "false" }),
	}));
	const meta = el("textarea", { rows: "3", class: "mono", spellcheck: "false",
		value: [...first].filter(([name]) => name.startsWith(META))
			.map(([name, value]) => `${name.slice(META.length)}: ${value}`).join("\n") });
	const news = el("div");
	const fields = new Guard(...inputs.map(({ name, input }) => field(["plain", name], input)),
		field("headers.meta", meta, "headers.metaHint"), news,
		el("div", { class: "buttons" }, el("button", { type: "submit", t: "headers.save" }))).open();
	const form = el("form", {}, fields.node);
	form.addEventListener("submit", async event => {
		event.preventDefault();
		/** @type {Record<string, string>} */
		const headers = {};
		for (const { name, input } of inputs)
			if (input.value.trim())
				headers[name] = input.value.trim();
		for (const line of meta.value.split("\n")) {
			const [, name, value] = /^\s*([A-Za-z0-9-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
			if (name)
				headers[META + name.toLowerCase()] = value;
			else if (line.trim())
				return showNotice(news, ["headers.badLine", line], "bad");
		}
		try {
			const head = await fields.during(async () => {
				await replaceHeaders(app.client, bucket, key, headers, etag);
				return headObject(app.client, bucket, key, signal);
			});
			etag = head.get("etag") ?? "";
			showFacts(facts, head);
			showNotice(news, "headers.saved");
		} catch (error) {
			showError(news, error);
		}
	});
	return form;
}
