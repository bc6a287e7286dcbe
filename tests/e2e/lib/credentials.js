// SPDX-License-Identifier: Apache-2.0
// An application server in a process of its own, in front of a store in another one: the store's keys
// are none that it knows unless it is told.
import assert from "node:assert/strict";
import { metric, recorded } from "./metrics.js";
import { postForm, request, send } from "./oss.js";
import { startServer, temporaryFolder } from "./server.js";
import { closedPort } from "./sink.js";

/** A store with STS and a bucket `uploads`. */
export async function startStore(t) {
	const store = await startServer(t, { command: "store", env: { POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1" } });
	assert.equal((await request(store.store, "PUT", "uploads")).status, 200);
	return store;
}

/**
 * An application server for the bucket of `store`, without a key: `env` says where that is. Its
 * `recorded()` is how many uploads its ledger has, `metric(name)` a metric of the operations port.
 */
export async function startApp(t, store, env, how = {}) {
	const app = how.listen ?? await closedPort();
	const data = how.data ?? await temporaryFolder(t);
	const server = await startServer(t, { command: "app", data, env: {
		POSTERN_APP_HOST: `${store.store}/uploads`,
		POSTERN_APP_CALLBACK_URL: `${app}/done`,
		POSTERN_APP_KEY_URLS: `${store.store}/-/callback_pub_key_v1.pem`,
		POSTERN_STORE_CALLBACK_ALLOW: "127.0.0.1",
		...env,
	}, args: ["--data", data, "--app-listen", new URL(app).host, "--console-listen", "127.0.0.1:0",
		...how.args ?? []] });
	server.metric = name => metric(server, name);
	server.recorded = () => recorded(server);
	return server;
}

export const json = async (url, method = "GET", body = undefined) => {
	const got = await send(url, method, body === undefined ? {} : { "Content-Type": "application/json" },
		body === undefined ? undefined : JSON.stringify(body));
	return { status: got.status, headers: got.headers, ...JSON.parse(got.text) };
};

const FILE = { name: "a.txt", type: "text/plain", content: "hello" };

/** Uploads with a grant of the application server; what comes back is the callback's answer. */
export async function upload(server, store, name, grant = undefined) {
	const { fields, dir } = grant ?? await json(`${server.app}/grant`);
	const got = await postForm(store.store, { key: `${dir}${name}`, ...fields }, FILE);
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(JSON.parse(got.text), { Status: "OK" });
	return fields;
}
