/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/session.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/secret.h"

/* Another format would be another purpose, and so its tokens could not be taken for these. */
#define PURPOSE S("postern session 1")

enum {
	PLAIN_BYTES_MAX = 8 << 10,
};

static void add_text(struct strbuf *out, struct slice text)
{
	strbuf_addc(out, (char)text.len);
	strbuf_add_slice(out, text);
}

static void add_plain(const struct session *session, struct strbuf *out)
{
	uint64_t expires_ms = (uint64_t)session->expires_ms;
	for (unsigned shift = 0; shift < 64; shift += 8)
		strbuf_addc(out, (char)(expires_ms >> shift));
	strbuf_add(out, session->parent_mark, SESSION_MARK_BYTES);
	add_text(out, session->id);
	add_text(out, session->secret);
	add_text(out, session->parent);
	strbuf_addc(out, session->restricted ? 1 : 0);
	strbuf_add_slice(out, session->policy);
}

bool session_seal(
	const struct session *session, const uint8_t key[SEAL_KEY_BYTES], struct strbuf *out)
{
	SCOPED_STRBUF(plain, PLAIN_BYTES_MAX);
	SCOPED_STRBUF(sealed, PLAIN_BYTES_MAX + SEAL_EXTRA_BYTES);
	if (session->id.len > 255 || session->secret.len > 255 || session->parent.len > 255)
		return false;
	add_plain(session, &plain);
	bool done = !strbuf_broken(&plain) && seal(key, PURPOSE, strbuf_slice(&plain), &sealed);
	secret_wipe(plain.ptr, plain.len);
	if (!done)
		return false;
	base64_encode(out, strbuf_slice(&sealed));
	return !strbuf_broken(out);
}

static bool take(struct slice *rest, size_t len, struct slice *ret)
{
	if (rest->len < len)
		return false;
	*ret = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	return true;
}

static bool take_text(struct slice *rest, struct slice *ret)
{
	struct slice len;
	return take(rest, 1, &len) && take(rest, (unsigned char)len.ptr[0], ret);
}

static bool read_plain(struct slice plain, struct session *ret)
{
	struct slice expires, mark, restricted;
	uint64_t expires_ms = 0;
	if (!take(&plain, 8, &expires) || !take(&plain, SESSION_MARK_BYTES, &mark) ||
		!take_text(&plain, &ret->id) || !take_text(&plain, &ret->secret) ||
		!take_text(&plain, &ret->parent) || !take(&plain, 1, &restricted))
		return false;
	for (unsigned i = 0; i < 8; i++)
		expires_ms |= (uint64_t)(unsigned char)expires.ptr[i] << 8 * i;
	ret->expires_ms = (int64_t)expires_ms;
	memcpy(ret->parent_mark, mark.ptr, SESSION_MARK_BYTES);
	ret->restricted = restricted.ptr[0] != 0;
	ret->policy = plain;
	return true;
}

enum err session_open(struct slice token, const uint8_t key[SEAL_KEY_BYTES], struct arena *arena,
	struct session *ret)
{
	SCOPED_STRBUF(sealed, PLAIN_BYTES_MAX + SEAL_EXTRA_BYTES);
	SCOPED_STRBUF(plain, PLAIN_BYTES_MAX);
	struct session session;
	if (!base64_decode(&sealed, token) ||
		!seal_open(key, PURPOSE, strbuf_slice(&sealed), &plain))
		return strbuf_starved(&sealed) || strbuf_starved(&plain)
			       ? ERR_UNAVAILABLE
			       : ERR_INVALID_SECURITY_TOKEN;
	struct slice copy = arena_copy(arena, strbuf_slice(&plain));
	secret_wipe(plain.ptr, plain.len);
	if (!copy.ptr)
		return ERR_UNAVAILABLE;
	if (!read_plain(copy, &session))
		return ERR_INVALID_SECURITY_TOKEN;
	*ret = session;
	return ERR_OK;
}
