/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/mirror.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/secret.h"
#include "oss/text/json_text.h"

#define MAC_BYTES 16
#define ANSWER_BYTES_MAX (4 * LIMIT_MIRROR_BODY_BYTES + KIB(64))

static void derive(struct slice secret, struct hmac_sha256 *ret)
{
	uint8_t key[SHA256_BYTES];
	hmac_sha256_of(secret, S("postern doctor 1"), key);
	hmac_sha256_key(ret, slice_of((const char *)key, sizeof(key)));
	secret_wipe(key, sizeof(key));
}

/* 2 * MAC_BYTES digits. */
static void add_mac(const struct hmac_sha256 *key, struct slice expires, struct strbuf *out)
{
	uint8_t mac[SHA256_BYTES];
	hmac_sha256_sign(key, expires, mac);
	hex_encode_lower(out, slice_of((const char *)mac, MAC_BYTES));
}

void mirror_pass(struct slice secret, int64_t now_ms, struct strbuf *out)
{
	struct hmac_sha256 key;
	SCOPED_STRBUF(expires, 32);
	strbuf_addf(&expires, "%lld", (long long)(now_ms / 1000 + LIMIT_MIRROR_PASS_SECONDS));
	derive(secret, &key);
	strbuf_add_slice(out, strbuf_slice(&expires));
	strbuf_addc(out, '.');
	add_mac(&key, strbuf_slice(&expires), out);
	secret_wipe(&key, sizeof(key));
}

static bool is_pass(struct mirror *mirror, struct slice text)
{
	struct hmac_sha256 key;
	struct slice expires;
	uint64_t seconds;
	uint64_t now = (uint64_t)(clock_wall_ms(mirror->clock) / 1000);
	SCOPED_STRBUF(mac, 2 * MAC_BYTES);
	if (!slice_cut(&text, '.', &expires) || !slice_to_u64(expires, &seconds))
		return false;
	(void)pthread_mutex_lock(&mirror->lock);
	key = mirror->key;
	(void)pthread_mutex_unlock(&mirror->lock);
	add_mac(&key, expires, &mac);
	return !strbuf_broken(&mac) && slice_eq_secret(text, strbuf_slice(&mac)) &&
	       seconds >= now && seconds - now <= LIMIT_MIRROR_PASS_SECONDS;
}

/* ---- The exchange -----------------------------------------------------------------------------
 */

struct reflection {
	struct strbuf body;
};

static void send_text(struct exchange *x, int status, struct slice text)
{
	exchange_header(x, "Content-Type", S("text/plain"));
	exchange_send(x, status, text);
}

static void on_body(struct exchange *x, void *state, struct slice piece)
{
	struct reflection *r = state;
	strbuf_add_slice(&r->body, piece);
	if (strbuf_starved(&r->body))
		send_text(x, 503, S("There is no memory; try again.\n"));
	else if (strbuf_broken(&r->body))
		send_text(x, 413, S("This is more than the doctor sends.\n"));
}

static void add_bytes(struct strbuf *out, const char *name, struct slice bytes)
{
	json_member(out, name);
	strbuf_addc(out, '"');
	base64_encode(out, bytes);
	strbuf_addc(out, '"');
}

static void on_end(struct exchange *x, void *state)
{
	struct reflection *r = state;
	const struct request_head *head = exchange_head(x);
	SCOPED_STRBUF(json, ANSWER_BYTES_MAX);
	strbuf_addc(&json, '{');
	json_member_bool(&json, MIRROR_MARK, true);
	/* In base64, for they need not be UTF-8. */
	add_bytes(&json, "target", head->target);
	add_bytes(&json, "host", head->host);
	add_bytes(&json, "authorization", request_head_get(head, S("Authorization")));
	add_bytes(&json, "keyUrl", request_head_get(head, S("x-oss-pub-key-url")));
	add_bytes(&json, "body", strbuf_slice(&r->body));
	strbuf_addc(&json, '}');
	if (strbuf_broken(&json)) {
		send_text(x, 503, S("There is no memory; try again.\n"));
		return;
	}
	exchange_note(x, "mirror=doctor");
	exchange_header(x, "Content-Type", S("application/json"));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_send(x, 200, strbuf_slice(&json));
}

static void on_gone(struct exchange *x, void *state)
{
	struct reflection *r = state;
	(void)x;
	strbuf_release(&r->body);
}

static const struct exchange_handler handler = {.body = on_body, .end = on_end, .gone = on_gone};

static void reflect(struct exchange *x)
{
	struct reflection *r = arena_zalloc(exchange_arena(x), sizeof(*r));
	if (!r || !exchange_admit(x)) {
		send_text(x, 503, S("There is no memory; try again.\n"));
		return;
	}
	strbuf_init_counted(&r->body, LIMIT_MIRROR_BODY_BYTES, exchange_account(x));
	exchange_attach(x, &handler, r);
}

static void begin(void *ctx, struct exchange *x)
{
	struct mirror *mirror = ctx;
	const struct query_param *pass = exchange_head(x)->method == HTTP_POST
						 ? query_find(exchange_query(x), S(MIRROR_PARAM))
						 : NULL;
	if (pass && is_pass(mirror, pass->value))
		reflect(x);
	else
		mirror->behind.begin(mirror->behind.ctx, x);
}

static void refuse(
	void *ctx, const struct refused_head *refused, struct strbuf *lines, struct strbuf *body)
{
	const struct mirror *mirror = ctx;
	mirror->behind.refuse(mirror->behind.ctx, refused, lines, body);
}

void mirror_init(struct mirror *mirror, const struct service *behind, struct slice secret,
	const struct clock *clock)
{
	mirror->service = mirror->behind = *behind;
	mirror->service.begin = begin;
	mirror->service.ctx = mirror;
	mirror->service.refuse = behind->refuse ? refuse : NULL;
	mirror->clock = clock;
	(void)pthread_mutex_init(&mirror->lock, NULL);
	derive(secret, &mirror->key);
}

void mirror_set_secret(struct mirror *mirror, struct slice secret)
{
	(void)pthread_mutex_lock(&mirror->lock);
	derive(secret, &mirror->key);
	(void)pthread_mutex_unlock(&mirror->lock);
}

void mirror_release(struct mirror *mirror)
{
	secret_wipe(&mirror->key, sizeof(mirror->key));
}
