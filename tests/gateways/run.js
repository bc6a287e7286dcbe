// SPDX-License-Identifier: Apache-2.0
// Gateways and OSDs that die and stand still under load: README.md.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { BIN, pause } from "../e2e/lib/server.js";
import { Random } from "../torture/lib/random.js";
import { Fleet, QUICK, SLOW } from "./lib/fleet.js";
import { isOpen, Load } from "./lib/load.js";
import { comesByItself, isCheap, plan, POINTS } from "./lib/points.js";

const USAGE = `Usage: node tests/gateways/run.js [--quick] [--kills N] [--points N] [--at POINT] [--holds N] [--osds N] [--seed N]

Three gateways on a Ceph cluster under mixed load, while gateways and OSDs are killed and stopped for a
while; what they answered is compared with what is there. Prints TAP. POSTERN_BIN is the server,
GATEWAYS_DIR the folder for data (that for temporary files).

  --quick     all times are a tenth of what they usually are
  --kills N   that many faults (200)
  --points N  so many of them are at named points, others at any time (7 of 10, but no more than a death at each and
              the gateways that stand still there until they are taken for dead)
  --at POINT  all of these whose names match this (a regular expression), none at others
  --holds N   so many of them are gateways that stand still until the others take them for dead (20)
  --osds N    with 1 it keeps all in memory, and nothing happens to it (3)
  --seed N    the same choices again; the timing differs
`;
const { values } = parseArgs({ options: {
	quick: { type: "boolean", default: false },
	kills: { type: "string", default: "200" },
	points: { type: "string" },
	at: { type: "string" },
	holds: { type: "string", default: "20" },
	osds: { type: "string", default: "3" },
	seed: { type: "string", default: String(Date.now() % 1e9) },
	help: { type: "boolean", default: false },
} });
if (values.help) {
	process.stdout.write(USAGE);
	process.exit(0);
}

const KILLS = Number(values.kills);
const HOLDS = Number(values.holds);
const OSDS = Number(values.osds);
const EACH_ROUND = 5;
/** Rounds in which a gateway may come to a point. */
const TRIES = 4;
const GATEWAYS = 3;
const CLIENTS = 3;
const run = promisify(execFile);
/** Of so many changes of tablets one is lost, and happens when nobody waits for it any more. */
const LOST_EVERY = 50;
/** At the end, when the checker has to find something: one of these, a little later; rounds of so many seconds. */
const CONTROL = { every: 5, ms: 100 };
const CONTROL_ROUNDS = 10;
const CONTROL_SECONDS = 3;
const random = new Random(Number(values.seed));
const work = mkdtempSync(join(process.env.GATEWAYS_DIR ?? tmpdir(), "postern-gateways-"));
const times = values.quick ? QUICK : SLOW;
const fleet = new Fleet(work, { times, osds: OSDS, gateways: GATEWAYS, splitAt: 20 });
const load = new Load(fleet, random.fork(), CLIENTS);
const names = Object.keys(POINTS).filter(name => new RegExp(values.at ?? "").test(name));
const zombies = Math.min(Math.floor(HOLDS * 0.8), names.filter(name => POINTS[name].zombie).length);
const AT_POINTS = values.at ? KILLS : Number(values.points ?? Math.min(KILLS * 0.7, names.length + zombies));
/** Without room for all, those that take no time. */
const some = AT_POINTS < names.length ? names.filter(name => isCheap(name)) : names;
const planned = plan(some, random.fork(), zombies).slice(0, AT_POINTS);
const counts = { faults: 0, "at points": 0, "points not reached": 0, "gateways killed": 0, "gateways held": 0, "gateways taken for dead": 0, "OSDs killed": 0, "OSDs held": 0 };

/** Those that may be next, of one name one after the other. */
const together = () => planned.filter(({ name }, i) => comesByItself(name) && planned.findIndex(one => one.name === name) === i);

/** That of which it is the turn, as nobody comes there by chance. Throws if nobody does so at all. */
async function faultAtNext() {
	const [first] = planned;
	first.tries = (first.tries ?? 0) + 1;
	const come = first.tries > 1 || !comesByItself(first.name) ? await fleet.atThePoint(first) : await fleet.atPoint(together());
	if (come || first.tries < TRIES)
		return come;
	// A long run is to find out; in a short one it is by chance.
	if (!values.quick || values.at)
		throw new Error(`no gateway has come to ${first.name}${first.behind ? ", and beyond" : ""}`);
	counts["points not reached"]++;
	planned.shift();
	return null;
}

/**
 * What is to happen at a point. False if no gateway comes to one: clients whose changes had no answer rest in this
 * round, so that what leads there has perhaps stopped.
 */
async function faultAtPoint(isFirst) {
	const others = together();
	if (!isFirst && others.length === 0)
		return false;
	const come = isFirst ? await faultAtNext() : await fleet.atPoint(others, fleet.shortMs);
	if (!come)
		return false;
	console.log(`# ${come.behind ? "behind" : "before"} ${come.name}: ${come.way}`);
	planned.splice(planned.findIndex(({ name }) => name === come.name), 1);
	counts.faults++;
	counts["at points"]++;
	counts[{ kill: "gateways killed", stop: "gateways held", dead: "gateways taken for dead" }[come.way]]++;
	return true;
}

