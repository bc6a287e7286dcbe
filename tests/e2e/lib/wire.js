// SPDX-License-Identifier: Apache-2.0
// Tables of wire cases: the bytes that are sent, the answers that must come, and whether the
// connection goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "./http.js";
import { request } from "./oss.js";

/** An object that anybody may read; the cases ask for it. */
export const OPEN = { key: "open.txt", content: "0123456789" };

/** Head of a request for it, without the empty line at the end. */
export const GET = "GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n";
export const HEAD = GET.replace("GET", "HEAD");

export async function putOpenObject(store) {
	const put = await request(store, "PUT", "uploads", OPEN.key, {
		body: OPEN.content,
		headers: { "x-oss-object-acl": "public-read", "Content-Type": "text/plain" },
	});
	assert.equal(put.status, 200, put.text);
}

/**
 * A case is
 *     send     bytes, or a list of pieces that are written one after the other
 *     answers  what must come, in order: a status, or an object with any of
 *              status, reason, version, headers {name: text | RegExp | null}, body: text | RegExp,
 *              method (HEAD: no body follows)
 *     then     "open": the connection takes another request; "closed": it ends without a byte more
 * @param {() => string} url
 * @param {Record<string, {send: string | Buffer | Array<string | Buffer>, answers: any[],
 *   then?: "open" | "closed"}>} cases
 */
export function wireCases(url, cases) {
	for (const [name, wanted] of Object.entries(cases))
		test(name, () => play(url(), wanted));
}

export async function play(url, { send, answers, then }) {
	const connection = await connect(url);
	try {
		for (const piece of Array.isArray(send) ? send : [send])
			await connection.send(piece);
		for (const wanted of answers)
			await expectAnswer(connection, wanted);
		if (then === "open") {
			await connection.send(`${GET}Range: bytes=9-9\r\n\r\n`);
			await expectAnswer(connection, { status: 206, body: "9" });
		} else if (then === "closed") {
			assert.equal((await connection.closed()).toString("latin1"), "", "nothing more comes");
		}
	} finally {
		connection.destroy();
	}
}

export async function expectAnswer(connection, wanted) {
	if (typeof wanted === "number")
		return expectAnswer(connection, { status: wanted });
	const answer = await connection.response({ method: wanted.method ?? "GET" });
	const body = answer.body.toString();
	for (const name of ["status", "version", "reason"]) {
		if (wanted[name] !== undefined)
			assert.equal(answer[name], wanted[name], body);
	}
	for (const [name, value] of Object.entries(wanted.headers ?? {})) {
		if (value instanceof RegExp)
			assert.match(answer.headers.get(name) ?? "(absent)", value, name);
		else
			assert.equal(answer.headers.get(name), value, name);
	}
	if (wanted.body instanceof RegExp)
		assert.match(body, wanted.body);
	else if (wanted.body !== undefined)
		assert.equal(body, wanted.body);
	return answer;
}
