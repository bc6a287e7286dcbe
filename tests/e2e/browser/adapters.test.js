// SPDX-License-Identifier: Apache-2.0
// The library below Uppy and FilePond as npm has them, and as an element of a form.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { violations } from "../lib/console.js";
import { getObject, sha256 } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

const all = cleanups();
after(all.run);

const MODULES = new URL("../../node_modules/", import.meta.url);
const script = path => fileURLToPath(new URL(path, MODULES));

let server, deaf, browser;
before(async () => {
	server = await startServer(all, { env: { POSTERN_APP_CALLBACK_ANSWER: '{"id":7}', POSTERN_APP_MAX_SIZE: "5000000" } });
	deaf = await startServer(all, { env: { POSTERN_APP_CALLBACK_URL: `${await closedPort()}/`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	browser = await startBrowser(all);
});

/** A page of the application server's origin, which the first start's CORS rule admits. */
async function open(t, { scripts = [], at = server, body = "" } = {}) {
	const page = await openPage(t, browser, `${at.app}/nothing`, { locale: "en-GB" });
	await page.evaluate(body => {
		document.documentElement.lang = "en";
		document.title = "Adapters";
		document.body.innerHTML = `<main><h1>Adapters</h1>${body}</main>`;
	}, body);
	for (const path of scripts)
		await page.addScriptTag({ path: script(path) });
	return page;
}

async function openUppy(t, at) {
	const page = await open(t, { scripts: ["uppy/dist/uppy.min.js"], at });
	await page.evaluate(async () => {
		const { createUploader } = await import("/client/postern-upload.js");
		const { PosternUppy } = await import("/client/uppy.js");
		const uppy = globalThis.uppy = new globalThis.Uppy.Uppy().use(PosternUppy, { uploader: createUploader() });
		globalThis.events = [];
		for (const name of ["upload-success", "upload-error", "upload-progress", "complete"])
			uppy.on(name, (file, what, response) => globalThis.events.push({ name, message: what?.message, body: what?.body,
				key: what?.uploadURL, sent: what?.bytesUploaded, status: what?.status ?? response?.status,
				failed: file?.failed?.length }));
		globalThis.addFile = (name, size, meta = {}) => uppy.addFile({ name, type: "text/plain", source: "test", meta,
			data: new File(["x".repeat(size)], name, { type: "text/plain" }) });
	});
	return page;
}

test("Uppy: files go up with their folders, the callback's answer is the body", async t => {
	const page = await openUppy(t);
	const events = await page.evaluate(async () => {
		globalThis.addFile("uppy.txt", 300_000);
		globalThis.addFile("in.txt", 10, { relativePath: "folder/in.txt" });
		globalThis.uppy.setFileMeta(globalThis.addFile("old.txt", 10), { name: "renamed.txt" });
		await globalThis.uppy.upload();
		return globalThis.events;
	});
	const stored = events.filter(({ name }) => name === "upload-success");
	assert.deepEqual(stored.map(({ key }) => key).sort(),
		["folder/in.txt", "renamed.txt", "uppy.txt"].map(name => `user-dir-prefix/${name}`));
	assert.deepEqual(stored[0].body, { id: 7 });
	assert.equal(stored[0].status, 200);
	assert.ok(events.some(({ name, sent }) => name === "upload-progress" && sent > 0));
	assert.equal(sha256(await getObject(server.store, "user-dir-prefix/uppy.txt")), sha256(Buffer.alloc(300_000, "x")));
});

test("Uppy: a callback that failed and a file that is too large are errors; what is removed is given up", async t => {
	const page = await openUppy(t, deaf);
	const { events, again } = await page.evaluate(async () => {
		globalThis.addFile("unheard.txt", 10);
		await globalThis.uppy.upload();
		const events = globalThis.events.splice(0);
		await globalThis.uppy.retryAll();
		return { events, again: globalThis.events };
	});
	for (const round of [events, again]) {
		const error = round.find(({ name }) => name === "upload-error");
		assert.equal(error.status, 203);
		assert.match(error.message, /502/);
		assert.equal(round.filter(({ name }) => name === "upload-success").length, 0);
	}
	const other = await openUppy(t);
	const failed = await other.evaluate(async () => {
		globalThis.addFile("large.txt", 5_000_001);
		const { failed } = await globalThis.uppy.upload();
		return failed.map(({ error }) => error);
	});
	assert.match(String(failed), /too large/);
	const session = await other.context().newCDPSession(other);
	await session.send("Network.enable");
	await session.send("Network.emulateNetworkConditions",
		{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 50_000 });
	const id = await other.evaluate(() => {
		globalThis.uppy.clear();
		const id = globalThis.addFile("slow.txt", 1_000_000);
		globalThis.ended = globalThis.uppy.upload();
		return id;
	});
	await other.waitForFunction(id => globalThis.uppy.getFile(id).progress.bytesUploaded > 0, id);
	await other.evaluate(id => globalThis.uppy.pauseResume(id), id);
	const sent = await other.evaluate(id => globalThis.uppy.getFile(id).isPaused, id);
	assert.equal(sent, true);
	await other.evaluate(async id => {
		globalThis.uppy.removeFile(id);
		await globalThis.ended;
	}, id);
	assert.equal((await fetch(`${server.store}/uploads/user-dir-prefix/slow.txt`)).status !== 200, true);
});

test("FilePond: the key is the field's value; what fails says why and is tried again", async t => {
	const page = await open(t, { scripts: ["filepond/dist/filepond.min.js"],
		body: "<form><input type=file name=photo></form>" });
	await page.evaluate(async () => {
		const { createUploader } = await import("/client/postern-upload.js");
		const { filepondServer } = await import("/client/filepond.js");
		const { explain } = await import("/client/texts.js");
		globalThis.progress = [];
		globalThis.pond = globalThis.FilePond.create(document.querySelector("input"), {
			allowMultiple: true, instantUpload: true,
			server: filepondServer(createUploader(), { explain: error => explain(error).message }),
			labelFileProcessingError: error => error.body,
			onprocessfileprogress: (_, part) => globalThis.progress.push(part),
		});
		await globalThis.pond.addFile(new File(["x".repeat(200_000)], "pond.txt"));
	});
	await page.waitForFunction(() => globalThis.pond.getFile()?.status === globalThis.FilePond.FileStatus.PROCESSING_COMPLETE);
	const field = await page.waitForFunction(() => new FormData(document.querySelector("form")).getAll("photo").find(Boolean));
	assert.equal(await field.jsonValue(), "user-dir-prefix/pond.txt");
	assert.ok((await page.evaluate(() => globalThis.progress)).length > 0);
	assert.equal((await getObject(server.store, "user-dir-prefix/pond.txt")).length, 200_000);
	await page.evaluate(() => void globalThis.pond.addFile(new File(["x".repeat(5_000_001)], "huge.txt")).catch(() => {}));
	await page.getByText("The file is larger than 5.0 MB.").first().waitFor();
});

test("the element: a required field, whose value is the keys, that speaks to forms and screen readers", async t => {
	const sink = await startSink(t, says("{}"));
	const page = await open(t, { body: `<form action="${sink.url}/form" method="post">
		<postern-upload name="photos" multiple required accept="text/plain"></postern-upload><button>Send</button></form>` });
	await page.evaluate(() => import("/client/element.js"));
	const field = page.locator("postern-upload");
	assert.equal(await field.evaluate(node => node.validity.valueMissing && !node.form.checkValidity()), true);
	await field.evaluate(node => {
		globalThis.changes = [];
		node.addEventListener("change", () => globalThis.changes.push(node.value));
	});
	const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
		page.getByRole("button", { name: "Choose files" }).click()]);
	assert.equal(chooser.isMultiple(), true);
	await chooser.setFiles([testFile("one.txt", 10), testFile("two.txt", 10)]);
	await page.getByRole("listitem").filter({ hasText: "one.txt" }).getByText("Uploaded").waitFor();
	await page.getByRole("listitem").filter({ hasText: "two.txt" }).getByText("Uploaded").waitFor();
	assert.deepEqual(await field.evaluate(node => new FormData(node.form).getAll("photos")),
		["user-dir-prefix/one.txt", "user-dir-prefix/two.txt"]);
	assert.equal(await field.evaluate(node => node.form.checkValidity()), true);
	assert.equal((await page.evaluate(() => globalThis.changes)).at(-1).length, 2);
	assert.match(await page.getByRole("status").textContent(), /^(one|two)\.txt: Uploaded$/);
	assert.deepEqual(await violations(page), []);

	await page.getByRole("button", { name: "Remove one.txt" }).click();
	assert.deepEqual(await field.evaluate(node => node.value), ["user-dir-prefix/two.txt"]);
	await field.evaluate(node => node.add([new File(["x".repeat(5_000_001)], "huge.txt")]));
	await page.getByText("The file is larger than 5.0 MB. Choose a smaller file.", { exact: true }).waitFor();
	assert.equal(await field.evaluate(node => node.validity.customError), true);
	await page.getByRole("button", { name: "Remove huge.txt" }).click();
	await page.getByRole("button", { name: "Send" }).click();
	await page.waitForURL(`${sink.url}/form`);
	const { body } = sink.requests.find(({ url }) => url === "/form");
	assert.equal(new URLSearchParams(body.toString()).get("photos"), "user-dir-prefix/two.txt");
});

test("the element: reset, disabled, one file, and in Chinese", async t => {
	const page = await open(t, { body: `<form lang="zh-CN"><fieldset><postern-upload name="photo"></postern-upload></fieldset></form>` });
	await page.evaluate(() => import("/client/element.js"));
	const field = page.locator("postern-upload");
	await page.getByRole("button", { name: "选择文件" }).waitFor();
	await field.evaluate(node => node.add([new File(["1"], "first.txt")]));
	await page.getByText("已上传", { exact: true }).waitFor();
	await field.evaluate(node => node.add([new File(["2"], "second.txt")]));
	await page.waitForFunction(() => document.querySelector("postern-upload").value[0] === "user-dir-prefix/second.txt");
	assert.equal(await page.getByRole("listitem").count(), 1);
	await page.evaluate(() => {
		document.querySelector("fieldset").disabled = true;
	});
	assert.equal(await page.getByRole("button", { name: "选择文件" }).isDisabled(), true);
	assert.deepEqual(await page.evaluate(() => [...new FormData(document.querySelector("form")).keys()]), []);
	await field.evaluate(node => node.add([new File(["3"], "third.txt")]));
	assert.equal(await page.getByRole("listitem").count(), 1);
	await page.evaluate(() => {
		document.querySelector("fieldset").disabled = false;
		document.querySelector("form").reset();
	});
	assert.equal(await page.getByRole("listitem").count(), 0);
	assert.deepEqual(await field.evaluate(node => node.value), []);
});
