// SPDX-License-Identifier: Apache-2.0
// How often one caller may ask: [app] grant_rate, part_rate and trusted_proxies.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bearer, token } from "../lib/jwt.js";
import { send } from "../lib/oss.js";
import { BIN, startServer, temporaryFolder } from "../lib/server.js";

const shop = { alg: "HS256", secret: "a secret that has more than thirty-two bytes" };

/** The statuses of so many requests, one after the other. */
async function statuses(at, count, headers = {}, path = "/grant") {
	const all = [];
	for (let i = 0; i < count; i++)
		all.push((await send(at.app + path, "GET", headers)).status);
	return all;
}

test("an address may ask so many times a minute, and is told when again", async t => {
	const at = await startServer(t, { env: { POSTERN_APP_GRANT_RATE: "3" } });
	assert.deepEqual(await statuses(at, 3), [200, 200, 200]);
	const got = await send(`${at.app}/grant`);
	assert.equal(got.status, 429);
	assert.equal(JSON.parse(got.text).error, "too_many_requests");
	const again = Number(got.headers["retry-after"]);
	assert.ok(again >= 1 && again <= 20, String(again));
	assert.deepEqual(await statuses(at, 1, {}, "/"), [429], "one rate for all grants");
	assert.deepEqual(await statuses(at, 1, { "X-Forwarded-For": "192.0.2.1" }), [429],
		"anybody can write that");
	assert.deepEqual(await statuses(at, 1, {}, "/upload/"), [200], "a page is no grant");
});

test("behind a trusted proxy the last address that is not one counts", async t => {
	const at = await startServer(t, { env: { POSTERN_APP_GRANT_RATE: "1",
		POSTERN_APP_TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8" } });
	for (const [forwarded, status] of [["192.0.2.1", 200], ["192.0.2.1", 429], ["192.0.2.2", 200],
		["192.0.2.9, 192.0.2.2", 429], ["192.0.2.2, 10.1.2.3", 429], ["2001:db8::1", 200], ["2001:db8::2", 429], ["2001:db8:0:0:ffff::", 429],
		["2001:db8:0:1::1", 200], ["::ffff:192.0.2.1", 429],
		["192.0.2.3, unknown", 200], ["192.0.2.4, unknown", 429], ["192.0.2.5,", 429]])
		assert.deepEqual(await statuses(at, 1, { "X-Forwarded-For": forwarded }), [status], forwarded);
});

test("a subject is counted wherever it asks from, and parts have a rate of their own", async t => {
	const folder = await temporaryFolder(t), file = join(folder, "secret");
	await writeFile(file, shop.secret, { mode: 0o600 });
	const at = await startServer(t, { env: { POSTERN_APP_AUTH: "jwt",
		POSTERN_APP_JWT_SECRET_FILE: file, POSTERN_APP_GRANT_RATE: "2", POSTERN_APP_PART_RATE: "3",
		POSTERN_APP_TRUSTED_PROXIES: "127.0.0.1" } });
	const from = (sub, address) => ({ ...bearer(token(shop, { sub })), "X-Forwarded-For": address });
	assert.deepEqual(await statuses(at, 1, from("ann", "192.0.2.1")), [200]);
	const begun = await send(`${at.app}/s3/multipart`, "POST", from("ann", "192.0.2.2"),
		JSON.stringify({ filename: "film.mp4" }));
	assert.equal(begun.status, 200, begun.text);
	assert.deepEqual(await statuses(at, 1, from("ann", "192.0.2.3")), [429]);
	assert.deepEqual(await statuses(at, 1, from("bob", "192.0.2.3")), [200]);
	const { key, uploadId } = JSON.parse(begun.text);
	const part = `/s3/multipart/${uploadId}/1?${new URLSearchParams({ key })}`;
	assert.deepEqual(await statuses(at, 4, from("ann", "192.0.2.4"), part), [200, 200, 200, 429]);
});

test("who asks what has become of a grant gets grants all the same", async t => {
	const folder = await temporaryFolder(t), file = join(folder, "secret");
	await writeFile(file, shop.secret, { mode: 0o600 });
	const at = await startServer(t, { env: { POSTERN_APP_AUTH: "jwt", POSTERN_APP_JWT_SECRET_FILE: file,
		POSTERN_APP_GRANT_RATE: "2", POSTERN_APP_PART_RATE: "5" } });
	const ann = bearer(token(shop, { sub: "ann" }));
	const { id } = JSON.parse((await send(`${at.app}/grant`, "GET", ann)).text);
	const looks = await statuses(at, 6, ann, `/grants/${id}`);
	assert.deepEqual(looks.slice(1), [200, 200, 200, 200, 429], "they are counted by themselves");
	assert.deepEqual(await statuses(at, 2, ann), [200, 429]);
});

test("a list that cannot be read ends the start", () => {
	const open = "127.0.0.1:0";
	const got = spawnSync(BIN, ["serve", "--ephemeral", "--store-listen", open, "--app-listen", open,
		"--console-listen", open, "--app-trusted-proxies", "10.0.0.0/99"], { encoding: "utf8", timeout: 30_000 });
	assert.equal(got.status, 2);
	assert.match(got.stderr, /trusted_proxies/);
});
