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

/** Of a folder: TRACE_NAMES. */
const NAMES = 256;
const PLACES = { 1: "segments", 2: "large", 4: "index", 8: "the data folder", 16: "damaged" };

/**
 * Syncs that may be left out alone, and why. Those of a group do each other's work: without all of
 * them it shows, or the group has no name.
 */
export const NOT_NEEDED = [
	{ site: "files_sync_dir < folder_write_format", group: "names in the data folder",
		why: "make_parts() syncs the same names before the store answers" },
	{ site: "files_sync_dir < files_open_dir < large_files_open, names in the data folder", group: "names in the data folder",
		why: "make_parts() syncs the same names before the store answers" },
	{ site: "files_sync_dir < files_open_dir < open_segments", group: "names in the data folder",
		why: "make_parts() syncs the same names before the store answers" },
	{ site: "files_sync_dir < make_parts", group: "names in the data folder",
		why: "in a new folder those who made the names have synced them; it is for a start that follows one that was cut off" },
	{ site: "RocksDB, names in the data folder", group: "names in the data folder",
		why: "make_parts() syncs the same names before the store answers" },
	{ site: /^private_file_write .* names in the data folder$/, group: "names in the data folder",
		why: "a key file that is lost is made anew, and the model does not look at keys" },
	{ site: "begin_file < segment_create", why: "the sync of the first group commit is of the same file; it is for a segment "
		+ "that says where the one before ends" },
	{ site: "files_sync_dir < files_open_dir < large_files_open, names in large",
		why: "the folder `staging` is for file systems without unnamed files" },
	{ site: "files_sync_dir < files_open_dir < make_folder", group: "folders of large files",
		why: "make_folder() does it once more" },
	{ site: "files_sync_dir < make_folder", group: "folders of large files",
		why: "who made the folder has done it; it is for the case that another thread, or a start before, has not come to that" },
	{ site: "files_sync_dir < large_files_remove", why: "a file that comes back belongs to nothing: a start removes it" },
];

/** The row of a sync that may be left out. */
export function notNeeded(text) {
	return NOT_NEEDED.find(({ site }) => typeof site === "string" ? text.startsWith(site) : site.test(text));
}

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

/** The functions that asked for it, the inner first: `wal_append < write_batch, in segments`. */
function textOf({ b, d }) {
	const functions = [d >> 32n, d & 0xffffffffn].filter(Boolean).flatMap(address => {
		const lines = execFileSync("addr2line", ["-f", "-i", "-e", BIN, `0x${address.toString(16)}`], { encoding: "utf8" });
		return lines.trim().split("\n").filter((_, i) => i % 2 === 0).map(name => name.replace(/\..*/, ""));
	});
	return `${functions.slice(0, 4).join(" < ") || "RocksDB"}, ${b & NAMES ? "names in" : "of"} ${PLACES[b & ~NAMES]}`;
}

/** Cases without these syncs, `most` at most, until one fails: {tried, noticed}. */
export async function without(recordings, sites, folder, most) {
	for (let tried = 1; tried <= most; tried++) {
		const place = join(folder, `without-${tried}`);
		mkdirSync(place);
		let noticed = null;
		try {
			await runCase(recordings[tried % recordings.length], place, tried, { leftOut: sites, thorough: false });
		} catch (error) {
			noticed = error.message;
		}
		await rm(place, { recursive: true });
		if (noticed)
			return { tried, noticed };
	}
	return { tried: most, noticed: null };
}
