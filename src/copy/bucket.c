/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/clock.h"
#include "copy/copy_internal.h"

enum {
	PAUSE_US = 100000
};

static const char other_bucket[] =
	"the target has another bucket of that name, made at another time: nothing of it is copied";

static enum err create(struct copy *c, const struct store_bucket *bucket)
{
	struct waiter waiter;
	struct store_bucket_create create = {.name = bucket->name,
		.acl = bucket->acl,
		.storage_class = bucket->settings[STORE_SETTING_STORAGE_CLASS],
		.created_ms = bucket->created_ms};
	waiter_init(&waiter);
	create.wait.home = waiter_expect(&waiter, &create.wait.task);
	store_bucket_create(c->options->to, &create);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return create.wait.err;
}

static enum err change(struct copy *c, struct store_bucket_update change)
{
	struct waiter waiter;
	waiter_init(&waiter);
	change.wait.home = waiter_expect(&waiter, &change.wait.task);
	store_bucket_update(c->options->to, &change);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return change.wait.err;
}

/* Lets the target's bucket have what the source's has. */
static enum err adapt(
	struct copy *c, const struct store_bucket *from, const struct store_bucket *to)
{
	const struct store_bucket_update first = {.name = from->name,
		.set_acl = true,
		.acl = from->acl,
		.set_versioning = from->versioning != STORE_UNVERSIONED,
		.versioning = from->versioning};
	enum err e = ERR_OK;
	/* One that was broken off may have left the versioning half done. */
	if (from->acl != to->acl || from->versioning != to->versioning || first.set_versioning)
		e = change(c, first);
	for (unsigned i = 0; i < STORE_SETTING_COUNT && e == ERR_OK; i++)
		if (!slice_eq(from->settings[i], to->settings[i]))
			e = change(c, (struct store_bucket_update){.name = from->name,
					      .set_setting = true,
					      .setting = (enum store_setting)i,
					      .value = from->settings[i]});
	return e;
}

static enum err make(
	struct copy *c, const struct store_bucket *bucket, struct place *ret, const char **ret_why)
{
	struct store *to = c->options->to;
	const struct store_bucket *there = store_bucket_get(to, bucket->name);
	enum err e = ERR_OK;
	if (!there) {
		e = create(c, bucket);
		there = e == ERR_OK ? store_bucket_get(to, bucket->name) : NULL;
	}
	if (e == ERR_OK && !there)
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && there->created_ms != bucket->created_ms)
		*ret_why = other_bucket;
	else if (e == ERR_OK)
		e = adapt(c, bucket, there);
	if (e == ERR_OK && !*ret_why)
		ret->to = there->id;
	store_bucket_unref(to, there);
	return e;
}

enum err bucket_make(
	struct copy *c, const struct store_bucket *bucket, struct place *ret, const char **ret_why)
{
	int64_t end_ms = clock_monotonic_ms() + LIMIT_COPY_BUCKET_MS;
	enum err e;
	*ret_why = NULL;
	/* A gateway that was killed a moment ago is still waited for by Ceph. */
	while ((e = make(c, bucket, ret, ret_why)) == ERR_UNAVAILABLE &&
		clock_monotonic_ms() < end_ms && !copy_stops(c)) {
		(void)usleep(PAUSE_US);
		crew_tell(c);
	}
	return e;
}

const char *bucket_differs(struct copy *c, const struct store_bucket *bucket)
{
	struct store *to = c->options->to;
	const struct store_bucket *there = store_bucket_get(to, bucket->name);
	bool same = there && there->created_ms == bucket->created_ms && there->acl == bucket->acl &&
		    there->versioning == bucket->versioning;
	for (unsigned i = 0; i < STORE_SETTING_COUNT && same; i++)
		same = slice_eq(there->settings[i], bucket->settings[i]);
	store_bucket_unref(to, there);
	return same ? NULL : "the bucket has other settings in the target";
}
