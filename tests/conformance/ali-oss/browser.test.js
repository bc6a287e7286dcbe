// SPDX-License-Identifier: Apache-2.0
// The SDK's bundle for browsers, in Chromium, on a page of another origin than the store's.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { aliClient } from "../../e2e/lib/ali.js";
import { openPage, startBrowser } from "../../e2e/lib/browser.js";
import { getObject } from "../../e2e/lib/oss.js";
import { cleanups, startServer } from "../../e2e/lib/server.js";

const BUNDLE = fileURLToPath(new URL("../../node_modules/ali-oss/dist/aliyun-oss-sdk.js", import.meta.url));
const all = cleanups();
let server, browser, site;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
	site = await startSite();
	await aliClient(server).putBucketCORS("uploads", [{ allowedOrigin: site, allowedMethod: ["GET", "PUT", "POST",
		"DELETE", "HEAD"], allowedHeader: "*", exposeHeader: ["ETag", "x-oss-request-id", "x-oss-next-append-position"] }]);
});
after(all.run);

/** A web site with the SDK on its only page; its origin. */
async function startSite() {
	const bundle = await readFile(BUNDLE);
	const site = createServer((request, response) => {
		const script = request.url === "/sdk.js";
		response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
		response.end(script ? bundle : "<!doctype html><title>SDK</title><script src=\"/sdk.js\"></script>");
	});
	await new Promise(done => site.listen(0, "127.0.0.1", done));
	all.after(() => new Promise(done => site.close(done)));
	return `http://127.0.0.1:${site.address().port}`;
}

/** A page on which `oss` is a client. `style` is host, as bucket.localhost, or path. */
async function openSdk(t, { v4, style }) {
	const page = await openPage(t, browser, `${site}/`);
	await page.evaluate(options => {
		globalThis.oss = new OSS(options);
		globalThis.bytes = n => Uint8Array.from({ length: n }, (_, i) => i * i % 251);
	}, {
		accessKeyId: server.key.id, accessKeySecret: server.key.secret, bucket: "uploads", region: "oss-cn-hangzhou",
		endpoint: server.store.replace("127.0.0.1", "localhost"), sldEnable: style === "path", authorizationV4: v4,
		retryMax: 0,
	});
	return page;
}

const bytes = n => Buffer.from(Uint8Array.from({ length: n }, (_, i) => i * i % 251));

for (const v4 of [false, true]) {
	for (const style of ["host", "path"]) {
		const how = `${v4 ? "V4" : "V1"}, ${style} style`;
		test(`objects from a browser, ${how}`, async t => {
			const page = await openSdk(t, { v4, style });
			const name = `browser/中文 a+b ${style}`;
			const seen = await page.evaluate(async name => {
				const put = await oss.put(name, new Blob([bytes(300_000)]), { mime: "text/x", meta: { who: "me" } });
				const got = await oss.get(name);
				const head = await oss.head(name);
				const listed = await oss.listV2({ prefix: "browser/", "max-keys": 10 });
				const url = oss.signatureUrl(name, { expires: 60 });
				return { put: put.res.status, got: Array.from(got.content.slice(0, 300)), size: got.content.length,
					type: head.res.headers["content-type"], listed: listed.objects.map(entry => entry.name),
					signed: (await (await fetch(url)).arrayBuffer()).byteLength };
			}, name);
			assert.deepEqual(seen, { put: 200, got: [...bytes(300)], size: 300_000, type: "text/x", listed: [name],
				signed: 300_000 });
			assert.ok((await getObject(server.store, name)).equals(bytes(300_000)));
			const refused = await page.evaluate(async name => {
				const deleted = (await oss.delete(name)).res.status;
				return [deleted, await oss.get(name).catch(error => `${error.status} ${error.code}`)];
			}, name);
			assert.deepEqual(refused, [204, "404 NoSuchKey"]);
		});

		test(`multipartUpload from a browser, and going on with one, ${how}`, async t => {
			const page = await openSdk(t, { v4, style });
			const name = `multi/${style}`;
			const seen = await page.evaluate(async name => {
				const file = new File([bytes(1_000_000)], "x.bin");
				const progress = [];
				let checkpoint;
				// Cancelled after four parts; the second attempt goes on behind them.
				const first = await oss.multipartUpload(name, file, { partSize: 102_400, parallel: 1,
					progress: (done, at) => {
						checkpoint = at;
						if (at?.doneParts.length === 4)
							oss.cancel();
					} }).catch(error => error.name);
				const done = checkpoint.doneParts.length;
				const second = await oss.multipartUpload(name, file, { checkpoint, parallel: 2,
					progress: part => void progress.push(part), meta: { who: "me" } });
				return { first, done, status: second.res.status, steps: progress.length, last: progress.at(-1) };
			}, name);
			assert.deepEqual(seen, { first: "cancel", done: 4, status: 200, steps: seen.steps, last: 1 });
			assert.ok(seen.steps <= 7, `${seen.steps} steps, for 6 parts`);
			assert.ok((await getObject(server.store, name)).equals(bytes(1_000_000)));
		});
	}
}
