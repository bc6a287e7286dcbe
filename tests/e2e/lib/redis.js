// SPDX-License-Identifier: Apache-2.0
// The real redis-server, on a free port of the loopback and on a socket.
import { execFile, spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { pause, temporaryFolder } from "./server.js";
import { closedPort } from "./sink.js";

/** Whether a Redis answers there. */
const answers = port => new Promise(done => {
	const socket = connect(port, "127.0.0.1");
	socket.on("error", () => done(false));
	socket.on("data", () => {
		socket.destroy();
		done(true);
	});
	socket.write("PING\r\n");
});

export class Redis {
	#process;
	#gone;

	constructor(folder, port, password) {
		this.folder = folder;
		this.port = port;
		this.password = password;
		this.socket = join(folder, "redis.sock");
	}

	/** With what it had before; what it has acknowledged is on the disk. */
	async start() {
		const options = { port: this.port, bind: "127.0.0.1", unixsocket: this.socket, dir: this.folder,
			appendonly: "yes", appendfsync: "always", save: "", requirepass: this.password };
		this.#process = spawn("redis-server", Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
			{ stdio: ["ignore", "pipe", "pipe"] });
		let output = "";
		for (const stream of [this.#process.stdout, this.#process.stderr])
			stream.on("data", text => {
				output += text;
			});
		let ended = false;
		this.#gone = new Promise(done => {
			this.#process.on("error", error => {
				output += error;
				done();
			});
			this.#process.on("close", done);
		}).then(() => {
			ended = true;
		});
		for (const deadline = Date.now() + 60_000; !await answers(this.port); await pause(50))
			if (ended || Date.now() > deadline)
				throw new Error(`redis-server did not start: ${output}`);
	}

	/** As a power cut would end it. */
	async kill() {
		this.#process.kill("SIGKILL");
		await this.#gone;
	}

	/** Asks it something; the answer as JSON. */
	async ask(...words) {
		const { stdout } = await promisify(execFile)("redis-cli", ["-p", String(this.port), "--json", ...words],
			{ env: { ...process.env, REDISCLI_AUTH: this.password }, maxBuffer: 1 << 26 });
		return JSON.parse(stdout);
	}

	/** The entries of a stream: the fields of each. */
	async entries(stream, database = 0) {
		const rows = await this.ask("-n", String(database), "XRANGE", stream, "-", "+");
		return rows.map(([, words]) => Object.fromEntries(words.flatMap((word, i) => i % 2 ? [] : [[word, words[i + 1]]])));
	}
}

/** @param {{after: (job: () => Promise<void>) => void}} t */
export async function startRedis(t, { password = "" } = {}) {
	const folder = await temporaryFolder(t);
	const redis = new Redis(folder, Number(new URL(await closedPort()).port), password);
	await redis.start();
	t.after(() => redis.kill());
	return redis;
}
