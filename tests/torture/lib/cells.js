// SPDX-License-Identifier: Apache-2.0
// The model. A cell is a part of the store's state that one client alone changes, one step at a time,
// and that can be looked at: an object with all that is known of it, the versions of a key, an
// upload in parts, the settings of a bucket. Of each step it is known when it was begun and when it
// was answered. So for each moment there is one state that a cell must have, or two: that before
// the step that was going on, and that behind it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { multipart, policy, request, send, signedFieldsV1 } from "../../e2e/lib/oss.js";
import { bytesOf, newPiece, piecesOf, sizeOf } from "./content.js";

/** Larger objects are files of their own (LIMIT_INLINE_BYTES). */
const INLINE_BYTES = 512 * 1024;
const PART_BYTES = 100 * 1024;

/** An answer that says no. */
export class Refused extends Error {
	constructor(what, { status, text }) {
		super(`${what}: ${status} ${text.slice(0, 300)}`);
		this.status = status;
	}
}

/** The answer; an error unless it has one of these statuses. */
async function ask(what, answer, ...statuses) {
	const got = await answer;
	if (!statuses.includes(got.status))
		throw new Refused(what, got);
	return got;
}

const elements = (text, name) =>
	[...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map(([, inner]) => inner);
const tagsIn = text => elements(text, "Tag").map(tag => `${elements(tag, "Key")}=${elements(tag, "Value")}`).join("&");
const tagging = tags => `<Tagging><TagSet>${tags.split("&").filter(Boolean).map(tag =>
	`<Tag><Key>${tag.split("=")[0]}</Key><Value>${tag.split("=")[1]}</Value></Tag>`).join("")}</TagSet></Tagging>`;
const etagOf = bytes => createHash("md5").update(bytes).digest("hex").toUpperCase();

function someSize(random) {
	const what = random.next();
	if (what < 0.75)
		return 64 + random.below(6000);
	return what < 0.9 ? 64 + random.below(INLINE_BYTES / 2) : INLINE_BYTES - 1000 + random.below(400_000);
}

export class Cell {
	/** All steps: {begun, answered, before, after}, marks and states as texts. */
	steps = [];
	/** What it has; behind a step without an answer what it had before. */
	state;
	/** What it may have besides. */
	doubtful = null;

	constructor(bucket, key, state = null) {
		this.bucket = bucket;
		this.key = key;
		this.state = state;
	}

	get name() {
		return `${this.constructor.name} ${this.bucket}/${this.key}`;
	}

	/**
	 * One more step: the state behind it, and how to ask for it. What `run` gives is put into the
	 * state behind it, for names that the store chooses.
	 */
	async step(url, random, mark) {
		const { what, after, run } = this.choose(url, random);
		const step = { what, begun: mark(), answered: null, before: this.text(this.state), after: this.text(after) };
		this.steps.push(step);
		this.doubtful = after;
		const chosen = await run();
		step.answered = mark();
		this.state = after && chosen ? { ...after, ...chosen } : after;
		this.doubtful = null;
	}

	/** The texts of what it may have at a moment, `where` being that of each mark; and why. */
	allowedAt(moment, where) {
		let allowed = [this.text(this.initial())];
		let why = "nothing was asked for";
		for (const step of this.steps) {
			if (where.get(step.begun) === undefined || where.get(step.begun) >= moment)
				break;
			const answered = step.answered !== null && (where.get(step.answered) ?? Infinity) < moment;
			allowed = answered ? [step.after] : [step.before, step.after];
			why = `${step.what} was ${answered ? "answered" : "begun"}`;
		}
		return { allowed, why };
	}

	/** What it may have now: the step that had no answer may have been taken. */
	allowedNow() {
		const allowed = [this.text(this.state)];
		if (this.doubtful !== null || this.steps.at(-1)?.answered === null)
			allowed.push(this.text(this.doubtful));
		return allowed;
	}

	/** Goes on from what was found. */
	settle(found) {
		this.state = found;
		this.doubtful = null;
		const last = this.steps.at(-1);
		if (last && last.answered === null)
			last.answered = last.begun;
	}

	initial() {
		return null;
	}

	/** As far as it is compared: what the store chooses is left out. */
	text(state) {
		return JSON.stringify(state, (name, value) => ["versionId", "uploadId"].includes(name) ? undefined : value);
	}
}

/** Bytes, metadata, tags and ACL of an object in a bucket without versions. */
export class ObjectCell extends Cell {
	constructor(bucket, key, sources) {
		super(bucket, key);
		this.sources = sources;
	}

	choose(url, random) {
		const at = (method, options, key = this.key) => request(url, method, this.bucket, key, options);
		const answer = (what, after, go, status) => ({ what: `${what} of ${this.key}`, after,
			run: async () => void await ask(`${what} ${this.key}`, go(), status) });
		const now = this.state;
		const appends = this.key.includes("append");
		if (now && random.chance(0.15))
			return { what: `DELETE of ${this.key}`, after: null,
				run: async () => void await ask(`DELETE ${this.key}`, at("DELETE"), 204) };
		if (now && random.chance(0.15)) {
			const tags = random.chance(0.7) ? `t=${random.below(1000)}&u=${random.below(10)}` : "";
			return tags
				? answer("PutObjectTagging", { ...now, tags }, () => at("PUT", { query: { tagging: "" },
					body: tagging(tags) }), 200)
				: answer("DeleteObjectTagging", { ...now, tags }, () => at("DELETE", { query: { tagging: "" } }), 204);
		}
		if (now && random.chance(0.1)) {
			const acl = random.of(["private", "public-read", "public-read-write"]);
			return answer("PutObjectACL", { ...now, acl }, () => at("PUT", { query: { acl: "" },
				headers: { "x-oss-object-acl": acl } }), 200);
		}
		const piece = newPiece(this.key, someSize(random));
		const meta = String(random.below(1e6));
		const fresh = { pieces: [piece], meta, tags: "", acl: "default", type: "Normal" };
		if (appends) {
			const position = now ? sizeOf(now.pieces) : 0;
			const after = now ? { ...now, pieces: [...now.pieces, piece] } : { ...fresh, type: "Appendable" };
			return answer("AppendObject", after, () => at("POST", { body: bytesOf(piece),
				query: { append: "", position: String(position) }, headers: { "x-oss-meta-n": meta } }), 200);
		}
		const way = random.next();
		if (way < 0.15) {
			const source = random.of(this.sources);
			return answer("CopyObject", { ...fresh, pieces: source.pieces }, () => at("PUT", { headers: {
				"x-oss-copy-source": `/${source.bucket}/${source.key}`, "x-oss-metadata-directive": "REPLACE",
				"x-oss-meta-n": meta } }), 200);
		}
		if (way < 0.25 && now && now.acl === "default" && now.tags === "" && now.type === "Normal") {
			return answer("CopyObject onto itself", { ...now, meta }, () => at("PUT", { headers: {
				"x-oss-copy-source": `/${this.bucket}/${this.key}`, "x-oss-metadata-directive": "REPLACE",
				"x-oss-meta-n": meta } }), 200);
		}
		if (way < 0.5) {
			const fields = signedFieldsV1(this.key, { "x-oss-meta-n": meta }, { text: policy({ bucket: this.bucket }) });
			const { type, body } = multipart(fields, { content: bytesOf(piece) });
			return answer("PostObject", fresh, () => send(`${url}/${this.bucket}`, "POST", { "Content-Type": type }, body), 204);
		}
		const tags = random.chance(0.3) ? `t=${random.below(1000)}` : "";
		return answer("PutObject", { ...fresh, tags }, () => at("PUT", { body: bytesOf(piece),
			headers: { "x-oss-meta-n": meta, ...tags ? { "x-oss-tagging": tags } : {} } }), 200);
	}

	async look(url) {
		const at = query => request(url, "GET", this.bucket, this.key, { query });
		const got = await ask(`GET ${this.key}`, at({}), 200, 404);
		if (got.status === 404)
			return null;
		const tags = await ask(`GET tags of ${this.key}`, at({ tagging: "" }), 200);
		const acl = await ask(`GET ACL of ${this.key}`, at({ acl: "" }), 200);
		return { pieces: piecesOf(got.body, this.name), meta: got.headers["x-oss-meta-n"] ?? "",
			tags: tagsIn(tags.text), acl: elements(acl.text, "Grant")[0], type: got.headers["x-oss-object-type"] };
	}
}

/** The versions of a key and its delete markers, newest first. */
export class VersionsCell extends Cell {
	constructor(bucket, key) {
		super(bucket, key, { versions: [] });
	}

	initial() {
		return { versions: [] };
	}

	choose(url, random) {
		const at = (method, options) => request(url, method, this.bucket, this.key, options);
		const versions = this.state.versions;
		if (versions.length && random.chance(0.2)) {
			return { what: `DELETE of ${this.key}`, after: { versions: [{ marker: true }, ...versions] }, run: async () => {
				const got = await ask("DELETE", at("DELETE"), 204);
				return { versions: [{ marker: true, versionId: got.headers["x-oss-version-id"] }, ...versions] };
			} };
		}
		if (versions.length > 3 || (versions.length && random.chance(0.25))) {
			const gone = random.of(versions);
			return { what: `DELETE of a version of ${this.key}`, after: { versions: versions.filter(one => one !== gone) },
				run: async () => void await ask("DELETE", at("DELETE", { query: { versionId: gone.versionId } }), 204) };
		}
		const piece = newPiece(this.key, someSize(random));
		return { what: `PutObject of a version of ${this.key}`, after: { versions: [{ pieces: [piece] }, ...versions] },
			run: async () => {
				const got = await ask("PUT", at("PUT", { body: bytesOf(piece) }), 200);
				return { versions: [{ pieces: [piece], versionId: got.headers["x-oss-version-id"] }, ...versions] };
			} };
	}

	async look(url) {
		const list = await ask("list versions", request(url, "GET", this.bucket, "", { query: { versions: "", prefix: this.key } }),
			200, 404);
		const found = [...list.text.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)].map(([, kind, inner]) =>
			({ marker: kind === "DeleteMarker", versionId: elements(inner, "VersionId")[0] }));
		const versions = [];
		for (const { marker, versionId } of found) {
			if (marker) {
				versions.push({ marker, versionId });
				continue;
			}
			const got = await ask(`GET ${this.key}`, request(url, "GET", this.bucket, this.key, { query: { versionId } }), 200);
			versions.push({ pieces: piecesOf(got.body, this.name), versionId });
		}
		const current = await ask(`GET ${this.key}`, request(url, "GET", this.bucket, this.key), 200, 404);
		const newest = versions[0]?.marker ? undefined : versions[0]?.pieces;
		assert.deepEqual(current.status === 404 ? undefined : piecesOf(current.body, this.name), newest,
			`${this.name}: the newest version is the current object`);
		return { versions };
	}
}

