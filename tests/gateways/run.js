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

const USAGE = `Usage: node tests/gateways/run.js [--quick] [--kills N] [--holds N] [--osds N] [--seed N]

Three gateways on a Ceph cluster under mixed load, while gateways and OSDs are killed and stopped for a
while; what they answered is compared with what is there. Prints TAP. POSTERN_BIN is the server,
GATEWAYS_DIR the folder for data (that for temporary files).

  --quick     all times are a tenth of what they usually are
  --kills N   that many faults (200)
  --holds N   so many of them are gateways that stand still until the others take them for dead (20)
  --osds N    with 1 it keeps all in memory, and nothing happens to it (3)
  --seed N    the same choices again; the timing differs
`;
const { values } = parseArgs({ options: {
	quick: { type: "boolean", default: false },
	kills: { type: "string", default: "200" },
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
const GATEWAYS = 3;
const CLIENTS = 3;
const run = promisify(execFile);
const random = new Random(Number(values.seed));
const work = mkdtempSync(join(process.env.GATEWAYS_DIR ?? tmpdir(), "postern-gateways-"));
const times = values.quick ? QUICK : SLOW;
const fleet = new Fleet(work, { times, osds: OSDS, gateways: GATEWAYS, splitAt: 20 });
const load = new Load(fleet, random.fork(), CLIENTS);
const counts = { faults: 0, "gateways killed": 0, "gateways held": 0, "gateways taken for dead": 0, "OSDs killed": 0, "OSDs held": 0 };

/** One fault, after a while. */
async function fault() {
	const second = values.quick ? 300 : 1000;
	await pause(second * (0.5 + random.next()));
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
	for (let i = 0; i < EACH_ROUND && counts.faults < KILLS && !load.failed; i++)
		await fault();
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

async function clean() {
	// What was garbage has gone by then.
	await pause(3 * times.epoch + 2 * times.collect);
	const { stdout } = await run(BIN, ["fsck", "--json", "--store-backend", "rados", "--rados-config", fleet.config, "--rados-id", "admin"]);
	const { findings, leaks, standing, moving } = JSON.parse(stdout.trim().split("\n").at(-1));
	assert.deepEqual({ findings, leaks, standing, moving }, { findings: 0, leaks: 0, standing: 0, moving: 0 }, stdout);
}

async function everything() {
	let good = await part("the load is prepared", () => load.prepare());
	for (let number = 1; good && counts.faults < KILLS; number++)
		good = await part(`round ${number}: what was answered is there, lists are exact, histories possible`, round);
	if (good)
		await part("fsck finds nothing", clean);
}

console.log(`# seed ${values.seed}, ${KILLS} faults`);
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
process.exitCode = failures ? 1 : 0;
