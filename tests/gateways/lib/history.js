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
	const events = [];
	for (const [number, operation] of operations.entries()) {
		const isOpen = operation.ended === Infinity;
		// Without a put of which nothing was seen the others are as they are.
		if (isOpen && (operation.kind === "get" || (operation.kind === "put" && !read.has(operation.value))))
			continue;
		events.push({ at: operation.begun, begins: true, operation, number });
		if (!isOpen)
			events.push({ at: operation.ended, begins: false, operation, number });
	}
	// At the same moment they overlap.
	events.sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins));
	/** Operations that have begun, by number, and how many deletes that may never take effect. */
	const pending = new Map();
	let deletes = 0;
	// What may be there, which of those have taken effect, and how many of those deletes.
	let worlds = [{ value: null, done: [], used: 0 }];
	for (const { begins, operation, number } of events) {
		if (begins && operation.kind === "delete" && operation.ended === Infinity) {
			deletes++;
		} else if (begins) {
			pending.set(number, operation);
		} else {
			const next = [...reach(worlds, pending, deletes)].filter(({ done }) => done.includes(number));
			if (next.length === 0)
				return { operation, values: [...new Set(worlds.map(({ value }) => value))] };
			pending.delete(number);
			worlds = next.map(world => ({ ...world, done: world.done.filter(one => one !== number) }));
		}
	}
	return null;
}

/** All that the worlds can become when some of those that are pending take effect. */
function reach(worlds, pending, deletes) {
	const gets = [...pending].filter(([, { kind }]) => kind === "get");
	const changes = [...pending].filter(([, { kind }]) => kind !== "get");
	const all = new Map();
	const queue = [];
	const add = (value, done, used) => {
		// A get that fits changes nothing, so it is never better to wait with it.
		const fits = gets.filter(([number, get]) => get.value === value && !done.includes(number)).map(([number]) => number);
		const sorted = [...done, ...fits].sort((a, b) => a - b);
		const key = `${value} ${sorted.join()}`;
		// One of those deletes is as good as another; who has used fewer of them can do more.
		if (all.get(key)?.used <= used)
			return;
		const world = { value, done: sorted, used };
		all.set(key, world);
		queue.push(world);
	};
	for (const { value, done, used } of worlds)
		add(value, done, used);
	for (const { value, done, used } of queue) {
		for (const [number, change] of changes)
			if (!done.includes(number))
				add(change.kind === "put" ? change.value : null, [...done, number], used);
		if (value !== null && used < deletes)
			add(null, done, used + 1);
	}
	return all.values();
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
