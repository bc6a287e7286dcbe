/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/hmac.h"
#include "crypto/random.h"
#include "documents/documents.h"
#include "ops/access/key_list.h"

enum {
	TEMPORARY_ID_CHARACTERS = 24,
	TEMPORARY_SECRET_CHARACTERS = 44,
};

/* A list as it was read, counted; it is never edited. */
struct key_set {
	atomic_uint refs;
	struct key_list *list;
};

struct keys {
	struct document_follower follower; /* of the list */
	const char *where;                 /* the documents are; until they close */
	pthread_mutex_t lock;              /* of `set`: which one it is, not what is in it */
	struct key_set *set;
	uint8_t sealing[SEAL_KEY_BYTES];
};

/* ---- Sets --------------------------------------------------------------------------------------
 */

static void set_unref(struct key_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	key_list_free(set->list);
	free(set);
}

static struct key_set *set_ref(struct keys *keys)
{
	(void)pthread_mutex_lock(&keys->lock);
	struct key_set *set = keys->set;
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	(void)pthread_mutex_unlock(&keys->lock);
	return set;
}

/* Puts the list, which it takes over, in the place of the one before. */
static bool set_replace(struct keys *keys, struct key_list *list)
{
	struct key_set *set = malloc(sizeof(*set));
	if (!set) {
		key_list_free(list);
		return false;
	}
	atomic_init(&set->refs, 1);
	set->list = list;
	(void)pthread_mutex_lock(&keys->lock);
	struct key_set *before = keys->set;
	keys->set = set;
	(void)pthread_mutex_unlock(&keys->lock);
	set_unref(before);
	return true;
}

/* ---- Documents ---------------------------------------------------------------------------------
 */

enum {
	SEALING_BYTES = 32,
	ATTEMPTS_MAX = 10 /* of making a list that others remove */
};

static enum err make_sealing(struct strbuf *out)
{
	uint8_t bytes[SEALING_BYTES];
	random_bytes(bytes, sizeof(bytes));
	hex_encode_lower(out, slice_of(bytes, sizeof(bytes)));
	strbuf_addc(out, '\n');
	secret_wipe(bytes, sizeof(bytes));
	return ERR_OK;
}

/* The secret that tokens are sealed with: derived from 32 random bytes, in hex. */
static enum err open_sealing(struct keys *keys, struct documents *documents)
{
	SCOPED_STRBUF(text, KIB(4));
	uint8_t bytes[SEALING_BYTES];
	enum err e = documents_read_or_make(documents, KEYS_SEALING_DOCUMENT, make_sealing, &text);
	if (e != ERR_OK)
		return e;
	struct slice digits = slice_head(strbuf_slice(&text), 2 * sizeof(bytes));
	if (!hex_decode(digits, bytes, sizeof(bytes))) {
		log_error("%s/" KEYS_SEALING_DOCUMENT " is not a key of 64 hexadecimal digits",
			documents_where(documents));
		e = ERR_INTERNAL;
	} else {
		hmac_sha256_of(
			slice_of(bytes, sizeof(bytes)), S("postern security token"), keys->sealing);
		secret_wipe(bytes, sizeof(bytes));
	}
	secret_wipe(text.ptr, text.len);
	return e;
}

static bool take_list(struct document_follower *follower, bool found, struct slice text)
{
	struct keys *keys = CONTAINER_OF(follower, struct keys, follower);
	bool first = !keys->set;
	if (!found) {
		log_error("%s/" KEY_LIST_DOCUMENT
			  " is gone; its keys stay valid until the next start",
			keys->where);
		return true;
	}
	struct key_list *list = key_list_parse(text);
	if (!list)
		log_error("%s/" KEY_LIST_DOCUMENT " is not a list of access keys", keys->where);
	else if (set_replace(keys, list)) {
		if (!first)
			log_info("the access keys were read again");
		return true;
	}
	return false;
}

static enum err make_list(
	struct documents *documents, const char *id, const char *secret, bool *ret_made)
{
	struct key_entry entry;
	SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
	struct key_list *list = key_list_new();
	enum err e = ERR_UNAVAILABLE;
	if (list && key_list_add(list, id, secret, &entry) == KEY_EDIT_DONE &&
		key_list_format(list, &text))
		e = documents_replace(
			documents, KEY_LIST_DOCUMENT, S(""), strbuf_slice(&text), ret_made);
	secret_wipe(text.ptr, text.len);
	key_list_free(list);
	return e;
}

static enum err open_list(struct keys *keys, struct documents *documents, const char *id,
	const char *secret, bool *ret_made)
{
	*ret_made = false;
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		bool found;
		enum err e = documents_follow(documents, &keys->follower, &found);
		if (e != ERR_OK || found)
			return e;
		e = make_list(documents, id, secret, ret_made);
		if (e != ERR_OK)
			return e;
	}
	log_error("%s/" KEY_LIST_DOCUMENT " comes and goes", keys->where);
	return ERR_INTERNAL;
}

