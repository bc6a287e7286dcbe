// SPDX-License-Identifier: Apache-2.0
// What `postern doctor` says of the ledger's database: each fault is told, with what mends it, and
// nothing is changed there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { NO_POSTGRES, startPostgres } from "../lib/postgres.js";
import { BIN, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort } from "../lib/sink.js";

const PASSWORD = "not-the-password";

test("the database of the ledger is asked: cause and fix", { skip: NO_POSTGRES }, async t => {
	const postgres = await startPostgres(t);
	const store = await closedPort();
	const wrong = join(await temporaryFolder(t), "password");
	await writeFile(wrong, PASSWORD);

	/** The line about the ledger. */
	async function ask(url, args = []) {
		const child = spawn(BIN, ["doctor", "app", "--app-host", `${store}/uploads`, "--app-access-key-id", "a",
			"--app-access-key-secret", "b", "--app-ledger-url", url, ...args], { stdio: ["ignore", "pipe", "inherit"] });
		let text = "";
		child.stdout.on("data", more => {
			text += more;
		});
		const status = await new Promise(done => child.on("close", done));
		assert.equal(status, 2, "there is no store");
		assert.doesNotMatch(text, /not-the-password|postgresql:/);
		const lines = text.split("\n").filter(line => / ledger /.test(line));
		assert.equal(lines.length, 1, text);
		return lines[0];
	}
	const bob = postgres.url.replace("user=postern", "user=bob");
	await postgres.query("CREATE ROLE bob LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");

	assert.match(await ask(postgres.url), /^ok .*\(PostgreSQL \d+.*the first start makes the tables/);
	assert.match(await ask(bob), /^failed .*may not make them in the schema public\. Fix: GRANT CREATE ON SCHEMA/);
	assert.equal(await postgres.query("SELECT count(*) FROM pg_class WHERE relname = 'ledger_version'"), "0");

	const server = await startServer(t, { env: { POSTERN_APP_LEDGER_URL: postgres.url } });
	assert.match(await ask(postgres.url), /^ok .*the user may use its tables/);
	assert.match(await ask(bob), /^failed .*lacks SELECT on uploads, INSERT on uploads, .*SELECT on ledger_version\. Fix: GRANT/);
	await postgres.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO bob; REVOKE INSERT ON uploads FROM bob");
	assert.match(await ask(bob), /^failed +ledger +the user lacks INSERT on uploads\. Fix: GRANT/);
	await postgres.query("GRANT INSERT ON uploads TO bob");
	assert.match(await ask(bob), /^ok /);
	await server.stop();
	await postgres.query("ALTER TABLE grants DROP COLUMN variables");
	assert.match(await ask(bob), /^failed .*lacks the column variables of grants, which its owner can add\. Fix: /);
	await assert.rejects(startServer(t, { env: { POSTERN_APP_LEDGER_URL: bob } }), /the database cannot be used: must be owner of table grants/);
	assert.match(await ask(postgres.url), /^ok /, "the owner's start adds it");
	const dump = postgres.query("BEGIN; SELECT count(*) FROM grants; SELECT pg_sleep(600)").catch(() => "ended");
	while (await postgres.query("SELECT count(*) FROM pg_locks WHERE relation = 'grants'::regclass AND mode = 'AccessShareLock'") === "0")
		continue;
	await assert.rejects(startServer(t, { env: { POSTERN_APP_LEDGER_URL: postgres.url } }), /cannot be used: canceling statement due to lock timeout/);
	await postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
	assert.equal(await dump, "ended");
	await postgres.query("DROP TABLE upload_hashes");
	assert.match(await ask(bob), /^failed .*or not all, and the user may not make them in the schema public\. Fix: GRANT CREATE/);
	await postgres.query("GRANT CREATE ON SCHEMA public TO bob; REVOKE INSERT ON uploads FROM bob");
	assert.match(await ask(bob), /^failed .*INSERT on uploads/, "what else is missing is said, too");
	assert.match(await ask(postgres.url), /^ok /, "tables of an earlier postern");
	await (await startServer(t, { env: { POSTERN_APP_LEDGER_URL: postgres.url } })).stop();
	assert.equal(await postgres.query("SELECT count(*) FROM upload_hashes"), "0", "the start adds what they lack");
	assert.equal(await postgres.query("SELECT count(variables) FROM grants"), "0");
	assert.equal(await postgres.query("SELECT version FROM ledger_version"), "5", "beside which the earlier one goes on");

	assert.match(await ask(postgres.url_with_password, ["--app-ledger-password-file", wrong]),
		/^failed .*cannot be used: .*password authentication failed for user "ann".* Fix: .*ledger_password_file/);
	assert.match(await ask(`${postgres.url}&options=-csearch_path%3Dnowhere`), /^failed .*no schema.* Fix: CREATE SCHEMA/);
	await postgres.query("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	assert.match(await ask(postgres.url.replace("/postgres?", "/bytes?")), /^failed .*encoding SQL_ASCII\. Fix: .*ENCODING 'UTF8'/);
	await postgres.query("UPDATE ledger_version SET version = version + 1");
	assert.match(await ask(postgres.url), /^failed .*tables are of version \d+, and this postern's of version \d+\. Fix: use the postern/);
	await postgres.kill();
	assert.match(await ask(postgres.url), /^failed .*cannot be used: .* Fix: start it/);
});
