// SPDX-License-Identifier: Apache-2.0
// What a profile has checked before an upload is believed: a proxy in front of the store shows what
// the application server reads, holds it up, and breaks it.
import assert from "node:assert/strict";
import { createServer, request as ask } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { postForm, request, send } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
	"base64");
const HTML = "<!DOCTYPE html><html><head><script>alert(1)</script></head></html>";
const ELF = Buffer.concat([Buffer.from("7f454c46020101000000000000000000" + "02003e0001000000", "hex"),
	Buffer.alloc(200)]);

let server;
/** What happens to a GET at the store: "pass", "fail", or a promise that is waited for. */
let reading = "pass";
/** Changes the headers that describe an object (HEAD). */
let describing = headers => headers;
const reads = [];

before(async () => {
	const proxy = createServer(async (request, response) => {
		if (!server)
			return response.writeHead(404).end();
		if (request.method === "GET") {
			reads.push(request.headers);
			if (reading === "fail")
				return response.writeHead(500).end();
			await reading;
		}
		const { host, port } = new URL(server.store);
		const on = ask({ host: "127.0.0.1", port, method: request.method, path: request.url,
			headers: { ...request.headers, host } }, answer => {
			response.writeHead(answer.statusCode, request.method === "HEAD" ? describing(answer.headers) : answer.headers);
			answer.pipe(response);
		});
		on.on("error", () => response.destroy());
		request.pipe(on);
	});
	await new Promise(done => proxy.listen(0, "127.0.0.1", done));
	all.after(() => new Promise(done => {
		proxy.close(done);
		proxy.closeAllConnections();
	}));
	const data = await temporaryFolder(all);
	const profile = (name, unknown) => `[profile ${name}]\nkey = ${name}/\${uuid}\n`
		+ `checks = object type\n${unknown ? `on_unknown = ${unknown}\n` : ""}`;
	await writeFile(join(data, "postern.ini"), `[app]
store_url = http://127.0.0.1:${proxy.address().port}/uploads
reconcile_seconds = 1
${profile("held")}${profile("trusting", "accept")}${profile("strict", "reject")}`);
	server = await startServer(all, { data, args: ["--data", join(data, "data"), "--config",
		join(data, "postern.ini"), "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
		"--console-listen", "127.0.0.1:0"] });
});


async function upload(profile, type, content) {
	const query = new URLSearchParams({ profile, filename: "a.png", type });
	const grant = JSON.parse((await send(`${server.app}/grant?${query}`)).text);
	const got = await postForm(server.store, grant.fields, { name: "a.png", type, content });
	return { grant, got };
}
const stateOf = async ({ grant }) => JSON.parse((await send(
	`${server.app}/grants/${grant.id}?grant=${grant.grant}`)).text);
const verdicts = async (check, verdict) => Number(new RegExp(
	`^postern_app_checks_total\\{check="${check}",verdict="${verdict}"\\} (\\d+)$`, "m")
	.exec((await send(`${server.console}/metrics`)).text)[1]);

async function until(what, check) {
	const deadline = Date.now() + 60_000;
	while (!await check()) {
		assert.ok(Date.now() < deadline, what);
		await new Promise(done => setTimeout(done, 200));
	}
}

test("a file that is what it says is believed; the object is read by its ETag, and no more than is needed",
	async () => {
		reads.length = 0;
		const done = await upload("strict", "image/png", Buffer.concat([PNG, Buffer.alloc(100_000)]));
		assert.deepEqual([done.got.status, done.got.text], [200, '{"Status":"OK"}'], done.got.text);
		assert.equal((await stateOf(done)).state, "confirmed");
		assert.equal(reads.length, 1);
		assert.equal(reads[0].range, "bytes=0-16383");
		assert.match(reads[0]["if-match"], /^"[0-9A-F]{32}"$/);
		assert.ok(await verdicts("object", "passed") >= 1 && await verdicts("type", "passed") >= 1);
	});

