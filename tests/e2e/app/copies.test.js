// SPDX-License-Identifier: Apache-2.0
// Several copies of the application server with one ledger in PostgreSQL, behind the real nginx as
// examples/ has it. Copies and database are killed; what was uploaded is recorded once all the same.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { makeCertificate } from "../lib/certificate.js";
import { metric } from "../lib/metrics.js";
import { postForm, request, send } from "../lib/oss.js";
import { freePorts } from "../lib/ports.js";
import { NO_POSTGRES, startPostgres } from "../lib/postgres.js";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, BIN, Server, pause, startServer, temporaryFolder } from "../lib/server.js";
import { closedPort, says, startSink } from "../lib/sink.js";

/** What they share is in the database: threads and memory of one copy are looked after elsewhere. */
const SKIP = NO_POSTGRES || (process.env.POSTERN_WRAPPER ? "takes long, and not more threads than other tests" : false);
const COPIES = 3;
const CLIENTS = 6;
const KILLS = 6;
const LOST = 20;
const OVERWRITTEN = 3;

async function until(what, check) {
	const deadline = Date.now() + 120_000;
	for (;;) {
		const missing = await check();
		if (missing === true)
			return;
		assert.ok(Date.now() < deadline, `${what}: ${missing}`);
		await pause(200);
	}
}

/** A store, and the settings of application servers for it. */
async function startStore(t, callback, env = {}) {
	const store = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1 localhost",
		POSTERN_SERVER_CA_FILE: env.POSTERN_SERVER_CA_FILE ?? "" } });
	return { store, env: {
		POSTERN_APP_ACCESS_KEY_ID: ACCESS_KEY_ID, POSTERN_APP_ACCESS_KEY_SECRET: ACCESS_KEY_SECRET,
		POSTERN_APP_HOST: `${store.store}/uploads`, POSTERN_APP_CALLBACK_URL: callback,
		POSTERN_APP_KEY_URLS: `${store.store}/-/callback_pub_key_v1.pem`,
		POSTERN_APP_GRANTS_AWAITED: "true", POSTERN_APP_EXPIRE_SECONDS: "10", POSTERN_APP_RECONCILE_SECONDS: "1",
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1", ...env,
	} };
}

/** A copy, which can be killed and started again on its port. */
class Copy {
	constructor(t, folder, port, env, more = []) {
		Object.assign(this, { t, folder, port, env, more });
	}

	async start() {
		const args = ["--data", this.folder, "--app-listen", `127.0.0.1:${this.port}`,
			"--console-listen", "127.0.0.1:0", ...this.more];
		this.server = new Server(this.folder, { command: "app", args, env: this.env });
		await this.server.ready();
		return this;
	}

	/** Only if it is there: it may have been killed. */
	stop() {
		return this.server?.stop();
	}

	metric(name, labels) {
		return metric(this.server, `app_${name}`, labels);
	}
}

async function startCopies(t, ports, env, more) {
	const copies = [];
	for (const port of ports) {
		const copy = new Copy(t, await temporaryFolder(t), port, env, more);
		t.after(() => copy.stop());
		copies.push(await copy.start());
	}
	return copies;
}

async function startNginx(t, folder, port, copies) {
	await mkdir(`${folder}/tmp`);
	await chmod(folder, 0o755);
	await chmod(`${folder}/tmp`, 0o777);
	const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
		.map(name => `${name}_temp_path ${folder}/tmp/${name};`).join(" ");
	const example = await readFile(new URL("../../../examples/nginx-copies.conf", import.meta.url), "utf8");
	const text = example.replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
		.replaceAll(/\/etc\/ssl\/example\.com\/fullchain\.pem/g, `${folder}/proxy.crt`)
		.replaceAll(/\/etc\/ssl\/example\.com\/privkey\.pem/g, `${folder}/proxy.key`)
		.replaceAll(/127\.0\.0\.1:888([123])/g, (_, at) => `127.0.0.1:${copies[at - 1]}`)
		.replace("http {", `http { access_log off; ${temporary}`);
	await writeFile(`${folder}/nginx.conf`, `daemon off; pid ${folder}/pid; error_log ${folder}/log; worker_processes 1;\n${text}`);
	const child = spawn("/usr/sbin/nginx", ["-p", folder, "-e", `${folder}/log`, "-c", `${folder}/nginx.conf`], { stdio: "ignore" });
	const ended = new Promise(done => child.on("close", done));
	t.after(async () => {
		child.kill();
		await ended;
	});
}

const FILE = { name: "a.txt", type: "text/plain" };
const ask = (url, files) => send(`${url}/grants`, "POST", { "Content-Type": "application/json" }, JSON.stringify({ files }));

/** A grant for one key; asked for until a copy gives it. */
async function grantFrom(url) {
	for (;;) {
		const got = await ask(url, [FILE]).catch(() => null);
		if (got?.status === 200)
			return JSON.parse(got.text).grants[0];
		await pause(100);
	}
}

