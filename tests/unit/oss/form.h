/* SPDX-License-Identifier: Apache-2.0 */
/* A form as a list of names and values, for the tests of what reads forms. */
#ifndef TESTS_UNIT_OSS_FORM_H
#define TESTS_UNIT_OSS_FORM_H

#include "oss/sign/form_fields.h"

#define FORM_MAX 20

struct form {
	struct slice names[FORM_MAX];
	struct slice values[FORM_MAX];
	size_t count;
};

static inline void form_add(struct form *form, struct slice name, struct slice value)
{
	form->names[form->count] = name;
	form->values[form->count++] = value;
}

static inline bool form_find_(void *context, struct slice name, struct slice *ret)
{
	const struct form *form = context;
	for (size_t i = 0; i < form->count; i++) {
		if (!slice_eq_nocase(form->names[i], name))
			continue;
		*ret = form->values[i];
		return true;
	}
	return false;
}

static inline struct form_fields form_fields_of(struct form *form)
{
	return (struct form_fields){form_find_, form};
}

/* name, value, name, value, ..., NULL */
static inline struct form form_of(const char *const *texts)
{
	struct form form = {.count = 0};
	for (; texts[0]; texts += 2)
		form_add(&form, slice_str(texts[0]), slice_str(texts[1]));
	return form;
}

#define FORM(...) form_of((const char *const[]){__VA_ARGS__, NULL})

#endif
