// SPDX-License-Identifier: Apache-2.0
// Signed requests to the API of the console's port: the resource is /-/console and the path.
import { createHash, createHmac } from "node:crypto";
import { send } from "./oss.js";
import { basicDate, KEY } from "./sign.js";

const ALGORITHM = "OSS4-HMAC-SHA256";

function signV4(method, path, query, headers, now, { id, secret }) {
	const day = basicDate(now).slice(0, 8);
	const scope = `${day}/cn-hangzhou/oss/aliyun_v4_request`;
	const lines = Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}:${value}\n`)
		.sort().join("");
	const canonical = [method, `/-/console${path}`, query, lines, "", "UNSIGNED-PAYLOAD"].join("\n");
	const text = [ALGORITHM, basicDate(now), scope,
		createHash("sha256").update(canonical).digest("hex")].join("\n");
	let key = Buffer.from(`aliyun_v4${secret}`);
	for (const part of [day, "cn-hangzhou", "oss", "aliyun_v4_request"])
		key = createHmac("sha256", key).update(part).digest();
	const signature = createHmac("sha256", key).update(text).digest("hex");
	return `${ALGORITHM} Credential=${id}/${scope},Signature=${signature}`;
}

/**
 * A signed request: {target, headers, body}; `json` is the body of a POST.
 * @param {{json?: unknown, query?: Record<string, string | number>, accessKey?: {id: string,
 *   secret: string, token?: string}}} [options]
 */
export function signed(method, path, { json, query = {}, accessKey = KEY } = {}) {
	const now = new Date();
	const search = Object.entries(query).map(pair => pair.map(encodeURIComponent).join("=")).sort().join("&");
	const headers = {
		...json !== undefined && { "Content-Type": "application/json" },
		"x-oss-content-sha256": "UNSIGNED-PAYLOAD",
		"x-oss-date": basicDate(now),
		...accessKey.token && { "x-oss-security-token": accessKey.token },
	};
	return { target: path + (search && `?${search}`), body: json === undefined ? undefined : JSON.stringify(json),
		headers: { ...headers, Authorization: signV4(method, path, search, headers, now, accessKey) } };
}

/** Asks the API; the answer has {status, headers, text, xml(), json}. @param {Parameters<typeof signed>[2]} [options] */
export async function ask(server, method, path, options = {}) {
	const { target, headers, body } = signed(method, path, options);
	const got = await send(server.console + target, method, headers, body);
	return Object.assign(got, {
		json: /json/.test(got.headers["content-type"]) ? JSON.parse(got.text) : undefined,
	});
}

/** The same signed with V1. */
export function askV1(server, method, path, { accessKey = KEY } = {}) {
	const date = new Date().toUTCString();
	const signature = createHmac("sha1", accessKey.secret)
		.update([method, "", "", date, `/-/console${path}`].join("\n")).digest("base64");
	return send(server.console + path, method,
		{ Date: date, Authorization: `OSS ${accessKey.id}:${signature}` });
}
