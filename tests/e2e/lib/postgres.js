// SPDX-License-Identifier: Apache-2.0
// A server of PostgreSQL of a test's own (tests/postgres/run), on a Unix socket and a port of the loopback.
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeCertificate } from "./certificate.js";
import { freePorts } from "./ports.js";
import { pause, temporaryFolder } from "./server.js";

const RUN = fileURLToPath(new URL("../../postgres/run", import.meta.url));
const ROOT = "/usr/lib/postgresql";
const VERSION = existsSync(ROOT) && readdirSync(ROOT).find(name => existsSync(`${ROOT}/${name}/bin/initdb`));
const START_MS = 120_000;

/** For tests that need it: `test("...", { skip: NO_POSTGRES }, ...)`. */
export const NO_POSTGRES = VERSION ? false : "PostgreSQL is not installed (tools/install-packages test)";

/** Starts a server that ends with the test. @param {{after: (job: () => Promise<void>) => void}} t */
export async function startPostgres(t) {
	const folder = await temporaryFolder(t);
	const [port] = await freePorts(1);
	await chmod(folder, 0o755);
	await makeCertificate(folder, "server");
	const server = new Postgres(folder, port);
	t.after(() => server.kill());
	await server.start();
	await server.query("CREATE ROLE ann LOGIN PASSWORD 'secret'; GRANT ALL ON SCHEMA public TO ann");
	return server;
}

class Postgres {
	#child = null;
	#ended = Promise.resolve();

	constructor(folder, port) {
		this.folder = folder;
		this.port = port;
		/** Of a user who needs no password, by the Unix socket. */
		this.url = `postgresql:///postgres?user=postern&port=${port}&host=${encodeURIComponent(folder)}`;
		/** By TCP and TLS, with the certificate verified. */
		this.url_with_tls = `postgresql://postern@localhost:${port}/postgres?sslmode=verify-full&sslrootcert=${folder}/server.crt`;
		/** Of one who needs a password, by TCP. */
		this.url_with_password = `postgresql://ann@127.0.0.1:${port}/postgres`;
	}

	/** Also after kill(), with the same data. */
	async start() {
		this.#child = spawn(RUN, [this.folder, String(this.port)], { stdio: ["ignore", "ignore", "inherit"] });
		this.#ended = new Promise(done => this.#child.on("close", done));
		const deadline = Date.now() + START_MS;
		while (!await this.query("SELECT 1").catch(() => "")) {
			if (this.#child.exitCode !== null || Date.now() > deadline)
				throw new Error(`PostgreSQL did not start (${this.#child.exitCode})`);
			await pause(100);
		}
	}

	/** Ends it as a power cut would. */
	async kill() {
		if (this.#child?.exitCode === null)
			this.#child.kill("SIGQUIT");
		await this.#ended;
	}

	/** The rows, columns between `|`. */
	async query(sql) {
		const { stdout } = await promisify(execFile)(`${ROOT}/${VERSION}/bin/psql`,
			["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", this.url, "-c", sql], { maxBuffer: 1 << 26 });
		return stdout.trimEnd();
	}

	async rows(sql) {
		const text = await this.query(sql);
		return text ? text.split("\n").map(line => line.split("|")) : [];
	}
}
