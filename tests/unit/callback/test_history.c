/* SPDX-License-Identifier: Apache-2.0 */
/* The log of callbacks: what it keeps and for how long, and that trouble with its file is its own.
 */
#include "callback/history.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "tap.h"
#include "waiting.h"

static struct waiting here;
static char folder[] = P_tmpdir "/postern-log-XXXXXX";
static char path[100];

struct call {
	struct callback_history_query query;
	bool done;
};

static void on_done(struct task *task)
{
	struct callback_history_query *query =
		CONTAINER_OF(task, struct callback_history_query, done);
	CONTAINER_OF(query, struct call, query)->done = true;
}

static void ask(struct callback_history *log, struct call *call, int64_t before, size_t limit)
{
	*call = (struct call){.query = {.before = before,
				      .limit = limit,
				      .home = &here.executor,
				      .done.run = on_done}};
	callback_history_ask(log, &call->query);
	waiting_until(&here, &call->done);
}

/* How many records there are; *ret_newest and *ret_oldest are the ids of the first and last. */
static size_t count(struct callback_history *log, int64_t *ret_newest, int64_t *ret_oldest)
{
	struct call call;
	size_t found = 0;
	ask(log, &call, 0, 100000);
	*ret_newest = *ret_oldest = 0;
	for (const struct callback_record *r = call.query.records; r; r = r->next) {
		if (found++ == 0)
			*ret_newest = r->id;
		*ret_oldest = r->id;
	}
	callback_history_query_release(&call.query);
	return found;
}

static struct callback_params *params_of(const char *json)
{
	struct callback_params *params = NULL;
	SCOPED_STRBUF(base64, KIB(64));
	SCOPED_STRBUF(reason, 1000);
	base64_encode(&base64, slice_str(json));
	if (callback_params_parse(strbuf_slice(&base64), &params, &reason) != ERR_OK)
		abort();
	return params;
}

static struct callback_record *small(void)
{
	struct callback_record *record = callback_record_new();
	if (!record)
		abort();
	record->bucket = S("b");
	return record;
}

static const char two_urls[] = "{\"callbackUrl\":\"a.example/x?y=%20z;https://b.example:444/\","
			       "\"callbackHost\":\"h.example\",\"callbackBody\":\"${object}\","
			       "\"callbackBodyType\":\"application/json\",\"callbackSNI\":true}";

static void add_full(struct callback_history *log)
{
	struct callback_params *params = params_of(two_urls);
	struct callback_record *record = small();
	record->time_ms = 1700000000123;
	record->object = S("dir/\xe4\xb8\xad'\".png");
	record->event = S("PostObject");
	record->size = 5;
	record->request_id = S("5F00");
	record->owner = S("owner");
	record->requester = S("key");
	record->try_count = 2;
	record->tries[0] = (struct callback_try){.ms = 12, .error = "nothing \"listens\""};
	record->tries[1] = (struct callback_try){.status = 200, .ms = 3};
	record->ok = true;
	callback_record_message(record, params, S("a\0b"));
	callback_record_answer(record, S("{\0}"));
	callback_params_free(params);
	IS_INT(callback_history_add(log, record), 1, "the first id");
}

static void is_full(const struct callback_record *r)
{
	IS(r->bucket, S("b"), "bucket");
	IS(r->object, S("dir/\xe4\xb8\xad'\".png"), "object");
	IS(r->event, S("PostObject"), "event");
	IS(r->urls, S("http://a.example/x?y=%20z;https://b.example:444/"), "URLs");
	IS(r->body, S("a\0b"), "body");
	IS(r->host, S("h.example"), "host");
	IS(r->request_id, S("5F00"), "request id");
	IS(r->owner, S("owner"), "owner");
	IS(r->requester, S("key"), "requester");
	IS(r->answer, S("{\0}"), "answer");
	OK(r->id == 1 && r->time_ms == 1700000000123 && r->size == 5, "numbers");
	OK(r->ok && r->sni && r->sendable && !r->answer_truncated, "flags");
	OK(r->body_type == CALLBACK_JSON, "type");
	OK(r->try_count == 2 && r->tries[0].status == 0 && r->tries[0].ms == 12 &&
			r->tries[1].status == 200 && r->tries[1].ms == 3,
		"tries");
	IS(slice_str(r->tries[0].error), S("nothing \"listens\""), "the first one's error");
	IS(slice_str(r->tries[1].error), S(""), "the second one's");
}

