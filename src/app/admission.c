/* SPDX-License-Identifier: Apache-2.0 */
#include "app/admission.h"

#include "app/app_internal.h"
#include "app/auth/client_address.h"
#include "app/counts/rates.h"
#include "app/jwt/jwt_cache.h"
#include "app/jwt/jwt_source.h"
#include "http/cookie.h"

#define RETRY_AFTER_S "5"

/* A request that is being decided. It is in the exchange's arena. */
struct admission {
	struct app *app;
	struct exchange *x;
	app_answer *answer;
	void *ctx;
	struct slice token;
	struct jwt_wait wait;
	struct jwt_keys *stale; /* which have not the key that the token names */
	bool kept;              /* the exchange is, while we wait */
	bool answers_later;     /* and now for the sake of the answer */
};

/* ---- Refusing ---------------------------------------------------------------------------------
 */

/* RFC 6750 section 3: a request without a token is told no error. */
static void send_no_token(struct app *app, struct exchange *x)
{
	outcomes_count_denial(app->outcomes, DENIAL_TOKEN);
	exchange_header(x, "WWW-Authenticate", S("Bearer realm=\"postern\""));
	exchange_note(x, "refused=\"no token\"");
	app_send_error(app, x, 401, "unauthorized",
		"This needs a token: send `Authorization: Bearer ...`, or log in first.");
}

static void send_bad_token(struct app *app, struct exchange *x, const char *why)
{
	SCOPED_STRBUF(challenge, KIB(1));
	outcomes_count_denial(app->outcomes, DENIAL_TOKEN);
	strbuf_addf(&challenge,
		"Bearer realm=\"postern\", error=\"invalid_token\", error_description=\"%s\"", why);
	exchange_header(x, "WWW-Authenticate", strbuf_slice(&challenge));
	exchange_note(x, "refused=\"%s\"", why);
	app_send_error(app, x, 401, "invalid_token", why);
}

static void send_unavailable(struct app *app, struct exchange *x, const char *why)
{
	outcomes_count_denial(app->outcomes, DENIAL_UNAVAILABLE);
	exchange_header(x, "Retry-After", S(RETRY_AFTER_S));
	exchange_note(x, "refused=\"%s\"", why);
	app_send_error(app, x, 503, "unavailable", why);
}

static void send_foreign(struct app *app, struct exchange *x)
{
	outcomes_count_denial(app->outcomes, DENIAL_ORIGIN);
	exchange_note(x, "refused=\"a cookie from a page that is not on the list\"");
	app_send_error(app, x, 403, "origin_refused",
		"The cookie came from a page whose origin is not in allowed_origins by its full "
		"name, or from no page.");
}

/* ---- The token --------------------------------------------------------------------------------
 */

enum token_place {
	TOKEN_NONE,
	TOKEN_HEADER,
	TOKEN_COOKIE,
	TOKEN_AMBIGUOUS,
};

static size_t count_headers(const struct request_head *head, struct slice name)
{
	size_t count = 0;
	for (size_t i = 0; i < head->header_count; i++)
		count += slice_eq_nocase(head->headers[i].name, name);
	return count;
}

/* What stands for another scheme (a proxy's Basic) is not for us. */
static enum token_place find_token(
	const struct rules *rules, const struct request_head *head, struct slice *ret)
{
	struct slice scheme, rest = request_head_get(head, S("Authorization"));
	if (count_headers(head, S("Authorization")) > 1)
		return TOKEN_AMBIGUOUS;
	if (slice_cut(&rest, ' ', &scheme) && slice_eq_nocase(scheme, S("Bearer"))) {
		*ret = slice_trim(rest);
		return TOKEN_HEADER;
	}
	if (rules->jwt_cookie.len == 0)
		return TOKEN_NONE;
	switch (cookie_find(head, rules->jwt_cookie, ret)) {
	case COOKIE_NONE:
		return TOKEN_NONE;
	case COOKIE_FOUND:
		return TOKEN_COOKIE;
	case COOKIE_SEVERAL:
		break;
	}
	return TOKEN_AMBIGUOUS;
}

