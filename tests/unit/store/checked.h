/* SPDX-License-Identifier: Apache-2.0 */
/* Whether `postern fsck` finds nothing in the folder of a closed store; what it finds is printed.
 */
#ifndef TESTS_STORE_CHECKED_H
#define TESTS_STORE_CHECKED_H

#include <inttypes.h>
#include <stdio.h>

#include "store/local/fsck/fsck.h"

static inline void checked_tell(const struct fsck_finding *finding, void *ctx)
{
	(void)ctx;
	printf("# bucket=%.*s key=%.*s version=%s part=%" PRIu64 " file=%s offset=%" PRId64
	       ": %s\n",
		SLICE_FMT(finding->bucket), SLICE_FMT(finding->key), finding->version,
		finding->part, finding->file, (int64_t)finding->offset, finding->what);
}

static inline bool checked_clean(const char *path)
{
	const char *temp = getenv("TMPDIR");
	struct fsck_result result;
	enum err e = fsck(
		&(struct fsck_options){
			.path = path, .temp = temp ? temp : "/tmp", .found = checked_tell},
		&result);
	return e == ERR_OK && result.findings == 0 && result.is_compared;
}

#endif
