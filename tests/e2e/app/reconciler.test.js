// SPDX-License-Identifier: Apache-2.0
// What was uploaded and never told of: the application server asks the store.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { metric } from "../lib/metrics.js";
import { postForm, request, send } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const LOST = 40;
const DAY = 86_400;
/** The last look at the store is so long before a day after the grant's end. */
const LAST_LOOK = 600;
let server, data, lost = 0, receiving;

const CONFIG = `
[app]
expire_seconds = 10
multipart_expire_seconds = 10
reconcile_seconds = 1
[profile fixed]
key = \${name}\${ext}
`;

const start = (t, env) => startServer(t, { data, env, args: ["--data", join(data, "data"), "--config",
	join(data, "postern.ini"), "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
	"--console-listen", "127.0.0.1:0"] });

/** A receiver that loses every callback. */
before(async () => {
	const receiver = createServer((request, response) => {
		lost++;
		request.resume();
		response.writeHead(500);
		response.end();
	});
	await new Promise(done => receiver.listen(0, "127.0.0.1", done));
	all.after(() => new Promise(done => receiver.close(done)));
	const { port } = receiver.address();
	data = await temporaryFolder(all);
	await writeFile(join(data, "postern.ini"), CONFIG);
	receiving = { POSTERN_APP_CALLBACK_URL: `http://127.0.0.1:${port}/lost`, POSTERN_STORE_CALLBACK_ALLOW: `127.0.0.1:${port}` };
	server = await start(all, receiving);
});

const json = async (path, method = "GET", body = undefined) => JSON.parse((await send(server.app + path,
	method, { "Content-Type": "application/json" }, body && JSON.stringify(body))).text);
const stateOf = grant => json(`/grants/${grant.id}?grant=${grant.grant}`);
const found = () => metric(server, "app_grants_total", { outcome: "found" });

async function upload(grant, content, at = server) {
	const got = await postForm(at.store, { key: `${grant.dir}any.txt`, ...grant.fields },
		{ name: "a.txt", type: "text/plain", content });
	assert.equal(got.status, 203, got.text);
}

async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, what);
		await new Promise(done => setTimeout(done, 200));
	}
}

test("uploads whose callbacks were lost are found, each once and under its grant", async () => {
	const files = Array.from({ length: LOST }, (_, i) => ({ name: `${i}.txt`, type: "text/plain" }));
	const { grants } = await json("/grants", "POST", { files });
	const [first, second] = (await json("/grants", "POST",
		{ profile: "fixed", files: [{ name: "same.txt" }, { name: "same.txt" }] })).grants;
	const unused = (await json("/grants", "POST", { files: [{ name: "b.txt" }] })).grants[0];
	const part = await json("/s3/multipart", "POST", { filename: "film.mp4" });
	const finished = await json("/s3/multipart", "POST", { filename: "done.mp4" });
	for (const [i, grant] of grants.entries())
		await upload(grant, `content ${i}`);
	await upload(first, "first");
	await upload(second, "second");
	const query = new URLSearchParams({ key: finished.key });
	const { url } = await json(`/s3/multipart/${finished.uploadId}/1?${query}`);
	const put = await send(url, "PUT", {}, "film");
	const complete = await json(`/s3/multipart/${finished.uploadId}/complete?${query}`, "POST",
		{ parts: [{ PartNumber: 1, ETag: put.headers.etag }] });
	assert.equal(complete.error, "callback_failed");
	assert.ok(lost >= LOST + 3);
	for (const grant of [...grants, first, second, unused, part, finished])
		assert.equal((await stateOf(grant)).state, "issued");

	await until("all are found", async () => await found() >= LOST + 2);
	await until("the unfinished one is aborted", async () => await metric(server, "app_uploads_aborted_total") >= 1);
	for (const [i, grant] of [...grants, second, finished].entries()) {
		const { state, uploads, last } = await stateOf(grant);
		assert.deepEqual([state, uploads, last.object, last.confirmed],
			["found", 1, grant.fields?.key ?? grant.key, true], String(i));
	}
	for (const grant of [first, unused, part])
		assert.deepEqual([(await stateOf(grant)).state, (await stateOf(grant)).uploads], ["issued", 0]);
	const uploads = await request(server.store, "GET", "uploads", "", { query: { uploads: "" } });
	assert.ok(!uploads.text.includes("<UploadId>"), uploads.text);
	assert.equal(await found(), LOST + 2);
	assert.equal((await send(`${server.app}/s3/multipart/${part.uploadId}?${
		new URLSearchParams({ key: part.key })}`)).status, 410);

	// A form that began in time may arrive late.
	await request(server.store, "PUT", "uploads", unused.fields.key,
		{ body: "late", headers: { "x-oss-meta-grant": unused.id } });
	await until("what arrives late is found", async () => (await stateOf(unused)).state === "found");
});

