// SPDX-License-Identifier: Apache-2.0
// Connections that are reset while many answers are on their way to them: the server goes on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { send } from "../lib/oss.js";
import { pause, startServer } from "../lib/server.js";

const ROUNDS = 40;
const AT_ONCE = 60;

/** Sends many requests in one piece, and resets the connection while they are being answered. */
async function sendAndReset(url, text, afterMs) {
	const { hostname, port } = new URL(url);
	const socket = connect({ host: hostname, port: Number(port) });
	socket.on("error", () => {});
	await once(socket, "connect");
	socket.write(text.repeat(AT_ONCE));
	await pause(afterMs);
	socket.resetAndDestroy();
}

const json = text => `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

test("answers about grants and parts outlive their connections", async t => {
	const server = await startServer(t);
	const begun = await send(`${server.app}/s3/multipart`, "POST", { "Content-Type": "application/json" },
		JSON.stringify({ filename: "a.txt", type: "text/plain", metadata: {} }));
	assert.equal(begun.status, 200, begun.text);
	const { key, uploadId } = JSON.parse(begun.text);
	const query = `key=${encodeURIComponent(key)}`;
	const host = `Host: ${new URL(server.app).host}\r\n`;
	const requests = [
		`GET /s3/multipart/${uploadId}/1?${query} HTTP/1.1\r\n${host}\r\n`,
		`GET /s3/multipart/${uploadId}/batch?${query}&partNumbers=1,2,3 HTTP/1.1\r\n${host}\r\n`,
		`POST /grants HTTP/1.1\r\n${host}${json('{"profile":"nope","files":[{}]}')}`,
		`POST /grants HTTP/1.1\r\n${host}${json('{"files":[{},{}]}')}`,
		`GET /grant HTTP/1.1\r\n${host}\r\n`,
		`GET /s3/params?filename=a.txt&type=text/plain HTTP/1.1\r\n${host}\r\n`,
	];
	for (let round = 0; round < ROUNDS; round++)
		await Promise.all(requests.map(text => sendAndReset(server.app, text, round % 8)));
	assert.equal((await send(`${server.app}/grant`)).status, 200);
});
