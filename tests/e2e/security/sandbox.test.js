// SPDX-License-Identifier: Apache-2.0
// What the running server has given up, as the kernel tells it; and that all it is for still works. What cannot
// be done in the sandbox is the affair of tests/unit/sandbox.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { certificateName, installCertificate, makeCertificate } from "../lib/certificate.js";
import { getObject, postForm, request, send } from "../lib/oss.js";
import { BIN, startServer, temporaryFolder } from "../lib/server.js";

const run = promisify(execFile);
const NOBODY = 65534;
const isRoot = process.getuid() === 0;
const needsRoot = { skip: isRoot ? false : "only root can become another user" };

/** What /proc says of each thread: an array of objects. */
async function threads(pid) {
	const all = [];
	for (const id of await readdir(`/proc/${pid}/task`)) {
		const text = await readFile(`/proc/${pid}/task/${id}/status`, "utf8");
		all.push(Object.fromEntries(text.trimEnd().split("\n").map(line => line.split(/:\s*/, 2))));
	}
	return all;
}

/** The line that says what is on: {landlock, calls, user}, or null. */
function said(server) {
	return /info sandbox: landlock ABI (?<landlock>\d+), seccomp (?<calls>\d+) calls, user (?<user>\S+)\n/
		.exec(server.log)?.groups ?? null;
}

async function upload(server, name, content) {
	const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	const got = await postForm(server.store, { key: dir + name, ...fields }, { content });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	assert.equal((await getObject(server.store, dir + name)).toString(), content.toString());
}

