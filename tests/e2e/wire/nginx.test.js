// SPDX-License-Identifier: Apache-2.0
// nginx in front of the store, over connections that it keeps: whatever a client makes of lengths,
// the next request of another client is answered with its own answer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { connect } from "../lib/http.js";
import { getObject, request, send } from "../lib/oss.js";
import { cleanups, startServer, temporaryFolder } from "../lib/server.js";
import { putOpenObject } from "../lib/wire.js";

const all = cleanups();
let store, front;
before(async () => {
	({ store } = await startServer(all));
	await putOpenObject(store);
	await request(store, "PUT", "anyone", "", { headers: { "x-oss-acl": "public-read-write" } });
	front = await startNginx();
});
after(all.run);

async function freePort() {
	const server = createServer();
	await new Promise(done => server.listen(0, "127.0.0.1", done));
	const { port } = server.address();
	await new Promise(done => server.close(done));
	return port;
}

async function startNginx() {
	const folder = await temporaryFolder(all);
	const port = await freePort();
	await mkdir(`${folder}/tmp`);
	await chmod(folder, 0o755);
	await chmod(`${folder}/tmp`, 0o777);
	const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
		.map(name => `${name}_temp_path ${folder}/tmp/${name};`).join("\n");
	await writeFile(`${folder}/nginx.conf`, `daemon off; pid ${folder}/pid; error_log ${folder}/log; worker_processes 1;
		events { worker_connections 64; }
		http {
			access_log off; ${temporary}
			upstream store { server ${new URL(store).host}; keepalive 1; }
			server {
				listen 127.0.0.1:${port};
				location / {
					proxy_pass http://store; proxy_http_version 1.1; proxy_set_header Connection "";
					proxy_set_header Host localhost; proxy_request_buffering off; proxy_buffering off;
				}
			}
		}`);
	const nginx = spawn("/usr/sbin/nginx", ["-p", folder, "-e", `${folder}/log`, "-c", `${folder}/nginx.conf`], { stdio: "ignore" });
	const ended = new Promise(done => nginx.on("close", done));
	all.after(async () => {
		nginx.kill();
		await ended;
	});
	for (;;) {
		const up = await send(`http://127.0.0.1:${port}/uploads/open.txt`).catch(() => null);
		if (up)
			return `http://127.0.0.1:${port}`;
		assert.equal(nginx.exitCode, null, "nginx runs");
	}
}

const CHUNKS = "5\r\nhello\r\n0\r\n\r\n";
const SMUGGLED = "PUT /anyone/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";

test("a client cannot shift what the next one asks", async () => {
	const put = lines => `PUT /anyone/mine HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`;
	const both = `Content-Length: ${CHUNKS.length}\r\nTransfer-Encoding: chunked\r\n`;
	for (const bytes of [
		put(both) + CHUNKS + SMUGGLED,
		put(`Content-Length: ${CHUNKS.length + SMUGGLED.length}\r\nTransfer-Encoding: chunked\r\n`) + CHUNKS + SMUGGLED,
		put("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + CHUNKS + SMUGGLED,
		put("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n") + "ffff\r\n",
		put("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n") + CHUNKS + SMUGGLED,
		put("Transfer-Encoding: chunked, identity\r\nContent-Length: 3\r\n") + CHUNKS + SMUGGLED,
		put("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n") + CHUNKS + SMUGGLED,
		put("Transfer-Encoding:\x0bchunked\r\nContent-Length: 3\r\n") + CHUNKS + SMUGGLED,
		put("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + CHUNKS + SMUGGLED,
		put("Transfer-Encoding: chunked\r\n") + CHUNKS + SMUGGLED.replace("1000", "0"),
		`GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
		`GET /uploads/open.txt HTTP/1.1\r\nHost: localhost\r\n${both}\r\n${CHUNKS}${SMUGGLED}`,
	]) {
		const connection = await connect(front);
		await connection.send(bytes);
		for (let i = 0; i < 8; i++) {
			const got = await send(`${front}/uploads/open.txt?turn=${i}`);
			assert.deepEqual([got.status, got.text], [200, "0123456789"], JSON.stringify(bytes));
		}
		connection.destroy();
		const body = await getObject(store, "smuggled", "anyone");
		assert.ok(body === null || body.length === 0, `${JSON.stringify(bytes)}: ${body}`);
	}
});

test("what the store closes, nginx opens again", async () => {
	for (let i = 0; i < 4; i++) {
		const direct = await connect(store);
		await direct.send(`PUT /anyone/direct HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`);
		assert.equal((await direct.response()).status, 200);
		direct.destroy();
		assert.equal((await send(`${front}/anyone/direct`)).text, "hello");
	}
});