/*
 * Those of pages that are on the list by name are good, and those of our own origin, which come
 * without Origin.
 */
bool app_is_from_our_page(const struct rules *rules, const struct request_head *head)
{
	struct slice origin = request_head_get(head, S("Origin"));
	struct slice site = request_head_get(head, S("Sec-Fetch-Site"));
	if (count_headers(head, S("Origin")) > 1 || count_headers(head, S("Sec-Fetch-Site")) > 1)
		return false;
	if (origin.ptr)
		return rules_name_origin(rules, origin);
	return slice_eq(site, S("same-origin"));
}

/* ---- Deciding ---------------------------------------------------------------------------------
 */

static enum jwt_result check(
	struct admission *a, struct jwt_keys *keys, struct caller *ret, const char **why)
{
	const struct jwt_rules *rules = &app_rules(a->x)->jwt_rules;
	struct arena *arena = exchange_arena(a->x);
	int64_t now = clock_wall_ms(a->app->parts.clock) / 1000;
	struct jwt_claims claims;
	enum jwt_result result = JWT_VALID;
	if (!jwt_cache_find(a->app->jwt_cache, keys, rules, a->token, now, arena, &claims)) {
		result = jwt_check(keys, rules, a->token, now, arena, &claims, why);
		if (result == JWT_VALID)
			jwt_cache_add(a->app->jwt_cache, keys, rules, a->token, &claims);
	}
	if (result == JWT_VALID) {
		ret->subject = claims.subject;
		memcpy(ret->values, claims.values, sizeof(ret->values));
	}
	return result;
}

static void end(struct admission *a)
{
	struct exchange *x = a->x;
	jwt_keys_release(a->wait.keys);
	jwt_keys_release(a->stale);
	if (a->kept && !a->answers_later)
		exchange_release(x);
}

/* What is only borrowed until service.begin returns is kept, and so is the exchange. */
static bool keep(struct admission *a)
{
	if (a->kept)
		return true;
	a->token = arena_copy(exchange_arena(a->x), a->token);
	if (!a->token.ptr)
		return false;
	exchange_keep(a->x);
	return a->kept = true;
}

/* Whether there are keys, or the lack of them, in a->wait; else on_keys() goes on. */
static bool get_keys(struct admission *a)
{
	struct jwt_keys *keys = app_rules(a->x)->jwt_keys;
	if (keys)
		a->wait.keys = jwt_keys_share(keys);
	return keys || jwt_source_get(a->app->jwt_source, a->stale, &a->wait);
}

/* With a->wait.keys at hand. False: it waits for others. */
static bool decide(struct admission *a)
{
	struct caller caller = caller_anybody(app_rules(a->x));
	const char *why = "";
	struct jwt_keys *keys = a->wait.keys;
	enum jwt_result result = keys ? check(a, keys, &caller, &why) : JWT_FAULT;
	if (result == JWT_NO_KEY && !a->stale) {
		a->stale = TAKE(a->wait.keys);
		return get_keys(a) ? decide(a) : false;
	}
	switch (result) {
	case JWT_VALID:
		a->answers_later = app_answer_admitted(a->app, a->x, &caller, a->answer, a->ctx);
		break;
	case JWT_REFUSED:
	case JWT_NO_KEY:
		send_bad_token(a->app, a->x, why);
		break;
	case JWT_FAULT:
		send_unavailable(a->app, a->x,
			keys ? "There is no memory; try again."
			     : "The keys of tokens cannot be had now; try again.");
		break;
	}
	return true;
}

static void on_keys(struct task *task)
{
	struct jwt_wait *wait = CONTAINER_OF(task, struct jwt_wait, done);
	struct admission *a = CONTAINER_OF(wait, struct admission, wait);
	if (exchange_is_gone(a->x) || decide(a))
		end(a);
}

static void admit_token(
	struct app *app, struct exchange *x, struct slice token, app_answer *answer, void *ctx)
{
	struct admission *a = arena_zalloc(exchange_arena(x), sizeof(*a));
	if (!a) {
		send_unavailable(app, x, "There is no memory; try again.");
		return;
	}
	*a = (struct admission){.app = app, .x = x, .answer = answer, .ctx = ctx, .token = token};
	a->wait.home = exchange_home(x);
	a->wait.done.run = on_keys;
	/* The task may be posted at once, but runs on this loop, and so after us. */
	if (!keep(a))
		send_unavailable(app, x, "There is no memory; try again.");
	else if (!get_keys(a) || !decide(a))
		return;
	end(a);
}

