// SPDX-License-Identifier: Apache-2.0
// uni-app's runtime for browsers (its H5 target) as npm has it, unmodified, with Vue 2: an application that
// chooses a picture and sends it by uni.uploadFile, as it would in a mini program. The runtime for Vue 3 is
// only to be had together with the compiler; its uni.uploadFile puts the fields before the file, too.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPage, startBrowser } from "../lib/browser.js";
import { getObject } from "../lib/oss.js";
import { PNG } from "../lib/page.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const TESTS = fileURLToPath(new URL("../../", import.meta.url));
/** What uni-app's build writes in front of the runtime, which sets `uni`. */
const CONFIGURATION = `
	globalThis.__uniConfig = { router: { mode: "hash", base: "/" }, globalStyle: {}, locale: "en",
		networkTimeout: { request: 60000, uploadFile: 60000 } };
	globalThis.__uniRoutes = [];`;

const all = cleanups();
let server, browser, runtime;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
	runtime = join(await temporaryFolder(all), "uni.js");
	execFileSync(join(TESTS, "node_modules/.bin/esbuild"), ["--bundle", "--format=iife", "--alias:vue=vue2",
		'--define:process.env.NODE_ENV="production"', "--log-level=error", `--outfile=${runtime}`],
	{ cwd: TESTS, input: 'import "@dcloudio/uni-h5";' });
});
after(all.run);

async function openApplication(t, at) {
	const page = await openPage(t, browser, `${at.app}/nothing`);
	await page.setContent("<!DOCTYPE html><title>uni-app</title><div id=app></div>");
	await page.addScriptTag({ content: CONFIGURATION });
	await page.addScriptTag({ path: runtime });
	return page;
}

/** In the page: the application. */
async function chooseAndSend(name) {
	const { uni } = globalThis;
	const ask = (api, options) => new Promise((success, fail) => uni[api]({ ...options, success, fail }));
	const { tempFilePaths: [filePath] } = await ask("chooseImage", { count: 1 });
	const { data: grant } = await ask("request", { url: "/grant" });
	return ask("uploadFile", { url: grant.url, filePath, name: "file",
		formData: { key: grant.dir + name, ...grant.fields } });
}

async function send(page, name) {
	const [chooser, sent] = await Promise.all([page.waitForEvent("filechooser"),
		page.evaluate(`globalThis.sent = (${chooseAndSend})(${JSON.stringify(name)}); undefined`)
			.then(() => page.evaluateHandle(() => ({ promise: globalThis.sent })))]);
	await chooser.setFiles({ name: "dot.png", mimeType: "image/png", buffer: PNG });
	return sent.evaluate(({ promise }) => promise);
}

test("a chosen picture arrives, and the callback's answer comes back", async t => {
	const page = await openApplication(t, server);
	const { statusCode, data } = await send(page, "uni.png");
	assert.deepEqual([statusCode, data], [200, '{"Status":"OK"}']);
	assert.deepEqual(await getObject(server.store, "user-dir-prefix/uni.png"), PNG);
});

test("a callback that failed is a success with status 203", async t => {
	const deaf = await startServer(t, { env: { POSTERN_APP_CALLBACK_URL: `${await closedPort()}/`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const { statusCode, data } = await send(await openApplication(t, deaf), "deaf.png");
	assert.equal(statusCode, 203);
	assert.match(data, /<Code>CallbackFailed</);
});
