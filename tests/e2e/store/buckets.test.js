// SPDX-License-Identifier: Apache-2.0
// The service and its buckets: listing, deleting, information, location, ACLs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { aliClient, refusal, SIGNATURES } from "../lib/ali.js";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/;

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const name of ["b-one", "b-three", "b-two"])
		assert.equal((await request(store, "PUT", name)).status, 200);
});
after(all.run);

const list = (query = {}, options = {}) => request(store, "GET", "", "", { query, ...options });
const names = answer => [...answer.text.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name);
const get = (bucket, sub) => request(store, "GET", bucket, "", { query: { [sub]: "" } });
const putAcl = (bucket, acl) => request(store, "PUT", bucket, "",
	{ query: { acl: "" }, headers: acl === undefined ? {} : { "x-oss-acl": acl } });

function refused(answer, status, code) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.xml("Code"), code, answer.text);
	return answer;
}

test("ListBuckets: everything that clients need, in the order of names", async () => {
	const got = await list();
	assert.equal(got.status, 200, got.text);
	assert.equal(got.headers["content-type"], "application/xml");
	assert.deepEqual(names(got), ["b-one", "b-three", "b-two", "uploads"]);
	assert.equal(got.xml("ID"), "postern");
	assert.equal(got.xml("Location"), "oss-cn-hangzhou");
	assert.equal(got.xml("Region"), "cn-hangzhou");
	assert.match(got.xml("CreationDate"), TIME);
	assert.equal(got.xml("ExtranetEndpoint"), new URL(store).host);
	assert.equal(got.xml("IntranetEndpoint"), new URL(store).host);
	assert.equal(got.xml("StorageClass"), "Standard");
	for (const element of ["Prefix", "Marker", "MaxKeys", "IsTruncated", "NextMarker"])
		assert.equal(got.xml(element), null, `${element} is for answers in parts`);
});

test("ListBuckets: prefix, marker and max-keys", async () => {
	assert.deepEqual(names(await list({ prefix: "b-t" })), ["b-three", "b-two"]);
	assert.deepEqual(names(await list({ marker: "b-one" })), ["b-three", "b-two", "uploads"]);
	assert.deepEqual(names(await list({ prefix: "c" })), []);
	const first = await list({ "prefix": "b-", "marker": "a", "max-keys": "2" });
	assert.deepEqual(names(first), ["b-one", "b-three"]);
	assert.deepEqual(["Prefix", "Marker", "MaxKeys", "IsTruncated", "NextMarker"].map(first.xml),
		["b-", "a", "2", "true", "b-three"]);
	const second = await list({ "prefix": "b-", "marker": first.xml("NextMarker"), "max-keys": "2" });
	assert.deepEqual(names(second), ["b-two"]);
	assert.equal(second.xml("IsTruncated"), null);
	for (const prefix of ["Upper", "a_b", "-", "ü"])
		refused(await list({ prefix }), 400, "InvalidArgument");
	for (const max of ["0", "1001", "x", "-1"])
		refused(await list({ "max-keys": max }), 400, "InvalidArgument");
});

test("ListBuckets is the owner's", async () => {
	refused(await send(`${store}/`), 403, "AccessDenied");
	refused(await list({}, { accessKey: { id: "testaccesskeyid", secret: "wrong" } }), 403,
		"SignatureDoesNotMatch");
	refused(await list({ regionList: "" }), 501, "NotImplemented");
});

test("DeleteBucket: only an empty one, and its name can be used again", async () => {
	await request(store, "PUT", "doomed");
	await request(store, "PUT", "doomed", "k", { body: "old" });
	assert.equal(refused(await request(store, "DELETE", "doomed"), 409, "BucketNotEmpty")
		.xml("BucketName"), "doomed");
	assert.equal((await request(store, "GET", "doomed", "k")).text, "old");
	await request(store, "DELETE", "doomed", "k");
	refused(await send(`${store}/doomed`, "DELETE"), 403, "AccessDenied");
	const gone = await request(store, "DELETE", "doomed");
	assert.equal(gone.status, 204, gone.text);
	assert.equal(gone.text, "");
	refused(await request(store, "GET", "doomed", "k"), 404, "NoSuchBucket");
	assert.equal(refused(await request(store, "DELETE", "doomed"), 404, "NoSuchBucket")
		.xml("BucketName"), "doomed");
	assert.ok(!names(await list()).includes("doomed"));
	await request(store, "PUT", "doomed");
	assert.deepEqual(names(await list({ prefix: "doomed" })), ["doomed"]);
	assert.equal((await request(store, "DELETE", "doomed")).status, 204);
});

