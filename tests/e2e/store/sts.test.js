// SPDX-License-Identifier: Apache-2.0
// Temporary keys: AssumeRole on the operations port, and what can be done with what it gives.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { aliClient, refusal, SIGNATURES } from "../lib/ali.js";
import { getObject, postForm, request, send, signedFieldsV1, signedFieldsV4 } from "../lib/oss.js";
import { BIN, cleanups, notOnCeph, pause, startServer, temporaryFolder } from "../lib/server.js";
import { headersV4, presignV1, presignV4, target } from "../lib/sign.js";
import { allow, assumeRole, callSts, ROLE, signedParams } from "../lib/sts.js";
import { play } from "../lib/wire.js";

const all = cleanups();
let server;
let store;
before(async () => {
	server = await startServer(all);
	({ store } = server);
	for (const key of ["dir/a", "dir/b", "other/a"])
		await aliClient(server).put(key, Buffer.from(key));
});
after(all.run);

const client = (key, more = {}) => aliClient(server, {
	accessKeyId: key.id, accessKeySecret: key.secret, stsToken: key.token, ...more,
});
const withToken = (key, options = {}) => ({
	...options, accessKey: key, headers: { ...options.headers, "x-oss-security-token": key.token },
});

test("AssumeRole answers in JSON and in XML as the real one does", async () => {
	const before = Date.now();
	const json = await callSts(server, { DurationSeconds: "1000" });
	assert.equal(json.status, 200);
	assert.match(json.headers["content-type"], /^application\/json/);
	assert.equal(json.headers["cache-control"], "no-store");
	const answer = JSON.parse(json.text);
	assert.deepEqual(Object.keys(answer).sort(), ["AssumedRoleUser", "Credentials", "RequestId"]);
	assert.match(answer.RequestId, /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
	assert.equal(answer.AssumedRoleUser.Arn, `${ROLE}/session`);
	assert.match(answer.AssumedRoleUser.AssumedRoleId, /^\d{18}:session$/);
	const { AccessKeyId, AccessKeySecret, SecurityToken, Expiration } = answer.Credentials;
	assert.match(AccessKeyId, /^STS\.[0-9A-Za-z]{24}$/);
	assert.match(AccessKeySecret, /^[0-9A-Za-z]{44}$/);
	assert.ok(SecurityToken.length > 100);
	assert.match(Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	const life = Date.parse(Expiration) - before;
	assert.ok(life > 998_000 && life < 1_060_000, `${life} ms`);

	const xml = await callSts(server, { Format: undefined }, { method: "GET", path: "/sts" });
	assert.equal(xml.status, 200);
	assert.match(xml.headers["content-type"], /^text\/xml/);
	assert.match(xml.text, /<AssumeRoleResponse><RequestId>/);
	assert.match(xml.xml("AccessKeyId"), /^STS\./);
	assert.equal(xml.xml("Arn"), `${ROLE}/session`);
	for (const method of ["GET", "POST"])
		assert.equal((await send(`${server.console}/?${signedParams(server.key, method)}`, method)).status, 200);
	assert.match((await send(`${server.console}/`)).headers["content-type"], /^text\/html/);
	assert.ok(!server.log.includes(AccessKeySecret) && !server.log.includes(SecurityToken));
});

const REFUSALS = [
	["no action", { Action: undefined }, 400, "MissingAction"],
	["another action", { Action: "GetCallerIdentity" }, 404, "InvalidAction.NotFound"],
	["another version", { Version: "2014-01-01" }, 400, "InvalidVersion"],
	["a parameter that is not known", { ExternalId: "x" }, 400, "InvalidParameter"],
	["no key", { AccessKeyId: undefined }, 400, "MissingAccessKeyId"],
	["another key", { AccessKeyId: "nobody" }, 404, "InvalidAccessKeyId.NotFound"],
	["a temporary key without token", { AccessKeyId: "STS.x" }, 400, "MissingSecurityToken"],
	["a temporary key", { AccessKeyId: "STS.x", SecurityToken: "x" }, 403, "NoPermission"],
	["another method", { SignatureMethod: "HMAC-SHA256" }, 400, "InvalidParameter.SignatureMethod"],
	["no signature", { Signature: "" }, 400, "MissingSignature"],
	["a wrong signature", { Signature: "AAAA" }, 400, "SignatureDoesNotMatch"],
	["no time", { Timestamp: undefined }, 400, "MissingTimestamp"],
	["no time at all", { Timestamp: "now" }, 400, "InvalidTimeStamp.Format"],
	["an old time", { Timestamp: "2020-01-01T00:00:00Z" }, 400, "InvalidTimeStamp.Expired"],
	["no nonce", { SignatureNonce: undefined }, 400, "MissingSignatureNonce"],
	["no role", { RoleArn: undefined }, 400, "MissingRoleArn"],
	["a role of no account", { RoleArn: "acs:ram::x:role/a" }, 400, "InvalidParameter.RoleArn"],
	["a role without a name", { RoleArn: "acs:ram::1:role/" }, 400, "InvalidParameter.RoleArn"],
	["a short session name", { RoleSessionName: "a" }, 400, "InvalidParameter.RoleSessionName"],
	["a session name of signs", { RoleSessionName: "a b" }, 400, "InvalidParameter.RoleSessionName"],
	["too short a time", { DurationSeconds: "899" }, 400, "InvalidParameter.DurationSeconds"],
	["too long a time", { DurationSeconds: "3601" }, 400, "InvalidParameter.DurationSeconds"],
	["no number", { DurationSeconds: "1h" }, 400, "InvalidParameter.DurationSeconds"],
	["a policy that is none", { Policy: "{}" }, 400, "InvalidParameter.PolicyGrammar"],
	["an empty policy", { Policy: "" }, 400, "InvalidParameter.PolicyGrammar"],
	["a long policy", { Policy: " ".repeat(2049) }, 400, "InvalidParameter.PolicySize"],
	["a format that is not known", { Format: "YAML" }, 400, "InvalidParameter.Format"],
];

test("AssumeRole refuses with the real codes", async t => {
	for (const [name, params, status, code] of REFUSALS) {
		await t.test(name, async () => {
			const answer = await callSts(server, { Format: "XML", ...params });
			assert.equal(answer.status, status);
			assert.equal(answer.xml("Code"), code);
			assert.ok(answer.xml("Message") && answer.xml("RequestId") && answer.xml("HostId"));
		});
	}
	const answer = JSON.parse((await callSts(server, { Signature: "AAAA" })).text);
	assert.match(answer.Message, /server string to sign is:POST&%2F&AccessKeyId%3D/);
	assert.equal((await send(`${server.console}/sts/`, "DELETE")).status, 405);
	assert.equal((await send(`${server.console}/sts/`, "POST", { "Content-Type": "text/plain" }, "a=b")).status, 415);
	await play(server.console, { // before all of it has come
		send: "POST /sts/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			+ `Content-Length: 1000000\r\n\r\na=${"b".repeat(40_000)}`,
		answers: [{ status: 413, body: /<Code>RequestEntityTooLarge</ }],
	});
	assert.equal((await send(`${server.console}/sts/?a=1&a=2`)).xml("Code"), "InvalidParameter");
});

test("a call is answered once", async () => {
	const nonce = { SignatureNonce: "the same", Timestamp: new Date().toISOString() };
	assert.equal((await callSts(server, nonce)).status, 200);
	assert.equal(JSON.parse((await callSts(server, nonce)).text).Code, "SignatureNonceUsed");
	assert.equal((await callSts(server, { SignatureNonce: "another" })).status, 200);
});

for (const [name, v4] of SIGNATURES) {
	test(`ali-oss with a temporary key, ${name}: reads, writes, lists, deletes, signs URLs`, async () => {
		const oss = client(await assumeRole(server), { authorizationV4: v4, sldEnable: true,
			endpoint: store.replace("127.0.0.1", "localhost") });
		await oss.put(`made/${name}`, Buffer.from("temporary"));
		assert.equal((await oss.get(`made/${name}`)).content.toString(), "temporary");
		const list = await oss.listV2({ prefix: "made/" });
		assert.ok(list.objects.some(object => object.name === `made/${name}`));
		assert.ok((await oss.listBuckets()).buckets.length > 0);
		const url = v4 ? await oss.signatureUrlV4("GET", 60, {}, `made/${name}`)
			: oss.signatureUrl(`made/${name}`, { expires: 60 });
		assert.match(url, /security-token=/);
		assert.equal((await send(url)).text, "temporary");
		await oss.delete(`made/${name}`);
	});

	test(`a policy narrows a temporary key, ${name}`, async () => {
		const policy = allow(["oss:GetObject", "oss:PutObject"], ["acs:oss:*:*:uploads/dir/*"]);
		const oss = client(await assumeRole(server, policy), { authorizationV4: v4 });
		await oss.put("dir/new", Buffer.from("new"));
		assert.equal((await oss.get("dir/a")).content.toString(), "dir/a");
		await oss.head("dir/a");
		await oss.copy("dir/copy", "dir/a");
		assert.equal(await refusal(oss.get("other/a")), "403 AccessDenied");
		assert.equal(await refusal(oss.get("other/none")), "403 AccessDenied");
		assert.equal(await refusal(oss.put("other/a", Buffer.from("x"))), "403 AccessDenied");
		assert.equal(await refusal(oss.copy("dir/stolen", "other/a")), "403 AccessDenied");
		assert.equal(await refusal(oss.delete("dir/a")), "403 AccessDenied");
		assert.equal(await refusal(oss.deleteMulti(["dir/a"])), "403 AccessDenied");
		assert.equal(await refusal(oss.list()), "403 AccessDenied");
		assert.equal(await refusal(oss.listBuckets()), "403 AccessDenied");
		assert.equal(await refusal(oss.getACL("dir/a")), "403 AccessDenied");
		assert.equal(await refusal(oss.putBucketACL("uploads", "public-read")), "403 AccessDenied");
		assert.equal((await getObject(store, "dir/a")).toString(), "dir/a");
		assert.equal((await getObject(store, "other/a")).toString(), "other/a");
		assert.equal(await getObject(store, "dir/stolen"), null);
	});
}

test("a refusal says what was not allowed", async () => {
	const key = await assumeRole(server, allow("oss:GetObject", "*"));
	const put = await request(store, "PUT", "uploads", "dir/<a>", withToken(key, { body: "x" }));
	assert.equal(put.status, 403);
	assert.equal(put.xml("Code"), "AccessDenied");
	assert.equal(put.xml("Message"), "The policy of the security token does not allow "
		+ "oss:PutObject on acs:oss:*:*:uploads/dir/&lt;a&gt;.");
});

test("DeleteMultipleObjects needs every key to be allowed, and deletes none otherwise", async () => {
	for (const key of ["gone/a", "gone/b", "stays/a"])
		await aliClient(server).put(key, Buffer.from(key));
	const oss = client(await assumeRole(server, allow("oss:DeleteObject", "acs:oss:*:*:uploads/gone/*")));
	assert.equal(await refusal(oss.deleteMulti(["gone/a", "stays/a"])), "403 AccessDenied");
	assert.equal((await getObject(store, "gone/a")).toString(), "gone/a");
	await oss.deleteMulti(["gone/a", "gone/b"]);
	assert.equal(await getObject(store, "gone/a"), null);
	assert.equal((await getObject(store, "stays/a")).toString(), "stays/a");
});

test("an object is written with tags by who may tag it", async () => {
	const headers = { "x-oss-tagging": "a=b" };
	for (const [actions, wanted] of [["oss:PutObject", 403], ["oss:PutObject*", 200]]) {
		const key = await assumeRole(server, allow(actions, "*"));
		const put = await request(store, "PUT", "uploads", "tagged", withToken(key, { headers, body: "x" }));
		assert.equal(put.status, wanted, put.text);
		assert.equal(put.xml("Message"), wanted === 200 ? null : "The policy of the security token does not "
			+ "allow oss:PutObjectTagging on acs:oss:*:*:uploads/tagged.");
	}
});

test("versions have actions of their own", async () => {
	const objects = allow(["oss:GetObject", "oss:DeleteObject"], "*");
	const both = allow(["oss:GetObject*", "oss:DeleteObject*"], "*");
	const body = "<Delete><Object><Key>version/a</Key><VersionId>null</VersionId></Object></Delete>";
	const headers = { "Content-MD5": createHash("md5").update(body).digest("base64") };
	for (const [policy, wanted] of [[objects, 403], [both, 200]]) {
		await aliClient(server).put("version/a", Buffer.from("x"));
		const key = await assumeRole(server, policy);
		const get = await request(store, "GET", "uploads", "version/a", withToken(key, { query: { versionId: "null" } }));
		assert.equal(get.status, wanted, get.text);
		const del = await request(store, "POST", "uploads", "", withToken(key, { query: { delete: "" }, headers, body }));
		assert.equal(del.status, wanted, del.text);
		if (wanted === 403)
			assert.match(del.xml("Message"), /oss:DeleteObjectVersion on acs:oss:\*:\*:uploads\/version\/a\./);
	}
	assert.equal(await getObject(store, "version/a"), null);
});

test("who may read a link may not yet read what it points to", async () => {
	await request(store, "PUT", "uploads", "dir/link", { query: { symlink: "" },
		headers: { "x-oss-symlink-target": "other/a" } });
	const narrow = await assumeRole(server, allow("oss:GetObject", "acs:oss:*:*:uploads/dir/*"));
	const wide = await assumeRole(server, allow("oss:GetObject", "acs:oss:*:*:uploads/*"));
	assert.equal((await request(store, "GET", "uploads", "dir/link", withToken(wide))).text, "other/a");
	const refused = await request(store, "GET", "uploads", "dir/link", withToken(narrow));
	assert.equal(refused.xml("Code"), "AccessDenied");
	assert.match(refused.xml("Message"), /uploads\/other\/a/);
});

test("a denial wins over what is allowed", async () => {
	const policy = allow("oss:*", "*");
	policy.Statement.push({ Effect: "Deny", Action: "oss:GetObject", Resource: "acs:oss:*:*:uploads/other/?" });
	const oss = client(await assumeRole(server, policy));
	assert.equal((await oss.get("dir/a")).res.status, 200);
	assert.equal(await refusal(oss.get("other/a")), "403 AccessDenied");
	assert.equal((await oss.list()).res.status, 200);
});

test("presigned URLs, V1 and V4, need the token", async () => {
	const key = await assumeRole(server, allow("oss:GetObject", "acs:oss:*:*:uploads/dir/*"));
	const expires = Math.floor(Date.now() / 1000) + 60;
	const v1 = (name, token = key.token) => send(store + target("uploads", name, presignV1({ bucket: "uploads",
		key: name, subresources: { "security-token": token }, expires, accessKey: key })));
	const v4 = (name, token = key.token) => send(store + target("uploads", name, presignV4({ bucket: "uploads",
		key: name, query: { "x-oss-security-token": token }, accessKey: key })));
	for (const get of [v1, v4]) {
		assert.equal((await get("dir/a")).text, "dir/a");
		assert.equal((await get("other/a")).xml("Code"), "AccessDenied");
		assert.equal((await get("dir/a", "AAAA")).xml("Code"), "InvalidSecurityToken");
	}
	const bare = presignV4({ bucket: "uploads", key: "dir/a", accessKey: key });
	assert.equal((await send(store + target("uploads", "dir/a", bare))).xml("Code"), "InvalidAccessKeyId");
});

test("a token is for its own key, unchanged", async () => {
	const [one, two] = [await assumeRole(server), await assumeRole(server)];
	const get = async key => {
		const answer = await request(store, "GET", "uploads", "dir/a", withToken(key));
		return answer.status === 200 ? "fine" : answer.xml("Code");
	};
	assert.equal(await get(one), "fine");
	assert.equal(await get({ ...one, token: two.token }), "InvalidSecurityToken");
	assert.equal(await get({ ...server.key, token: one.token }), "InvalidAccessKeyId");
	assert.equal(await get({ ...one, secret: two.secret }), "SignatureDoesNotMatch");
	const at = one.token.length >> 1;
	const changed = one.token.slice(0, at) + (one.token[at] === "A" ? "B" : "A") + one.token.slice(at + 1);
	assert.equal(await get({ ...one, token: changed }), "InvalidSecurityToken");
	assert.equal((await request(store, "GET", "uploads", "dir/a", { accessKey: one })).xml("Code"),
		"InvalidAccessKeyId");
	const v4 = headersV4({ method: "GET", bucket: "uploads", key: "dir/a", accessKey: one,
		headers: { "x-oss-security-token": one.token } });
	assert.equal((await send(store + target("uploads", "dir/a", {}), "GET", v4)).status, 200);
});

test("PostObject with a token, V1 and V4", async () => {
	const key = await assumeRole(server, allow("oss:PutObject", "acs:oss:*:*:uploads/form/*"));
	const token = { "x-oss-security-token": key.token };
	const forms = {
		v1: name => signedFieldsV1(name, token, { accessKey: key }),
		v4: name => signedFieldsV4(name, token, { accessKey: key, conditions: [token] }),
	};
	for (const [version, fields] of Object.entries(forms)) {
		const good = await postForm(store, fields(`form/${version}`), { content: version });
		assert.equal(good.status, 204, good.text);
		assert.equal((await getObject(store, `form/${version}`)).toString(), version);
		const elsewhere = await postForm(store, fields(`other/${version}`), { content: version });
		assert.equal(elsewhere.xml("Code"), "AccessDenied");
		assert.match(elsewhere.xml("Message"), /oss:PutObject on acs:oss:\*:\*:uploads\/other\//);
		assert.equal(await getObject(store, `other/${version}`), null);
		const { "x-oss-security-token": _, ...bare } = fields(`form/${version}`);
		assert.equal((await postForm(store, bare, { content: version })).xml("Code"), "InvalidAccessKeyId");
		const wrong = { ...fields(`form/${version}`), "x-oss-security-token": "AAAA" };
		assert.equal((await postForm(store, wrong, { content: version })).xml("Code"), "InvalidSecurityToken");
	}
});

test("a token outlives a restart, and ends with the key it was made with", { skip: notOnCeph, timeout: 120_000 }, async t => {
	const data = await temporaryFolder(t);
	const first = await startServer(t, { command: "store", data });
	const key = await assumeRole(first);
	await request(first.store, "PUT", "bucket");
	await first.stop();
	const second = await startServer(t, { command: "store", data });
	const list = async () => {
		const answer = await request(second.store, "GET", "bucket", "", withToken(key));
		return answer.status === 200 ? "fine" : answer.xml("Code");
	};
	const keys = (...args) => assert.equal(spawnSync(BIN, ["keys", ...args, "--data", data]).status, 0);
	// They are also read again now and then, so a line of the log does not say which of them it was.
	const becomes = async wanted => {
		second.signal("SIGHUP");
		while (await list() !== wanted)
			await pause(20);
	};
	assert.equal(await list(), "fine");
	keys("add", "--id", "another");
	keys("disable", first.key.id);
	await becomes("InvalidAccessKeyId");
	keys("enable", first.key.id);
	await becomes("fine");
});
