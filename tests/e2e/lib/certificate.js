// SPDX-License-Identifier: Apache-2.0
// Certificates that a test makes, and puts in place as certbot would.
import { execFile } from "node:child_process";
import { rename } from "node:fs/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes NAME.crt and NAME.key, signed by itself for the loopback. */
export async function makeCertificate(folder, name, { days = 2, command = [] } = {}) {
	const all = [...command, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", `/CN=${name}`, "-days", String(days), "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
		"-keyout", `${folder}/${name}.key`, "-out", `${folder}/${name}.crt`];
	await run(all[0], all.slice(1));
}

/** Replaces AS.crt and AS.key by those of NAME. */
export async function installCertificate(folder, name, as) {
	await rename(`${folder}/${name}.key`, `${folder}/${as}.key`);
	await rename(`${folder}/${name}.crt`, `${folder}/${as}.crt`);
}

/** The environment of a server whose store speaks TLS, with a new certificate: FOLDER/store.crt and store.key. */
export async function tlsStore(folder, name = "first") {
	await makeCertificate(folder, name);
	await installCertificate(folder, name, "store");
	return {
		POSTERN_STORE_TLS_CERTIFICATE: `${folder}/store.crt`,
		POSTERN_STORE_TLS_KEY: `${folder}/store.key`,
	};
}

/** The name in the certificate that a new connection is shown. */
export function certificateName(url, options = {}) {
	const { hostname, port } = new URL(url);
	return new Promise((done, fail) => {
		const socket = connect({ host: hostname, port, rejectUnauthorized: false, ...options }, () => {
			done(socket.getPeerCertificate().subject.CN);
			socket.destroy();
		});
		socket.on("error", fail);
	});
}
