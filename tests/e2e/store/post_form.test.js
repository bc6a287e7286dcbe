// SPDX-License-Identifier: Apache-2.0
// The shapes a form can have: order and spelling of fields, parts and boundaries, who signs it, and
// what becomes of each field.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { getObject, listObjects, multipart, policy, policySignatureV4, postForm, request, send, signedFieldsV1, signedFieldsV4 }
	from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
	await request(store, "PUT", "readers", "", { headers: { "x-oss-acl": "public-read" } });
});
after(all.run);

const FILE = { name: "f.txt", type: "text/plain", content: "content" };
const BOUNDARY = "form-test-boundary";
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

function raw(body, headers = { "Content-Type": TYPE }, bucket = "uploads") {
	return send(`${store}/${bucket}`, "POST", headers, Buffer.from(body, "latin1"));
}

/** A part, written by hand. */
const part = (head, value) => `--${BOUNDARY}\r\n${head}\r\n\r\n${value}\r\n`;
const field = (name, value) => part(`Content-Disposition: form-data; name="${name}"`, value);
const fieldsOf = fields => Object.entries(fields).map(([name, value]) => field(name, value)).join("");
const file = (value = "content", more = "; filename=\"f.txt\"\r\nContent-Type: text/plain") =>
	part(`Content-Disposition: form-data; name="file"${more}`, value);
const END = `--${BOUNDARY}--\r\n`;

async function refused(answer, status, code, key) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	if (key)
		assert.equal(await getObject(store, key), null);
	return got;
}

async function stored(answer, key, content = "content", bucket = "uploads") {
	const got = await answer;
	assert.ok([200, 204].includes(got.status), got.text);
	assert.equal((await getObject(store, key, bucket))?.toString(), content);
	await request(store, "DELETE", bucket, key);
	return got;
}

test("fields in any order before the file", async () => {
	for (const sign of [signedFieldsV1, signedFieldsV4]) {
		const fields = Object.entries(sign("order/k", { "x-oss-meta-a": "1", success_action_status: "200" }));
		for (let turn = 0; turn < fields.length; turn++) {
			fields.push(fields.shift());
			await stored(postForm(store, fields, FILE), "order/k");
		}
		await stored(postForm(store, [...fields].reverse(), FILE), "order/k");
	}
});

test("of a field that is there twice the first counts, for the policy and for the object alike", async () => {
	const text = policy({ conditions: [["eq", "$key", "twice/allowed"]] });
	const { key, ...rest } = signedFieldsV1("twice/allowed", {}, { text });
	await stored(postForm(store, [["key", key], ["key", "twice/other"], ...Object.entries(rest)], FILE), key);
	await refused(postForm(store, [["key", "twice/other"], ["KEY", key], ...Object.entries(rest)], FILE), 403,
		"AccessDenied", "twice/other");
	assert.deepEqual((await listObjects(store)).filter(name => name.startsWith("twice/")), []);
});

test("exactly one file", async () => {
	const fields = fieldsOf(signedFieldsV1("count/k"));
	await refused(raw(fields + END), 400, "IncorrectNumberOfFilesInPOSTRequest", "count/k");
	await refused(raw(fields + file("one") + file("two") + END), 400, "IncorrectNumberOfFilesInPOSTRequest",
		"count/k");
	await refused(raw(fields + file("one") + field("submit", "x") + file("two") + END), 400,
		"IncorrectNumberOfFilesInPOSTRequest", "count/k");
});

