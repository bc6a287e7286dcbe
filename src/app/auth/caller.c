/* SPDX-License-Identifier: Apache-2.0 */
#include "app/auth/caller.h"

struct caller caller_anybody(const struct settings *settings)
{
	return (struct caller){
		.subject = S(""),
		.prefix = S(""),
		.max_size = INT64_MAX,
		.expire_seconds = settings->expire_seconds,
		.multipart_seconds = settings->multipart_expire_seconds,
	};
}
