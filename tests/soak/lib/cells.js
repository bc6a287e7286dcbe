// SPDX-License-Identifier: Apache-2.0
// What the soak has besides the cells of tests/torture: uploads with a callback and with temporary
// keys, many objects that are deleted at once, and what is only read or expires.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { base64Json, multipart, policy, request, send, signedFieldsV1 } from "../../e2e/lib/oss.js";
import { callSts } from "../../e2e/lib/sts.js";
import { Cell, ObjectCell, Refused } from "../../torture/lib/cells.js";
import { bytesOf, newPiece, piecesOf } from "../../torture/lib/content.js";
import { World } from "../../torture/lib/store.js";

export const BUCKET = "soak";
const EXPIRING = "soak-expiring";
const DELETED_AT_ONCE = 30;
const plain = piece => ({ pieces: [piece], meta: "", tags: "", acl: "default", type: "Normal" });

async function ask(what, answer, ...statuses) {
	const got = await answer;
	if (!statuses.includes(got.status))
		throw new Refused(what, got);
	return got;
}

/** An object that forms with a callback bring. */
class CallbackCell extends ObjectCell {
	constructor(key, sink) {
		super(BUCKET, key, []);
		this.sink = sink;
	}

	choose(url, random) {
		const piece = newPiece(this.key, 100 + random.below(20_000));
		const callback = base64Json({ callbackUrl: `${this.sink.url}/uploaded`, callbackBody: "object=${object}&size=${size}" });
		const fields = signedFieldsV1(this.key, { callback }, { text: policy({ bucket: BUCKET }) });
		const { type, body } = multipart(fields, { content: bytesOf(piece) });
		return { what: `PostObject with a callback of ${this.key}`, after: plain(piece), run: async () => {
			const got = await ask("PostObject with a callback", send(`${url}/${BUCKET}`, "POST", { "Content-Type": type }, body), 200);
			assert.deepEqual(JSON.parse(got.text), { object: this.key, size: String(piece.size) });
		} };
	}
}

/** An object that is stored with temporary keys, each of them new. */
class TemporaryCell extends ObjectCell {
	constructor(key, world) {
		super(BUCKET, key, []);
		this.world = world;
	}

	choose(url, random) {
		const piece = newPiece(this.key, 100 + random.below(20_000));
		return { what: `PutObject with a temporary key of ${this.key}`, after: plain(piece), run: async () => {
			const got = await ask("AssumeRole", callSts(this.world.server), 200);
			const { AccessKeyId: id, AccessKeySecret: secret, SecurityToken: token } = JSON.parse(got.text).Credentials;
			await ask("PutObject with a temporary key", request(url, "PUT", BUCKET, this.key, { accessKey: { id, secret },
				headers: { "x-oss-security-token": token }, body: bytesOf(piece) }), 200);
		} };
	}
}

/** Objects that are stored one by one, and deleted by one request. */
class ManyCell extends Cell {
	constructor(number) {
		super(BUCKET, `${number}-many/`, []);
		this.count = 0;
	}

	initial() {
		return [];
	}

	choose(url, random) {
		const now = this.state;
		if (now.length < DELETED_AT_ONCE) {
			const piece = newPiece(`${this.key}${String(this.count++ % 1e6).padStart(6, "0")}`, 100 + random.below(60_000));
			return { what: `PutObject of ${piece.from}`, after: [...now, piece],
				run: async () => void await ask("PutObject", request(url, "PUT", BUCKET, piece.from, { body: bytesOf(piece) }), 200) };
		}
		const body = `<Delete><Quiet>true</Quiet>${now.map(({ from }) => `<Object><Key>${from}</Key></Object>`).join("")}</Delete>`;
		return { what: `DeleteObjects below ${this.key}`, after: [], run: async () => void await ask("DeleteObjects",
			request(url, "POST", BUCKET, "", { query: { delete: "" }, body,
				headers: { "Content-MD5": createHash("md5").update(body).digest("base64") } }), 200) };
	}

