// SPDX-License-Identifier: Apache-2.0
// Ranges by OSS's rule and by the standard's, conditions, and headers that a query replaces.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { expectAnswer, GET, HEAD, OPEN, play, putOpenObject, wireCases } from "../lib/wire.js";
import { connect } from "../lib/http.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await putOpenObject(store);
	await request(store, "PUT", "uploads", "empty", { body: "",
		headers: { "x-oss-object-acl": "public-read" } });
});
after(all.run);

const part = (body, range) => ({ status: 206, body, headers: { "Content-Range": `bytes ${range}/10`,
	"Content-Length": String(body.length), "Accept-Ranges": "bytes" } });
const whole = { status: 200, body: OPEN.content, headers: { "Content-Range": null } };
const refused = { status: 416, body: /<Code>InvalidRange<\/Code>/,
	headers: { "Content-Range": "bytes */10", ETag: null } };

/** Range, OSS's answer, the standard's. */
const RANGES = [
	["bytes=0-0", part("0", "0-0"), part("0", "0-0")],
	["bytes=3-5", part("345", "3-5"), part("345", "3-5")],
	["bytes=0-9", part(OPEN.content, "0-9"), part(OPEN.content, "0-9")],
	["bytes=8-", part("89", "8-9"), part("89", "8-9")],
	["bytes=-3", part("789", "7-9"), part("789", "7-9")],
	["bytes=-10", part(OPEN.content, "0-9"), part(OPEN.content, "0-9")],
	["bytes=8-100", whole, part("89", "8-9")],
	["bytes=-100", whole, part(OPEN.content, "0-9")],
	["bytes=10-", whole, refused],
	["bytes=10-20", whole, refused],
	["bytes=-0", refused, refused],
	["bytes=5-3", whole, refused],
	["bytes=a-b", whole, refused],
	["bytes=99999999999999999999-", whole, refused],
	["bytes=0-1,3-4", whole, whole],
	["lines=0-1", whole, whole],
];

wireCases(() => store, Object.fromEntries(RANGES.flatMap(([range, oss, standard]) => [
	[`Range: ${range}`, { send: `${GET}Range: ${range}\r\n\r\n`, answers: [oss], then: "open" }],
	[`Range: ${range}, standard`, {
		send: `${GET}Range: ${range}\r\nx-oss-range-behavior: standard\r\n\r\n`,
		answers: [standard], then: "open",
	}],
])));

wireCases(() => store, {
	"HEAD with a range": {
		send: `${HEAD}Range: bytes=2-4\r\n\r\n`,
		answers: [{ ...part("234", "2-4"), body: "", method: "HEAD" }],
		then: "open",
	},
	"a range of an empty object": {
		send: `${GET}Range: bytes=0-0\r\n\r\n`.replace("open.txt", "empty"),
		answers: [{ status: 200, body: "" }],
		then: "open",
	},
	"an override needs a signature": {
		send: `${GET}\r\n`.replace("open.txt", "open.txt?response-content-type=text/html"),
		answers: [{ status: 400, body: /<Code>InvalidRequest<\/Code>/ }],
		then: "open",
	},
});

test("conditions", async () => {
	const connection = await connect(store);
	const ask = async (lines, wanted, method = GET) => {
		await connection.send(`${method}${lines}\r\n`);
		return expectAnswer(connection, wanted).catch(error => {
			error.message = `${lines}: ${error.message}`;
			throw error;
		});
	};
	const { headers } = await ask("", 200);
	const etag = headers.get("etag");
	const modified = headers.get("last-modified");
	const second = 1000;
	const at = offset => new Date(Date.parse(modified) + offset).toUTCString();
	const full = { status: 200, body: OPEN.content };
	const same = { status: 304, body: "", headers: { ETag: etag, "Last-Modified": modified } };
	const failed = condition => ({ status: 412,
		body: new RegExp(`<Code>PreconditionFailed</Code>.*<Condition>${condition}</Condition>`) });

	for (const [lines, wanted] of [
		[`If-Match: ${etag}`, full],
		[`If-Match: "x", ${etag}`, full],
		["If-Match: *", full],
		["If-Match: \"x\"", failed("If-Match")],
		[`If-None-Match: ${etag}`, same],
		[`If-None-Match: "x", ${etag}`, same],
		[`If-None-Match: W/${etag}`, same],
		["If-None-Match: *", same],
		["If-None-Match: \"x\"", full],
		[`If-Modified-Since: ${modified}`, same],
		[`If-Modified-Since: ${at(-second)}`, full],
		["If-Modified-Since: yesterday", full],
		[`If-Unmodified-Since: ${modified}`, full],
		[`If-Unmodified-Since: ${at(-second)}`, failed("If-Unmodified-Since")],
		// An ETag says more than a date.
		[`If-None-Match: "x"\r\nIf-Modified-Since: ${modified}`, full],
		[`If-Match: ${etag}\r\nIf-Unmodified-Since: ${at(-second)}`, full],
		[`If-None-Match: ${etag}\r\nRange: bytes=0-1`, same],
		[`If-Match: ${etag}\r\nRange: bytes=0-1`, { status: 206, body: "01" }],
		["If-Match: \"x\"\r\nRange: bytes=0-1", failed("If-Match")],
	])
		await ask(`${lines}\r\n`, wanted);
	await ask(`If-None-Match: ${etag}\r\n`, { ...same, method: "HEAD" }, HEAD);
	await ask("If-Match: \"x\"\r\n", { status: 412, method: "HEAD",
		headers: { "x-oss-err": /./ } }, HEAD);
	connection.destroy();
});

