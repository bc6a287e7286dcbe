// SPDX-License-Identifier: Apache-2.0
// Lifecycle over the wire: configurations, and that a rule ends objects and uploads by itself.
// Rules with dates act at once, so that no test has to wait for days.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { getObject, listObjects, request, send } from "../lib/oss.js";
import { cleanups, pause, startServer } from "../lib/server.js";

const BUCKET = "lifecycle-test";
const DAY_MS = 86_400_000;
const midnight = days => `${new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)}T00:00:00.000Z`;

const all = cleanups();
let server, store;
before(async () => {
	server = await startServer(all, { env: { POSTERN_STORE_LIFECYCLE_INTERVAL_SECONDS: "1" } });
	({ store } = server);
	assert.equal((await request(store, "PUT", BUCKET)).status, 200);
});
after(all.run);

const rule = (id, prefix, inside, status = "Enabled") => `<Rule>${id && `<ID>${id}</ID>`}<Prefix>${prefix}</Prefix>`
	+ `<Status>${status}</Status>${inside}</Rule>`;
const configure = (rules, headers = {}) => request(store, "PUT", BUCKET, "", {
	query: { lifecycle: "" }, headers,
	body: `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`,
});
const read = (bucket = BUCKET) => request(store, "GET", bucket, "", { query: { lifecycle: "" } });
const remove = (bucket = BUCKET) => request(store, "DELETE", bucket, "", { query: { lifecycle: "" } });
const days = n => `<Expiration><Days>${n}</Days></Expiration>`;
const put = async (key, body = "x", headers = {}) => assert.equal(
	(await request(store, "PUT", BUCKET, key, { body, headers })).status, 200);

/** Waits until the walk has done something: the tests' time is the server's. */
async function until(holds) {
	const deadline = Date.now() + 30_000;
	while (!await holds()) {
		assert.ok(Date.now() < deadline, "the rule does not act");
		await pause(50);
	}
}

test("configurations are kept, told and deleted", async () => {
	const none = await read();
	assert.equal(none.status, 404);
	assert.equal(none.xml("Code"), "NoSuchLifecycle");
	const rules = [rule("one", "logs/", days(10)),
		rule("two", "tmp/", `<Filter><Not><Prefix>tmp/keep</Prefix></Not></Filter>${days(3)}`
			+ "<AbortMultipartUpload><Days>2</Days></AbortMultipartUpload>"
			+ "<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays></NoncurrentVersionExpiration>"),
		rule("three", "x", `<Tag><Key>k</Key><Value>v</Value></Tag>${days(1)}`, "Disabled")];
	assert.equal((await configure(rules)).status, 200);
	const got = await read();
	assert.equal(got.status, 200);
	assert.equal(got.headers["content-type"], "application/xml");
	assert.ok(got.text.endsWith(`<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`), got.text);
	assert.equal((await remove()).status, 204);
	assert.equal((await remove()).status, 204);
	assert.equal((await read()).xml("Code"), "NoSuchLifecycle");
	assert.equal((await configure([rule("", "a", days(1)), rule("", "b", days(1))])).status, 200);
	const ids = [...(await read()).text.matchAll(/<ID>([^<]+)<\/ID>/g)].map(([, id]) => id);
	assert.equal(new Set(ids).size, 2, "rules without an ID get one");
});

test("configurations that are wrong are refused, and the old one stays", async () => {
	await configure([rule("good", "good/", days(1))]);
	const transition = "<Transition><Days>1</Days><StorageClass>IA</StorageClass></Transition>";
	for (const [rules, status, code] of [
		[[], 400, "MalformedXML"],
		[["<Rule>"], 400, "MalformedXML"],
		[[rule("a", "", "")], 400, "MalformedXML"],
		[[rule("a", "", days(0))], 400, "InvalidArgument"],
		[[rule("a", "x", days(1)), rule("a", "y", days(1))], 400, "InvalidArgument"],
		[[rule("a", "x", days(1)), rule("b", "xy", days(1))], 400, "InvalidRequest"],
		[[rule("a", "", transition + days(3))], 501, "NotImplemented"],
	]) {
		const got = await configure(rules);
		assert.equal(got.status, status, got.text);
		assert.equal(got.xml("Code"), code, got.text);
	}
	const digest = createHash("md5").update("else").digest("base64");
	assert.equal((await configure([rule("a", "", days(1))], { "Content-MD5": digest })).xml("Code"), "InvalidDigest");
	assert.equal((await read()).xml("ID"), "good");
	const overlap = [rule("a", "x", days(1)), rule("b", "xy", days(2))];
	assert.equal((await configure(overlap, { "x-oss-allow-same-action-overlap": "true" })).status, 200);
});

test("objects end by themselves, and no others", async () => {
	await remove();
	for (const key of ["old/a", "old/b/c", "old/keep/a", "other", "date/a", "date/big"])
		await put(key, key.endsWith("big") ? "x".repeat(100) : "x");
	await put("old/tagged", "x", { "x-oss-tagging": "keep=yes" });
	const before = `<Expiration><CreatedBeforeDate>${midnight(2)}</CreatedBeforeDate></Expiration>`;
	const not = "<Filter><Not><Prefix>old/keep/</Prefix></Not></Filter>";
	assert.equal((await configure([
		rule("before", "old/", `<Tag><Key>keep</Key><Value>yes</Value></Tag>${before}`),
		rule("date", "date/", "<Filter><ObjectSizeLessThan>50</ObjectSizeLessThan></Filter>"
			+ `<Expiration><Date>${midnight(-3)}</Date></Expiration>`),
	])).status, 200);
	await until(async () => (await listObjects(store, BUCKET)).length === 5);
	assert.deepEqual(await listObjects(store, BUCKET), ["date/big", "old/a", "old/b/c", "old/keep/a", "other"]);
	assert.equal((await configure([rule("before", "old/", not + before)])).status, 200);
	await until(async () => (await listObjects(store, BUCKET)).length === 3);
	assert.deepEqual(await listObjects(store, BUCKET), ["date/big", "old/keep/a", "other"]);
	await server.logged(/lifecycle of bucket lifecycle-test: 2 objects/);
});

