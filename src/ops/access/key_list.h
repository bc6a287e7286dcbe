/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of access keys that `access_keys.json` in the data folder holds (docs/on-disk.md): read,
 * edited and written as a whole. Belongs to one thread while it is edited; afterwards any thread
 * may read it.
 */
#ifndef OPS_ACCESS_KEY_LIST_H
#define OPS_ACCESS_KEY_LIST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

#define KEY_LIST_FILE "access_keys.json"

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
/*
 * The list of the folder `data`; *ret is NULL if there is no such file. Blocks. ERR_INTERNAL,
 * which it logs, if the file cannot be read or is no such list.
 */
enum err key_list_load(const char *data, struct key_list **ret) MUST_USE;
/* Durable when it returns. Blocks. Logs why when it fails: ERR_INTERNAL, ERR_DISK_FULL. */
enum err key_list_save(const char *data, const struct key_list *list) MUST_USE;
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
