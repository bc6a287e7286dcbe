// SPDX-License-Identifier: Apache-2.0
// Whole requests as the SDKs for C, PHP and Ruby write them, signed by V1: no registry has packages
// of these that a test could run.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, listObjects } from "../lib/oss.js";
import { KEY, signV1, stringToSignV1 } from "../lib/sign.js";
import { cleanups, startServer } from "../lib/server.js";
import { expectAnswer } from "../lib/wire.js";

const all = cleanups();
let store, host;
before(async () => {
	({ store } = await startServer(all));
	({ host } = new URL(store));
});
after(all.run);

function authorization(request) {
	const date = new Date().toUTCString();
	return [date, `OSS ${KEY.id}:${signV1(stringToSignV1({ bucket: "uploads", date, ...request }))}`];
}

/** Sends one request as it stands, and returns the answer. */
async function exchange(lines, body, wanted = 200) {
	const connection = await connect(store);
	await connection.send(Buffer.concat([Buffer.from(lines.join("\r\n") + "\r\n\r\n"), Buffer.from(body)]));
	const answer = await expectAnswer(connection, { status: wanted });
	connection.destroy();
	return answer;
}

test("C: a path whose slash is encoded, and a length beside chunks", async () => {
	const type = "application/octet-stream";
	for (const pieces of [["hello"], ["he", "ll", "o"], []]) {
		const [date, signature] = authorization({ method: "PUT", key: "c/中 文", headers: { "Content-Type": type } });
		const content = pieces.join("");
		const body = pieces.map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("") + "0\r\n\r\n";
		await exchange(["PUT /uploads%2Fc%2F%E4%B8%AD%20%E6%96%87 HTTP/1.1", `Host: ${host}`, "Accept: */*",
			"Transfer-Encoding: chunked", `Content-Type: ${type}`, `Date: ${date}`, `Content-Length: ${content.length}`,
			`Authorization: ${signature}`, "User-Agent: aliyun-sdk-c/3.11.2(Compatible unknown)"], body);
		assert.equal((await getObject(store, "c/中 文")).toString(), content);
	}
});

test("C: DeleteMultipleObjects with a Content-MD5 of 20 bytes, in chunks", async () => {
	assert.deepEqual(await listObjects(store), ["c/中 文"]);
	const list = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete><Quiet>true</Quiet><Object><Key>c/中 文</Key></Object></Delete>\n";
	const digest = Buffer.concat([createHash("md5").update(list).digest(), Buffer.from([0, 0x7f, 3, 0])]).toString("base64");
	const headers = { "Content-MD5": digest, "Content-Type": "application/xml" };
	const [date, signature] = authorization({ method: "POST", key: "", headers, subresources: { delete: "" } });
	const length = Buffer.byteLength(list);
	await exchange(["POST /uploads%2F?delete HTTP/1.1", `Host: ${host}`, "Accept: */*", "Transfer-Encoding: chunked",
		`Content-MD5: ${digest}`, "Content-Type: application/xml", `Date: ${date}`, `Content-Length: ${length}`,
		`Authorization: ${signature}`], `${length.toString(16)}\r\n${list}\r\n0\r\n\r\n`);
	assert.deepEqual(await listObjects(store), []);
});

/* An empty file uploaded in parts: an upload is begun and completed, and there is no part. */
for (const [sdk, lists] of [
	["PHP", ["<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CompleteMultipartUpload></CompleteMultipartUpload>\n",
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CompleteMultipartUpload/>\n"]],
	["Ruby", ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload/>\n",
		"<?xml version=\"1.0\"?>\n<CompleteMultipartUpload>\n</CompleteMultipartUpload>\n"]],
]) {
	test(`${sdk}: an empty file, uploaded in parts`, async () => {
		for (const [i, list] of lists.entries()) {
			const key = `${sdk}/${i}`;
			const type = "text/plain";
			const [begun, first] = authorization({ method: "POST", key, headers: { "Content-Type": type }, subresources: { uploads: "" } });
			const answer = await exchange([`POST /uploads/${key}?uploads HTTP/1.1`, `Host: ${host}`, `Content-Type: ${type}`,
				`Date: ${begun}`, "Content-Length: 0", `Authorization: ${first}`], "");
			const uploadId = answer.body.toString().match(/<UploadId>(.*?)<\/UploadId>/)[1];
			const headers = { "Content-Type": "application/xml" };
			const [date, signature] = authorization({ method: "POST", key, headers, subresources: { uploadId } });
			await exchange([`POST /uploads/${key}?uploadId=${uploadId} HTTP/1.1`, `Host: ${host}`,
				`Content-Type: ${headers["Content-Type"]}`, `Date: ${date}`, `Content-Length: ${list.length}`,
				`Authorization: ${signature}`], list);
			assert.equal((await getObject(store, key)).length, 0);
		}
	});
}