test("GetBucketInfo and GetBucketLocation", async () => {
	await putAcl("b-one", "public-read");
	const info = await get("b-one", "bucketInfo");
	assert.equal(info.status, 200, info.text);
	assert.match(info.text, /<BucketInfo><Bucket><Name>b-one<\/Name>/);
	assert.match(info.text, /<Owner><ID>postern<\/ID><DisplayName>postern<\/DisplayName><\/Owner>/);
	assert.match(info.text, /<AccessControlList><Grant>public-read<\/Grant><\/AccessControlList>/);
	assert.match(info.xml("CreationDate"), TIME);
	assert.deepEqual(["Location", "ExtranetEndpoint", "StorageClass", "Comment", "SSEAlgorithm"]
		.map(info.xml), ["oss-cn-hangzhou", new URL(store).host, "Standard", "", "None"]);
	const location = await get("b-one", "location");
	assert.equal(location.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		+ "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>\n");
	for (const sub of ["bucketInfo", "location", "acl"]) {
		refused(await get("nosuchbucket", sub), 404, "NoSuchBucket");
		refused(await send(`${store}/b-one?${sub}`), 403, "AccessDenied");
		refused(await send(`${store}/nosuchbucket?${sub}`), 403, "AccessDenied");
	}
});

test("the endpoints of a bucket leave out its own label", async () => {
	const { bucket } = await aliClient(server).getBucketInfo("b-one");
	assert.equal(bucket.ExtranetEndpoint, "oss-cn-hangzhou.aliyuncs.com");
});

test("PutBucketAcl decides at once, and stays over a change of anything else", async () => {
	await request(store, "PUT", "b-two", "k", { body: "v" });
	const read = async () => (await send(`${store}/b-two/k`)).status;
	const write = async () => (await send(`${store}/b-two/w`, "PUT", {}, "x")).status;
	for (const [acl, reads, writes] of [["public-read", 200, 403], ["public-read-write", 200, 200],
		["private", 403, 403]]) {
		const put = await putAcl("b-two", acl);
		assert.equal(put.status, 200, put.text);
		assert.equal(await read(), reads, acl);
		assert.equal(await write(), writes, acl);
		const got = await get("b-two", "acl");
		assert.match(got.text, /<AccessControlPolicy><Owner><ID>postern<\/ID>/);
		assert.equal(got.xml("Grant"), acl);
	}
	await putAcl("b-two", "public-read");
	await request(store, "PUT", "b-two");
	assert.equal((await get("b-two", "acl")).xml("Grant"), "public-read");
	await putAcl("b-two", "private");
});

test("PutBucketAcl: what is refused changes nothing", async () => {
	await putAcl("b-three", "public-read");
	for (const acl of ["default", "Private", "public-read, private"])
		refused(await putAcl("b-three", acl), 400, "InvalidArgument");
	assert.equal((await putAcl("b-three")).status, 200, "nothing is asked for");
	assert.equal((await putAcl("b-three", "")).status, 200);
	refused(await send(`${store}/b-three?acl`, "PUT", { "x-oss-acl": "public-read-write" }), 403,
		"AccessDenied");
	assert.equal((await get("b-three", "acl")).xml("Grant"), "public-read");
});

test("PutBucketAcl makes a bucket that is missing, and says where it is", async () => {
	const made = await putAcl("b-four", "public-read");
	assert.deepEqual([made.status, made.headers.location], [200, "/b-four"]);
	assert.equal((await get("b-four", "acl")).xml("Grant"), "public-read");
	assert.equal((await putAcl("b-four")).headers.location, "/b-four");
	assert.equal((await get("b-four", "acl")).xml("Grant"), "public-read");
});

test("sixteen requests of one owner make one bucket, and all succeed", async () => {
	const all = await Promise.all(Array.from({ length: 16 }, () => request(store, "PUT", "b-crowd", "", {
		headers: { "x-oss-acl": "public-read" } })));
	assert.deepEqual(all.map(({ status }) => status), Array(16).fill(200));
	assert.equal((await get("b-crowd", "acl")).xml("Grant"), "public-read");
});

test("HeadBucket", async () => {
	await request(store, "PUT", "b-head", "", { headers: { "x-oss-acl": "private" } });
	const got = await request(store, "HEAD", "b-head");
	assert.deepEqual([got.status, got.headers["x-oss-bucket-region"]], [200, "cn-hangzhou"]);
	assert.equal((await request(store, "HEAD", "b-none")).status, 404);
	const stranger = await send(`${store}/b-head`, "HEAD");
	assert.deepEqual([stranger.status, stranger.headers["x-oss-bucket-region"]], [403, undefined]);
	await putAcl("b-head", "public-read");
	assert.equal((await send(`${store}/b-head`, "HEAD")).status, 200);
});

test("PutBucket with a LocationConstraint: the own region, or none", async () => {
	const put = place => request(store, "PUT", "b-place", "", { body:
		`<CreateBucketConfiguration><LocationConstraint>${place}</LocationConstraint></CreateBucketConfiguration>` });
	for (const place of ["oss-cn-beijing", "cn-shanghai", "", "oss-"])
		refused(await put(place), 400, "InvalidLocationConstraint");
	assert.equal((await request(store, "HEAD", "b-place")).status, 404);
	for (const place of ["oss-cn-hangzhou", "cn-hangzhou"])
		assert.equal((await put(place)).status, 200);
});

