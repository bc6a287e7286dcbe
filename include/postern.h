/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpostern: what an application server for direct uploads to Alibaba Cloud OSS has to compute. It
 * signs upload policies (V1, V4, with temporary keys of STS), verifies the callbacks of the store,
 * and presigns URLs. It opens no socket and no file, reads no clock, starts no thread, logs
 * nothing, and has no global state.
 *
 * Memory: results go into buffers of the caller, and point nowhere else. What a function allocates
 * while it runs (malloc(), and OpenSSL for RSA) it frees before it returns.
 *
 * Threads: any number of threads may call any function at the same time.
 *
 * Text is UTF-8 and ends with a NUL; NULL is the same as empty. Every structure begins with `size`,
 * which the caller sets to sizeof the structure: later versions add members at the end.
 */
#ifndef POSTERN_H
#define POSTERN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What functions return. Values keep their meaning; later versions may add some. */
enum postern_result {
	POSTERN_OK = 0,
	POSTERN_INVALID = 1,       /* an argument that cannot be, such as a key that is not UTF-8 */
	POSTERN_TOO_SMALL = 2,     /* a buffer or array of the caller */
	POSTERN_NO_MEMORY = 3,     /* for what is needed while it runs */
	POSTERN_NOT_AUTHENTIC = 4, /* the callback is not what the store signed */
	POSTERN_NOT_TRUSTED = 5,   /* the callback names a key at a URL that is not trusted */
	POSTERN_NO_KEY = 6,        /* find_key() had none, or what it gave is no RSA key as PEM */
};

/* A sentence about a result, in English; a constant. */
const char *postern_result_text(int result);

/* The version of the library, such as "0.1.0"; a constant. */
const char *postern_version(void);

/* ---- Who signs --------------------------------------------------------------------------------
 */

struct postern_signer {
	size_t size;
	const char *access_key_id;
	const char *access_key_secret;
	const char *security_token; /* of a temporary key; empty: none */
	const char *region;         /* for version 4: "cn-hangzhou" */
	int version;                /* 4 or 1 */
};

/* ---- Upload policies ---------------------------------------------------------------------------
 */

struct postern_field {
	const char *name;
	const char *value;
};

/*
 * What a form may upload. `bucket` and one of `key` and `key_prefix` are required, so that a member
 * that was forgotten does not permit everything; what else is empty is no condition, except
 * max_bytes, which always is one.
 */
struct postern_policy {
	size_t size;
	int64_t now;     /* Unix seconds */
	int64_t expires; /* Unix seconds, after `now`; OSS takes no form more than seven days after
			    `now` */
	const char *bucket;
	/* One of the two: names of objects begin with this, or this is the only one. */
	const char *key_prefix;
	const char *key;
	uint64_t min_bytes;
	uint64_t max_bytes;
	const char *const *content_types; /* one of these; at most 64 */
	size_t content_type_count;
	/* Fields that the form must have as they are, such as `callback` (base64 of its JSON) and
	 * `success_action_status`, but none of those that the form has anyhow; at most 64. */
	const struct postern_field *bound;
	size_t bound_count;
};

/* The most fields that postern_policy_sign() makes, besides those of `bound`. */
#define POSTERN_OWN_FIELDS 8

/*
 * Builds a policy and signs it: fills `fields` with all that a form needs besides `key` (which is
 * there if the policy names one) and the file, in an order in which it can be posted. Their texts
 * are in `buffer`, of `buffer_size` bytes; 8 KiB are enough for a policy without long values.
 * *field_count is the number of places in `fields`, and becomes the number of fields.
 */
int postern_policy_sign(const struct postern_policy *policy, const struct postern_signer *signer,
	char *buffer, size_t buffer_size, struct postern_field *fields, size_t *field_count);

/* ---- Callbacks ----------------------------------------------------------------------------------
 */

/* A callback as it came in, to the byte. */
struct postern_callback {
	size_t size;
	const char *target;        /* path and query of the request, not decoded */
	const char *authorization; /* the header Authorization */
	const char *key_url;       /* the header x-oss-pub-key-url, base64 as it is */
	const void *body;
	size_t body_size;
};

/* Whether a callback is of the owner of this key: an RSA public key as PEM, of `pem_size` bytes. */
int postern_callback_verify(
	const struct postern_callback *callback, const char *pem, size_t pem_size);

/*
 * Writes the public key at `url`, as PEM, into `pem`, which has `size` bytes, and returns its
 * length; 0 if there is none. Called at most once for a callback, and only with a URL that is
 * trusted. The caller keeps what was fetched: OSS changes its key hardly ever.
 */
typedef size_t postern_find_key(void *context, const char *url, char *pem, size_t size);

/*
 * The same with the key that the callback itself names. Its URL must be one of `trusted`, or begin
 * with one that ends in `/`; with none of them (NULL, 0) it must be where OSS has its keys.
 */
int postern_callback_verify_by_url(const struct postern_callback *callback,
	const char *const *trusted, size_t trusted_count, postern_find_key *find_key,
	void *context);

/* ---- Presigned URLs
 * ------------------------------------------------------------------------------ */

struct postern_request {
	size_t size;
	int64_t now;              /* Unix seconds */
	uint32_t expires_seconds; /* from now; OSS takes at most seven days with version 4 */
	const char *method;       /* "GET" */
	/* Where objects are: "https://my-bucket.oss-cn-hangzhou.aliyuncs.com", or, in path style,
	 * "http://127.0.0.1:9000/my-bucket". Without `?` and `#`. */
	const char *base_url;
	const char *bucket;
	const char *key;   /* not encoded */
	const char *query; /* encoded, without `?`, such as "response-content-type=text%2Fplain" */
	/* Headers that will be sent and are signed: Content-Type, Content-MD5, x-oss-...; at most
	 * 32. */
	const struct postern_field *headers;
	size_t header_count;
};

/* Writes the URL, with a NUL, into `buffer`, of `buffer_size` bytes. */
int postern_presign(const struct postern_request *request, const struct postern_signer *signer,
	char *buffer, size_t buffer_size);

#ifdef __cplusplus
}
#endif

#endif
