// SPDX-License-Identifier: Apache-2.0
// Many more signatures of ali-oss than `make test` tries. For those of the Python SDKs:
// `SIGNATURE_ROUNDS=20000 tests/conformance/run --only signatures oss2 alibabacloud-oss-v2`.
process.env.SIGNATURE_ROUNDS ??= "20000";
await import("../conformance/ali-oss/signatures.test.js");