test("how a file can be named", async () => {
	const fields = fieldsOf(signedFieldsV1("named/${filename}"));
	for (const [more, name] of [
		["; filename=\"a.txt\"", "a.txt"],
		["; filename=a.txt", "a.txt"],
		["", ""],
		["; filename=\"\"", ""],
		["; filename=\"a;b=c.txt\"", "a;b=c.txt"],
		["; filename=\"a%22b.txt\"", "a%22b.txt"],
		["; filename=\"C:\\fakepath\\a.txt\"", "a.txt"],
		// Go, Apache's HttpClient, curl --form-escape.
		["; filename=\"a\\\"b.txt\"", "a\"b.txt"],
		["; filename=\"\\\"b\\\".txt\"", "\"b\".txt"],
		["; filename=\"/home/x/a\\\"b.txt\"", "a\"b.txt"],
		["; filename=\"C:\\dir\\c\\\"d.txt\"", "c\"d.txt"],
		["; filename=\"C:\\dir\\file\"", "file"],
		["; filename=\"/home/x/a.txt\"", "a.txt"],
		[`; filename="${Buffer.from("中.txt").toString("latin1")}"`, "中.txt"],
		["; filename*=UTF-8''%E4%B8%AD.txt", "中.txt"],
	])
		await stored(raw(fields + file("content", more) + END), `named/${name}`);
	const twice = fieldsOf(signedFieldsV1("named/${filename}/${filename}"));
	await stored(raw(twice + file("content", "; filename=\"a\"") + END), "named/a/a");
	// What a file's name says is no template.
	await stored(raw(fields + file("content", "; filename=\"${filename}\"") + END), "named/${filename}");
});

