// SPDX-License-Identifier: Apache-2.0
// Configurations that this store has not got: reading, deleting and writing them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request, send } from "../lib/oss.js";
import { cleanups, startServer } from "../lib/server.js";

/** The sub-resource, the error or document that reading it gives, and the status of deleting it. */
const SETTINGS = [
	["accessmonitor", "<AccessMonitorConfiguration><Status>Disabled</Status></AccessMonitorConfiguration>", 501],
	["encryption", "NoSuchServerSideEncryptionRule", 204],
	["inventory", "NoSuchInventory", 204],
	["logging", "<BucketLoggingStatus></BucketLoggingStatus>", 204],
	["policy", "NoSuchBucketPolicy", 204],
	["publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess></PublicAccessBlockConfiguration>", 204],
	["replication", "NoSuchReplicationConfiguration", 501],
	["replicationProgress", "NoSuchReplicationRule", 501],
	["requestPayment", "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>", 501],
	["transferAcceleration", "NoSuchTransferAccelerationConfiguration", 501],
	["website", "NoSuchWebsiteConfiguration", 204],
	["worm", "NoSuchWORMConfiguration", 404],
];

const all = cleanups();
let store;
before(async () => {
	({ store } = await startServer(all));
});
after(all.run);

const ask = (method, sub, bucket = "uploads", body = undefined) => request(store, method, bucket, "",
	{ query: { [sub]: "" }, body });

for (const [sub, answer, deleted] of SETTINGS) {
	test(`?${sub} was never set`, async () => {
		const got = await ask("GET", sub);
		if (answer.startsWith("<")) {
			assert.equal(got.status, 200, got.text);
			assert.equal(got.headers["content-type"], "application/xml");
			assert.equal(got.text, `<?xml version="1.0" encoding="UTF-8"?>\n${answer}\n`);
		} else {
			assert.equal(got.status, 404, got.text);
			assert.equal(got.xml("Code"), answer);
		}
		const gone = await ask("DELETE", sub);
		assert.equal(gone.status, deleted, gone.text);
		if (deleted === 404)
			assert.equal(gone.xml("Code"), answer);
		const put = await ask("PUT", sub, "uploads", "<Any/>");
		assert.equal(put.status, 501, put.text);
		assert.equal(put.xml("Code"), "NotImplemented");
	});

	test(`?${sub} is for the owner, of a bucket that there is`, async () => {
		assert.equal((await ask("GET", sub, "settings-nowhere")).xml("Code"), "NoSuchBucket");
		const anonymous = await send(`${store}/uploads?${sub}`);
		assert.equal(anonymous.status, 403, anonymous.text);
		assert.equal(anonymous.xml("Code"), "AccessDenied");
	});
}
