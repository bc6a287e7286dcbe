// SPDX-License-Identifier: Apache-2.0
// Small web servers that tests need besides: one that plays the application server and says what a
// test wants, and one that serves files, as an origin of its own.
import { createServer, request as httpRequest } from "node:http";

/**
 * Listens on a free port of the loopback until the test ends.
 * @param {{after: (job: () => Promise<void>) => void}} t
 * @param {(request: import("node:http").IncomingMessage & {body: Buffer},
 *   response: import("node:http").ServerResponse) => void} handle
 */
export async function startSink(t, handle) {
	/** @type {Array<{method: string, url: string, headers: object, body: Buffer}>} */
	const requests = [];
	const server = createServer(async (request, response) => {
		const pieces = [];
		try {
			for await (const piece of request)
				pieces.push(piece);
		} catch {
			return;
		}
		const body = Buffer.concat(pieces);
		const { method, url, headers } = request;
		requests.push({ method, url, headers, body });
		handle(Object.assign(request, { body }), response);
	});
	await new Promise(done => server.listen(0, "127.0.0.1", done));
	t.after(async () => {
		server.closeAllConnections();
		await new Promise(done => server.close(done));
	});
	return { url: `http://127.0.0.1:${server.address().port}`, requests };
}

/** Answers with a status, a body and a type. */
export function says(body, status = 200, type = "application/json") {
	return (_, response) => {
		response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
		response.end(body);
	};
}

/** Passes everything on to `target()`; `between` runs after the answer has come, before it goes on. */
export async function startProxy(t, target, between) {
	return startSink(t, (incoming, response) => {
		const { method, url, headers, body } = incoming;
		if (!target()) // it is asked while it starts
			return says("", 503)(incoming, response);
		const outgoing = httpRequest(target() + url, { method, headers }, async answer => {
			const pieces = await answer.toArray();
			await between(method, url);
			response.writeHead(answer.statusCode, answer.headers);
			response.end(Buffer.concat(pieces));
		});
		outgoing.end(body);
	});
}

/** Serves a table of paths: {"/a.js": {type, body}}. */
export function serves(files) {
	return (request, response) => {
		const file = files[request.url.split("?")[0]];
		response.writeHead(file ? 200 : 404, { "Content-Type": file?.type ?? "text/plain" });
		response.end(file?.body ?? "not here");
	};
}

/** A URL on which nothing listens. */
export async function closedPort() {
	const server = createServer();
	await new Promise(done => server.listen(0, "127.0.0.1", done));
	const { port } = server.address();
	await new Promise(done => server.close(done));
	return `http://127.0.0.1:${port}`;
}

/**
 * A server that answers when a test says so: `next()` is the next request that comes, with
 * `answer(body)` and `drop()`; `waiting()` takes all that have come, `count()` says how many.
 */
export async function startLateSink(t) {
	const came = [], awaited = [];
	const sink = await startSink(t, (request, response) => {
		const asked = {
			request,
			answer: (body = "{\"Status\":\"OK\"}") => says(body)(request, response),
			drop: () => response.destroy(),
		};
		const wake = awaited.shift();
		if (wake)
			wake(asked);
		else
			came.push(asked);
	});
	return {
		...sink,
		next: () => new Promise(done => came.length ? done(came.shift()) : awaited.push(done)),
		waiting: () => came.splice(0),
		count: () => came.length,
	};
}