/** Folder whose parent anybody can pass, unlike that of temporaryFolder(). */
async function folderOf(t, owner) {
	const folder = await mkdtemp(join(tmpdir(), "postern-user-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	await chown(folder, owner, owner);
	return folder;
}

for (const command of ["serve", "store", "app"]) {
	test(`${command}: every thread is restricted`, async t => {
		const env = command === "app" ? {
			POSTERN_APP_HOST: "http://uploads.127.0.0.1:1/", POSTERN_APP_ACCESS_KEY_ID: "id",
			POSTERN_APP_ACCESS_KEY_SECRET: "secret",
		} : {};
		const server = await startServer(t, { command, env });
		const state = said(server);
		if (!state) {
			assert.match(server.log, /info sandbox: .*(no landlock|no seccomp) \(/);
			t.skip("the kernel or the container does not have it");
			return;
		}
		const all = await threads(server.pid);
		assert.ok(all.length > 3);
		for (const thread of all) {
			assert.equal(thread.Seccomp, "2", thread.Name);
			assert.equal(thread.NoNewPrivs, "1", thread.Name);
			assert.match(thread.CapEff, /^0+$/, thread.Name);
			assert.match(thread.CapPrm, /^0+$/, thread.Name);
		}
		// Ours have a list of their own besides.
		for (const name of ["loop", "outgoing", ...command === "app" ? ["ledger"] : ["committer", "collector", "store-writer"]])
			assert.equal(all.find(thread => thread.Name === name)?.Seccomp_filters, "2", name);
		if (server.console)
			assert.match((await send(`${server.console}/metrics`)).text, /^postern_sandbox_refused_total 0$/m);
	});
}

test("off: nothing is restricted, and the log says so", async t => {
	const server = await startServer(t, { env: { POSTERN_SERVER_SANDBOX: "off" } });
	assert.match(server.log, /info sandbox: off, user \S+\n/);
	for (const thread of await threads(server.pid))
		assert.equal(thread.Seccomp, "0", thread.Name);
	await upload(server, "off.txt", "without");
});

test("a certificate that is replaced is read again", async t => {
	const folder = await temporaryFolder(t);
	await makeCertificate(folder, "first");
	await installCertificate(folder, "first", "all");
	const server = await startServer(t, { command: "store", env: {
		POSTERN_SERVER_TLS_CERTIFICATE: `${folder}/all.crt`, POSTERN_SERVER_TLS_KEY: `${folder}/all.key`,
	} });
	await makeCertificate(folder, "second");
	await installCertificate(folder, "second", "all");
	server.signal("SIGHUP");
	await server.logged(/the certificate was read again/);
	assert.equal(await certificateName(server.store), "second");
});

test("root becomes the owner of the data folder, and all works", needsRoot, async t => {
	const data = await folderOf(t, NOBODY);
	const start = () => startServer(t, { data });
	for (const content of ["first start", "second start"]) {
		const server = await start();
		for (const thread of await threads(server.pid)) {
			assert.equal(thread.Uid, Array(4).fill(NOBODY).join("\t"), thread.Name);
			assert.match(thread.CapEff, /^0+$/);
		}
		await upload(server, "small.txt", content);
		await upload(server, "large.bin", Buffer.alloc(3 << 20, content));
		await server.stop();
	}
	for (const name of await readdir(data, { recursive: true }))
		assert.equal((await stat(join(data, name))).uid, NOBODY, name);
});

test("[server] user: a new folder and an empty one become that user's, another is refused", needsRoot, async t => {
	const above = await mkdtemp(join(tmpdir(), "postern-user-"));
	t.after(() => rm(above, { recursive: true, force: true }));
	await run("chmod", ["755", above]);
	await mkdir(join(above, "empty"));
	const args = folder => ["--data", join(above, folder), "--server-user", String(NOBODY), "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"];
	for (const folder of ["new", "empty"]) {
		const server = await startServer(t, { data: above, command: "store", args: args(folder) });
		assert.equal((await threads(server.pid))[0].Uid.split("\t")[0], String(NOBODY));
		assert.equal((await stat(join(above, folder))).uid, NOBODY);
		await server.stop();
	}
	await mkdir(join(above, "roots"));
	await writeFile(join(above, "roots/file"), "");
	await assert.rejects(run(BIN, ["store", ...args("roots")]), error => {
		assert.equal(error.code, 1);
		assert.match(error.stderr, /roots is not of the user \S+: chown -R/);
		return true;
	});
	assert.equal((await stat(join(above, "roots/file"))).uid, 0);
});

test("files with secrets are read before root is given up", needsRoot, async t => {
	const data = await folderOf(t, NOBODY);
	const secrets = await temporaryFolder(t);
	await writeFile(join(secrets, "secret"), "the-secret\n", { mode: 0o600 });
	const server = await startServer(t, { data, command: "app", env: {
		POSTERN_APP_HOST: "http://uploads.127.0.0.1:1/", POSTERN_APP_ACCESS_KEY_ID: "id",
		POSTERN_APP_ACCESS_KEY_SECRET_FILE: join(secrets, "secret"),
	} });
	assert.equal((await threads(server.pid))[0].Uid.split("\t")[0], String(NOBODY));
	assert.equal((await send(`${server.app}/grant`)).status, 200);
	// Later it is another user's to read them.
	server.signal("SIGHUP");
	await server.logged(/secret: Permission denied(.*\n)+.*the configuration is refused: the old one goes on/);
	assert.equal((await send(`${server.app}/grant`)).status, 200);
	await chown(secrets, NOBODY, NOBODY);
	await chown(join(secrets, "secret"), NOBODY, NOBODY);
	server.signal("SIGHUP");
	await server.logged(/the configuration was read again/);
});

test("a key that root adds is one that the server can read", needsRoot, async t => {
	const data = await folderOf(t, NOBODY);
	const server = await startServer(t, { data, command: "store" });
	const { stdout } = await run(BIN, ["keys", "add", "--id", "another", "--data", data]);
	const secret = /secret +(\S+)\n/.exec(stdout)?.[1] ?? assert.fail(stdout);
	assert.equal((await stat(join(data, "access_keys.json"))).uid, NOBODY);
	await server.logged(/the access keys were read again/);
	const answer = await request(server.store, "GET", "", "", { accessKey: { id: "another", secret } });
	assert.equal(answer.status, 200, answer.text);
});

test("a user that is not there, or that one cannot become", async t => {
	const data = await temporaryFolder(t);
	const fails = async (user, pattern, options = {}) => {
		await assert.rejects(run(BIN, ["store", "--data", data, "--server-user", user], options), error => {
			assert.equal(error.code, 2);
			assert.match(error.stderr, pattern);
			return true;
		});
	};
	await fails("no-such-user", /\[server\] user: there is no user `no-such-user`/);
	if (isRoot)
		await fails("root", /\[server\] user: only root can become `root`/, { uid: NOBODY, gid: NOBODY });
});
