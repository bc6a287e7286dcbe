/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>

static const struct err_info table[ERR_COUNT] = {
	[ERR_OK] = {"OK", 200, "", "", ""},
#define ERR(name, status, code, ec, message) [ERR_##name] = {#name, status, code, ec, message},
#include "base/errors.def"
#undef ERR
};

const struct err_info *err_info(enum err e)
{
	assert(e >= ERR_OK && e < ERR_COUNT);
	return &table[e];
}
