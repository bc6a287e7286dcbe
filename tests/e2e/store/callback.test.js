// SPDX-License-Identifier: Apache-2.0
// Callbacks: what the application server is sent, what the uploader gets, and where no callback
// goes.
import assert from "node:assert/strict";
import { createHash, createVerify } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { IMAGES } from "../lib/images.js";
import { base64Json, getObject, multipart, postForm, request, send, signedFieldsV1 } from "../lib/oss.js";
import { cleanups, pause, startServer } from "../lib/server.js";
import { closedPort, startSink } from "../lib/sink.js";

const all = cleanups();
let server, store, sink, forbidden, nowhere;

/** How the application server of these tests behaves, by path. */
const BEHAVIOUR = {
	"/ok": response => json(response, "{\"Status\":\"OK\"}"),
	"/slow": () => {},
	"/404": response => json(response, "{}", 404),
	"/500": response => json(response, "{}", 500),
	"/201": response => json(response, "{}", 201),
	"/301": response => {
		response.writeHead(301, { Location: `${sink.url}/ok`, "Content-Length": 0 });
		response.end();
	},
	"/html": response => json(response, "<html>OK</html>"),
	"/empty": response => json(response, ""),
	"/bom": response => json(response, "\ufeff{}"),
	"/chunked": response => {
		response.writeHead(200, { "Content-Type": "application/json" });
		response.write("{");
		response.end("}");
	},
	"/lie": response => {
		response.socket.end("HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}");
	},
	"/long": response => json(response, `"${"x".repeat(1_048_577)}"`),
	"/nearly": response => json(response, `"${"x".repeat(1_048_574)}"`),
	"/text": response => {
		response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Length": 8 });
		response.end("[\"text\"]");
	},
	"/drop": response => response.socket.destroy(),
};

function json(response, body, status = 200) {
	response.writeHead(status, { "Content-Type": "application/json",
		"Content-Length": Buffer.byteLength(body) });
	response.end(body);
}

before(async () => {
	sink = await startSink(all, (got, response) => {
		(BEHAVIOUR[got.url.split("?")[0]] ?? BEHAVIOUR["/ok"])(response);
	});
	forbidden = await startSink(all, (_, response) => json(response, "{}"));
	nowhere = await closedPort();
	server = await startServer(all, { env: { POSTERN_STORE_CALLBACK_ALLOW:
		`127.0.0.1:${new URL(sink.url).port},127.0.0.1:${new URL(nowhere).port}` } });
	({ store } = server);
});
after(all.run);

const FILE = { name: "f.txt", type: "text/plain", content: "123456789" };

/** Posts a file with a callback; fields may hold x: variables. */
function post(callback, { key = "cb/k", fields = {}, file = FILE } = {}) {
	const text = typeof callback === "string" ? callback : base64Json(callback);
	return postForm(store, signedFieldsV1(key, { callback: text, ...fields }), file);
}

/** The request that the callback of an upload brought; the upload must have succeeded. */
async function callbackOf(upload) {
	const before = sink.requests.length;
	const answer = await upload();
	assert.equal(answer.status, 200, answer.text);
	assert.equal(sink.requests.length, before + 1);
	return { answer, ...sink.requests[before] };
}

const to = (path, body = "object=${object}", more = {}) =>
	({ callbackUrl: sink.url + path, callbackBody: body, ...more });

async function verifies({ url, headers, body }) {
	const keyUrl = Buffer.from(headers["x-oss-pub-key-url"], "base64").toString();
	assert.equal(keyUrl, `${store}/-/callback_pub_key_v1.pem`);
	const pem = (await send(keyUrl)).text;
	const at = url.indexOf("?");
	const path = decodeURIComponent(at < 0 ? url : url.slice(0, at));
	return createVerify("md5").update(path + (at < 0 ? "" : url.slice(at)) + "\n").update(body)
		.verify(pem, headers.authorization, "base64");
}