/** An upload in parts, and the object that it becomes. */
export class UploadCell extends Cell {
	constructor(bucket, key) {
		super(bucket, key, { object: null, upload: null });
		/** Parts by their ETag. */
		this.parts = new Map();
	}

	initial() {
		return { object: null, upload: null };
	}

	choose(url, random) {
		const at = (method, options) => request(url, method, this.bucket, this.key, options);
		const { object, upload } = this.state;
		if (!upload) {
			return { what: `InitiateMultipartUpload of ${this.key}`, after: { object, upload: { parts: [] } }, run: async () => {
				const got = await ask("begin", at("POST", { query: { uploads: "" } }), 200);
				return { upload: { parts: [], uploadId: got.xml("UploadId") } };
			} };
		}
		const { uploadId, parts } = upload;
		if (random.chance(0.1)) {
			return { what: `AbortMultipartUpload of ${this.key}`, after: { object, upload: null },
				run: async () => void await ask("abort", at("DELETE", { query: { uploadId } }), 204) };
		}
		if (parts.length > 1 && random.chance(0.5)) {
			const kept = parts.filter(() => random.chance(0.8));
			if (kept.length > 0) {
				const body = `<CompleteMultipartUpload>${kept.map(({ number, etag }) =>
					`<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`).join("")}</CompleteMultipartUpload>`;
				return { what: `CompleteMultipartUpload of ${this.key}`,
					after: { object: kept.map(({ etag }) => this.parts.get(etag)), upload: null },
					run: async () => void await ask("complete", at("POST", { query: { uploadId }, body }), 200) };
			}
		}
		const number = 1 + random.below(4);
		const piece = newPiece(this.key, PART_BYTES + random.below(random.chance(0.2) ? 600_000 : 50_000));
		const body = bytesOf(piece);
		const etag = etagOf(body);
		this.parts.set(etag, piece);
		return { what: `UploadPart ${number} of ${this.key}`, after: { object, upload: { uploadId,
			parts: [...parts.filter(part => part.number !== number), { number, etag }].sort((a, b) => a.number - b.number) } },
		run: async () => void await ask("part", at("PUT", { query: { partNumber: String(number), uploadId }, body }), 200) };
	}

