// SPDX-License-Identifier: Apache-2.0
// Sends a file by one form, with a grant that many files share.
import { UploadError, callbackError, networkError, storeError } from "./errors.js";
import { buildForm, objectKey, storedKey } from "./form.js";
import { checkLimits } from "./limits.js";
import { persist } from "./retry.js";
import { sendWatched } from "./watched.js";

/** @param {import("./upload.js").Job} job @returns {Promise<import("./upload.js").Outcome>} */
export async function sendForm(job) {
	// A made-up name is made up once: what is sent again takes the place of what was sent.
	/** @type {{grant: string, key: string} | null} */
	let named = null;
	return persist(async () => {
		job.become("signing");
		const more = await job.options.proof?.before(job.file, job.signal);
		let outcome;
		for (let tries = 0; tries < 2 && !outcome; tries++) {
			job.become("signing");
			const grant = await job.tools.grants.take();
			job.signal.throwIfAborted();
			const refusal = checkLimits(job.file, grant);
			if (refusal)
				throw refusal;
			if (named?.grant !== grant.dir)
				named = { grant: grant.dir, key: objectKey(job.file, grant, job.options) };
			outcome = await post(job, grant, named.key, more ?? {}, tries > 0);
		}
		return /** @type {import("./upload.js").Outcome} */ (outcome);
	}, job.tools, job.signal, job.retrying);
}

/**
 * Sends the file once. Null: the grant had expired or was used up, and it is worth trying with a
 * new one.
 * @param {import("./upload.js").Job} job
 * @param {import("./grant.js").Grant} grant
 * @param {string} key
 * @param {Record<string, string>} more
 * @param {boolean} last
 * @returns {Promise<import("./upload.js").Outcome | null>}
 */
async function post({ file, options, tools, signal, ...job }, grant, key, more, last) {
	const { url } = grant;
	const stored = storedKey(key, file);
	job.named(stored);
	job.progress(0, file.size);
	job.become("sending");
	const { answer, moved, stalled } = await sendWatched({
		method: "POST",
		url,
		body: buildForm(file, key, grant, { ...options.fields, ...more }),
		signal,
		onProgress: job.progress,
		onSent: job.sent,
	}, tools);
	signal.throwIfAborted();
	tools.admitted ||= moved || answer.status > 0;
	if (stalled)
		throw new UploadError("stalled", "Nothing moved.", { url, again: true });
	const { status } = answer;
	if (status === 0)
		throw await networkError(url, file, tools.http, tools.admitted);
	const failed = status < 200 || status > 299;
	const json = parseJson(answer.text);
	const error = failed ? storeError(answer, url, tools.clock.now())
		: status === 203 || json?.Status === "Pending" ? callbackError(answer, url) : null;
	if (error?.kind === "expired" || error?.kind === "used") {
		tools.grants.discard(grant);
		if (!last)
			return null;
	}
	if (failed)
		throw error;
	options.proof?.after(answer, more["x:crc64"]);
	return {
		error,
		grant,
		result: {
			status,
			key: stored,
			etag: answer.header("etag") ?? "",
			requestId: answer.header("x-oss-request-id") ?? "",
			text: answer.text,
			json,
		},
	};
}

/** @param {string} text */
function parseJson(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
