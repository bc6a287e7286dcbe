// SPDX-License-Identifier: Apache-2.0
// TLS on all three ports: real clients, certificates that are read again while requests run, and
// those that are refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import https from "node:https";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { certificateName, installCertificate, makeCertificate } from "../lib/certificate.js";
import { ask } from "../lib/console_api.js";
import { postForm, send } from "../lib/oss.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";

const run = promisify(execFile);
const all = cleanups();
let server, folder;

before(async () => {
	folder = await temporaryFolder(all);
	await makeCertificate(folder, "first");
	await installCertificate(folder, "first", "all");
	server = await startServer(all, { env: {
		POSTERN_SERVER_TLS_CERTIFICATE: `${folder}/all.crt`,
		POSTERN_SERVER_TLS_KEY: `${folder}/all.key`,
	} });
});
after(all.run);

const ports = () => [server.app, server.store, server.console];

test("every port is TLS, and curl verifies it", async () => {
	for (const url of ports()) {
		assert.match(url, /^https:/);
		assert.equal(await certificateName(url), "first");
		await assert.rejects(fetch(url.replace("https:", "http:")));
	}
	const get = async url => (await run("curl", ["-sS", "--fail", "--cacert", `${folder}/all.crt`, url])).stdout;
	assert.match(await get(`${server.app}/grant`), /"url":"https:/);
	assert.equal(await get(`${server.console}/health`), "ok\n");
	assert.match(await get(`${server.store}/-/callback_pub_key_v1.pem`), /PUBLIC KEY/);
	await assert.rejects(run("curl", ["-sS", server.app]), /certificate/);
});

test("an upload is called back at the port with TLS; page, console and CORS know the scheme", async () => {
	const { url, fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	assert.equal(url, `${server.store}/uploads`);
	const got = await postForm(server.store, { key: `${dir}tls.txt`, ...fields }, { content: "over TLS" },
		{ headers: { Origin: server.app } });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	assert.equal(got.headers["access-control-allow-origin"], server.app);
	const callbacks = await ask(server, "GET", "/callbacks");
	assert.equal(callbacks.status, 200);
	assert.equal(callbacks.json.callbacks[0].url ?? callbacks.json.callbacks[0].tries[0].url, `${server.app}/`);
});

test("the doctor is content", async () => {
	const host = url => new URL(url).host;
	const env = { PATH: process.env.PATH, POSTERN_SERVER_TLS_CERTIFICATE: `${folder}/all.crt`, POSTERN_SERVER_TLS_KEY: `${folder}/all.key` };
	const { stdout } = await run(BIN, ["doctor", "--data", server.data, "--app-listen", host(server.app),
		"--store-listen", host(server.store)], { env });
	assert.match(stdout, /^ok +callback /m);
});

/** Asks a port by new and kept connections until it is told to stop; every answer must be there. */
function load(url, path) {
	const kept = new https.Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
	const fresh = new https.Agent({ keepAlive: false, rejectUnauthorized: false });
	let over = false, answers = 0;
	const one = agent => new Promise((done, fail) => {
		https.get(url + path, { agent }, response => {
			response.resume().on("end", () => done(response.statusCode)).on("error", fail);
		}).on("error", fail);
	});
	const worker = async agent => {
		while (!over) {
			assert.equal(await one(agent), 200);
			answers++;
		}
	};
	const workers = Promise.all([worker(kept), worker(kept), worker(fresh), worker(fresh)]);
	return {
		answers: () => answers,
		stop: async () => {
			over = true;
			await workers.finally(() => (kept.destroy(), fresh.destroy()));
		},
	};
}

const times = pattern => server.log.match(new RegExp(pattern, "g"))?.length ?? 0;

async function reload(pattern) {
	const before = times(pattern);
	server.signal("SIGHUP");
	while (times(pattern) === before)
		await new Promise(done => setTimeout(done, 5));
}

test("certificates are read again under load: no request fails, and all ports have the new one", async () => {
	const loads = [load(server.app, "/grant"), load(server.store, "/-/callback_pub_key_v1.pem"), load(server.console, "/health")];
	for (let i = 0; i < 20; i++) {
		const seen = loads.map(one => one.answers());
		await makeCertificate(folder, `turn${i}`);
		await installCertificate(folder, `turn${i}`, "all");
		await reload("the certificate was read again");
		for (const url of ports())
			assert.equal(await certificateName(url), `turn${i}`);
		while (loads.some((one, at) => one.answers() <= seen[at]))
			await new Promise(done => setTimeout(done, 5));
	}
	for (const one of loads)
		await one.stop();
});

test("what does not hold is refused, said once, and the old one goes on", async () => {
	const old = await certificateName(server.app);
	await copyFile(`${folder}/all.key`, `${folder}/good.key`);
	await copyFile(`${folder}/all.crt`, `${folder}/good.crt`);
	const cases = [
		["a key of another certificate", "cannot use the key in", async () => {
			await makeCertificate(folder, "other");
			await copyFile(`${folder}/other.key`, `${folder}/all.key`);
		}],
		["no certificate", "cannot use the certificate in", () => writeFile(`${folder}/all.crt`, "nothing\n")],
		["half a certificate", "cannot use the certificate in", async () => writeFile(`${folder}/all.crt`,
			(await readFile(`${folder}/good.crt`)).subarray(0, 300))],
		["one that has expired", "it has expired", async () => {
			await makeCertificate(folder, "late", { days: 1, command: ["faketime", "-f", "-10d"] });
			await installCertificate(folder, "late", "all");
		}],
	];
	for (const [name, pattern, spoil] of cases) {
		await copyFile(`${folder}/good.key`, `${folder}/all.key`);
		await copyFile(`${folder}/good.crt`, `${folder}/all.crt`);
		await spoil();
		const before = times(pattern);
		await reload(pattern);
		for (const url of ports())
			assert.equal(await certificateName(url), old, name);
		assert.equal((await send(`${server.console}/health`)).text, "ok\n");
		assert.equal(times(pattern), before + 1, name);
	}
	await copyFile(`${folder}/good.key`, `${folder}/all.key`);
	await copyFile(`${folder}/good.crt`, `${folder}/all.crt`);
	await reload("the certificate was read again");
});

test("a port may have a certificate of its own, or none", async t => {
	await makeCertificate(folder, "console");
	const own = await startServer(t, { env: {
		POSTERN_SERVER_TLS_CERTIFICATE: `${folder}/all.crt`,
		POSTERN_SERVER_TLS_KEY: `${folder}/all.key`,
		POSTERN_STORE_TLS_CERTIFICATE: "none",
		POSTERN_CONSOLE_TLS_CERTIFICATE: `${folder}/console.crt`,
		POSTERN_CONSOLE_TLS_KEY: `${folder}/console.key`,
	} });
	assert.match(own.store, /^http:/);
	assert.notEqual(await certificateName(own.app), "console");
	assert.equal(await certificateName(own.console), "console");
	assert.equal((await send(`${own.store}/-/callback_pub_key_v1.pem`)).status, 200);
});
