// SPDX-License-Identifier: Apache-2.0
// examples/: postern behind the real nginx and the real Caddy, the application server under a path
// prefix, with the files as they are but for names, ports and certificates.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { makeCertificate } from "../lib/certificate.js";
import { postForm, request, send } from "../lib/oss.js";
import { freePorts } from "../lib/ports.js";
import { BIN, cleanups, startServer, temporaryFolder } from "../lib/server.js";

const all = cleanups();
after(all.run);
const example = name => readFile(new URL(`../../../examples/${name}`, import.meta.url), "utf8");

/** Starts a proxy, which ends with the test. */
async function start(t, command, args, env = {}) {
	const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
	let said = "";
	child.stderr.on("data", text => (said += text));
	const ended = new Promise(done => child.on("close", done));
	t.after(async () => {
		child.kill();
		await ended;
	});
	return { child, said: () => said };
}

async function startNginx(t, folder, { uploads, store, console: console_ }, postern, change = text => text) {
	const ports = [uploads, store, console_];
	await mkdir(`${folder}/tmp`);
	await chmod(folder, 0o755);
	await chmod(`${folder}/tmp`, 0o777);
	const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
		.map(name => `${name}_temp_path ${folder}/tmp/${name};`).join(" ");
	const text = change(await example("nginx.conf"))
		.replaceAll("listen 443 ssl;", () => `listen 127.0.0.1:${ports.shift()} ssl;`)
		.replaceAll(/\/etc\/ssl\/example\.com\/fullchain\.pem/g, `${folder}/proxy.crt`)
		.replaceAll(/\/etc\/ssl\/example\.com\/privkey\.pem/g, `${folder}/proxy.key`)
		.replaceAll("127.0.0.1:8888", postern.app).replaceAll("127.0.0.1:9000", postern.store)
		.replaceAll("127.0.0.1:9001", postern.console)
		.replace("http {", `http { access_log off; ${temporary}`);
	await writeFile(`${folder}/nginx.conf`, `daemon off; pid ${folder}/pid; error_log ${folder}/log; worker_processes 1;\n${text}`);
	return start(t, "/usr/sbin/nginx", ["-p", folder, "-e", `${folder}/log`, "-c", `${folder}/nginx.conf`]);
}

async function startCaddy(t, folder, { uploads, store, console: console_ }, postern) {
	const text = (await example("Caddyfile"))
		.replaceAll("127.0.0.1:8888", postern.app).replaceAll("127.0.0.1:9000", postern.store)
		.replaceAll("127.0.0.1:9001", postern.console)
		.replaceAll("/etc/ssl/example.com/fullchain.pem", `${folder}/proxy.crt`)
		.replaceAll("/etc/ssl/example.com/privkey.pem", `${folder}/proxy.key`)
		.replace("uploads.example.com {", `https://localhost:${uploads} {\n\tbind 127.0.0.1`)
		.replace("store.example.com {", `https://localhost:${store} {\n\tbind 127.0.0.1`)
		.replace("console.example.com {", `https://localhost:${console_} {\n\tbind 127.0.0.1`);
	await writeFile(`${folder}/Caddyfile`, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${text}`);
	return start(t, "caddy", ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`],
		{ XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder });
}

