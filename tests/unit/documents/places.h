/* SPDX-License-Identifier: Apache-2.0 */
/* What documents do, wherever they are. */
#ifndef TESTS_DOCUMENTS_PLACES_H
#define TESTS_DOCUMENTS_PLACES_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "crypto/random.h"
#include "documents/documents.h"
#include "tap.h"

/* Whether the document is `text`; NULL: there is none. */
static inline bool place_is(struct documents *d, const char *name, const char *text)
{
	SCOPED_STRBUF(bytes, DOCUMENT_BYTES_MAX);
	bool found = true;
	bool has = true;
	return documents_read(d, name, &bytes, &found) == ERR_OK &&
	       documents_has(d, name, &has) == ERR_OK && found == (text != NULL) && has == found &&
	       (!text || slice_eq(strbuf_slice(&bytes), slice_str(text)));
}

static inline bool place_replaces(
	struct documents *d, const char *name, const char *was, const char *text)
{
	bool replaced = false;
	return documents_replace(d, name, slice_str(was), slice_str(text), &replaced) == ERR_OK &&
	       replaced;
}

/* Adds one to the number that a document is. */
static inline void place_count(struct documents *d, const char *name)
{
	bool replaced = false;
	while (!replaced) {
		SCOPED_STRBUF(was, 100);
		char next[32];
		bool found = false;
		if (documents_read(d, name, &was, &found) != ERR_OK || !found)
			abort();
		(void)snprintf(next, sizeof(next), "%ld", strtol(was.ptr, NULL, 10) + 1);
		if (documents_replace(d, name, strbuf_slice(&was), slice_str(next), &replaced) !=
			ERR_OK)
			abort();
	}
}

static inline enum err place_random(struct strbuf *out)
{
	char text[24];
	random_alnum(text, sizeof(text));
	strbuf_add(out, text, sizeof(text));
	return ERR_OK;
}

/* Reads a document, or makes it of random letters. "" if it cannot. */
static inline void place_make(struct documents *d, const char *name, char *ret, size_t size)
{
	SCOPED_STRBUF(bytes, 1000);
	if (documents_read_or_make(d, name, place_random, &bytes) != ERR_OK)
		strbuf_clear(&bytes);
	(void)snprintf(ret, size, "%s", bytes.ptr);
}

struct follower {
	struct document_follower base;
	bool refuses;
	atomic_uint taken;   /* how often, also if it refused */
	atomic_bool is_gone; /* what was taken last */
	char bytes[64];      /* likewise; read while nobody can tell */
};

static inline bool follower_take(struct document_follower *base, bool found, struct slice bytes)
{
	struct follower *follower = CONTAINER_OF(base, struct follower, base);
	(void)snprintf(follower->bytes, sizeof(follower->bytes), "%.*s", SLICE_FMT(bytes));
	atomic_store(&follower->is_gone, !found);
	atomic_fetch_add(&follower->taken, 1);
	return !follower->refuses;
}

/* Reading, replacing, making; and following, where followers look. */
static inline void place_keeps(struct documents *d, const char *where)
{
	char one[64];
	char other[64];
	bool found = true;
	struct follower follower = {.base = {.name = "b", .take = follower_take}};
	OK(place_is(d, "a", NULL), "%s: there is none at first", where);
	OK(!place_replaces(d, "a", "x", "y") && place_is(d, "a", NULL),
		"%s: what is not there is not replaced", where);
	OK(place_replaces(d, "a", "", "first") && place_is(d, "a", "first"), "%s: it is made",
		where);
	OK(!place_replaces(d, "a", "", "again") && !place_replaces(d, "a", "firs", "again") &&
			place_is(d, "a", "first"),
		"%s: what is another one is not replaced", where);
	OK(place_replaces(d, "a", "first", "second") && place_is(d, "a", "second"),
		"%s: what is the same is", where);
	OK(place_is(d, "b", NULL), "%s: others are as they were", where);
	place_make(d, "made", one, sizeof(one));
	place_make(d, "made", other, sizeof(other));
	OK(one[0] && strcmp(one, other) == 0, "%s: one is made once", where);
	SCOPED_STRBUF(tight, 3);
	OK(documents_read(d, "a", &tight, &found) != ERR_OK, "%s: what is too long is told", where);

	OK(documents_follow(d, &follower.base, &found) == ERR_OK && !found && follower.taken == 0,
		"%s: what is not there is not followed", where);
	documents_unfollow(&follower.base);
	OK(place_replaces(d, "b", "", "one") &&
			documents_follow(d, &follower.base, &found) == ERR_OK && found &&
			follower.taken == 1 && strcmp(follower.bytes, "one") == 0,
		"%s: what is there is taken", where);
	OK(place_replaces(d, "b", "one", "two"), "%s: it is another one", where);
	documents_look(d, false);
	OK(follower.taken == 2 && strcmp(follower.bytes, "two") == 0, "%s: and is taken", where);
	documents_look(d, false);
	OK(follower.taken == 2, "%s: once", where);
	follower.refuses = true;
	OK(place_replaces(d, "b", "two", "three"), "%s: one that is of no use", where);
	documents_look(d, false);
	documents_look(d, false);
	OK(follower.taken == 4, "%s: is told again", where);
	follower.refuses = false;
	documents_look(d, false);
	documents_look(d, false);
	OK(follower.taken == 5, "%s: until it is taken", where);
	documents_unfollow(&follower.base);
	OK(place_replaces(d, "b", "three", "four"), "%s: who does not follow any more", where);
	documents_look(d, true);
	OK(follower.taken == 5, "%s: is told of nothing", where);
	struct follower refusing = {.base = {.name = "b", .take = follower_take}, .refuses = true};
	OK(documents_follow(d, &refusing.base, &found) == ERR_INTERNAL,
		"%s: what is not taken is not followed", where);
	documents_look(d, true);
	OK(refusing.taken == 1, "%s: nor told again", where);
}

#endif
