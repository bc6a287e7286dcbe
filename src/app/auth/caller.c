/* SPDX-License-Identifier: Apache-2.0 */
#include "app/auth/caller.h"

struct caller caller_anybody(const struct rules *rules)
{
	return (struct caller){
		.subject = S(""),
		.prefix = S(""),
		.variables = S(""),
		.max_size = INT64_MAX,
		.expire_seconds = rules->expire_seconds,
		.multipart_seconds = rules->multipart_expire_seconds,
	};
}
