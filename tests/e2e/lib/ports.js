// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:net";

/** Ports of the loopback that nobody else has, all at once. */
export async function freePorts(count) {
	const servers = await Promise.all(Array.from({ length: count }, () => new Promise(done => {
		const server = createServer().listen(0, "127.0.0.1", () => done(server));
	})));
	const ports = servers.map(server => server.address().port);
	await Promise.all(servers.map(server => new Promise(done => server.close(done))));
	return ports;
}