test("the request has what OSS's has, and its answer becomes the uploader's", async () => {
	const got = await callbackOf(() => post(to("/ok", "bucket=${bucket}")));
	assert.equal(got.method, "POST");
	assert.equal(got.body.toString(), "bucket=uploads");
	const expected = {
		host: sink.url.slice("http://".length),
		connection: "close",
		"content-length": "14",
		"content-type": "application/x-www-form-urlencoded",
		"content-md5": createHash("md5").update(got.body).digest("base64"),
		"user-agent": "aliyun-oss-callback",
		"x-oss-bucket": "uploads",
		"x-oss-signature-version": "1.0",
		"x-oss-tag": "CALLBACK",
		"x-oss-additional-headers": "",
		"x-oss-request-id": got.answer.headers["x-oss-request-id"],
		"x-oss-requester": server.key.id,
	};
	for (const [name, value] of Object.entries(expected))
		assert.equal(got.headers[name], value, name);
	assert.ok(Math.abs(Date.parse(got.headers.date) - Date.now()) < 60_000);
	assert.equal(got.answer.text, "{\"Status\":\"OK\"}");
	assert.equal(got.answer.headers["content-type"], "application/json");
	assert.match(got.answer.headers.etag, /^"[0-9A-F]{32}"$/);
	assert.equal(got.answer.headers["x-oss-hash-crc64ecma"], "11051210869376104954");
});

test("the signature verifies with the public key, for every kind of path", async () => {
	for (const path of ["", "/", "/ok", "/index.php?id=1&index=2", "/%E4%B8%AD/a%20b?q=%20+&x", "/a+b",
		"/ok?"]) {
		const got = await callbackOf(() => post(to(path, "object=${object}&size=${size}")));
		assert.ok(await verifies(got), path);
		assert.ok(!await verifies({ ...got, body: Buffer.concat([got.body, Buffer.from("x")]) }), path);
		assert.ok(!await verifies({ ...got, url: `${got.url}x` }), path);
	}
});

test("every variable, as a form and as JSON", async () => {
	const key = "cb/dir/a b&c=d+e%\"'中.txt";
	const names = ["bucket", "object", "etag", "size", "mimeType", "imageInfo.height", "imageInfo.width",
		"imageInfo.format", "crc64", "contentMd5", "vpcId", "clientIp", "reqId", "operation", "x:my_var",
		"x:none", "unknown"];
	const fields = { "x:my_var": "v & \"w\" 中" };
	const form = await callbackOf(() => post(
		to("/ok", names.map(name => `${name}=\${${name}}`).join("&")), { key, fields }));
	const expected = {
		bucket: "uploads", object: key, etag: form.answer.headers.etag.replace(/"/g, ""), size: "9",
		mimeType: "text/plain", "imageInfo.height": "", "imageInfo.width": "", "imageInfo.format": "",
		crc64: "11051210869376104954", contentMd5: createHash("md5").update("123456789").digest("base64"),
		vpcId: "", clientIp: "127.0.0.1", reqId: form.answer.headers["x-oss-request-id"],
		operation: "PostObject", "x:my_var": "v & \"w\" 中", "x:none": "", unknown: "",
	};
	assert.equal(form.body.toString(),
		names.map(name => `${name}=${encodeURIComponent(expected[name]).replace(/'/g, "%27")}`).join("&"));

	const numbers = ["size"];
	const inJson = names.filter(name => !name.startsWith("imageInfo"));
	const got = await callbackOf(() => post(to("/ok",
		`{${inJson.map(name => `"${name}":\${${name}}`).join(",")}}`,
		{ callbackBodyType: "application/json" }), { key, fields }));
	assert.equal(got.headers["content-type"], "application/json");
	const values = JSON.parse(got.body.toString().replace(/"(x:none|unknown)":(?=[,}])/g, "\"$1\":\"\""));
	for (const name of inJson) {
		if (name !== "reqId")
			assert.equal(values[name], numbers.includes(name) ? Number(expected[name]) : expected[name], name);
	}
	assert.equal(values.reqId, got.answer.headers["x-oss-request-id"]);
});

for (const { name, type, bytes } of IMAGES) {
	test(`imageInfo of ${name}, whatever its media type says`, async () => {
		const body = "${imageInfo.width}x${imageInfo.height} ${imageInfo.format}";
		const as = file => callbackOf(() => post(to("/ok", body), { file: { ...FILE, ...file } }));
		assert.equal((await as({ type, content: bytes })).body.toString(), `3x2 ${name}`);
		assert.equal((await as({ type: "text/plain", content: bytes })).body.toString(), `3x2 ${name}`);
		assert.equal((await as({ type, content: bytes.subarray(0, 5) })).body.toString(), "x ");
		const larger = Buffer.concat([bytes, Buffer.alloc(2_000_000)]);
		assert.equal((await as({ type, content: larger })).body.toString(), `3x2 ${name}`);
		const inJson = await callbackOf(() => post(to("/ok",
			"{\"w\":${imageInfo.width},\"h\":${imageInfo.height},\"f\":${imageInfo.format}}",
			{ callbackBodyType: "application/json" }), { file: { ...FILE, content: bytes } }));
		assert.deepEqual(JSON.parse(inJson.body.toString()), { w: 3, h: 2, f: name });
	});
}

