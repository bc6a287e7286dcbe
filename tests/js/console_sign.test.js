// SPDX-License-Identifier: Apache-2.0
// The console's signatures, against vectors of official SDKs.
import assert from "node:assert/strict";
import "./support.js";
import { test } from "node:test";
import { md5, md5Base64 } from "../../web/console/oss/md5.js";
import {
	canonicalRequest, encode, presign, signHeaders, signPolicyV1, signPolicyV4,
} from "../../web/console/oss/sign.js";

const KEYS = { id: "ak", secret: "sk" };
const PATH = "/bucket/1234+-/123/1.txt";
const QUERY = { "param1": "value1", "+param1": "value3", "|param1": "value4", "+param2": "", "|param2": "",
	"param2": "" };
const HEADERS = { "x-oss-head1": "value", "abc": "value", "zabc": "value", "xyz": "value" };

function at(time) {
	const iso = time.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
	return { keys: KEYS, region: "cn-hangzhou", now: new Date(iso) };
}

test("the canonical request is that of the specification", () => {
	assert.equal(canonicalRequest({ method: "PUT", path: PATH, query: QUERY, headers: {
		...HEADERS, "content-type": "text/plain", "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
		"x-oss-date": "20231216T162057Z" } }), [
		"PUT",
		"/bucket/1234%2B-/123/1.txt",
		"%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2",
		"content-type:text/plain",
		"x-oss-content-sha256:UNSIGNED-PAYLOAD",
		"x-oss-date:20231216T162057Z",
		"x-oss-head1:value",
		"", "", "UNSIGNED-PAYLOAD"].join("\n"));
});

test("V4 in the header", async () => {
	const request = { method: "PUT", path: PATH, query: QUERY, headers: { ...HEADERS, "content-type": "text/plain" } };
	const { authorization } = await signHeaders(request, at("20231216T162057Z"));
	assert.equal(authorization, "OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,"
		+ "Signature=e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe");
	const signer = { ...at("20231217T034736Z"), keys: { ...KEYS, token: "token" } };
	const headers = await signHeaders(request, signer);
	assert.equal(headers["x-oss-security-token"], "token");
	assert.match(headers.authorization,
		/Signature=b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea$/);
});

test("V4 in the URL", async () => {
	const request = { method: "PUT", path: PATH, query: QUERY,
		headers: { ...HEADERS, "content-type": "application/octet-stream" } };
	const query = await presign(request, at("20231217T025437Z"), 599);
	assert.equal(query["x-oss-signature"], "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe");
	assert.equal(query["x-oss-expires"], "599");
	const signer = { ...at("20231217T035628Z"), keys: { ...KEYS, token: "token" } };
	assert.equal((await presign(request, signer, 599))["x-oss-signature"],
		"3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5");
});

test("the signature of a form, V1", async () => {
	assert.equal(await signPolicyV1("eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2"
		+ "V0IjoiZ2VuLXBvc3QtcG9saWN5In0sWyJlcSIsIiRrZXkiLCJ1c2VyXC9lcmljXC9cXCR7ZmlsZW5hbWV9Il0sWyJzdGFydHMtd2l0aCIs"
		+ "IiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1bW15X2V0YWciXSxbImNvbnRlbnQtbG"
		+ "VuZ3RoLXJhbmdlIiwxLDEwMjRdXX0=", "B".repeat(30)), "9fs2TRS2W2k5hV8mLsvqZBnlC2M=");
});

test("the signature of a form, V4", async () => {
	const policy = "eyJleHBpcmF0aW9uIjoiMjAyMy0xMi0xNlQxNzoyMDo1Ny4wMDBaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiYnVja2V0In"
		+ "0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJkaXIvIl0seyJ4LW9zcy1zaWduYXR1cmUtdmVyc2lvbiI6Ik9TUzQtSE1BQy1TSEEyNTYifSx7"
		+ "Ingtb3NzLWNyZWRlbnRpYWwiOiJhay8yMDIzMTIxNi9jbi1oYW5nemhvdS9vc3MvYWxpeXVuX3Y0X3JlcXVlc3QifSx7Ingtb3NzLWRhdG"
		+ "UiOiIyMDIzMTIxNlQxNjIwNTdaIn1dfQ==";
	assert.equal(await signPolicyV4(policy, at("20231216T162057Z")),
		"15fa045d8a3235da0ace0cb9fda54577d87513fb689cab3b02ae7c4b7fed0c5a");
});

test("only unreserved characters stay as they are", () => {
	assert.equal(encode("a~b-c_d.e!'()* /+é"), "a~b-c_d.e%21%27%28%29%2A%20%2F%2B%C3%A9");
});

test("MD5 of texts of all lengths around a block", () => {
	const hex = text => Buffer.from(md5(new TextEncoder().encode(text))).toString("hex");
	assert.equal(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
	assert.equal(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
	assert.equal(hex("1234567890".repeat(8)), "57edf4a22be3c955ac49da2e2107b67a");
	assert.equal(hex("a".repeat(55)), "ef1772b6dff9a122358552954ad0df65");
	assert.equal(hex("a".repeat(56)), "3b0c8ac703f828b04c6c197006d17218");
	assert.equal(hex("a".repeat(64)), "014842d480b571495a4a0363793f7367");
	assert.equal(md5Base64("0123456789"), "eB5eJF1ptWaXm4bijSPyxw==");
});
