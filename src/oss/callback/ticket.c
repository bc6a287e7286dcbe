/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/ticket.h"

#include "base/encode.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

#define MAC_BYTES 16
#define MAC_LENGTH (2 * MAC_BYTES)
#define SECONDS_LENGTH_MAX 12
#define ID_TIME_BYTES 6

static void mac_of(const struct ticket_key *key, struct slice signed_text, char ret[MAC_LENGTH])
{
	uint8_t mac[SHA256_BYTES];
	hmac_sha256_sign(&key->hmac, signed_text, mac);
	hex_encode_lower_into(ret, slice_of(mac, MAC_BYTES));
}

void ticket_key_derive(struct slice access_key_secret, struct ticket_key *ret)
{
	uint8_t derived[SHA256_BYTES];
	hmac_sha256_of(access_key_secret, S("postern grant v2"), derived);
	hmac_sha256_key(&ret->hmac, slice_of(derived, sizeof(derived)));
}

void ticket_make_id(int64_t now_ms, char ret[TICKET_ID_LENGTH])
{
	int64_t now = now_ms / 1000, part = now_ms % 1000 * 65536 / 1000;
	uint8_t id[TICKET_ID_LENGTH / 2] = {(uint8_t)(now >> 24), (uint8_t)(now >> 16),
		(uint8_t)(now >> 8), (uint8_t)now, (uint8_t)(part >> 8), (uint8_t)part};
	random_bytes(id + ID_TIME_BYTES, sizeof(id) - ID_TIME_BYTES);
	hex_encode_lower_into(ret, slice_of(id, sizeof(id)));
}

int64_t ticket_id_time(struct slice id)
{
	uint8_t time[4];
	if (id.len != TICKET_ID_LENGTH ||
		!hex_decode(slice_head(id, 2 * sizeof(time)), time, sizeof(time)))
		return -1;
	return (int64_t)time[0] << 24 | time[1] << 16 | time[2] << 8 | time[3];
}

bool ticket_is_profile_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '_')
			return false;
	}
	return name.len > 0 && name.len <= LIMIT_PROFILE_NAME_BYTES;
}

static bool is_possible(const struct ticket_terms *terms)
{
	return terms->prefix.len <= LIMIT_KEY_BYTES && terms->issued >= 0 && terms->expires >= 0 &&
	       terms->variables.len <= LIMIT_VARIABLES_BYTES &&
	       (terms->profile.len == 0 || ticket_is_profile_name(terms->profile));
}

static void add_kind(const struct ticket_terms *terms, struct strbuf *out)
{
	bool form = terms->kind == TICKET_FORM;
	strbuf_adds(out, terms->variables.len > 0 ? (form ? "F" : "C") : (form ? "f" : "c"));
	if (terms->profile.len > 0)
		strbuf_addc(out, '-');
	strbuf_add_slice(out, terms->profile);
}

bool ticket_issue(
	const struct ticket_key *key, const struct ticket_terms *terms, struct strbuf *out)
{
	size_t start = out->len;
	if (!is_possible(terms))
		return false;
	strbuf_add(out, terms->id, TICKET_ID_LENGTH);
	strbuf_addc(out, '.');
	add_kind(terms, out);
	strbuf_addc(out, '.');
	strbuf_add_u64(out, (uint64_t)terms->issued);
	strbuf_addc(out, '.');
	strbuf_add_u64(out, (uint64_t)terms->expires);
	strbuf_addc(out, '.');
	base64url_encode(out, terms->prefix);
	if (terms->variables.len > 0) {
		strbuf_addc(out, '.');
		base64url_encode(out, terms->variables);
	}
	char mac[MAC_LENGTH];
	mac_of(key, slice_from(strbuf_slice(out), start), mac);
	strbuf_addc(out, '.');
	strbuf_add(out, mac, sizeof(mac));
	return !strbuf_broken(out);
}

bool ticket_countersign(const struct ticket_key *key, struct strbuf *ticket)
{
	char mac[MAC_LENGTH];
	mac_of(key, strbuf_slice(ticket), mac);
	strbuf_addc(ticket, '.');
	strbuf_add(ticket, mac, sizeof(mac));
	return !strbuf_broken(ticket) && ticket->len <= TICKET_TEXT_MAX;
}

