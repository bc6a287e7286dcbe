/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials in files: a JSON document, or id, secret and perhaps token in a file each. Who swaps
 * them, as Kubernetes does by a rename, may do so between two of our reads: what was read counts if
 * it is read once more.
 */
#include "app/credentials/source.h"
#include "crypto/secret.h"

#define READS_MAX 4

/* Appends what the files have, each behind its length. */
static bool read_all(struct source_call *call, struct strbuf *out, struct slice ret[3])
{
	const struct provider_options *o = call->options;
	const struct slice paths[] = {o->id_file, o->secret_file, o->token_file};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		SCOPED_STRBUF(text, LIMIT_CREDENTIALS_BYTES);
		bool ok = paths[i].len == 0 || source_read(call, paths[i].ptr, &text);
		ret[i] = ok ? arena_copy(call->arena, strbuf_slice(&text)) : S("");
		strbuf_addf(out, "%zu ", text.len);
		strbuf_add_slice(out, strbuf_slice(&text));
		secret_wipe(text.ptr, text.len);
		if (!ok)
			return false;
		if (!ret[i].ptr)
			return source_fail(call, "there is no memory");
	}
	return true;
}

static bool read_texts(struct source_call *call)
{
	SCOPED_STRBUF(before, 4 * LIMIT_CREDENTIALS_BYTES);
	SCOPED_STRBUF(again, 4 * LIMIT_CREDENTIALS_BYTES);
	struct slice texts[3];
	bool ok = read_all(call, &before, texts), same = false;
	for (int i = 1; ok && !same && i < READS_MAX; i++) {
		ok = read_all(call, &again, texts);
		same = slice_eq(strbuf_slice(&before), strbuf_slice(&again));
		secret_wipe(before.ptr, before.len);
		strbuf_clear(&before);
		strbuf_add_slice(&before, strbuf_slice(&again));
		secret_wipe(again.ptr, again.len);
		strbuf_clear(&again);
	}
	secret_wipe(before.ptr, before.len);
	call->values =
		(struct credential_values){texts[0], texts[1], texts[2], CREDENTIALS_FOREVER};
	return ok && (same || source_fail(call, "the files change all the time"));
}

bool source_file(struct source_call *call)
{
	const struct provider_options *o = call->options;
	SCOPED_STRBUF(json, LIMIT_CREDENTIALS_BYTES);
	if (o->file.len == 0)
		return read_texts(call);
	bool ok = source_read(call, o->file.ptr, &json) &&
		  source_parse(call, o->file.ptr, strbuf_slice(&json));
	secret_wipe(json.ptr, json.len);
	return ok;
}
