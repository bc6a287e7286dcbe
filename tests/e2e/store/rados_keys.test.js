// SPDX-License-Identifier: Apache-2.0
// Two gateways on one Ceph cluster have the same keys: access keys, those of STS and of callbacks.
import assert from "node:assert/strict";
import { createPublicKey, createVerify } from "node:crypto";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { Cluster } from "../lib/ceph.js";
import { ask } from "../lib/console_api.js";
import { base64Json, request, send } from "../lib/oss.js";
import { held, open, requestText, settled } from "../lib/reset.js";
import { BIN, cleanups, pause, startServer, temporaryFolder } from "../lib/server.js";
import { says, startSink } from "../lib/sink.js";
import { assumeRole, signedParams } from "../lib/sts.js";

const all = cleanups();
const cluster = new Cluster(all);
const FILES = ["access_keys.json", "sts_key", "callback_key.pem"];
const ALLOW = { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" };
let gateways;

before(async () => {
	if (!await cluster.start())
		return;
	// A first start of both at once.
	gateways = await Promise.all([cluster.startGateway({ env: ALLOW }), cluster.startGateway({ env: ALLOW })]);
	assert.equal((await request(gateways[0].store, "PUT", "shared")).status, 200);
});
after(all.run);

/** `postern keys`; the rest of the environment is the test's. */
function keys(args, env = {}) {
	return new Promise(done => execFile(BIN, ["keys", ...args], { env: { ...process.env, ...env } },
		(error, out, err) => done({ status: error ? error.code : 0, out, err })));
}

const inCeph = (...args) => keys(
	[...args, "--store-backend", "rados", "--rados-config", cluster.config, "--rados-id", "admin"]);

async function outcomes(accessKey) {
	const answers = await Promise.all(gateways.map(one => request(one.store, "GET", "", "", { accessKey,
		headers: accessKey.token ? { "x-oss-security-token": accessKey.token } : {} })));
	return answers.map(answer => answer.status === 200 ? "fine" : answer.xml("Code"));
}

function pairOf(out) {
	const [, id] = /^access key id +(\S+)$/m.exec(out) ?? [];
	const [, secret] = /^access key secret +(\S+)$/m.exec(out) ?? [];
	assert.ok(id && secret, out);
	return { id, secret };
}

cluster.test("a key is taken and refused by both as soon as the command has ended", async () => {
	const { key } = gateways[0];
	assert.equal((await inCeph("list")).out, `enabled   ${key.id}\n`);
	const added = await inCeph("add");
	assert.equal(added.status, 0, added.err);
	const pair = pairOf(added.out);
	assert.deepEqual(await outcomes(pair), ["fine", "fine"]);
	assert.equal((await inCeph("list")).out, `enabled   ${key.id}\nenabled   ${pair.id}\n`);
	assert.equal((await inCeph("disable", pair.id)).status, 0);
	assert.deepEqual(await outcomes(pair), ["InvalidAccessKeyId", "InvalidAccessKeyId"]);
	assert.equal((await inCeph("enable", pair.id)).status, 0);
	assert.deepEqual(await outcomes(pair), ["fine", "fine"]);
	assert.equal((await inCeph("remove", pair.id)).status, 0);
	assert.deepEqual(await outcomes(pair), ["InvalidAccessKeyId", "InvalidAccessKeyId"]);
	assert.deepEqual(await outcomes(key), ["fine", "fine"]);
	for (const gateway of gateways)
		assert.ok(!gateway.log.includes(pair.secret));
});

cluster.test("of keys that are added at the same time none is lost", async () => {
	const ids = ["one", "two", "three", "four"];
	const done = await Promise.all(ids.map(id => inCeph("add", "--id", id)));
	assert.deepEqual(done.map(each => each.status), [0, 0, 0, 0], done.map(each => each.err).join(""));
	for (const each of done)
		assert.deepEqual(await outcomes(pairOf(each.out)), ["fine", "fine"]);
	const listed = (await inCeph("list")).out;
	for (const id of ids) {
		assert.ok(listed.includes(`enabled   ${id}\n`), listed);
		assert.equal((await inCeph("remove", id)).status, 0);
	}
});

cluster.test("the environment says where the keys are, and what cannot be is refused", async () => {
	assert.match((await keys(["list"], cluster.env)).out, /^enabled /);
	for (const [args, env, why] of [
		[["list", "--data", "."], cluster.env, /keys are in Ceph, .*leave out --data/],
		[["list", "--store-backend", "ceph"], {}, /is local or rados/],
		[["remove", gateways[0].key.id], cluster.env, /last enabled key/],
		[["list", "--rados-namespace", "other"], cluster.env, /ceph:documents holds no access_keys\.json/],
	]) {
		const done = await keys(args, env);
		assert.equal(`${done.status} ${done.out}`, "2 ", args.join(" "));
		assert.match(done.err, why);
	}
	const unreachable = await keys(["list", "--rados-config", "/none/ceph.conf"], cluster.env);
	assert.equal(unreachable.status, 1);
	assert.match(unreachable.err, /the configuration \/none\/ceph\.conf: No such file/);
});

cluster.test("a temporary key of one gateway is good at the other, and ends with its access key", async () => {
	for (const gateway of gateways) {
		const pair = pairOf((await inCeph("add")).out);
		const temporary = await assumeRole({ key: pair, console: gateway.console });
		assert.deepEqual(await outcomes(temporary), ["fine", "fine"]);
		assert.equal((await inCeph("remove", pair.id)).status, 0);
		assert.deepEqual(await outcomes(temporary), ["InvalidAccessKeyId", "InvalidAccessKeyId"]);
	}
});

cluster.test("a request of STS that one gateway has answered is refused by the other", async () => {
	for (const [first, second] of [gateways, [...gateways].reverse()]) {
		const signed = signedParams(first.key, "GET");
		const answers = await Promise.all([first, second].map(one => send(`${one.console}/sts/?${signed}`)));
		assert.deepEqual(answers.map(answer => answer.status).sort(), [200, 400], "at once");
		const later = await send(`${second.console}/sts/?${signed}`);
		assert.equal(JSON.parse(later.text).Code, "SignatureNonceUsed");
		const again = signedParams(first.key, "GET");
		assert.equal((await send(`${first.console}/sts/?${again}`)).status, 200);
		assert.equal((await send(`${second.console}/sts/?${again}`)).status, 400, "one after the other");
	}
});

async function requestsOf(gateway) {
	const metrics = (await send(`${gateway.console}/metrics`)).body.toString();
	return Number(/^postern_requests_total (\d+)$/m.exec(metrics)[1]);
}

cluster.test("clients of STS that go while Ceph is asked leave nothing behind, and their requests are used", async () => {
	const [gateway, other] = gateways;
	const signed = Array.from({ length: 5 }, () => signedParams(gateway.key, "GET"));
	const osd = Number(await readFile(join(cluster.folder, "osd.0.pid"), "utf8"));
	const holds = await held(gateway);
	process.kill(osd, "SIGSTOP");
	try {
		const before = await requestsOf(gateway);
		const connections = signed.map(query => {
			const connection = open(gateway.console);
			connection.socket.write(requestText("GET", `/sts/?${query}`));
			return connection;
		});
		// Each look is a request, too.
		for (let looks = 1; await requestsOf(gateway) < before + looks + signed.length; looks++)
			await pause(20);
		for (const { raw } of connections)
			raw.resetAndDestroy();
	} finally {
		process.kill(osd, "SIGCONT");
	}
	await settled(gateway, holds);
	for (const query of signed)
		assert.equal((await send(`${other.console}/sts/?${query}`)).status, 400);
	assert.equal((await send(`${gateway.console}/sts/?${signedParams(gateway.key, "GET")}`)).status, 200);
});

cluster.test("callbacks of both are signed with one key", async t => {
	const sink = await startSink(t, says("{\"Status\":\"OK\"}"));
	const pems = await Promise.all(gateways.map(one => send(`${one.store}/-/callback_pub_key_v1.pem`)));
	assert.equal(pems[0].text, pems[1].text);
	const callback = base64Json({ callbackUrl: `${sink.url}/hook`, callbackBody: "x=1" });
	for (const gateway of gateways) {
		const answer = await request(gateway.store, "PUT", "shared", "called",
			{ body: "hello", headers: { "x-oss-callback": callback } });
		assert.equal(answer.status, 200, answer.text);
		const { headers, body } = sink.requests.at(-1);
		assert.ok(createVerify("md5").update("/hook\n").update(body)
			.verify(createPublicKey(pems[0].text), headers.authorization, "base64"));
	}
	assert.equal(sink.requests.length, 2);
});

cluster.test("the console of each shows the callbacks of all, and sends any of them again", async t => {
	const sink = await startSink(t, says("{\"Status\":\"OK\"}"));
	const list = async (gateway, query = {}) => (await ask(gateway, "GET", "/callbacks", { query })).json;
	for (const [i, gateway] of [0, 1, 1, 0, 1].map(at => gateways[at]).entries()) {
		const callback = base64Json({ callbackUrl: sink.url, callbackBody: `n=${i}` });
		const answer = await request(gateway.store, "PUT", "shared", `logged-${i}`,
			{ body: "hello", headers: { "x-oss-callback": callback } });
		assert.equal(answer.status, 200, answer.text);
		// One after the other, so that their order is known.
		while ((await list(gateway, { limit: 1 })).callbacks[0]?.object !== `logged-${i}`)
			await pause(20);
	}
	const newest = ["logged-4", "logged-3", "logged-2", "logged-1", "logged-0"];
	for (const gateway of gateways) {
		const { callbacks } = await list(gateway, { limit: 5 });
		assert.deepEqual(callbacks.map(one => one.object), newest);
		const page = await list(gateway, { limit: 2 });
		const next = await list(gateway, { limit: 2, after: page.next });
		assert.deepEqual([...page.callbacks, ...next.callbacks], callbacks.slice(0, 4));
		assert.deepEqual((await ask(gateway, "GET", `/callbacks/${callbacks[2].id}`)).json, callbacks[2]);
		const old = callbacks.find(one => one.object === "logged-1");
		const again = await ask(gateway, "POST", `/callbacks/${old.id}/send`);
		assert.equal(again.json.object, "logged-1");
		assert.equal(sink.requests.at(-1).body.toString(), "n=1");
		newest.unshift("logged-1");
		newest.pop();
	}
	for (const gateway of gateways)
		assert.ok(!existsSync(join(gateway.data, "callbacks.db")));
});

cluster.test("nothing of it is in the folders, and a restart finds it", async t => {
	for (const gateway of gateways)
		for (const name of FILES)
			assert.ok(!existsSync(join(gateway.data, name)), name);
	const anew = await cluster.startGateway({ env: { POSTERN_ACCESS_KEY_ID: "", POSTERN_ACCESS_KEY_SECRET: "" } });
	t.after(() => anew.stop());
	assert.ok(!anew.output.includes("access key"), anew.output);
	assert.equal((await request(anew.store, "GET", "shared", "called")).body.toString(), "hello");
});

cluster.test("the files of a data folder move into Ceph once; others are told of, and not used", async t => {
	const env = { POSTERN_RADOS_NAMESPACE: "moved" };
	const data = await temporaryFolder(t);
	const alone = await startServer(t, { command: "store", data, env: { POSTERN_STORE_BACKEND: "local" } });
	const temporary = await assumeRole(alone);
	const pem = (await send(`${alone.store}/-/callback_pub_key_v1.pem`)).text;
	await alone.stop();
	const before = FILES.map(name => readFileSync(join(data, name), "utf8"));
	// Without these a key would be made.
	const none = { POSTERN_ACCESS_KEY_ID: "", POSTERN_ACCESS_KEY_SECRET: "" };
	const moved = await cluster.startGateway({ data, env: { ...env, ...none } });
	for (const name of FILES)
		await moved.logged(new RegExp(`/${name} is ceph:documents/${name} from now on`));
	assert.equal((await request(moved.store, "PUT", "bucket")).status, 200);
	assert.equal((await request(moved.store, "GET", "bucket", "", { accessKey: temporary,
		headers: { "x-oss-security-token": temporary.token } })).status, 200);
	assert.equal((await send(`${moved.store}/-/callback_pub_key_v1.pem`)).text, pem);
	assert.deepEqual(FILES.map(name => readFileSync(join(data, name), "utf8")), before);

	const other = await temporaryFolder(t);
	writeFileSync(join(other, "access_keys.json"),
		"{\"access_keys\":[{\"id\":\"stray\",\"secret\":\"secret\",\"enabled\":true}]}", { mode: 0o600 });
	const second = await cluster.startGateway({ data: other, env: { ...env, ...none } });
	await second.logged(/\/access_keys\.json is not used: ceph:documents\/access_keys\.json, .*remove the file/);
	assert.equal((await request(second.store, "GET", "bucket")).status, 200);
	const stray = await request(second.store, "GET", "bucket", "", { accessKey: { id: "stray", secret: "secret" } });
	assert.equal(stray.xml("Code"), "InvalidAccessKeyId");
	await moved.stop();
	await second.stop();
});
