// SPDX-License-Identifier: Apache-2.0
// What clients do with all gateways: each request goes to another one.
import assert from "node:assert/strict";
import { request } from "../../e2e/lib/oss.js";
import { pause } from "../../e2e/lib/server.js";
import { Refused } from "../../torture/lib/cells.js";
import { bytesOf, newPiece } from "../../torture/lib/content.js";
import { World } from "../../torture/lib/store.js";
import { checkAppended, checkRegister } from "./history.js";

const BUCKET = "gateways";
const STEADY = 40;
const CROWD = 80;
const REGISTERS = 3;
const WRITERS = 4;
const ENTRY_BYTES = 8;
const NO_ANSWER = new Set([502, 503, 504]);

/** Whether it is not known what has become of what was asked for. */
export const isOpen = error => (typeof error.code === "string" && error.code.startsWith("E") && error.code !== "ERR_ASSERTION")
	|| error.message === "aborted" || (error instanceof Refused && NO_ANSWER.has(error.status));

/** The answer, or null if there is none that says anything. */
async function answerOf(going) {
	try {
		const got = await going;
		return NO_ANSWER.has(got.status) ? null : got;
	} catch (error) {
		if (isOpen(error))
			return null;
		throw error;
	}
}

export class Load {
	counts = { steps: 0, open: 0, reads: 0, lists: 0, registers: 0, appended: 0 };
	#fleet;
	#random;
	#world;
	#ends = false;
	#going = [];
	#steady = [];
	/** By number of the register. */
	#registers = [];
	#values = 0;
	/** Keys that come and go: true if it is there, null if nobody knows. */
	#crowd = new Map();

	constructor(fleet, random, clients) {
		this.#fleet = fleet;
		this.#random = random;
		this.#world = new World(clients);
	}

	async prepare() {
		const url = this.#fleet.url(this.#random);
		await this.#world.prepare(url);
		assert.equal((await request(url, "PUT", BUCKET)).status, 200);
		for (let i = 0; i < STEADY; i++) {
			const piece = newPiece(`steady/${String(i * 7919 % 10007).padStart(5, "0")}`, i % 8 ? 100 + i * 50 : 300_000);
			this.#steady.push(piece);
			assert.equal((await request(url, "PUT", BUCKET, piece.from, { body: bytesOf(piece) })).status, 200);
		}
	}