test("no object name, type or variable injects a parameter", async () => {
	const nasty = [
		"a&size=1&bucket=evil", "a=b", "a+b%26c", "a%26size%3D1", "\",\"size\":1,\"x\":\"", "a\\\",\"b\":\"",
		"a\\", "${size}", "${x:v}&size=1", "a#b?c=d;e", "\u2028\u2029", "a\tb", "</script>", "中'\"",
	];
	for (const text of nasty) {
		const file = { ...FILE, name: text, type: "text/plain; a=\"&size=2\"" };
		const options = { key: `inj/${text}`, fields: { "x:v": text }, file };
		const form = await callbackOf(() => post(
			to("/ok", "o=${object}&size=${size}&m=${mimeType}&v=${x:v}&end=1"), options));
		const values = [...new URLSearchParams(form.body.toString())];
		assert.deepEqual(values, [["o", `inj/${text}`], ["size", "9"], ["m", file.type], ["v", text],
			["end", "1"]]);
		const got = await callbackOf(() => post(to("/ok",
			"{\"o\":${object},\"size\":${size},\"m\":${mimeType},\"v\":${x:v},\"end\":1}",
			{ callbackBodyType: "application/json" }), options));
		assert.deepEqual(JSON.parse(got.body.toString()),
			{ o: `inj/${text}`, size: 9, m: file.type, v: text, end: 1 });
		assert.ok(await verifies(got));
	}
});

test("callbackHost, a URL without a scheme, unknown members, an empty URL", async () => {
	const hosted = await callbackOf(() => post(to("/ok", "x", { callbackHost: "app.example.com" })));
	assert.equal(hosted.headers.host, "app.example.com");
	const bare = await callbackOf(() => post({ callbackUrl: `${sink.url.slice(7)}/ok`, callbackBody: "x",
		callbackSNI: false, somethingElse: [1] }));
	assert.equal(bare.url, "/ok");
	for (const callback of ["", { callbackUrl: "", callbackBody: "x" }])
		assert.equal((await post(callback)).status, 204);
});

test("several URLs are tried in order until one succeeds", async () => {
	const before = sink.requests.length;
	const urls = [`${sink.url}/404`, nowhere, `${sink.url}/html`, `${sink.url}/ok?fourth`, `${sink.url}/ok?fifth`];
	const got = await post({ callbackUrl: urls.join(";"), callbackBody: "x" });
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(sink.requests.slice(before).map(({ url }) => url), ["/404", "/html", "/ok?fourth"]);
	for (const one of sink.requests.slice(before))
		assert.ok(await verifies(one), "each is signed for its own path");
	const failed = await post({ callbackUrl: `${sink.url}/404;${sink.url}/500`, callbackBody: "x" });
	assert.equal(failed.status, 203);
	assert.equal(failed.xml("Message"), "Error status : 500.", "the last one's failure is told");
});

const FAILURES = {
	"/404": "Error status : 404.",
	"/500": "Error status : 500.",
	"/201": "Error status : 201.",
	"/301": "Error status : 301.",
	"/html": "Response body is not valid json format.",
	"/empty": "Response body is not valid json format.",
	"/bom": "Response body is not valid json format.",
	"/chunked": /missing content-length/,
	"/lie": /invalid conent-length value/,
	"/long": /too long content-length value/,
	"/drop": "Error status : 502.",
};

/** 203, and the object is there all the same. */
async function failed(answer, message, key) {
	assert.equal(answer.status, 203, answer.text);
	assert.equal(answer.xml("Code"), "CallbackFailed");
	if (message instanceof RegExp)
		assert.match(answer.xml("Message"), message);
	else
		assert.equal(answer.xml("Message"), message);
	assert.match(answer.headers["content-type"], /^application\/xml/);
	assert.match(answer.headers.etag, /^"[0-9A-F]{32}"$/);
	assert.equal(answer.xml("RequestId"), answer.headers["x-oss-request-id"]);
	assert.equal((await getObject(store, key)).toString(), FILE.content, "the object stays");
}

for (const [path, message] of Object.entries(FAILURES)) {
	test(`203 and the object stays: ${path}`, async () => {
		const key = `failed${path}`;
		const before = sink.requests.length;
		await failed(await post(to(path), { key }), message, key);
		assert.equal(sink.requests.length, before + 1, "no redirect is followed, nothing is tried again");
	});
}

