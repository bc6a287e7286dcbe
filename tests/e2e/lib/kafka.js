// SPDX-License-Identifier: Apache-2.0
// A cluster of Kafka on ports of the loopback, or what comes to a real broker (tests/kafka/cluster.c).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { CloudEvent } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { SECRET } from "./events.js";
import { BIN } from "./server.js";

/** What a back end does with a message: the signature checked, the event read. */
export function readMessage({ key, value, headers }) {
	new Webhook(SECRET).verify(value, headers);
	assert.equal(headers["content-type"], "application/cloudevents+json; charset=utf-8");
	const ret = new CloudEvent(JSON.parse(value));
	ret.validate();
	assert.equal(ret.id, headers["webhook-id"]);
	assert.equal(ret.subject, key);
	return ret;
}

/**
 * @param {{after: (job: () => Promise<void>) => void}} t
 * @param {string[]} brokers `HOST:PORT` of one that is there, and has the topic
 */
export async function startKafka(t, topic = "postern-events", ...brokers) {
	const process_ = spawn(join(dirname(BIN), "tests/kafka/cluster"), [topic, ...brokers],
		{ stdio: ["pipe", "pipe", "inherit"] });
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
	const bootstrap = /^bootstrap (.*)$/.exec(await answer())[1];
	return {
		url: `kafka://${bootstrap}`,
		messages,
		/** `down`, `up`, `fail N` or `lose N`. */
		async tell(command) {
			process_.stdin.write(`${command}\n`);
			await answer();
		},
	};
}
