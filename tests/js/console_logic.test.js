// SPDX-License-Identifier: Apache-2.0
// What the console reads and decides without a network: XML, addresses, CORS rules, figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browserUpload, checkCors, explainRule, formatCors, parseCors } from "../../web/console/oss/cors.js";
import { element, elements, nameAt, readXml, textAt } from "../../web/console/oss/xml.js";
import { readNewer } from "../../web/console/newer.js";
import { parseRoute, route } from "../../web/console/router.js";
import { parseMetrics, rates } from "../../web/console/samples.js";

test("names of objects are decoded if the list says that they are encoded", () => {
	const list = how => readXml(`<R>${how}<C><Key>a%2Bb%07%E4%B8%AD c</Key></C></R>`);
	const name = root => nameAt(root, elements(root, "C")[0], "Key");
	assert.equal(name(list("<EncodingType>url</EncodingType>")), "a+b\u0007中 c");
	assert.equal(name(list("")), "a%2Bb%07%E4%B8%AD c");
});

test("XML is read into elements", () => {
	const root = readXml('<?xml version="1.0"?>\n<!-- x --><A n="1"><B>a&lt;&#98;&#x63;</B><B/><C><D>d</D></C></A>\n');
	assert.deepEqual(elements(root, "B").map(({ text }) => text), ["a<bc", ""]);
	assert.equal(textAt(root, "C/D"), "d");
	assert.equal(textAt(root, "C/E"), "");
	assert.equal(readXml(element("A", "<&>\r"))?.text, "<&>\r");
});

test("what is no XML is null", () => {
	for (const text of ["", "text", "<A>", "<A></B>", "<A/><B/>", "</A>", "<A/>text", "<A".repeat(20),
		`${"<A>".repeat(40)}${"</A>".repeat(40)}`, "<A><!-- </A>"])
		assert.equal(readXml(text), null, text);
});

test("a long list of nonsense is read in linear time", () => {
	assert.equal(readXml("<".repeat(100_000)), null);
	assert.equal(readXml(`<A ${"x".repeat(100_000)}`), null);
	assert.equal(readXml(`<A>${"<?".repeat(50_000)}`), null);
});

test("an address holds any key", () => {
	for (const key of ["a/b c/?x=#1%", "../..//x/", "é/日本.txt", "<img src=x onerror=alert(1)>", "%41"]) {
		const at = parseRoute(route("object", "bucket", key, { search: "a&b" }));
		assert.deepEqual(at, { view: "object", bucket: "bucket", key, query: { search: "a&b" } });
	}
	assert.deepEqual(parseRoute(""), { view: "", bucket: "", key: "", query: {} });
	assert.equal(parseRoute("#/object/b/%zz").key, "%zz");
});

const rule = changes => ({ origins: [], methods: ["POST"], headers: [], expose: [], maxAge: "", ...changes });
const fits = (changes, question) => {
	const { matches, why, header } = explainRule(rule(changes), { origin: "https://a.example.com", method: "POST",
		headers: [], ...question });
	return matches || why + (header && ` ${header}`);
};

test("which rule fits, and why another does not", () => {
	const wild = { origins: ["https://*.example.com"] };
	assert.equal(fits(wild, {}), true);
	for (const origin of ["https://example.com", "http://a.example.com", "https://a.example.com.evil.test", ""])
		assert.equal(fits(wild, { origin }), "origin", origin);
	assert.equal(fits(wild, { origin: "HTTPS://A.EXAMPLE.COM" }), true);
	assert.equal(fits({ origins: ["http://localhost:*"] }, { origin: "http://localhost:8080" }), true);
	assert.equal(fits({ origins: ["ab*ba"] }, { origin: "aba" }), "origin");
	assert.equal(fits(wild, { method: "PUT" }), "method");
	assert.equal(fits(wild, { method: "post" }), "method");
	const some = { ...wild, headers: ["X-OSS-*", "etag"] };
	assert.equal(fits(some, { headers: ["x-oss-meta-a", "ETag"] }), true);
	assert.equal(fits(some, { headers: ["x-oss-meta-a", "content-type"] }), "header content-type");
	assert.equal(fits({ ...wild, headers: ["*"] }, { headers: ["a b"] }), "header a b");
});