static void is_sendable(const struct callback_record *r)
{
	struct callback_params *params = NULL;
	IS_INT(callback_record_params(r, &params), ERR_OK, "the parameters come back");
	IS_INT(params->url_count, 2, "two URLs");
	IS(params->urls[0].target, S("/x?y=%20z"), "the target of the first");
	OK(params->urls[1].tls && params->urls[1].port == 444, "the second");
	IS(params->host, S("h.example"), "the host");
	OK(params->sni && params->body_type == CALLBACK_JSON, "SNI and type");
	callback_params_free(params);
}

static void keeps(void)
{
	struct callback_history *log = NULL;
	struct stat st;
	struct call call;
	OK(callback_history_open(path, &log) == ERR_OK, "makes its file");
	OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "for its owner alone");
	ask(log, &call, 0, 10);
	OK(call.query.err == ERR_OK && !call.query.records && !call.query.more, "is empty");
	add_full(log);
	callback_history_close(log);
	OK(callback_history_open(path, &log) == ERR_OK, "opens again");
	ask(log, &call, 0, 10);
	OK(call.query.err == ERR_OK && call.query.records && !call.query.records->next, "one");
	is_full(call.query.records);
	is_sendable(call.query.records);
	callback_history_query_release(&call.query);
	IS_INT(callback_history_add(log, small()), 2, "ids go on");
	callback_history_close(log);
}

static void pages(void)
{
	struct callback_history *log = NULL;
	struct call call;
	if (callback_history_open(path, &log) != ERR_OK)
		return;
	IS_INT(callback_history_add(log, small()), 3, "a third");
	ask(log, &call, 0, 2);
	OK(call.query.records->id == 3 && call.query.records->next->id == 2, "newest first");
	OK(call.query.more && !call.query.records->next->next, "two, and there is more");
	callback_history_query_release(&call.query);
	ask(log, &call, 2, 2);
	OK(call.query.records->id == 1 && !call.query.more, "the rest");
	callback_history_query_release(&call.query);
	ask(log, &call, 4, 3);
	OK(!call.query.more, "exactly as many as there are: no more");
	callback_history_query_release(&call.query);
	callback_history_close(log);
}

static void bounded(void)
{
	struct callback_history *log = NULL;
	int64_t newest, oldest;
	if (callback_history_open(path, &log) != ERR_OK)
		return;
	for (int i = 0; i < LIMIT_CALLBACK_HISTORY_ENTRIES - 3; i++) {
		(void)callback_history_add(log, small());
		if (i % 100 == 0)
			(void)count(log, &newest, &oldest); /* lets it catch up */
	}
	IS_INT(count(log, &newest, &oldest), LIMIT_CALLBACK_HISTORY_ENTRIES, "as many as it keeps");
	IS_INT(oldest, 1, "the oldest is there");
	IS_INT(callback_history_add(log, small()), LIMIT_CALLBACK_HISTORY_ENTRIES + 1, "one more");
	IS_INT(count(log, &newest, &oldest), LIMIT_CALLBACK_HISTORY_ENTRIES, "no more than that");
	IS_INT(oldest, 2, "the oldest has gone");
	IS_INT(newest, LIMIT_CALLBACK_HISTORY_ENTRIES + 1, "the newest is there");
	callback_history_close(log);
}

/* An executor that holds the thread which posts to it until `gate` is free. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void post_gated(struct executor *executor UNUSED, struct task *task)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	waiting_post(&here.executor, task);
}

/* If the disk does not keep up, records are dropped rather than gathered. */
static void queue_bounded(void)
{
	struct executor gated = {.post = post_gated};
	struct callback_history *log = NULL;
	int64_t first, newest, oldest;
	if (callback_history_open(path, &log) != ERR_OK)
		return;
	struct call call = {
		.query = {.limit = 1, .home = &gated, .done.run = on_done},
	};
	pthread_mutex_lock(&gate);
	callback_history_ask(log, &call.query);
	first = callback_history_add(log, small());
	for (int i = 1; i < LIMIT_CALLBACK_HISTORY_QUEUE + 5; i++)
		(void)callback_history_add(log, small());
	pthread_mutex_unlock(&gate);
	waiting_until(&here, &call.done);
	callback_history_query_release(&call.query);
	(void)count(log, &newest, &oldest);
	IS_INT(newest, first + LIMIT_CALLBACK_HISTORY_QUEUE - 1, "what came too much is dropped");
	int64_t next = callback_history_add(log, small());
	(void)count(log, &newest, &oldest);
	IS_INT(newest, next, "then it goes on");
	callback_history_close(log);
}

