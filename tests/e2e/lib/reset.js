// SPDX-License-Identifier: Apache-2.0
// Clients that reset their connection, and what is left of them in the server: nothing.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { multipart, send } from "./oss.js";
import { pause } from "./server.js";
import { headersV4, KEY, target } from "./sign.js";

/** When a client resets: as soon as it is connected, once the bytes are written, at the first byte of the answer. */
export const MOMENTS = ["at once", "written", "answered"];
export const BODY = "<a>".repeat(300);

const SETTLED_MS = 60_000;
/** What a connection or a request holds while it is there. */
const HELD = /^postern_(connections|memory_(?:signed|strangers|app|operator)_bytes|outgoing_(?!refused)\w+) (\d+)$/gm;

/**
 * Writes, and resets at that moment, also if only a part is written; what came is the result.
 * @param {string} url
 * @param {string | Buffer} bytes
 * @param {string} when one of MOMENTS, or "finished": the answers are read, and then the reset comes
 */
export function reset(url, bytes, when, { answers = 1 } = {}) {
	const { raw, socket, ready } = open(url);
	let came = "";
	socket.on(ready, () => {
		socket.write(bytes, () => {
			if (when === "written")
				raw.resetAndDestroy();
		});
		if (when === "at once")
			setImmediate(() => raw.resetAndDestroy());
	});
	socket.on("data", data => {
		came += data.toString("latin1");
		if (when === "answered" || (when === "finished" && came.split("HTTP/1.1 ").length > answers))
			raw.resetAndDestroy();
	});
	return new Promise(done => raw.on("close", () => done(came)));
}

/** A connection whose errors nobody hears: {raw: what is reset, socket: what is written to, ready: its event}. */
export function open(url) {
	const { hostname, port, protocol } = new URL(url);
	const raw = connect({ host: hostname, port: Number(port) });
	const secure = protocol === "https:";
	const socket = secure ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
	raw.on("error", () => {});
	socket.on("error", () => {});
	return { raw, socket, ready: secure ? "secureConnect" : "connect" };
}

/** The bytes of a request, without a length if there is no body. */
export function requestText(method, path, headers = {}, body = undefined) {
	const all = { Host: "localhost", ...body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }, ...headers };
	return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`
		+ (body ?? "");
}

/**
 * Requests for every operation of the store, and for some that are none: [method, key, query, headers].
 * The bucket has an object "big", and an upload of "parts".
 */
export const operations = upload => [
	...["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"].flatMap(method =>
		["", "acl", "cors", "tagging", "lifecycle", "referer", "versioning", "versions", "uploads", "stat",
			"bucketInfo", "location", "delete", "list-type", "objectMeta", "symlink", "append", "policy"]
			.flatMap(sub => ["", "big"].map(key => [method, key, sub ? { [sub]: "" } : {}, {}]))),
	["POST", "appended", { append: "", position: "0" }, {}],
	["PUT", "parts", { partNumber: "1", uploadId: upload }, {}],
	["PUT", "parts", { partNumber: "1", uploadId: upload }, { "x-oss-copy-source": "/uploads/big" }],
	["POST", "parts", { uploadId: upload }, {}],
	["GET", "parts", { uploadId: upload }, {}],
	["DELETE", "parts", { uploadId: "0" }, {}],
	["PUT", "copied", {}, { "x-oss-copy-source": "/uploads/big" }],
	["PUT", "link", { symlink: "" }, { "x-oss-symlink-target": "big" }],
	["POST", "", {}, { "Content-Type": multipart({}, {}).type }],
];

/** The bytes of one of them; `accessKey` may be a temporary one, and null is nobody's. */
export function operationText([method, key, query, headers], { bucket = "uploads", accessKey = KEY, length = null } = {}) {
	const given = { ...headers, ...accessKey?.token && { "x-oss-security-token": accessKey.token } };
	return requestText(method, target(bucket, key, query), {
		...length === null ? {} : { "Content-Length": length },
		...accessKey ? headersV4({ method, bucket, key, query, headers: given, accessKey }) : given,
	});
}

/** Each of those, whole and with a body that does or does not come to its end. */
export async function resetAll(url, requests, when, options = {}) {
	for (let at = 0; at < requests.length; at += 8) {
		await Promise.all(requests.slice(at, at + 8).flatMap(each => {
			const withBody = operationText(each, { ...options, length: BODY.length });
			return [operationText(each, options), withBody + BODY, ...when === "answered" ? [] : [withBody + BODY.slice(100)]]
				.map(bytes => reset(url, bytes, when));
		}));
	}
}

/** What the server holds for clients now. The connection that asks is in it. */
export async function held(server) {
	const { text } = await send(`${server.console}/metrics`);
	return Object.fromEntries([...text.matchAll(HELD)].map(([, name, value]) => [name, Number(value)]));
}

/** Waits until the server holds no more than `before`, and shows that it answers. */
export async function settled(server, before) {
	const deadline = Date.now() + SETTLED_MS;
	for (;;) {
		const now = await held(server);
		const more = Object.entries(now).filter(([name, value]) => value > (before[name] ?? 0));
		if (more.length === 0)
			return;
		assert.ok(Date.now() < deadline, `still held: ${JSON.stringify(Object.fromEntries(more))}, before ${JSON.stringify(before)}`);
		await pause(50);
	}
}
