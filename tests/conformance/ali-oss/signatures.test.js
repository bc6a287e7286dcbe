// SPDX-License-Identifier: Apache-2.0
// Signatures that ali-oss makes for requests of all kinds must be taken, in the four ways there are,
// and must not be once the request is another. SIGNATURE_ROUNDS and SIGNATURE_SEED choose how many
// there are, and which.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { request as httpRequest, Agent } from "node:http";
import { after, before, test } from "node:test";
import OSS from "ali-oss";
import { cleanups, startServer } from "../../e2e/lib/server.js";

const signUtils = createRequire(import.meta.url)("ali-oss/lib/common/signUtils.js");
const ROUNDS = Number(process.env.SIGNATURE_ROUNDS ?? 100);
const SEED = Number(process.env.SIGNATURE_SEED ?? 1);
const REGION = "cn-hangzhou";
const all = cleanups();
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let server;
before(async () => {
	server = await startServer(all);
});
after(() => agent.destroy());
after(all.run);

// ---- What is asked for --------------------------------------------------------------------------

/** Mulberry32: the same seed gives the same requests. */
function randomOf(seed) {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = n => Math.floor(next() * n);
	return { below, pick: list => list[below(list.length)], chance: share => next() < share };
}

const PIECES = ["a", "Z", "9", " ", "+", "%", "%2B", "%20", "&", "=", "/", "//", ";", ":", ",", "!", "'", "(", ")", "*", "~",
	"-", "_", ".", "@", "$", "\"", "<", "|", "中", "é", "😀", "\u00a0", "e\u0301"];
// What V1 signs of a query. A request that is for no operation at all is answered before it is known
// whose it is: so these are for all methods, and those of OPERATIONS come with theirs.
const SIGNED = ["versionId", "response-content-type", "response-expires", "response-cache-control",
	"response-content-language", "response-content-disposition", "response-content-encoding"];
const OPERATIONS = { GET: ["", "", "acl", "tagging"], HEAD: [""], PUT: ["", "", "acl", "tagging"], DELETE: ["", "tagging"], POST: ["append"] };

function text(random, most, pieces = PIECES) {
	return Array.from({ length: random.below(most + 1) }, () => random.pick(pieces)).join("");
}

function choose(random) {
	const headers = {};
	const queries = {};
	const method = random.pick(Object.keys(OPERATIONS));
	const operation = random.pick(OPERATIONS[method]);
	if (operation)
		queries[operation] = "";
	if (operation === "append")
		queries.position = "0";
	for (let i = random.below(4); i > 0; i--)
		headers[`x-oss-meta-${random.pick(["a", "B", "b-c", "x1"])}${random.below(3)}`] = `v${text(random, 6)}`.trim();
	if (random.chance(0.5))
		headers["Content-Type"] = random.pick(["text/plain", "text/html; charset=utf-8", "a/b+c"]);
	if (random.chance(0.3))
		headers["Content-MD5"] = "1B2M2Y8AsgTpgAmY7PhCfg==";
	for (let i = random.below(4); i > 0; i--)
		queries[random.pick(SIGNED)] = text(random, 5);
	// ali-oss sorts names as words of a language, OSS by their bytes: these have the same order in both.
	for (let i = random.below(3); i > 0; i--)
		queries[`q${i}${random.pick(["", "-", "_", ".", "~", "中", "(", "+"])}`] = text(random, 5);
	return { method, key: `k${text(random, 8)}`, headers, queries, more: random.chance(0.5) };
}

// ---- How it is signed ---------------------------------------------------------------------------

const escape = value => encodeURIComponent(value).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
/** ali-oss gives a header's text to the wire as it is; bytes above ASCII are sent as they are signed. */
const bytesOf = value => Buffer.from(value, "utf8").toString("latin1");

function query(queries, bare) {
	const pairs = Object.entries(queries).map(([name, value]) =>
		value === "" && bare ? escape(name) : `${escape(name)}=${escape(value)}`);
	return pairs.length ? `?${pairs.join("&")}` : "";
}

function client() {
	return new OSS({ accessKeyId: server.key.id, accessKeySecret: server.key.secret, bucket: "uploads", region: `oss-${REGION}`,
		endpoint: server.store.replace("127.0.0.1", "localhost"), sldEnable: true, secure: false, retryMax: 0 });
}

const time = () => new Date().toISOString().replace(/[-:]|\.\d+/g, "");
const signedOnly = queries => Object.fromEntries(Object.entries(queries).filter(([name]) =>
	[...SIGNED, "acl", "tagging", "append", "position"].includes(name)));
const pathOf = key => `/uploads/${key.split("/").map(escape).join("/")}`;

