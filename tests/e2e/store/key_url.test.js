// SPDX-License-Identifier: Apache-2.0
// Receivers that take OSS's key from OSS's address alone, offline: that name leads to the store.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPublicKey, createVerify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { test } from "node:test";
import { promisify } from "node:util";
import { postForm, send, signedFieldsV1 } from "../lib/oss.js";
import { startServer, temporaryFolder } from "../lib/server.js";
import { startSink } from "../lib/sink.js";

const PATH = "/callback_pub_key_v1.pem";

/** Fetches a URL whose name leads to the store, as /etc/hosts would have it. */
function fetchKey(url, store, ca) {
	const { hostname, port } = new URL(store);
	const to = new URL(url);
	const get = to.protocol === "https:" ? getHttps : getHttp;
	return new Promise((done, fail) => {
		get(url, {
			port, ca, agent: false, servername: to.hostname, headers: { Host: to.host },
			lookup: (_, options, found) => options.all ? found(null, [{ address: hostname, family: 4 }]) : found(null, hostname, 4),
		}, async response => {
			let text = "";
			for await (const piece of response)
				text += piece;
			done({ status: response.statusCode, text });
		}).on("error", fail);
	});
}

/** The rules of the official Java sample: where the key may be, and what is signed. */
async function verify({ url, headers, body }, store, ca) {
	const keyUrl = Buffer.from(headers["x-oss-pub-key-url"], "base64").toString();
	if (!/^https?:\/\/gosspublic\.alicdn\.com\//.test(keyUrl))
		return false;
	const { status, text } = await fetchKey(keyUrl, store, ca);
	assert.equal(status, 200, text);
	const der = text.replace("-----BEGIN PUBLIC KEY-----", "").replace("-----END PUBLIC KEY-----", "").replace(/\s/g, "");
	const key = createPublicKey({ key: Buffer.from(der, "base64"), format: "der", type: "spki" });
	const [path, ...query] = url.split("?");
	return createVerify("md5").update(decodeURIComponent(path) + (query.length ? `?${query.join("?")}` : "") + "\n").update(body)
		.verify(key, headers.authorization, "base64");
}

async function uploadAndVerify(t, env, ca) {
	let verified;
	let store;
	const sink = await startSink(t, async (request, response) => {
		verified = await verify(request, store, ca).catch(error => error);
		response.writeHead(verified === true ? 200 : 400, { "Content-Type": "application/json", "Content-Length": 15 });
		response.end("{\"Status\":\"OK\"}");
	});
	const server = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1", ...env } });
	({ store } = server);
	const callback = Buffer.from(JSON.stringify({ callbackUrl: `${sink.url}/call%20back/x?a=%2F`, callbackBody: "o=${object}" })).toString("base64");
	const got = await postForm(store, signedFieldsV1("pinned/ä", { callback }), { content: "x" });
	assert.equal(verified, true);
	assert.deepEqual([got.status, got.text], [200, "{\"Status\":\"OK\"}"]);
	return server;
}

test("over HTTP, by the rules of the official sample", async t => {
	const server = await uploadAndVerify(t, { POSTERN_STORE_CALLBACK_KEY_URL: `http://gosspublic.alicdn.com${PATH}` });
	const { store } = server;
	const own = await send(`${store}/-${PATH}`);
	for (const Host of ["gosspublic.alicdn.com", "GossPublic.Alicdn.com:80", "gosspublic.alicdn.com."])
		assert.equal((await send(store + PATH, "GET", { Host })).text, own.text, Host);
	assert.equal((await send(store + PATH, "HEAD", { Host: "gosspublic.alicdn.com" })).status, 200);
	// Nothing else is to be had under that name, and the path is nothing elsewhere.
	for (const [path, Host] of [["/", "gosspublic.alicdn.com"], [`/x${PATH}`, "gosspublic.alicdn.com"], [PATH, "localhost"],
		[PATH, "x.gosspublic.alicdn.com"], [PATH, "alicdn.com"]])
		assert.equal((await send(store + path, "GET", { Host })).status, 400, `${Host}${path}`);
	assert.equal((await send(store + PATH, "PUT", { Host: "gosspublic.alicdn.com" }, "x")).status, 400);
	// The own application server needs nobody for the key.
	const { fields, dir } = JSON.parse((await send(`${server.app}/grant`)).text);
	const uploaded = await postForm(store, { ...fields, key: `${dir}own.txt` }, { content: "x" });
	assert.equal(uploaded.status, 200, uploaded.text);
});

test("over TLS, with the operator's certificate", async t => {
	const folder = await temporaryFolder(t);
	await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=store", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1,DNS:gosspublic.alicdn.com",
		"-keyout", `${folder}/store.key`, "-out", `${folder}/store.crt`]);
	await uploadAndVerify(t, { POSTERN_STORE_CALLBACK_KEY_URL: `https://gosspublic.alicdn.com${PATH}`,
		POSTERN_STORE_TLS_CERTIFICATE: `${folder}/store.crt`, POSTERN_STORE_TLS_KEY: `${folder}/store.key` },
	await readFile(`${folder}/store.crt`));
});