/** The key, once it is in the store, whatever became of the callback. */
async function upload(store, url) {
	const grant = await grantFrom(url);
	const got = await postForm(store, grant.fields, { ...FILE, content: grant.id });
	assert.ok([200, 203].includes(got.status), `${got.status} ${got.text}`);
	return { key: grant.fields.key, id: grant.id, told: got.status === 200 };
}

/** Each is recorded once, under its grant. */
async function recorded(postgres, uploads) {
	const rows = new Map((await postgres.rows("SELECT object, count(*), min(grant_id) FROM uploads GROUP BY object"))
		.map(([object, ...rest]) => [object, rest]));
	const twice = [...rows].filter(([, [count]]) => count !== "1");
	assert.deepEqual(twice, [], "no upload is recorded twice");
	for (const { key, id } of uploads)
		if (rows.has(key))
			assert.equal(rows.get(key)[1], id, "under its grant");
	const missing = uploads.filter(({ key }) => !rows.has(key));
	return missing.length === 0 || `${missing.length} of ${uploads.length} uploads are not recorded: `
		+ await postgres.query(`SELECT state, reason, expires, look_at, due FROM grants WHERE id = '${missing[0].id}'`);
}

test("three copies behind nginx, killed again and again, as their database is: each upload once", { skip: SKIP }, async t => {
	const folder = await temporaryFolder(t);
	await makeCertificate(folder, "proxy");
	const postgres = await startPostgres(t);
	const sink = await startSink(t, says("", 204));
	const [port, ...ports] = await freePorts(1 + COPIES);
	const { store, env } = await startStore(t, `https://localhost:${port}/callback`, {
		POSTERN_SERVER_CA_FILE: `${folder}/proxy.crt`, POSTERN_APP_EVENTS_URL: sink.url,
		POSTERN_APP_EVENTS_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		// The store is asked once soon, when every upload has to be there: also on a machine that is busy.
		POSTERN_APP_EXPIRE_SECONDS: "15", POSTERN_APP_RECONCILE_SECONDS: "5", POSTERN_APP_LEDGER_URL: postgres.url });
	const copies = await startCopies(t, ports, env);
	await startNginx(t, folder, port, ports);
	const url = `https://localhost:${port}`;

	const uploads = [];
	let going = true;
	const clients = Array.from({ length: CLIENTS }, async () => {
		while (going)
			uploads.push(await upload(store.store, url));
	});
	for (let i = 0; i < KILLS; i++) {
		const before = uploads.length;
		await until("uploads go on", async () => uploads.length > before + CLIENTS || uploads.length - before);
		const copy = copies[i % COPIES];
		await copy.server.kill();
		if (i === 2) {
			await postgres.kill();
			await pause(500);
			await postgres.start();
		}
		await copy.start();
	}
	going = false;
	await Promise.all(clients);
	t.diagnostic(`${uploads.length} uploads, ${uploads.filter(({ told }) => !told).length} of them with a callback that failed`);

	await until("recorded", () => recorded(postgres, uploads));
	await until("told of", async () => {
		const told = new Set(sink.requests.map(({ body }) => JSON.parse(String(body)).subject));
		const missing = uploads.filter(({ key }) => !told.has(key));
		return missing.length === 0 || `${missing.length} of ${uploads.length} uploads have no event`;
	});
	assert.equal(await recorded(postgres, uploads), true);
	await until("one leads", async () => {
		const leading = await Promise.all(copies.map(copy => copy.metric("ledger_leads")));
		return leading.filter(Boolean).length === 1 || String(leading);
	});
});

test("uploads whose callbacks are lost are found by one of two copies, each once", { skip: SKIP }, async t => {
	const postgres = await startPostgres(t);
	const { store, env } = await startStore(t, await closedPort(), { POSTERN_APP_LEDGER_URL: postgres.url });
	const copies = await startCopies(t, await freePorts(2), env);
	const uploads = [];
	for (let i = 0; i < LOST; i++) {
		const done = await upload(store.store, copies[i % 2].server.app);
		assert.ok(!done.told);
		// At once, long before anybody looks.
		if (i < OVERWRITTEN)
			await request(store.store, "PUT", "uploads", done.key, { body: "by somebody else" });
		else
			uploads.push(done);
	}
	await until("recorded", () => recorded(postgres, uploads));
	const found = await Promise.all(copies.map(copy => copy.metric("grants_total", { outcome: "found" })));
	assert.deepEqual(found.sort((a, b) => a - b), [0, LOST - OVERWRITTEN], "by one of them");
	assert.equal(await postgres.query("SELECT count(*) FROM uploads WHERE source = 'store'"), String(LOST - OVERWRITTEN));
});

