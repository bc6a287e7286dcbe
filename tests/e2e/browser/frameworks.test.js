// SPDX-License-Identifier: Apache-2.0
// The examples, with React and Vue as npm has them.
import assert from "node:assert/strict";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { openPage, startBrowser } from "../lib/browser.js";
import { getObject } from "../lib/oss.js";
import { testFile } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const TOP = fileURLToPath(new URL("../../../", import.meta.url));
const all = cleanups();
after(all.run);

let server, browser;
before(async () => {
	server = await startServer(all);
	browser = await startBrowser(all);
});

const REACT = `
	import { createElement as h } from "react";
	import { createRoot } from "react-dom/client";
	import { useUploads } from "./examples/react/useUploads.js";
	function App() {
		const { uploads, add, batch } = useUploads();
		return h("div", null,
			h("input", { type: "file", multiple: true, onChange: event => add(event.target.files) }),
			uploads.map(({ id, upload }) => h("p", { key: id }, upload.file.name + ": " + upload.state + " " + upload.key)),
			h("output", null, batch.counts.done + " done"));
	}
	const root = createRoot(document.getElementById("app"));
	root.render(h(App));
	globalThis.leave = () => root.unmount();`;
const VUE = `
	import { createApp, h } from "vue/dist/vue.runtime.esm-bundler.js";
	import { useUploads } from "./examples/vue/useUploads.js";
	const app = createApp({
		setup() {
			const { uploads, add, batch } = useUploads();
			return () => h("div", null, [
				h("input", { type: "file", multiple: true, onChange: event => add(event.target.files) }),
				uploads.value.map(({ id, upload }) => h("p", { key: id }, upload.file.name + ": " + upload.state + " " + upload.key)),
				h("output", null, batch.counts.done + " done"),
			]);
		},
	});
	app.mount("#app");
	globalThis.leave = () => app.unmount();`;

for (const [name, contents] of [["React", REACT], ["Vue", VUE]])
	test(`${name}: files go up and are drawn as they change`, async t => {
		const { outputFiles } = await build({
			stdin: { contents, resolveDir: TOP }, bundle: true, write: false, logLevel: "error",
			nodePaths: [`${TOP}tests/node_modules`],
			alias: {
				"postern-upload": `${TOP}web/client/postern-upload.js`,
				"postern-upload/batch": `${TOP}web/client/batch.js`,
			},
			define: { "process.env.NODE_ENV": '"production"', "__VUE_OPTIONS_API__": "false",
				"__VUE_PROD_DEVTOOLS__": "false", "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__": "false" },
		});
		const page = await openPage(t, browser, `${server.app}/nothing`);
		await page.setContent(`<!DOCTYPE html><title>${name}</title><div id="app"></div>`);
		await page.addScriptTag({ content: outputFiles[0].text });
		await page.locator("input").setInputFiles([testFile(`${name}-1.txt`, 1000), testFile(`${name}-2.txt`, 1000)]);
		await page.locator("output").getByText("2 done").waitFor();
		for (const key of [`${name}-1.txt`, `${name}-2.txt`]) {
			await page.getByText(`${key}: done user-dir-prefix/${key}`).waitFor();
			assert.equal((await getObject(server.store, `user-dir-prefix/${key}`)).length, 1000);
		}
		await page.locator("input").setInputFiles([testFile(`${name}-3.txt`)]);
		await page.locator("output").getByText("3 done").waitFor();
		await page.evaluate(() => globalThis.leave());
		assert.equal(await page.locator("p").count(), 0);
	});