enum err keys_open(struct documents *documents, const char *id, const char *secret,
	struct keys **ret, bool *ret_made)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&keys->lock, NULL);
	keys->follower.name = KEY_LIST_DOCUMENT;
	keys->follower.take = take_list;
	keys->where = documents_where(documents);
	/* The access keys last: as long as they are missing the first start is not complete. */
	enum err e = open_sealing(keys, documents);
	if (e == ERR_OK)
		e = open_list(keys, documents, id, secret, ret_made);
	if (e == ERR_OK)
		*ret = keys;
	else
		keys_free(keys);
	return e;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	documents_unfollow(&keys->follower);
	set_unref(keys->set);
	secret_wipe(keys->sealing, sizeof(keys->sealing));
	(void)pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* ---- Looking up --------------------------------------------------------------------------------
 */

enum err keys_first(struct keys *keys, struct strbuf *ret_id, struct secret *ret_secret)
{
	struct key_set *set = set_ref(keys);
	struct key_entry entry;
	enum err e = ERR_INVALID_ACCESS_KEY;
	if (key_list_first(set->list, &entry)) {
		strbuf_clear(ret_id);
		strbuf_add_slice(ret_id, entry.id);
		e = !strbuf_broken(ret_id) && secret_set(ret_secret, entry.secret)
			    ? ERR_OK
			    : ERR_UNAVAILABLE;
	}
	set_unref(set);
	return e;
}

enum err keys_find(struct keys *keys, struct slice id, struct arena *arena, struct access_key *ret)
{
	struct key_set *set = set_ref(keys);
	struct key_entry entry;
	enum err e = ERR_INVALID_ACCESS_KEY;
	if (key_list_find(set->list, id, &entry) && entry.enabled) {
		const struct access_key found = {
			arena_copy(arena, entry.id), arena_copy(arena, entry.secret)};
		e = found.id.ptr && found.secret.ptr ? ERR_OK : ERR_UNAVAILABLE;
		if (e == ERR_OK)
			*ret = found;
	}
	set_unref(set);
	return e;
}

/* ---- Temporary keys ----------------------------------------------------------------------------
 */

/* Tells one secret of an access key from another, and nothing of either. */
static void mark_of(const struct keys *keys, struct slice secret, uint8_t ret[SESSION_MARK_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	hmac_sha256_of(slice_of(keys->sealing, sizeof(keys->sealing)), secret, digest);
	memcpy(ret, digest, SESSION_MARK_BYTES);
}

enum err keys_issue(struct keys *keys, const struct access_key *parent, struct arena *arena,
	struct session *session, struct strbuf *ret_token)
{
	static const struct slice prefix = SLICE_LIT(SESSION_ID_PREFIX);
	char *id = arena_alloc(arena, prefix.len + TEMPORARY_ID_CHARACTERS);
	char *secret = arena_alloc(arena, TEMPORARY_SECRET_CHARACTERS);
	if (!id || !secret)
		return ERR_UNAVAILABLE;
	memcpy(id, prefix.ptr, prefix.len);
	random_alnum(id + prefix.len, TEMPORARY_ID_CHARACTERS);
	random_alnum(secret, TEMPORARY_SECRET_CHARACTERS);
	session->id = slice_of(id, prefix.len + TEMPORARY_ID_CHARACTERS);
	session->secret = slice_of(secret, TEMPORARY_SECRET_CHARACTERS);
	session->parent = parent->id;
	mark_of(keys, parent->secret, session->parent_mark);
	return session_seal(session, keys->sealing, ret_token) ? ERR_OK : ERR_UNAVAILABLE;
}

/* Whether the access key that the session was made with is enabled, and the same as then. */
static bool parent_still_valid(struct keys *keys, const struct session *session)
{
	struct key_set *set = set_ref(keys);
	struct key_entry entry;
	uint8_t mark[SESSION_MARK_BYTES] = {0};
	bool enabled = key_list_find(set->list, session->parent, &entry) && entry.enabled;
	if (enabled)
		mark_of(keys, entry.secret, mark);
	set_unref(set);
	return enabled && slice_eq_secret(slice_of(mark, sizeof(mark)),
				  slice_of(session->parent_mark, sizeof(session->parent_mark)));
}

enum err keys_find_session(struct keys *keys, struct slice id, struct slice token, int64_t now_ms,
	struct arena *arena, struct session *ret)
{
	enum err e = session_open(token, keys->sealing, arena, ret);
	if (e != ERR_OK)
		return e;
	if (!slice_eq(ret->id, id))
		return ERR_INVALID_SECURITY_TOKEN;
	if (now_ms >= ret->expires_ms)
		return ERR_SECURITY_TOKEN_EXPIRED;
	return parent_still_valid(keys, ret) ? ERR_OK : ERR_INVALID_ACCESS_KEY;
}
