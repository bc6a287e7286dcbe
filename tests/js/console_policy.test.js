// SPDX-License-Identifier: Apache-2.0
// The policy debugger: reading what people paste, and testing forms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf, readPasted } from "../../web/console/oss/pasted.js";
import { encodePolicy, missingPins, readPolicy, testForm } from "../../web/console/oss/policy.js";

const EXPIRATION = "2030-01-01T00:00:00.000Z";
const policyOf = (...conditions) => readPolicy(encodePolicy(JSON.stringify({ expiration: EXPIRATION, conditions })));
const faultOf = text => readPolicy(encodePolicy(text)).fault?.text.replace("policy.fault.", "");

test("a policy is decoded", () => {
	const policy = policyOf({ bucket: "b" }, ["starts-with", "$key", "é/"], ["in", "$x", ["a", "b"]],
		["content-length-range", 1, 10]);
	assert.equal(policy.fault, null);
	assert.equal(policy.expiration, Date.UTC(2030, 0, 1));
	assert.deepEqual(policy.conditions.map(({ shown }) => shown), ['["eq", "$bucket", "b"]',
		'["starts-with", "$key", "é/"]', '["in", "$x", ["a", "b"]]', '["content-length-range", 1, 10]']);
});

test("an escaped dollar is a dollar, in both spellings", () => {
	for (const text of ["\\$", "\\\\$"]) {
		const policy = readPolicy(encodePolicy(
			`{"expiration":"${EXPIRATION}","conditions":[["eq","$key","a${text}{filename}"]]}`));
		assert.equal(policy.fault, null);
		assert.deepEqual(policy.conditions[0].values, ["a${filename}"]);
	}
});

test("what the store refuses is refused", () => {
	assert.equal(readPolicy("a b").fault?.text, "policy.fault.base64");
	assert.equal(readPolicy("/w==").fault?.text, "policy.fault.base64");
	const conditions = '"conditions":[{"bucket":"b"}]';
	const expiration = `"expiration":"${EXPIRATION}"`;
	for (const [text, fault] of [
		["{", "json"], ["[]", "object"], [`{${conditions}}`, "noExpiration"], [`{${expiration}}`, "noConditions"],
		[`{${expiration},"conditions":[]}`, "noConditions"], [`{${expiration},${conditions},"x":1}`, "member"],
		[`{"expiration":"tomorrow",${conditions}}`, "expiration"],
		[`{"expiration":"2030-13-01T00:00:00Z",${conditions}}`, "expiration"],
		[`{${expiration},${expiration},${conditions}}`, "twice"],
		[`{${expiration},"conditions":[{"a":"1","a":"2"}]}`, "twice"],
		[`{${expiration},"conditions":[{"a":"1","b":"2"}]}`, "simple"],
		[`{${expiration},"conditions":[{"a":1}]}`, "simple"], [`{${expiration},"conditions":["a"]}`, "condition"],
		[`{${expiration},"conditions":[["ends-with","$key","a"]]}`, "operator"],
		[`{${expiration},"conditions":[["eq","key","a"]]}`, "name"],
		[`{${expiration},"conditions":[["eq","$key"]]}`, "name"],
		[`{${expiration},"conditions":[["in","$key","a"]]}`, "list"],
		[`{${expiration},"conditions":[["eq","$key",1]]}`, "string"],
		[`{${expiration},"conditions":[["content-length-range","1",2]]}`, "range"],
		[`{${expiration},"conditions":[["content-length-range",2,1]]}`, "range"],
	])
		assert.equal(faultOf(text), fault, text);
});

test("each condition is tested against the form", () => {
	const form = {
		bucket: "b", file: { type: "image/png", size: 5 },
		fields: [["key", "user/a.png"], ["X-Oss-Meta-A", "1"]],
	};
	const passes = condition => testForm(policyOf(condition), form)[0].passes;
	assert.equal(passes({ bucket: "b" }), true);
	assert.equal(passes({ bucket: "c" }), false);
	assert.equal(passes(["starts-with", "$key", "user/"]), true);
	assert.equal(passes(["eq", "$key", "user/"]), false);
	assert.equal(passes(["in", "$Content-Type", ["image/png"]]), true);
	assert.equal(passes(["not-in", "$content-type", ["image/png"]]), false);
	assert.equal(passes(["eq", "$x-oss-meta-a", "1"]), true);
	assert.equal(passes(["starts-with", "$absent", ""]), true);
	assert.equal(passes(["eq", "$absent", "x"]), false);
	assert.equal(passes(["content-length-range", 5, 5]), true);
	assert.equal(passes(["content-length-range", 6, 9]), false);
	const alone = { bucket: null, file: null, fields: [] };
	for (const condition of [{ bucket: "b" }, ["content-length-range", 1, 2], ["eq", "$content-type", "a"]])
		assert.equal(testForm(policyOf(condition), alone)[0].passes, null);
});

test("a form signed by V4 pins three fields", () => {
	const form = { bucket: null, file: null, fields: [["x-oss-security-token", "t"]] };
	assert.deepEqual(missingPins(policyOf({ "X-Oss-Date": "d" }, ["starts-with", "$x-oss-credential", ""]), form),
		["x-oss-signature-version", "x-oss-credential", "x-oss-security-token"]);
});

