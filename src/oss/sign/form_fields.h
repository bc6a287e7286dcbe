/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a posted form, as its rules see them: signature and policy ask for values by name
 * and know nothing of where they are kept.
 */
#ifndef OSS_SIGN_FORM_FIELDS_H
#define OSS_SIGN_FORM_FIELDS_H

#include "base/slice.h"

struct form_fields {
	/*
	 * The value of the field called `name`, compared without regard to ASCII case; false, with
	 * *ret_value untouched, if the form has none. Of several the first counts.
	 */
	bool (*find)(void *context, struct slice name, struct slice *ret_value);
	void *context;
};

/* The value, or the empty slice for an absent field. */
static inline struct slice form_field(const struct form_fields *fields, struct slice name)
{
	struct slice value = {NULL, 0};
	(void)fields->find(fields->context, name, &value);
	return value;
}

#endif
