// SPDX-License-Identifier: Apache-2.0
// For each sync in the code: without it, does anything show? The recording stays the same; the model
// of the disk does not hear of that sync.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BIN } from "../../e2e/lib/server.js";
import { runCase } from "./cuts.js";
import { Kind, siteOf } from "./trace.js";

const PLACES = { 1: "segments", 2: "large", 4: "index", 8: "the folder", 16: "damaged" };

/** The places in the code that asked for a sync: site to {text, count}. */
export function sitesOf(records) {
	const sites = new Map();
	for (const record of records) {
		if (record.kind !== Kind.SYNC_BEGIN)
			continue;
		const site = siteOf(record);
		if (!sites.has(site))
			sites.set(site, { text: textOf(record), count: 0 });
		sites.get(site).count++;
	}
	return sites;
}

/** `wal.c:262, of segments`. */
function textOf({ b, d }) {
	const callers = [d >> 32n, d & 0xffffffffn].filter(Boolean).map(address => {
		const lines = execFileSync("addr2line", ["-i", "-e", BIN, `0x${address.toString(16)}`], { encoding: "utf8" });
		return lines.trim().split("\n").map(line => line.replace(/ .*/, "").split("/").at(-1)).join(" in ");
	});
	return `${callers.join(", for ") || "RocksDB"}, of ${PLACES[b] ?? b}`;
}

/** Cases without that sync, `most` at most, until one fails: {tried, noticed}. */
export async function without(recordings, site, folder, most) {
	for (let tried = 1; tried <= most; tried++) {
		const place = join(folder, `without-${tried}`);
		mkdirSync(place);
		let noticed = null;
		try {
			await runCase(recordings[tried % recordings.length], place, tried, { leftOut: new Set([site]), thorough: false });
		} catch (error) {
			noticed = error.message;
		}
		await rm(place, { recursive: true });
		if (noticed)
			return { tried, noticed };
	}
	return { tried: most, noticed: null };
}