test("203: nothing listens there", async () => {
	await failed(await post({ callbackUrl: `${nowhere}/ok`, callbackBody: "x" }, { key: "failed/down" }),
		"Error status : 502.", "failed/down");
});

test("203: the name does not exist", async () => {
	await failed(await post({ callbackUrl: "http://no-such-host.invalid/", callbackBody: "x" },
		{ key: "failed/name" }), /^Error status : -1\. OSS can not connect to your callbackUrl/, "failed/name");
});

test("203: slower than 5 s; meanwhile the store serves others", async () => {
	let answered = 0;
	const started = Date.now();
	const slow = Promise.all(Array.from({ length: 20 }, async (_, i) => {
		const answer = await post(to("/slow"), { key: `failed/slow${i}` });
		answered++;
		return answer;
	}));
	await pause(500);
	assert.equal((await callbackOf(() => post(to("/ok")))).answer.status, 200);
	assert.equal(answered, 0, "the slow ones hold nobody up");
	for (const [i, answer] of (await slow).entries())
		await failed(answer, /reply timeout, cost:\d+ms, timeout:5000ms/, `failed/slow${i}`);
	assert.ok(Date.now() - started > 4500);
});

test("answers of up to 1 MiB and of any media type are handed on", async () => {
	const large = await post(to("/nearly"));
	assert.equal(large.status, 200);
	assert.equal(large.body.length, 1_048_576);
	const text = await post(to("/text"));
	assert.equal(text.status, 200);
	assert.equal(text.headers["content-type"], "text/html; charset=utf-8");
	assert.equal(text.headers["x-content-type-options"], "nosniff");
	assert.equal(text.headers["content-security-policy"], "default-src 'none'; sandbox");
	assert.equal(text.text, "[\"text\"]");
});

test("the answer takes the place of status and redirect", async () => {
	for (const fields of [{ success_action_status: "201" }, { success_action_redirect: "http://a.test/" }]) {
		const got = await post(to("/ok"), { fields });
		assert.equal(got.status, 200);
		assert.equal(got.text, "{\"Status\":\"OK\"}");
	}
	const no = await post(to("/404"), { fields: { success_action_redirect: "http://a.test/" } });
	assert.equal(no.status, 203);
});

