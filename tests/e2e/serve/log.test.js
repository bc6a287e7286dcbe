// SPDX-License-Identifier: Apache-2.0
// Whoever reads the log may stall: the server goes on answering, says how much was lost, and stops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request, send } from "../lib/oss.js";
import { startServer } from "../lib/server.js";

/** More lines than a pipe and the server keep. */
async function manyLines(server) {
	const long = "x".repeat(400);
	for (let round = 0; round < 100; round++)
		await Promise.all(Array.from({ length: 60 }, async () => {
			const got = await send(`${server.store}/uploads/none?stranger=${long}`);
			assert.equal(got.status, 403);
		}));
}

const dropped = async server => Number(/^postern_log_lines_dropped_total (\d+)$/m
	.exec((await send(`${server.console}/metrics`)).text)[1]);

test("a log that nobody reads stops nothing, and what is lost is told", async t => {
	const server = await startServer(t);
	assert.equal(await dropped(server), 0);
	server.stallLog();
	await manyLines(server);
	assert.equal((await request(server.store, "PUT", "uploads", "a", { body: "a" })).status, 200);
	const lost = await dropped(server);
	assert.ok(lost > 0, "more was logged than fits");
	server.stallLog(false);
	await server.logged(/error the log was not read in time: \d+ lines were dropped\n/);
	const told = [...server.log.matchAll(/in time: (\d+) lines/g)].reduce((sum, [, n]) => sum + Number(n), 0);
	assert.ok(told >= lost, `${told} of ${lost}`);
	// Whole lines came, before and behind the gap.
	for (const line of server.log.split("\n").slice(0, -1))
		assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (info|error) /);
	await send(`${server.store}/uploads/after-it`);
	await server.logged(/after-it/);
});

test("it stops, too", async t => {
	const server = await startServer(t);
	server.stallLog();
	await manyLines(server);
	const end = server.stop();
	await server.gone;
	server.stallLog(false);
	await end;
});
