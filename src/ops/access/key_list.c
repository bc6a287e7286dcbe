/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/key_list.h"

#include <jansson.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "oss/text/json_load.h"

enum {
	ID_CHARACTERS = 24,
	SECRET_CHARACTERS = 30,
};

struct key_list {
	json_t *array; /* of {"id", "secret", "enabled"} */
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

/* Takes the array over; NULL if it is not there or there is no memory. */
static struct key_list *wrap(json_t *array)
{
	struct key_list *list = array ? malloc(sizeof(*list)) : NULL;
	if (list)
		list->array = array;
	else
		json_decref(array);
	return list;
}

struct key_list *key_list_new(void)
{
	return wrap(json_array());
}

struct key_list *key_list_parse(struct slice text)
{
	json_error_t error;
	bool no_memory;
	json_t *root = json_load_text(text, JSON_REJECT_DUPLICATES, &error, &no_memory);
	json_t *array = json_incref(json_object_get(root, "access_keys"));
	json_decref(root);
	bool valid = json_is_array(array) && json_array_size(array) > 0 &&
		     json_array_size(array) <= LIMIT_ACCESS_KEYS;
	for (size_t i = 0; valid && i < json_array_size(array); i++)
		valid = entry_valid(json_array_get(array, i));
	if (valid)
		return wrap(array);
	json_decref(array);
	return NULL;
}

bool key_list_format(const struct key_list *list, struct strbuf *out)
{
	json_t *root = json_pack("{s:O}", "access_keys", list->array);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	bool ok = text;
	if (text) {
		strbuf_adds(out, text);
		ok = !strbuf_broken(out);
		secret_wipe(text, strlen(text));
	}
	free(text);
	json_decref(root);
	return ok;
}

void key_list_free(struct key_list *list)
{
	if (!list)
		return;
	json_decref(list->array);
	free(list);
}

size_t key_list_count(const struct key_list *list)
{
	return json_array_size(list->array);
}

struct key_entry key_list_at(const struct key_list *list, size_t at)
{
	const json_t *entry = json_array_get(list->array, at);
	return (struct key_entry){
		.id = member(entry, "id"),
		.secret = member(entry, "secret"),
		.enabled = json_is_true(json_object_get(entry, "enabled")),
	};
}

/* Its place, or the count of entries. */
static size_t place_of(const struct key_list *list, struct slice id)
{
	size_t count = key_list_count(list);
	for (size_t i = 0; i < count; i++)
		if (slice_eq(key_list_at(list, i).id, id))
			return i;
	return count;
}

bool key_list_find(const struct key_list *list, struct slice id, struct key_entry *ret)
{
	size_t at = place_of(list, id);
	if (at == key_list_count(list))
		return false;
	*ret = key_list_at(list, at);
	return true;
}

bool key_list_first(const struct key_list *list, struct key_entry *ret)
{
	for (size_t i = 0; i < key_list_count(list); i++) {
		*ret = key_list_at(list, i);
		if (ret->enabled)
			return true;
	}
	return false;
}

enum key_edit key_list_add(
	struct key_list *list, const char *id, const char *secret, struct key_entry *ret)
{
	char random_id[ID_CHARACTERS + 1] = "";
	char random_secret[SECRET_CHARACTERS + 1] = "";
	size_t at = key_list_count(list);
	if (at >= LIMIT_ACCESS_KEYS)
		return KEY_EDIT_FULL;
	if (id && place_of(list, slice_str(id)) < at)
		return KEY_EDIT_EXISTS;
	random_alnum(random_id, ID_CHARACTERS);
	random_alnum(random_secret, SECRET_CHARACTERS);
	json_t *entry = json_pack("{s:s, s:s, s:b}", "id", id ? id : random_id, "secret",
		secret ? secret : random_secret, "enabled", 1);
	secret_wipe(random_secret, sizeof(random_secret));
	if (json_array_append_new(list->array, entry) != 0)
		return KEY_EDIT_FAILED;
	*ret = key_list_at(list, at);
	return KEY_EDIT_DONE;
}

/* Whether a key other than the one at `at` is enabled. */
static bool others_enabled(const struct key_list *list, size_t at)
{
	for (size_t i = 0; i < key_list_count(list); i++)
		if (i != at && key_list_at(list, i).enabled)
			return true;
	return false;
}

enum key_edit key_list_enable(struct key_list *list, struct slice id, bool enabled)
{
	size_t at = place_of(list, id);
	if (at == key_list_count(list))
		return KEY_EDIT_UNKNOWN;
	if (!enabled && !others_enabled(list, at))
		return KEY_EDIT_LAST;
	json_t *entry = json_array_get(list->array, at);
	return json_object_set_new(entry, "enabled", json_boolean(enabled)) == 0 ? KEY_EDIT_DONE
										 : KEY_EDIT_FAILED;
}

enum key_edit key_list_remove(struct key_list *list, struct slice id)
{
	size_t at = place_of(list, id);
	if (at == key_list_count(list))
		return KEY_EDIT_UNKNOWN;
	if (!others_enabled(list, at))
		return KEY_EDIT_LAST;
	return json_array_remove(list->array, at) == 0 ? KEY_EDIT_DONE : KEY_EDIT_FAILED;
}
