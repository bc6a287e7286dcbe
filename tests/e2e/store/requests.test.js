// SPDX-License-Identifier: Apache-2.0
// The REST operations and their errors: buckets, objects, lists, addresses.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { getObject, listObjects, request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";
import { presignV1, target } from "../lib/sign.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
	for (const acl of ["private", "public-read", "public-read-write"])
		await made(acl, acl);
});
after(all.run);

const md5 = (text, encoding) => createHash("md5").update(text).digest(encoding);
const put = (bucket, key, body = "", headers = {}) => request(store, "PUT", bucket, key, { body, headers });

async function made(bucket, acl) {
	const got = await request(store, "PUT", bucket, "", { headers: { "x-oss-acl": acl } });
	assert.equal(got.status, 200, got.text);
}

async function refused(answer, status, code) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	assert.equal(got.xml("Code"), code, got.text);
	assert.match(got.text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>/);
	assert.match(got.headers["content-type"], /^application\/xml/);
	assert.match(got.headers["x-oss-request-id"], /^[0-9A-F]{24}$/);
	assert.equal(got.xml("RequestId"), got.headers["x-oss-request-id"]);
	assert.equal(got.xml("HostId"), new URL(store).host);
	assert.ok(got.xml("Message").length > 0);
	if (got.xml("EC"))
		assert.equal(got.headers["x-oss-ec"], got.xml("EC"));
	return got;
}

test("PutBucket: new, again, with another ACL", async () => {
	const got = await request(store, "PUT", "fresh", "");
	assert.equal(got.status, 200);
	assert.equal(got.headers.location, "/fresh");
	await put("fresh", "k", "v");
	assert.equal((await send(`${store}/fresh/k`)).status, 403, "private if nothing is said");
	await made("fresh", "public-read");
	assert.equal((await send(`${store}/fresh/k`)).text, "v", "what is there stays");
	await request(store, "PUT", "fresh", "");
	assert.equal((await send(`${store}/fresh/k`)).text, "v", "without an ACL it stays as it was");
	const configured = await request(store, "PUT", "fresh", "", { body: "<?xml version=\"1.0\"?>"
		+ "<CreateBucketConfiguration><StorageClass>Standard</StorageClass></CreateBucketConfiguration>" });
	assert.equal(configured.status, 200, configured.text);
});

test("PutBucket: what is refused", async () => {
	await refused(request(store, "PUT", "other", "", { headers: { "x-oss-acl": "public" } }), 400,
		"InvalidArgument");
	await refused(request(store, "PUT", "other", "", { body: "<oops" }), 400, "MalformedXML");
	await refused(send(`${store}/other`, "PUT"), 403, "AccessDenied");
	for (const name of ["ab", "a".repeat(64), "Upper", "under_score", "-dash", "dash-", "dot.ted"])
		await refused(request(store, "PUT", name, ""), 400, "InvalidBucketName");
	await refused(request(store, "GET", "other", ""), 404, "NoSuchBucket");
});

