// SPDX-License-Identifier: Apache-2.0
// Messages that postern's parsers and that of Node.js (llhttp) read: where both accept one they must agree on
// method, target, headers and body, or a proxy and the server could disagree about where a request ends. What only
// one of them accepts must have a reason that is listed here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { BIN } from "../lib/server.js";

const CORPUS = fileURLToPath(new URL("../../fuzz/corpus/", import.meta.url));
const PROGRAM = join(dirname(BIN), "tests/differential/messages");
const COUNT = Number(process.env.DIFFERENTIAL_MESSAGES ?? 40_000);
const BATCH = 20_000;

// It has no public name; http.Server is made of it.
const { HTTPParser, methods: METHODS } = process.binding("http_parser");

// ---- The two readers: {result: "done" | "more" | "bad", method, target, headers: [[name, value]], body} ----

function readByNode(bytes) {
	const parser = new HTTPParser();
	const got = { result: "more", headers: [], body: [] };
	const add = list => {
		for (let i = 0; i + 1 < list.length; i += 2)
			got.headers.push([list[i], list[i + 1]]);
	};
	let over = false;
	parser.initialize(HTTPParser.REQUEST, {}, 1 << 20);
	parser[HTTPParser.kOnHeaders | 0] = (headers, url) => {
		if (!got.head)
			add(headers);
		got.url = (got.url ?? "") + url;
	};
	parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, headers, method, url, status, text, upgrade) => {
		if (over)
			return 0;
		got.head = true;
		add(headers ?? []);
		Object.assign(got, { major, minor, method: METHODS[method], target: url ?? got.url, upgrade });
		return 0;
	};
	parser[HTTPParser.kOnBody | 0] = (piece, from = 0, length = piece.length) => {
		if (!over)
			got.body.push(Buffer.from(piece.subarray(from, from + length)));
	};
	parser[HTTPParser.kOnMessageComplete | 0] = () => {
		over = true;
	};
	const end = parser.execute(bytes);
	if (over)
		got.result = "done";
	else if (end instanceof Error)
		Object.assign(got, { result: "bad", fault: end.reason ?? end.code });
	got.body = Buffer.concat(got.body);
	parser.close();
	return got;
}

async function readByPostern(messages) {
	const child = spawn(PROGRAM, { stdio: ["pipe", "pipe", "inherit"] });
	const pieces = [];
	child.stdout.on("data", piece => pieces.push(piece));
	const ended = new Promise((done, fail) => child.on("close", code => (code ? fail(new Error(`exit ${code}`)) : done())).on("error", fail));
	for (const message of messages) {
		const size = Buffer.alloc(4);
		size.writeUInt32LE(message.length);
		child.stdin.write(size);
		child.stdin.write(message);
	}
	child.stdin.end();
	await ended;
	const text = hex => Buffer.from(hex, "hex").toString("latin1");
	return Buffer.concat(pieces).toString().trimEnd().split("\n").map(line => {
		const got = JSON.parse(line);
		if (!got.method)
			return { ...got, result: got.result === "more" ? "more" : "bad" };
		const headers = [];
		for (let i = 0; i < got.headers.length; i += 2)
			headers.push([text(got.headers[i]), text(got.headers[i + 1])]);
		return { ...got, headers, method: text(got.method), target: text(got.target), body: Buffer.from(got.body, "hex") };
	});
}

// ---- What may differ -----------------------------------------------------------------------------

/** What only postern refuses: the reason that it gives, or how the message looks. */
const STRICTER = [
	// It has no HTTP/0.9, which is what Node.js takes a line without a version for.
	/the request line is not METHOD, target and HTTP\/1\.1/,
	// Empty lines before a request end with CR and LF, as all lines do.
	/a line of the head does not end with CR and LF/,
	/the request does not begin with a method/,
	// Node.js leaves these to whoever reads the headers.
	/there is no Host header/,
	/there are two Host headers, or one that is no host/,
	/the target of the request is not valid/,
	/the Expect header is not 100-continue/,
	// Nothing else is decoded, and HTTP/1.0 had no codings.
	/there are two Transfer-Encoding headers, or one that is not chunked/,
	/Transfer-Encoding is not for HTTP\/1\.0/,
	// `005` is not one of the ways to write 5.
	/there are two Content-Length headers, or one that is no number of bytes/,
	// A size has 16 digits at most, whatever zeros it begins with.
	/\r\n[0-9A-Fa-f]{17}/,
];
/** What only Node.js refuses: its reason, and after a line break the message. */
const LAXER = [
	// A method is any token, and the answer is 405; bytes from 0x80 in a target are of its name.
	/^Invalid method encountered\n/,
	/^Expected space after method\n/,
	/^Invalid char in url (path|query)\n/,
	// The store takes both lengths, goes by the chunks, and closes: docs/decisions/0022-both-lengths.md.
	/^Transfer-Encoding can't be present with Content-Length\n/,
	// White space may stand behind a size; what stands in an extension is not looked at, but for its end.
	/^Invalid character in chunk size\n/,
	/^Invalid character in chunk extensions/,
	// A tab behind a value is white space, as everywhere.
	/^Invalid character in Content-Length\n[^]*content-length:[^\r\n]*\d *\t[ \t]*\r\n/i,
	/^Request has invalid `Transfer-Encoding`\n[^]*transfer-encoding:[^\r\n]*chunked *\t[ \t]*\r\n/i,
	// Trailers are thrown away, whatever their names: they say nothing of the body any more.
	/^Content-Length can't be present with Transfer-Encoding\n/,
	/^Invalid `Transfer-Encoding` header value\n/,
];

