// SPDX-License-Identifier: Apache-2.0
// Signatures of requests, written from the specification and independent of the server's code:
// V1 and V4, in the header and in the URL.
import { createHash, createHmac } from "node:crypto";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET } from "./server.js";

export const KEY = { id: ACCESS_KEY_ID, secret: ACCESS_KEY_SECRET };
const ALGORITHM = "OSS4-HMAC-SHA256";

const encode = text => encodeURIComponent(text).replace(/[!'()*]/g,
	c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const encodePath = text => text.split("/").map(encode).join("/");
const bytewise = ([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const lower = headers => Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);

/** The path and query of a request, path style. */
export function target(bucket, key, query) {
	const search = Object.entries(query)
		.map(([name, value]) => encode(name) + (value === "" ? "" : `=${encode(value)}`)).join("&");
	return `/${encodePath(bucket)}/${encodePath(key)}${search && `?${search}`}`;
}

/** The service is one slash. */
const resource = (bucket, key) => bucket ? `/${bucket}/${key}` : "/";

export function basicDate(date) {
	return `${date.toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
}

/** `subresources` are the queries that count, of all that the request has. */
export function stringToSignV1({ method, bucket, key, headers = {}, date, subresources = {} }) {
	const all = new Map(lower(headers));
	const oss = [...all].filter(([name]) => name.startsWith("x-oss-")).sort(bytewise)
		.map(([name, value]) => `${name}:${value}\n`).join("");
	const sub = Object.entries(subresources).sort(bytewise)
		.map(([name, value]) => value === "" ? name : `${name}=${value}`).join("&");
	return [method, all.get("content-md5") ?? "", all.get("content-type") ?? "", date,
		`${oss}${resource(bucket, key)}${sub && `?${sub}`}`].join("\n");
}

export function signV1(text, key = KEY) {
	return createHmac("sha1", key.secret).update(text).digest("base64");
}

/** The query of a presigned URL. */
export function presignV1({ method = "GET", bucket, key, headers, subresources, expires, accessKey = KEY }) {
	const text = stringToSignV1({ method, bucket, key, headers, date: String(expires), subresources });
	return { ...subresources, OSSAccessKeyId: accessKey.id, Expires: String(expires),
		Signature: signV1(text, accessKey) };
}

function signingKey(secret, day, region) {
	let key = Buffer.from(`aliyun_v4${secret}`);
	for (const part of [day, region, "oss", "aliyun_v4_request"])
		key = createHmac("sha256", key).update(part).digest();
	return key;
}

/** What a V4 signature is made of: {scope, canonical, text, signature}. */
export function signV4({ method, bucket, key, query = {}, headers = {}, additional = [], now = new Date(),
	region = "cn-hangzhou", accessKey = KEY, time = basicDate(now) }) {
	const stamp = basicDate(now);
	const scope = `${stamp.slice(0, 8)}/${region}/oss/aliyun_v4_request`;
	const signed = lower(headers).filter(([name]) => name === "content-type" || name === "content-md5"
		|| name.startsWith("x-oss-") || additional.includes(name)).sort(bytewise);
	const search = Object.entries(query).map(([name, value]) => [encode(name), encode(value)]).sort(bytewise)
		.map(([name, value]) => value === "" ? name : `${name}=${value}`).join("&");
	const canonical = [method, resource(encodePath(bucket), encodePath(key)), search,
		signed.map(([name, value]) => `${name}:${value.trim()}\n`).join(""),
		additional.join(";"), "UNSIGNED-PAYLOAD"].join("\n");
	const text = [ALGORITHM, time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
	const signature = createHmac("sha256", signingKey(accessKey.secret, stamp.slice(0, 8), region))
		.update(text).digest("hex");
	return { scope, canonical, text, signature };
}

/** The headers of a request signed with V4. */
export function headersV4(options) {
	const { now = new Date(), headers = {}, additional = [], accessKey = KEY } = options;
	const all = { ...headers, "x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": basicDate(now) };
	const { scope, signature } = signV4({ ...options, now, headers: all });
	const more = additional.length ? `,AdditionalHeaders=${additional.join(";")}` : "";
	return { ...all,
		Authorization: `${ALGORITHM} Credential=${accessKey.id}/${scope}${more},Signature=${signature}` };
}

/** The query of a URL presigned with V4. */
export function presignV4(options) {
	const { query = {}, now = new Date(), seconds = 60, additional = [], accessKey = KEY,
		region = "cn-hangzhou", method = "GET" } = options;
	const day = basicDate(now).slice(0, 8);
	const all = {
		...query,
		"x-oss-signature-version": ALGORITHM,
		"x-oss-credential": `${accessKey.id}/${day}/${region}/oss/aliyun_v4_request`,
		"x-oss-date": basicDate(now),
		"x-oss-expires": String(seconds),
		...additional.length && { "x-oss-additional-headers": additional.join(";") },
	};
	return { ...all, "x-oss-signature": signV4({ ...options, method, query: all, now }).signature };
}
