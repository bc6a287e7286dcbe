// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens as an issuer makes them, and the keys that it publishes.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";

const base64url = value => Buffer.from(JSON.stringify(value)).toString("base64url");
const KINDS = {
	RS256: ["rsa", { modulusLength: 2048 }],
	ES256: ["ec", { namedCurve: "P-256" }],
	EdDSA: ["ed25519", {}],
};

/** An issuer with a key of one algorithm; `kid` is its name. */
export function issuer(alg, kid) {
	const [type, options] = KINDS[alg];
	const { publicKey, privateKey } = generateKeyPairSync(type, options);
	return {
		alg, kid, privateKey,
		pem: publicKey.export({ type: "spki", format: "pem" }),
		jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" },
	};
}

/** A token with these claims, which lives for five minutes if they say nothing else. */
export function token(from, claims = {}, header = {}) {
	const text = `${base64url({ alg: from.alg, kid: from.kid, typ: "JWT", ...header })}.`
		+ base64url({ exp: Math.floor(Date.now() / 1000) + 300, ...claims });
	const signature = from.secret
		? createHmac("sha256", from.secret).update(text).digest()
		: sign(from.alg === "EdDSA" ? null : "sha256", Buffer.from(text),
			{ key: from.privateKey, dsaEncoding: "ieee-p1363" });
	return `${text}.${signature.toString("base64url")}`;
}

export const bearer = text => ({ Authorization: `Bearer ${text}` });