test("preambles, epilogues, padding, quoted boundaries, headers in any case", async () => {
	const fields = fieldsOf(signedFieldsV1("shape/k"));
	await stored(raw(`preamble\r\nof two lines\r\n${fields}${file()}${END}epilogue`), "shape/k");
	await stored(raw((fields + file() + END).replaceAll(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \t\r\n`)), "shape/k");
	await stored(raw(fields + file() + END.trimEnd()), "shape/k");
	await stored(raw(fields + file() + END, { "Content-Type": `Multipart/Form-Data; charset=utf-8; Boundary="${BOUNDARY}"` }),
		"shape/k");
	await stored(raw(fields.replaceAll("Content-Disposition: form-data; name", "content-DISPOSITION:Form-Data ;name")
		+ file() + END), "shape/k");
	await stored(raw(fields + part("Content-Type: text/plain\r\nX-Other: y\r\nContent-Disposition: form-data; "
		+ "filename=\"f\"; name=\"file\"", "content") + END), "shape/k");
});

test("contents that look like boundaries stay whole", async () => {
	const fields = fieldsOf(signedFieldsV1("tricky/k"));
	for (const content of ["", "\r", "\n", "\r\n", "\r\n--", `\r\n--${BOUNDARY.slice(0, -1)}`, `x--${BOUNDARY}`,
		`\n--${BOUNDARY}\r\n`, `\r\r\n--${BOUNDARY.slice(0, -1)}x`, "\r\n\r\n--\r\n", `\r\n-${BOUNDARY}`,
		"\0".repeat(100), "\r".repeat(5000)])
		await stored(raw(fields + file(content) + END), "tricky/k", content);
});

test("bodies that are broken", async () => {
	const fields = fieldsOf(signedFieldsV1("bad/k"));
	for (const body of [
		"", "nonsense", fields, fields + file(), fields + file().slice(0, -2) + END,
		fields + file() + END.slice(0, -3),
		fields + part("Content-Disposition: attachment; name=\"file\"", "x") + END,
		fields + part("Content-Disposition: form-data", "x") + file() + END,
		fields + part("X-Only: y", "x") + file() + END,
		fields + part("Content-Disposition form-data; name=\"a\"", "x") + file() + END,
		fields + part("Content-Disposition: form-data; name=\"a", "x") + file() + END,
		fields + `--${BOUNDARY}\r\n${"A: b\r\n".repeat(5000)}` + file() + END,
		(fields + file() + END).replaceAll("\r\n", "\n"),
		`${fields}--${BOUNDARY}garbage\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n${file()}${END}`,
	]) {
		const got = await raw(body);
		assert.equal(got.status, 400, `${JSON.stringify(body.slice(-200))}: ${got.text}`);
		assert.equal(got.xml("Code"), "MalformedPOSTRequest", JSON.stringify(body.slice(-200)));
		assert.equal(await getObject(store, "bad/k"), null);
	}
	for (const type of ["text/plain", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", ""])
		await refused(raw(fields + file() + END, { "Content-Type": type }), 400, "RequestIsNotMultiPartContent");
	for (const type of ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		`multipart/form-data; boundary=${"x".repeat(300)}`])
		await refused(raw(fields + file() + END, { "Content-Type": type }), 400, "MalformedPOSTRequest");
});

test("who may post: anybody to public-read-write, and then nobody by halves", async () => {
	const anonymous = await stored(postForm(store, { key: "anon/k" }, FILE, { bucket: "anyone" }), "anon/k", "content",
		"anyone");
	assert.match(anonymous.headers.etag, /^"/);
	for (const bucket of ["uploads", "readers"]) {
		const got = await refused(postForm(store, { key: "anon/k" }, FILE, { bucket }), 403, "AccessDenied");
		assert.match(got.xml("Message"), /^You have no right to access this object because of bucket acl\. .*before the file/);
	}
	const full = signedFieldsV1("anon/k", {}, { text: policy({ bucket: "anyone" }) });
	for (const only of ["OSSAccessKeyId", "policy", "Signature"]) {
		const got = await refused(postForm(store, { key: "anon/k", [only]: full[only] }, FILE, { bucket: "anyone" }),
			400, "InvalidArgument");
		assert.match(got.xml("Message"), /^The bucket POST must contain the specified '/);
	}
	await refused(postForm(store, { ...full, Signature: "x" }, FILE, { bucket: "anyone" }), 403,
		"SignatureDoesNotMatch");
	await stored(postForm(store, full, FILE, { bucket: "anyone" }), "anon/k", "content", "anyone");
	assert.equal(await getObject(store, "anon/k", "anyone"), null);
});

test("signatures outside of the form are ignored", async () => {
	const fields = signedFieldsV1("outside/k");
	await stored(postForm(store, fields, FILE, { headers: { Authorization: "OSS nobody:x" } }), "outside/k");
	const { type, body } = multipart(fields, FILE);
	await stored(send(`${store}/uploads?OSSAccessKeyId=nobody&Expires=1&Signature=x`, "POST", { "Content-Type": type },
		body), "outside/k");
	const unsigned = multipart({ key: "outside/k" }, FILE);
	const date = new Date().toUTCString();
	await refused(send(`${store}/uploads`, "POST", { "Content-Type": unsigned.type, Date: date }, unsigned.body), 403,
		"AccessDenied", "outside/k");
});

test("V4 forms: each field is needed, and the policy must bind them", async () => {
	const fields = signedFieldsV4("v4/k");
	for (const missing of ["policy", "x-oss-credential", "x-oss-date", "x-oss-signature"]) {
		const { [missing]: _, ...others } = fields;
		const got = await refused(postForm(store, others, FILE), 400, "InvalidArgument", "v4/k");
		assert.equal(got.xml("ArgumentName"), missing);
	}
	for (const [changed, statuses] of [
		[{ "x-oss-signature-version": "OSS2" }, [400]],
		[{ "x-oss-signature-version": "AWS4-HMAC-SHA256" }, [400]],
		[{ "x-oss-credential": "a/b/c" }, [400]],
		[{ "x-oss-credential": fields["x-oss-credential"].replace(/\/\d{8}\//, "/20200101/") }, [400]],
		[{ "x-oss-credential": fields["x-oss-credential"].replace("/oss/", "/s3/") }, [400]],
		[{ "x-oss-date": "now" }, [400]],
		[{ "x-oss-signature": `${fields["x-oss-signature"].slice(0, -1)}x` }, [403]],
		[{ "x-oss-signature": "" }, [400]],
		[{ "x-oss-credential": fields["x-oss-credential"].replace("cn-hangzhou", "cn-beijing") }, [403]],
	]) {
		const got = await postForm(store, { ...fields, ...changed }, FILE);
		assert.ok(statuses.includes(got.status), `${JSON.stringify(changed)}: ${got.text}`);
		assert.equal(await getObject(store, "v4/k"), null);
	}
	await stored(postForm(store, { ...fields, "x-oss-security-token": "" }, FILE), "v4/k");
	await refused(postForm(store, { ...fields, "x-oss-security-token": "t" }, FILE), 403, "InvalidAccessKeyId", "v4/k");
	const far = days => new Date(Date.now() + days * 86_400_000);
	await refused(postForm(store, signedFieldsV4("v4/k", {}, { now: far(-8) }), FILE), 403, "AccessDenied", "v4/k");
	await stored(postForm(store, signedFieldsV4("v4/k", {}, { now: far(-6) }), FILE), "v4/k");
	await refused(postForm(store, signedFieldsV4("v4/k", {}, { now: far(1) }), FILE), 403, "RequestTimeTooSkewed", "v4/k");
});

test("V4 forms: a policy that does not bind what signs it is refused", async () => {
	const fields = signedFieldsV4("v4/k");
	const { expiration, conditions } = JSON.parse(Buffer.from(fields.policy, "base64"));
	const day = fields["x-oss-date"].slice(0, 8);
	const post = changed => {
		const text = Buffer.from(JSON.stringify({ expiration, conditions: changed })).toString("base64");
		return postForm(store, { ...fields, policy: text, "x-oss-signature": policySignatureV4(text, day) }, FILE);
	};
	await stored(post(conditions), "v4/k");
	for (const name of ["x-oss-signature-version", "x-oss-credential", "x-oss-date"]) {
		const others = conditions.filter(one => !(name in one));
		assert.equal(others.length, conditions.length - 1);
		await refused(post(others), 400, "InvalidPolicyDocument", "v4/k");
		await refused(post([...others, ["starts-with", `$${name}`, ""]]), 400, "InvalidPolicyDocument", "v4/k");
		await refused(post([...others, { [name]: "other" }]), 403, "AccessDenied", "v4/k");
	}
});

test("SignatureDoesNotMatch shows the policy as the text to sign", async () => {
	const fields = { ...signedFieldsV1("k"), Signature: "d3Jvbmc=" };
	const got = await refused(postForm(store, fields, FILE), 403, "SignatureDoesNotMatch");
	assert.equal(got.xml("StringToSign"), fields.policy);
	assert.equal(got.xml("SignatureProvided"), "d3Jvbmc=");
	assert.equal(got.xml("OSSAccessKeyId"), "testaccesskeyid");
});

test("what fields and the part say becomes the object's headers", async () => {
	await postForm(store, signedFieldsV1("meta/k", {
		"cache-control": "no-cache", "Content-Disposition": "inline", "CONTENT-ENCODING": "identity",
		Expires: "Mon, 01 Jan 2035 00:00:00 GMT", "X-OSS-Meta-Who": "me", "x-oss-storage-class": "IA",
		"x-oss-object-acl": "public-read", unknown: "y",
	}), FILE, { headers: { "x-oss-object-acl": "private" } });
	const got = await send(`${store}/uploads/meta/k`);
	assert.equal(got.status, 200, "the field wins over the header");
	for (const [name, value] of Object.entries({ "cache-control": "no-cache", "content-disposition": "inline",
		"content-encoding": "identity", expires: "Mon, 01 Jan 2035 00:00:00 GMT", "x-oss-meta-who": "me",
		"x-oss-storage-class": "IA", "content-type": "text/plain", unknown: undefined }))
		assert.equal(got.headers[name], value, name);
	for (const [fields, code, status = 400] of [
		[{ "x-oss-object-acl": "all" }, "InvalidArgument"],
		[{ "x-oss-storage-class": "Cheap" }, "InvalidArgument"],
		[{ "x-oss-forbid-overwrite": "yes" }, "InvalidArgument"],
		[{ "x-oss-server-side-encryption": "ROT13" }, "InvalidEncryptionAlgorithmError"],
		[{ "x-oss-meta-a": "x".repeat(8200) }, "InvalidArgument"],
		[{ "x-oss-meta-a b": "x" }, "InvalidArgument"],
		[{ "x-oss-meta-a": "x\r\nInjected: y" }, "InvalidArgument"],
		[{ "x-oss-content-type": "text/x\r\nInjected: y" }, "InvalidArgument"],
	])
		await refused(postForm(store, signedFieldsV1("meta/no", fields), FILE), status, code, "meta/no");
});

test("the content type: x-oss-content-type, the part's, the field's, or none", async () => {
	const typed = "; filename=\"f\"\r\nContent-Type: image/part";
	const bare = "; filename=\"f\"";
	for (const [fields, more, type] of [
		[{ "x-oss-content-type": "image/first", "Content-Type": "image/field" }, typed, "image/first"],
		[{ "Content-Type": "image/field" }, typed, "image/part"],
		[{ "Content-Type": "image/field" }, bare, "image/field"],
		[{}, typed, "image/part"],
		[{}, bare, "application/octet-stream"],
	]) {
		for (const [conditions, ok] of [[["eq", "$Content-Type", type], true],
			[["in", "$content-type", ["image/other", type]], true], [["not-in", "$content-type", [type]], false]]) {
			const signed = signedFieldsV1("type/k", fields, { text: policy({ conditions: [conditions] }) });
			const got = await raw(fieldsOf(signed) + file("x", more) + END);
			assert.equal(got.status, ok ? 204 : 403, `${type} ${conditions}: ${got.text}`);
		}
		assert.equal((await request(store, "HEAD", "uploads", "type/k")).headers["content-type"], type);
	}
});

test("what the answer looks like", async () => {
	const key = "answer/a b&c<中>.txt";
	const etag = createHash("md5").update("content").digest("hex").toUpperCase();
	const created = await postForm(store, signedFieldsV1(key, { success_action_status: "201" }), FILE);
	assert.equal(created.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Bucket>uploads</Bucket>"
		+ `<Location>${store}/uploads/answer/a%20b%26c%3C%E4%B8%AD%3E.txt</Location>`
		+ "<Key>answer/a b&amp;c&lt;中&gt;.txt</Key>"
		+ `<ETag>&quot;${etag}&quot;</ETag></PostResponse>\n`);
	for (const [to, location] of [
		["http://a.test/done", `http://a.test/done?bucket=uploads&key=${encodeURIComponent(key)}&etag=%22${etag}%22`],
		["https://a.test/?x=1", `https://a.test/?x=1&bucket=uploads&key=${encodeURIComponent(key)}&etag=%22${etag}%22`],
	]) {
		const got = await postForm(store, signedFieldsV1(key, { success_action_redirect: to,
			success_action_status: "201" }), FILE);
		assert.equal(got.status, 303);
		assert.equal(got.headers.location, location);
		assert.equal(got.headers.etag, `"${etag}"`);
	}
	for (const to of ["/relative", "javascript:alert(1)", "http://a.test/\r\nSet-Cookie: x=y", "http://a test/", ""]) {
		const got = await postForm(store, signedFieldsV1(key, { success_action_redirect: to }), FILE);
		assert.equal(got.status, 204, to);
		assert.equal(got.headers.location, undefined);
		assert.equal(got.headers["set-cookie"], undefined);
	}
});

test("limits say what is allowed and what came", async () => {
	const got = await refused(postForm(store, signedFieldsV1("limit/k", { big: "x".repeat(2_097_153) }), FILE), 400,
		"FieldItemTooLong", "limit/k");
	assert.equal(got.xml("MaxSizeAllowed"), "2097152");
	assert.ok(Number(got.xml("ProposedSize")) > 2_097_152);
	await stored(postForm(store, signedFieldsV1("limit/k", { big: "x".repeat(2_097_152) }), FILE), "limit/k");
	const name = await refused(postForm(store, signedFieldsV1("limit/k", { ["n".repeat(8193)]: "" }), FILE), 400,
		"FieldItemTooLong", "limit/k");
	assert.equal(name.xml("MaxSizeAllowed"), "8192");
	await stored(postForm(store, signedFieldsV1("limit/k", { ["n".repeat(8192)]: "" }), FILE), "limit/k");
	const four = Object.fromEntries([1, 2, 3, 4].map(n => [`extra${n}`, "v".repeat(2_000_000)]));
	await stored(postForm(store, signedFieldsV1("limit/k", four), FILE), "limit/k");
	const large = Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`f${n}`, "v"]));
	assert.equal((await postForm(store, signedFieldsV1("limit/k", large), FILE)).status, 400);
});

