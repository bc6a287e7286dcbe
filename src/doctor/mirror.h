/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mirror in front of the application server's service, for `postern doctor`. A POST whose query
 * has a pass, at whatever path, is answered with what came in: target, Host, the headers of a
 * callback, and the body. The doctor lets the store call back with a pass in the URL, and so sees
 * what the proxies in between have made of the callback. All other requests go on to the service.
 *
 * A pass is made with what grants are made with, and lasts some minutes, so that nobody else is
 * shown anything; what is shown is what the asker sent.
 */
#ifndef DOCTOR_MIRROR_H
#define DOCTOR_MIRROR_H

#include <pthread.h>

#include "base/clock.h"
#include "crypto/hmac.h"
#include "net/exchange.h"

/* The parameter that has the pass, and the member of the answer that says whose it is. */
#define MIRROR_PARAM "postern-doctor"
#define MIRROR_MARK "postern-mirror"

struct mirror {
	struct service service; /* for a listener */
	struct service behind;
	pthread_mutex_t lock; /* of the key */
	struct hmac_sha256 key;
	const struct clock *clock;
};

/* `mirror` stays in place as long as its service is used. */
void mirror_init(struct mirror *mirror, const struct service *behind, struct slice secret,
	const struct clock *clock);
/* From now on passes are made with this. Any thread. */
void mirror_set_secret(struct mirror *mirror, struct slice secret);
void mirror_release(struct mirror *mirror);

/* Appends a pass: letters, digits and a dot. */
void mirror_pass(struct slice secret, int64_t now_ms, struct strbuf *out);

#endif
