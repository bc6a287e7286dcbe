/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/fsck/fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rados/attach.h"
#include "store/rados/data/data.h"
#include "store/rados/fsck/survey.h"

/* Objects of RADOS first, and then what refers to them: objects.c says why. */
static void check_all(struct survey *f)
{
	objects_list(f);
	if (f->err == ERR_OK)
		buckets_read(f, true, &f->buckets);
	if (f->err == ERR_OK)
		f->total = chain_bytes(f);
	for (size_t i = 0; i < f->buckets.count && f->err == ERR_OK; i++) {
		f->result->buckets += !f->buckets.list[i].is_deleted;
		chain_check(f, &f->buckets.list[i]);
	}
	if (f->err == ERR_OK)
		objects_check(f);
	if (f->err == ERR_OK)
		documents_check(f);
	if (f->err == ERR_OK)
		f->err = references_err(f->refs);
	if (f->err == ERR_OK)
		f->err = told_err(f->told);
}

/*
 * Whoever repairs has numbers of its own, as a gateway has; and, as it reads, no garbage goes
 * meanwhile.
 */
static void repair_all(struct survey *f)
{
	struct mark read;
	enum err e = gateways_join(f->r);
	if (e == ERR_OK) {
		life_begin_read(&f->r->life, &read);
		check_all(f);
		(void)(f->err == ERR_OK && survey_lives(f));
		life_end_read(&f->r->life, &read);
	} else {
		survey_fail(f, e);
	}
	gateways_leave(f->r);
}

static const char *pool_or(const char *pool, const char *usual)
{
	return pool ? pool : usual;
}

enum err rados_fsck(const struct rados_fsck_options *options, struct rados_fsck_result *ret)
{
	struct survey f = {.options = options, .result = ret};
	*ret = (struct rados_fsck_result){.findings = 0};
	enum err e = rados_attach(options->store, &f.r);
	if (e == ERR_OK)
		e = references_open(options->temp, &f.refs);
	if (e == ERR_OK)
		e = told_open(&f.told);
	if (e == ERR_OK) {
		size_t chunk = f.r->sizes.chunk_bytes;
		f.chunk = malloc(chunk + sums_of(chunk) * SUM_BYTES + 1);
		e = f.chunk ? ERR_OK : ERR_UNAVAILABLE;
	}
	f.err = e;
	f.is_one_pool = strcmp(pool_or(options->store->small_pool, "small"),
				pool_or(options->store->data_pool, "data")) == 0;
	if (e == ERR_OK && options->repairs)
		repair_all(&f);
	else if (e == ERR_OK)
		check_all(&f);
	known_buckets_free(&f.buckets);
	references_close(f.refs);
	told_close(f.told);
	free(f.chunk);
	rados_detach(f.r);
	return f.err;
}