test("a change of nothing says that no bucket is named", async () => {
	for (const method of ["PUT", "POST", "DELETE"]) {
		const got = refused(await send(`${store}/`, method, {}, ""), 400, "InvalidBucketName");
		assert.match(got.xml("Message"), /names no bucket/);
	}
	for (const [method, query] of [["POST", "delete"], ["PUT", "acl"], ["GET", "cors"], ["DELETE", "lifecycle"]]) {
		const got = refused(await send(`${store}/?${query}`, method, {}, ""), 400, "InvalidBucketName");
		assert.match(got.xml("Message"), /names no bucket/);
	}
	refused(await send(`${store}/?regions`, "GET"), 501, "NotImplemented");
});

test("the configured region is told", async t => {
	const other = await startServer(t, { env: { POSTERN_STORE_REGION: "eu-central-1" } });
	const got = await request(other.store, "GET", "uploads", "", { query: { location: "" } });
	assert.equal(got.xml("LocationConstraint"), "oss-eu-central-1");
});

for (const [version, v4] of SIGNATURES) {
	test(`ali-oss with ${version} manages buckets`, async () => {
		const client = aliClient(server, { v4 });
		const name = `sdk-${version.toLowerCase()}`;
		const made = await client.putBucket(name, { acl: "public-read" });
		assert.equal(made.res.status, 200);
		const { buckets, owner, isTruncated } = await client.listBuckets({ "prefix": "sdk-", "max-keys": 5 });
		assert.deepEqual(buckets.map(({ name: found, region }) => [found, region]), [[name, "oss-cn-hangzhou"]]);
		assert.deepEqual(owner, { id: "postern", displayName: "postern" });
		assert.equal(isTruncated, false);
		const { bucket } = await client.getBucketInfo(name);
		assert.equal(bucket.Name, name);
		assert.equal(bucket.AccessControlList.Grant, "public-read");
		assert.equal((await client.getBucketLocation(name)).location, "oss-cn-hangzhou");
		await client.putBucketACL(name, "private");
		assert.equal((await client.getBucketACL(name)).acl, "private");
		client.useBucket(name);
		await client.put("k", Buffer.from("v"));
		assert.equal(await refusal(client.deleteBucket(name)), "409 BucketNotEmpty");
		await client.delete("k");
		assert.equal((await client.deleteBucket(name)).res.status, 204);
		assert.equal(await refusal(client.getBucketInfo(name)), "404 NoSuchBucket");
	});
}

const creation = kind => ({ body: `<CreateBucketConfiguration><StorageClass>${kind}</StorageClass>`
	+ "</CreateBucketConfiguration>" });

test("a bucket has a storage class, and objects have it that say none", async () => {
	assert.equal((await request(store, "PUT", "b-class", "", creation("IA"))).status, 200);
	assert.equal((await get("b-class", "bucketInfo")).xml("StorageClass"), "IA");
	assert.equal((await list({ prefix: "b-class" })).xml("StorageClass"), "IA");
	const classes = async () => [...(await request(store, "GET", "b-class")).text
		.matchAll(/<StorageClass>(\w+)</g)].map(([, name]) => name);
	await request(store, "PUT", "b-class", "a", { body: "x" });
	await request(store, "PUT", "b-class", "b", { body: "x", headers: { "x-oss-storage-class": "Standard" } });
	await request(store, "PUT", "b-class", "c", { headers: { "x-oss-copy-source": "/b-class/b" } });
	await request(store, "PUT", "b-one", "d", { headers: { "x-oss-copy-source": "/b-class/a" } });
	assert.deepEqual(await classes(), ["IA", "Standard", "IA"]);
	assert.equal((await request(store, "HEAD", "b-class", "a")).headers["x-oss-storage-class"], "IA");
	assert.equal((await request(store, "HEAD", "b-one", "d")).headers["x-oss-storage-class"], "Standard");
	for (const key of ["a", "b", "c"])
		await request(store, "DELETE", "b-class", key);
	await request(store, "DELETE", "b-one", "d");

	assert.equal((await request(store, "PUT", "b-class", "", creation("IA"))).status, 200, "as it is");
	assert.equal((await request(store, "PUT", "b-class")).status, 200, "nothing is asked for");
	refused(await request(store, "PUT", "b-class", "", creation("Standard")), 409, "BucketAlreadyExists");
	refused(await request(store, "PUT", "b-other", "", creation("Cheap")), 400, "InvalidArgument");
	const zones = "\n  <CreateBucketConfiguration><DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>";
	refused(await request(store, "PUT", "b-other", "", { body: zones }), 501, "NotImplemented");
	const local = zones.replace("ZRS", "LRS");
	assert.equal((await request(store, "PUT", "b-class", "", { body: local })).status, 200);
	assert.equal((await request(store, "DELETE", "b-class")).status, 204);
});
