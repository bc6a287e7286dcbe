/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The errors that a client can get, from one table (errors.def). Functions that can fail return
 * `enum err`; results go to `ret_` parameters, which are written only on success.
 *
 * A fault of the machine (disk, memory, a library) is logged once, where its
 * cause is known, and becomes ERR_INTERNAL, ERR_DISK_FULL or ERR_UNAVAILABLE.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
	ERR_OK = 0,
#define ERR(name, status, code, ec, message) ERR_##name,
#include "base/errors.def"
#undef ERR
	ERR_COUNT
};

struct err_info {
	const char *name; /* "NO_SUCH_KEY" */
	int status;       /* HTTP status */
	const char *code; /* the Code element */
	const char *ec;   /* the EC element; "" if not known */
	const char *message;
};

/* Never NULL; for ERR_OK an entry with status 200. */
const struct err_info *err_info(enum err e);

#endif
