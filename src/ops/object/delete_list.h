/* SPDX-License-Identifier: Apache-2.0 */
/* The body of DeleteMultipleObjects: what is to be deleted (spec: REST API section 6). */
#ifndef OPS_OBJECT_DELETE_LIST_H
#define OPS_OBJECT_DELETE_LIST_H

#include "base/err.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "store/store.h"

enum {
	DELETE_LIST_MAX = 1000, /* OSS */
	DELETE_LIST_KEYS_BYTES = DELETE_LIST_MAX * (int)LIMIT_KEY_BYTES,
};

struct delete_list {
	bool quiet;
	bool has_key; /* the <Object> that is being read */
	bool has_version;
	struct store_version version;
	struct strbuf keys; /* the caller's; one behind the other */
	size_t ends[DELETE_LIST_MAX];
	struct store_version versions[DELETE_LIST_MAX]; /* all zero: none is named */
	size_t count;
};

/*
 * Reads the document into `list`, which is all zero but for `keys`, which is empty and has room for
 * DELETE_LIST_KEYS_BYTES. ERR_MALFORMED_XML, also if it names nothing; ERR_INVALID_ARGUMENT for a
 * version that no object can have; an error of a key; ERR_UNAVAILABLE. `reason` may get a sentence.
 */
enum err delete_list_read(
	struct delete_list *list, struct slice document, struct strbuf *reason) MUST_USE;

/* The key of number `i`. */
struct slice delete_list_key(const struct delete_list *list, size_t i);
/* Whether it names a version. */
bool delete_list_names_version(const struct delete_list *list, size_t i);

#endif
