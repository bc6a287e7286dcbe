// SPDX-License-Identifier: Apache-2.0
// Tortures the store: README.md.
//
//	node tests/torture/run.js [--seconds N | --rounds N] [--seed N] [--only PART] [--replay FOLDER]
//
// prints TAP. POSTERN_BIN is the server. What a part found is told with the command that repeats it.
import { mkdtempSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Recording, runCase } from "./lib/cuts.js";
import { Hits } from "./lib/hits.js";
import { Random } from "./lib/random.js";
import { notNeeded, sitesOf, without } from "./lib/syncs.js";

const { values } = parseArgs({ options: {
	seconds: { type: "string", default: "600" },
	rounds: { type: "string" },
	seed: { type: "string", default: String(Date.now() % 1e9) },
	replay: { type: "string" },
	only: { type: "string" },
} });
const seed = Number(values.seed);
/** Cases that were found once, and are tried each time; and where new ones are kept. */
const CASES = fileURLToPath(new URL("cases", import.meta.url));
const KEPT = "build/torture";
const LANES = 2;
const CASES_EACH = 25;
const STEPS = 150;
/** Cases without one sync, at most. */
const SYNC_CASES = 60;

const work = mkdtempSync(join(process.env.TORTURE_DIR ?? tmpdir(), "postern-torture-"));
let tests = 0;
let failures = 0;

function told(ok, name, lines = "") {
	console.log(`${ok ? "ok" : "not ok"} ${++tests} - ${name}`);
	for (const line of lines.split("\n").filter(Boolean))
		console.log(`# ${line}`);
	if (!ok)
		failures++;
}

async function cuts(enough) {
	const random = new Random(seed);
	let done = 0;
	let number = 0;
	const faults = [];
	while (!enough(done) && faults.length < 5) {
		const recordingSeed = random.below(1e9);
		const folder = join(work, `recording-${recordingSeed}`);
		mkdirSync(folder);
		const recording = await Recording.make(folder, recordingSeed, STEPS);
		let left = CASES_EACH;
		await Promise.all(Array.from({ length: LANES }, async () => {
			while (left-- > 0 && !enough(done)) {
				const one = number++;
				const place = join(work, `case-${one}`);
				mkdirSync(place);
				try {
					await runCase(recording, place, one);
					rmSync(place, { recursive: true });
				} catch (error) {
					const kept = join(KEPT, `cut-${recordingSeed}-${one}`);
					recording.save(kept, one);
					faults.push(`case ${one}, repeated by --replay ${kept}: ${error.stack}`);
				}
				done++;
			}
		}));
	}
	told(faults.length === 0, `${done} cuts of power`, [`seed ${seed}`, ...faults].join("\n"));
}

/** Cases that were kept. */
async function replay(folders) {
	for (const folder of folders) {
		const { recording, number } = Recording.load(folder);
		const place = join(work, `replay-${tests}`);
		mkdirSync(place);
		const error = await runCase(recording, place, number).then(() => null, error => error);
		told(!error, `the case ${folder}`, error?.stack);
	}
}

/** A recording in a folder of its own. */
function record(recordingSeed) {
	const folder = join(work, `recording-${recordingSeed}`);
	mkdirSync(folder);
	return Recording.make(folder, recordingSeed, STEPS);
}

/** Without a sync that is needed it shows. */
async function syncs(most) {
	const random = new Random(seed);
	const recordings = [await record(random.below(1e9)), await record(random.below(1e9))];
	const sites = new Map(recordings.flatMap(({ records }) => [...sitesOf(records)]));
	/** What is left out together, by its name. */
	const tried = new Map();
	for (const [site, { text }] of sites) {
		const row = notNeeded(text);
		const name = row ? row.group && `all syncs of ${row.group}` : text;
		if (name)
			tried.set(name, (tried.get(name) ?? new Set()).add(site));
		if (row)
			console.log(`# without ${text}: not needed, ${row.why}`);
	}
	const unnoticed = [];
	await inLanes([...tried], async ([name, left], lane) => {
		const folder = join(work, `lane-${lane}`);
		mkdirSync(folder, { recursive: true });
		const { tried: cases, noticed } = await without(recordings, left, folder, most);
		if (!noticed)
			unnoticed.push(name);
		console.log(`# without ${name}: ${noticed ? `case ${cases}: ${noticed.slice(0, 160)}` : `nothing in ${cases} cases`}`
			.replace(/\n/g, " "));
	});
	told(unnoticed.length === 0, `${tried.size} syncs that are needed`, [`seed ${seed}`, ...unnoticed].join("\n"));
}

/** Does something with each of a list, two at a time. */
async function inLanes(list, run) {
	const left = [...list];
	await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
		while (left.length > 0)
			await run(left.shift(), lane);
	}));
}

/** Rounds of what `round` does to a folder that was filled, each with its own numbers. */
async function hits(name, round, enough, fill = false) {
	let done = 0;
	const faults = [];
	await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
		const random = new Random(seed + lane);
		const folder = join(work, `${round}-${lane}`);
		mkdirSync(folder);
		const hits = new Hits(folder);
		try {
			if (fill)
				await hits.fill(random);
			while (!enough(done) && faults.length === 0) {
				await hits[round](random);
				done++;
			}
		} catch (error) {
			faults.push(`round ${done}: ${error.stack}`);
		}
	}));
	told(faults.length === 0, `${done} ${name}`, [`seed ${seed}`, ...faults].join("\n"));
}

/** The parts, and their shares of the rounds or of the time. */
const parts = [
	{ name: "cuts", share: 0.5, run: cuts },
	{ name: "kills", share: 0.15, run: enough => hits("kills", "kill", enough) },
	{ name: "fails", share: 0.2, run: enough => hits("rounds with calls that fail", "fail", enough) },
	{ name: "flips", share: 0.15, run: enough => hits("flipped bits", "flip", enough, true) },
];

/** Says when a part has done its share. */
function shareOf(share) {
	const begun = Date.now();
	return done => values.rounds ? done >= Math.ceil(Number(values.rounds) * share)
		: Date.now() - begun > Number(values.seconds) * 1000 * share;
}

if (values.replay)
	await replay([values.replay]);
else if (!values.only)
	await replay(readdirSync(CASES).map(name => join(CASES, name)));
for (const { name, share, run } of values.replay ? [] : parts) {
	if (!values.only || values.only === name)
		await run(shareOf(values.only ? 1 : share));
}
// It takes a minute or two, whatever the time.
if (values.only === "syncs" || (!values.only && !values.rounds && !values.replay))
	await syncs(SYNC_CASES);
console.log(`1..${tests}`);
if (failures === 0)
	rmSync(work, { recursive: true });
process.exitCode = failures ? 1 : 0;
