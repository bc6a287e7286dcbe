// SPDX-License-Identifier: Apache-2.0
// Signs in the browser, by WebCrypto: requests and URLs with V4, forms with V1 and V4. It knows
// nothing of the network; the time is the caller's.

export const ALGORITHM = "OSS4-HMAC-SHA256";
const PAYLOAD = "UNSIGNED-PAYLOAD";
const utf8 = new TextEncoder();

/**
 * @typedef {object} Keys
 * @property {string} id
 * @property {string} secret
 * @property {string} [token] of temporary keys
 */

/**
 * What is signed. The path is not encoded yet: `/`, `/bucket/` or `/bucket/key`, whatever way the
 * bucket is named in the request.
 * @typedef {object} Signable
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} [query]
 * @property {Record<string, string>} [headers] names in lower case
 */

/** @typedef {{keys: Keys, region: string, now: Date}} Signer */

/** Percent-encoding that leaves only unreserved characters. @param {string} text */
export function encode(text) {
	return encodeURIComponent(text).replace(/[!'()*]/g,
		c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @param {string} path */
export function encodePath(path) {
	return path.split("/").map(encode).join("/");
}

/** YYYYMMDDTHHMMSSZ @param {Date} date */
export function basicDate(date) {
	return `${date.toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
}

/** @param {Record<string, string>} query */
export function encodeQuery(query) {
	return Object.entries(query).map(([name, value]) => [encode(name), encode(value)])
		.sort(([a], [b]) => a < b ? -1 : 1)
		.map(([name, value]) => value ? `${name}=${value}` : name).join("&");
}

/** @param {Signable} request */
export function canonicalRequest({ method, path, query = {}, headers = {} }) {
	const signed = Object.entries(headers)
		.filter(([name]) => name === "content-type" || name === "content-md5"
			|| name.startsWith("x-oss-"))
		.sort(([a], [b]) => a < b ? -1 : 1)
		.map(([name, value]) => `${name}:${value.trim()}\n`).join("");
	return [method, encodePath(path), encodeQuery(query), signed, "", PAYLOAD].join("\n");
}

/**
 * The headers to send, those given included.
 * @param {Signable} request @param {Signer} signer
 * @returns {Promise<Record<string, string>>}
 */
export async function signHeaders(request, signer) {
	const { keys, now } = signer;
	/** @type {Record<string, string>} */
	const headers = {
		...request.headers,
		"x-oss-content-sha256": PAYLOAD,
		"x-oss-date": basicDate(now),
		...keys.token && { "x-oss-security-token": keys.token },
	};
	const signature = await signCanonical(canonicalRequest({ ...request, headers }), signer);
	headers.authorization = `${ALGORITHM} Credential=${keys.id}/${scopeOf(signer)},Signature=${signature}`;
	return headers;
}

/**
 * The query of a URL that may be used for so many seconds.
 * @param {Signable} request @param {Signer} signer @param {number} seconds
 * @returns {Promise<Record<string, string>>}
 */
export async function presign(request, signer, seconds) {
	const { keys, now } = signer;
	/** @type {Record<string, string>} */
	const query = {
		...request.query,
		"x-oss-signature-version": ALGORITHM,
		"x-oss-credential": `${keys.id}/${scopeOf(signer)}`,
		"x-oss-date": basicDate(now),
		"x-oss-expires": String(seconds),
		...keys.token && { "x-oss-security-token": keys.token },
	};
	query["x-oss-signature"] = await signCanonical(canonicalRequest({ ...request, query }), signer);
	return query;
}

/** @param {Signer} signer */
export function scopeOf({ region, now }) {
	return `${basicDate(now).slice(0, 8)}/${region}/oss/aliyun_v4_request`;
}

/** @param {string} canonical @param {Signer} signer */
async function signCanonical(canonical, signer) {
	const hash = hex(await crypto.subtle.digest("SHA-256", utf8.encode(canonical)));
	const text = [ALGORITHM, basicDate(signer.now), scopeOf(signer), hash].join("\n");
	const key = await signingKey(signer.keys, basicDate(signer.now).slice(0, 8), signer.region);
	return hex(await hmac(key, text));
}

/** The signature of a posted policy. @param {string} policy base64, as posted @param {Signer} signer */
export async function signPolicyV4(policy, { keys, region, now }) {
	return hex(await hmac(await signingKey(keys, basicDate(now).slice(0, 8), region), policy));
}

/** @param {string} policy base64, as posted @param {string} secret */
export async function signPolicyV1(policy, secret) {
	const mac = await hmac(await importKey(utf8.encode(secret), "SHA-1"), policy);
	return btoa(String.fromCharCode(...new Uint8Array(mac)));
}

/**
 * Derived keys are kept for as long as somebody holds the keys that they are made of.
 * @type {WeakMap<Keys, Map<string, Promise<CryptoKey>>>}
 */
const derived = new WeakMap();

/** @param {Keys} keys @param {string} day @param {string} region */
function signingKey(keys, day, region) {
	const known = derived.get(keys) ?? new Map();
	const scope = `${day}/${region}`;
	if (!known.has(scope))
		known.set(scope, derive(keys.secret, [day, region, "oss", "aliyun_v4_request"]));
	derived.set(keys, known);
	return known.get(scope);
}

/** @param {string} secret @param {string[]} parts */
async function derive(secret, parts) {
	let key = await importKey(utf8.encode(`aliyun_v4${secret}`), "SHA-256");
	for (const part of parts)
		key = await importKey(new Uint8Array(await hmac(key, part)), "SHA-256");
	return key;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {"SHA-1" | "SHA-256"} hash */
function importKey(bytes, hash) {
	return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign"]);
}

/** @param {CryptoKey} key @param {string} text */
function hmac(key, text) {
	return crypto.subtle.sign("HMAC", key, utf8.encode(text));
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
	return [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, "0")).join("");
}
