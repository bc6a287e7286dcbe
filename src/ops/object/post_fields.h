/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a posted form that came before the file, in their order. (That all of them together
 * stay within LIMIT_FORM_PREDATA_BYTES is the caller's to see to.) Names are found without regard
 * to ASCII case; of several with one name the first counts.
 */
#ifndef OPS_OBJECT_POST_FIELDS_H
#define OPS_OBJECT_POST_FIELDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "oss/sign/form_fields.h"

struct post_field {
	struct post_field *next;
	struct slice name;
	struct slice value;
	bool is_first; /* no field before it has its name */
};

struct post_fields {
	struct arena arena; /* for all of them, longer than a request's */
	struct post_field *first;
	struct post_field *last; /* the one being read, until post_fields_end() */
	struct strbuf value;     /* and its value so far */
	size_t count;
	/*
	 * The first of each name, by length and name: whoever sends a thousand long names that look
	 * alike is not compared with all of them. No hash: they can be made to collide.
	 */
	struct post_field **sorted;
	size_t sorted_count;
	size_t sorted_size; /* how many there is room for */
};

/* What they take is counted in `account`. */
void post_fields_init(struct post_fields *f, struct budget_account *account);
void post_fields_release(struct post_fields *f);

/* A field begins; `name` is copied. ERR_POST_PREDATA_TOO_LONG, ERR_UNAVAILABLE. */
enum err post_fields_begin(struct post_fields *f, struct slice name) MUST_USE;
/* More of its value. ERR_FIELD_TOO_LONG, ERR_UNAVAILABLE. */
enum err post_fields_add(struct post_fields *f, struct slice bytes) MUST_USE;
/* The field is complete. False without memory. */
bool post_fields_end(struct post_fields *f) MUST_USE;
/* The name of the field that is being read, or was last. */
struct slice post_fields_current(const struct post_fields *f);

/* The first value of that name; false, or ptr NULL, if there is none. */
bool post_fields_find(struct post_fields *f, struct slice name, struct slice *ret);
struct slice post_fields_get(struct post_fields *f, struct slice name);
/* For struct callback_values: `ctx` is a struct post_fields. */
struct slice post_fields_custom(void *ctx, struct slice name);
/* The fields as oss/ sees them. */
struct form_fields post_fields_as_form(struct post_fields *f);
/* Whether no field before it has its name. */
bool post_fields_is_first(const struct post_field *field);
/* All of them: from NULL on, until NULL. */
const struct post_field *post_fields_next(const struct post_fields *f, const struct post_field *at);

#endif