	async look(url) {
		const got = await ask(`GET ${this.key}`, request(url, "GET", this.bucket, this.key), 200, 404);
		const uploads = await ask("list uploads", request(url, "GET", this.bucket, "", { query: { uploads: "", prefix: this.key } }),
			200, 404);
		const ids = elements(uploads.text, "UploadId");
		assert.ok(ids.length < 2, `${this.name}: ${ids.length} uploads`);
		let upload = null;
		if (ids.length === 1) {
			const list = await ask("list parts", request(url, "GET", this.bucket, this.key, { query: { uploadId: ids[0] } }), 200);
			upload = { uploadId: ids[0], parts: elements(list.text, "Part").map(part => ({
				number: Number(elements(part, "PartNumber")[0]),
				etag: elements(part, "ETag")[0].replace(/&quot;|"/g, "") })) };
		}
		return { object: got.status === 404 ? null : piecesOf(got.body, this.name), upload };
	}
}

/** A bucket that is made and deleted, and its settings. */
export class BucketCell extends Cell {
	constructor(bucket) {
		super(bucket, "");
	}

	choose(url, random) {
		const at = (method, options) => request(url, method, this.bucket, "", options);
		const step = (what, after, method, options, status) => ({ what: `${what} of ${this.bucket}`, after,
			run: async () => void await ask(what, at(method, options), status) });
		const now = this.state;
		if (!now)
			return step("PutBucket", { acl: "private", tags: "", cors: "", days: "" }, "PUT", {}, 200);
		const way = random.next();
		if (way < 0.1)
			return step("DeleteBucket", null, "DELETE", {}, 204);
		if (way < 0.3) {
			const acl = random.of(["private", "public-read", "public-read-write"]);
			return step("PutBucketAcl", { ...now, acl }, "PUT", { query: { acl: "" }, headers: { "x-oss-acl": acl } }, 200);
		}
		if (way < 0.5) {
			const tags = `t=${random.below(1000)}`;
			return step("PutBucketTags", { ...now, tags }, "PUT", { query: { tagging: "" }, body: tagging(tags) }, 200);
		}
		if (way < 0.75) {
			const cors = `http://${random.below(1000)}.example`;
			return step("PutBucketCors", { ...now, cors }, "PUT", { query: { cors: "" }, body: "<CORSConfiguration><CORSRule>"
				+ `<AllowedOrigin>${cors}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>` }, 200);
		}
		const days = String(1000 + random.below(1000));
		return step("PutBucketLifecycle", { ...now, days }, "PUT", { query: { lifecycle: "" }, body: "<LifecycleConfiguration><Rule>"
			+ `<ID>r</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>${days}</Days></Expiration></Rule>`
			+ "</LifecycleConfiguration>" }, 200);
	}

	async look(url) {
		const at = query => request(url, "GET", this.bucket, "", { query });
		const acl = await ask("GET ACL", at({ acl: "" }), 200, 404);
		if (acl.status === 404)
			return null;
		const tags = await ask("GET tags", at({ tagging: "" }), 200, 404);
		const cors = await ask("GET CORS", at({ cors: "" }), 200, 404);
		const days = await ask("GET lifecycle", at({ lifecycle: "" }), 200, 404);
		return { acl: elements(acl.text, "Grant")[0], tags: tagsIn(tags.text), cors: elements(cors.text, "AllowedOrigin").join(),
			days: elements(days.text, "Days").join() };
	}
}
