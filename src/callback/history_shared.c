/* SPDX-License-Identifier: Apache-2.0 */
/* The callback history in a log that all gateways write and read. */
#include <stdlib.h>

#include "base/log.h"
#include "callback/history_internal.h"
#include "callback/record_bytes.h"
#include "documents/shared_log.h"

struct history_shared {
	struct callback_history base;
	struct shared_log *log;
};

static struct shared_log *log_of(struct callback_history *history)
{
	return CONTAINER_OF(history, struct history_shared, base)->log;
}

static int64_t next_id(struct callback_history *history)
{
	return log_of(history)->next_id(log_of(history));
}

/* Each is written for itself. */
static bool always(struct callback_history *history UNUSED)
{
	return true;
}

static void end(struct callback_history *history UNUSED)
{
}

static bool write_record(struct callback_history *history, const struct callback_record *record)
{
	SCOPED_STRBUF(bytes, CALLBACK_RECORD_BYTES_MAX);
	callback_record_format(record, &bytes);
	return !strbuf_broken(&bytes) &&
	       log_of(history)->add(log_of(history), record->id, strbuf_slice(&bytes)) == ERR_OK;
}

static const char *fault(struct callback_history *history UNUSED)
{
	return "the log of all gateways cannot be written";
}

/* The end of the list that is made. */
struct page {
	struct callback_record **last;
};

static bool take(void *ctx, int64_t id, struct slice bytes)
{
	struct page *page = ctx;
	struct callback_record *record = callback_record_parse(bytes);
	/* One of a later version is left out. */
	if (!record)
		return true;
	record->id = id;
	*page->last = record;
	page->last = &record->next;
	return true;
}

static enum err read_page(struct callback_history *history, struct callback_history_query *query)
{
	struct page page = {&query->records};
	struct shared_log_query asked = {.before = query->before ? query->before : INT64_MAX,
		.limit = query->limit,
		.take = take,
		.ctx = &page};
	enum err e = log_of(history)->read(log_of(history), &asked);
	query->more = asked.more;
	return e == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}

static void close_history(struct callback_history *history)
{
	free(CONTAINER_OF(history, struct history_shared, base));
}

static const struct history_ops ops = {
	.next_id = next_id,
	.begin = always,
	.write = write_record,
	.commit = always,
	.end = end,
	.fault = fault,
	.read = read_page,
	.close = close_history,
};

enum err callback_history_share(struct shared_log *log, struct callback_history **ret)
{
	struct history_shared *history = calloc(1, sizeof(*history));
	if (!history)
		return ERR_UNAVAILABLE;
	history->base.ops = &ops;
	history->log = log;
	enum err e = history_start(&history->base);
	if (e == ERR_OK)
		*ret = &history->base;
	else
		callback_history_close(&history->base);
	return e;
}
