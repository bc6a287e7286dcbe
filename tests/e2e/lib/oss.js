// SPDX-License-Identifier: Apache-2.0
// A small client of the store, independent of the server's own code: forms, policies, signatures.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET } from "./server.js";

const KEY = { id: ACCESS_KEY_ID, secret: ACCESS_KEY_SECRET };
/** Queries that are part of what is signed. */
const SUBRESOURCES = new Set(["acl", "append", "bucketInfo", "callback", "callback-var",
	"continuation-token", "cors", "delete", "encryption", "httpsConfig", "inventory", "lifecycle",
	"location", "logging", "objectMeta", "partNumber", "policy", "position", "publicAccessBlock", "referer",
	"replication", "replicationProgress", "requestPayment", "response-cache-control",
	"response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "security-token", "sequential", "stat", "symlink", "tagging",
	"transferAcceleration", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
	"worm"]);

export function base64Json(value) {
	return Buffer.from(JSON.stringify(value)).toString("base64");
}

/** A policy for keys below `dir`, valid for `seconds`. */
export function policy({ bucket = "uploads", dir = "", seconds = 300, conditions = [] } = {}) {
	return base64Json({
		expiration: new Date(Date.now() + seconds * 1000).toISOString(),
		conditions: [{ bucket }, ["starts-with", "$key", dir], ...conditions],
	});
}

/** Fields of a form signed with V1. `more` are put between the key and the policy. */
export function signedFieldsV1(key, more = {}, { text = policy(), accessKey = KEY } = {}) {
	return {
		key,
		...more,
		OSSAccessKeyId: accessKey.id,
		policy: text,
		Signature: createHmac("sha1", accessKey.secret).update(text).digest("base64"),
	};
}

