// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSize, shortSize } from "../../web/client/format.js";
import { STATES, isAtRest } from "../../web/client/states.js";
import { parseErrorXml } from "../../web/client/xml.js";

test("an error document", () => {
	assert.deepEqual(parseErrorXml('<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n'
		+ "  <Code>AccessDenied</Code>\n  <Message>a &lt;b&gt; &quot;c&quot; &#39;d&#x27; &amp;lt;"
		+ "</Message>\n  <RequestId/>\n  <HostId></HostId>\n</Error>\n"), {
		Code: "AccessDenied", Message: "a <b> \"c\" 'd' &lt;", HostId: "",
	});
});

test("what is no error document is null", () => {
	for (const text of ["", "{}", "<html><Error></html>", "<Errors><Code>a</Code></Errors>",
		"<Error><Code>cut"])
		assert.equal(parseErrorXml(text), null);
});

test("references that mean nothing stay as they are", () => {
	assert.equal(parseErrorXml("<Error><M>&#x110000; &nope; &</M></Error>").M, "&#x110000; &nope; &");
});

test("long nonsense is read in linear time", () => {
	const text = `<Error>${"<a>".repeat(20_000)}</Error>`;
	assert.deepEqual(parseErrorXml(text), {});
	assert.equal(parseErrorXml(" ".repeat(200_000)), null);
	assert.equal(parseErrorXml("<Error ".repeat(20_000)), null);
});

test("each state that may follow exists; only rest leads to idle", () => {
	for (const [state, followers] of Object.entries(STATES)) {
		for (const follower of followers)
			assert.ok(follower in STATES);
		assert.equal(followers.includes("idle"),
			isAtRest(state) && state !== "done" || state === "paused");
	}
});

test("sizes", () => {
	for (const [bytes, text] of [[0, "0 bytes"], [1, "1 byte"], [999, "999 bytes"], [1000, "1.0 kB"],
		[9_900, "9.9 kB"], [123_456, "123 kB"], [999_600, "1.0 MB"], [5_368_709_120, "5.4 GB"],
		[9e15, "9000 TB"]])
		assert.equal(formatSize(bytes), text);
});

test("short sizes", () => {
	for (const [bytes, text] of [[0, "0 B"], [1, "1 B"], [999, "999 B"], [1000, "1.0 kB"],
		[123_456, "123 kB"], [999_600, "1.0 MB"], [9e15, "9000 TB"]])
		assert.equal(shortSize(bytes), text);
});
