// SPDX-License-Identifier: Apache-2.0
// What people are told of errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorXml } from "./support.js";
import { UploadError, callbackError, storeError } from "../../web/client/errors.js";
import { EN, ZH, explain } from "../../web/client/texts.js";

const refused = (code, message, status = 403, more = "") => storeError(
	{ status, text: errorXml(code, message, more), header: () => null }, "http://store.test/b");

test("both languages have the same texts, with the same facts", () => {
	assert.deepEqual(Object.keys(EN).sort(), Object.keys(ZH).sort());
	const facts = ({ message = "", advice }) => [...`${message} ${advice}`.matchAll(/\{\w+\}/g)].flat().sort();
	for (const name of Object.keys(EN)) {
		assert.deepEqual(facts(EN[name]), facts(ZH[name]), name);
		assert.match(ZH[name].message ?? "", /\p{Script=Han}/u, name);
		assert.match(ZH[name].advice, /\p{Script=Han}/u, name);
	}
});

test("the condition of a policy that failed is named, and what it is about", () => {
	const quoted = 'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "user/"]';
	const key = explain(refused("AccessDenied", quoted.replaceAll('"', "&quot;")));
	assert.match(key.advice, /name under which.*\["starts-with", "\$key", "user\/"\]/);
	for (const [condition, about] of [['["in","$content-type",["image/png"]]', /type of the file/],
		['["content-length-range",1,5]', /size of the file/], ['["eq","$x-oss-object-acl","private"]', /field/]]) {
		const text = explain(refused("AccessDenied", `Policy Condition failed: ${condition}`));
		assert.match(text.advice, about);
		assert.ok(text.advice.includes(condition), text.advice);
	}
});

test("each kind is told apart, in both languages", () => {
	const answer = message => ({ status: 203, text: errorXml("CallbackFailed", message), header: () => null });
	const url = "http://store.test/b";
	const errors = [
		new UploadError("grant", "m", { status: 0, url }), new UploadError("grant", "m", { status: 403, url }),
		new UploadError("grant", "m", { status: 500, url }), new UploadError("cors", "m", { url }),
		new UploadError("network", "m", { url }), new UploadError("stalled", "m"),
		new UploadError("mixed", "m", { url }), new UploadError("file", "m"), new UploadError("damaged", "m"),
		new UploadError("size", "m", { facts: ["max", 5000] }), new UploadError("size", "m", { facts: ["min", 5] }),
		new UploadError("type", "m", { facts: ["a/b", "c/d", "e/f"] }),
		refused("EntityTooLarge", "m", 400), refused("EntityTooSmall", "m", 400),
		refused("AccessDenied", "x Policy expired."), refused("RequestTimeTooSkewed", "m"),
		refused("SignatureDoesNotMatch", "m"), refused("InvalidAccessKeyId", "m"),
		refused("NoSuchBucket", "m", 404), refused("FileAlreadyExists", "m", 409), refused("Unheard", "m", 400),
		refused("InternalError", "m", 500), refused("RequestTimeout", "m", 400),
		callbackError(answer("Error status : 502."), url), callbackError(answer("Error status : 400."), url),
		callbackError(answer("Callback reply timeout, cost:5000ms"), url),
		callbackError(answer("Response body is not valid json format."), url),
		callbackError(answer("Error status : 429."), url),
	];
	for (const texts of [EN, ZH]) {
		const advices = errors.map(error => explain(error, texts).advice);
		assert.deepEqual(advices.filter((advice, at) => advices.indexOf(advice) !== at), []);
		for (const advice of advices)
			assert.doesNotMatch(advice, /\{|undefined/);
	}
	assert.equal(explain(errors[9]).message, "The file is larger than 5.0 kB.");
	assert.match(explain(errors[11]).advice, /c\/d, e\/f/);
	assert.match(explain(errors[3]).advice, /allowed method POST/);
});

test("a table of another language takes what it lacks from English", () => {
	const own = { file: { message: "Datei nicht lesbar.", advice: "Neu wählen." } };
	assert.equal(explain(new UploadError("file", "m"), own).message, "Datei nicht lesbar.");
	assert.equal(explain(new UploadError("damaged", "m"), own).message, EN.damaged.message);
});

test("an exception of the page's own code keeps its words", () => {
	const { message, advice } = explain(new UploadError("grant", "signed out"));
	assert.equal(message, "signed out");
	assert.match(advice, /Try again/);
});
