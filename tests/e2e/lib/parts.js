// SPDX-License-Identifier: Apache-2.0
// Uploads in parts through the application server (docs/multipart.md).
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request, send } from "./oss.js";
import { startServer, temporaryFolder } from "./server.js";

/** The smallest size of all parts but the last. */
export const PART = 5 * 1024 * 1024;

/** Starts a server with that configuration. */
export async function startWith(t, config, env = {}) {
	const folder = await temporaryFolder(t);
	const file = join(folder, "postern.ini");
	await writeFile(file, config);
	return startServer(t, { data: folder, env, args: ["--data", join(folder, "data"),
		"--config", file, "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"] });
}

export async function ask(at, method, path, body, headers = {}) {
	const got = await send(`${at.app}/s3${path}`, method,
		{ ...body === undefined ? {} : { "Content-Type": "application/json" }, ...headers },
		body === undefined ? undefined : JSON.stringify(body));
	return { status: got.status, headers: got.headers, json: JSON.parse(got.text) };
}

export async function begin(at, wish = {}, headers = {}) {
	const got = await ask(at, "POST", "/multipart",
		{ filename: "film.txt", type: "text/plain", metadata: {}, ...wish }, headers);
	assert.equal(got.status, 200, JSON.stringify(got.json));
	return got.json;
}

export const path = (upload, rest = "", query = {}) => `/multipart/${
	encodeURIComponent(upload.uploadId)}${rest}?${new URLSearchParams({ key: upload.key, ...query })}`;

export async function put(at, upload, number, content, query = {}) {
	const { status, json } = await ask(at, "GET", path(upload, `/${number}`, query));
	assert.equal(status, 200, JSON.stringify(json));
	const got = await send(json.url, "PUT", {}, content);
	return { status: got.status, part: { PartNumber: number, ETag: got.headers.etag }, text: got.text };
}

export const complete = (at, upload, parts, more = {}) =>
	ask(at, "POST", path(upload, "/complete"), { parts, ...more });

/** What became of its grant. */
export const stateOf = async (at, { id, grant }) =>
	JSON.parse((await send(`${at.app}/grants/${id}?grant=${grant}`)).text);

/** The keys of the uploads that the store has, each as often as it is there. */
export async function openUploads(at) {
	const { text } = await request(at.store, "GET", "uploads", "", { query: { uploads: "" } });
	return [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key);
}

/** Waits for what happens in its own time. */
export async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, what);
		await new Promise(done => setTimeout(done, 200));
	}
}
