// SPDX-License-Identifier: Apache-2.0
// A network and a clock that do what a test says: `await stack.next()` is the next request,
// `request.respond({...})` answers it.
import { File as BufferFile } from "node:buffer";
import { webcrypto } from "node:crypto";

// Browsers have these, Node.js 18 does not.
globalThis.File ??= BufferFile;
globalThis.crypto ??= webcrypto;

export class FakeStack {
	#requests = [];
	#waiting = [];
	/** What reachable() says, or the one address that is. @type {boolean | string} */
	alive = false;

	send = request => new Promise(resolve => {
		const respond = ({ status = 200, text = "", headers = {} } = {}) =>
			resolve({ status, text, header: name => headers[name] ?? null });
		request.signal?.addEventListener("abort", () => respond({ status: 0 }));
		const seen = { ...request, respond };
		const waiter = this.#waiting.shift();
		if (waiter)
			waiter(seen);
		else
			this.#requests.push(seen);
	});

	reachable = async url => this.alive === true || this.alive === url;

	/** The next request; those that come early are kept. */
	next() {
		const request = this.#requests.shift();
		return request ?? new Promise(resolve => this.#waiting.push(resolve));
	}

	/** How many requests were sent that nobody has looked at. */
	get pending() {
		return this.#requests.length;
	}
}

export class FakeClock {
	time = Date.UTC(2026, 0, 1);
	#timers = new Set();
	now = () => this.time;
	after = (ms, then) => {
		const timer = { at: this.time + ms, then };
		this.#timers.add(timer);
		return () => this.#timers.delete(timer);
	};

	/** What was waited for until then happens, each at its time. */
	pass(ms) {
		const end = this.time + ms;
		for (let next; (next = this.#next()) && next.at <= end;) {
			this.time = next.at;
			this.#timers.delete(next);
			next.then();
		}
		this.time = end;
	}

	/** How long until the next timer, or Infinity. */
	get wait() {
		return (this.#next()?.at ?? Infinity) - this.time;
	}

	get timers() {
		return this.#timers.size;
	}

	#next() {
		return [...this.#timers].sort((a, b) => a.at - b.at)[0];
	}
}

export class FakeNetwork {
	#waiting = new Set();
	online = true;
	whenOnline = back => {
		this.#waiting.add(back);
		return () => this.#waiting.delete(back);
	};

	set(online) {
		this.online = online;
		if (online)
			for (const back of [...this.#waiting])
				back();
	}

	get waiting() {
		return this.#waiting.size;
	}
}

export function grantAnswer(clock, changes = {}) {
	return {
		text: JSON.stringify({
			url: "http://store.test/uploads",
			method: "POST",
			fields: { policy: "cA==", callback: "Yw==" },
			dir: "user/",
			expires: clock.now() / 1000 + 300,
			...changes,
		}),
	};
}

export function file(name = "a.txt", content = "hello", type = "text/plain") {
	return new File([content], name, { type });
}

export function errorXml(code, message, more = "") {
	return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>`
		+ `<Message>${message}</Message><RequestId>5F3A</RequestId>${more}</Error>`;
}

/** Lets everything run that waits for nothing. */
export function settle() {
	return new Promise(resolve => setImmediate(resolve));
}