test("a configuration is written and read back", () => {
	const configuration = {
		rules: [browserUpload(), rule({ origins: ["https://a&b", "*"], maxAge: "" })], vary: true,
	};
	const root = readXml(formatCors(configuration));
	assert.ok(root);
	assert.deepEqual(parseCors(root), configuration);
});

test("faults of rules are found before they are sent", () => {
	const faults = changes => checkCors({ rules: [rule({ origins: ["*"], ...changes })], vary: false })
		.map(({ text }) => text.replace("cors.fault.", ""));
	assert.deepEqual(faults({}), []);
	assert.deepEqual(faults({ origins: ["https://*.a.test:*".replace(":*", ""), "http://localhost:*", "http://[::1]:80"] }), []);
	assert.deepEqual(faults({ origins: [], methods: [] }), ["noOrigin", "noMethod"]);
	for (const [origin, fault] of [["https://*", "originHost"], ["https://*.example.*", "originStars"],
		["example.com", "originForm"], ["https://a/", "originPath"], ["https://a:0", "originPort"],
		["https://a:x", "originPort"], ["https://", "originForm"], ["https://a b", "originCharacter"],
		["https://u@a", "originForm"]])
		assert.deepEqual(faults({ origins: [origin] }), [fault], origin);
	assert.deepEqual(faults({ headers: ["a**"], expose: ["*"], maxAge: "1000000000" }), ["header", "expose", "maxAge"]);
	assert.deepEqual(faults({ maxAge: "-1" }), ["maxAge"]);
});

test("metrics become rates", () => {
	const values = parseMetrics("# HELP a text\n# TYPE a counter\na 5\nb_total 1.5e3\nc{x=\"1\"} 3\nbad x\n");
	assert.deepEqual([...values], [["a", 5], ["b_total", 1500]]);
	const samples = [[0, 10], [2000, 30], [3000, 5]].map(([time, value]) => ({ time, values: new Map([["a", value]]) }));
	assert.deepEqual(rates(samples, "a"), [10, 0]);
	assert.deepEqual(rates(samples, "none"), [0, 0]);
});

// A list with the ids from `newest` down to 1, in pages of three.
const pagesFrom = newest => after => {
	const top = after ? Number(after) - 1 : newest;
	const ids = Array.from({ length: Math.min(3, top) }, (_, i) => top - i);
	const last = ids.at(-1) ?? 1;
	return Promise.resolve({ callbacks: ids.map(id => ({ id: String(id) })), next: last > 1 ? String(last) : "" });
};

const newer = async (newest, known, most = 100) => (await readNewer(pagesFrom(newest), known, most)).map(({ id }) => Number(id));

test("what is new is read down to what is known, however many pages that are", async () => {
	assert.deepEqual(await newer(10, 10n), []);
	assert.deepEqual(await newer(10, 9n), [10]);
	assert.deepEqual(await newer(10, 7n), [10, 9, 8]);
	assert.deepEqual(await newer(10, 2n), [10, 9, 8, 7, 6, 5, 4, 3]);
	assert.deepEqual(await newer(4, 0n), [4, 3, 2, 1]);
	assert.deepEqual(await newer(0, 0n), []);
});

test("but no more than can be shown", async () => {
	assert.deepEqual(await newer(1000, 1n, 7), [1000, 999, 998, 997, 996, 995, 994]);
});

test("a page that fails leaves no gap: nothing is shown", async () => {
	const read = after => after ? Promise.reject(new Error("gone")) : pagesFrom(10)(after);
	await assert.rejects(readNewer(read, 2n, 100), /gone/);
});
