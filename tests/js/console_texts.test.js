// SPDX-License-Identifier: Apache-2.0
// The table of the console's texts: complete, used, and the same arguments in both languages.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { t } from "../../web/console/texts.js";
import { WORDS } from "../../web/console/words.js";

const FOLDER = fileURLToPath(new URL("../../web/console/", import.meta.url));

async function sources() {
	const files = await readdir(FOLDER, { recursive: true });
	const scripts = files.filter(file => file.endsWith(".js") && file !== "words.js");
	return (await Promise.all(scripts.map(file => readFile(FOLDER + file, "utf8")))).join("\n");
}

test("each text is there in both languages, with the same arguments", () => {
	for (const [name, words] of Object.entries(WORDS)) {
		assert.equal(words.length, 2, name);
		const args = words.map(text => [...new Set(text.match(/\{\d\}/g))].sort().join());
		assert.ok(words[0] && words[1], name);
		assert.equal(args[0], args[1], name);
	}
});

test("each name that the code uses is in the table, and the other way round", async () => {
	const code = await sources();
	const groups = new Set(Object.keys(WORDS).map(name => name.split(".")[0]));
	const used = [...code.matchAll(/["`](\w+)\.([\w.-]+)["`]/g)].filter(([, group]) => groups.has(group))
		.map(([, group, rest]) => `${group}.${rest}`)
		// A file, not a text.
		.filter(name => !name.endsWith(".js") && !name.startsWith("postern."));
	for (const name of used)
		assert.ok(name in WORDS, `${name} is not in the table`);
	const made = [...code.matchAll(/`(\w+(?:\.\w+)*)\.\$\{[^`]*?\}([\w.]*)`/g)].map(([, before, after]) => [before, after]);
	for (const name of Object.keys(WORDS)) {
		const asked = used.includes(name) || made.some(([before, after]) =>
			name.startsWith(`${before}.`) && name.endsWith(after));
		assert.ok(asked || name === "plain" || /^tester\.\w+(\.no)?$/.test(name), `nobody uses ${name}`);
	}
});

test("arguments go into their places; an unknown text is a bug", () => {
	assert.equal(t("objects.selected", "2", "10"), "2 of 10 selected");
	assert.throws(() => t("no.such"), /no\.such/);
});
