/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application server: it signs what a browser may upload, receives the store's callback,
 * keeps the ledger of uploads, and serves the upload page.
 *
 *	GET /              the classic token (signature V1)
 *	GET /grant         a form ready to post (signature V4, or V1 if so configured)
 *	POST /, and POST to the path of callback_url   the callback
 *	GET /upload/...    the page and the JS library
 *
 * It keeps no state that a second copy needs, but the ledger.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/exchange.h"
#include "net/outgoing.h"

struct app;
struct ledger;

/* Names and meaning are those of the section [app] of the configuration. Lists are separated by
 * commas or white space. app_new() copies what it keeps. */
struct app_options {
	const char *access_key_id;
	const char *access_key_secret;
	/*
	 * The bucket's URL, which is where the form is posted: its path is the bucket
	 * ("http://127.0.0.1:9000/uploads"), or else the first label of its host name is
	 * ("http://uploads.oss-cn-hangzhou.aliyuncs.com").
	 */
	const char *host;
	const char *bucket;          /* if `host` does not name it (a CNAME); NULL or "" */
	const char *callback_url;    /* NULL or "": no callback */
	const char *upload_dir;      /* prefix of all keys; a final `/` is added if it has none */
	const char *region;          /* "cn-hangzhou" */
	int signature_version;       /* of GET /grant: 1 or 4 */
	int64_t expire_seconds;      /* of a token or grant, 10 to LIMIT_GRANT_SECONDS */
	int64_t max_size;            /* bytes of one file */
	const char *allowed_types;   /* MIME types; empty: any */
	const char *allowed_origins; /* who may read tokens: "*", or origins */
	bool bind_callback;          /* the callback is a condition of the policy */
	bool require_grant;          /* a callback without a grant of ours is refused */
	const char *key_urls;        /* what the URL of a callback's public key may begin with */
	const char *callback_answer; /* JSON; NULL or "": {"Status":"OK"} */
	const char *webhook_url;     /* told of each upload; its answer is the callback's */
};

#define APP_DEFAULT_EXPIRE_SECONDS 300
#define APP_DEFAULT_MAX_SIZE 1048576000
#define APP_DEFAULT_REGION "cn-hangzhou"
#define APP_DEFAULT_UPLOAD_DIR "user-dir-prefix/"
#define APP_DEFAULT_ORIGINS "*"
#define APP_DEFAULT_KEY_URLS "http://gosspublic.alicdn.com/ https://gosspublic.alicdn.com/"

/* A structure with every default; the keys and `host` are NULL. */
struct app_options app_options_default(void);

/* What the application server uses of its surroundings; all of it outlives the server. */
struct app_parts {
	struct outgoing *outgoing;
	struct ledger *ledger;
	const struct clock *clock;
	const struct allow_list *allow; /* for fetching public keys */
};

/*
 * ERR_INVALID_ARGUMENT if an option is not valid, with a sentence that names it in `why` (of
 * `why_size` bytes).
 */
enum err app_new(const struct app_options *options, const struct app_parts *parts, struct app **ret,
	char *why, size_t why_size) MUST_USE;

/* To be given to a listener; lives as long as `app`. */
const struct service *app_service(const struct app *app);

/*
 * Trusts the key at exactly `url`, whose PEM is given so that nothing is fetched: `serve` does
 * this for its own store. Before the first request.
 */
enum err app_trust_key(struct app *app, struct slice url, struct slice pem) MUST_USE;

/* No exchange may be left, and `outgoing` must be stopped. NULL is allowed. */
void app_free(struct app *app);

#endif
