// SPDX-License-Identifier: Apache-2.0
// The official Python SDK against the store, in an environment of its own under build/. Skipped
// where there is no pip, or no network to install it from.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { startServer } from "../lib/server.js";

const run = promisify(execFile);
const VERSION = "2.19.1";
const HOME = fileURLToPath(new URL(`../../../build/oss2-${VERSION}`, import.meta.url));

/** The interpreter that has the SDK; an error if it can not be made. */
async function python() {
	const installed = `${HOME}/bin/python`;
	try {
		await access(`${HOME}/.installed`);
	} catch {
		await run("python3", ["-m", "venv", "--clear", HOME]);
		await run(installed, ["-m", "pip", "-q", "--disable-pip-version-check", "install", `oss2==${VERSION}`],
			{ timeout: 120_000 });
		await run("touch", [`${HOME}/.installed`]);
	}
	return installed;
}

test("oss2: objects, signed URLs, lists, CORS rules and refusals, V1 and V4", async t => {
	let interpreter;
	try {
		interpreter = await python();
	} catch (error) {
		t.skip(`oss2 can not be installed: ${String(error.stderr || error.message).trim().split("\n").at(-1)}`);
		return;
	}
	const server = await startServer(t);
	const { stdout } = await run(interpreter, [fileURLToPath(new URL("oss2_check.py", import.meta.url)), server.store,
		server.key.id, server.key.secret], { timeout: 60_000 });
	assert.deepEqual(stdout.trim().split("\n"),
		["objects V1", "cors V1", "refusal V1", "objects V4", "cors V4", "refusal V4"]);
});
