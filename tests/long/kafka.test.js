// SPDX-License-Identifier: Apache-2.0
// Events to a real broker of Kafka, from Maven's repository. It is killed again and again, and so is postern
// (KAFKA_KILLS).
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { metric, startAt, until, upload } from "../e2e/lib/events.js";
import { readMessage, startKafka } from "../e2e/lib/kafka.js";
import { freePorts } from "../e2e/lib/ports.js";
import { temporaryFolder } from "../e2e/lib/server.js";

const KILLS = Number(process.env.KAFKA_KILLS ?? 10);
/** Of each, between two kills. */
const UPLOADS = 20;
const PARTITIONS = 4;
const ROOT = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

/** The jars of the broker. They stay, so that another run needs no network. */
async function jars() {
	const folder = join(ROOT, "build/kafka");
	await run("mvn", ["-q", "-B", "-f", join(ROOT, "tests/kafka/broker/pom.xml"),
		"org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DincludeScope=runtime",
		`-DoutputDirectory=${folder}`]);
	return `${folder}/*`;
}

class Broker {
	constructor(folder, libraries, [port, controller]) {
		Object.assign(this, { folder, libraries, port, controller });
	}

	java(...args) {
		return ["-Xmx512m", "-cp", this.libraries, ...args, join(this.folder, "broker.properties")];
	}

	async format() {
		await writeFile(join(this.folder, "broker.properties"), [
			"process.roles=broker,controller", "node.id=1",
			`controller.quorum.voters=1@127.0.0.1:${this.controller}`,
			`listeners=PLAINTEXT://127.0.0.1:${this.port},CONTROLLER://127.0.0.1:${this.controller}`,
			`advertised.listeners=PLAINTEXT://127.0.0.1:${this.port}`, "controller.listener.names=CONTROLLER",
			`log.dirs=${this.folder}/log`, `num.partitions=${PARTITIONS}`, "offsets.topic.replication.factor=1",
			"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1", ""].join("\n"));
		await run("java", this.java("kafka.tools.StorageTool", "format", "-t", "cG9zdGVybi10ZXN0cy0xMg", "-c"));
	}

	async start() {
		const output = createWriteStream(join(this.folder, "output"), { flags: "a" });
		this.process = spawn("java", this.java("kafka.Kafka"), { stdio: ["ignore", "pipe", "pipe"] });
		this.process.stdout.pipe(output);
		this.process.stderr.pipe(output);
		this.gone = new Promise(done => this.process.on("close", done));
		await until("the broker listens", () => new Promise(done => {
			const socket = connect(this.port, "127.0.0.1", () => done(true)).on("error", () => done(false));
			socket.on("connect", () => socket.destroy());
		}));
	}

	async kill() {
		this.process.kill("SIGKILL");
		await this.gone;
	}
}

test("a real broker and postern are killed: every event arrives, those of a key in their order", async t => {
	for (const program of ["java", "mvn"])
		if (await run(program, ["-version"]).then(() => false, () => true))
			return t.skip(`there is no ${program}: tools/install-packages conformance`);
	const folder = await temporaryFolder(t);
	const broker = new Broker(folder, await jars(), await freePorts(2));
	await broker.format();
	t.after(() => broker.kill());
	await broker.start();
	await writeFile(join(folder, "kafka.properties"), "reconnect.backoff.max.ms=200\n");
	const data = await temporaryFolder(t);
	const start = () => startAt(t, `kafka://127.0.0.1:${broker.port}`,
		{ POSTERN_APP_EVENTS_KAFKA_FILE: join(folder, "kafka.properties") }, data);
	let server = await start();
	const want = new Set();
	const some = async round => {
		for (let i = 0; i < UPLOADS; i++)
			want.add((await upload(server, `${round}-${i}.txt`)).key);
		await upload(server, "same.txt", "x".repeat(round));
	};
	const settled = () => until("all are noted", async () => await metric(server, "waiting") === 0);
	await some(1);
	await settled();
	for (let kill = 1; kill <= KILLS; kill++) {
		const begun = some(kill + 1);
		await broker.kill();
		await begun;
		if (kill % 2) {
			await server.kill();
			server = await start();
		}
		await broker.start();
		await settled();
	}
	const kafka = await startKafka(t, "postern-events", `127.0.0.1:${broker.port}`);
	const told = () => kafka.messages.map(readMessage);
	await until("all are there", () => {
		const keys = new Set(told().map(event => event.subject));
		return [...want].every(key => keys.has(key));
	});
	const sizes = () => told().filter(event => event.subject.endsWith("/same.txt")).map(event => event.data.size);
	await until("the last is there", () => sizes().includes(KILLS + 1));
	assert.deepEqual([...new Set(sizes())], Array.from({ length: KILLS + 1 }, (_, i) => i + 1));
	assert.ok(new Set(kafka.messages.map(message => message.partition)).size > 1);
	t.diagnostic(`${want.size + KILLS + 1} uploads, ${KILLS} kills of the broker, ${kafka.messages.length} messages`);
});
