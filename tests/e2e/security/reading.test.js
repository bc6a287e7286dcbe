// SPDX-License-Identifier: Apache-2.0
// A signature holds for one request. Each operation is signed in four ways and then spelled,
// ordered, repeated and encoded otherwise: it is refused, or it is the same operation with the same
// answer.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ask as askConsole } from "../lib/console_api.js";
import { request, send } from "../lib/oss.js";
import { cleanups, pause, startServer } from "../lib/server.js";
import { headersV4, KEY, presignV1, presignV4, signV1, stringToSignV1, target } from "../lib/sign.js";

const all = cleanups();
let server, store, oldVersion;

const BUCKET = { bucket: "uploads", key: "" };
const OBJECT = { bucket: "uploads", key: "d/k" };
const VERSIONED = { bucket: "versioned", key: "d/k" };
const part = { partNumber: "1", uploadId: "0123456789ABCDEF0123456789ABCDEF" };
const upload = { uploadId: part.uploadId };

/** name: [method, where, query, headers]. */
const OPERATIONS = {
	AbortMultipartUpload: ["DELETE", OBJECT, upload],
	AppendObject: ["POST", OBJECT, { append: "", position: "5" }],
	CompleteMultipartUpload: ["POST", OBJECT, upload],
	CopyObject: ["PUT", OBJECT, {}, { "x-oss-copy-source": "/uploads/none,other" }],
	DeleteBucket: ["DELETE", BUCKET, {}],
	DeleteBucketCors: ["DELETE", BUCKET, { cors: "" }],
	DeleteBucketLifecycle: ["DELETE", BUCKET, { lifecycle: "" }],
	DeleteBucketTags: ["DELETE", BUCKET, { tagging: "" }],
	DeleteObject: ["DELETE", OBJECT, {}],
	DeleteObjectTagging: ["DELETE", OBJECT, { tagging: "" }],
	DeleteMultipleObjects: ["POST", BUCKET, { delete: "" }],
	GetBucketAcl: ["GET", BUCKET, { acl: "" }],
	GetBucketCors: ["GET", BUCKET, { cors: "" }],
	GetBucketInfo: ["GET", BUCKET, { bucketInfo: "" }],
	GetBucketLifecycle: ["GET", BUCKET, { lifecycle: "" }],
	GetBucketLocation: ["GET", BUCKET, { location: "" }],
	GetBucketReferer: ["GET", BUCKET, { referer: "" }],
	GetBucketStat: ["GET", BUCKET, { stat: "" }],
	GetBucketTags: ["GET", BUCKET, { tagging: "" }],
	GetBucketVersioning: ["GET", BUCKET, { versioning: "" }],
	GetObject: ["GET", OBJECT, { "response-content-type": "a/b", "x-oss-x": "1" }],
	GetObjectAcl: ["GET", OBJECT, { acl: "" }],
	GetObjectMeta: ["HEAD", OBJECT, { objectMeta: "" }],
	GetObjectTagging: ["GET", OBJECT, { tagging: "" }],
	GetSymlink: ["GET", OBJECT, { symlink: "" }],
	HeadBucket: ["HEAD", BUCKET, {}],
	HeadObject: ["HEAD", OBJECT, {}],
	InitiateMultipartUpload: ["POST", OBJECT, { uploads: "" }],
	ListBuckets: ["GET", { bucket: "", key: "" }, {}],
	ListMultipartUploads: ["GET", BUCKET, { uploads: "" }],
	ListObjectVersions: ["GET", BUCKET, { versions: "" }],
	ListObjects: ["GET", BUCKET, {}],
	ListObjectsV2: ["GET", BUCKET, { "list-type": "2", "continuation-token": "" }],
	ListParts: ["GET", OBJECT, upload],
	PutBucket: ["PUT", BUCKET, {}],
	PutBucketAcl: ["PUT", BUCKET, { acl: "" }, { "x-oss-acl": "private" }],
	PutBucketCors: ["PUT", BUCKET, { cors: "" }],
	PutBucketLifecycle: ["PUT", BUCKET, { lifecycle: "" }],
	PutBucketReferer: ["PUT", BUCKET, { referer: "" }],
	PutBucketTags: ["PUT", BUCKET, { tagging: "" }],
	PutBucketVersioning: ["PUT", BUCKET, { versioning: "" }],
	PutObject: ["PUT", OBJECT, {}, { "Content-Type": "a/b", "x-oss-meta-a": "1,2" }],
	PutObjectAcl: ["PUT", OBJECT, { acl: "" }, { "x-oss-object-acl": "default" }],
	PutObjectTagging: ["PUT", OBJECT, { tagging: "" }],
	PutSymlink: ["PUT", OBJECT, { symlink: "" }, { "x-oss-symlink-target": "a,b" }],
	UploadPart: ["PUT", OBJECT, part],
	UploadPartCopy: ["PUT", OBJECT, part, { "x-oss-copy-source": "/uploads/none,other" }],
};

