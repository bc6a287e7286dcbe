// SPDX-License-Identifier: Apache-2.0
// Tortures the store: README.md.
//
//	node tests/torture/run.js --help
//
// prints TAP. POSTERN_BIN is the server. What a part found is told with the command that repeats it.
import { mkdtempSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Recording, runCase } from "./lib/cuts.js";
import { fill, mounted } from "./lib/full.js";
import { Hits } from "./lib/hits.js";
import { POINTS } from "./lib/points.js";
import { Random } from "./lib/random.js";
import { Act, Place } from "./lib/store.js";
import { notNeeded, sitesOf, without } from "./lib/syncs.js";

const { values } = parseArgs({ options: {
	seconds: { type: "string", default: "600" },
	rounds: { type: "string" },
	seed: { type: "string", default: String(Date.now() % 1e9) },
	replay: { type: "string" },
	only: { type: "string" },
	at: { type: "string" },
	help: { type: "boolean", default: false },
} });
const USAGE = `Usage: node tests/torture/run.js [--seconds N | --rounds N] [--seed N] [--only PART] [--at POINT]
       node tests/torture/run.js --replay FOLDER

Tortures the store that POSTERN_BIN is, for N seconds (600) or N rounds, and prints TAP. The folders are in
TORTURE_DIR (that for temporary files).

  --only PART      cuts, kills, points, collector, backups, fails, flips; and full and syncs, which take
                   their time and are left out of --rounds
  --at POINT       kills at the crash points that have this in their names alone:
                   {before,behind}-{${Object.keys(Act).filter(name => name !== "READ").join().toLowerCase()}}-{${Object.keys(Place).join().toLowerCase()}}
  --seed N         the same choices again
  --replay FOLDER  a cut that was kept, exactly
`;
if (values.help) {
	process.stdout.write(USAGE);
	process.exit(0);
}
if (values.at)
	values.only ??= "points";
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

/** The stack of an error may have been made before something was added to its message, as the log. */
const textOf = error => `${error.stack.includes(error.message) ? "" : `${error.message}\n`}${error.stack}`;

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
					faults.push(`case ${one}, repeated by --replay ${kept}: ${textOf(error)}`);
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
		told(!error, `the case ${folder}`, error ? textOf(error) : "");
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
			faults.push(`round ${done}: ${textOf(error)}`);
		}
	}));
	told(faults.length === 0, `${done} ${name}`, [`seed ${seed}`, ...faults].join("\n"));
}

/** Kills at named crash points, one after the other; which of them were reached is told. */
async function points(enough) {
	const random = new Random(seed);
	const left = POINTS.filter(({ name }) => name.includes(values.at ?? ""));
	const reached = new Map();
	const faults = [];
	const folder = join(work, "points");
	mkdirSync(folder);
	const hits = new Hits(folder);
	const first = random.below(left.length);
	let done = 0;
	while (!enough(done) && faults.length === 0) {
		const point = left[(first + done++) % left.length];
		try {
			const times = Number(await hits.point(random, point));
			reached.set(point.name, (reached.get(point.name) ?? 0) + times);
		} catch (error) {
			faults.push(`at ${point.name}: ${textOf(error)}`);
		}
	}
	const lines = [...reached].map(([name, times]) => `${name}: ${times}`);
	told(faults.length === 0, `${done} kills at named points`,
		[`seed ${seed}`, ...lines, ...faults].join("\n"));
}

/** File systems that are really full. */
async function full() {
	for (const kind of ["tmpfs", "ext4"]) {
		const folder = join(work, kind);
		const { skipped, unmount } = mounted(kind, folder);
		if (skipped) {
			told(true, `a full ${kind} # SKIP ${skipped}`);
			continue;
		}
		const error = await fill(folder, new Random(seed)).then(() => null, error => error);
		unmount();
		told(!error, `a full ${kind}`, [`seed ${seed}`, error ? textOf(error) : ""].join("\n"));
	}
}

/** The parts, and their shares of the rounds or of the time. */
const parts = [
	{ name: "cuts", share: 0.45, run: cuts },
	{ name: "kills", share: 0.1, run: enough => hits("kills", "kill", enough) },
	{ name: "points", share: 0.1, run: points },
	{ name: "collector", share: 0.05, run: enough => hits("kills while the collector works", "collect", enough) },
	{ name: "backups", share: 0.05, run: enough => hits("backups, of which some end early", "backup", enough) },
	{ name: "fails", share: 0.15, run: enough => hits("rounds with calls that fail", "fail", enough) },
	{ name: "flips", share: 0.1, run: enough => hits("flipped bits", "flip", enough, true) },
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
// They take a minute or two, whatever the time.
if (values.only === "full" || (!values.only && !values.rounds && !values.replay))
	await full();
if (values.only === "syncs" || (!values.only && !values.rounds && !values.replay))
	await syncs(SYNC_CASES);
console.log(`1..${tests}`);
if (failures === 0)
	rmSync(work, { recursive: true });
process.exitCode = failures ? 1 : 0;
