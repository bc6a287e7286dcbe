/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/tablet.h"

struct bucket_in {
	struct rados *r;
	const struct listed_bucket *bucket;
};

/* What the row says now; what was listed may be old. */
static enum err read_row(const void *ctx, enum store_versioning *ret)
{
	const struct bucket_in *in = ctx;
	const struct listed_bucket *bucket = in->bucket;
	struct bucket_row row;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(fetch, &bucket->row, 1);
	enum err e = cluster_err(
		fetch_run(fetch, in->r->index, RADOS_BUCKETS), "reading", RADOS_BUCKETS);
	if (e == ERR_OK) {
		struct slice value = fetched_value(fetch_rows(fetch, number), bucket->row);
		if (!bucket_row_parse(value, &row) || row.bucket.id != bucket->id)
			e = ERR_NO_SUCH_BUCKET;
		else
			*ret = row.bucket.versioning;
	}
	fetch_free(fetch);
	return e;
}

int versioning_follow(struct rados *r, const struct listed_bucket *bucket)
{
	const struct bucket_in in = {r, bucket};
	const struct versioning_source source = {.read = read_row, .ctx = &in};
	log_info("ceph: not all tablets of the bucket %016" PRIx64
		 " keep versions as its row says; they are told",
		bucket->id);
	enum err e = tablet_follow_versioning(r, bucket->id, &source);
	return e == ERR_OK || e == ERR_NO_SUCH_BUCKET ? 0 : -EAGAIN;
}
