#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures the browser client next to the browser's own fetch, Uppy and plupload, in Chromium, against the
// real server on the loopback of this machine; in turns (A B A B ...), so that what else the machine does
// hits all alike. Prints tables and writes them to bench/results/.
//
//	BENCH_ROUNDS (5)  BENCH_FILES (2000)  BENCH_SIZE (100 bytes each)  BENCH_MANY (10000; 0: none)
//	BENCH_WAYS: an expression for the names of those that are measured besides fetch; all by default
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../../tests/e2e/lib/browser.js";
import { cleanups, startServer } from "../../tests/e2e/lib/server.js";
import { measure } from "./measure.mjs";
import { WAYS as ALL } from "./ways.mjs";

const setting = (name, usual) => Number(process.env[`BENCH_${name}`] ?? usual);
const ROUNDS = setting("ROUNDS", 5);
const FILES = setting("FILES", 2000);
const SIZE = setting("SIZE", 100);
const MANY = setting("MANY", 10_000);
const WAYS = ALL.filter(({ name }, at) => at === 0 || new RegExp(process.env.BENCH_WAYS ?? "").test(name));
/** What takes longer is given up. */
const SECONDS = 900;

const lines = [];
function say(line = "") {
	console.log(line);
	lines.push(line);
}

const git = (...words) => execFileSync("git", words, { encoding: "utf8" }).trim();
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
const round = value => Math.round(value).toLocaleString("en");

async function main(t) {
	const commit = git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") && "-changed");
	const date = new Date().toISOString().slice(0, 10);
	// One form for all, so that nobody pays for another.
	const server = await startServer(t, { env: { POSTERN_APP_GRANT_UPLOADS: "100000", POSTERN_SERVER_LOG_LEVEL: "error" } });
	const browser = await startBrowser(t);
	say(`# The browser client, postern ${commit}, ${date}`);
	say();
	say(`- ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores; Chromium ${browser.version()}, headless`);
	say(`- load of the machine before: ${loadavg()[0].toFixed(2)}; browser and server share the cores`);
	say(`- ${ROUNDS} rounds in turns after one to warm up; files of ${SIZE} bytes; callbacks on`);
	say("- Uppy has each file signed by the application server; all others use one form. plupload sends one");
	say("  file at a time.");
	say();
	await small(browser, server);
	if (MANY > 0)
		await many(browser, server);
	if (loadavg()[0] > 2 * cpus().length)
		say("The machine was busy with other things: trust the ratios, not the rates.");
	const path = new URL(`../results/${date}-${commit}-client.md`, import.meta.url);
	await writeFile(path, `${lines.join("\n")}\n`);
	console.log(`\nwritten to ${fileURLToPath(path)}`);
}

async function small(browser, server) {
	say(`### ${round(FILES)} files`);
	say();
	say("| | files/s | lowest to highest | of bare `fetch` |");
	say("|---|---:|---:|---:|");
	const samples = WAYS.map(() => []);
	for (let at = 0; at <= ROUNDS; at++)
		for (const [i, way] of WAYS.entries()) {
			const sample = await measure(browser, server, way, { prefix: `small-${at}-${i}`, count: FILES, size: SIZE }, SECONDS);
			if (at > 0)
				samples[i].push(sample?.rate ?? 0);
		}
	for (const [i, { name }] of WAYS.entries()) {
		const rates = samples[i];
		const part = median(rates.map((rate, at) => rate / samples[0][at]));
		say(`| ${name} | ${round(median(rates))} | ${round(Math.min(...rates))} to ${round(Math.max(...rates))} | ${part.toFixed(2)} |`);
	}
	say();
}

async function many(browser, server) {
	say(`### ${round(MANY)} files are added and sent, once`);
	say();
	say("| | added in ms | files/s | frames later than 50 ms | longest, ms | tasks over 50 ms |");
	say("|---|---:|---:|---:|---:|---:|");
	for (const [i, way] of WAYS.entries()) {
		const sample = await measure(browser, server, way, { prefix: `many-${i}`, count: MANY, size: SIZE }, SECONDS);
		say(sample
			? `| ${way.name} | ${round(sample.added)} | ${round(sample.rate)} | ${sample.late} | ${round(sample.longest)} | ${sample.tasks} |`
			: `| ${way.name} | given up after ${SECONDS} s | | | | |`);
	}
	say();
}

const all = cleanups();
try {
	await main(all);
} finally {
	await all.run();
}