test("dollars and escapes in policies", async () => {
	const text = json => Buffer.from(json).toString("base64");
	const until = `"expiration":"${new Date(Date.now() + 60_000).toISOString()}"`;
	for (const json of [
		`{${until},"conditions":[["eq","$key","esc/\${filename}"]]}`,
		`{${until},"conditions":[["eq","$key","esc/\\\\\${filename}"]]}`,
		`{${until},"conditions":[["eq","$key","esc/\\\${filename}"]]}`,
		`{${until},"conditions":[["eq","$key","esc\\/\\u0024{filename}"]]}`,
		`{${until},"conditions":[["eq","$KEY","esc/\${filename}"]]}`,
		` {\n${until} ,\t"conditions" : [ [ "starts-with" , "$key" , "" ] ] } `,
		`{${until.replace(/\.\d+Z/, "Z")},"conditions":[["starts-with","$key","esc/"]]}`,
	])
		await stored(postForm(store, signedFieldsV1("esc/${filename}", {}, { text: text(json) }), FILE), "esc/f.txt");
});

test("a form whose key stands behind the file, or nowhere, is told of the order", async () => {
	const signed = signedFieldsV1("order/k");
	const key = { key: "order/k" };
	const { key: _, ...rest } = signed;
	for (const [name, body] of Object.entries({
		"the file first": file() + fieldsOf(signed) + END,
		"the key last": fieldsOf(rest) + file() + fieldsOf(key) + END,
		"no key": fieldsOf(rest) + file() + END,
		"nothing but the file": file() + END,
	})) {
		const got = await refused(raw(body), 400, "InvalidArgument", "order/k");
		assert.match(got.xml("Message"), /'key'.*order of the fields/, name);
		assert.equal(got.xml("ArgumentName"), "key", name);
	}
	// The signature alone behind the file: an anonymous form.
	await refused(raw(fieldsOf(key) + file() + fieldsOf(rest) + END), 403, "AccessDenied", "order/k");
});

test("not-in holds for the key that ${filename} makes, the other conditions for its text", async () => {
	const text = policy({ conditions: [["starts-with", "$key", "in/${file"], ["not-in", "$key", ["in/secret.txt", "in/${filename}x"]]] });
	const fields = signedFieldsV1("in/${filename}", {}, { text });
	await stored(postForm(store, fields, { ...FILE, name: "open.txt" }), "in/open.txt");
	await refused(postForm(store, fields, { ...FILE, name: "secret.txt" }), 403, "AccessDenied", "in/secret.txt");
	await refused(postForm(store, fields, { ...FILE, name: "/x/secret.txt" }), 403, "AccessDenied", "in/secret.txt");
	await refused(postForm(store, signedFieldsV1("in/${filename}x", {}, { text }), FILE), 403, "AccessDenied", "in/f.txtx");
	const eq = policy({ conditions: [["eq", "$key", "in/${filename}"]] });
	await refused(postForm(store, signedFieldsV1("in/f.txt", {}, { text: eq }), FILE), 403, "AccessDenied", "in/f.txt");
});
