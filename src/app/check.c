/* SPDX-License-Identifier: Apache-2.0 */
#include "app/check.h"

#include <stdlib.h>

#include "app/app_internal.h"
#include "app/checks/clamd.h"
#include "app/checks/kind.h"
#include "base/log.h"
#include "base/thread_queue.h"
#include "base/waiter.h"

enum {
	COUNT_OBJECT,
	COUNT_TYPE,
	COUNT_VIRUS,
	COUNTS,
};

/* The first three are NULL until a profile needs them. */
struct checks {
	struct kinds *kinds;
	struct thread_queue *queue;
	struct thread_queue *virus_queue; /* of profiles that ask clamd, which may hang */
	atomic_bool wanted;               /* a profile has checks, or had */
	atomic_bool stopping;
	atomic_uint_fast64_t counts[COUNTS][CHECK_LATE + 1];
};

bool check_is_needed(const struct profile *profile)
{
	return profile->checks.type || profile->checks.virus;
}

/* ---- The object -------------------------------------------------------------------------------
 */

/* A piece of the object, by one request. */
struct piece {
	struct check *check;
	struct store_request request;
	struct waiter waiter;
	uint64_t from, to; /* bytes; both are in it */
};

static int64_t left_ms(const struct check *check)
{
	return check->deadline_ms - clock_monotonic_ms();
}

static bool is_late(const struct check *check)
{
	return left_ms(check) <= 0 || atomic_load(&check->app_->checks->stopping);
}

static enum check_verdict end(struct check *check, enum check_verdict verdict, const char *reason)
{
	check->reason = reason;
	return verdict;
}

static enum check_verdict judge_answer(struct check *check, const struct store_request *r)
{
	if (r->status == 206 || r->status == 200)
		return CHECK_PASSED;
	if (r->status == 412 || r->status == 404)
		return end(check, CHECK_REFUSED, "the object changed while it was checked");
	if (r->status == 403)
		return end(check, CHECK_UNKNOWN, "the key may not read the object");
	return is_late(check) ? end(check, CHECK_LATE, "there was no time to check the object")
			      : end(check, CHECK_UNKNOWN, "the store did not give the object");
}

/* Waits. The bytes are in the request's answer until piece_release(). */
static enum check_verdict piece_read(struct piece *p)
{
	struct check *check = p->check;
	SCOPED_STRBUF(range, 64);
	SCOPED_STRBUF(etag, KIB(1));
	strbuf_adds(&range, "bytes=");
	strbuf_add_u64(&range, p->from);
	strbuf_addc(&range, '-');
	strbuf_add_u64(&range, p->to);
	strbuf_addc(&etag, '"');
	strbuf_add_slice(&etag, check->object->etag);
	strbuf_addc(&etag, '"');
	const struct http_header headers[] = {
		{S("Range"), strbuf_slice(&range)}, {S("If-Match"), strbuf_slice(&etag)}};
	p->request = (struct store_request){.method = S("GET"),
		.key = check->object->key,
		.incomplete = strbuf_broken(&range) || strbuf_broken(&etag),
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.class = OUTGOING_STORE,
		.max_answer_bytes = (size_t)(p->to - p->from + 1),
		.timeout_ms = left_ms(check)};
	if (is_late(check))
		return end(check, CHECK_LATE, "there was no time to check the object");
	waiter_init(&p->waiter);
	p->request.home = waiter_expect(&p->waiter, &p->request.done);
	store_request_send(check->app_, check->app_->parts.outgoing, &p->request);
	waiter_wait(&p->waiter);
	waiter_release(&p->waiter);
	return judge_answer(check, &p->request);
}

static void piece_release(struct piece *p)
{
	store_request_release(&p->request);
}

/* ---- The checks -------------------------------------------------------------------------------
 */

static enum check_verdict judge_type(struct check *check, struct slice bytes)
{
	switch (kinds_judge(check->app_->checks->kinds, bytes, check->object->mime_type)) {
	case KIND_AGREES:
		return CHECK_PASSED;
	case KIND_CONTRADICTS:
		return end(check, CHECK_REFUSED, "the content is not of the declared type");
	case KIND_UNREAD:
		break;
	}
	return end(check, CHECK_UNKNOWN, "the content's type cannot be told");
}

static enum check_verdict check_type(struct check *check)
{
	struct piece piece = {.check = check, .to = LIMIT_CHECK_TYPE_BYTES - 1};
	uint64_t size = check->object->size;
	if (size == 0)
		return CHECK_PASSED;
	if (size < LIMIT_CHECK_TYPE_BYTES)
		piece.to = size - 1;
	enum check_verdict verdict = piece_read(&piece);
	if (verdict == CHECK_PASSED)
		verdict = judge_type(check, strbuf_slice(&piece.request.request.answer));
	piece_release(&piece);
	return verdict;
}

/* ---- Viruses ----------------------------------------------------------------------------------
 */

/* False with a verdict, or once clamd takes no more. */
static bool send_piece(
	struct check *check, struct clamd *clamd, uint64_t from, enum check_verdict *ret)
{
	uint64_t size = check->object->size;
	struct piece piece = {
		.check = check, .from = from, .to = from + LIMIT_CHECK_PIECE_BYTES - 1};
	if (piece.to >= size)
		piece.to = size - 1;
	*ret = piece_read(&piece);
	struct slice bytes = strbuf_slice(&piece.request.request.answer);
	if (*ret == CHECK_PASSED && bytes.len != piece.to - from + 1)
		*ret = end(check, CHECK_UNKNOWN, "the store did not give the object");
	bool sent = *ret == CHECK_PASSED && clamd_send(clamd, bytes);
	piece_release(&piece);
	return sent;
}

