/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for listeners: a certificate chain and key that can be reloaded while connections are open.
 * Any thread.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/compiler.h"

struct tls;
struct ssl_st; /* OpenSSL's SSL */

/*
 * Reads PEM files. On failure logs which file and why, and returns NULL. The paths are kept for
 * tls_reload(). A certificate that has expired is logged, and used all the same.
 */
struct tls *tls_new(const char *certificate_file, const char *key_file) MUST_USE;
void tls_free(struct tls *tls);

/*
 * Reads the files again, for connections accepted from now on. If the files cannot be used, or the
 * certificate has expired, this is logged, false is returned, and the old certificate stays in use.
 */
bool tls_reload(struct tls *tls);

/* The server side of a connection on `fd`; NULL without memory. Freed by SSL_free(). */
struct ssl_st *tls_accept(struct tls *tls, int fd) MUST_USE;

/* The folder of OpenSSL's configuration and certificates; a constant. */
const char *tls_default_folder(void);

#endif
