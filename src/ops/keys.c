/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/keys.h"

#include <jansson.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "crypto/random.h"
#include "crypto/secret.h"

#define KEYS_FILE "access_keys.json"

enum {
	ID_CHARACTERS = 24,
	SECRET_CHARACTERS = 30,
	FILE_BYTES = 1 << 20,
};

struct keys {
	json_t *list; /* of {"id", "secret", "enabled"}; holds the text that slices point to */
};

static struct slice member(const json_t *entry, const char *name)
{
	const json_t *value = json_object_get(entry, name);
	return slice_of(json_string_value(value), json_string_length(value));
}

static bool entry_valid(const json_t *entry)
{
	return member(entry, "id").len && member(entry, "secret").len &&
	       json_is_boolean(json_object_get(entry, "enabled"));
}

static json_t *parse(struct slice text)
{
	json_error_t error;
	json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
	json_t *list = json_incref(json_object_get(root, "access_keys"));
	json_decref(root);
	bool valid = json_is_array(list) && json_array_size(list) > 0;
	for (size_t i = 0; valid && i < json_array_size(list); i++)
		valid = entry_valid(json_array_get(list, i));
	if (valid)
		return list;
	json_decref(list);
	return NULL;
}

static enum err save(const char *data, json_t *list)
{
	json_t *root = json_pack("{s:O}", "access_keys", list);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	enum err e = ERR_UNAVAILABLE;
	if (text) {
		e = private_file_write(data, KEYS_FILE, slice_str(text));
		secret_wipe(text, strlen(text));
	}
	free(text);
	json_decref(root);
	return e;
}

static json_t *make(const char *id, const char *secret)
{
	char random_id[ID_CHARACTERS + 1] = "";
	char random_secret[SECRET_CHARACTERS + 1] = "";
	random_alnum(random_id, ID_CHARACTERS);
	random_alnum(random_secret, SECRET_CHARACTERS);
	json_t *list = json_pack("[{s:s, s:s, s:b}]", "id", id ? id : random_id, "secret",
		secret ? secret : random_secret, "enabled", 1);
	secret_wipe(random_secret, sizeof(random_secret));
	return list;
}

enum err keys_open(
	const char *data, const char *id, const char *secret, struct keys **ret, bool *ret_made)
{
	SCOPED_STRBUF(text, FILE_BYTES);
	bool found = false;
	enum err e = private_file_read(data, KEYS_FILE, &text, &found);
	if (e != ERR_OK)
		return e;
	struct keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return ERR_UNAVAILABLE;
	keys->list = found ? parse(strbuf_slice(&text)) : make(id, secret);
	secret_wipe(text.ptr, text.len);
	if (!keys->list) {
		log_error("%s/" KEYS_FILE " is not a list of access keys", data);
		e = ERR_INTERNAL;
	} else if (!found) {
		e = save(data, keys->list);
	}
	if (e != ERR_OK) {
		keys_free(keys);
		return e;
	}
	*ret = keys;
	*ret_made = !found;
	return ERR_OK;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	json_decref(keys->list);
	free(keys);
}

static struct access_key key_of(const json_t *entry)
{
	return (struct access_key){.id = member(entry, "id"), .secret = member(entry, "secret")};
}

bool keys_find(const struct keys *keys, struct slice id, struct access_key *ret)
{
	for (size_t i = 0; i < json_array_size(keys->list); i++) {
		const json_t *entry = json_array_get(keys->list, i);
		if (slice_eq(member(entry, "id"), id) &&
			json_is_true(json_object_get(entry, "enabled"))) {
			*ret = key_of(entry);
			return true;
		}
	}
	return false;
}

struct access_key keys_first(const struct keys *keys)
{
	return key_of(json_array_get(keys->list, 0));
}
