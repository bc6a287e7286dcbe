// SPDX-License-Identifier: Apache-2.0
// `postern serve`: what its application server and its store are told has to fit. What cannot is
// refused at the start, and not at each upload; what is not said is taken from the other.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { getObject, postForm, request } from "../lib/oss.js";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, BIN, startServer, temporaryFolder } from "../lib/server.js";

const ANYWHERE = ["--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"];
const KEYS = { POSTERN_ACCESS_KEY_ID: ACCESS_KEY_ID, POSTERN_ACCESS_KEY_SECRET: ACCESS_KEY_SECRET };

/** Runs a command that is expected to end by itself. */
function run(args, env = {}) {
	const done = spawnSync(BIN, args, { encoding: "utf8", timeout: 30_000, env: { PATH: process.env.PATH, ...env } });
	return { status: done.status, err: done.stderr };
}

/** Uploads as a page does, with a new grant; into the bucket that the grant is for. */
async function upload(server, content) {
	const { url, dir, fields } = await (await fetch(`${server.app}/grant`)).json();
	const bucket = new URL(url).pathname.slice(1);
	const posted = await postForm(server.store, { key: `${dir}a.txt`, ...fields }, { name: "a.txt", content }, { bucket });
	assert.equal(posted.status, 200, posted.text);
	return { bucket, key: `${dir}a.txt` };
}

for (const [what, args, want] of [
	["two regions", ["--store-region", "eu-test-1", "--app-region", "eu-test-2"],
		/\[app\] region: is `eu-test-2`, but \[store\] region is `eu-test-1`/],
	["the default region, when it is given", ["--store-region", "eu-test-1", "--app-region", "cn-hangzhou"],
		/\[app\] region: is `cn-hangzhou`/],
	["two regions, and the URL of the own store", ["--store-region", "eu-test-1", "--app-region", "eu-test-2",
		"--app-host", "http://127.0.0.1:9000/uploads"], /\[app\] region: is `eu-test-2`/],
	["V1 for a store that takes V4 alone", ["--store-signature-versions", "v4", "--app-signature-version", "1"],
		/\[app\] signature_version: is 1, but/],
	["a key that the store has not", ["--app-access-key-id", "nobody", "--app-access-key-secret", "secret"],
		/\[app\] access_key_id: `nobody`, with its secret, is no key of the store/],
	["a secret that is another's", ["--app-access-key-secret", "secret"], /\[app\] access_key_id: `testaccesskeyid`, with its/],
	["a host name that is another bucket's", ["--store-hosts", "upl.example.com=photos", "--app-host", "http://upl.example.com"],
		/\[app\] host: `http:\/\/upl\.example\.com` is the bucket `photos` to the store.*for `upl`/],
	["a name below a domain, and another bucket", ["--store-domains", "oss.example.com", "--app-host",
		"http://photos.oss.example.com:9000", "--app-bucket", "music"], /is the bucket `photos` to the store.*for `music`/],
	["no bucket's name", ["--app-bucket", "No Bucket"], /bucket/],
])
	test(`refused at the start: ${what}`, async t => {
		const data = await temporaryFolder(t);
		const { status, err } = run(["serve", "--data", data, ...ANYWHERE, ...args], KEYS);
		assert.match(err, want);
		assert.notEqual(status, 0);
		assert.notEqual(status, null, "it started");
	});

test("a region that only the store is told is the application server's, too", async t => {
	const server = await startServer(t, { env: { POSTERN_STORE_REGION: "eu-test-1" } });
	const { bucket, key } = await upload(server, "region");
	assert.equal((await getObject(server.store, key, bucket)).toString(), "region");
});

test("the first start makes the bucket that [app] names", async t => {
	const server = await startServer(t, { env: { POSTERN_APP_BUCKET: "photos" } });
	const { bucket, key } = await upload(server, "photo");
	assert.equal(bucket, "photos");
	assert.equal((await getObject(server.store, key, "photos")).toString(), "photo");
	assert.equal((await request(server.store, "GET", "uploads")).status, 404);
	assert.doesNotMatch(server.log, /there is no bucket|no CORS rule/);
});

test("a bucket that is not there is told at the start", async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { data });
	await first.stop();
	const second = await startServer(t, { data, env: { POSTERN_APP_BUCKET: "photos" } });
	assert.match(second.log, /there is no bucket photos/);
});

test("a bound host with its bucket, and a key of another store, are taken", async t => {
	await startServer(t, { env: { POSTERN_STORE_HOSTS: "upl.example.com=photos", POSTERN_APP_HOST: "http://upl.example.com",
		POSTERN_APP_BUCKET: "photos" } });
	await startServer(t, { env: { POSTERN_STORE_REGION: "eu-test-1", POSTERN_APP_HOST: "http://127.0.0.1:1/elsewhere",
		POSTERN_APP_ACCESS_KEY_ID: "nobody", POSTERN_APP_ACCESS_KEY_SECRET: "secret" } });
});

test("postern doctor says the same of such a configuration", async t => {
	const server = await startServer(t);
	const args = ["doctor", "serve", "--data", server.data, "--app-listen", new URL(server.app).host, "--store-listen",
		new URL(server.store).host];
	const got = run([...args, "--store-region", "eu-test-1", "--app-region", "eu-test-2"]);
	assert.equal(got.status, 2);
	assert.match(got.err, /\[app\] region: is `eu-test-2`/);
});