/** Fields of a form signed with V4; `options` are those of policy(). */
export function signedFieldsV4(key, more = {}, options = {}) {
	const { accessKey = KEY, region = "cn-hangzhou", now = new Date() } = options;
	const date = `${now.toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
	const day = date.slice(0, 8);
	const fields = {
		"x-oss-signature-version": "OSS4-HMAC-SHA256",
		"x-oss-credential": `${accessKey.id}/${day}/${region}/oss/aliyun_v4_request`,
		"x-oss-date": date,
	};
	const conditions = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
	const text = policy({ ...options, conditions: [...conditions, ...options.conditions ?? []] });
	return {
		key,
		...more,
		...fields,
		policy: text,
		"x-oss-signature": policySignatureV4(text, day, region, accessKey),
	};
}

/** The V4 signature of a policy as it is posted. */
export function policySignatureV4(text, day, region = "cn-hangzhou", accessKey = KEY) {
	let signingKey = Buffer.from(`aliyun_v4${accessKey.secret}`);
	for (const part of [day, region, "oss", "aliyun_v4_request"])
		signingKey = createHmac("sha256", signingKey).update(part).digest();
	return createHmac("sha256", signingKey).update(text).digest("hex");
}

/**
 * multipart/form-data as browsers write it. Fields are an object or a list of [name, value]; the
 * file, if there is one, comes last.
 */
export function multipart(fields, file, boundary = `----test${randomBytes(12).toString("hex")}`) {
	const parts = [];
	for (const [name, value] of Array.isArray(fields) ? fields : Object.entries(fields)) {
		parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; `
			+ `name="${escapeName(name)}"\r\n\r\n`), Buffer.from(value), Buffer.from("\r\n"));
	}
	if (file) {
		const { name = "file.bin", type = "application/octet-stream", content = "" } = file;
		parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; `
			+ `filename="${escapeName(name)}"\r\nContent-Type: ${type}\r\n\r\n`),
		Buffer.from(content), Buffer.from("\r\n"));
	}
	parts.push(Buffer.from(`--${boundary}--\r\n`));
	return { type: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(parts) };
}

function escapeName(name) {
	return name.replace(/"/g, "%22").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** Posts a form to a bucket, path style. */
export async function postForm(store, fields, file, { bucket = "uploads", headers = {} } = {}) {
	const { type, body } = multipart(fields, file);
	return send(`${store}/${bucket}`, "POST", { "Content-Type": type, ...headers }, body);
}

/**
 * A request signed with V1 in its Authorization header; of the service if `bucket` is empty.
 *
 *     await request(server.store, "PUT", "uploads", "a/b.txt", { body: "..." })
 */
export async function request(store, method, bucket, key = "", options = {}) {
	const { query = {}, headers = {}, body, accessKey = KEY } = options;
	const given = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
	const date = new Date().toUTCString();
	const oss = [...given].filter(([name]) => name.startsWith("x-oss-")).sort(byName)
		.map(([name, value]) => `${name}:${value}\n`).join("");
	const sub = Object.entries(query).filter(([name]) => SUBRESOURCES.has(name)).sort(byName)
		.map(pair => join(pair, "=")).join("&");
	if (body !== undefined && !given.has("content-type"))
		given.set("content-type", "application/octet-stream");
	const resource = `/${bucket}${bucket ? "/" : ""}${key}${sub && `?${sub}`}`;
	const text = [method, given.get("content-md5") ?? "", given.get("content-type") ?? "", date,
		oss + resource].join("\n");
	const signature = createHmac("sha1", accessKey.secret).update(text).digest("base64");
	const search = Object.entries(query)
		.map(([name, value]) => join([encodeURIComponent(name), encodeURIComponent(value)], "="))
		.join("&");
	const path = bucket && [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
	return send(`${store}/${path}${search && `?${search}`}`, method, {
		...Object.fromEntries(given),
		Date: date,
		Authorization: `OSS ${accessKey.id}:${signature}`,
	}, body);
}

function byName([a], [b]) {
	return a < b ? -1 : 1;
}

/** name=value, or the name alone when the value is empty. */
function join([name, value], by) {
	return value === "" ? name : name + by + value;
}

/**
 * Sends a request whose path is taken as it is (fetch would tidy it up). The answer has its body
 * read: {status, headers, body, text, xml(name)}.
 */
export function send(url, method = "GET", headers = {}, body = undefined) {
	const { origin, hostname, port, protocol } = new URL(url);
	const open = protocol === "https:" ? httpsRequest : httpRequest;
	const length = body === undefined && method !== "PUT" && method !== "POST" ? {}
		: { "Content-Length": Buffer.byteLength(body ?? "") };
	return new Promise((done, fail) => {
		const request = open({
			hostname: hostname.replace(/^\[|\]$/g, ""), port, path: url.slice(origin.length) || "/", method, agent: false,
			rejectUnauthorized: false,
			headers: { ...length, ...headers },
		});
		request.on("error", fail);
		request.on("response", async response => {
			const pieces = [];
			try {
				for await (const piece of response)
					pieces.push(piece);
			} catch (error) {
				fail(error);
				return;
			}
			const bytes = Buffer.concat(pieces);
			const text = bytes.toString();
			done({
				status: response.statusCode,
				headers: response.headers,
				body: bytes,
				text,
				/** The text of an element of the XML. */
				xml: name => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? null,
			});
		});
		request.end(body);
	});
}

/** A GET that may be cut off: what arrives, and whether that is all that was announced. */
export function download(url, headers = {}) {
	const ask = url.startsWith("https:") ? httpsRequest : httpRequest;
	return new Promise((done, fail) => {
		const asked = ask(url, { agent: false, rejectUnauthorized: false, headers }, response => {
			const pieces = [];
			const end = () => done({ status: response.statusCode, headers: response.headers,
				bytes: Buffer.concat(pieces), complete: response.complete });
			response.on("data", piece => pieces.push(piece));
			response.on("error", () => {});
			response.on("close", end);
		});
		asked.on("error", fail);
		asked.end();
	});
}

/** The bytes of an object, or null if there is none. */
export async function getObject(store, key, bucket = "uploads") {
	const got = await request(store, "GET", bucket, key);
	if (got.status === 404)
		return null;
	if (got.status !== 200)
		throw new Error(`GET ${key}: ${got.status} ${got.text}`);
	return got.body;
}

/** The SHA-256 of an object that is too large for memory. */
export async function objectHash(store, key, bucket = "uploads") {
	const date = new Date().toUTCString();
	const signature = createHmac("sha1", KEY.secret).update(`GET\n\n\n${date}\n/${bucket}/${key}`).digest("base64");
	const asked = httpRequest(`${store}/${[bucket, ...key.split("/")].map(encodeURIComponent).join("/")}`,
		{ agent: false, headers: { Date: date, Authorization: `OSS ${KEY.id}:${signature}` } });
	asked.end();
	const [answer] = await once(asked, "response");
	if (answer.statusCode !== 200)
		throw new Error(`GET ${key}: ${answer.statusCode}`);
	const hash = createHash("sha256");
	for await (const piece of answer)
		hash.update(piece);
	return hash.digest("hex");
}

/** The names of all objects of a bucket. */
export async function listObjects(store, bucket = "uploads") {
	const got = await request(store, "GET", bucket, "", { query: { "encoding-type": "url" } });
	if (got.status !== 200)
		throw new Error(`list: ${got.status} ${got.text}`);
	return [...got.text.matchAll(/<Key>([^<]*)<\/Key>/g)]
		.map(([, key]) => decodeURIComponent(key.replace(/\+/g, " ")));
}

export function sha256(bytes) {
	return createHash("sha256").update(bytes).digest("hex");
}
