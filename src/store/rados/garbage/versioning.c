/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/tablet.h"

enum {
	ATTEMPTS_MAX = 10
};

/* What the row says now. -ENOENT if the bucket is gone. */
static int read_versioning(
	struct rados *r, const struct listed_bucket *bucket, enum store_versioning *ret)
{
	struct bucket_row row;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, &bucket->row, 1);
	int result = fetch_run(fetch, r->index, RADOS_BUCKETS);
	if (result == 0) {
		struct slice value = fetched_value(fetch_rows(fetch, number), bucket->row);
		if (!bucket_row_parse(value, &row) || row.bucket.id != bucket->id)
			result = -ENOENT;
		else
			*ret = row.bucket.versioning;
	}
	fetch_free(fetch);
	return result;
}

int versioning_follow(struct rados *r, const struct listed_bucket *bucket)
{
	enum store_versioning now = bucket->versioning;
	enum store_versioning told;
	int result = 0;
	log_info("ceph: not all tablets of the bucket %016" PRIx64
		 " keep versions as its row says; they are told",
		bucket->id);
	for (unsigned i = 0; i < ATTEMPTS_MAX && result == 0 && !garbage_stops(r); i++) {
		told = now;
		if (tablet_set_versioning(r, bucket->id, told) != ERR_OK)
			return -EAGAIN;
		result = read_versioning(r, bucket, &now);
		if (result == 0 && now == told)
			return 0;
	}
	return result == -ENOENT ? 0 : result ? result : -EAGAIN;
}
