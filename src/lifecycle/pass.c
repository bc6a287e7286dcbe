/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle/pass.h"

#include <inttypes.h>

#include "base/log.h"
#include "lifecycle/pass_internal.h"

bool walk_is_due(const struct walk *walk, const struct lifecycle_facts *facts)
{
	int64_t end_ms;
	struct slice rule;
	return lifecycle_find(walk->rules, facts, &end_ms, &rule) &&
	       end_ms <= clock_wall_ms(walk->pass->clock);
}

void walk_count(struct walk *walk, enum err e, uint64_t *counter)
{
	walk->changes++;
	switch ((int)e) {
	case ERR_OK:
		(*counter)++;
		break;
	/* Somebody else was faster. */
	case ERR_PRECONDITION_FAILED:
	case ERR_NO_SUCH_BUCKET:
	case ERR_NO_SUCH_UPLOAD:
	case ERR_NO_SUCH_VERSION:
		break;
	default:
		walk->counts->failed++;
		if (walk->err == ERR_OK)
			walk->err = e;
	}
}

bool walk_should_continue(struct walk *walk)
{
	const struct pass *pass = walk->pass;
	int64_t rest_ms = (int64_t)walk->changes * 1000 / LIMIT_LIFECYCLE_CHANGES_PER_S +
			  (int64_t)walk->pages * 1000 / LIMIT_LIFECYCLE_PAGES_PER_S;
	walk->changes = 0;
	walk->pages = 0;
	if (pass->pause && !pass->pause(pass->ctx, rest_ms))
		return false;
	const struct store_bucket *now = store_bucket_get(pass->store, walk->bucket->name);
	bool same = now && now->generation == walk->bucket->generation;
	store_bucket_unref(pass->store, now);
	return same && walk->err == ERR_OK;
}

static void walk_all(struct walk *walk)
{
	unsigned objects = LIFECYCLE_BIT(LIFECYCLE_CURRENT);
	struct slice prefix = {NULL, 0};
	bool go_on = walk_should_continue(walk);
	if (walk->bucket->versioning != STORE_UNVERSIONED)
		objects |= LIFECYCLE_BIT(LIFECYCLE_NONCURRENT) | LIFECYCLE_BIT(LIFECYCLE_MARKER);
	while (go_on && lifecycle_next_prefix(walk->rules, objects, &prefix))
		go_on = walk_objects(walk, prefix);
	prefix = (struct slice){NULL, 0};
	while (go_on &&
		lifecycle_next_prefix(walk->rules, LIFECYCLE_BIT(LIFECYCLE_UPLOAD), &prefix))
		go_on = walk_uploads(walk, prefix);
}

static void say(const struct walk *walk, const struct pass_counts *done)
{
	if (walk->err != ERR_OK)
		log_error("lifecycle of bucket %.*s: %s", SLICE_FMT(walk->bucket->name),
			err_info(walk->err)->message);
	if (done->objects || done->versions || done->markers || done->uploads || done->failed)
		log_info("lifecycle of bucket %.*s: %" PRIu64 " objects, %" PRIu64
			 " old versions, %" PRIu64 " delete markers and %" PRIu64
			 " uploads ended, %" PRIu64 " failed",
			SLICE_FMT(walk->bucket->name), done->objects, done->versions, done->markers,
			done->uploads, done->failed);
}

static void add(struct pass_counts *to, const struct pass_counts *more)
{
	to->objects += more->objects;
	to->versions += more->versions;
	to->markers += more->markers;
	to->uploads += more->uploads;
	to->failed += more->failed;
}

void pass_bucket(const struct pass *pass, struct slice name, struct pass_counts *counts)
{
	const struct store_bucket *bucket = store_bucket_get(pass->store, name);
	struct lifecycle *rules = NULL;
	struct pass_counts done = {0};
	SCOPED_STRBUF(reason, 512);
	if (!bucket || bucket->settings[STORE_SETTING_LIFECYCLE].len == 0) {
		store_bucket_unref(pass->store, bucket);
		return;
	}
	struct walk walk = {.pass = pass, .bucket = bucket, .counts = &done};
	enum err e =
		lifecycle_parse(bucket->settings[STORE_SETTING_LIFECYCLE], true, &rules, &reason);
	if (e == ERR_OK) {
		walk.rules = rules;
		waiter_init(&walk.waiter);
		walk_all(&walk);
		waiter_release(&walk.waiter);
		say(&walk, &done);
		add(counts, &done);
	} else {
		log_error("the stored lifecycle rules of bucket %.*s cannot be read: %s",
			SLICE_FMT(name), reason.len ? reason.ptr : err_info(e)->message);
	}
	lifecycle_free(rules);
	store_bucket_unref(pass->store, bucket);
}