for (const [what, content] of [["HTML", HTML], ["an executable", ELF]])
	test(`${what} behind image/png is rejected, and the page is told`, async () => {
		const refused = await verdicts("type", "refused");
		const done = await upload("strict", "image/png", content);
		assert.equal(done.got.status, 203);
		const { state, reason, uploads } = await stateOf(done);
		assert.deepEqual([state, uploads], ["rejected", 0]);
		assert.match(reason, /^the content is not of the declared type: user-dir-prefix\/strict\//);
		assert.equal(await verdicts("type", "refused"), refused + 1);
	});

test("what libmagic does not know, and HTML that says so, is believed", async () => {
	for (const [type, content] of [["image/png", "just some words"], ["text/html", HTML], ["image/png", ""]]) {
		const { got } = await upload("strict", type, content);
		assert.equal(got.status, 200, `${type}: ${got.text}`);
	}
});

test("what cannot be judged follows on_unknown", async t => {
	reading = "fail";
	t.after(() => {
		reading = "pass";
	});
	const trusting = await upload("trusting", "image/png", HTML);
	const strict = await upload("strict", "image/png", PNG);
	const held = await upload("held", "image/png", PNG);
	const bad = await upload("held", "image/png", HTML);
	assert.equal(trusting.got.status, 200, trusting.got.text);
	assert.equal((await stateOf(trusting)).state, "confirmed");
	assert.equal(strict.got.status, 203, strict.got.text);
	assert.match((await stateOf(strict)).reason, /the store did not give the object/);
	for (const one of [held, bad]) {
		assert.deepEqual([one.got.status, JSON.parse(one.got.text)],
			[200, { Status: "Pending", grant: one.grant.id }]);
		assert.equal((await stateOf(one)).state, "pending");
	}
	const unknown = await verdicts("type", "unknown");
	await until("it is tried again", async () => await verdicts("type", "unknown") > unknown);
	assert.equal((await stateOf(held)).state, "pending");
	reading = "pass";
	await until("the good one is found", async () => (await stateOf(held)).state === "found");
	await until("the bad one is rejected", async () => (await stateOf(bad)).state === "rejected");
	assert.equal((await stateOf(held)).uploads, 1);
	assert.equal((await stateOf(bad)).uploads, 0);
});

test("an object that is not as the callback says is refused", async t => {
	t.after(() => {
		describing = headers => headers;
	});
	const refused = await verdicts("object", "refused");
	for (const change of [{ "content-length": "5" }, { etag: '"0123456789ABCDEF0123456789ABCDEF"' }]) {
		describing = headers => ({ ...headers, ...change });
		const done = await upload("strict", "image/png", PNG);
		assert.equal(done.got.status, 203, done.got.text);
		const { state, reason } = await stateOf(done);
		assert.equal(state, "rejected");
		assert.match(reason, /^the object in the store is another one/);
	}
	assert.equal(await verdicts("object", "refused"), refused + 2);
});

test("a pending grant whose object goes away is rejected", async t => {
	reading = "fail";
	t.after(() => {
		reading = "pass";
	});
	const done = await upload("held", "image/png", PNG);
	assert.equal((await stateOf(done)).state, "pending");
	assert.equal((await request(server.store, "DELETE", "uploads", done.grant.fields.key)).status, 204);
	await until("rejected", async () => (await stateOf(done)).state === "rejected");
	assert.match((await stateOf(done)).reason, /^the object is not there any more/);
});

test("what takes longer than the store waits is pending, and is decided later", async t => {
	let open;
	reading = new Promise(done => {
		open = done;
	});
	t.after(() => open());
	const done = await upload("strict", "image/png", PNG);
	assert.deepEqual([done.got.status, JSON.parse(done.got.text)],
		[200, { Status: "Pending", grant: done.grant.id }]);
	assert.equal((await stateOf(done)).state, "pending");
	open();
	await until("it is found", async () => (await stateOf(done)).state === "found");
});

test("checks need the store, and a grant that is written down", async t => {
	for (const [app, section, why] of [
		["confirm = off", "key = ${uuid}\nchecks = type", /checks: the store must be asked/],
		["grants_max = 0", "key = ${uuid}\nchecks = type", /checks: need grants_max/],
		["checks = object\nrequire_grant = false", "", /\[app\] checks: need require_grant/],
		["checks = smell", "", /\[app\] checks: `smell` is none of/],
		["on_unknown = maybe", "", /\[app\] on_unknown: must be/],
		["", "key = ${uuid}\nchecks = virus", /needs `\[app\] clamd`/],
		["clamd = localhost:3310", "", /clamd: must be unix/],
		["", "key = ${uuid}\nchecks = smell", /checks: `smell` is none of/],
		["", "key = ${uuid}\non_unknown = maybe", /on_unknown: must be/],
	]) {
		const data = await temporaryFolder(t);
		await writeFile(join(data, "postern.ini"), `[app]\n${app}\n[profile a]\n${section}\n`);
		await assert.rejects(startServer(t, { data, args: ["--data", join(data, "data"), "--config",
			join(data, "postern.ini"), "--app-listen", "127.0.0.1:0", "--store-listen", "127.0.0.1:0",
			"--console-listen", "127.0.0.1:0"] }), error => why.test(error.message));
	}
});

/** An upload in parts under a profile: {id, grant} and the answer to its completion. */
async function uploadInParts(profile, pieces) {
	const call = async (method, path, body) => {
		const got = await send(`${server.app}/s3${path}`, method, { "Content-Type": "application/json" },
			body && JSON.stringify(body));
		return { status: got.status, json: JSON.parse(got.text) };
	};
	const { json: begun } = await call("POST", "/multipart", { filename: "a.png", type: "image/png", metadata: { profile } });
	const of = `${encodeURIComponent(begun.uploadId)}`;
	const key = encodeURIComponent(begun.key);
	const parts = [];
	for (const [i, piece] of pieces.entries()) {
		const { json: { url } } = await call("GET", `/multipart/${of}/${i + 1}?key=${key}`);
		const put = await fetch(url, { method: "PUT", body: piece });
		assert.equal(put.status, 200, await put.text());
		parts.push({ PartNumber: i + 1, ETag: put.headers.get("etag") });
	}
	return call("POST", `/multipart/${of}/complete?key=${key}`, { parts });
}

test("an upload in parts is checked when it is complete", async () => {
	const refused = await verdicts("type", "refused");
	const long = Buffer.concat([PNG, Buffer.alloc(200_000)]);
	const good = await uploadInParts("strict", [long, Buffer.from("the end")]);
	assert.equal(good.status, 200, JSON.stringify(good.json));
	const bad = await uploadInParts("strict", [Buffer.concat([Buffer.from(HTML), Buffer.alloc(200_000, " ")]), Buffer.from("the end")]);
	assert.notEqual(bad.status, 200, JSON.stringify(bad.json));
	await until("counted", async () => await verdicts("type", "refused") > refused);
});