test("by TLS, a copy says that its database is away, and goes on when it is back", { skip: SKIP }, async t => {
	const postgres = await startPostgres(t);
	const [port] = await freePorts(1);
	const { store, env } = await startStore(t, `http://127.0.0.1:${port}/callback`, { POSTERN_APP_LEDGER_URL: postgres.url_with_tls });
	const [copy] = await startCopies(t, [port], env);
	const app = copy.server.app;
	const grant = await grantFrom(app);
	assert.equal((await postForm(store.store, grant.fields, FILE)).status, 200);
	const ready = () => send(`${copy.server.console}/ready`);
	assert.equal((await ready()).status, 200);

	const other = await grantFrom(app);
	await postgres.kill();
	const got = await postForm(store.store, other.fields, FILE);
	assert.equal(got.status, 203, got.text);
	assert.match(got.text, /503/);
	assert.equal((await send(`${app}/grants/${grant.id}?grant=${grant.grant}`)).status, 503);
	await until("not ready", async () => (await ready()).status === 503 || "ready");
	assert.match((await ready()).text, /the ledger's database cannot be reached/);
	assert.equal(await copy.metric("ledger_reachable"), 0);

	await postgres.start();
	await until("ready", async () => (await ready()).status === 200 || (await ready()).text);
	assert.equal(await copy.metric("ledger_reachable"), 1);
	await until("found", async () => {
		const { state } = JSON.parse((await send(`${app}/grants/${other.id}?grant=${other.grant}`)).text);
		return state === "found" || state;
	});
	assert.equal((copy.server.log.match(/the database cannot be used/g) ?? []).length, 1, "one line in the log");
	assert.match(copy.server.log, /the database is there again/);
	assert.equal(await copy.metric("callbacks_total", { verdict: "undecided" }) > 0, true);
});

test("with a password, by TCP; secrets are not shown; `postern events` reads it", { skip: SKIP }, async t => {
	const postgres = await startPostgres(t);
	const folder = await temporaryFolder(t);
	const [port] = await freePorts(1);
	await writeFile(`${folder}/password`, "secret\n", { mode: 0o600 });
	await writeFile(`${folder}/wrong`, "not-the-one\n", { mode: 0o600 });
	const ledger = { POSTERN_APP_LEDGER_URL: postgres.url_with_password, POSTERN_APP_LEDGER_PASSWORD_FILE: `${folder}/password` };
	const { store, env } = await startStore(t, `http://127.0.0.1:${port}/callback`, { ...ledger,
		POSTERN_APP_EVENTS: "true", POSTERN_SERVER_LOG_LEVEL: "debug" });
	const [copy] = await startCopies(t, [port], env);
	const grant = await grantFrom(copy.server.app);
	assert.equal((await postForm(store.store, grant.fields, FILE)).status, 200);
	assert.equal(JSON.parse((await send(`${copy.server.app}/grants/${grant.id}?grant=${grant.grant}`)).text).state, "confirmed");
	copy.server.signal("SIGHUP");
	await copy.server.logged(/the configuration (was read again|is refused)/);
	assert.doesNotMatch(copy.server.log, /the configuration is refused/, "the sandbox lets the file be read again");
	assert.doesNotMatch(copy.server.log, /secret\b(?!_)|127\.0\.0\.1:\d+\/postgres/);

	const run = (args, more = {}) => promisify(execFile)(BIN, args, { env: { ...process.env, ...ledger, ...more } })
		.then(done => ({ ...done, code: 0 }), error => error);
	const list = await run(["events", "list"]);
	assert.equal(list.code, 0, list.stderr);
	assert.match(list.stdout, /^1 +kept +0 .* upload.confirmed +"/);
	const flags = await run(["events", "show", "1", "--ledger-url", postgres.url], { POSTERN_APP_LEDGER_URL: "" });
	assert.match(flags.stdout, /"grantId":"[0-9a-f]{24}"/, flags.stderr);
	const replay = await run(["events", "replay", "1"]);
	assert.match(replay.stdout, /event 1 is delivered again/);
	const follow = await run(["events", "follow", "--exec", "cat", "--once"]);
	assert.match(follow.stdout, /upload\.confirmed/, follow.stderr);
	assert.equal(await postgres.query("SELECT name, position FROM event_followers"), "default|1");

	const refused = await run(["app", "--data", folder, "--app-listen", "127.0.0.1:0"],
		{ ...env, POSTERN_APP_LEDGER_PASSWORD_FILE: `${folder}/wrong` });
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /ledger: .*password authentication failed for user "ann"/);
	assert.doesNotMatch(refused.stderr, /not-the-one/);
	for (const [bad, why] of [["http://ann:hush@host/", /begins with postgresql:/], ["postgresql://ann:hush@host:x%/", /libpq does not know/]]) {
		const got = await run(["app", "--data", folder, "--app-listen", "127.0.0.1:0"],
			{ ...env, POSTERN_APP_LEDGER_URL: bad, POSTERN_APP_LEDGER_PASSWORD_FILE: "" });
		assert.equal(got.code, 2);
		assert.match(got.stderr, why);
		assert.doesNotMatch(got.stderr, /hush/);
	}
});
