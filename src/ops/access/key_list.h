/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of access keys that the document `access_keys.json` holds (docs/on-disk.md): read,
 * edited and written as a whole. Belongs to one thread while it is edited; afterwards any thread
 * may read it.
 */
#ifndef OPS_ACCESS_KEY_LIST_H
#define OPS_ACCESS_KEY_LIST_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "base/strbuf.h"

#define KEY_LIST_DOCUMENT "access_keys.json"

struct key_list;

/* The slices live until the list is edited or freed. */
struct key_entry {
	struct slice id;
	struct slice secret; /* never logged, never answered */
	bool enabled;
};

enum key_edit {
	KEY_EDIT_DONE,
	KEY_EDIT_UNKNOWN, /* there is no such id */
	KEY_EDIT_EXISTS,  /* the id exists already */
	KEY_EDIT_LAST,    /* no enabled key would be left */
	KEY_EDIT_FULL,    /* LIMIT_ACCESS_KEYS */
	KEY_EDIT_FAILED,  /* no memory */
};

/* An empty list; NULL without memory. */
struct key_list *key_list_new(void);
/* The list of a document's bytes; NULL if they are none, or without memory. */
struct key_list *key_list_parse(struct slice text);
/* Appends the document's bytes, which the caller wipes. False without memory, or room in `out`. */
bool key_list_format(const struct key_list *list, struct strbuf *out) MUST_USE;
void key_list_free(struct key_list *list);

size_t key_list_count(const struct key_list *list);
struct key_entry key_list_at(const struct key_list *list, size_t at);
/* The entry with that id, enabled or not. */
bool key_list_find(const struct key_list *list, struct slice id, struct key_entry *ret) MUST_USE;
/* The first that is enabled. */
bool key_list_first(const struct key_list *list, struct key_entry *ret) MUST_USE;

/*
 * Adds an enabled pair, and sets *ret to it. An `id` or `secret` that is NULL is made up, as long
 * as those of OSS.
 */
enum key_edit key_list_add(
	struct key_list *list, const char *id, const char *secret, struct key_entry *ret) MUST_USE;
enum key_edit key_list_enable(struct key_list *list, struct slice id, bool enabled) MUST_USE;
enum key_edit key_list_remove(struct key_list *list, struct slice id) MUST_USE;

#endif