static enum check_verdict judge_virus(struct check *check, struct clamd *clamd)
{
	char name[200];
	switch (clamd_end(clamd)) {
	case CLAMD_CLEAN:
		return CHECK_PASSED;
	case CLAMD_FOUND:
		log_info("a virus was found: %s",
			log_quoted(slice_str(clamd->name), name, sizeof(name)));
		return end(check, CHECK_REFUSED, "a virus was found");
	case CLAMD_UNKNOWN:
		break;
	}
	return is_late(check) ? end(check, CHECK_LATE, "there was no time to look for viruses")
			      : end(check, CHECK_UNKNOWN, "it could not be looked for viruses");
}

static enum check_verdict check_virus(struct check *check)
{
	struct app *app = check->app_;
	enum check_verdict verdict = CHECK_PASSED;
	struct clamd clamd = {
		.deadline_ms = check->deadline_ms, .stopping = &app->checks->stopping};
	uint64_t from = 0;
	bool more = clamd_begin(&clamd, &check->rules->clamd);
	for (; more && from < check->object->size; from += LIMIT_CHECK_PIECE_BYTES)
		more = send_piece(check, &clamd, from, &verdict);
	if (verdict == CHECK_PASSED)
		return judge_virus(check, &clamd);
	clamd_give_up(&clamd);
	return verdict;
}

static void count(struct checks *checks, int which, enum check_verdict verdict)
{
	atomic_fetch_add(&checks->counts[which][verdict], 1);
}

static void run(struct task *task)
{
	struct check *check = CONTAINER_OF(task, struct check, task_);
	struct checks *checks = check->app_->checks;
	check->verdict = CHECK_PASSED;
	if (check->profile->checks.type) {
		check->verdict = check_type(check);
		count(checks, COUNT_TYPE, check->verdict);
	}
	if (check->verdict == CHECK_PASSED && check->profile->checks.virus) {
		check->verdict = check_virus(check);
		count(checks, COUNT_VIRUS, check->verdict);
	}
	executor_post(check->home, &check->done);
}

void check_begin(struct app *app, struct check *check)
{
	check->app_ = app;
	check->reason = NULL;
	check->task_.run = run;
	thread_queue_add(
		check->profile->checks.virus ? app->checks->virus_queue : app->checks->queue,
		&check->task_);
}

/* ---- All of them ------------------------------------------------------------------------------
 */

static struct profile_checks wanted(const struct rules *rules)
{
	struct profile_checks all = {.any = false};
	for (size_t i = 0; i < rules->profile_count; i++) {
		const struct profile_checks *one = &rules->profiles[i].checks;
		all.type = all.type || one->type;
		all.virus = all.virus || one->virus;
		all.any = all.any || one->any;
	}
	return all;
}

struct checks *checks_new(void)
{
	return calloc(1, sizeof(struct checks));
}

static enum err open_queue(struct thread_queue **queue)
{
	const struct thread_queue_options options = {
		.name = "check", .duty = THREAD_SERVERS, .threads = LIMIT_CHECK_THREADS};
	return *queue ? ERR_OK : thread_queue_new(&options, queue);
}

enum err checks_prepare(struct checks *checks, const struct rules *rules)
{
	struct profile_checks all = wanted(rules);
	if (!all.any)
		return ERR_OK;
	enum err e = all.type && !checks->kinds ? kinds_new(&checks->kinds) : ERR_OK;
	if (!e)
		e = open_queue(&checks->queue);
	if (!e && all.virus)
		e = open_queue(&checks->virus_queue);
	if (!e)
		atomic_store(&checks->wanted, true);
	return e;
}

void checks_stop(struct checks *checks)
{
	if (checks)
		atomic_store(&checks->stopping, true);
}

void checks_drain(struct checks *checks)
{
	if (!checks)
		return;
	if (checks->queue)
		thread_queue_drain(checks->queue);
	if (checks->virus_queue)
		thread_queue_drain(checks->virus_queue);
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	thread_queue_free(checks->queue);
	thread_queue_free(checks->virus_queue);
	kinds_free(checks->kinds);
	free(checks);
}

static struct app_check_verdicts verdicts(const struct checks *checks, int which)
{
	return (struct app_check_verdicts){
		.passed = atomic_load(&checks->counts[which][CHECK_PASSED]),
		.refused = atomic_load(&checks->counts[which][CHECK_REFUSED]),
		.unknown = atomic_load(&checks->counts[which][CHECK_UNKNOWN]),
		.late = atomic_load(&checks->counts[which][CHECK_LATE]),
	};
}

bool checks_stats(const struct checks *checks, struct app_check_stats *ret)
{
	ret->object = verdicts(checks, COUNT_OBJECT);
	ret->type = verdicts(checks, COUNT_TYPE);
	ret->virus = verdicts(checks, COUNT_VIRUS);
	return atomic_load(&checks->wanted);
}

void checks_count_object(struct checks *checks, bool passed)
{
	count(checks, COUNT_OBJECT, passed ? CHECK_PASSED : CHECK_REFUSED);
}
