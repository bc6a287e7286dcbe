// SPDX-License-Identifier: Apache-2.0
// `postern sign` and `postern verify`, as a person at a shell uses them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

const BIN = resolve(process.env.POSTERN_BIN ?? "build/postern");
const folder = mkdtempSync(join(tmpdir(), "postern-commands-"));
after(() => rmSync(folder, { recursive: true }));

const ALIBABA_KEY = join(folder, "key.pem");
writeFileSync(ALIBABA_KEY, `-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs
C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==
-----END PUBLIC KEY-----
`);

function run(args, { input = "", env = {} } = {}) {
	const done = spawnSync(BIN, args, {
		input,
		encoding: "utf8",
		env: {
			...process.env, POSTERN_ACCESS_KEY_ID: "AKI",
			POSTERN_ACCESS_KEY_SECRET: "secret", ...env,
		},
	});
	return { status: done.status, out: done.stdout, err: done.stderr };
}

function verify(url, authorization, body) {
	return run(["verify", "--key", ALIBABA_KEY, "--url", url, "--authorization", authorization,
		"--body", "-"], { input: body });
}

// Callbacks that Alibaba Cloud has signed.
const GENUINE = [
	["/index.php?id=1&index=2", "bucket=yonghu-test",
		"kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA=="],
	["/", "filename=.snappython.png&size=6014&mimeType=image%2Fpng&height=221&width=396",
		"fsNxFF0wNOpC0YMNAoFb//a8x6v2lI1ih7kXIh3nFUDALgku9bhC+cWQsnxuCo88vahKtBUmnDI6k1PofggA4g=="],
	["/api/v3/callback/oss/TnXx5E5VyfJUyM1UdkdDu1rtnJ34EbmH",
		'{"name":"2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg","source_name":'
		+ '"1/1_hFRtDLgM_2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg","size":114020,'
		+ '"pic_info":"810,539"}',
		"e5LwzwTkP9AFAItT4YzvdJOHd0Y0wqTMWhsV/h5SG90JYGAmMd+8LQyj96R+9qUfJWjMt6suuUh7LaOryR87Dw=="],
	["/api/osscallguanfanback?authid=4af091d4-c5c9-4e18-bbdc-2fe489f4887f",
		"filename=test%2Fcaipu%2F5%2Fa%2F2%2F5aa308723660421a560fcc062d745502.jpg&size=10606"
		+ "&mimeType=image%2Fjpeg&height=400&width=650",
		"WxTga53k31TD59o6JF1jh9zcrInTDlfodb0OgQuzlO5Qaf18NxcqxlcpU4gMuhUrQ0lTmWrXji8gFVTKIc9JJQ=="],
	["/api/AliYunOssCallback",
		"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278"
		+ "&width=200",
		"HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ=="],
	["/api/any",
		'filename="local/var/www/zhuye.png"&size=5385&mimeType="application/octet-stream"'
		+ "&height=256&width=256",
		"E6i//T0rnM/xu4wQjnKODWSYsyQdR2e8KIreuRihpBQzoy70q7KmdvrIR3vxNGi8OdCswE+QOfPt+O3PvA5NMA=="],
	["/temp/oss/index.php",
		'{"mimeType":"image/png", "size":1081151, "filename",'
		+ '"ipa/demo/4c7ccb26-8495-4f46-be10-df2b3296b7f6.png", "bucket":"oss-mixmedia-com"}',
		"MEV0a4eDF4hqB2W1b7Xm9fj8N9NmGHmgKThpMJqFOf+qFoLJsy5AolGPYL/nQqvNhDQQ3MV74/VJT9p0iOg6ng=="],
];

test("verify accepts what Alibaba Cloud has signed, and nothing near it", () => {
	for (const [url, body, signature] of GENUINE) {
		assert.deepEqual(verify(url, signature, body), { status: 0, out: "authentic\n", err: "" });
		assert.equal(verify(`http://app.example:8888${url}`, signature, body).status, 0);
		assert.equal(verify(url, signature, body.replace("e", "f")).status, 1, url);
		assert.equal(verify(url, `A${signature.slice(1)}`, body).status, 1, url);
	}
	const [, body, signature] = GENUINE[2];
	assert.equal(verify(GENUINE[2][0], signature.replace(/^e5/, "e3"), body).status, 1);
});

test("verify says what happened to a callback on its way", () => {
	const [url, body, signature] = GENUINE[0];
	const prefixed = verify(`/proxy${url}`, signature, body);
	assert.equal(prefixed.status, 1);
	assert.match(prefixed.out, /^not authentic\n.*verifies if the path/s);
	const cut = verify("/index.php", signature, body);
	assert.equal(cut.status, 1);
	const line = verify(url, signature, `${body}\n`);
	assert.match(line.out, /line end/);
});