/** The same of one version. */
const VERSIONS = {
	GetObject: ["GET", VERSIONED, { "response-content-type": "a/b" }],
	HeadObject: ["HEAD", VERSIONED, {}],
	GetObjectAcl: ["GET", VERSIONED, { acl: "" }],
	GetObjectTagging: ["GET", VERSIONED, { tagging: "" }],
	DeleteObjectTagging: ["DELETE", VERSIONED, { tagging: "" }],
	GetObjectMeta: ["HEAD", VERSIONED, { objectMeta: "" }],
	PutObjectAcl: ["PUT", VERSIONED, { acl: "" }, { "x-oss-object-acl": "default" }],
};

/** What no SDK signs by V1, though it chooses an operation; see route.c. */
const UNSIGNED = ["list-type", "accessmonitor"];

before(async () => {
	server = await startServer(all);
	({ store } = server);
	await made(request(store, "PUT", "uploads", "stays", { body: "stays" }));
	await made(request(store, "PUT", "versioned"));
	await made(request(store, "PUT", "versioned", "", { query: { versioning: "" },
		body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }));
	const first = await made(request(store, "PUT", "versioned", "d/k", { body: "old" }));
	oldVersion = first.headers["x-oss-version-id"];
	await made(request(store, "PUT", "versioned", "d/k", { body: "new" }));
});
after(all.run);

async function made(answer) {
	const got = await answer;
	assert.equal(got.status, 200, got.text);
	return got;
}