test("a signed query replaces headers of the answer", async () => {
	const query = {
		"response-content-type": "application/x-other; charset=utf-8",
		"response-content-disposition": "attachment; filename=\"a b.txt\"",
		"response-cache-control": "no-cache",
		"response-content-encoding": "identity",
		"response-content-language": "de",
		"response-expires": "Mon, 01 Jan 2035 00:00:00 GMT",
	};
	const got = await request(store, "GET", "uploads", OPEN.key, { query });
	assert.equal(got.status, 200, got.text);
	for (const [name, value] of Object.entries(query))
		assert.equal(got.headers[name.slice("response-".length)], value, name);
	const bad = await request(store, "GET", "uploads", OPEN.key,
		{ query: { "response-content-type": "a\r\nInjected: yes" } });
	assert.equal(bad.headers.injected, undefined);
	assert.deepEqual([bad.status, bad.xml("Code"), bad.xml("ArgumentName")], [400, "InvalidArgument", "response-content-type"]);
	await play(store, { send: `${GET}\r\n`, answers: [{ headers: { "Content-Type": "text/plain" } }] });
});

test("If-Range: a part of the same object alone, whatever asks for it", async () => {
	const ask = (method, headers, key = OPEN.key) => request(store, method, "uploads", key, { headers });
	await request(store, "PUT", "uploads", "link", { query: { symlink: "" }, headers: { "x-oss-symlink-target": OPEN.key } });
	for (const key of [OPEN.key, "link"]) {
		const { etag, "last-modified": modified } = (await ask("HEAD", {}, key)).headers;
		const other = new Date(Date.parse(modified) + 1000).toUTCString();
		const earlier = new Date(Date.parse(modified) - 1000).toUTCString();
		for (const more of [{}, { "x-oss-range-behavior": "standard" }]) {
			for (const method of ["GET", "HEAD"]) {
				const got = await ask(method, { Range: "bytes=2-3", "If-Range": etag, ...more }, key);
				assert.deepEqual([got.status, got.headers["content-range"]], [206, "bytes 2-3/10"]);
				// A date is no strong validator.
				for (const changed of ["\"another\"", `W/${etag}`, modified, other, earlier, "*", `${etag}, "b"`, "nonsense"]) {
					for (const Range of ["bytes=2-3", "bytes=-4", "bytes=20-", "bytes=-0"]) {
						const got = await ask(method, { Range, "If-Range": changed, ...more }, key);
						assert.deepEqual([got.status, got.headers["content-range"], got.headers["content-length"]],
							[200, undefined, "10"], `${changed} ${Range}`);
						assert.equal(got.text, method === "GET" ? OPEN.content : "");
					}
				}
			}
		}
	}
	assert.equal((await ask("GET", { "If-Range": "\"another\"" })).status, 200, "means nothing without a range");
	// The object of a download that breaks off is replaced: no mix of the two.
	const before = (await ask("GET", { Range: "bytes=0-4" })).headers.etag;
	await request(store, "PUT", "uploads", OPEN.key, { body: "abcdefghij",
		headers: { "x-oss-object-acl": "public-read", "Content-Type": "text/plain" } });
	assert.equal((await ask("GET", { Range: "bytes=5-9", "If-Range": before })).text, "abcdefghij");
	await putOpenObject(store);
});