test("what a rule is not for yet stays", async () => {
	await remove();
	await put("young/a");
	await put("zz/a");
	const before = days => `<Expiration><CreatedBeforeDate>${midnight(days)}</CreatedBeforeDate></Expiration>`;
	assert.equal((await configure([rule("a", "young/", before(0)), rule("b", "zz/", before(2)),
		rule("c", "young/b", `<Expiration><Date>${midnight(2)}</Date></Expiration>`)],
	{ "x-oss-allow-same-action-overlap": "true" })).status, 200);
	await until(async () => await getObject(store, "zz/a", BUCKET) === null);
	assert.notEqual(await getObject(store, "young/a", BUCKET), null);
	assert.equal((await configure([rule("off", "young/", before(2), "Disabled"), rule("b", "zz/", before(2))])).status, 200);
	await put("zz/b");
	await until(async () => await getObject(store, "zz/b", BUCKET) === null);
	assert.notEqual(await getObject(store, "young/a", BUCKET), null);
});

test("GET and HEAD tell when an object will end", async () => {
	await remove();
	await put("told/a");
	assert.equal((await configure([rule("r 1", "told/", days(3)), rule("later", "", days(9))],
		{ "x-oss-allow-same-action-overlap": "true" })).status, 200);
	for (const method of ["GET", "HEAD"]) {
		const got = await request(store, method, BUCKET, "told/a");
		const [, date, id] = /^expiry-date="([^"]+)", rule-id="([^"]+)"$/.exec(got.headers["x-oss-expiration"]);
		assert.equal(id, "r%201");
		const modified = Date.parse(got.headers["last-modified"]);
		const whole = Math.ceil((modified + 3 * DAY_MS) / DAY_MS) * DAY_MS;
		assert.equal(Date.parse(date), whole, "the midnight after so many days");
	}
	await configure([rule("elsewhere", "x", days(3))]);
	assert.equal((await request(store, "GET", BUCKET, "told/a")).headers["x-oss-expiration"], undefined);
});

test("uploads in parts that were left are aborted", async () => {
	await remove();
	const begin = async key => (await request(store, "POST", BUCKET, key, { query: { uploads: "" } })).xml("UploadId");
	const state = (key, uploadId) => request(store, "GET", BUCKET, key, { query: { uploadId } });
	const left = await begin("up/a");
	const other = await begin("elsewhere");
	assert.ok(left && other);
	await put("up/object");
	assert.equal((await configure([rule("a", "up/",
		`<AbortMultipartUpload><CreatedBeforeDate>${midnight(2)}</CreatedBeforeDate></AbortMultipartUpload>`)])).status, 200);
	await until(async () => (await state("up/a", left)).status === 404);
	assert.equal((await state("up/a", left)).xml("Code"), "NoSuchUpload");
	assert.equal((await state("elsewhere", other)).status, 200);
	assert.notEqual(await getObject(store, "up/object", BUCKET), null);
});

test("in a bucket that keeps versions, objects end under a marker, and a marker that is alone ends", async () => {
	const bucket = "lifecycle-versions";
	const ask = (method, key, query = {}, body = undefined) => request(store, method, bucket, key, { query, body });
	await request(store, "PUT", bucket);
	const enabled = await ask("PUT", "", { versioning: "" },
		"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
	assert.equal(enabled.status, 200, enabled.text);
	const old = (await ask("PUT", "ends/a", {}, "x")).headers["x-oss-version-id"];
	const alone = (await ask("DELETE", "marker/a")).headers["x-oss-version-id"];
	await ask("PUT", "marker/b", {}, "x");
	const covering = (await ask("DELETE", "marker/b")).headers["x-oss-version-id"];
	const state = async (key, versionId) => (await ask("HEAD", key, { versionId })).status;
	assert.deepEqual([await state("ends/a", old), await state("marker/a", alone)], [200, 405]);
	const rules = rule("a", "ends/", `<Expiration><Date>${midnight(-3)}</Date></Expiration>`)
		+ rule("b", "marker/", "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>");
	assert.equal((await ask("PUT", "", { lifecycle: "" },
		`<LifecycleConfiguration>${rules}</LifecycleConfiguration>`)).status, 200);
	await until(async () => await state("marker/a", alone) === 404);
	assert.equal((await ask("GET", "ends/a")).headers["x-oss-delete-marker"], "true");
	assert.equal(await state("ends/a", old), 200, "the version is kept");
	assert.equal(await state("marker/b", covering), 405, "a marker that covers a version stays");
});

test("only the owner may see or change them, in a bucket that there is", async () => {
	for (const method of ["GET", "PUT", "DELETE"]) {
		const body = method === "PUT" ? `<LifecycleConfiguration>${rule("a", "", days(1))}</LifecycleConfiguration>` : undefined;
		assert.equal((await send(`${store}/${BUCKET}?lifecycle`, method, {}, body)).status, 403);
		const nowhere = await request(store, method, "lifecycle-nowhere", "", { query: { lifecycle: "" }, body });
		assert.equal(nowhere.xml("Code"), "NoSuchBucket", method);
	}
});
