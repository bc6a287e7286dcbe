/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application server: it signs what a browser may upload, receives the store's callback,
 * keeps the ledger of uploads, and serves the upload page.
 *
 * Who may ask for the first two is told by `auth` (admission.h).
 *
 *	GET /              the classic token (signature V1)
 *	GET /get_post_signature_for_oss_upload   the same for pages of the newer samples (V4)
 *	GET /grant         a form ready to post (signature V4, or V1 if so configured)
 *	POST /grants       the same for each of several files
 *	/s3/...            uploads in parts (s3.h)
 *	GET /grants/ID     what became of a grant
 *	POST /, and POST to the path of callback_url   the callback
 *	GET /upload/...    the page and the JS library
 *
 * Several copies can run side by side: only the ledger is state.
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

/* Whether callbacks are confirmed by HEAD requests to the store. */
enum app_confirm {
	APP_CONFIRM_AUTO, /* yes, unless the store answers 403 at start */
	APP_CONFIRM_ON,
	APP_CONFIRM_OFF,
};

/* Who may ask for a token or a grant. */
enum app_auth {
	APP_AUTH_NONE,    /* anybody who can reach us */
	APP_AUTH_JWT,     /* who has a JSON Web Token */
	APP_AUTH_FORWARD, /* whom a back end admits */
};

/* A section [profile NAME]; NULL or "": as in [app], or not limited. */
struct app_profile_options {
	const char *name;
#define PROFILE(option, help) const char *option;
#include "app/profile.def"
#undef PROFILE
};

/* Names and meaning are those of the section [app] of the configuration. Lists are separated by
 * commas or white space. app_new() copies what it keeps. */
struct app_options {
	const char *access_key_id;
	const char *access_key_secret;
	/*
	 * The bucket's URL, to which the form is posted. The bucket is its path
	 * ("http://127.0.0.1:9000/uploads"), or else the first label of its host name
	 * ("http://uploads.oss-cn-hangzhou.aliyuncs.com").
	 */
	const char *host;
	const char *bucket;       /* if `host` does not name it (a CNAME); NULL or "" */
	const char *callback_url; /* NULL or "": no callback */
	/* Prefix of all keys (key_template.h); a final `/` is added if it has none. */
	const char *upload_dir;
	const char *region;     /* "cn-hangzhou" */
	int signature_version;  /* of GET /grant: 1 or 4 */
	int64_t expire_seconds; /* of a token or grant, 10 to LIMIT_GRANT_SECONDS */
	int64_t min_size;       /* bytes of one file */
	int64_t max_size;
	const char *allowed_types;   /* MIME types; empty: any */
	const char *allowed_origins; /* who may read tokens: "*", or origins */
	const char *listen;          /* ADDRESS:PORT; NULL: the loopback */
	const char *hosts;           /* names we may be asked by (http/hosts.h), besides those of
					callback_url and allowed_origins */
	/* The bucket's URL for our own requests, such as one inside the store's network; NULL or
	 * "": see below. */
	const char *store_url;
	/*
	 * The URL, without a bucket, of the store in this process if the policies are for it;
	 * otherwise NULL or "". Unless store_url is given, uploads are confirmed there, with any
	 * certificate, or else at `host`.
	 */
	const char *own_store_url;
	enum app_confirm confirm;
	int64_t grant_uploads;       /* how many files of max_size one ticket permits */
	bool bind_callback;          /* the callback is a condition of the policy */
	bool require_grant;          /* callbacks without a ticket are refused */
	const char *key_urls;        /* what the URL of a callback's public key may begin with */
	const char *callback_answer; /* JSON; NULL or "": {"Status":"OK"} */
	const struct app_profile_options *profiles;
	size_t profile_count;
	const char *multipart_path; /* of uploads in parts: "/s3"; NULL or "": there are none */
	int64_t multipart_expire_seconds;
	const char *webhook_url;  /* told of each upload; its answer is the callback's */
	int64_t grants_max;       /* grants that are written down and without an upload; 0: none */
	int64_t grants_keep_days; /* how long those that came to nothing stay there */
	enum app_auth auth;
	/* With APP_AUTH_JWT one of the next three: the text of jwt_key_file (a PEM or JWK set), the
	 * bytes of jwt_secret_file, or a URL of a JWK set. ptr is NULL if not given. */
	struct slice jwt_keys;
	struct slice jwt_secret;
	const char *jwt_keys_url;
	const char *jwt_cookie;   /* that may have the token, too; NULL or "": none */
	const char *jwt_issuer;   /* what `iss` must be; NULL or "": anything */
	const char *jwt_audience; /* what `aud` must list; NULL or "": there must be none */
	int64_t jwt_leeway_seconds;
	const char *auth_url; /* with APP_AUTH_FORWARD: whom to ask; else NULL or "" */
};

#define APP_DEFAULT_EXPIRE_SECONDS 300
#define APP_DEFAULT_MAX_SIZE 1048576000
#define APP_DEFAULT_GRANT_UPLOADS 1000
#define APP_DEFAULT_REGION "cn-hangzhou"
#define APP_DEFAULT_UPLOAD_DIR "user-dir-prefix/"
#define APP_DEFAULT_ORIGINS "*"
#define APP_DEFAULT_GRANTS_MAX 1000000
#define APP_DEFAULT_GRANTS_KEEP_DAYS 7
#define APP_DEFAULT_MULTIPART_PATH "/s3"
#define APP_DEFAULT_MULTIPART_EXPIRE_SECONDS 86400
#define APP_DEFAULT_LEEWAY_SECONDS 30
#define APP_DEFAULT_KEY_URLS "http://gosspublic.alicdn.com/ https://gosspublic.alicdn.com/"

/* A structure with every default; the keys and `host` are NULL. */
struct app_options app_options_default(void);

/* What the application server uses; all of it outlives the server. */
struct app_parts {
	struct outgoing *outgoing;
	/* For confirmations only, so that nothing else can take their places. */
	struct outgoing *confirming;
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

/*
 * Sends a HEAD request for an object that does not exist, to find out whether the key may read.
 * With APP_CONFIRM_AUTO a 403 turns confirming off for good. Call it once, when the store can be
 * reached. Sends nothing if callbacks are not confirmed, or there are none.
 */
struct app_probe {
	/* Set by the caller. */
	struct executor *home;
	struct task done; /* posted to `home` exactly once */
	/* The result, when `done` runs. */
	bool forbidden; /* the store answered 403 */
};
enum err app_probe_store(struct app *app, struct app_probe *probe) MUST_USE;

struct app_stats {
	bool confirms;      /* callbacks are confirmed by the store */
	bool forbidden;     /* the store answered 403 at start: the key may not read */
	bool ledger_fails;  /* the last upload could not be recorded */
	uint64_t recorded;  /* uploads */
	uint64_t refused;   /* callbacks that were not believed */
	uint64_t unwritten; /* grants that were given and not written down */
	uint64_t undecided; /* callbacks that were answered 503: store, key or ledger failed */
};
void app_stats(const struct app *app, struct app_stats *ret);

/* No exchange may be left, and the `outgoing` of `parts` must be stopped. NULL is allowed. */
void app_free(struct app *app);

#endif