/* What is before the last dot, and the MAC behind it. */
static bool split_mac(struct slice text, struct slice *ret_signed, struct slice *ret_mac)
{
	if (text.len > TICKET_TEXT_MAX || text.len < MAC_LENGTH + 1)
		return false;
	size_t dot = text.len - MAC_LENGTH - 1;
	*ret_signed = slice_head(text, dot);
	*ret_mac = slice_from(text, dot + 1);
	return text.ptr[dot] == '.';
}

static bool is_hex(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_digit(text.ptr[i]) && !(text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))
			return false;
	return true;
}

static bool take_seconds(struct slice *rest, int64_t *ret)
{
	struct slice text;
	uint64_t seconds;
	if (!slice_cut(rest, '.', &text) || text.len > SECONDS_LENGTH_MAX ||
		!slice_to_u64(text, &seconds))
		return false;
	*ret = (int64_t)seconds;
	return true;
}

/* "f", "c", or one of them with `-` and a profile's name; a capital letter: there are variables. */
static bool parse_kind(struct slice text, struct ticket *ret, bool *ret_variables)
{
	struct slice profile = slice_from(text, 2);
	char kind = text.len > 0 ? ascii_lower(text.ptr[0]) : '\0';
	if ((kind != 'f' && kind != 'c') ||
		(text.len > 1 && (text.ptr[1] != '-' || !ticket_is_profile_name(profile))))
		return false;
	ret->kind = kind == 'f' ? TICKET_FORM : TICKET_CLASSIC;
	*ret_variables = text.ptr[0] != kind;
	if (profile.len > 0)
		memcpy(ret->profile, profile.ptr, profile.len);
	ret->profile[profile.len] = '\0';
	return true;
}

static bool parse_signed(struct slice text, struct ticket *ret)
{
	struct slice id, kind, prefix = text;
	bool has_variables;
	if (!slice_cut(&text, '.', &id) || id.len != TICKET_ID_LENGTH || !is_hex(id) ||
		!slice_cut(&text, '.', &kind) || !parse_kind(kind, ret, &has_variables) ||
		!take_seconds(&text, &ret->issued) || !take_seconds(&text, &ret->expires))
		return false;
	memcpy(ret->id, id.ptr, id.len);
	ret->variables_len = 0;
	if (slice_cut(&text, '.', &prefix) != has_variables)
		return false;
	return base64url_decode_into(prefix, ret->prefix, LIMIT_KEY_BYTES, &ret->prefix_len) &&
	       (!has_variables || base64url_decode_into(text, ret->variables, LIMIT_VARIABLES_BYTES,
					  &ret->variables_len));
}

/*
 * Reads a ticket: *ret_own is it without a second MAC. No ticket is one with a MAC more, because
 * prefix and variables have no dot, and the kind says whether both are there.
 */
static bool parse(struct slice text, struct slice *ret_own, struct ticket *ret)
{
	struct slice signed_text, mac;
	if (!split_mac(text, &signed_text, &mac) || !is_hex(mac))
		return false;
	*ret_own = text;
	if (parse_signed(signed_text, ret))
		return true;
	*ret_own = signed_text;
	return split_mac(*ret_own, &signed_text, &mac) && is_hex(mac) &&
	       parse_signed(signed_text, ret);
}

bool ticket_has_form(struct slice text)
{
	struct slice own;
	struct ticket ticket;
	return parse(text, &own, &ticket);
}

bool ticket_is_of(const struct ticket_key *key, struct slice text)
{
	struct slice signed_text, mac;
	char want[MAC_LENGTH];
	if (!split_mac(text, &signed_text, &mac))
		return false;
	mac_of(key, signed_text, want);
	return slice_eq_secret(slice_of(want, sizeof(want)), mac);
}

bool ticket_is_signers(const struct ticket_key *key, struct slice text)
{
	struct slice own;
	struct ticket ticket;
	return parse(text, &own, &ticket) && ticket_is_of(key, own);
}

enum ticket_result ticket_check(const struct ticket_key *key, struct slice text,
	struct slice object, int64_t now, struct ticket *ret)
{
	struct slice own;
	struct ticket ticket;
	if (!parse(text, &own, &ticket))
		return TICKET_MALFORMED;
	if (!ticket_is_of(key, text))
		return TICKET_FORGED;
	if (now > ticket.expires + TICKET_SLACK_SECONDS)
		return TICKET_EXPIRED;
	if (!slice_starts(object, slice_of(ticket.prefix, ticket.prefix_len)))
		return TICKET_OTHER_OBJECT;
	*ret = ticket;
	return TICKET_VALID;
}
