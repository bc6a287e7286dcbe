// SPDX-License-Identifier: Apache-2.0
// Forms as applications on phones write them, byte for byte. Each says where it is known from, or that it is
// assumed; OkHttp itself runs in tests/conformance, uni-app's runtime for browsers in ../browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, policy, signedFieldsV1 } from "../lib/oss.js";
import { PNG } from "../lib/page.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let server;
before(async () => {
	server = await startServer(all);
});
after(all.run);

const isAscii = text => /^[\x20-\x7e]*$/.test(text);
const DIGITS = "0123456789";
const BOUNDARY_70 = "dart-http-boundary-".padEnd(70, "+_-.AZaz09");

/**
 * `head` are the request's lines besides Host and Content-Length; `field` and `file` are the heads of parts,
 * without the empty line.
 */
const CLIENTS = {
	// cfug/dio, dio/lib/src/form_data.dart; the lines of the request are assumed.
	"Flutter, dio": {
		boundary: `--dio-boundary-${DIGITS}`,
		head: boundary => ["user-agent: Dart/3.5 (dart:io)", "accept-encoding: gzip", `content-type: multipart/form-data; boundary=${boundary}`],
		field: (name, value) => `content-disposition: form-data; name="${name}"`
			+ (isAscii(value) ? "" : "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-transfer-encoding: binary"),
		file: name => `content-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: image/png`,
	},
	// dart-lang/http, pkgs/http/lib/src/multipart_request.dart; that the type stands first is assumed.
	"Flutter, package http": {
		boundary: BOUNDARY_70,
		head: boundary => ["user-agent: Dart/3.5 (dart:io)", `content-type: multipart/form-data; boundary=${boundary}`, "accept-encoding: gzip"],
		field: (name, value) => `content-disposition: form-data; name="${name}"`
			+ (isAscii(value) ? "" : "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-transfer-encoding: binary"),
		file: name => `content-type: image/png\r\ncontent-disposition: form-data; name="file"; filename="${name}"`,
	},
	// square/okhttp, okhttp3/MultipartBody: until 4 each part has its length.
	"Android, OkHttp 4": {
		boundary: "5f0c7a3e-8d0f-4c55-9d2b-6e9f1a2b3c4d",
		head: boundary => [`Content-Type: multipart/form-data; boundary=${boundary}`, "Connection: Keep-Alive", "Accept-Encoding: gzip",
			"User-Agent: okhttp/4.11.0"],
		field: (name, value) => `Content-Disposition: form-data; name="${name}"\r\nContent-Length: ${Buffer.byteLength(value)}`,
		file: (name, size) => `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/png\r\nContent-Length: ${size}`,
	},
	// AFNetworking, AFURLRequestSerialization.m.
	"iOS, AFNetworking": {
		boundary: "Boundary+0123456789ABCDEF",
		head: boundary => ["Accept: */*", `Content-Type: multipart/form-data; boundary=${boundary}`, "Accept-Language: zh-Hans-CN;q=1",
			"User-Agent: App/1.0 (iPhone; iOS 17.0; Scale/3.00)"],
		field: name => `Content-Disposition: form-data; name="${name}"`,
		file: name => `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/png`,
	},
	// Assumed. The Referer is documented (developers.weixin.qq.com, "Network").
	"WeChat, wx.uploadFile, as a browser": {
		boundary: "----WebKitFormBoundaryAbCdEfGhIjKlMnOp",
		head: boundary => [`Content-Type: multipart/form-data; boundary=${boundary}`, "Accept: */*",
			"Referer: https://servicewechat.com/wx0123456789abcdef/12/page-frame.html", "User-Agent: Mozilla/5.0 MicroMessenger/8.0 Language/zh_CN"],
		field: name => `Content-Disposition: form-data; name="${name}"`,
		file: name => `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/png`,
	},
	// Assumed: types of fields, a boundary in quotes, and a file without a type.
	"WeChat, wx.uploadFile, as a phone": {
		boundary: DIGITS.repeat(2),
		head: boundary => [`content-type: multipart/form-data; boundary="${boundary}"`, "charset: utf-8",
			"referer: https://servicewechat.com/wx0123456789abcdef/12/page-frame.html"],
		field: name => `Content-Disposition: form-data; name="${name}"\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit`,
		file: name => `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary`,
	},
};

function write({ boundary, head, field, file }, fields, content) {
	const body = Buffer.concat([
		Buffer.from(fields.map(([name, value]) => `--${boundary}\r\n${field(name, value)}\r\n\r\n${value}\r\n`).join("")
			+ `--${boundary}\r\n${file("tmp_照片.png", content.length)}\r\n\r\n`),
		content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
	return Buffer.concat([Buffer.from(["POST /uploads HTTP/1.1", `Host: ${new URL(server.store).host}`, ...head(boundary),
		`Content-Length: ${body.length}`].join("\r\n") + "\r\n\r\n"), body]);
}

/** Shuffled the same way each time. */
function shuffled(list, seed) {
	const items = [...list];
	let state = seed;
	for (let i = items.length - 1; i > 0; i--) {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		const at = (state >>> 16) % (i + 1);
		[items[i], items[at]] = [items[at], items[i]];
	}
	return items;
}

function* permutations(items) {
	if (!items.length)
		yield [];
	for (const [i, item] of items.entries())
		for (const rest of permutations([...items.slice(0, i), ...items.slice(i + 1)]))
			yield [item, ...rest];
}

/** Sends one form after the other on one connection. */
async function sendAll(forms, wanted) {
	const connection = await connect(server.store);
	for (const bytes of forms) {
		await connection.send(bytes);
		const { status, body } = await connection.response({ method: "POST" });
		assert.deepEqual([status, body.toString()], wanted);
	}
	connection.destroy();
}

for (const [name, client] of Object.entries(CLIENTS))
	test(`${name}: a form of GET /grant, in twenty orders`, async () => {
		const grant = await (await fetch(`${server.app}/grant`)).json();
		const key = `${grant.dir}${name.length}-照片.png`;
		const fields = Object.entries({ key, ...grant.fields, "x:note": "从手机" });
		const content = Buffer.concat([PNG, Buffer.from(`\r\n--${client.boundary.slice(0, -1)}\r\n`)]);
		await sendAll(Array.from({ length: 20 }, (_, i) => write(client, i ? shuffled(fields, i) : fields, content)), [200, '{"Status":"OK"}']);
		assert.deepEqual(await getObject(server.store, key), content);
	});

// help.aliyun.com/document_detail/92883.html names them so for mini programs, the signature in small letters.
test("WeChat: the fields that OSS documents for mini programs, in each of their orders", async () => {
	const client = CLIENTS["WeChat, wx.uploadFile, as a browser"];
	const { key, policy: text, OSSAccessKeyId, Signature } = signedFieldsV1("mini/a.png", {}, { text: policy({ dir: "mini/" }) });
	const fields = Object.entries({ key, policy: text, OSSAccessKeyId, signature: Signature, success_action_status: "200" });
	const orders = [...permutations(fields)];
	assert.equal(orders.length, 120);
	await sendAll(orders.map(order => write(client, order, PNG)), [200, ""]);
	assert.deepEqual(await getObject(server.store, key), PNG);
});