test("PutObject, GetObject, HeadObject, DeleteObject", async () => {
	const content = "hello, world";
	const stored = await put("private", "dir/ä b+c.txt", content, {
		"Content-Type": "text/x-test", "Content-MD5": md5(content, "base64"),
		"Cache-Control": "max-age=1", "Content-Disposition": "attachment", "Content-Encoding": "identity",
		Expires: "Mon, 01 Jan 2035 00:00:00 GMT", "x-oss-meta-Some-Name": "value",
		"x-oss-storage-class": "IA",
	});
	assert.equal(stored.status, 200, stored.text);
	assert.equal(stored.text, "");
	const etag = `"${md5(content, "hex").toUpperCase()}"`;
	const expected = {
		etag, "content-length": "12", "content-type": "text/x-test", "content-md5": md5(content, "base64"),
		"cache-control": "max-age=1", "content-disposition": "attachment", "content-encoding": "identity",
		expires: "Mon, 01 Jan 2035 00:00:00 GMT", "x-oss-meta-some-name": "value",
		"x-oss-storage-class": "IA", "x-oss-object-type": "Normal", "accept-ranges": "bytes",
		server: "AliyunOSS", "x-content-type-options": "nosniff",
	};
	assert.equal(stored.headers.etag, etag);
	assert.equal(stored.headers["content-md5"], expected["content-md5"]);
	for (const method of ["GET", "HEAD"]) {
		const got = await request(store, method, "private", "dir/ä b+c.txt");
		assert.equal(got.status, 200);
		assert.equal(got.text, method === "GET" ? content : "");
		for (const [name, value] of Object.entries(expected))
			assert.equal(got.headers[name], value, `${method} ${name}`);
		assert.match(got.headers["x-oss-hash-crc64ecma"], /^\d+$/);
		assert.equal(got.headers["x-oss-hash-crc64ecma"], stored.headers["x-oss-hash-crc64ecma"]);
		assert.ok(Math.abs(Date.parse(got.headers["last-modified"]) - Date.now()) < 60_000);
	}
	for (let i = 0; i < 2; i++) {
		const gone = await request(store, "DELETE", "private", "dir/ä b+c.txt");
		assert.equal(gone.status, 204, "deleting what is not there succeeds too");
		assert.equal(gone.text, "");
	}
	await refused(request(store, "GET", "private", "dir/ä b+c.txt"), 404, "NoSuchKey");
});

test("overwriting replaces bytes, type and metadata; small by large and back", async () => {
	for (const size of [10, 3_000_000, 0, 1_048_576, 1_048_577, 5]) {
		const body = Buffer.alloc(size, `${size} `);
		await put("private", "over", body, { "Content-Type": `x/${size}`, [`x-oss-meta-m${size}`]: "1" });
		const got = await request(store, "GET", "private", "over");
		assert.ok(got.body.equals(body), String(size));
		assert.equal(got.headers["content-type"], `x/${size}`);
		assert.deepEqual(Object.keys(got.headers).filter(name => name.startsWith("x-oss-meta-")),
			[`x-oss-meta-m${size}`]);
	}
});

test("PutObject: what is refused, and that nothing is stored then", async () => {
	for (const [headers, status, code] of [
		[{ "Content-MD5": md5("other", "base64") }, 400, "InvalidDigest"],
		[{ "Content-MD5": "short" }, 400, "InvalidDigest"],
		[{ "x-oss-object-acl": "everybody" }, 400, "InvalidArgument"],
		[{ "x-oss-storage-class": "Cheap" }, 400, "InvalidArgument"],
		[{ "x-oss-forbid-overwrite": "maybe" }, 400, "InvalidArgument"],
		[{ "x-oss-server-side-encryption": "ROT13" }, 400, "InvalidEncryptionAlgorithmError"],
		[{ "x-oss-server-side-encryption": "AES256" }, 501, "NotImplemented"],
		[{ "x-oss-tagging": "a=b=c" }, 400, "InvalidTag"],
		[{ "If-None-Match": "*" }, 400, "NotImplemented"],
		[{ "x-oss-meta-a_b": "x" }, 400, "InvalidArgument"],
		[{ "x-oss-meta-a": "x".repeat(9000) }, 400, "InvalidArgument"],
	]) {
		await refused(put("private", "refused", "x", headers), status, code);
		assert.equal(await getObject(store, "refused", "private"), null, JSON.stringify(headers));
	}
	await refused(put("nosuchbucket", "k", "x"), 404, "NoSuchBucket");
	for (const key of ["/a", "\\a", "x".repeat(1024)])
		await refused(put("private", key, "x"), 400, "InvalidObjectName");
	await refused(send(`${store}/private/%ff`, "GET"), 400, "InvalidArgument");
	assert.equal((await put("private", "y".repeat(1023), "x")).status, 200);
});

