// SPDX-License-Identifier: Apache-2.0
// Whoever may upload cannot keep others from it by uploading slowly: announcing costs others
// nothing, nobody has all of the memory, and when it is scarce the slowest make room.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { connect } from "../lib/http.js";
import { insist, metric, MIB, startSmall, until } from "../lib/memory.js";
import { multipart, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { presignV1, presignV4, target } from "../lib/sign.js";
import { allow, assumeRole } from "../lib/sts.js";

const SLOW = 110;
const HUGE = 64 * MIB;

/** Uploads that send a little at a time, faster than the least rate, and never come to an end. */
class SlowUploads {
	#connections = [];
	#timer;
	answers = [];

	/**
	 * @param {(i: number) => string | Buffer} begin the head of each, and the first bytes of its body
	 * @param {boolean} [silent] nothing follows
	 */
	static async start(t, server, count, begin, silent = false) {
		const all = new SlowUploads();
		for (let i = 0; i < count; i++) {
			const connection = await connect(server.store);
			all.#connections.push(connection);
			await connection.send(begin(i));
			connection.response().then(answer => all.answers.push(answer), () => {});
		}
		if (!silent)
			all.#timer = setInterval(() => all.#connections.forEach(one => one.send("s".repeat(700))), 1000);
		t.after(async () => all.stop());
		return all;
	}

	stop() {
		clearInterval(this.#timer);
		this.#connections.forEach(one => one.destroy());
	}
}

const put = (path, length = HUGE) =>
	`PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${"s".repeat(700)}`;

function form(fields, first = 700) {
	const { body } = multipart(fields, { name: "f", type: "text/plain", content: "s".repeat(first) }, "b");
	const head = "POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
		+ `Content-Length: ${HUGE}\r\n\r\n`;
	return head + body.toString("latin1").replace(/\r\n--b--\r\n$/, "");
}

const signedUrl = (key, accessKey) => target("uploads", key, presignV4({ method: "PUT", bucket: "uploads", key,
	accessKey, query: accessKey?.token ? { "x-oss-security-token": accessKey.token } : {}, seconds: 600 }));

async function othersGoOn(server) {
	const body = randomBytes(3 * MIB);
	for (let i = 0; i < 15; i++) {
		const own = await request(server.store, "PUT", "uploads", `put-${i}`, { body });
		assert.equal(own.status, 200, own.text);
		const given = await postForm(server.store, signedFieldsV1(`form-${i}`),
			{ name: "f", type: "text/plain", content: body });
		assert.equal(given.status, 204, given.text);
		const small = await request(server.store, "PUT", "uploads", `small-${i}`, { body: "small" });
		assert.equal(small.status, 200, small.text);
	}
}

/** What lets somebody upload, with as many connections as he likes. */
const slow = {
	"one temporary key": async server => {
		const key = await assumeRole(server, allow(["oss:PutObject"], ["acs:oss:*:*:uploads/his/*"]));
		return i => put(signedUrl(`his/${i}`, key));
	},
	"one signed URL, V4": async () => {
		const url = signedUrl("slow");
		return () => put(url);
	},
	"one signed URL, V1": async () => {
		const expires = Math.floor(Date.now() / 1000) + 600;
		const url = target("uploads", "slow", presignV1({ method: "PUT", bucket: "uploads", key: "slow", expires }));
		return () => put(url);
	},
	"a signed URL each": async () => i => put(signedUrl(`slow-${i}`)),
	"one grant": async server => {
		const { text } = await send(`${server.app}/grant`);
		const grant = JSON.parse(text);
		return i => form({ key: `${grant.dir}${i}`, ...grant.fields });
	},
};

for (const [what, prepare] of Object.entries(slow)) {
	test(`${SLOW} slow uploads with ${what} do not keep others out`, { timeout: 240_000 }, async t => {
		const server = await startSmall(t, 32);
		const all = await SlowUploads.start(t, server, SLOW, await prepare(server));
		await othersGoOn(server);
		all.stop();
		await until("all is given back", async () => await metric(server, "memory_signed_bytes") === 0);
	});
}

test("many small uploads with one URL have at most their share", { timeout: 240_000 }, async t => {
	const server = await startSmall(t, 32);
	const url = signedUrl("slow");
	const all = await SlowUploads.start(t, server, 800, () => put(url, 40_000), true);
	await othersGoOn(server);
	all.stop();
	await until("all is given back", async () => await metric(server, "memory_signed_bytes") === 0);
});

test("who is silent makes room for large uploads alone", { timeout: 240_000 }, async t => {
	const server = await startSmall(t, 32);
	const much = "s".repeat(MIB);
	const all = await SlowUploads.start(t, server, 30, i => put(signedUrl(`slow-${i}`)) + much, true);
	await until("some are refused", () => all.answers.some(one => one.status === 503));
	const body = randomBytes(3 * MIB);
	for (let i = 0; i < 20; i++) {
		const { status } = await insist(() => request(server.store, "PUT", "uploads", `put-${i}`, { body }));
		assert.equal(status, 200);
	}
	assert.ok(await metric(server, "memory_made_room_total") > 0);
	all.stop();
});

test("one who has sent much and then becomes slow has at most his share", { timeout: 240_000 }, async t => {
	const server = await startSmall(t, 32);
	const key = await assumeRole(server, allow(["oss:PutObject"], ["acs:oss:*:*:uploads/his/*"]));
	const much = "s".repeat(MIB);
	const all = await SlowUploads.start(t, server, 20, i => put(signedUrl(`his/${i}`, key)) + much);
	await until("some are refused", () => all.answers.some(one => one.status === 503));
	await othersGoOn(server);
	all.stop();
});

test("when many have sent much and are slow, they make room, and who comes on stays", { timeout: 240_000 },
	async t => {
		const server = await startSmall(t, 32);
		const much = "s".repeat(MIB);
		// One after the other, so that all get their memory until there is none.
		const all = await SlowUploads.start(t, server, 40, i => form(signedFieldsV1(`slow-${i}`), MIB) + much);
		await until("some are refused", () => all.answers.some(one => one.status === 503));
		const refused = all.answers.length;
		const piece = randomBytes(MIB);
		const steady = await connect(server.store);
		const { body } = multipart(signedFieldsV1("steady"),
			{ name: "f", type: "text/plain", content: Buffer.concat(Array(30).fill(piece)) }, "b");
		await insist(() => request(server.store, "PUT", "uploads", "first", { body: piece }));
		await steady.send(Buffer.concat([Buffer.from("POST /uploads HTTP/1.1\r\nHost: localhost\r\n"
			+ `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n`),
		body.subarray(0, MIB)]));
		for (let at = MIB; at < body.length; at += MIB) {
			const other = await insist(() => request(server.store, "PUT", "uploads", `put-${at}`, { body: piece }));
			assert.equal(other.status, 200, other.text);
			await steady.send(body.subarray(at, at + MIB));
		}
		assert.equal((await steady.response()).status, 204);
		steady.destroy();
		await until("slow ones have made room", async () => await metric(server, "memory_made_room_total") > 0);
		await until("and are told so", () => all.answers.length > refused);
		const told = all.answers.at(-1);
		assert.equal(told.status, 503);
		assert.equal(told.headers.get("retry-after"), "1");
		all.stop();
		await until("all is given back", async () => await metric(server, "memory_signed_bytes") === 0);
	});

test("strangers who announce much do not keep others out", { timeout: 240_000 }, async t => {
	const server = await startSmall(t, 128);
	const open = await request(server.store, "PUT", "open", "", { headers: { "x-oss-acl": "public-read-write" } });
	assert.equal(open.status, 200, open.text);
	const all = await SlowUploads.start(t, server, 20, () => "POST /open?delete HTTP/1.1\r\nHost: localhost\r\n"
		+ `Content-Length: ${2 * MIB - 1}\r\nContent-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n<Delete>`);
	const others = async () => {
		for (let i = 0; i < 10; i++) {
			const { status } = await send(`${server.store}/open/${i}`, "PUT", {}, randomBytes(100_000));
			assert.equal(status, 200);
		}
		assert.deepEqual(all.answers.map(one => one.status), []);
	};
	await others();
	const puts = await SlowUploads.start(t, server, 10, i => put(`/open/slow-${i}`), true);
	await others();
	assert.deepEqual(puts.answers.map(one => one.status), []);
	all.stop();
	puts.stop();
});
