// SPDX-License-Identifier: Apache-2.0
// A long run of everything at once: README.md.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { request } from "../e2e/lib/oss.js";
import { BIN, pause } from "../e2e/lib/server.js";
import { startSink } from "../e2e/lib/sink.js";
import { Random } from "../torture/lib/random.js";
import { Act, checkFolder, Control, isReady, Place, start } from "../torture/lib/store.js";
import { BUCKET, expiring, SoakWorld, visit } from "./lib/cells.js";
import { judge, ROWS, sampleOf } from "./lib/samples.js";

const USAGE = `Usage: node tests/soak/run.js [--seconds N] [--seed N] [--samples FILE]

Runs the store under mixed load for N seconds (3600): in the first half it is killed again and
again, in the second one process goes on through full disks, other keys and backups. Prints TAP.
POSTERN_BIN is the server, SOAK_DIR the folder for data (that for temporary files).

  --seconds N      how long it takes, without the end
  --seed N         the same choices again; the timing differs
  --samples FILE   writes each sample there, a line of JSON
`;
const { values } = parseArgs({ options: {
	seconds: { type: "string", default: "3600" },
	seed: { type: "string", default: String(Date.now() % 1e9) },
	samples: { type: "string" },
	help: { type: "boolean", default: false },
} });
if (values.help) {
	process.stdout.write(USAGE);
	process.exit(0);
}

const SECONDS = Number(values.seconds);
const CLIENTS = 4;
const VISITORS = 2;
/** How long a process lives in the first half, and how long the load goes on between two events in the second. */
const LIFE_MS = Math.max(2000, Math.min(20_000, SECONDS * 25));
const FULL_MS = 1500;
const SAMPLES = 400;
const EVERYWHERE = Place.SEGMENTS | Place.LARGE | Place.INDEX | Place.ROOT | Place.DAMAGED;
const CHANGES = Act.WRITE | Act.SYNC | Act.NAME | Act.SIZE;

const run = promisify(execFile);
const random = new Random(Number(values.seed));
const work = mkdtempSync(join(process.env.SOAK_DIR ?? tmpdir(), "postern-soak-"));
const data = join(work, "data");
const copy = join(work, "backup");
mkdirSync(data, { mode: 0o700 });
const control = new Control(join(work, "control"));
const ends = [];
const sink = await startSink({ after: job => ends.push(job) }, ({ body }, response) => {
	const { object, size } = Object.fromEntries(new URLSearchParams(body.toString()));
	const text = JSON.stringify({ object, size });
	response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }).end(text);
	sink.requests.length = 0;
});
const world = new SoakWorld(CLIENTS, sink);
const counts = { steps: 0, visits: 0, starts: 0, kills: 0, full: 0, keys: 0, backups: 0 };

async function begin() {
	const server = await start(data, { control, args: ["--store-callback-allow", "127.0.0.1",
		"--store-lifecycle-interval-seconds", "5"] });
	world.server = server;
	counts.starts++;
	return server;
}

const isGone = error => typeof error.code === "string" && error.code.startsWith("E") && error.code !== "ERR_ASSERTION"
	|| error.message === "aborted";

/** Load for some time, or until the process has gone. */
async function load(server, ms) {
	const until = Date.now() + ms;
	let gone = false;
	void server.gone.then(() => { gone = true; });
	const visitor = async own => {
		while (Date.now() < until && !gone) {
			try {
				await visit(server.store, world, own);
			} catch (error) {
				if (!isGone(error))
					throw error;
				return;
			}
			counts.visits++;
			await pause(50);
		}
	};
	const visitors = Array.from({ length: VISITORS }, () => visitor(random.fork()));
	let taken = 0;
	await Promise.all([...visitors, world.work(server.store, random, { enough: now => {
		counts.steps += now - taken;
		taken = now;
		return Date.now() >= until || gone;
	} })]);
	world.forget();
}

const now = cell => ({ allowed: cell.allowedNow(), why: cell.steps.at(-1)?.what });

/** Everything is as it was answered. */
async function look(server) {
	const found = await world.verify(server.store, now);
	for (const [cell, state] of found)
		cell.settle(state);
	world.forget();
}

/** The first half: each process ends in front of a call that changes a file, behind it, at any time, or as asked. */
async function lives(until) {
	while (Date.now() < until) {
		const server = await begin();
		try {
			if (counts.starts === 1)
				await world.prepare(server.store);
			else
				await look(server);
			const way = random.next();
			if (way < 0.6)
				control.fail({ nth: 1 + random.below(4000), failure: random.of([0, -1]), acts: CHANGES, places: EVERYWHERE });
			await load(server, LIFE_MS * (0.3 + 0.7 * random.next()));
			control.stop();
			if (way > 0.85) {
				await server.stop();
			} else {
				await server.kill();
				counts.kills++;
			}
		} catch (error) {
			error.message += `\n${server.log.slice(-3000)}`;
			throw error;
		} finally {
			control.stop();
			await server.kill();
		}
	}
}

