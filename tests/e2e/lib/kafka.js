// SPDX-License-Identifier: Apache-2.0
// A cluster of Kafka on ports of the loopback (tests/kafka/cluster.c).
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { BIN } from "./server.js";

/** @param {{after: (job: () => Promise<void>) => void}} t */
export async function startKafka(t, topic = "postern-events") {
	const process_ = spawn(join(dirname(BIN), "tests/kafka/cluster"), [topic], { stdio: ["pipe", "pipe", "inherit"] });
	const gone = new Promise(done => process_.on("close", done));
	t.after(async () => {
		process_.stdin.end();
		await gone;
	});
	/** @type {Array<{partition: number, offset: number, key: string, value: string, headers: Record<string, string>}>} */
	const messages = [];
	const answers = [];
	const waiting = [];
	createInterface({ input: process_.stdout }).on("line", line => {
		if (line.startsWith("{"))
			messages.push(JSON.parse(line));
		else if (waiting.length)
			waiting.shift()(line);
		else
			answers.push(line);
	});
	const answer = () => Promise.race([gone.then(() => {
		throw new Error("the cluster has ended");
	}), answers.length ? answers.shift() : new Promise(done => waiting.push(done))]);
	const brokers = /^bootstrap (.*)$/.exec(await answer())[1];
	return {
		url: `kafka://${brokers}`,
		messages,
		/** `down`, `up`, `fail N` or `lose N`. */
		async tell(command) {
			process_.stdin.write(`${command}\n`);
			await answer();
		},
	};
}
