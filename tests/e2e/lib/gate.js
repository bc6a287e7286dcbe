// SPDX-License-Identifier: Apache-2.0
// What the application server waits for, and clients of it that reset their connection meanwhile.
import { createServer, request as forward } from "node:http";
import { until } from "./events.js";
import { held } from "./reset.js";

/**
 * A proxy in front of a store. While `closed` is a function, the requests for which it is true wait
 * until open() is called; arrived() is how many do.
 * @param {{after: (job: () => Promise<void>) => void}} t
 * @param {() => {store: string} | undefined} server
 */
export async function startGate(t, server) {
	const waiting = [];
	/** @type {{closed: null | ((asked: import("node:http").IncomingMessage) => boolean), url: string, arrived: () => number, open: () => void}} */
	const self = { closed: null, url: "", arrived: () => waiting.length, open() {
		self.closed = null;
		for (const go of waiting.splice(0))
			go();
	} };
	const listener = createServer((asked, response) => {
		const pass = () => {
			if (!server())
				return response.writeHead(404).end();
			const { host, port } = new URL(server().store);
			const on = forward({ host: "127.0.0.1", port, method: asked.method, path: asked.url, headers: { ...asked.headers, host } },
				answer => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
			on.on("error", () => response.destroy());
			asked.pipe(on);
		};
		if (self.closed?.(asked))
			waiting.push(pass);
		else
			pass();
	});
	await new Promise(done => listener.listen(0, "127.0.0.1", done));
	t.after(() => new Promise(done => {
		listener.close(done);
		listener.closeAllConnections();
	}));
	self.url = `http://127.0.0.1:${listener.address().port}`;
	return self;
}

/**
 * When the connection is reset, and what it waits for comes, by gate.open(). `before` is how many
 * connections there were without it.
 */
export const ORDERS = {
	"before it comes": async (raw, gate, { server, before }) => {
		raw.resetAndDestroy();
		await until("the reset is noticed", async () => (await held(server)).connections <= before);
		await gate.open();
	},
	"as it comes": async (raw, gate) => {
		const opened = gate.open();
		raw.resetAndDestroy();
		await opened;
	},
	"a moment after it has come": async (raw, gate) => {
		const opened = gate.open();
		setImmediate(() => raw.resetAndDestroy());
		await opened;
	},
};