/** Each gives {method, path, headers} as they go onto the wire. */
const WAYS = {
	"V1 header"({ method, key, headers, queries }) {
		const sent = { ...headers, "x-oss-date": new Date().toUTCString() };
		const subresources = signedOnly(queries);
		const authorization = client().authorization(method, `/uploads/${key}`, subresources, sent);
		return { method, path: pathOf(key) + query(queries, true), headers: { ...sent, authorization } };
	},
	"V1 URL"({ method, key, headers, queries }) {
		const subResource = signedOnly(queries);
		const expires = Math.floor(Date.now() / 1000) + 600;
		const { Signature } = signUtils._signatureForURL(server.key.secret, { method, subResource, ...headers },
			`/uploads/${key}`, expires);
		return { method, headers,
			path: pathOf(key) + query({ ...queries, OSSAccessKeyId: server.key.id, Expires: String(expires), Signature }, false) };
	},
	"V4 header"({ method, key, headers, queries, more }) {
		const sent = { ...headers, "x-oss-date": time(), "x-oss-content-sha256": "UNSIGNED-PAYLOAD" };
		if (more)
			sent["Cache-Control"] = "no-cache";
		const authorization = client().authorizationV4(method, { headers: sent, queries }, "uploads", key,
			more ? ["Cache-Control"] : []);
		return { method, path: pathOf(key) + query(queries, false), headers: { ...sent, authorization } };
	},
	async "V4 URL"({ method, key, headers, queries, more }) {
		const sent = more ? { ...headers, "Cache-Control": "no-cache" } : headers;
		const url = await client().signatureUrlV4(method, 600, { headers: sent, queries }, key,
			more ? ["cache-control"] : []);
		// As it is: a URL object would take `/./` for `/`.
		return { method, path: url.slice(url.indexOf("/", "http://".length)), headers: sent };
	},
};

// ---- What becomes of it -------------------------------------------------------------------------

/** The code of the answer; HEAD has none but in a header. */
function send({ method, path, headers }) {
	const { hostname, port } = new URL(server.store);
	const lines = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, bytesOf(value)]));
	return new Promise((resolve, reject) => {
		const request = httpRequest({ agent, hostname, port, method, path,
			headers: { ...lines, Host: "localhost", "Content-Length": "0" } }, response => {
			const parts = [];
			response.on("data", part => parts.push(part)).on("error", reject).on("end", () => {
				const body = Buffer.concat(parts).toString();
				const head = Buffer.from(String(response.headers["x-oss-err"] ?? ""), "base64").toString();
				resolve({ status: response.statusCode, body: body || head,
					code: /<Code>(\w+)/.exec(body || head)?.[1] ?? "" });
			});
		});
		request.on("error", reject).end();
	});
}

/** V1 signs decoded text: what could be read as another request is refused whoever signed it. */
const isAmbiguous = ({ key, queries }) =>
	key.includes("?") || Object.entries(signedOnly(queries)).some(([, value]) => /[&?]/.test(value));

const CHANGES = {
	"another method": sent => sent.method !== "POST" &&
		{ ...sent, method: { GET: "PUT", PUT: "GET", DELETE: "GET", HEAD: "GET" }[sent.method] },
	"another key": sent => ({ ...sent, path: sent.path.replace("/uploads/k", "/uploads/K") }),
	"a header more": sent => ({ ...sent, headers: { ...sent.headers, "x-oss-meta-added": "1" } }),
	"another header": sent => ({ ...sent, headers: { ...sent.headers, "Content-Type": "text/changed" } }),
	"a sub-resource more": sent => {
		const more = SIGNED.find(name => !sent.path.includes(name));
		return more && { ...sent, path: `${sent.path}${sent.path.includes("?") ? "&" : "?"}${more}=0000000000000009` };
	},
	"another signature": sent => {
		const turn = value => value.replace(/(Signature=|signature=|OSS [^:]+:)([^&])/,
			(_, name, first) => name + (first === "0" ? "1" : "0"));
		const headers = sent.headers.authorization
			? { ...sent.headers, authorization: turn(sent.headers.authorization) } : sent.headers;
		return { ...sent, headers, path: sent.headers.authorization ? sent.path : turn(sent.path) };
	},
};

for (const [index, [way, sign]] of Object.entries(WAYS).entries()) {
	test(`${way}: ${ROUNDS} requests of ali-oss, and changed ones`, async () => {
		const random = randomOf(SEED * 4 + index);
		let taken = 0;
		for (let round = 0; round < ROUNDS; round++) {
			const asked = choose(random);
			const sent = await sign(asked);
			const says = answer => `round ${round}: ${JSON.stringify(asked)} as ${JSON.stringify(sent)}: ${answer.status} ${answer.body}`;
			const ambiguous = way.startsWith("V1") && isAmbiguous(asked);
			const answer = await send(sent);
			if (!ambiguous) {
				assert.notEqual(answer.status, 403, says(answer));
				assert.notEqual(answer.status, 401, says(answer));
				assert.ok(answer.status < 500 || answer.code === "NotImplemented", says(answer));
				taken++;
			}
			const possible = Object.entries(CHANGES).map(([what, change]) => [what, change(sent)]).filter(([, made]) => made);
			const [what, made] = random.pick(possible);
			const changed = await send(made);
			assert.equal(changed.status, 403, `${what}: ${says(changed)}`);
			if (made.method !== "HEAD" && !ambiguous)
				assert.equal(changed.code, "SignatureDoesNotMatch", `${what}: ${says(changed)}`);
		}
		assert.ok(taken > ROUNDS / 2, "most requests have one meaning only");
	});
}
