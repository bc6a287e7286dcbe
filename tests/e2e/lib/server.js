// SPDX-License-Identifier: Apache-2.0
// Starts the real server (POSTERN_BIN) on free ports of the loopback, with a data folder of its own.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const BIN = resolve(process.env.POSTERN_BIN ?? join(ROOT, "build/postern"));
const WRAPPER = (process.env.POSTERN_WRAPPER ?? "").split(" ").filter(Boolean);
// E2E_CEPH is a ceph.conf: the objects of each server are on that cluster, in a namespace of its data folder's.
const CEPH = process.env.E2E_CEPH;
const START_MS = 60_000;
const STOP_MS = 60_000;
const SANITIZER = /ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:/;

export const ACCESS_KEY_ID = "testaccesskeyid";
export const ACCESS_KEY_SECRET = "test-access-key-secret-0123456789";

/** The lines of the start-up text, by the name of what each URL is. */
const PARTS = {
	page: "upload page",
	app: "application server",
	store: "object store",
	console: "(?:console|operations)",
};

/** For a file of tests that share a server: `const cleanup = cleanups(); after(cleanup.run)`. */
export function cleanups() {
	const jobs = [];
	return {
		after: job => void jobs.push(job),
		run: async () => {
			const failures = [];
			for (const job of jobs.reverse())
				await job().catch(error => failures.push(error));
			if (failures.length)
				throw failures[0];
		},
	};
}

/**
 * Starts a server that is stopped when the test `t` ends; the test fails if the server died, did
 * not stop properly, or a sanitizer complained.
 *
 * @param {{after: (job: () => Promise<void>) => void, diagnostic?: (text: string) => void}} t
 * @param {{bin?: string, command?: string, args?: string[], env?: Record<string, string>, data?: string,
 *   wrapper?: string[]}} [how]
 *   `data` is a folder that the caller keeps; the default is a new one for this server alone.
 *   `wrapper` is a command that runs the rest of its arguments; `command` is serve, store or app; `args` replaces the usual ones if given.
 */
export async function startServer(t, how = {}) {
	const data = how.data ?? await temporaryFolder(t);
	const server = new Server(data, how);
	t.after(() => server.stop().catch(error => {
		// Of a test that has failed already, errors of its hooks are not shown.
		t.diagnostic?.(error.message);
		throw error;
	}));
	await server.ready();
	return server;
}

const placeOf = data => !CEPH ? {} : {
	POSTERN_STORE_BACKEND: "rados",
	POSTERN_RADOS_CONFIG: CEPH,
	POSTERN_RADOS_ID: "admin",
	POSTERN_RADOS_NAMESPACE: basename(data),
};

/** Why a test of files in the data folder is skipped, or false. */
export const notOnCeph = CEPH ? "the objects are on Ceph" : false;

/** A folder that goes away when the test ends. */
export async function temporaryFolder(t) {
	const folder = await mkdtemp(join(tmpdir(), "postern-test-"));
	// A browser that was closed may write to its profile for a moment.
	t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
	return folder;
}

export class Server {
	/** @type {string} */ page;
	/** @type {string} without a slash at the end, as are store and console */ app;
	/** @type {string} */ store;
	/** @type {string} */ console;
	output = "";
	log = "";
	key = { id: ACCESS_KEY_ID, secret: ACCESS_KEY_SECRET };

	#process;
	#exited;
	#stopping = false;
	#stopped = null;

	constructor(data, { bin = BIN, command = "serve", args, env = {}, wrapper = [] }) {
		this.data = data;
		const listen = command === "app" ? ["--app-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"] : [
			...command === "serve" ? ["--app-listen", "127.0.0.1:0"] : [],
			"--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0",
		];
		const all = [...wrapper, ...WRAPPER, bin, command, ...args ?? ["--data", data, ...listen]];
		this.#process = spawn(all[0], all.slice(1), {
			cwd: data,
			env: {
				...process.env,
				...placeOf(data),
				POSTERN_ACCESS_KEY_ID: this.key.id,
				POSTERN_ACCESS_KEY_SECRET: this.key.secret,
				...env,
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.#process.stdout.setEncoding("utf8").on("data", text => {
			this.output += text;
		});
		this.#process.stderr.setEncoding("utf8").on("data", text => {
			this.log += text;
		});
		/** The process has ended, though its output may not have been read to its end. */
		this.gone = new Promise(done => this.#process.once("exit", done));
		this.#exited = new Promise(done => {
			this.#process.on("error", error => done(`could not be started: ${error.message}`));
			// "close" comes when the output has been read to its end.
			this.#process.on("close", (code, signal) => done(signal ?? `exit status ${code}`));
		});
	}

	get pid() {
		return this.#process.pid;
	}

	/** Waits for the start-up text: the line of the object store or, of `app`, its only one. */
	async ready() {
		const deadline = Date.now() + START_MS;
		while (!/ is ready\n(?:.*\n)*.*(?:console|application server) +http.*\n/.test(this.output)
			|| !this.output.endsWith("\n")) {
			const end = await within(20, this.#exited);
			if (end !== undefined || Date.now() > deadline) {
				this.#stopping = true;
				this.#process.kill("SIGKILL");
				throw new Error(`the server did not start (${end ?? "time is up"}):\n`
					+ this.output + this.log);
			}
		}
		for (const [part, name] of Object.entries(PARTS)) {
			const url = new RegExp(`^ *${name} +(http\\S+)`, "m").exec(this.output)?.[1];
			this[part] = part === "page" ? url : url?.replace(/\/$/, "");
		}
	}

	/** Reads the log no more, as a reader that has stalled; and again. */
	stallLog(stalled = true) {
		if (stalled)
			this.#process.stderr.pause();
		else
			this.#process.stderr.resume();
	}

	/** Sends a signal that is no request to stop. */
	signal(name) {
		this.#process.kill(name);
	}

	/** Ends it as a power cut would; the test goes on. */
	async kill() {
		this.#stopping = true;
		this.#process.kill("SIGKILL");
		await this.#exited;
		this.#stopped = Promise.resolve();
	}

	/** Asks it to stop, and checks that it was in good health until the end. May be called twice. */
	stop() {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async #stop() {
		if (this.#stopping)
			return;
		const early = await within(0, this.#exited);
		let end = early;
		if (early === undefined) {
			this.#process.kill("SIGTERM");
			end = await within(STOP_MS, this.#exited);
		}
		if (end === undefined) {
			this.#process.kill("SIGKILL");
			await this.#exited;
			throw new Error(`the server did not stop on SIGTERM:\n${this.log.slice(-4000)}`);
		}
		const report = SANITIZER.exec(this.log);
		if (report)
			throw new Error(`a sanitizer complained:\n${this.log.slice(report.index, report.index + 8000)}`);
		// No part of it needs what the sandbox refuses.
		const refused = /^.* sandbox: refused: .*$/m.exec(this.log);
		if (refused)
			throw new Error(refused[0]);
		if (early !== undefined || end !== "exit status 0")
			throw new Error(`the server died (${end}):\n${this.log.slice(-4000)}`);
	}

	/** Waits until the log has something. */
	async logged(pattern, ms = 10_000) {
		const deadline = Date.now() + ms;
		while (!pattern.test(this.log)) {
			if (Date.now() > deadline)
				throw new Error(`not in the log: ${pattern}\n${this.log.slice(-4000)}`);
			await pause(20);
		}
	}
}

export function pause(ms) {
	return new Promise(done => setTimeout(done, ms));
}

/** What the promise gives, or undefined if it takes longer. */
async function within(ms, promise) {
	let timer;
	const late = new Promise(done => {
		timer = setTimeout(done, ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
