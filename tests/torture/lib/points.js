// SPDX-License-Identifier: Apache-2.0
// Crash points by name: what kind of call, and on what part of the folder. The process ends in front of
// such a call, or behind it.
import { Act, Place } from "./store.js";

const lower = name => name.toLowerCase();

/** All of them: {name, acts, places, failure}. */
export const POINTS = Object.entries(Place).filter(([place]) => place !== "DAMAGED").flatMap(([place, places]) =>
	Object.entries(Act).filter(([act]) => act !== "READ").flatMap(([act, acts]) =>
		[["before", 0], ["behind", -1]].map(([side, failure]) =>
			({ name: `${side}-${lower(act)}-${lower(place)}`, acts, places, failure }))));
