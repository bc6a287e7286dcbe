// SPDX-License-Identifier: Apache-2.0
// Every failure that people meet: recognised from what the network gave, named, with advice in both
// languages, and the server's own words kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeNetwork, FakeStack, errorXml, file, grantAnswer } from "./support.js";
import { UploadError, createUploader } from "../../web/client/postern-upload.js";
import { EN, ZH, explain } from "../../web/client/texts.js";

const store = (status, code, message, more) => ({ status, text: errorXml(code, message, more) });
const policy = condition => store(403, "AccessDenied",
	`Invalid according to Policy: Policy Condition failed: ${condition}`.replaceAll('"', "&quot;"));
const callback = message => store(203, "CallbackFailed", message);
const NOTHING = { status: 0 };

/**
 * What happened; the answers to the form, the grant, or what the stack finds out; kind; then what the
 * English and the Chinese text must say.
 */
const TABLE = [
	["CORS refused", { answer: NOTHING, alive: true }, "cors",
		/blocked the store's answer.*CORS rules.*allowed method POST/, /跨域规则（CORS）/],
	["blocked by an extension", { answer: NOTHING, alive: "http://store.test/" }, "blocked",
		/blocked the upload.*store\.test\/uploads.*extension/, /浏览器扩展/],
	["mixed content", { answer: NOTHING, https: true }, "mixed", /https.*http:\/\/store\.test.*certificate/, /证书/],
	["a store on the loopback, which browsers take for safe, and is down", { answer: NOTHING, https: true,
		url: "http://127.0.0.1:9000/uploads" }, "network", /cannot be reached/, /检查网络/],
	["the same by name", { answer: NOTHING, https: true, url: "http://localhost:9000/uploads" }, "network", /cannot be/, /检查网络/],
	["what the store does not have", { answer: store(501, "NotImplemented", "A header implies it.") }, "refused",
		/refused the upload/, /拒绝了上传/],
	["no network", { answer: NOTHING }, "network", /cannot be reached.*connection/, /检查网络/],
	["callback: nobody listens", { answer: callback("Error status : 502.") }, "callback",
		/safe in the store.*could not reach/, /无法连接应用服务器/],
	["callback: refused", { answer: callback("Error status : 403.") }, "callback", /application server refused.*log/, /拒绝了回调/],
	["callback: too slow", { answer: callback("Callback reply timeout, cost:5000ms") }, "callback", /longer than five/, /超过五秒/],
	["callback: no JSON", { answer: callback("Response body is not valid json format.") }, "callback", /was not JSON/, /不是 JSON/],
	["the form is used up, twice", { answer: callback("Error status : 429.") }, "used", /used up/, /已用完/],
	["policy: the name", { answer: policy('["starts-with","$key","user/"]') }, "policy",
		/name under which.*\["starts-with","\$key","user\/"\].*Rename/, /\["starts-with","\$key","user\/"\]。请重命名/],
	["policy: the type", { answer: policy('["in","$content-type",["image/png"]]') }, "policy", /type of the file.*image\/png/, /image\/png/],
	["policy: the size", { answer: policy('["content-length-range",1,5]') }, "policy", /size of the file.*1,5/, /1,5/],
	["policy: a field", { answer: policy('["eq","$x-oss-object-acl","private"]') }, "policy", /condition.*x-oss-object-acl/, /x-oss-object-acl/],
	["expired, twice", { answer: store(403, "AccessDenied", "Invalid according to Policy: Policy expired.") }, "expired", /ran out.*clocks/, /已过期/],
	["clock", { answer: store(403, "RequestTimeTooSkewed", "The difference is too large.") }, "clock", /15 minutes.*NTP/, /校准（NTP）/],
	["too large for the grant", { limits: { max_size: 3 } }, "size", /larger than 3 bytes.*smaller file/, /大于 3 bytes/],
	["too small for the grant", { limits: { min_size: 30 } }, "size", /smaller than 30 bytes/, /小于 30 bytes/],
	["too large for the store", { answer: store(400, "EntityTooLarge", "Too large.") }, "size", /too large\. Choose a smaller/, /文件过大/],
	["wrong type", { limits: { types: ["image/*"] } }, "type", /text\/plain are not accepted.*image\/\*/, /text\/plain.*image\/\*/],
	["wrong type, says the server", { refused: ["type", "A file of this type may not be uploaded.", { code: "type_refused" }] },
		"type", /may not be uploaded.*another type/, /不接受此类型/],
	["wrong extension", { refused: ["extension", "m", { facts: [".exe", ".jpg", ".png"] }] }, "extension",
		/ends with \.exe are not.*one of these: \.jpg, \.png\./, /\.exe.*\.jpg, \.png/],
	["no extension", { refused: ["extension", "m", { facts: ["", ".jpg"] }] }, "extension", /no extension.*\.jpg/, /没有扩展名.*\.jpg/],
	["a picture that is too small", { refused: ["dimensions", "m", { facts: ["small", 100, 50, 1200, 800] }] }, "dimensions",
		/has 100 × 50 pixels.*too small.*1200 × 800 pixels or more.*original/, /100 × 50 像素.*1200 × 800.*原图/],
	["a picture that is too large", { refused: ["dimensions", "m", { facts: ["large", 9000, 50, 8000, 8000] }] }, "dimensions",
		/has 9000 × 50 pixels.*too large.*8000 × 8000 pixels or fewer/, /9000 × 50 像素.*8000 × 8000/],
	["a picture that cannot be read", { refused: ["dimensions", "m", { facts: ["unknown"] }] }, "dimensions",
		/cannot be read.*JPEG or PNG/, /无法读取图片.*JPEG 或 PNG/],
	["wrong secret", { answer: store(403, "SignatureDoesNotMatch", "m") }, "refused", /secret.*not the store's/, /签名不正确/],
	["unknown key", { answer: store(403, "InvalidAccessKeyId", "m") }, "refused", /does not know.*access key/, /AccessKey ID 不存在/],
	["no bucket", { answer: store(404, "NoSuchBucket", "m") }, "refused", /bucket does not exist/, /Bucket 不存在/],
	["the name is taken", { answer: store(409, "FileAlreadyExists", "m") }, "refused", /already has a file/, /同名文件已存在/],
	["the store has trouble", { answer: store(500, "InternalError", "We have a problem.") }, "server", /problem of its own/, /服务器出现故障/],
	["the connection stood still", { answer: store(400, "RequestTimeout", "m") }, "network", /too slow/, /连接超时/],
	["no application server", { grant: NOTHING }, "grant", /cannot be reached.*\/grant/, /无法连接应用服务器/],
	["not signed in", { grant: { status: 401 } }, "grant", /answered 401.*Sign in/, /请登录/],
	["no grant", { grant: { status: 500 } }, "grant", /answered 500.*log/, /应用服务器的日志/],
];

for (const [name, { answer, alive = false, https, limits, url, grant, refused }, kind, english, chinese] of TABLE)
	test(`told: ${name}`, async t => {
		const stack = new FakeStack();
		const clock = new FakeClock();
		stack.alive = alive;
		if (https) {
			globalThis.location = { protocol: "https:", origin: "https://page.test" };
			t.after(() => delete globalThis.location);
		}
		const upload = createUploader({ httpStack: stack, clock, network: new FakeNetwork(), retries: 0,
			check: refused && (async () => new UploadError(...refused)) }).add(file());
		upload.start();
		let over = false;
		upload.finished.then(() => {
			over = true;
		});
		(async () => {
			while (!over) {
				const request = await stack.next();
				request.respond(request.method === "GET" ? grant ?? grantAnswer(clock, url ? { url, ...limits } : limits) : answer);
			}
		})();
		await upload.finished;
		const { error } = upload;
		assert.equal(upload.state, answer?.status === 203 ? "unconfirmed" : "failed");
		assert.equal(error.kind, kind);
		// The server's own words are there for who wants them.
		assert.equal(error.response, answer?.text ?? "");
		const [en, zh] = [EN, ZH].map(texts => explain(error, texts));
		assert.match(`${en.message} ${en.advice}`, english);
		assert.match(`${zh.message} ${zh.advice}`, chinese);
		for (const text of [en.message, en.advice, zh.message, zh.advice]) {
			assert.notEqual(text, "");
			assert.doesNotMatch(text, /\{\w+\}|undefined|NaN/);
		}
		assert.doesNotMatch(zh.message, /[a-z]{3,} [a-z]{3,}/i);
	});

test("no two of them are told in the same words, but for the facts", () => {
	for (const texts of [EN, ZH]) {
		const advices = Object.values(texts).map(({ advice }) => advice);
		assert.deepEqual(advices.filter((advice, at) => advices.indexOf(advice) !== at), []);
	}
});