/** The disk is full for a moment. Errors are answered, and when there is space again all goes on. */
async function fullDisk(server) {
	const until = Date.now() + FULL_MS;
	control.fail({ nth: 1, behind: true, failure: constants.errno.ENOSPC, acts: Act.WRITE | Act.SIZE,
		places: Place.SEGMENTS | Place.LARGE | Place.INDEX });
	try {
		counts.steps += await world.workInSpite(server.store, random, () => Date.now() >= until);
	} finally {
		control.stop();
	}
	assert.ok(await isReady(server), "it is ready again when there is space");
	await look(server);
	counts.full++;
}

/** Another key comes, is good, and is good no more once it has gone. */
async function otherKey(server) {
	const { stdout } = await run(BIN, ["keys", "add", "--data", data]);
	const [id, secret] = ["id", "secret"].map(name => new RegExp(`^access key ${name} +(\\S+)$`, "m").exec(stdout)[1]);
	const becomes = async status => {
		for (let tries = 0; ; tries++) {
			const got = await request(server.store, "GET", BUCKET, "", { accessKey: { id, secret } });
			if (got.status === status)
				return;
			assert.ok(tries < 200, `with a key that was ${status === 200 ? "added" : "removed"}: ${got.status} ${got.text}`);
			await pause(50);
		}
	};
	server.signal("SIGHUP");
	await becomes(200);
	await run(BIN, ["keys", "remove", id, "--data", data]);
	server.signal("SIGHUP");
	await becomes(403);
	counts.keys++;
}

async function backUp() {
	await run(BIN, ["backup", "--data", data, copy]);
	counts.backups++;
}

const samples = [];
/** Samples are taken while the load is on. */
function watch(server) {
	const file = values.samples ? createWriteStream(values.samples) : null;
	let before = { at: counts.steps, logged: 0 };
	let total = 0;
	server.log = "";
	const take = () => {
		total += server.log.length;
		server.log = "";
		const steps = counts.steps - before.at;
		// A sample of a few steps says nothing about what is logged for each.
		const logged = steps > 20 ? (total - before.logged) * 1000 / steps : samples.at(-1)?.logged ?? 0;
		if (steps > 20)
			before = { at: counts.steps, logged: total };
		samples.push({ ...sampleOf(server.pid, data), live: world.liveBytes, logged, steps: counts.steps });
		file?.write(`${JSON.stringify(samples.at(-1))}\n`);
	};
	const timer = setInterval(take, Math.max(250, SECONDS * 500 / SAMPLES));
	return () => {
		clearInterval(timer);
		file?.end();
	};
}

/** The second half: one process. */
async function oneLife(until) {
	const server = await begin();
	try {
		await look(server);
		const done = watch(server);
		try {
			for (let round = 0; Date.now() < until; round++) {
				const beside = [() => otherKey(server), backUp, async () => {}][round % 3];
				await Promise.all([load(server, LIFE_MS), beside()]);
				if (round % 3 === 2)
					await fullDisk(server);
			}
		} finally {
			done();
		}
		await look(server);
		for (let tries = 0; await expiring(server.store) > 0; tries++) {
			assert.ok(tries < 300, "what has expired is deleted");
			await pause(100);
		}
		await server.stop();
	} catch (error) {
		error.message += `\n${server.log.slice(-3000)}`;
		throw error;
	} finally {
		await server.kill();
	}
}

/** The backup is whole, and what it restores is clean. */
async function restored() {
	await run(BIN, ["backup", "--data", data, copy]);
	await run(BIN, ["restore", "--check", copy]);
	const to = join(work, "restored");
	await run(BIN, ["restore", copy, "--data", to]);
	checkFolder(to);
	const server = await start(to);
	try {
		await look(server);
	} finally {
		await server.stop();
	}
}

let tests = 0;
let failures = 0;
async function part(name, go) {
	const error = await go().then(() => null, error => error);
	console.log(`${error ? "not ok" : "ok"} ${++tests} - ${name}`);
	// The stack may have been made before the log was added to the message.
	for (const line of error ? `${error.stack.includes(error.message) ? "" : `${error.message}\n`}${error.stack}`.split("\n") : [])
		console.log(`# ${line}`);
	if (error)
		failures++;
	return !error;
}

console.log(`# seed ${values.seed}, ${SECONDS} seconds`);
const begun = Date.now();
const good = await part("kills: what was answered is there", () => lives(begun + SECONDS * 500))
	&& await part("one process through full disks, other keys and backups", () => oneLife(begun + SECONDS * 1000))
	&& await part("after it has stopped, the folder is clean", async () => checkFolder(data))
	&& await part("a backup of it is restored", restored);
console.log(`# ${Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ")}; ${samples.length} samples`);
if (good) {
	await part("there are samples enough", async () => assert.ok(samples.length >= 16, `${samples.length}`));
	for (const row of ROWS) {
		const { flat, text } = judge(row, samples);
		await part(`flat: ${text}`, async () => assert.ok(flat, text));
	}
}
console.log(`1..${tests}`);
for (const end of ends)
	await end();
if (failures === 0)
	rmSync(work, { recursive: true });
else
	console.log(`# the folder is ${work}`);
process.exitCode = failures ? 1 : 0;
