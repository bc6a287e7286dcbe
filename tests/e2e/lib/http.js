// SPDX-License-Identifier: Apache-2.0
// Raw HTTP over a socket: what is sent is exactly what the test says, in the pieces it says.
import { connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";

const WAIT_MS = 30_000;

/**
 * A connection to talk over:
 *
 *     const c = await connect(server.store);
 *     c.send("GET / HTTP/1.1\r\n...");
 *     const answer = await c.response();
 *     await c.closed();
 *
 * @param {string} url
 */
export async function connect(url, options = {}) {
	const { hostname, port, protocol } = new URL(url);
	const to = { host: hostname, port: Number(port || (protocol === "https:" ? 443 : 80)) };
	const socket = protocol === "https:"
		? connectTls({ ...to, rejectUnauthorized: false, ...options })
		: connectSocket({ ...to, ...options });
	await new Promise((done, fail) => {
		socket.once(protocol === "https:" ? "secureConnect" : "connect", done);
		socket.once("error", fail);
	});
	return new Connection(socket);
}

/** One request on a connection of its own. `bytes` may be a list: each piece is written alone. */
export async function exchange(url, bytes, { method = "GET" } = {}) {
	const connection = await connect(url);
	try {
		for (const piece of Array.isArray(bytes) ? bytes : [bytes])
			await connection.send(piece);
		return await connection.response({ method });
	} finally {
		connection.destroy();
	}
}

export class Connection {
	#socket;
	#buffer = Buffer.alloc(0);
	#ended = false;
	#error = null;
	#wake = () => {};

	constructor(socket) {
		this.#socket = socket;
		socket.setNoDelay(true);
		socket.on("data", data => {
			this.#buffer = Buffer.concat([this.#buffer, data]);
			this.#wake();
		});
		for (const event of ["end", "close"]) {
			socket.on(event, () => {
				this.#ended = true;
				this.#wake();
			});
		}
		socket.on("error", error => {
			this.#error = error;
			this.#ended = true;
			this.#wake();
		});
	}

	/** Kept when the bytes have been given to the kernel. @param {string | Buffer} bytes */
	send(bytes) {
		const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
		return new Promise(done => this.#socket.write(data, () => done(undefined)));
	}

	/** Says that nothing more will be sent. */
	end() {
		this.#socket.end();
	}

	/** Breaks the connection; with a reset if so wished. */
	destroy({ reset = false } = {}) {
		if (reset)
			this.#socket.resetAndDestroy();
		else
			this.#socket.destroy();
	}

	/** The next answer. The method decides whether it has a body. */
	async response({ method = "GET" } = {}) {
		const head = await this.#until(buffer => {
			const end = buffer.indexOf("\r\n\r\n");
			return end < 0 ? null : end + 4;
		}, "the head of an answer");
		const [statusLine, ...lines] = head.toString("latin1").trimEnd().split("\r\n");
		const [, version, status, reason] = /^(HTTP\/1\.[01]) (\d{3}) ?(.*)$/.exec(statusLine)
			?? fail(`not a status line: ${statusLine}`);
		const headers = new Headers(lines);
		const answer = { version, status: Number(status), reason, headers, body: Buffer.alloc(0) };
		if (method !== "HEAD" && answer.status >= 200 && answer.status !== 204 && answer.status !== 304)
			answer.body = await this.#body(headers);
		return answer;
	}

	/** The bytes that come until the other side closes; an error if it does not. */
	async closed() {
		return this.#until((buffer, ended) => ended ? buffer.length : null, "the end");
	}

	/** What came and was not asked for. */
	get unread() {
		return this.#buffer;
	}

	async #body(headers) {
		if (/chunked/i.test(headers.get("transfer-encoding") ?? ""))
			return this.#chunked();
		const length = headers.get("content-length");
		if (length === null)
			return this.closed();
		return this.#until(buffer => buffer.length >= Number(length) ? Number(length) : null, "a body");
	}

	async #chunked() {
		const pieces = [];
		for (;;) {
			const line = await this.#until(buffer => {
				const end = buffer.indexOf("\r\n");
				return end < 0 ? null : end + 2;
			}, "the size of a chunk");
			const size = parseInt(line.toString("latin1"), 16);
			const chunk = await this.#until(
				buffer => buffer.length >= size + 2 ? size + 2 : null, "a chunk");
			if (size === 0)
				return Buffer.concat(pieces);
			pieces.push(chunk.subarray(0, size));
		}
	}

	/** Waits until `measure` says how many bytes to take. */
	async #until(measure, what) {
		const deadline = Date.now() + WAIT_MS;
		for (;;) {
			const size = measure(this.#buffer, this.#ended);
			if (size !== null) {
				const taken = this.#buffer.subarray(0, size);
				this.#buffer = this.#buffer.subarray(size);
				return taken;
			}
			if (this.#ended) {
				fail(`the connection ended before ${what}`
					+ ` (${this.#error?.message ?? "closed"}): ${this.#buffer.toString("latin1")}`);
			}
			const left = deadline - Date.now();
			if (left <= 0)
				fail(`waited in vain for ${what}: ${this.#buffer.toString("latin1")}`);
			await new Promise(done => {
				const timer = setTimeout(done, left);
				this.#wake = () => {
					clearTimeout(timer);
					done(undefined);
				};
			});
		}
	}
}

/** The header lines as they came: order and spelling are kept in `lines`. */
class Headers {
	constructor(lines) {
		this.lines = lines;
	}

	/** All values of a name. */
	all(name) {
		const prefix = `${name.toLowerCase()}:`;
		return this.lines.filter(line => line.toLowerCase().startsWith(prefix))
			.map(line => line.slice(prefix.length).trim());
	}

	get(name) {
		return this.all(name)[0] ?? null;
	}
}

function fail(message) {
	throw new Error(message);
}
