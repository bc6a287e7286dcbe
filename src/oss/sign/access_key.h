/* SPDX-License-Identifier: Apache-2.0 */
/* A pair with which requests are signed, permanent or of STS. */
#ifndef OSS_SIGN_ACCESS_KEY_H
#define OSS_SIGN_ACCESS_KEY_H

#include "base/slice.h"

struct access_key {
	struct slice id;
	struct slice secret; /* never logged, never answered */
};

#endif
