// SPDX-License-Identifier: Apache-2.0
// What the page says of the bytes before they are sent is compared with what the store has.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { crc64 } from "../lib/crc64.js";
import { getObject, postForm, send } from "../lib/oss.js";
import { begin, complete, put, startWith, stateOf } from "../lib/parts.js";
import { cleanups } from "../lib/server.js";

const all = cleanups();
after(all.run);

const REASON = "the object is not what was sent: its CRC-64 is another one";
const CONTENT = "hello";
const SENT = String(crc64(Buffer.from(CONTENT)));
const WRONG = String(crc64(Buffer.from("hallo")));

let server;

before(async () => {
	server = await startWith(all, "[app]\n");
});

const json = async (at, path) => JSON.parse((await send(at.app + path)).text);

async function upload(at, grant, more) {
	const fields = { key: `${grant.dir}a.txt`, ...grant.fields, ...more };
	const file = { name: "a.txt", type: "text/plain", content: CONTENT };
	return { key: fields.key, ...await postForm(at.store, fields, file) };
}

for (const confirm of ["on", "off"]) {
	test(`confirm = ${confirm}: a form whose bytes are not those that were announced`, async t => {
		const at = await startWith(t, `[app]\nconfirm = ${confirm}\n`);
		const grant = await json(at, "/grant");
		const got = await upload(at, grant, { "x:crc64": WRONG });
		assert.equal(got.status, 203, got.text);
		const { state, reason, uploads } = await stateOf(at, grant);
		assert.deepEqual([state, reason, uploads], ["rejected", `${REASON}: ${got.key}`, 0]);
		for (const more of [{ "x:crc64": SENT }, {}]) {
			const other = await json(at, "/grant");
			assert.equal((await upload(at, other, more)).status, 200);
			assert.equal((await stateOf(at, other)).state, "confirmed");
		}
	});
}

test("a classic token, too", async () => {
	const { accessid, dir, policy, signature, callback } = await json(server, "/");
	const fields = { key: `${dir}c.txt`, policy, OSSAccessKeyId: accessid, success_action_status: "200",
		callback, signature };
	const file = { name: "c.txt", type: "text/plain", content: CONTENT };
	for (const [sum, status] of [[WRONG, 203], [SENT, 200]])
		assert.equal((await postForm(server.store, { ...fields, "x:crc64": sum }, file)).status, status);
});

test("parts whose total is not that of the object", async () => {
	const film = await begin(server);
	const { part } = await put(server, film, 1, CONTENT);
	assert.equal((await complete(server, film, [part], { crc64: "x" })).status, 400);
	assert.equal((await complete(server, film, [part], { crc64: 5 })).status, 400);
	const got = await complete(server, film, [part], { crc64: WRONG });
	assert.notEqual(got.status, 200, JSON.stringify(got.json));
	const { state, reason, uploads } = await stateOf(server, film);
	assert.deepEqual([state, reason, uploads], ["rejected", `${REASON}: ${film.key}`, 0]);
	const again = await complete(server, film, [part], { crc64: WRONG });
	assert.deepEqual([again.status, again.json.error], [409, "damaged"]);
	assert.equal((await stateOf(server, film)).uploads, 0);
	assert.equal(String(await getObject(server.store, film.key)), CONTENT, "it stays");
});

test("and parts whose total is", async () => {
	const film = await begin(server);
	const { part } = await put(server, film, 1, CONTENT);
	for (let i = 0; i < 2; i++)
		assert.equal((await complete(server, film, [part], { crc64: SENT })).status, 200);
	const { state, uploads } = await stateOf(server, film);
	assert.deepEqual([state, uploads], ["confirmed", 1]);
});
