// SPDX-License-Identifier: Apache-2.0
// What tests of versions do again and again.
import assert from "node:assert/strict";
import { policy, request, signedFieldsV1 } from "./oss.js";

/** The id of a version that is not "null". */
export const ID = /^[0-9A-F]{16}$/;

/** The answer, which must have that status. */
export async function ok(answer, status = 200) {
	const got = await answer;
	assert.equal(got.status, status, got.text);
	return got;
}

/** The answer, which must be that error; of HEAD it is in a header. */
export async function refused(answer, status, code) {
	const got = await ok(answer, status);
	const text = got.headers["x-oss-err"] ? Buffer.from(got.headers["x-oss-err"], "base64").toString() : got.text;
	assert.equal(/<Code>([^<]*)/.exec(text)?.[1], code, text);
	return got;
}

/** Fields of a form for a bucket. */
export const formFields = (bucket, key, more) => signedFieldsV1(key, more, { text: policy({ bucket }) });

/** Requests to the store whose URL `url()` gives. */
export function versionsAt(url) {
	const put = (bucket, key, body = "x", headers = {}) => request(url(), "PUT", bucket, key, { body, headers });
	const ask = (method, bucket, key, query = {}, headers = {}) => request(url(), method, bucket, key, { query, headers });
	const configure = (bucket, status) => request(url(), "PUT", bucket, "", { query: { versioning: "" },
		body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>` });
	return {
		put,
		ask,
		configure,
		copy: (bucket, source, key, headers = {}) => request(url(), "PUT", bucket, key,
			{ headers: { "x-oss-copy-source": source, ...headers } }),
		/** The content of an object, or of one version of it. */
		read: async (bucket, key, versionId) =>
			(await ok(ask("GET", bucket, key, versionId ? { versionId } : {}))).text,
		/** Makes a bucket that keeps versions. */
		versioned: async (bucket, status = "Enabled") => {
			await ok(request(url(), "PUT", bucket));
			await ok(configure(bucket, status));
		},
		/** Stores an object and gives the id of the version. */
		stored: async (...args) => {
			const id = (await ok(put(...args))).headers["x-oss-version-id"];
			assert.match(id, ID);
			return id;
		},
		/** Deletes an object and gives the id of the marker. */
		deleted: async (bucket, key) => {
			const { headers } = await ok(ask("DELETE", bucket, key), 204);
			assert.equal(headers["x-oss-delete-marker"], "true");
			return headers["x-oss-version-id"];
		},
	};
}