test("x-oss-forbid-overwrite", async () => {
	const once = { "x-oss-forbid-overwrite": "true" };
	assert.equal((await put("private", "once", "first", once)).status, 200);
	await refused(put("private", "once", "second", once), 409, "FileAlreadyExists");
	assert.equal((await getObject(store, "once", "private")).toString(), "first");
	const many = await Promise.all(Array.from({ length: 20 },
		(_, i) => put("private", "race", `writer ${i}`, once)));
	assert.equal(many.filter(({ status }) => status === 200).length, 1, "one of many wins");
});

test("who may do what", async () => {
	const anonymous = (method, path, body, headers) => send(store + path, method, headers ?? {}, body);
	for (const bucket of ["private", "public-read", "public-read-write"])
		await put(bucket, "k", "v");
	const rows = [
		// method, path, statuses in a private, a public-read and a public-read-write bucket
		["GET", "/k", 403, 200, 200],
		["HEAD", "/k", 403, 200, 200],
		["GET", "/none", 403, 404, 404],
		["HEAD", "/none", 403, 404, 404],
		["GET", "", 403, 200, 200],
		["PUT", "/new", 403, 403, 200],
		["DELETE", "/new", 403, 403, 204],
		["PUT", "", 403, 403, 403],
		["GET", "?cors", 403, 403, 403],
		["PUT", "?cors", 403, 403, 403],
		["DELETE", "?cors", 403, 403, 403],
	];
	for (const [method, path, ...statuses] of rows) {
		for (const [i, bucket] of ["private", "public-read", "public-read-write"].entries()) {
			const got = await anonymous(method, `/${bucket}${path}`, method === "PUT" ? "x" : undefined);
			assert.equal(got.status, statuses[i], `${method} ${bucket}${path}: ${got.text}`);
			if (got.status === 403 && method !== "HEAD")
				assert.equal(got.xml("Code"), "AccessDenied");
		}
	}
	const denied = await anonymous("GET", "/private/k");
	assert.equal(denied.xml("Message"), "You have no right to access this object because of bucket acl.");
	// An object's own ACL wins over the bucket's.
	await put("private", "open", "v", { "x-oss-object-acl": "public-read" });
	await put("public-read", "closed", "v", { "x-oss-object-acl": "private" });
	assert.equal((await anonymous("GET", "/private/open")).status, 200);
	assert.equal((await anonymous("GET", "/public-read/closed")).status, 403);
	await put("public-read-write", "closed", "v", { "x-oss-object-acl": "public-read" });
	for (const [method, body] of [["PUT", "theirs"], ["DELETE", undefined]])
		assert.equal((await anonymous(method, "/public-read-write/closed", body)).xml("Code"), "AccessDenied");
	assert.equal((await anonymous("GET", "/public-read-write/closed")).text, "v");
});

test("HEAD tells errors in x-oss-err", async () => {
	for (const [bucket, key, status, code] of [["private", "none", 404, "NoSuchKey"],
		["nosuchbucket", "k", 404, "NoSuchBucket"], ["Bad_Name", "k", 400, "InvalidBucketName"]]) {
		const got = await request(store, "HEAD", bucket, key);
		assert.equal(got.status, status);
		assert.equal(got.text, "");
		const xml = Buffer.from(got.headers["x-oss-err"], "base64").toString();
		assert.match(xml, new RegExp(`^<\\?xml.*\\n<Error><Code>${code}</Code>`));
	}
});

/** What OSS takes in a header, and this store has not got. */
const UNIMPLEMENTED = { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "k",
	"x-oss-traffic-limit": "819200", "X-Oss-Object-Worm-Mode": "COMPLIANCE", "x-oss-process": "image/resize,w_1",
	"x-oss-persistent-headers": "a:YQ==", "x-oss-user-last-modified": "Wed, 08 Jul 2015 16:57:01 GMT",
	"x-oss-resource-group-id": "rg-a", "x-oss-bucket-object-worm-enabled": "true" };

