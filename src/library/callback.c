/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "crypto/rsa.h"
#include "library/internal.h"
#include "oss/callback/callback_signature.h"

#define KEY_URL_BYTES_MAX KIB(2)

/* Where OSS has the keys of its callbacks. */
static const char *const keys_of_oss[] = {
	"http://gosspublic.alicdn.com/", "https://gosspublic.alicdn.com/"};

int postern_callback_verify(
	const struct postern_callback *callback, const char *pem, size_t pem_size)
{
	struct rsa_public *key = NULL;
	if (!HAS_MEMBERS(callback, body_size) || (!callback->body && callback->body_size) || !pem)
		return POSTERN_INVALID;
	enum err e = rsa_public_parse(slice_of(pem, pem_size), &key);
	if (e)
		return e == ERR_UNAVAILABLE ? POSTERN_NO_MEMORY : POSTERN_NO_KEY;
	e = callback_authenticate(key, slice_str(callback->target),
		slice_trim(slice_str(callback->authorization)),
		slice_of(callback->body, callback->body_size));
	rsa_public_free(key);
	return e == ERR_OK            ? POSTERN_OK
	       : e == ERR_UNAVAILABLE ? POSTERN_NO_MEMORY
				      : POSTERN_NOT_AUTHENTIC;
}

/* Visible ASCII alone, so that nobody who fetches it reads it as another URL. */
static bool is_plain(struct slice url)
{
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= 0x20 || (unsigned char)url.ptr[i] >= 0x7f)
			return false;
	return url.len > 0;
}

static bool is_trusted(struct slice url, const char *const *trusted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slice entry = slice_str(trusted[i]);
		if (slice_ends(entry, S("/")) ? slice_starts(url, entry)
					      : entry.len > 0 && slice_eq(url, entry))
			return is_plain(url);
	}
	return false;
}

int postern_callback_verify_by_url(const struct postern_callback *callback,
	const char *const *trusted, size_t trusted_count, postern_find_key *find_key, void *context)
{
	char pem[LIMIT_PUBLIC_KEY_BYTES];
	SCOPED_STRBUF(url, KEY_URL_BYTES_MAX);
	if (!HAS_MEMBERS(callback, body_size) || !find_key || (!trusted && trusted_count))
		return POSTERN_INVALID;
	if (!trusted) {
		trusted = keys_of_oss;
		trusted_count = ARRAY_LEN(keys_of_oss);
	}
	if (!base64_decode(&url, slice_trim(slice_str(callback->key_url))))
		return strbuf_starved(&url) ? POSTERN_NO_MEMORY : POSTERN_NOT_TRUSTED;
	if (!is_trusted(strbuf_slice(&url), trusted, trusted_count))
		return POSTERN_NOT_TRUSTED;
	size_t len = find_key(context, url.ptr, pem, sizeof(pem));
	if (len == 0 || len > sizeof(pem))
		return POSTERN_NO_KEY;
	return postern_callback_verify(callback, pem, len);
}
