// SPDX-License-Identifier: Apache-2.0
// Sums files beside the page, which stays quick meanwhile.
import { crc64Of } from "./crc64.js";

addEventListener("message", async ({ data: { id, blob } }) => {
	try {
		postMessage({ id, sum: String(await crc64Of(blob)) });
	} catch (error) {
		postMessage({ id, error: String(error) });
	}
});
