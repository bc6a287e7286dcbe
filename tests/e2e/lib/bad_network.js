// SPDX-License-Identifier: Apache-2.0
// A network between browser and store that is slow, breaks, or changes what it carries.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { pause } from "./server.js";

/**
 * A proxy that a server's grants lead to: `env` is for startServer(), whose server is then given to
 * `leadTo()`. What the network does to the bytes on their way to the store, and may be changed at any time:
 *
 *   bytesPerSecond   of each connection
 *   cutAt            numbers of bytes, of all connections: at each, the connection that reaches it breaks
 *   stopAt           a number of bytes, of all connections: behind it nothing is carried for now
 *   flip             a mark in the bytes: the first bit behind the mark is turned over
 *   flips            how often, at most
 *
 * `seen` counts bytes, cuts and flips; `stopped()` waits until `stopAt` is reached.
 */
export async function startBadNetwork(t) {
	const how = { bytesPerSecond: Infinity, cutAt: [], stopAt: Infinity, flip: null, flips: 0 };
	const seen = { bytes: 0, cuts: 0, flips: 0 };
	const open = new Set();
	let store;
	const server = createServer(browser => {
		const upstream = connect(Number(store.port), store.hostname);
		for (const socket of [browser, upstream]) {
			open.add(socket);
			socket.on("error", () => {});
			socket.on("close", () => {
				open.delete(socket);
				browser.destroy();
				upstream.destroy();
			});
		}
		upstream.pipe(browser);
		carry(browser, upstream);
	});

	async function carry(browser, upstream) {
		try {
			for await (const chunk of browser) {
				while (seen.bytes >= how.stopAt && !browser.destroyed)
					await pause(20);
				seen.bytes += chunk.length;
				if (seen.bytes >= how.cutAt[0]) {
					how.cutAt.shift();
					seen.cuts++;
					browser.resetAndDestroy();
					return;
				}
				const at = how.flip && seen.flips < how.flips ? chunk.indexOf(how.flip) : -1;
				if (at >= 0 && at + how.flip.length < chunk.length) {
					chunk[at + how.flip.length] ^= 1;
					seen.flips++;
				}
				if (!upstream.write(chunk))
					await once(upstream, "drain");
				if (how.bytesPerSecond < Infinity)
					await pause(chunk.length / how.bytesPerSecond * 1000);
			}
			upstream.end();
		} catch {
			// One side has gone, and the other goes with it.
		}
	}

	await new Promise(done => server.listen(0, "127.0.0.1", done));
	t.after(async () => {
		for (const socket of open)
			socket.destroy();
		await new Promise(done => server.close(done));
	});
	const url = `http://127.0.0.1:${server.address().port}`;
	return {
		how, seen, url,
		async stopped() {
			while (seen.bytes < how.stopAt)
				await pause(20);
		},
		env: { POSTERN_APP_HOST: `${url}/uploads` },
		leadTo: to => {
			store = new URL(to.store);
		},
	};
}
