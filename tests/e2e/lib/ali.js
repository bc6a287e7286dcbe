// SPDX-License-Identifier: Apache-2.0
// The official JavaScript SDK, as a client of the server under test.
import OSS from "ali-oss";

/** For tests that run once with each version of signatures. */
export const SIGNATURES = [["V1", false], ["V4", true]];

/**
 * A client with the given bucket.
 * @param {import("./server.js").Server} server
 */
export function aliClient(server, { v4 = false, bucket = "uploads", ...options } = {}) {
	return new OSS({
		endpoint: server.store,
		region: "oss-cn-hangzhou",
		accessKeyId: server.key.id,
		accessKeySecret: server.key.secret,
		authorizationV4: v4,
		bucket,
		...options,
	});
}

/** What the SDK throws, as "status code". */
export async function refusal(promise) {
	try {
		await promise;
	} catch (error) {
		return `${error.status} ${error.code}`;
	}
	return "nothing was refused";
}