test("what is asked for by a header and is not there is refused, not ignored, in every operation", async () => {
	const begin = () => request(store, "POST", "private", "parts", { query: { uploads: "" } });
	await put("private", "there", "x");
	const uploadId = (await begin()).xml("UploadId");
	const operations = [["PUT", "new", {}], ["GET", "there", {}], ["HEAD", "there", {}], ["DELETE", "there", {}],
		["POST", "new", { append: "", position: "0" }], ["POST", "new", { uploads: "" }], ["PUT", "new", { symlink: "" }],
		["PUT", "parts", { partNumber: "1", uploadId }], ["POST", "parts", { uploadId }], ["PUT", "", {}], ["GET", "", {}]];
	for (const [method, key, query] of operations) {
		for (const [name, value] of Object.entries(UNIMPLEMENTED)) {
			const body = method === "PUT" || method === "POST" ? "x" : undefined;
			const got = await request(store, method, "private", key, { query, body, headers: { [name]: value } });
			assert.equal(got.status, 501, `${method} ${key} ${JSON.stringify(query)} ${name}: ${got.text}`);
			assert.ok(got.headers["x-oss-err"] || got.xml("Header").toLowerCase() === name.toLowerCase(), got.text);
		}
	}
	await refused(request(store, "PUT", "private", "new", { headers: { "x-oss-copy-source": "/private/there",
		"x-oss-traffic-limit": "819200" } }), 501, "NotImplemented");
	assert.equal((await getObject(store, "there", "private")).toString(), "x");
	assert.equal(await getObject(store, "new", "private"), null);
});

test("limits that a signed URL has and are not there are refused: it is not to work from elsewhere", async () => {
	await put("private", "there", "x");
	const expires = Math.floor(Date.now() / 1000) + 300;
	const open = subresources => send(store
		+ target("private", "there", presignV1({ bucket: "private", key: "there", expires, subresources })));
	assert.equal((await open({})).status, 200);
	for (const name of ["x-oss-ac-source-ip", "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id", "x-oss-traffic-limit"])
		await refused(open({ [name]: "819200" }), 501, "NotImplemented");
});

test("callbacks are for operations that have them; elsewhere they are refused", async () => {
	await put("private", "there", "x");
	for (const [method, key, query] of [["POST", "new", { append: "", position: "0" }], ["PUT", "new", { symlink: "" }],
		["POST", "new", { uploads: "" }], ["DELETE", "there", {}], ["GET", "there", {}]]) {
		const options = { query, body: method === "POST" ? "x" : undefined };
		await refused(request(store, method, "private", key, { ...options, headers: { "x-oss-callback": "e30=" } }),
			501, "NotImplemented");
		await refused(request(store, method, "private", key, { ...options, query: { ...query, callback: "e30=" } }),
			501, "NotImplemented");
	}
	assert.equal((await getObject(store, "there", "private")).toString(), "x");
});

test("an error tells which key or bucket, escaped, in less than 4096 bytes", async () => {
	const key = `<a>&"'${"ä".repeat(400)}`;
	const got = await refused(request(store, "GET", "private", key), 404, "NoSuchKey");
	assert.match(got.text, /<Key>&lt;a&gt;&amp;/);
	assert.ok(got.body.length < 4096);
	assert.equal((await refused(request(store, "GET", "nosuchbucket", "k"), 404, "NoSuchBucket"))
		.xml("BucketName"), "nosuchbucket");
});

test("what does not exist here is not taken for something else", async () => {
	for (const [method, key, sub] of [["PUT", "", "website"], ["GET", "", "qosInfo"],
		["PUT", "", "encryption"], ["POST", "k", "restore"], ["PUT", "k", "restore"],
		["DELETE", "k", "acl"], ["GET", "k", "live"]]) {
		await refused(request(store, method, "private", key, { query: { [sub]: "" },
			body: method === "GET" ? undefined : "" }), 501, "NotImplemented");
	}
	await refused(send(`${store}/private/k?x-oss-process=image/resize`), 501, "NotImplemented");
	await refused(send(`${store}/?regionList`), 501, "NotImplemented");
	for (const [path, method, allowed] of [
		["private/k", "POST", "DELETE, GET, HEAD, OPTIONS, PUT"],
		["private", "PATCH", "DELETE, GET, HEAD, OPTIONS, POST, PUT"],
	]) {
		const got = await refused(send(`${store}/${path}`, method, {}, ""), 405, "MethodNotAllowed");
		assert.equal(got.headers.allow.split(", ").sort().join(", "), allowed);
	}
	assert.equal(await getObject(store, "k", "private").then(String), "v");
});

