// SPDX-License-Identifier: Apache-2.0
// What a process uses, measured over time, and whether that stays flat.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MIB = 2 ** 20;

/**
 * What is looked at: a row is flat if its mean over the last quarter of the samples is at most that
 * over the second quarter, `share` more, and `slack` besides. The first quarter fills caches.
 */
export const ROWS = [
	{ name: "memory (RSS)", of: sample => sample.rss, share: 0.1, slack: 8 * MIB, unit: MIB },
	{ name: "descriptors", of: sample => sample.descriptors, share: 0.1, slack: 16, unit: 1 },
	{ name: "threads", of: sample => sample.threads, share: 0, slack: 1, unit: 1 },
	{ name: "data folder without live bytes", of: sample => sample.disk - sample.live, share: 0.25, slack: 64 * MIB, unit: MIB },
	{ name: "index", of: sample => sample.index, share: 0.25, slack: 16 * MIB, unit: MIB },
	{ name: "log, bytes for 1000 steps", of: sample => sample.logged, share: 0.25, slack: 1000, unit: 1 },
];

/** Of files that go away meanwhile nothing is counted. */
function blocksBelow(path) {
	try {
		const info = lstatSync(path);
		const inner = info.isDirectory() ? readdirSync(path).map(name => blocksBelow(join(path, name))) : [];
		return inner.reduce((sum, each) => sum + each, info.blocks * 512);
	} catch (error) {
		if (error.code !== "ENOENT")
			throw error;
		return 0;
	}
}

/** What the process `pid` uses now, and its data folder. */
export function sampleOf(pid, data) {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	const number = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]);
	return {
		rss: number("VmRSS") * 1024,
		threads: number("Threads"),
		descriptors: readdirSync(`/proc/${pid}/fd`).length,
		disk: blocksBelow(data),
		index: blocksBelow(join(data, "index")),
	};
}

const mean = list => list.reduce((sum, each) => sum + each, 0) / list.length;

/** {name, second, last, flat, text} of a row. */
export function judge({ name, of, share, slack, unit }, samples) {
	const quarter = Math.floor(samples.length / 4);
	const second = mean(samples.slice(quarter, 2 * quarter).map(of));
	const last = mean(samples.slice(-quarter).map(of));
	const flat = last <= second * (1 + share) + slack;
	const shown = value => (value / unit).toFixed(1) + (unit === MIB ? " MiB" : "");
	return { name, second, last, flat, text: `${name}: ${shown(second)} in the second quarter, ${shown(last)} in the last` };
}
