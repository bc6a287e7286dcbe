// SPDX-License-Identifier: Apache-2.0
// How a request names its bucket: host names that stand for one, encoded slashes, and none at all.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { multipart, request, send, signedFieldsV4 } from "../lib/oss.js";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, cleanups, Server, startServer, temporaryFolder } from "../lib/server.js";
import { headersV4, presignV1, target } from "../lib/sign.js";

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all, { env: { POSTERN_STORE_HOSTS: "img.example.com=photos CDN.Example.com=photos,other.localhost=third" } }));
	for (const bucket of ["photos", "third", "other"])
		assert.equal((await request(store, "PUT", bucket, "", { headers: { "x-oss-acl": "public-read" } })).status, 200);
	assert.equal((await request(store, "PUT", "photos", "a/b.txt", { body: "photo" })).status, 200);
	assert.equal((await request(store, "PUT", "third", "k", { body: "third" })).status, 200);
});
after(all.run);

const Host = "img.example.com";

test("a host name that stands for a bucket", async () => {
	for (const name of [Host, "IMG.EXAMPLE.COM", `${Host}:9000`, `${Host}.`, "cdn.example.com"]) {
		const got = await send(`${store}/a/b.txt`, "GET", { Host: name });
		assert.deepEqual([got.status, got.text], [200, "photo"], name);
	}
	assert.equal((await send(`${store}/`, "GET", { Host })).xml("Name"), "photos");
	assert.equal((await send(`${store}/photos/a/b.txt`, "GET", { Host })).xml("Code"), "NoSuchKey", "the path is the key");
	assert.equal((await send(`${store}/k`, "GET", { Host: "other.localhost" })).text, "third", "in front of the domains");
	for (const name of ["x.img.example.com", "example.com", "example.com.img"])
		assert.equal((await send(`${store}/a/b.txt`, "GET", { Host: name })).xml("Code"), "InvalidRequest", name);
});

test("signatures are about the bucket", async () => {
	const date = new Date().toUTCString();
	const sign = (method, resource, type = "") => ({ Host, Date: date, ...type && { "Content-Type": type },
		Authorization: `OSS ${ACCESS_KEY_ID}:${createHmac("sha1", ACCESS_KEY_SECRET)
			.update([method, "", type, date, resource].join("\n")).digest("base64")}` });
	const put = await send(`${store}/dir/x%20y`, "PUT", sign("PUT", "/photos/dir/x y", "text/plain"), "bound");
	assert.equal(put.status, 200, put.text);
	assert.equal((await send(`${store}/dir/x%20y`, "GET", { Host })).text, "bound");
	assert.equal((await send(`${store}/?acl`, "GET", sign("GET", "/photos/?acl"))).xml("Grant"), "public-read");
	assert.equal((await send(`${store}/dir/x%20y`, "GET", sign("GET", "/dir/x y"))).xml("Code"), "SignatureDoesNotMatch");
	const v4 = headersV4({ method: "GET", bucket: "photos", key: "a/b.txt" });
	assert.equal((await send(`${store}/a/b.txt`, "GET", { ...v4, Host })).text, "photo");
	const url = target("photos", "a/b.txt", presignV1({ bucket: "photos", key: "a/b.txt", expires: Math.floor(Date.now() / 1000) + 60 })).replace("/photos", "");
	assert.equal((await send(store + url, "GET", { Host })).text, "photo");
});

test("a form posted to it", async () => {
	const conditions = [{ bucket: "photos" }];
	const { type, body } = multipart({ ...signedFieldsV4("posted", {}, { bucket: "photos", conditions }), success_action_status: "201" },
		{ content: "posted" });
	const got = await send(`${store}/`, "POST", { "Content-Type": type, Host }, body);
	assert.equal(got.status, 201, got.text);
	assert.deepEqual([got.xml("Bucket"), got.xml("Location")], ["photos", `http://${Host}/posted`]);
	assert.equal((await send(`${store}/posted`, "GET", { Host })).text, "posted");
	const info = await send(`${store}/?bucketInfo`, "GET", { Host });
	assert.equal(info.status, 403);
});

test("bindings that cannot be", async t => {
	for (const hosts of ["img.example.com", "img.example.com=", "=photos", "img.example.com=Ph", "img.example.com:80=photos",
		"a.test=photos A.test=third", Array.from({ length: 65 }, (_, i) => `h${i}.test=photos`).join(" ")]) {
		const server = new Server(await temporaryFolder(t), { env: { POSTERN_STORE_HOSTS: hosts } });
		await assert.rejects(server.ready(), /exit status 2[^]*\[store\] hosts: /, hosts);
	}
});

test("an encoded slash ends the name of a bucket", async () => {
	for (const path of ["/photos%2Fa%2Fb.txt", "/photos%2fa/b.txt", "/photos/a%2Fb.txt"])
		assert.equal((await send(store + path)).text, "photo", path);
	assert.equal((await send(`${store}/photos%2F`)).xml("Name"), "photos");
	const date = new Date().toUTCString();
	const signature = createHmac("sha1", ACCESS_KEY_SECRET).update(`PUT\n\n\n${date}\n/photos/of c.txt`).digest("base64");
	const put = await send(`${store}/photos%2Fof%20c.txt`, "PUT", { Date: date, Authorization: `OSS ${ACCESS_KEY_ID}:${signature}` }, "c");
	assert.equal(put.status, 200, put.text);
	assert.equal((await send(`${store}/photos/of%20c.txt`)).text, "c");
	assert.equal((await send(`${store}/photos%252Fa`)).xml("Code"), "InvalidBucketName");
});

test("a request that names no bucket is told so", async () => {
	for (const [method, path] of [["PUT", "/"], ["POST", "/"], ["DELETE", "/"], ["POST", "/?x=y"]]) {
		const got = await send(store + path, method, {}, "");
		assert.deepEqual([got.status, got.xml("Code")], [400, "InvalidBucketName"], got.text);
		assert.match(got.xml("Message"), /names no bucket/);
	}
	assert.equal((await request(store, "GET", "")).status, 200);
});