test("verify tells a mistake in the command from a bad callback", () => {
	const [url, body, signature] = GENUINE[0];
	const withKey = key => ["verify", "--key", key, "--url", url, "--authorization", signature,
		"--body", "-"];
	const full = withKey(ALIBABA_KEY);
	assert.equal(run(["verify"]).status, 2);
	assert.equal(run([...full, "--nonsense"], { input: body }).status, 2);
	assert.equal(run([...full, "more"], { input: body }).status, 2);
	const missing = run(withKey(join(folder, "missing.pem")), { input: body });
	assert.equal(missing.status, 2);
	assert.match(missing.err, /missing\.pem: No such file/);
	const text = join(folder, "text");
	writeFileSync(text, "no key");
	assert.match(run(withKey(text), { input: body }).err, /not an RSA public key/);
	const help = run(["verify", "--help"]);
	assert.equal(help.status, 0);
	assert.match(help.out, /Usage: postern verify/);
});

test("sign makes a form with the limits it is given", () => {
	const got = run(["sign", "--bucket", "uploads", "--prefix", 'a"b/', "--max-size", "10",
		"--types", "image/png,image/gif", "--expire", "60", "--signature", "v1"]);
	assert.equal(got.status, 0, got.err);
	const { fields, expires } = JSON.parse(got.out);
	assert.ok(Math.abs(expires - Date.now() / 1000 - 60) < 10);
	assert.equal(fields.OSSAccessKeyId, "AKI");
	const signature = Object.entries(fields).find(([name]) => /^signature$/i.test(name))[1];
	assert.equal(signature, createHmac("sha1", "secret").update(fields.policy).digest("base64"));
	const { conditions } = JSON.parse(Buffer.from(fields.policy, "base64"));
	const text = JSON.stringify(conditions);
	assert.ok(text.includes('{"bucket":"uploads"}'), text);
	assert.ok(text.includes('["starts-with","$key","a\\"b/"]'), text);
	assert.ok(text.includes('["content-length-range",0,10]'), text);
	assert.ok(text.includes('["in","$content-type",["image/png","image/gif"]]'), text);
});

test("sign binds a callback, and takes the secret from a file", () => {
	const secret = join(folder, "secret");
	writeFileSync(secret, "another\n");
	const callback = '{"callbackUrl":"http://a.example/","callbackBody":"x=${object}"}';
	const got = run(["sign", "--bucket", "uploads", "--key", "one", "--callback", "-", "--secret-file",
		secret, "--signature", "v1"], { input: callback, env: { POSTERN_ACCESS_KEY_SECRET: "" } });
	assert.equal(got.status, 0, got.err);
	const { fields } = JSON.parse(got.out);
	assert.equal(Buffer.from(fields.callback, "base64").toString(), callback);
	assert.equal(fields.key, "one");
	const { conditions } = JSON.parse(Buffer.from(fields.policy, "base64"));
	assert.ok(JSON.stringify(conditions).includes(fields.callback));
	const signature = Object.entries(fields).find(([name]) => /^signature$/i.test(name))[1];
	assert.equal(signature, createHmac("sha1", "another").update(fields.policy).digest("base64"));
});

test("sign prints the policy alone, and refuses what contradicts itself", () => {
	const sign = (...args) => run(["sign", "--bucket", "uploads", ...args]);
	const policy = JSON.parse(sign("--policy").out);
	assert.ok(policy.expiration && policy.conditions);
	for (const [args, why] of [
		[["--prefix", "a", "--key", "b"], /--key and --prefix exclude each other/],
		[["--key", ""], /--key is empty/], [["--key="], /--key is empty/],
		[["--key", "/a"], /--key must be the name of an object/],
		[["--min-size", "2", "--max-size", "1"], /--min-size must not be above --max-size/],
		[["--max-size", "x"], /--max-size must be a number/],
		[["--expire", "0"], /--expire must be a number from 1 to/],
		[["--expire", "-1"], /--expire must be a number from 1 to/],
		[["--signature", "v2"], /--signature must be v1 or v4/],
		[["--region", "cn/hangzhou"], /--region must be the name of a region/],
		[["--region", ""], /--region must be the name of a region/],
		[["--bucket", "b"], /--bucket must be the name of a bucket/],
		[["--bucket", "Uploads"], /--bucket must be the name of a bucket/],
		[["--bucket", ""], /--bucket must be the name of a bucket/],
		[["--access-key-id", "a/b"], /--access-key-id/],
		[["--secret-file", join(folder, "nothing")], /nothing: No such file/],
	]) {
		const got = sign(...args);
		assert.equal(got.status, 2, args.join(" "));
		assert.match(got.err, why);
		assert.equal(got.out, "");
	}
	assert.match(run(["sign"]).err, /--bucket is needed/);
	const unnamed = run(["sign", "--bucket", "uploads"], { env: { POSTERN_ACCESS_KEY_ID: "" } });
	assert.equal(unnamed.status, 2);
});

test("a callback path that the application server answers otherwise ends the start", () => {
	for (const path of ["/grant", "/grants", "/grants/x", "/get_post_signature_for_oss_upload",
		"/s3/callback", "/s3/multipart"]) {
		const open = "127.0.0.1:0";
		const done = spawnSync(BIN, ["serve", "--ephemeral", "--store-listen", open,
			"--app-listen", open, "--console-listen", open, "--app-callback-url",
			`http://127.0.0.1:1/ok;http://127.0.0.1:1${path}?a=b`],
		{ encoding: "utf8", timeout: 30_000 });
		assert.equal(done.status, 2, path);
		assert.match(done.stderr, /callback_url: the path \S+ is the application server's own/);
	}
});
