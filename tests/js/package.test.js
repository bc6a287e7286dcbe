// SPDX-License-Identifier: Apache-2.0
// The library as people install it: packed by npm, unpacked, and used.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const TOP = fileURLToPath(new URL("../..", import.meta.url));
let folder, installed;

before(() => {
	folder = mkdtempSync(join(tmpdir(), "postern-package-"));
	execFileSync(join(TOP, "tools/client-package"), [join(folder, "package")]);
	const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "./package"],
		{ cwd: folder, env: { ...process.env, npm_config_cache: join(folder, "cache") } }));
	installed = join(folder, "node_modules/postern-upload");
	mkdirSync(installed, { recursive: true });
	execFileSync("tar", ["xzf", join(folder, filename), "--strip-components=1", "-C", installed]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const read = path => readFileSync(join(installed, path), "utf8");

function node(name, code) {
	writeFileSync(join(folder, name), code);
	return execFileSync(process.execPath, [name], { cwd: folder, encoding: "utf8" }).trim();
}

test("modules are imported by the names of `exports`, and by no others", () => {
	assert.equal(node("use.mjs", `
		import { createUploader, STATES } from "postern-upload";
		import { Batch } from "postern-upload/batch";
		import { createChecks } from "postern-upload/checks";
		import { createDuplicates } from "postern-upload/duplicates";
		import { multipart } from "postern-upload/multipart";
		import { createHandles } from "postern-upload/handles";
		import { createProof } from "postern-upload/proof";
		import { createResume } from "postern-upload/resume";
		import { EN, ZH, explain } from "postern-upload/texts";
		import "postern-upload/element";
		import { filepondServer } from "postern-upload/filepond";
		import { PosternUppy } from "postern-upload/uppy";
		const { state } = createUploader().add({ size: 1 });
		const hidden = await import("postern-upload/queue.js").catch(error => error.code);
		console.log(state, typeof Batch, typeof createChecks, typeof createDuplicates, typeof createHandles, typeof multipart, typeof createProof, typeof createResume,
			typeof explain, typeof filepondServer, typeof PosternUppy, hidden);`),
	"idle function function function function function function function function function function ERR_PACKAGE_PATH_NOT_EXPORTED");
});

test("require has one file with everything; it runs as a <script> too", () => {
	const all = createRequire(join(folder, "x.cjs"))("postern-upload");
	const page = { EventTarget, Event, URL };
	page.self = page;
	vm.runInNewContext(read("dist/postern-upload.umd.js"), page);
	for (const library of [all, page.PosternUpload])
		for (const name of ["Batch", "PosternUppy", "createChecks", "createDuplicates", "createHandles", "createPictures", "createProof", "createResume", "createUploader", "explain", "filepondServer", "multipart"])
			assert.equal(typeof library[name], "function", name);
});

test("source maps hold the sources", () => {
	for (const name of ["postern-upload.umd.js", "crc64_worker.js"]) {
		assert.match(read(`dist/${name}`), new RegExp(`//# sourceMappingURL=${name}\\.map`));
		const { sources, sourcesContent } = JSON.parse(read(`dist/${name}.map`));
		const at = sources.findIndex(source => source.endsWith("crc64.js"));
		assert.match(sourcesContent[at], /class Crc64/);
	}
});

test("bundlers may drop what is not used; the version is the project's", () => {
	const json = JSON.parse(read("package.json"));
	assert.deepEqual(json.sideEffects, ["./element.js"]);
	assert.equal(json.version, readFileSync(join(TOP, "VERSION"), "utf8").trim());
	assert.equal(json.dependencies, undefined);
});

test("the types say what may be done, and what may not", () => {
	const compile = code => {
		writeFileSync(join(folder, "use.ts"), code);
		try {
			execFileSync(join(TOP, "tests/node_modules/.bin/tsc"), ["--strict", "--noEmit", "--target", "es2022",
				"--module", "nodenext", "--lib", "es2022,dom,dom.iterable", "use.ts"], { cwd: folder, encoding: "utf8" });
			return "";
		} catch (error) {
			return error.stdout;
		}
	};
	writeFileSync(join(folder, "package.json"), '{"type":"module"}');
	const good = `
		import { createUploader, UploadError, type Upload } from "postern-upload";
		import { Batch } from "postern-upload/batch";
		import { multipart } from "postern-upload/multipart";
		import { createProof } from "postern-upload/proof";
		import { createResume } from "postern-upload/resume";
		import { ZH, explain } from "postern-upload/texts";
		import { createChecks } from "postern-upload/checks";
		import { createPictures } from "postern-upload/pictures";
		import { PosternUploadElement } from "postern-upload/element";
		const keys: string[] = new PosternUploadElement().value;
		const smaller: Promise<File> = createPictures({ maxWidth: 100 })(new File([], "a"));
		const proof = createProof();
		const uploader = createUploader({ proof, check: createChecks({ minWidth: 100 }), large: multipart({ proof, resume: createResume() }) });
		const upload: Upload = uploader.add(new File([], "a"), { names: "random" });
		const key: string | undefined = upload.result?.key;
		const advice = (error: UploadError): string => explain(error, ZH).advice;
		const left: number | null = new Batch().timeLeft;`;
	assert.equal(compile(good), "");
	assert.match(compile('import { createUploader } from "postern-upload"; createUploader({ parallel: "3" });'),
		/not assignable/);
});