/* No file may grow: as on a full disk. */
static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

static void full_disk(void)
{
	struct callback_history *log = NULL;
	int64_t newest, oldest, before;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (callback_history_open(path, &log) != ERR_OK)
		return;
	(void)count(log, &before, &oldest);
	set_file_limit(1);
	int64_t lost = callback_history_add(log, small());
	/* The first may be answered before the transaction ends, the second is not. */
	(void)count(log, &newest, &oldest);
	(void)count(log, &newest, &oldest);
	set_file_limit(RLIM_INFINITY);
	IS_INT(newest, before, "a record that cannot be written is lost");
	int64_t kept = callback_history_add(log, small());
	OK(kept == lost + 1, "its id is not used again");
	(void)count(log, &newest, &oldest);
	IS_INT(newest, kept, "with room again it goes on");
	callback_history_close(log);
}

static void broken_file(void)
{
	struct callback_history *log = NULL;
	FILE *file = fopen(path, "w");
	for (int i = 0; file && i < 1000; i++)
		(void)fputs("this is no database, ", file);
	(void)fclose(file);
	IS_INT(callback_history_open(path, &log), ERR_INTERNAL, "a file that is none is refused");
	IS_INT(callback_history_open("/nowhere/callbacks.db", &log), ERR_INTERNAL, "no folder");
}

static void set_version(int version)
{
	SCOPED_STRBUF(sql, 64);
	sqlite3 *db = NULL;
	strbuf_addf(&sql, "PRAGMA user_version = %d", version);
	OK(sqlite3_open(path, &db) == SQLITE_OK &&
			sqlite3_exec(db, sql.ptr, NULL, NULL, NULL) == SQLITE_OK,
		"a file of version %d", version);
	(void)sqlite3_close(db);
}

static void later_version(void)
{
	struct callback_history *log = NULL;
	(void)unlink(path);
	set_version(2);
	IS_INT(callback_history_open(path, &log), ERR_INTERNAL, "a later version is refused");
	IS_INT(callback_history_open(path, &log), ERR_INTERNAL, "and stays what it was");
	set_version(1);
	IS_INT(callback_history_open(path, &log), ERR_OK, "this version is not");
	callback_history_close(log);
}

static void bounds_of_a_record(void)
{
	SCOPED_STRBUF(big, MIB(1));
	struct callback_params *params = params_of(two_urls);
	struct callback_params *back = NULL;
	while (big.len <= LIMIT_CALLBACK_HISTORY_MESSAGE_BYTES)
		strbuf_adds(&big, "0123456789abcdef");
	struct callback_record *record = small();
	callback_record_message(record, params, strbuf_slice(&big));
	OK(!record->sendable && record->body.len == 0 && record->urls.len > 0, "no long body");
	IS_INT(callback_record_params(record, &back), ERR_CALLBACK_TOO_LONG, "nothing to send");
	callback_record_answer(record, strbuf_slice(&big));
	OK(record->answer_truncated, "a long answer is cut");
	IS_INT(record->answer.len, LIMIT_CALLBACK_HISTORY_ANSWER_BYTES, "to this");
	callback_record_answer(record, slice_head(strbuf_slice(&big), 1024));
	OK(!record->answer_truncated && record->answer.len == 1024, "one that just fits is not");
	callback_record_free(record);
	callback_params_free(params);
	strbuf_clear(&big);
	strbuf_adds(&big, "{\"callbackBody\":\"x\",\"callbackUrl\":\"http://a.example/");
	for (int i = 0; i < 300; i++)
		strbuf_adds(&big, "0123456789");
	strbuf_adds(&big, "\"}");
	params = params_of(big.ptr);
	record = small();
	callback_record_message(record, params, S("x"));
	OK(!record->sendable && record->urls.len == LIMIT_CALLBACK_HISTORY_URL_BYTES,
		"no long URL");
	callback_record_free(record);
	callback_params_free(params);
}

int main(void)
{
	waiting_init(&here);
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/callbacks.db", folder);
	keeps();
	pages();
	bounded();
	queue_bounded();
	full_disk();
	broken_file();
	later_version();
	bounds_of_a_record();
	(void)unlink(path);
	(void)rmdir(folder);
	return tap_done();
}
