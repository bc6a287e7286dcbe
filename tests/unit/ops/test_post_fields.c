/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "ops/object/post_fields.h"
#include "tap.h"

static bool put(struct post_fields *f, struct slice name, struct slice value)
{
	bool ok = post_fields_begin(f, name) == ERR_OK;
	/* In two pieces, as they may arrive. */
	ok = ok && post_fields_add(f, slice_head(value, value.len / 2)) == ERR_OK;
	ok = ok && post_fields_add(f, slice_from(value, value.len / 2)) == ERR_OK;
	return ok && post_fields_end(f);
}

static void finding(void)
{
	struct post_fields f;
	struct slice value;
	post_fields_init(&f, NULL);
	OK(put(&f, S("Key"), S("a")) && put(&f, S("x:var"), S("")) && put(&f, S("KEY"), S("b")),
		"taken");
	IS(post_fields_get(&f, S("key")), S("a"), "any case, the first of several");
	OK(post_fields_find(&f, S("X:VAR"), &value) && value.len == 0, "an empty one is there");
	OK(!post_fields_find(&f, S("policy"), &value) && !post_fields_get(&f, S("policy")).ptr,
		"an absent one is not");
	const struct post_field *at = post_fields_next(&f, NULL);
	IS(at->name, S("Key"), "in their order");
	OK(post_fields_is_first(at), "the first of its name");
	at = post_fields_next(&f, post_fields_next(&f, at));
	OK(slice_eq(at->value, S("b")) && post_fields_next(&f, at) == NULL, "to the last");
	OK(!post_fields_is_first(at), "which is the second of its name");
	post_fields_release(&f);
}

static void limits(void)
{
	static char large[LIMIT_FIELD_VALUE_BYTES + 1];
	struct post_fields f;
	memset(large, 'p', sizeof(large));
	post_fields_init(&f, NULL);
	struct slice most = slice_of(large, LIMIT_FIELD_VALUE_BYTES);
	OK(put(&f, S("a"), most) && put(&f, S("b"), most) && put(&f, S("c"), most), "2 MB each");
	IS(post_fields_get(&f, S("b")), most, "kept whole");
	OK(post_fields_begin(&f, S("d")) == ERR_OK &&
			post_fields_add(&f, slice_of(large, sizeof(large))) == ERR_FIELD_TOO_LONG,
		"a byte more is too long");
	post_fields_release(&f);

	post_fields_init(&f, NULL);
	bool ok = true;
	for (int i = 0; i < LIMIT_FORM_FIELDS; i++)
		ok = ok && put(&f, S("n"), slice_of(large, 8000));
	OK(ok && post_fields_begin(&f, S("n")) == ERR_POST_PREDATA_TOO_LONG,
		"at most LIMIT_FORM_FIELDS fields");
	post_fields_release(&f);
}

static void counted(void)
{
	static char large[LIMIT_FIELD_VALUE_BYTES];
	struct post_fields f;
	struct budget_account account = {.pool = BUDGET_ANONYMOUS};
	memset(large, 'p', sizeof(large));
	budget_set(MIB(16));
	post_fields_init(&f, &account);
	OK(put(&f, S("a"), slice_of(large, KIB(40))), "a policy fits");
	OK(account.bytes >= KIB(40), "and is counted");
	OK(post_fields_begin(&f, S("b")) == ERR_OK &&
			post_fields_add(&f, slice_of(large, sizeof(large))) == ERR_UNAVAILABLE,
		"two megabytes are more than strangers have");
	post_fields_release(&f);
	IS_INT(account.bytes, 0, "all is given back");
	budget_set(0);
}

/* Long names that look alike: each is looked for among all others. */
static void many(void)
{
	static char name[4000];
	struct post_fields f;
	bool ok = true;
	unsigned firsts = 0;
	memset(name, 'a', sizeof(name));
	post_fields_init(&f, NULL);
	for (unsigned i = 0; i < LIMIT_FORM_FIELDS; i++) {
		/* Twice each, in another case, and in no order. */
		unsigned number = i * 7 % (LIMIT_FORM_FIELDS / 2);
		(void)snprintf(name + sizeof(name) - 4, 4, "%03u", number);
		name[0] = i % 2 ? 'a' : 'A';
		char value[8];
		int len = snprintf(value, sizeof(value), "%u", i);
		ok = ok && put(&f, slice_of(name, sizeof(name) - 1), slice_of(value, (size_t)len));
	}
	OK(ok, "taken");
	const struct post_field *at = NULL;
	unsigned place = 0;
	while ((at = post_fields_next(&f, at)) != NULL) {
		struct slice found;
		bool first = place < LIMIT_FORM_FIELDS / 2;
		ok = ok && post_fields_is_first(at) == first &&
		     post_fields_find(&f, at->name, &found) &&
		     (!first || slice_eq(found, at->value));
		firsts += post_fields_is_first(at);
		place++;
	}
	OK(ok && firsts == LIMIT_FORM_FIELDS / 2, "the first of each name is found");
	post_fields_release(&f);
}

int main(void)
{
	finding();
	limits();
	many();
	counted();
	return tap_done();
}