/** One fault, after a while. False if there was none. */
async function fault(isFirst) {
	const second = values.quick ? 300 : 1000;
	await pause(second * (0.5 + random.next()));
	if (planned.length && random.next() * (KILLS - counts.faults) < planned.length)
		return faultAtPoint(isFirst);
	const gateway = random.below(GATEWAYS);
	const osd = random.below(OSDS);
	const left = KILLS - counts.faults;
	const holds = HOLDS - counts["gateways taken for dead"];
	const way = holds > 0 && random.next() * left < holds ? 1 : random.next() * (OSDS > 1 ? 1 : 0.65);
	counts.faults++;
	if (way === 1) {
		await fleet.holdUntilDead(gateway);
		counts["gateways taken for dead"]++;
	} else if (way < 0.45) {
		await fleet.killGateway(gateway);
		counts["gateways killed"]++;
	} else if (way < 0.65) {
		await fleet.holdGateway(gateway, second * (1 + 5 * random.next()));
		counts["gateways held"]++;
	} else if (way < 0.85) {
		await fleet.killOsd(osd, second * (1 + 5 * random.next()));
		counts["OSDs killed"]++;
	} else {
		await fleet.holdOsd(osd, times.operation * 1000 * (0.3 + random.next()));
		counts["OSDs held"]++;
	}
	return true;
}

let tests = 0;
let failures = 0;
async function part(name, go) {
	const error = await go().then(() => null, error => error);
	console.log(`${error ? "not ok" : "ok"} ${++tests} - ${name}`);
	for (const line of error ? `${error.stack.includes(error.message) ? "" : `${error.message}\n`}${error.stack}`.split("\n") : [])
		console.log(`# ${line}`);
	if (error)
		failures++;
	return !error;
}

async function round() {
	load.begin();
	for (let i = 0; i < EACH_ROUND && counts.faults < KILLS && !load.failed && await fault(i === 0); i++)
		continue;
	await pause(1000);
	await load.end();
	await fleet.calm();
	await patiently(() => load.verify());
}

/** A cluster that was just whole again may refuse for a moment; to look once more changes nothing. */
async function patiently(look) {
	for (const until = Date.now() + 60_000; ;) {
		try {
			return await look();
		} catch (error) {
			if (!(isOpen(error) || error.actual === 503) || Date.now() > until)
				throw error;
			await pause(500);
		}
	}
}

/** What the last ones left that died is seen to when they are taken for dead; then garbage needs its epochs. */
async function clean() {
	const usual = fleet.deadMs + 3 * times.epoch + 2 * times.collect;
	await pause(3 * times.epoch + 2 * times.collect);
	for (const until = Date.now() + 3 * usual; ;) {
		const { stdout } = await run(BIN, ["fsck", "--json", "--store-backend", "rados", "--rados-config", fleet.config, "--rados-id", "admin"])
			.catch(error => error);
		const { findings, leaks, standing, differing, moving } = JSON.parse(stdout.trim().split("\n").at(-1));
		assert.equal(findings, 0, stdout);
		if (leaks + standing + differing + moving === 0)
			return;
		assert.ok(Date.now() < until, stdout);
		await pause(times.epoch);
	}
}

async function endHistories() {
	await load.end();
	await pause(CONTROL.ms * 2);
	await load.verifyHistories();
}

/** A gateway that does not compare its own counter does a change twice; some history has to show that. */
async function control() {
	fleet.control.lose({ ...CONTROL, forgets: true });
	for (let i = 0; i < CONTROL_ROUNDS; i++) {
		load.begin({ histories: true });
		await pause(CONTROL_SECONDS * 1000);
		// Other faults show, too, such as bytes that have gone; they are not what is looked for.
		const wrong = await endHistories().then(() => "", error => error.message);
		if (wrong.includes("no order explains"))
			return;
	}
	assert.fail("all histories are possible");
}

async function everything() {
	let good = await part("the load is prepared", () => load.prepare());
	fleet.control.lose({ every: LOST_EVERY, ms: times.operation * 1000 });
	for (let number = 1; good && counts.faults < KILLS; number++)
		good = await part(`round ${number}: what was answered is there, lists are exact, histories possible`, round);
	if (good)
		good = await part("fsck finds nothing", clean);
	const { reached, lost } = fleet.control;
	if (good)
		await part("gateways that do not compare their own counter are found", control);
	console.log(`# ${lost} changes were lost`);
	console.log(`# reached: ${Object.entries(reached).map(([name, { done }]) => `${name} ${done}`).join(", ")}`);
}

console.log(`# seed ${values.seed}, ${KILLS} faults, ${planned.length} of them at points`);
let missing = false;
if (await part("the cluster and its gateways start", async () => { missing = !await fleet.start(); }) && !missing)
	await everything();
if (missing)
	console.log(`ok ${++tests} - all of it # SKIP Ceph's packages are missing: tools/install-packages ceph`);
Object.assign(counts, fleet.counts);
console.log(`# ${Object.entries({ ...counts, ...load.counts }).map(([name, count]) => `${count} ${name}`).join(", ")}`);
if (failures && fleet.config)
	console.log(`# ${(await fleet.state()).split("\n").join("\n# ")}`);
for (const gateway of failures ? fleet.gateways : [])
	console.log(`# ${gateway.log.split("\n").filter(line => !line.includes(" info ")).slice(-15).join("\n# ")}`);
console.log(`1..${tests}`);
await fleet.stop();
rmSync(work, { recursive: true, force: true });
// Clients of a round that failed would go on.
process.exit(failures ? 1 : 0);
