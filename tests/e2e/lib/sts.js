// SPDX-License-Identifier: Apache-2.0
// Temporary keys, as ali-oss gets them; and raw calls of STS, signed independently of the server.
import { createHmac, randomUUID } from "node:crypto";
import OSS from "ali-oss";
import { send } from "./oss.js";

export const ROLE = "acs:ram::1234567890123456:role/uploader";

/** A policy that allows the actions on the resources. */
export function allow(actions, resources) {
	return { Version: "1", Statement: [{ Effect: "Allow", Action: actions, Resource: resources }] };
}

/** A temporary key, by ali-oss's own class: {id, secret, token}. */
export async function assumeRole(server, policy = undefined, seconds = 900) {
	const sts = new OSS.STS({
		accessKeyId: server.key.id,
		accessKeySecret: server.key.secret,
		endpoint: `${server.console}/sts/`,
	});
	const { credentials } = await sts.assumeRole(ROLE, policy, seconds, "session");
	return { id: credentials.AccessKeyId, secret: credentials.AccessKeySecret, token: credentials.SecurityToken };
}

const encode = text => encodeURIComponent(text).replace(/[!'()*]/g,
	c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The parameters of a good call, changed by `more`; undefined leaves one out. */
export function signedParams(key, method, more = {}) {
	const { Signature, ...rest } = more;
	const params = Object.entries({
		AccessKeyId: key.id,
		Action: "AssumeRole",
		Format: "JSON",
		RoleArn: ROLE,
		RoleSessionName: "session",
		SignatureMethod: "HMAC-SHA1",
		SignatureNonce: randomUUID(),
		SignatureVersion: "1.0",
		Timestamp: new Date().toISOString().replace(/\.\d+/, ""),
		Version: "2015-04-01",
		...rest,
	}).filter(([, value]) => value !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
	const canonical = params.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
	const text = `${method}&%2F&${encode(canonical)}`;
	params.push(["Signature", Signature ?? createHmac("sha1", `${key.secret}&`).update(text).digest("base64")]);
	return params.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

/** A call; the answer of send(). */
export function callSts(server, more = {}, { method = "POST", path = "/sts/", key = server.key } = {}) {
	const params = signedParams(key, method, more);
	if (method !== "POST")
		return send(`${server.console}${path}?${params}`, method);
	return send(server.console + path, "POST", { "Content-Type": "application/x-www-form-urlencoded" }, params);
}
