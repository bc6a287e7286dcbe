// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { file } from "./support.js";
import { buildForm, objectKey, storedKey } from "../../web/client/form.js";

const GRANT = { url: "http://store.test/", dir: "d/", fields: { policy: "p", "x:id": "7" } };

test("the file's own name is the name in the store, whatever it is", () => {
	for (const name of ["a b.txt", "it's \"quoted\".txt", "中文 文件.png", "100%.txt", "a+b&c=d", "..",
		"😀", "x\\y"])
		assert.equal(objectKey(file(name), GRANT, {}), `d/${name}`);
});

test("only slashes at the front are left out", () => {
	assert.equal(objectKey(file("//a/b"), GRANT, {}), "d/a/b");
	assert.equal(objectKey(file("\\a"), { ...GRANT, dir: "" }, {}), "a");
});

test("random names keep the extension and differ", () => {
	const keys = new Set();
	for (let i = 0; i < 1000; i++)
		keys.add(objectKey(file("photo.tar.png"), GRANT, { names: "random" }));
	assert.equal(keys.size, 1000);
	for (const key of keys)
		assert.match(key, /^d\/[0-9a-v]{20}\.png$/);
	assert.match(objectKey(file("README"), GRANT, { names: "random" }), /^d\/[0-9a-v]{20}$/);
	assert.match(objectKey(file(".profile"), GRANT, { names: "random" }), /^d\/[0-9a-v]{20}$/);
	assert.match(objectKey(file("a.b/c"), GRANT, { names: "random" }), /^d\/[0-9a-v]{20}$/);
});

test("a key in the grant wins, then the key option", () => {
	const key = (given, grant) => grant.dir + given.size;
	assert.equal(objectKey(file("a", "123"), GRANT, { key }), "d/3");
	const fixed = { ...GRANT, fields: { key: "fixed" } };
	assert.equal(objectKey(file(), fixed, { key }), "fixed");
});

test("key first, file last, fields of the grant over those of the page", () => {
	const grant = { ...GRANT, fields: { ...GRANT.fields, key: "k", file: "no" } };
	const form = buildForm(file("a.txt"), "k", grant, { "x:id": "8", "x:more": "9" });
	assert.deepEqual([...form.keys()], ["key", "x:id", "x:more", "policy", "file"]);
	assert.equal(form.get("x:id"), "7");
	assert.equal(form.get("file").name, "a.txt");
});

test("what the store makes of ${filename}", () => {
	for (const [key, name, stored] of [
		["k", "a", "k"],
		["d/${filename}", "a b.txt", "d/a b.txt"],
		["${filename}/${filename}", "$&", "$&/$&"],
		["${filename}", "x/y\\z 中.txt", "z 中.txt"],
		["${filename}", "it's \"quoted\"", "it's %22quoted%22"],
	])
		assert.equal(storedKey(key, file(name)), stored);
});
