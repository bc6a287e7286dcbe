// SPDX-License-Identifier: Apache-2.0
// The points have the same names wherever they are told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Random } from "../torture/lib/random.js";
import { plan, POINTS } from "./lib/points.js";

const textOf = name => readFileSync(new URL(name, import.meta.url), "utf8");
const names = Object.keys(POINTS);

test("points.c has the points of points.js, in the same order", () => {
	assert.deepEqual([...textOf("points.c").matchAll(/^\t\{"([a-z-]+)",/gm)].map(([, name]) => name), names);
});

test("the README has all of them, and no others", () => {
	assert.deepEqual([...textOf("README.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name), names);
});

test("a plan begins with a death at each point, and as many zombies as it may have", () => {
	const planned = plan(names, new Random(1), 4).slice(0, names.length + 4);
	assert.deepEqual(planned.filter(({ way }) => way === "kill").map(({ name }) => name).sort(), [...names].sort());
	assert.equal(planned.filter(({ way }) => way === "dead").length, 4);
});
