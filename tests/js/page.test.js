// SPDX-License-Identifier: Apache-2.0
// What of the upload page needs no browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const { Heights } = await import("../../web/page/list.js");
const { WORDS } = await import("../../web/page/words.js");

const read = name => readFileSync(new URL(`../../web/page/${name}`, import.meta.url), "utf8");

test("the place of each row, and the row at each place, whatever was changed", () => {
	const heights = new Heights();
	const plain = [];
	for (let i = 0; i < 70; i++) {
		heights.push(i % 7 + 1);
		plain.push(i % 7 + 1);
		const at = i * 31 % (i + 1);
		heights.set(at, i % 5 + 3);
		plain[at] = i % 5 + 3;
		let sum = 0;
		for (let n = 0; n <= i; n++) {
			assert.equal(heights.before(n), sum);
			assert.equal(heights.find(sum), n);
			assert.equal(heights.find(sum + plain[n] - 0.5), n);
			sum += plain[n];
		}
		assert.equal(heights.before(i + 1), sum);
		assert.equal(heights.find(sum + 1000), i);
		assert.equal(heights.find(-10), 0);
	}
});

test("each text that the page uses is there, in both languages, and no other", () => {
	const html = read("index.html");
	const used = new Set([...html.matchAll(/data-t(?:-label)?="(\w+)"/g)].map(([, name]) => name));
	const states = new Set(["idle", "signing", "paused", "done", "unconfirmed", "failed", "aborted", "retrying"]);
	const actions = new Set(["pause", "resume", "cancel", "retry", "remove", "sendAgain", "offline", "answered", "storedAs"]);
	for (const name of ["page.js", "row.js", "total.js", "unfinished.js", "words.js"])
		for (const [, text] of read(name).matchAll(/\bt\("(\w+)"/g))
			used.add(text);
	const named = new Set([...used, ...states, ...actions]);
	assert.deepEqual([...named].filter(name => !WORDS[name]), []);
	assert.deepEqual(Object.keys(WORDS).filter(name => !named.has(name)), []);
	for (const [name, [english, chinese]] of Object.entries(WORDS)) {
		const facts = text => [...text.matchAll(/\{\d\}/g)].flat().sort();
		assert.deepEqual(facts(english), facts(chinese), name);
	}
	// Without scripts the page is in English.
	for (const [, name, text] of html.matchAll(/data-t="(\w+)">([^<]*)</g))
		assert.equal(text, WORDS[name][0]);
});