const FIELDS = [["key", "a b.txt"], ["policy", "cG9saWN5"], ["Signature", "c2ln="]];

test("lines of name=value", () => {
	for (const text of ["key=a b.txt\npolicy=cG9saWN5\nSignature=c2ln=\n", "key: a b.txt\r\npolicy: cG9saWN5\r\nSignature: c2ln="])
		assert.deepEqual(readPasted(text).fields, FIELDS);
	const late = readPasted("key=a\nfile=@x.png\npolicy=p\n");
	assert.deepEqual(late.fields, [["key", "a"]]);
	assert.deepEqual(late.late, ["policy"]);
	assert.equal(late.file?.name, "x.png");
});

test("a multipart body", () => {
	const part = (name, value, more = "", type = "") =>
		`------x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n${type}\r\n${value}\r\n`;
	const body = FIELDS.map(([name, value]) => part(name, value)).join("")
		+ part("file", "12345", '; filename="f.png"', "Content-Type: image/png\r\n") + part("submit", "Go") + "------x--\r\n";
	const form = readPasted(body);
	assert.equal(form.kind, "multipart");
	assert.deepEqual(form.fields, FIELDS);
	assert.deepEqual(form.file, { name: "f.png", type: "image/png", size: 5 });
	assert.deepEqual(form.late, ["submit"]);
	assert.deepEqual(readPasted(body.replaceAll("\r\n", "\n")).fields, FIELDS);
});

test("curl commands", () => {
	const form = readPasted("curl -F 'key=a b.txt' --form policy=cG9saWN5 \\\n -F \"Signature=c2ln=\""
		+ " -F 'file=@x.png;type=image/png' http://127.0.0.1:9000/uploads");
	assert.equal(form.kind, "curl");
	assert.deepEqual(form.fields, FIELDS);
	assert.equal(form.bucket, "uploads");
	assert.deepEqual(form.file, { name: "x.png", type: "image/png", size: null });
	const copied = readPasted("curl 'https://b.oss-cn-hangzhou.aliyuncs.com/' -H 'Origin: x' --data-raw "
		+ "$'------x\\r\\nContent-Disposition: form-data; name=\"key\"\\r\\n\\r\\nit\\'s \\u00e9\\r\\n------x--\\r\\n'");
	assert.deepEqual(copied.fields, [["key", "it's é"]]);
	assert.equal(copied.bucket, "b");
});

test("an HTML form", () => {
	const form = readPasted("<form action=\"http://uploads.localhost:9000/\" method=post>\n<input type=hidden name=key value='a b.txt'>"
		+ "<input name=\"policy\" value=\"cG9saWN5\"><textarea name=Signature>c2ln=</textarea><input type=file name=file></form>");
	assert.deepEqual(form.fields, FIELDS);
	assert.equal(form.bucket, "uploads");
	assert.ok(form.file);
	assert.equal(readPasted("<input name=a value=\"&quot;&amp;lt;\">").fields[0][1], '"&lt;');
});

test("a policy alone, and the answers of application servers", () => {
	assert.deepEqual(readPasted(" cG9s\n aWN5 ").fields, [["policy", "cG9saWN5"]]);
	const text = `{"expiration":"${EXPIRATION}","conditions":[{"bucket":"b"}]}`;
	assert.deepEqual(readPasted(text).fields, [["policy", encodePolicy(text)]]);
	assert.equal(readPasted('{"expiration": broken').kind, "policy");
	const token = readPasted(JSON.stringify({ accessid: "id", host: "https://b.oss-cn-hangzhou.aliyuncs.com", policy: "p",
		signature: "s", expire: "1", dir: "d/" }));
	assert.equal(token.bucket, "b");
	assert.deepEqual(Object.fromEntries(token.fields), { OSSAccessKeyId: "id", policy: "p", Signature: "s", key: "d/${filename}" });
	const grant = readPasted(JSON.stringify({ url: "http://127.0.0.1:9000/uploads", fields: { policy: "p" }, dir: "d" }));
	assert.deepEqual(grant.fields, [["policy", "p"]]);
	assert.equal(grant.bucket, "uploads");
	assert.equal(readPasted("").kind, "nothing");
});

test("the bucket of an address", () => {
	for (const [address, bucket] of [["http://127.0.0.1:9000/a-b/c", "a-b"], ["http://[::1]:9000/b", "b"],
		["http://b.localhost:9000/", "b"], ["http://localhost:9000/b", "b"], ["nothing", null], ["http://127.0.0.1/", null]])
		assert.equal(bucketOf(address), bucket, address);
});

test("long nonsense is read in reasonable time", () => {
	for (const text of ["<input ".repeat(30_000), `curl ${"'".repeat(50_000)}`, "a=".repeat(100_000), `--x\n${"a".repeat(200_000)}`,
		`<form ${"a=\"".repeat(20_000)}`, `a=b${" ".repeat(200_000)}b`, `<input "${"<input '\"".repeat(30_000)}`])
		readPasted(text);
});
