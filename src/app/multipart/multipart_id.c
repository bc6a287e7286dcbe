/* SPDX-License-Identifier: Apache-2.0 */
#include "app/multipart/multipart_id.h"

#include "base/encode.h"

#define MAC_BYTES 16
#define MAC_LENGTH (2 * MAC_BYTES)
#define SIGNED_BYTES_MAX (MULTIPART_ID_MAX + LIMIT_KEY_BYTES + KIB(4))

/* Lengths come first, so that no two pairs of object and subject look the same. */
static bool add_mac(const struct ticket_key *key, struct slice text, struct slice object,
	struct slice subject, struct strbuf *out)
{
	uint8_t mac[SHA256_BYTES];
	SCOPED_STRBUF(all, SIGNED_BYTES_MAX);
	strbuf_addf(&all, "postern multipart v1\n%zu %zu\n", object.len, subject.len);
	strbuf_add_slice(&all, object);
	strbuf_add_slice(&all, subject);
	strbuf_add_slice(&all, text);
	if (strbuf_broken(&all))
		return false;
	hmac_sha256_sign(&key->hmac, strbuf_slice(&all), mac);
	hex_encode_lower(out, slice_of(mac, MAC_BYTES));
	return !strbuf_broken(out);
}

bool multipart_id_add(const struct ticket_key *key, const struct multipart_id *id,
	struct slice object, struct slice subject, struct strbuf *out)
{
	SCOPED_STRBUF(text, MULTIPART_ID_MAX - MAC_LENGTH - 1);
	strbuf_add(&text, id->grant_id, TICKET_ID_LENGTH);
	strbuf_addf(&text, ".%lld.%lld.%s.", (long long)id->expires, (long long)id->max_size,
		id->profile);
	base64url_encode(&text, slice_str(id->upload));
	if (id->variables_len > 0) {
		strbuf_addc(&text, '.');
		base64url_encode(&text, slice_of(id->variables, id->variables_len));
	}
	if (strbuf_broken(&text))
		return false;
	strbuf_add_slice(out, strbuf_slice(&text));
	strbuf_addc(out, '.');
	return add_mac(key, strbuf_slice(&text), object, subject, out);
}

static bool take_number(struct slice *rest, int64_t *ret)
{
	struct slice text;
	uint64_t number;
	if (!slice_cut(rest, '.', &text) || !slice_to_u64(text, &number) || number > INT64_MAX)
		return false;
	*ret = (int64_t)number;
	return true;
}

static bool take_text(struct slice text, size_t max, char *ret)
{
	if (text.len > max || slice_find(text, '\0') < text.len)
		return false;
	if (text.len > 0)
		memcpy(ret, text.ptr, text.len);
	ret[text.len] = '\0';
	return true;
}

static enum err parse_signed(struct slice text, struct multipart_id *ret)
{
	struct slice id, profile, name;
	SCOPED_STRBUF(upload, MULTIPART_UPLOAD_MAX);
	if (!slice_cut(&text, '.', &id) || id.len != TICKET_ID_LENGTH ||
		!take_number(&text, &ret->expires) || !take_number(&text, &ret->max_size) ||
		!slice_cut(&text, '.', &profile) ||
		!take_text(profile, LIMIT_PROFILE_NAME_BYTES, ret->profile) ||
		(slice_cut(&text, '.', &name) && text.len == 0) ||
		!base64url_decode_into(
			text, ret->variables, LIMIT_VARIABLES_BYTES, &ret->variables_len) ||
		!base64url_decode(&upload, name) ||
		!take_text(strbuf_slice(&upload), MULTIPART_UPLOAD_MAX, ret->upload))
		return strbuf_starved(&upload) ? ERR_UNAVAILABLE : ERR_INVALID_ARGUMENT;
	memcpy(ret->grant_id, id.ptr, TICKET_ID_LENGTH);
	return ERR_OK;
}

enum err multipart_id_parse(const struct ticket_key *key, struct slice text, struct slice object,
	struct slice subject, struct multipart_id *ret)
{
	SCOPED_STRBUF(want, MAC_LENGTH);
	if (text.len > MULTIPART_ID_MAX || text.len < MAC_LENGTH + 1)
		return ERR_INVALID_ARGUMENT;
	size_t dot = text.len - MAC_LENGTH - 1;
	if (text.ptr[dot] != '.')
		return ERR_INVALID_ARGUMENT;
	if (!add_mac(key, slice_head(text, dot), object, subject, &want))
		return ERR_UNAVAILABLE;
	if (!slice_eq_secret(strbuf_slice(&want), slice_from(text, dot + 1)))
		return ERR_INVALID_ARGUMENT;
	return parse_signed(slice_head(text, dot), ret);
}
