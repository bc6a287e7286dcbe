// SPDX-License-Identifier: Apache-2.0
// As store.test.js, of the application server and the console.
import assert from "node:assert/strict";
import { everyAllocationFails } from "../lib/allocations.js";
import { ask } from "../lib/console_api.js";
import { postForm, request, send } from "../lib/oss.js";

let server, store, app;
let count = 0;

const get = key => request(store, "GET", "uploads", key);
const json = (path, body) => send(app + path, "POST", { "Content-Type": "application/json" }, JSON.stringify(body));

async function granted() {
	const { text } = await send(`${app}/grant`);
	return JSON.parse(text);
}

async function begunByApp() {
	const { text } = await json("/s3/multipart", { filename: `${count++}.bin`, type: "text/plain" });
	return JSON.parse(text);
}

async function partByApp() {
	const upload = await begunByApp();
	const { text } = await send(`${app}/s3/multipart/${upload.uploadId}/1?key=${encodeURIComponent(upload.key)}`);
	const part = await send(JSON.parse(text).url, "PUT", {}, "a part");
	assert.equal(part.status, 200, part.text);
	return { ...upload, etag: part.headers.etag };
}

everyAllocationFails({
	"PostObject with a grant and its callback": { prepare: granted,
		run: grant => postForm(store, { key: `${grant.dir}a.txt`, ...grant.fields }, { content: "posted" }) },
	"the token": { run: () => send(`${app}/`) },
	"a grant": { run: () => send(`${app}/grant`) },
	"several grants": { run: () => json("/grants",
		{ files: [{ name: "a.txt", size: 5, type: "text/plain" }, { name: "b.txt", size: 5 }] }) },
	"the state of a grant": { prepare: granted, run: ({ id, grant }) => send(`${app}/grants/${id}?grant=${grant}`) },
	"a callback that nobody signed": { run: () => send(`${app}/`, "POST",
		{ "Content-Type": "application/x-www-form-urlencoded" }, "bucket=uploads&object=a&size=1") },
	"an upload in parts, begun": { run: () => json("/s3/multipart", { filename: "a.bin", type: "text/plain" }) },
	"a URL for a part": { prepare: begunByApp,
		run: ({ key, uploadId }) => send(`${app}/s3/multipart/${uploadId}/1?key=${encodeURIComponent(key)}`) },
	"URLs for parts": { prepare: begunByApp, run: ({ key, uploadId }) =>
		send(`${app}/s3/multipart/${uploadId}/batch?key=${encodeURIComponent(key)}&partNumbers=1,2,3`) },
	"the parts that are there": { prepare: partByApp,
		run: ({ key, uploadId }) => send(`${app}/s3/multipart/${uploadId}?key=${encodeURIComponent(key)}`) },
	"an upload in parts, completed": { prepare: partByApp,
		run: ({ key, uploadId, etag }) => json(`/s3/multipart/${uploadId}/complete?key=${encodeURIComponent(key)}`,
			{ parts: [{ PartNumber: 1, ETag: etag }] }),
		check: async ({ key }) => assert.equal((await get(key)).text, "a part") },
	"an upload in parts, aborted": { prepare: partByApp, run: ({ key, uploadId }) =>
		send(`${app}/s3/multipart/${uploadId}?key=${encodeURIComponent(key)}`, "DELETE") },
	"the page": { run: () => send(`${app}/upload/`) },
	"the console's callbacks": { run: () => ask(server, "GET", "/callbacks") },
	"metrics": { run: () => send(`${server.console}/metrics`) },
}, async started => {
	server = started;
	({ store, app } = server);
});