test("path style and virtual-host style are the same store", async () => {
	await put("public-read-write", "style/k", "v");
	const host = new URL(store).port;
	for (const Host of [`public-read-write.localhost:${host}`, "public-read-write.localhost",
		"PUBLIC-READ-WRITE.LOCALHOST", "public-read-write.oss-cn-hangzhou.aliyuncs.com"]) {
		const got = await send(`${store}/style/k`, "GET", { Host });
		assert.equal(got.text, "v", Host);
		assert.equal((await send(`${store}/?prefix=style`, "GET", { Host })).xml("Name"), "public-read-write");
	}
	const stored = await send(`${store}/style/host`, "PUT", { Host: "public-read-write.localhost" }, "w");
	assert.equal(stored.status, 200, stored.text);
	assert.equal((await getObject(store, "style/host", "public-read-write")).toString(), "w");
	await refused(send(`${store}/private/k`, "GET", { Host: "localhost" }).then(got => {
		assert.equal(got.xml("HostId"), "localhost");
		return { ...got, text: got.text.replace("localhost", new URL(store).host),
			xml: name => name === "HostId" ? new URL(store).host : got.xml(name) };
	}), 403, "AccessDenied");
});

// ---- ListObjects ------------------------------------------------------------------------------

const KEYS = ["a", "b/", "b/1", "b/2", "b/c/1", "b/c/2", "b/d", "c", "c&<>\"'", "d d+e%", "z中", "é"];

function list(query) {
	return request(store, "GET", "listed", "", { query });
}