/** Runs a statement of SQL about the ledger in `folder`; the rows. */
const sql = (folder, statement, values) => JSON.parse(execFileSync("python3", ["-c", `
import json, sqlite3, sys
file = sqlite3.connect(sys.argv[1], timeout=60)
print(json.dumps(file.execute(sys.argv[2], json.loads(sys.argv[3])).fetchall()))
file.commit()
`, join(folder, "ledger.db"), statement, JSON.stringify(values)], { encoding: "utf8" }));

test("a day after a grant has ended nothing is looked for any more", async t => {
	const folder = await temporaryFolder(t);
	const own = await startServer(t, { data: folder, env: { ...receiving, POSTERN_APP_RECONCILE_SECONDS: "1" } });
	const { grants } = JSON.parse((await send(`${own.app}/grants`, "POST", { "Content-Type": "application/json" },
		JSON.stringify({ files: Array.from({ length: 5 }, () => ({ name: "a.txt", type: "text/plain" })) }))).text);
	const [near, last, old, there, marker] = grants;
	const now = Math.floor(Date.now() / 1000);
	/** As if the grant had ended then, and nobody had looked yet. */
	const endedAt = (grant, expires) => sql(folder,
		"UPDATE grants SET expires = ?1, due = ?1 + ?2, look_at = ?1 + 1 WHERE id = ?3", [expires, DAY, grant.id]);
	const row = grant => sql(folder, "SELECT state, look_at FROM grants WHERE id = ?", [grant.id])[0];
	const arrives = async grant => assert.equal((await request(own.store, "PUT", "uploads", grant.fields.key,
		{ body: "late", headers: { "x-oss-meta-grant": grant.id } })).status, 200);

	// The grants have written their rows: the ledger is asked in order.
	await send(`${own.app}/grants/${marker.id}?grant=${marker.grant}`);
	await upload(there, "there", own);
	endedAt(near, now - DAY / 2);
	endedAt(last, now - DAY + LAST_LOOK - 10);
	endedAt(old, now - 2 * DAY);
	endedAt(there, now - 2 * DAY);
	await until("what is half a day old is looked at once more, at the end of its day",
		async () => row(near)[1] === now + DAY / 2 - LAST_LOOK);
	for (const grant of [last, old])
		await until("that was the last look", async () => row(grant)[1] === null);
	// While it waited to be looked at, its end was put off.
	sql(folder, "UPDATE grants SET due = ? WHERE id = ?", [now, old.id]);
	await until("what is older is expired", async () => row(old)[0] === "expired");
	await until("a server that was down for longer asks once", async () => row(there)[0] === "found");
	assert.deepEqual(row(old), ["expired", null]);

	for (const grant of [near, last, old])
		await arrives(grant);
	// Its turn comes after theirs.
	await arrives(marker);
	endedAt(marker, now);
	await until("another one is found", async () => row(marker)[0] === "found");
	assert.deepEqual([row(near)[0], row(last), row(old)], ["issued", ["issued", null], ["expired", null]]);
	// Only the time of its next look was not there yet.
	sql(folder, "UPDATE grants SET look_at = ? WHERE id = ?", [now, near.id]);
	await until("what is looked for is found", async () => row(near)[0] === "found");
});