/** The query of `target`, its escapes and all. */
function path({ bucket, key }, query) {
	return target(bucket, key, query).replace(/^\/\//, "/").replace(/^(\/[^/?]+)\/(?=\?|$)/, "$1/");
}

const subresourcesOf = query => Object.fromEntries(Object.entries(query)
	.filter(([name]) => !UNSIGNED.includes(name) && !/^(prefix|marker|max-keys)$/.test(name)));

/** Four ways to sign: {path, headers: [name, value][]}. */
const WAYS = {
	"V1 header": ({ method, where, query, headers }) => {
		const date = new Date().toUTCString();
		const text = stringToSignV1({ method, ...where, headers, date, subresources: subresourcesOf(query) });
		return { path: path(where, query), headers: Object.entries({ ...headers, Date: date,
			Authorization: `OSS ${KEY.id}:${signV1(text)}` }) };
	},
	"V1 URL": ({ method, where, query, headers }) => {
		const expires = Math.floor(Date.now() / 1000) + 600;
		const subresources = subresourcesOf(query);
		const signed = presignV1({ method, ...where, headers, subresources, expires });
		return { path: path(where, { ...query, ...signed }),
			headers: Object.entries(headers) };
	},
	"V4 header": ({ method, where, query, headers }) => ({ path: path(where, query),
		headers: Object.entries(headersV4({ method, ...where, query, headers })) }),
	"V4 URL": ({ method, where, query, headers }) => ({
		path: path(where, presignV4({ method, ...where, query, headers })),
		headers: Object.entries(headers) }),
};

const escape = c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`;
const pieces = query => query ? query.split("&") : [];

/** Other ways to write `{path, headers}`: [what, {path, headers}][]. */
function* otherwise({ path: whole, headers }) {
	const [before, query = ""] = whole.split(/\?(.*)/s);
	const params = pieces(query);
	const joined = list => list.length ? `${before}?${list.join("&")}` : before;
	const swap = (i, piece) => ({ path: joined(params.with(i, piece)), headers });
	for (const [i, piece] of params.entries()) {
		const [name, value] = piece.split(/=(.*)/s);
		const rest = value === undefined ? "" : `=${value}`;
		yield [`${name} escaped`, swap(i, escape(name[0]) + name.slice(1) + rest)];
		yield [`${name} escaped to the end`, swap(i, [...name].map(escape).join("") + rest)];
		yield [`${name} in other case`, swap(i, (name[0] === name[0].toUpperCase() ? name[0].toLowerCase()
			: name[0].toUpperCase()) + name.slice(1) + rest)];
		yield [`${name} twice`, { path: joined([...params, piece]), headers }];
		yield [`${name} again behind`, { path: joined([...params, `${name}=other`]), headers }];
		yield [`${name} again in front`, { path: joined([`${name}=other`, ...params]), headers }];
		yield [`${name} again, escaped`, { path: joined([...params, `${escape(name[0])}${name.slice(1)}=other`]),
			headers }];
		yield [`${name} with %3D`, swap(i, piece.replace("=", "%3D"))];
		yield [`${name} without value`, swap(i, name)];
		yield [`${name} without`, { path: joined(params.toSpliced(i, 1)), headers }];
		if (i > 0)
			yield [`%26 before ${name}`, { path: joined([...params.slice(0, i - 1),
				`${params[i - 1]}%26${piece}`, ...params.slice(i + 1)]), headers }];
		yield [`${name} in the path`, { path: `${before}%3F${piece}${params.length > 1 ? "?" : ""}${
			params.toSpliced(i, 1).join("&")}`, headers }];
		yield [`a %26 of ${name} as &`, swap(i, piece.replace(/%26/g, "&"))];
	}
	if (params.length) {
		yield ["the other way round", { path: joined(params.toReversed()), headers }];
		yield ["the whole query in the path", { path: `${before}%3F${query}`, headers }];
		yield ["a second ?", { path: `${before}?${query.replace("&", "?")}`, headers }];
	}
	for (const more of ["acl", "versionId=1", "uploads", "symlink", "cors", "tagging", "location", "delete",
		"response-content-type=text/html", "x-oss-process=image/info", ...UNSIGNED.map(name => `${name}=2`)])
		yield [`with ${more}`, { path: joined([...params, more]), headers }];
	yield ["with a stranger twice", { path: joined([...params, "stranger=1", "stranger=2"]), headers, unsigned: true }];
	for (const [i, [name, value]] of headers.entries()) {
		if (/^(authorization|date|x-oss-date|x-oss-content-sha256)$/i.test(name) || !value.includes(","))
			continue;
		yield [`${name} in two`, { path: whole, headers: headers.toSpliced(i, 1,
			...value.split(",").map(each => [name, each])) }];
	}
	for (const [name, value] of headers) {
		yield [`header ${name} twice`, { path: whole, headers: [...headers, [name.toUpperCase(), value]] }];
		yield [`header ${name} twice, otherwise`, { path: whole, headers: [...headers, [name, "other"]] }];
		yield [`header ${name} before, otherwise`, { path: whole, headers: [[name, "other"], ...headers] }];
	}
}

/** Lines of requests, by their id; they are taken out of the log, which would grow too long. */
const lines = new Map();

async function logged(id) {
	for (let tries = 0; !lines.has(id) && tries < 5000; tries++) {
		const end = server.log.lastIndexOf("\n") + 1;
		const complete = server.log.slice(0, end).split("\n");
		const idOf = line => / id=(\w+) /.exec(line)?.[1];
		if (end)
			server.log = complete.filter(line => line && !idOf(line)).map(line => `${line}\n`).join("")
				+ server.log.slice(end);
		for (const line of complete.filter(idOf))
			lines.set(idOf(line), line);
		if (!lines.has(id))
			await pause(1);
	}
	const line = lines.get(id) ?? assert.fail(`request ${id} is not in the log`);
	lines.clear();
	return line;
}

async function ask(method, { path: whole, headers }) {
	const flat = Object.create(null);
	for (const [name, value] of headers) {
		const known = Object.keys(flat).find(each => each.toLowerCase() === name.toLowerCase()) ?? name;
		flat[known] = flat[known] === undefined ? value : [flat[known], value].flat();
	}
	const got = await send(store + whole, method, flat);
	const line = await logged(got.headers["x-oss-request-id"]);
	return { status: got.status, op: / op=(\w+)/.exec(line)?.[1], code: / code=(\w+)/.exec(line)?.[1], text: got.text };
}

const REFUSALS = ["SignatureDoesNotMatch", "AccessDenied", "InvalidArgument", "InvalidAuthorization",
	"NotImplemented", "MethodNotAllowed", "MissingArgument", "InvalidAccessKeyId",
	"InvalidBucketName"];
const outcome = ({ status, op, code }) => `${op} ${status} ${code ?? ""}`;

async function check(name, [method, where, query, headers = {}], version) {
	const signed = { method, where, query: version ? { ...query, versionId: version } : query, headers };
	let count = 0;
	for (const [way, sign] of Object.entries(WAYS)) {
		if (where === OBJECT)
			await made(request(store, "PUT", "uploads", "d/k", { body: "body" }));
		let last = await ask(method, sign(signed));
		const usual = last;
		assert.equal(usual.op, name, `${way}: ${JSON.stringify(usual)}`);
		assert.ok(!["SignatureDoesNotMatch", "NotImplemented"].includes(usual.code),
			`${way}: ${JSON.stringify(usual)}`);
		for (const [what, other] of otherwise(sign(signed))) {
			// What was refused has changed nothing, or the next would not be the same.
			if (where === OBJECT && method !== "GET" && method !== "HEAD" && last.status < 400)
				await made(request(store, "PUT", "uploads", "d/k", { body: "body" }));
			const got = last = await ask(method, other);
			/* As at OSS, V1 does not tell the two ways to list apart. */
			const allowed = way.startsWith("V1") && (got.op === "ListObjects" && name === "ListObjectsV2"
				|| /^with (list-type|accessmonitor)/.test(what) && /^List(Objects|ObjectsV2|Buckets)$/.test(name));
			count++;
			/* Whoever may send a form needs no signature of a request. */
			const form = got.op === "PostObject" && got.code === "RequestIsNotMultiPartContent";
			if (allowed || form || (got.status >= 400 && got.status !== 404 && REFUSALS.includes(got.code)))
				continue;
			assert.equal(outcome(got), outcome(usual), `${way}, ${what}: ${other.path}`);
			if (name === "GetObject")
				assert.equal(got.text, usual.text, `${way}, ${what}: ${other.path}`);
		}
	}
	assert.ok(count > 40, `${count} ways`);
}

for (const [name, how] of Object.entries(OPERATIONS))
	test(`${name}: what is signed is what is done`, () => check(name, how));
for (const [name, how] of Object.entries(VERSIONS))
	test(`${name} of a version: what is signed is what is done`, () => check(name, how, oldVersion));

test("every operation has been tried", async () => {
	const table = await readFile(new URL("../../../src/ops/operations.def", import.meta.url), "utf8");
	const listed = table.match(/^OPERATION\(\w+\)$/gm).length;
	// OPTIONS and PostObject are not signed as requests; HEAD and GET of GetObjectMeta are one.
	assert.equal(Object.keys(OPERATIONS).length, listed - 3);
});

test("the store and the console's API do not take each other's signatures", async () => {
	await made(request(store, "PUT", "callbacks"));
	await made(request(store, "PUT", "callbacks", "12", { body: "an object" }));
	for (const [way, sign] of Object.entries(WAYS)) {
		const signed = sign({ method: "GET", where: { bucket: "callbacks", key: "12" }, query: {}, headers: {} });
		assert.equal((await send(store + signed.path, "GET", Object.fromEntries(signed.headers))).status, 200, way);
		const got = await send(server.console + signed.path, "GET", Object.fromEntries(signed.headers));
		assert.equal(got.xml("Code"), "SignatureDoesNotMatch", `${way}: ${got.text}`);
	}
	assert.equal((await askConsole(server, "GET", "/callbacks/12")).xml("Code"), "NoSuchCallback");
});

test("signatures are masked in the log, whatever way their names are spelled", async () => {
	for (const name of ["Signature", "%53ignature", "security%2Dtoken", "x-oss-signatur%65", "%78-oss-security-token"])
		await send(`${store}/uploads/d/k?OSSAccessKeyId=a&${name}=hidden-${name.length}&prefix=shown`);
	await server.logged(/%78-oss-security-token/);
	assert.doesNotMatch(server.log, /hidden-/);
	await server.logged(/%53ignature=\*\*\*&prefix=shown/);
});

test("a query has 256 parameters and no more: whoever compares each with all others would be kept busy", async () => {
	const ask = count => send(`${store}/uploads/none?${"a&".repeat(count)}`);
	assert.equal((await ask(256)).xml("Code"), "AccessDenied");
	const more = await ask(257);
	assert.deepEqual([more.status, more.xml("Code")], [400, "InvalidArgument"]);
});
