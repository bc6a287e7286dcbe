// SPDX-License-Identifier: Apache-2.0
// Whether what clients saw of one key can have happened in some order in which each operation took
// effect at one moment between its beginning and its end (linearizability).
//
// An operation: {begun, ended, ...}; `ended` is Infinity if it had no good answer: it may have taken
// effect at any time after it began, or never.

/**
 * A register: {kind: "put", value}, {kind: "delete"}, {kind: "get", value}, null being nothing. Each value
 * is put once. Returns null, or the operation that no order explains, and what may have been there then.
 */
export function checkRegister(operations) {
	const read = new Set(operations.filter(({ kind }) => kind === "get").map(({ value }) => value));
	// Without a put of which nothing was seen the others are as they are.
	const seen = operations.filter(({ kind, ended, value }) => ended !== Infinity || (kind === "put" ? read.has(value) : kind === "delete"));
	const events = [];
	for (const operation of seen) {
		events.push({ at: operation.begun, begins: true, operation });
		if (operation.ended !== Infinity)
			events.push({ at: operation.ended, begins: false, operation });
	}
	// At the same moment they overlap.
	events.sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins));
	const numbers = new Map(seen.map((operation, number) => [operation, number]));
	const pending = new Set();
	// What may be there, and which of those that have begun have taken effect.
	let worlds = new Map([[keyOf(null, []), { value: null, done: [] }]]);
	for (const { begins, operation } of events) {
		if (begins) {
			pending.add(operation);
			continue;
		}
		const next = new Map();
		for (const world of reach(worlds, pending, numbers).values()) {
			if (!world.done.includes(numbers.get(operation)))
				continue;
			const done = world.done.filter(number => number !== numbers.get(operation));
			next.set(keyOf(world.value, done), { value: world.value, done });
		}
		pending.delete(operation);
		if (next.size === 0)
			return { operation, values: [...new Set([...worlds.values()].map(({ value }) => value))] };
		worlds = next;
	}
	return null;
}

const keyOf = (value, done) => `${value} ${done.join()}`;

/** All that the worlds can become when some of those that are pending take effect. */
function reach(worlds, pending, numbers) {
	const gets = [...pending].filter(({ kind }) => kind === "get");
	const changes = [...pending].filter(({ kind }) => kind !== "get");
	const all = new Map();
	const queue = [];
	const add = (value, done) => {
		// A get that fits changes nothing, so it is never better to wait with it.
		const fits = gets.filter(get => get.value === value).map(get => numbers.get(get)).filter(number => !done.includes(number));
		const sorted = [...done, ...fits].sort((a, b) => a - b);
		const key = keyOf(value, sorted);
		if (!all.has(key)) {
			all.set(key, { value, done: sorted });
			queue.push(all.get(key));
		}
	};
	for (const { value, done } of worlds.values())
		add(value, done);
	for (const world of queue) {
		for (const change of changes) {
			const number = numbers.get(change);
			if (!world.done.includes(number))
				add(change.kind === "put" ? change.value : null, [...world.done, number]);
		}
	}
	return all;
}

/**
 * An object that is appended to: {kind: "append", id, position} is done if `ended` is a time; refused ones have
 * `refused`; {kind: "size", size}. `order` are the ids that are in it at the end. All entries are one long. Returns
 * null, or what is wrong as a text.
 */
export function checkAppended(operations, order) {
	const places = new Map();
	for (const [place, id] of order.entries()) {
		if (places.has(id))
			return `${id} is there twice`;
		places.set(id, place);
	}
	const appends = operations.filter(({ kind }) => kind === "append");
	for (const { id, ended, refused, position } of appends) {
		const place = places.get(id);
		if (refused && place !== undefined)
			return `${id} was refused, and is there`;
		if (!refused && ended !== Infinity && place !== position)
			return `${id} was appended at ${position}, and is ${place === undefined ? "not there" : `at ${place}`}`;
	}
	const known = new Map(appends.map(append => [append.id, append]));
	for (const id of order)
		if (!known.has(id))
			return `${id} was never appended`;
	return checkTimes(operations, order.map(id => known.get(id)));
}

/** Whether the order fits the times. */
function checkTimes(operations, ordered) {
	// Whatever is behind one that has ended must not have ended before it began.
	let first = Infinity;
	for (let place = ordered.length - 1; place >= 0; place--) {
		if (first < ordered[place].begun)
			return `${ordered[place].id} began when one behind it had ended`;
		first = Math.min(first, ordered[place].ended);
	}
	// Of the entries from each place on, when the first one ended; of those up to it, when the last one began.
	const ends = Array(ordered.length + 1).fill(Infinity);
	for (let place = ordered.length - 1; place >= 0; place--)
		ends[place] = Math.min(ends[place + 1], ordered[place].ended);
	const begins = [-Infinity];
	for (const { begun } of ordered)
		begins.push(Math.max(begins.at(-1), begun));
	for (const { kind, begun, ended, size } of operations) {
		if (kind !== "size" || ended === Infinity)
			continue;
		if (size > ordered.length || begins[size] > ended)
			return `a size of ${size} was seen before that was there`;
		if (ends[size] < begun)
			return `a size of ${size} was seen when more was there`;
	}
	return null;
}
