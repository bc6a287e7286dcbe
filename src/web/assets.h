/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the folder web/, embedded in the executable by tools/embed.sh.
 */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path; /* below web/: "page/index.html" */
	const char *tag;  /* 16 hexadecimal digits of the SHA-256 of the bytes */
	const unsigned char *bytes;
	size_t len;
};

/* Sorted by path; ends with an entry whose path is NULL. */
extern const struct asset assets[];

#endif