function read(answer) {
	assert.equal(answer.status, 200, answer.text);
	const decode = text => text.replace(/&(lt|gt|amp|quot|apos|#39|#34);/g, (_, name) =>
		({ lt: "<", gt: ">", amp: "&", quot: "\"", apos: "'", "#39": "'", "#34": "\"" })[name]);
	const url = answer.xml("EncodingType") === "url";
	const text = raw => url ? decodeURIComponent(raw) : decode(raw);
	return {
		keys: [...answer.text.matchAll(/<Contents><Key>([^<]*)<\/Key>/g)].map(([, key]) => text(key)),
		prefixes: [...answer.text.matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map(([, key]) => text(key)),
		truncated: answer.xml("IsTruncated") === "true",
		next: answer.xml("NextMarker") === null ? null : text(answer.xml("NextMarker")),
	};
}

const bytewise = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

test("ListObjects: order, prefix, delimiter, marker", async () => {
	await made("listed", "private");
	for (const key of KEYS)
		await put("listed", key, key);
	const sorted = [...KEYS].sort(bytewise);
	const whole = await list({});
	assert.deepEqual(read(whole), { keys: sorted, prefixes: [], truncated: false, next: null });
	assert.equal(whole.xml("Name"), "listed");
	assert.equal(whole.xml("MaxKeys"), "100");
	for (const [query, keys, prefixes] of [
		[{ prefix: "b/" }, ["b/", "b/1", "b/2", "b/c/1", "b/c/2", "b/d"], []],
		[{ delimiter: "/" }, ["a", "c", "c&<>\"'", "d d+e%", "z中", "é"], ["b/"]],
		[{ prefix: "b/", delimiter: "/" }, ["b/", "b/1", "b/2", "b/d"], ["b/c/"]],
		[{ prefix: "b", delimiter: "/" }, [], ["b/"]],
		[{ prefix: "b/c", delimiter: "/" }, [], ["b/c/"]],
		[{ marker: "b/2" }, sorted.slice(sorted.indexOf("b/2") + 1), []],
		[{ marker: "b/2", prefix: "b/" }, ["b/c/1", "b/c/2", "b/d"], []],
		[{ marker: "b/", delimiter: "/" }, ["c", "c&<>\"'", "d d+e%", "z中", "é"], []],
		[{ marker: "zz" }, ["z中", "é"].filter(key => bytewise(key, "zz") > 0), []],
		[{ prefix: "nothing" }, [], []],
		[{ prefix: "é" }, ["é"], []],
		[{ delimiter: "中" }, sorted.filter(key => key !== "z中"), ["z中"]],
	]) {
		for (const encoding of [{}, { "encoding-type": "url" }]) {
			const got = read(await list({ ...query, ...encoding }));
			assert.deepEqual([got.keys, got.prefixes], [keys, prefixes], JSON.stringify(query));
		}
	}
	const one = (await list({ prefix: "c&" })).text;
	assert.match(one, /<LastModified>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z<\/LastModified>/);
	assert.ok(one.includes(`<ETag>"${md5("c&<>\"'", "hex").toUpperCase()}"</ETag><Type>Normal</Type>`
		+ "<Size>6</Size><StorageClass>Standard</StorageClass><Owner><ID>"), one);
});

test("ListObjects: page by page gives the same as at once", async () => {
	for (const query of [{}, { delimiter: "/" }, { prefix: "b/", delimiter: "/" }]) {
		const { keys, prefixes } = read(await list(query));
		for (const size of [1, 2, 3]) {
			const collected = { keys: [], prefixes: [] };
			for (let marker = "", pages = 0; marker !== null; pages++) {
				const page = read(await list({ ...query, marker, "max-keys": String(size) }));
				assert.ok(page.keys.length + page.prefixes.length <= size);
				assert.ok(pages < 20, "it ends");
				assert.equal(page.next !== null, page.truncated);
				collected.keys.push(...page.keys);
				collected.prefixes.push(...page.prefixes);
				marker = page.next;
			}
			assert.deepEqual(collected, { keys, prefixes }, `${JSON.stringify(query)} by ${size}`);
		}
	}
});

test("ListObjects: a thousand of the longest names, each byte of them escaped", async () => {
	await made("longest", "private");
	const key = i => String(i).padStart(4, "0") + "&".repeat(1019);
	for (let first = 0; first < 1000; first += 50)
		await Promise.all(Array.from({ length: 50 }, (_, i) => put("longest", key(first + i))));
	const { keys } = read(await request(store, "GET", "longest", "", { query: { "max-keys": "1000" } }));
	assert.equal(keys.length, 1000);
	assert.equal(keys[999], key(999));
});

test("ListObjects: what is refused", async () => {
	for (const query of [{ "max-keys": "0" }, { "max-keys": "1001" }, { "max-keys": "x" },
		{ "max-keys": "-1" }, { "encoding-type": "base64" }, { prefix: "x".repeat(1024) }])
		await refused(list(query), 400, "InvalidArgument");
});

test("a list is exact after each write", async () => {
	for (let i = 0; i < 20; i++) {
		await put("private", `exact/${i % 5}`, String(i));
		if (i % 3 === 0)
			await request(store, "DELETE", "private", `exact/${i % 5}`);
		const listed = (await listObjects(store, "private")).includes(`exact/${i % 5}`);
		assert.equal(listed, i % 3 !== 0);
	}
});

test("a plus in a path is a space, a plus that is meant is written %2B", async () => {
	await put("uploads", "a b", "space");
	await put("uploads", "a+b", "plus");
	await made("uploads", "public-read");
	assert.equal((await send(`${store}/uploads/a+b`)).text, "space");
	assert.equal((await send(`${store}/uploads/a%2Bb`)).text, "plus");
	await made("uploads", "private");
});