void app_admit_token(struct app *app, struct exchange *x, app_answer *answer, void *ctx)
{
	const struct request_head *head = exchange_head(x);
	struct slice token = S("");
	switch (find_token(app_rules(x), head, &token)) {
	case TOKEN_NONE:
		send_no_token(app, x);
		break;
	case TOKEN_AMBIGUOUS:
		send_bad_token(app, x, "the request has more than one token");
		break;
	case TOKEN_COOKIE:
		if (!app_is_from_our_page(app_rules(x), head)) {
			send_foreign(app, x);
			break;
		}
		admit_token(app, x, token, answer, ctx);
		break;
	case TOKEN_HEADER:
		admit_token(app, x, token, answer, ctx);
		break;
	}
}

/* ---- The ways ---------------------------------------------------------------------------------
 */

/* What gives nobody a grant: an upload has thousands of parts, and who waits for its end asks
 * often. */
static bool gives_nothing(const struct app *app, struct exchange *x)
{
	struct slice path = exchange_head(x)->path;
	if (slice_starts(path, S("/grants/")))
		return true;
	return app_is_s3_path(app, path) && !slice_ends(path, S("/params")) &&
	       !slice_ends(path, S("/multipart"));
}

/* False: it was answered. */
static bool take(struct app *app, struct exchange *x, struct slice who, bool parts)
{
	struct counts *rates = parts ? app->part_rates : app->grant_rates;
	int64_t per_minute = parts ? app_rules(x)->part_rate : app_rules(x)->grant_rate;
	int64_t retry_s = 1;
	SCOPED_STRBUF(seconds, 32);
	if (per_minute == 0 || who.len == 0 ||
		rates_take(rates, who, per_minute, clock_monotonic_ms(), &retry_s))
		return true;
	outcomes_count_denial(app->outcomes, DENIAL_RATE);
	strbuf_addf(&seconds, "%lld", (long long)retry_s);
	exchange_header(x, "Retry-After", strbuf_slice(&seconds));
	exchange_note(x, "refused=\"too many requests\"");
	app_send_error(app, x, 429, "too_many_requests", "You ask too often; try again later.");
	return false;
}

bool app_answer_admitted(struct app *app, struct exchange *x, const struct caller *caller,
	app_answer *answer, void *ctx)
{
	SCOPED_STRBUF(who, 2 * LIMIT_CLAIM_BYTES);
	if (caller->subject.len == 0)
		return answer(app, x, caller, ctx);
	/* No subject looks like an address. */
	strbuf_adds(&who, "subject ");
	strbuf_add_slice(&who, caller->subject);
	return take(app, x, strbuf_slice(&who), gives_nothing(app, x)) &&
	       answer(app, x, caller, ctx);
}

static bool take_of_address(struct app *app, struct exchange *x, bool parts)
{
	char network[CLIENT_NETWORK_SIZE];
	struct slice address =
		client_address(app_rules(x)->trusted_proxies, exchange_peer(x), exchange_head(x));
	return take(app, x, client_network(address, network), parts);
}

bool app_admit_holder(struct app *app, struct exchange *x)
{
	return take_of_address(app, x, true);
}

void app_admit(struct app *app, struct exchange *x, app_answer *answer, void *ctx)
{
	const struct caller anybody = caller_anybody(app_rules(x));
	if (!take_of_address(app, x, gives_nothing(app, x)))
		return;
	switch (app_rules(x)->auth) {
	case APP_AUTH_NONE:
		(void)app_answer_admitted(app, x, &anybody, answer, ctx);
		break;
	case APP_AUTH_JWT:
		app_admit_token(app, x, answer, ctx);
		break;
	case APP_AUTH_FORWARD:
		app_admit_forward(app, x, answer, ctx);
		break;
	}
}