/** postern and a proxy, as the examples have them. */
async function together(t, startProxy) {
	const folder = await temporaryFolder(t);
	await makeCertificate(folder, "proxy");
	const [uploads, store, console_, ...own] = await freePorts(6);
	const postern = Object.fromEntries(["app", "store", "console"].map((name, at) => [name, `127.0.0.1:${own[at]}`]));
	const config = `${folder}/postern.ini`;
	const text = (await example("postern.ini"))
		.replaceAll("https://uploads.example.com", `https://localhost:${uploads}`)
		.replaceAll("https://store.example.com", `https://localhost:${store}`)
		.replaceAll("https://console.example.com", `https://localhost:${console_}`)
		.replaceAll("callback_allow = uploads.example.com", "callback_allow = localhost");
	await writeFile(config, `${text}\n[server]\nca_file = ${folder}/proxy.crt\n`);
	const args = ["--config", config, "--data", folder, "--app-listen", postern.app, "--store-listen",
		postern.store, "--console-listen", postern.console];
	const server = await startServer(t, { data: folder, args });
	const proxy = await startProxy(t, folder, { uploads, store, console: console_ }, postern);
	const urls = { uploads: `https://localhost:${uploads}`, store: `https://localhost:${store}`, console: `https://localhost:${console_}` };
	while (!await send(`${urls.uploads}/files/grant`).then(got => got.status === 200, () => false)) {
		assert.equal(proxy.child.exitCode, null, `the proxy runs: ${proxy.said()}`);
		await new Promise(done => setTimeout(done, 20));
	}
	const rule = `<CORSConfiguration><CORSRule><AllowedOrigin>${urls.uploads}</AllowedOrigin><AllowedMethod>POST</AllowedMethod>`
		+ "<AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
		+ "<ExposeHeader>x-oss-request-id</ExposeHeader><ExposeHeader>x-oss-hash-crc64ecma</ExposeHeader></CORSRule></CORSConfiguration>";
	assert.equal((await request(urls.store, "PUT", "uploads", "", { query: { cors: "" }, body: rule })).status, 200);
	return { ...urls, server, args };
}

async function examine(args) {
	const child = spawn(BIN, ["doctor", "serve", ...args], { env: { PATH: process.env.PATH } });
	let out = "";
	child.stdout.on("data", text => (out += text));
	child.stderr.on("data", text => (out += text));
	return { status: await new Promise(done => child.on("close", done)), out };
}

test("an nginx that takes the prefix away from the callback too is found", async t => {
	const { args } = await together(t, (...rest) => startNginx(...rest, text => text.replace(/location = \/files\/callback \{[^}]*\}/, "")));
	const { status, out } = await examine(args);
	assert.equal(status, 2, out);
	assert.match(out, /^failed +callback +.*the path .*\/files\/callback.*Fix: let the proxy pass path/m);
});

for (const [name, startProxy] of [["nginx", startNginx], ["Caddy", startCaddy]]) {
	test(`behind ${name}: pages, grants, and callbacks that verify`, async t => {
		const { uploads, store, console: console_, server } = await together(t, startProxy);
		assert.equal((await send(`${uploads}/files/upload/`)).status, 200);
		assert.equal((await send(`${uploads}/files/client/postern-upload.js`)).status, 200);
		const moved = await send(`${uploads}/files/upload`);
		assert.deepEqual([moved.status, new URL(moved.headers.location, uploads).href], [308, `${uploads}/files/upload/`]);
		assert.equal((await send(`${console_}/health`)).text, "ok\n");
		const grant = JSON.parse((await send(`${uploads}/files/grant`)).text);
		assert.equal(grant.url, `${store}/uploads`);
		for (const file of ["plain.txt", "a b+c%2F&d=é.txt"]) {
			const got = await postForm(store, { key: `${grant.dir}${file}`, ...grant.fields }, { content: "through the proxy" },
				{ headers: { Origin: uploads } });
			assert.equal(got.status, 200, got.text);
			assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
			assert.equal(got.headers["access-control-allow-origin"], uploads);
		}
		await server.logged(/service=app peer=\S+ method="POST" target="\/files\/callback" status=200/);
		const params = await send(`${uploads}/files/s3/params?filename=a.txt&type=text%2Fplain`);
		assert.equal(params.status, 200, params.text);
	});

	test(`behind ${name}: the doctor finds nothing`, async t => {
		const { args, uploads } = await together(t, startProxy);
		const { status, out } = await examine(args);
		assert.equal(status, 0, out);
		assert.match(out, new RegExp(`^ok +callback +the store's callback to ${uploads}/files/callback came in as it was signed$`, "m"));
	});
}
