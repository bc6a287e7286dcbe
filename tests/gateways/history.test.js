// SPDX-License-Identifier: Apache-2.0
// The checker of histories: what it has to allow, and what it has to find.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAppended, checkRegister } from "./lib/history.js";

const put = (value, begun, ended = Infinity) => ({ kind: "put", value, begun, ended });
const gone = (begun, ended = Infinity) => ({ kind: "delete", begun, ended });
const get = (value, begun, ended) => ({ kind: "get", value, begun, ended });
const append = (id, position, begun, ended = Infinity) => ({ kind: "append", id, position, begun, ended });
const refused = (id, begun, ended) => ({ kind: "append", id, refused: true, begun, ended });
const size = (size, begun, ended) => ({ kind: "size", size, begun, ended });

const possible = {
	"one after the other": [put("a", 1, 2), get("a", 3, 4), gone(5, 6), get(null, 7, 8)],
	"overlapping puts in either order": [put("a", 1, 5), put("b", 2, 6), get("a", 7, 8), get("a", 9, 10)],
	"a get that overlaps a put sees either": [put("a", 1, 2), put("b", 3, 9), get("a", 4, 5), get("b", 6, 7), get("b", 10, 11)],
	"what had no answer has happened": [put("a", 1, 2), put("b", 3), get("a", 4, 5), get("b", 6, 7)],
	"or has not": [put("a", 1, 2), put("b", 3), gone(4), get("a", 5, 6)],
	"or much later": [put("a", 1, 2), gone(3), put("b", 4, 5), get("b", 6, 7), get(null, 8, 9)],
	"two deletes without an answer, in turn": [put("a", 1, 2), gone(3), gone(3), get(null, 4, 5), put("b", 6, 7), get(null, 8, 9)],
	"a put behind a delete without an answer": [put("a", 1, 2), gone(3), put("c", 4), get(null, 5, 6), get("c", 7, 8)],
};
const impossible = {
	"an older value comes back": [put("a", 1, 2), put("b", 3, 4), get("a", 5, 6)],
	"two gets in the wrong order": [put("a", 1, 2), put("b", 3, 10), get("b", 4, 5), get("a", 6, 7)],
	"a value that is lost": [put("a", 1, 2), get(null, 3, 4)],
	"one that was never put": [get("x", 1, 2)],
	"one delete without an answer, and two that would be needed": [put("a", 1, 2), gone(3), get(null, 4, 5), put("b", 6, 7),
		get(null, 8, 9)],
	"a delete that is undone": [put("a", 1, 2), gone(3, 4), get("a", 5, 6)],
	"one put that happens twice": [put("a", 1), get("a", 2, 3), gone(4, 5), get(null, 6, 7), get("a", 8, 9)],
	"overlapping puts, and gets that do not agree": [put("a", 1, 5), put("b", 2, 6), get("a", 7, 8), get("b", 9, 10)],
};
for (const [name, operations] of Object.entries(possible))
	test(`a register: ${name}`, () => assert.equal(checkRegister(operations), null));
for (const [name, operations] of Object.entries(impossible))
	test(`a register, found: ${name}`, () => assert.notEqual(checkRegister(operations), null));

test("appended: as it is possible", () => {
	assert.equal(checkAppended([append("a", 0, 1, 2), append("b", 1, 3, 4), refused("c", 3, 4), append("d", 1, 3), size(1, 2, 3),
		size(2, 3, 5)], ["a", "b"]), null);
	assert.equal(checkAppended([append("a", 0, 1), append("b", 1, 3, 4), size(2, 3, 5)], ["a", "b"]), null);
});
for (const [name, operations, order] of [
	["lost", [append("a", 0, 1, 2)], []],
	["twice", [append("a", 0, 1, 2)], ["a", "a"]],
	["elsewhere", [append("a", 0, 1, 2), append("b", 1, 1)], ["b", "a"]],
	["refused, and there", [refused("a", 1, 2)], ["a"]],
	["by nobody", [], ["a"]],
	["against the times", [append("b", 1, 5, 6), append("a", 0, 8)], ["a", "b"]],
	["a size too early", [append("a", 0, 5, 6), size(1, 1, 2)], ["a"]],
	["a size too late", [append("a", 0, 1, 2), size(0, 3, 4)], ["a"]],
])
	test(`appended, found: ${name}`, () => assert.notEqual(checkAppended(operations, order), null));

test("long histories of many clients take no time", () => {
	const operations = [];
	let value = null;
	for (let i = 0; i < 2000; i++) {
		// Six at a time, which take effect in the middle.
		const times = { begun: i - 3, ended: i % 40 ? i + 3 : Infinity };
		if (i % 3 === 0)
			operations.push({ kind: "put", value: value = `v${i}`, ...times });
		else if (i % 7 === 0)
			operations.push({ kind: "delete", ...times, ended: i + 3 }), value = null;
		else
			operations.push({ kind: "get", value, ...times });
	}
	// And as many deletes that nobody knows of as an outage leaves.
	for (let i = 0; i < 200; i++)
		operations.push(gone(500 + i));
	assert.equal(checkRegister(operations), null);
});
