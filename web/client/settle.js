// SPDX-License-Identifier: Apache-2.0
// Waits for the end of an upload that was not decided at once: the application server checks it, or
// the callback got lost. It is asked for the grant (GET /grants/ID) until it knows.
//
//     createUploader({ settle: createSettle() });
//
// It works for forms of one key. Of a form for many files nobody can tell which of them it was.
import { UploadError } from "./errors.js";

/** Each further wait is half as long again. */
const FIRST_MS = 2000;
const LONGEST_MS = 30000;

/**
 * @param {{url?: string, patienceMs?: number}} [options] url: where grants are asked for, by default
 *   "/grants"; patienceMs: for how long, by default 15 minutes
 * @returns {import("./upload.js").Settle}
 */
export function createSettle({ url = "/grants", patienceMs = 900000 } = {}) {
	return async (outcome, { tools: { clock, http }, signal }) => {
		const { grant, result } = outcome;
		if (!grant?.id || !grant.grant || !grant.fields.key)
			return outcome;
		const asked = `${url}/${encodeURIComponent(grant.id)}?grant=${encodeURIComponent(grant.grant)}`;
		const until = clock.now() + patienceMs;
		for (let wait = FIRST_MS; clock.now() < until; wait = Math.min(wait * 1.5, LONGEST_MS)) {
			await new Promise(then => clock.after(wait, () => then(undefined)));
			const answer = signal.aborted ? null : await http.send({ method: "GET", url: asked, signal });
			if (!answer || signal.aborted)
				return outcome;
			const json = answer.status === 200 ? parse(answer.text) : null;
			// A grant that is not known is of a server that keeps none.
			if (answer.status === 404)
				return outcome;
			if ((json?.state === "confirmed" || json?.state === "found") && json.last?.object === result.key)
				return { result: { ...result, text: answer.text, json }, error: null };
			if (json?.state === "rejected" || json?.state === "expired")
				return { result, error: new UploadError("callback", json.reason || `The upload is ${json.state}.`,
					{ status: result.status, response: answer.text, url: asked }) };
		}
		return outcome;
	};
}

/** @param {string} text */
function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
