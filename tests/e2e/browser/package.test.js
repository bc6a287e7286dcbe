// SPDX-License-Identifier: Apache-2.0
// The npm package's file for <script>, on a site of its own with a strict Content-Security-Policy; and the
// workers, there and on the upload page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPage, startBrowser } from "../lib/browser.js";
import { IMAGES } from "../lib/images.js";
import { getObject, request, sha256 } from "../lib/oss.js";
import { openUploadPage, testFile } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { startSink } from "../lib/sink.js";

const TOP = fileURLToPath(new URL("../../..", import.meta.url));
const CORS = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>POST</AllowedMethod>"
	+ "<AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
	+ "<ExposeHeader>x-oss-hash-crc64ecma</ExposeHeader></CORSRule></CORSConfiguration>";

const all = cleanups();
let server, browser, site;
before(async () => {
	server = await startServer(all);
	const put = await request(server.store, "PUT", "uploads", "",
		{ query: { cors: "" }, body: CORS, headers: { "Content-Type": "application/xml" } });
	assert.equal(put.status, 200, put.text);
	browser = await startBrowser(all);
	const folder = await temporaryFolder(all);
	execFileSync(join(TOP, "tools/client-package"), [join(folder, "package")]);
	const dist = join(folder, "package/dist");
	const files = new Map(await Promise.all((await readdir(dist)).map(async name =>
		[`/scripts/${name}`, await readFile(join(dist, name))])));
	site = await startSink(all, ({ url }, response) => {
		response.setHeader("Content-Type", files.has(url) ? "text/javascript" : "text/html");
		response.setHeader("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; "
			+ `connect-src ${server.app} ${server.store}`);
		response.end(files.get(url) ?? "<!DOCTYPE html><title>site</title><script src=\"/scripts/postern-upload.umd.js\"></script>");
	});
});
after(all.run);

test("by <script>: form and parts are sent, sums and pictures are made in workers", async t => {
	const page = await openPage(t, browser, site.url);
	const workers = [];
	page.on("worker", worker => workers.push(new URL(worker.url()).pathname));
	const uploads = await page.evaluate(async ({ app, picture }) => {
		const { createUploader, createPictures, createProof, multipart } = globalThis.PosternUpload;
		const proof = createProof();
		const uploader = createUploader({ grantUrl: `${app}/grant`, proof, large: multipart({ url: `${app}/s3`, from: 1e6, proof }) });
		const bytes = Uint8Array.from(atob(picture), c => c.charCodeAt(0));
		const files = [await createPictures()(new File([bytes], "umd.png", { type: "image/png" })),
			new File(["x".repeat(1_500_000)], "umd.bin")];
		return Promise.all(files.map(async file => {
			const upload = uploader.add(file);
			upload.start();
			await upload.finished;
			return { state: upload.state, error: upload.error?.message, key: upload.result?.key };
		}));
	}, { app: server.app, picture: IMAGES[0].bytes.toString("base64") });
	assert.deepEqual(uploads.map(({ state, error }) => [state, error]), [["done", undefined], ["done", undefined]]);
	assert.equal((await getObject(server.store, uploads[0].key)).subarray(1, 4).toString(), "PNG");
	assert.equal(sha256(await getObject(server.store, uploads[1].key)), sha256(Buffer.alloc(1_500_000, "x")));
	assert.deepEqual(workers.sort(), ["/scripts/crc64_worker.js", "/scripts/pictures_worker.js"]);
});

test("the upload page's own policy permits its workers", async t => {
	const upload = await openUploadPage(t, browser, server);
	const { page } = upload;
	const workers = [];
	page.on("worker", worker => workers.push(new URL(worker.url()).pathname));
	await upload.open();
	await upload.choose({ name: "dot.png", mimeType: "image/png", buffer: IMAGES[0].bytes }, testFile("a.bin"));
	await page.getByText("Make pictures smaller").click();
	await upload.pressUpload();
	await upload.become("dot.png", "done");
	await upload.become("a.bin", "done");
	assert.deepEqual(workers.sort().map(path => path.split("/").at(-1)), ["crc64_worker.js", "pictures_worker.js"]);
});
