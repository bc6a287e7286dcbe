// SPDX-License-Identifier: Apache-2.0
// The ledger's database, held up as another program would that writes to it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";

const HOLD = `
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
print(file.execute("SELECT count(*) FROM grants").fetchone()[0])
file.execute("ROLLBACK")
`;

/** Nobody else can write to the file until the function is called, which gives the number of grants. */
export async function holdDatabase(t, path) {
	const holder = spawn("python3", ["-c", HOLD, path], { stdio: ["pipe", "pipe", "inherit"] });
	const gone = new Promise(done => holder.on("close", done));
	let text = "";
	const held = new Promise(done => holder.stdout.on("data", more => {
		text += more;
		done();
	}));
	const release = async () => {
		holder.stdin.end();
		await gone;
		return Number(text.split("\n")[1]);
	};
	t.after(release);
	await Promise.race([held, gone]);
	assert.match(text, /^held/);
	return release;
}