test("the object can be read when the callback comes", async t => {
	let seen;
	const reader = await startSink(t, async (_, response) => {
		seen = await getObject(own.store, "cb/visible");
		json(response, "{}");
	});
	const own = await startServer(t, { env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	const got = await postForm(own.store, signedFieldsV1("cb/visible",
		{ callback: base64Json({ callbackUrl: reader.url, callbackBody: "x" }) }), FILE);
	assert.equal(got.status, 200, got.text);
	assert.equal(seen.toString(), FILE.content);
});

test("a client that has gone after its upload: the callback is sent all the same", async () => {
	for (const reset of [false, true]) {
		const key = `cb/gone${reset}`;
		const { type, body } = multipart(signedFieldsV1(key, { callback: base64Json(to("/ok", key)) }), FILE);
		const connection = await connect(store);
		await connection.send(`POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`
			+ `Content-Length: ${body.length}\r\n\r\n`);
		await connection.send(body);
		// A reset overtakes what the server has not read yet; let it read.
		const deadline = Date.now() + 60_000;
		while (reset && !await getObject(store, key) && Date.now() < deadline)
			await pause(5);
		connection.destroy({ reset });
		while (!sink.requests.some(one => one.body.toString() === key) && Date.now() < deadline)
			await pause(5);
		assert.ok(sink.requests.some(one => one.body.toString() === key), "the callback came");
		assert.equal((await getObject(store, key)).toString(), FILE.content);
	}
});

test("refused at once, with nothing stored", async () => {
	const url = `${sink.url}/ok`;
	const good = { callbackUrl: url, callbackBody: "x" };
	for (const [callback, ec] of [
		["!!!", "0007-00000002"],
		["false", null],
		[Buffer.from("no json").toString("base64"), null],
		[Buffer.from("[]").toString("base64"), null],
		[Buffer.from(`{"callbackUrl":"${url}","callbackUrl":"${url}","callbackBody":"x"}`).toString("base64"), null],
		[{ callbackUrl: url }, "0007-00000011"],
		[{ ...good, callbackBody: "" }, "0007-00000011"],
		[{ ...good, callbackUrl: Array(6).fill(url).join(";") }, "0007-00000005"],
		[{ ...good, callbackUrl: "http://a.test:99999/" }, "0007-00000004"],
		[{ ...good, callbackUrl: "ftp://a.test/" }, "0007-00000004"],
		[{ ...good, callbackUrl: "my" }, "0007-00000004"],
		[{ ...good, callbackUrl: "http://user:pass@a.test/" }, "0007-00000004"],
		[{ ...good, callbackUrl: "http://a.test/a b" }, "0007-00000004"],
		[{ ...good, callbackUrl: "http://a.test/#fragment" }, "0007-00000004"],
		[{ ...good, callbackUrl: "http://a.test/\r\nX: y" }, "0007-00000004"],
		[{ ...good, callbackHost: "a\r\nX: y" }, null],
		[{ ...good, callbackBody: "$(object)" }, null],
		[{ ...good, callbackBody: "${object" }, null],
		[{ ...good, callbackBodyType: "text/plain" }, null],
	]) {
		const got = await post(callback, { key: "cb/refused" });
		assert.equal(got.status, 400, `${JSON.stringify(callback)}: ${got.text}`);
		assert.equal(got.xml("Code"), "InvalidArgument");
		assert.equal(got.xml("ArgumentName"), "callback");
		if (ec)
			assert.equal(got.xml("EC"), ec, JSON.stringify(callback));
		assert.equal(await getObject(store, "cb/refused"), null);
	}
});

test("private addresses that are not allowed get no connection", async () => {
	const { port } = new URL(forbidden.url);
	for (const host of ["127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "localhost", "LOCALHOST",
		"app.localhost"]) {
		const got = await post({ callbackUrl: `http://${host}:${port}/`, callbackBody: "x" }, { key: "cb/ssrf" });
		assert.equal(got.status, 400, `${host}: ${got.text}`);
		assert.equal(got.xml("Code"), "InvalidArgument");
		assert.equal(got.xml("EC"), "0007-00000008");
		assert.equal(await getObject(store, "cb/ssrf"), null);
	}
	// Addresses in disguise: whatever is thought of them, there is no connection.
	for (const host of ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.",
		"localhost.", "[::1]", "[::ffff:127.0.0.1]", "a@127.0.0.1", "%31%32%37.0.0.1", "①②⑦.0.0.1"]) {
		const got = await post({ callbackUrl: `http://${host}:${port}/`, callbackBody: "x" });
		assert.ok([203, 400].includes(got.status), `${host}: ${got.status}`);
	}
	// Not by way of a second URL either, nor of an allowed one that redirects.
	const second = await post({ callbackUrl: `${sink.url}/404;${forbidden.url}/`, callbackBody: "x" });
	assert.equal(second.status, 400);
	assert.deepEqual(forbidden.requests, []);
});

test("PutObject with a callback, in headers and in the query", async () => {
	const callback = base64Json(to("/ok", "op=${operation}&v=${x:v}&size=${size}"));
	const variables = base64Json({ "x:v": "a b" });
	const put = options => request(store, "PUT", "uploads", "cb/put", { body: "hello", ...options });
	for (const options of [
		{ headers: { "x-oss-callback": callback, "x-oss-callback-var": variables } },
		{ query: { callback, "callback-var": variables } },
	]) {
		const got = await callbackOf(() => put(options));
		assert.equal(got.body.toString(), "op=PutObject&v=a%20b&size=5");
		assert.equal(got.answer.text, "{\"Status\":\"OK\"}");
		assert.ok(await verifies(got));
	}
	const broken = await put({ headers: { "x-oss-callback": base64Json(to("/404")) } });
	assert.equal(broken.status, 203);
	for (const options of [
		{ headers: { "x-oss-callback": callback }, query: { callback } },
		{ headers: { "x-oss-callback": "x".repeat(5121) } },
		{ headers: { "x-oss-callback": callback, "x-oss-callback-var": base64Json({ v: "a" }) } },
		{ headers: { "x-oss-callback": callback, "x-oss-callback-var": base64Json({ "x:V": "a" }) } },
		{ headers: { "x-oss-callback": callback, "x-oss-callback-var": "x" } },
	]) {
		const got = await request(store, "PUT", "uploads", "cb/none", { body: "hello", ...options });
		assert.equal(got.status, 400, got.text);
		assert.equal(got.xml("Code"), "InvalidArgument");
	}
	const twice = await request(store, "PUT", "uploads", "cb/none",
		{ body: "hello", headers: { "x-oss-callback": callback }, query: { callback } });
	assert.equal(twice.xml("EC"), "0007-00000027");
	assert.equal(await getObject(store, "cb/none"), null);
});
