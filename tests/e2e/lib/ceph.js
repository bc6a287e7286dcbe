// SPDX-License-Identifier: Apache-2.0
// A Ceph cluster for a test file (tests/ceph/cluster), and gateways on it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startServer, temporaryFolder } from "./server.js";

const CLUSTER = fileURLToPath(new URL("../../ceph/cluster", import.meta.url));
const NO_PACKAGES = 77;

export const run = promisify(execFile);

/** One that is started in `before`; without Ceph's packages its tests are skipped. */
export class Cluster {
	/** Why nothing can be tested, or "". */
	missing = "";
	/** Where its files are, and its ceph.conf. */
	folder;
	config;
	#all;

	/** @param {import("./server.js").cleanups} all */
	constructor(all) {
		this.#all = all;
	}

	/** False if Ceph's packages are missing. `auth` is "cephx" if each user needs a key. */
	async start({ auth = "none" } = {}) {
		this.folder = join(await temporaryFolder(this.#all), "ceph");
		try {
			const { stdout } = await run(CLUSTER, ["start", this.folder, String(process.pid)],
				{ env: { ...process.env, CEPH_AUTH: auth, CEPH_MORE: "admin socket = $run_dir/$name.asok" } });
			this.config = stdout.trim();
		} catch (error) {
			if (error.code !== NO_PACKAGES)
				throw error;
			this.missing = "Ceph's packages are missing: tools/install-packages ceph";
			return false;
		}
		this.#all.after(async () => void await run(CLUSTER, ["stop", this.folder]));
		return true;
	}

	/** The environment of a process that uses it. */
	get env() {
		return {
			POSTERN_STORE_BACKEND: "rados",
			POSTERN_RADOS_CONFIG: this.config,
			POSTERN_RADOS_ID: "admin",
			POSTERN_RADOS_NAMESPACE: "",
		};
	}

	/** A gateway, with a folder of its own, or that one, for what is not in the cluster. */
	async startGateway({ data, env = {} } = {}) {
		return await startServer(this.#all, { command: "store", data, env: { ...this.env, ...env } });
	}

	/** Says of the gateway that has started last that it is dead. */
	async expel() {
		await run(CLUSTER, ["expel", this.folder]);
	}

	/** Makes client.NAME with these rights. */
	async user(name, osd, mon = "allow r") {
		await run(CLUSTER, ["user", this.folder, name, mon, osd]);
	}

	/** Says something to Ceph's own tool about a pool. */
	async rados(pool, ...words) {
		return (await run("rados", ["--no-mon-config", "-c", this.config, "-p", pool, ...words])).stdout;
	}

	/** The addresses of the gateways that run. */
	async addresses() {
		const watchers = await this.rados("index", "listwatchers", "buckets");
		return watchers.match(/(?<=watcher=)\S+/g);
	}

	/** Lets nobody in from that address any more. */
	async block(address) {
		await run("ceph", ["-c", this.config, "osd", "blocklist", "add", address]);
	}

	/** Says something to the OSD itself. */
	async osd(...words) {
		await run("ceph", ["daemon", join(this.folder, "osd.0.asok"), ...words]);
	}

	/** A test that is skipped without Ceph. */
	test(name, body) {
		test(name, async t => {
			if (this.missing)
				t.skip(this.missing);
			else
				await body(t);
		});
	}
}