	/** Goes on until end(). What is wrong is thrown there. `histories`: what makes those, and nothing else. */
	begin({ histories = false } = {}) {
		this.#ends = false;
		const random = () => this.#random.fork();
		this.#registers = Array.from({ length: REGISTERS }, () => ({ register: [], appended: [] }));
		this.round = (this.round ?? 0) + 1;
		this.#going = [
			...histories ? [] : [
				...this.#world.clients.map(cells => this.#step([...cells], random())),
				this.#read(random()), this.#list(random()), this.#come(random()),
			],
			...Array.from({ length: WRITERS }, () => this.#change(random())),
			...Array.from({ length: WRITERS }, () => this.#append(random())),
		];
		// They are waited for later.
		for (const going of this.#going)
			going.catch(() => { this.#ends = true; });
	}

	get failed() {
		return this.#ends;
	}

	async end() {
		this.#ends = true;
		await Promise.all(this.#going);
	}

	/** Cells of the torture, each of one client; one whose change had no answer rests until all is calm. */
	async #step(cells, own) {
		while (!this.#ends && cells.length) {
			const cell = own.of(cells);
			try {
				await cell.step(this.#fleet.url(own), own, () => 0);
			} catch (error) {
				if (!isOpen(error))
					throw error;
				this.counts.open++;
				cells.splice(cells.indexOf(cell), 1);
			}
			this.counts.steps++;
			await pause(5);
		}
	}

	/** What nobody changes is there at any moment, and is what it was. */
	async #read(own) {
		while (!this.#ends) {
			const piece = own.of(this.#steady);
			const got = await answerOf(request(this.#fleet.url(own), "GET", BUCKET, piece.from));
			if (got) {
				assert.equal(got.status, 200, `GET ${piece.from}: ${got.text.slice(0, 300)}`);
				assert.ok(got.body.equals(bytesOf(piece)), `${piece.from} is what it was`);
				this.counts.reads++;
			}
			await pause(10);
		}
	}

	/** Lists in pages: what nobody changes is there once, all in order. */
	async #list(own) {
		const steady = this.#steady.map(({ from }) => from).sort();
		while (!this.#ends) {
			const keys = [];
			let marker = "";
			for (;;) {
				const got = await answerOf(request(this.#fleet.url(own), "GET", BUCKET, "", { query: { "max-keys": "50",
					...marker ? { marker } : {} } }));
				if (!got)
					break;
				assert.equal(got.status, 200, got.text);
				keys.push(...[...got.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key));
				marker = got.xml("NextMarker");
				if (marker)
					continue;
				assert.deepEqual(keys, [...keys].sort(), "a list is in order");
				assert.equal(new Set(keys).size, keys.length, "nothing is listed twice");
				assert.deepEqual(keys.filter(key => steady.includes(key)), steady, "what stays is listed");
				this.counts.lists++;
				break;
			}
			await pause(20);
		}
	}

	/** Many keys that come, so that tablets are split, and go, so that they are merged. */
	async #come(own) {
		let grows = true;
		while (!this.#ends) {
			const there = [...this.#crowd].filter(([, is]) => is).map(([key]) => key);
			grows = there.length < (grows ? CROWD : CROWD / 20);
			const key = grows ? `crowd/${String(own.below(1e6)).padStart(6, "0")}` : own.of(there);
			if (this.#crowd.get(key) === null)
				continue;
			const got = await answerOf(request(this.#fleet.url(own), grows ? "PUT" : "DELETE", BUCKET, key, grows ? { body: key } : {}));
			assert.ok(!got || got.status === (grows ? 200 : 204), `${key}: ${got?.status} ${got?.text}`);
			this.#crowd.set(key, got ? grows : null);
		}
	}

	/** Puts, gets and deletes of registers, which several clients change. */
	async #change(own) {
		while (!this.#ends) {
			const number = own.below(REGISTERS);
			const key = `register/${this.round}-${number}`;
			const kind = own.of(["put", "put", "get", "get", "get", "delete"]);
			const operation = { kind, begun: performance.now(), ended: Infinity };
			if (kind === "put")
				operation.value = `value ${++this.#values}`;
			this.#registers[number].register.push(operation);
			const method = { put: "PUT", get: "GET", delete: "DELETE" }[kind];
			const got = await answerOf(request(this.#fleet.url(own), method, BUCKET, key, { body: operation.value }));
			if (got) {
				assert.ok([200, 204, ...kind === "get" ? [404] : []].includes(got.status), `${method} ${key}: ${got.status} ${got.text}`);
				operation.ended = performance.now();
				if (kind === "get")
					operation.value = got.status === 404 ? null : got.text;
				this.counts.registers++;
			}
			await pause(5);
		}
	}

	/** Entries that several clients append, each where it believes the end to be. */
	async #append(own) {
		while (!this.#ends) {
			const number = own.below(REGISTERS);
			const key = `appended/${this.round}-${number}`;
			const { appended } = this.#registers[number];
			const looked = { kind: "size", begun: performance.now(), ended: Infinity };
			const head = await answerOf(request(this.#fleet.url(own), "HEAD", BUCKET, key));
			if (!head)
				continue;
			assert.ok([200, 404].includes(head.status), `HEAD ${key}: ${head.status}`);
			const size = head.status === 404 ? 0 : Number(head.headers["content-length"]);
			appended.push({ ...looked, ended: performance.now(), size: size / ENTRY_BYTES });
			const operation = { kind: "append", id: String(++this.#values).padStart(ENTRY_BYTES, "0"), position: size / ENTRY_BYTES,
				begun: performance.now(), ended: Infinity };
			appended.push(operation);
			const got = await answerOf(request(this.#fleet.url(own), "POST", BUCKET, key, { body: operation.id,
				query: { append: "", position: String(size) } }));
			if (got) {
				assert.ok([200, 409].includes(got.status), `append to ${key}: ${got.status} ${got.text}`);
				operation.ended = performance.now();
				operation.refused = got.status === 409;
				this.counts.appended++;
			}
			await pause(5);
		}
	}

	/** When all is calm: everything is as it was answered, whichever gateway is asked. */
	async verify() {
		const urls = this.#fleet.gateways.map(({ store }) => store);
		for (const url of urls) {
			const found = await this.#world.verify(url, cell => ({ allowed: cell.allowedNow(), why: cell.steps.at(-1)?.what }));
			for (const [cell, state] of found)
				cell.settle(state);
			await this.#verifyBucket(url);
		}
		// Others look for what was found at this one.
		for (const cell of this.#world.cells)
			cell.steps.length = 0;
		await this.verifyHistories();
	}

	async #verifyBucket(url) {
		const keys = [];
		for (let marker = ""; ;) {
			const got = await request(url, "GET", BUCKET, "", { query: { "max-keys": "1000", ...marker ? { marker } : {} } });
			assert.equal(got.status, 200, got.text);
			keys.push(...[...got.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key));
			marker = got.xml("NextMarker");
			if (!marker)
				break;
		}
		const listed = new Set(keys.filter(key => /^(steady|crowd)\//.test(key)));
		for (const { from } of this.#steady)
			assert.ok(listed.delete(from), `${from} is listed`);
		for (const [key, is] of this.#crowd) {
			const found = listed.delete(key);
			assert.ok(is === null || is === found, `${key} is ${found ? "listed, and was deleted" : "not listed, and was put"}`);
			// Nothing is on its way any more.
			this.#crowd.set(key, found);
			if (!found)
				this.#crowd.delete(key);
		}
		assert.deepEqual([...listed], [], "nothing else is listed");
	}

	/** Throws if some history of the last round is not possible. */
	async verifyHistories() {
		const url = this.#fleet.url(this.#random);
		for (const [number, { register }] of this.#registers.entries()) {
			const wrong = checkRegister(register);
			assert.equal(wrong, null, `register ${this.round}-${number}: no order explains ${JSON.stringify(wrong)}`);
		}
		for (const [number, { appended }] of this.#registers.entries()) {
			const key = `appended/${this.round}-${number}`;
			const got = await request(url, "GET", BUCKET, key);
			if (got.status !== 404)
				assert.equal(got.status, 200, got.text);
			const order = got.status === 404 ? [] : got.text.match(new RegExp(`.{${ENTRY_BYTES}}`, "g"));
			assert.equal(checkAppended(appended, order), null, key);
		}
	}
}