	/** Of a request for many deletions the first may have been carried out. */
	allowedNow() {
		const allowed = super.allowedNow();
		const deleted = this.doubtful?.length === 0 && this.steps.at(-1)?.answered === null ? this.state.length : 0;
		for (let i = 1; i < deleted; i++)
			allowed.push(this.text(this.state.slice(i)));
		return allowed;
	}

	async look(url) {
		const list = await ask("list", request(url, "GET", BUCKET, "", { query: { prefix: this.key, "max-keys": "1000" } }), 200);
		const found = [];
		for (const [, key] of list.text.matchAll(/<Key>(.*?)<\/Key>/g)) {
			const got = await ask(`GET ${key}`, request(url, "GET", BUCKET, key), 200);
			found.push(...piecesOf(got.body, key));
		}
		return found;
	}
}

/** All of it: each client has the cells of tests/torture, and these. */
export class SoakWorld extends World {
	/** The process that runs now, for keys from STS. */
	server;

	constructor(clients, sink) {
		super(clients);
		this.clients.forEach((cells, i) => cells.push(new CallbackCell(`${i}-callback`, sink),
			new TemporaryCell(`${i}-temporary`, this), new ManyCell(i), new ManyCell(`${i}-b`)));
	}

	async prepare(url) {
		await super.prepare(url);
		for (const bucket of [BUCKET, EXPIRING])
			await ask("PutBucket", request(url, "PUT", bucket), 200);
		const day = new Date(Date.now() - 3 * 86_400_000).toISOString().replace(/T.*/, "T00:00:00.000Z");
		await ask("PutBucketLifecycle", request(url, "PUT", EXPIRING, "", { query: { lifecycle: "" }, body:
			"<LifecycleConfiguration><Rule><ID>r</ID><Prefix></Prefix><Status>Enabled</Status>"
			+ `<Expiration><Date>${day}</Date></Expiration></Rule></LifecycleConfiguration>` }), 200);
	}

	/** Bytes of what is there, old versions and parts included. */
	get liveBytes() {
		let sum = 0;
		const add = value => {
			if (value && typeof value === "object") {
				if (typeof value.size === "number" && value.from)
					sum += value.size;
				else
					Object.values(value).forEach(add);
			}
		};
		for (const cell of this.cells) {
			add(cell.state);
			for (const { etag } of cell.state?.upload?.parts ?? [])
				add(cell.parts.get(etag));
		}
		return sum;
	}

	/** The model needs the last step only. */
	forget() {
		for (const cell of this.cells) {
			cell.steps.splice(0, cell.steps.length - 1);
			const kept = new Set(cell.state?.upload?.parts.map(({ etag }) => etag));
			for (const etag of cell.parts && cell.doubtful === null ? [...cell.parts.keys()] : []) {
				if (!kept.has(etag))
					cell.parts.delete(etag);
			}
		}
	}
}

/** Ranges, lists, and an object that a lifecycle rule deletes soon. */
export async function visit(url, world, random) {
	const { bucket, key, pieces } = random.of(world.sources);
	const bytes = bytesOf(...pieces);
	const from = random.below(bytes.length);
	const to = Math.min(bytes.length - 1, from + random.below(100_000));
	const got = await ask("GET of a range", request(url, "GET", bucket, key, { headers: { Range: `bytes=${from}-${to}` } }), 206);
	assert.ok(got.body.equals(bytes.subarray(from, to + 1)), `bytes ${from} to ${to} of ${key}`);
	const list = await ask("list", request(url, "GET", bucket, "", { query: { "list-type": "2", "max-keys": "7" } }), 200);
	const keys = [...list.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name]) => name);
	assert.deepEqual(keys, [...keys].sort(), "the list is in order");
	const piece = newPiece(`expires-${random.below(1e9)}`, 100 + random.below(30_000));
	await ask("PutObject", request(url, "PUT", EXPIRING, piece.from, { body: bytesOf(piece) }), 200);
}

/** How many objects the rule has left. */
export async function expiring(url) {
	const got = await ask("list", request(url, "GET", EXPIRING, "", { query: { "max-keys": "1000" } }), 200);
	return [...got.text.matchAll(/<Key>/g)].length;
}