// ---- Messages ------------------------------------------------------------------------------------

function random(seed) {
	let state = seed >>> 0 || 1;
	return below => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

const corpus = name => readdirSync(join(CORPUS, name)).map(file => readFileSync(join(CORPUS, name, file)));
const latin1 = text => Buffer.from(text, "latin1");
const HEADS = ["POST / HTTP/1.1\r\nHost: a\r\n", "GET /a?b=c HTTP/1.1\r\nHost: a:1\r\nAccept: */*\r\n", "PUT /x HTTP/1.0\r\n"];
const SEEDS = [
	...corpus("head"),
	...corpus("chunked").map(body => Buffer.concat([latin1(`${HEADS[0]}Transfer-Encoding: chunked\r\n\r\n`), body])),
	...HEADS.map(head => latin1(`${head}Content-Length: 5\r\n\r\n12345GET / HTTP/1.1\r\n`)),
	...HEADS.map(head => latin1(`${head}X: 1\r\nx: 2\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n123\r\n0\r\nT: 1\r\n\r\nGET`)),
];
const PIECES = ["\r\n", "\n", "\r", " ", "\t", "\0", "\x0b", "\x7f", "\x80", "\xff", ":", ";", ",", "\"", "0", "00", "+", "-", "5", "f", "0x",
	"10000000000000000", "Content-Length: 5\r\n", "Content-Length: 3\r\n", "Content-Length:\r\n", "Content-Length: 5, 5\r\n",
	"content-length : 5\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
	"Transfer-Encoding:\tchunked \r\n", "Transfer-Encoding: chunked, chunked\r\n", "transfer-encoding: CHUNKED\r\n", "Host: b\r\n", "Host:\r\n",
	" folded\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n", "X: \x80\r\n", "X:\r\n",
	"X:  a b \t\r\n", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/1.2", "http://a/b", "*", "GET ", "CONNECT a:1 ", "#", "?"].map(latin1);

/** Some changes to one of the seeds. */
function mutate(next) {
	let bytes = SEEDS[next(SEEDS.length)];
	for (let i = next(4); i >= 0; i--) {
		const at = next(bytes.length + 1), end = Math.min(bytes.length, at + next(8));
		const lines = bytes.toString("latin1").split(/(?<=\n)/);
		const choice = next(6);
		if (choice === 0)
			bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([next(256)]), bytes.subarray(at + 1)]);
		else if (choice === 1)
			bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
		else if (choice === 2)
			bytes = Buffer.concat([bytes.subarray(0, at), PIECES[next(PIECES.length)], bytes.subarray(at)]);
		else if (choice === 3)
			lines.splice(next(lines.length + 1), 0, PIECES[next(PIECES.length)].toString("latin1"));
		else if (choice === 4)
			lines.splice(next(lines.length + 1), 0, lines[next(lines.length)] ?? "");
		else
			lines.splice(next(lines.length), 1);
		if (choice > 2)
			bytes = latin1(lines.join(""));
	}
	return bytes;
}

// ---- Comparing -----------------------------------------------------------------------------------

/** What they disagree on, or null. */
function disagreement(own, node, text) {
	// One that has not decided yet has not been led astray.
	if (own.result === "more" || node.result === "more" && own.result === "bad")
		return null;
	if (own.result === "bad")
		return node.result === "bad" || STRICTER.some(why => why.test(own.fault) || why.test(text)) ? null
			: `postern alone refuses it: ${own.fault || "its body"}`;
	if (node.result === "bad")
		return LAXER.some(why => why.test(`${node.fault}\n${text}`)) ? null : `Node.js alone refuses it: ${node.fault}`;
	// After `Connection: upgrade` Node.js reads no further, and leaves the body to its caller.
	if (node.result === "more" && !node.upgrade)
		return "Node.js waits for more";
	// Postern takes an absolute target apart.
	if (own.method !== node.method || !node.target.endsWith(own.target) && own.target !== "/")
		return `method or target: ${own.method} ${own.target}, ${node.method} ${node.target}`;
	const [ours, theirs] = [own.headers, node.headers].map(list => JSON.stringify(list));
	if (ours !== theirs)
		return `headers: ${ours}, ${theirs}`;
	if (!node.upgrade && !own.body.equals(node.body))
		return `body: ${own.body.length} bytes, ${node.body.length}`;
	return null;
}

test("postern and Node.js read the same, or one of them refuses for a reason that is known", async () => {
	const next = random(Number(process.env.DIFFERENTIAL_SEED ?? 1));
	const found = new Map();
	const tally = { done: 0, bad: 0, more: 0 };
	for (let made = 0; made < COUNT; made += BATCH) {
		const messages = [...made === 0 ? SEEDS : []];
		while (messages.length < Math.min(BATCH, COUNT - made))
			messages.push(mutate(next));
		const answers = await readByPostern(messages);
		assert.equal(answers.length, messages.length);
		for (const [i, own] of answers.entries()) {
			tally[own.result]++;
			const text = messages[i].toString("latin1");
			const what = disagreement(own, readByNode(messages[i]), text);
			if (what && !found.has(what))
				found.set(what, text);
		}
	}
	const report = [...found].slice(0, 50).map(([what, text]) => `${what}\n    ${JSON.stringify(text)}`).join("\n");
	assert.equal(found.size, 0, `${found.size} disagreements:\n${report}`);
	// Neither reader saw rubbish only.
	for (const [result, count] of Object.entries(tally))
		assert.ok(count > COUNT / 50, `${result}: ${count} of ${COUNT}`);
});
