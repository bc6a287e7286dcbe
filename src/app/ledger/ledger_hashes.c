/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under which upload a subject has sent a content before: for each profile the latest that the
 * store has confirmed. The hash is the one that the uploader has claimed.
 */
#include "app/ledger/ledger_internal.h"
#include "base/limits.h"

#define ANSWER_BYTES_MAX KIB(16)

static const char insert_sql[] =
	"INSERT INTO upload_hashes (subject, profile, sha256, upload) VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (subject, profile, sha256) DO UPDATE SET upload = excluded.upload";
static const char find_sql[] =
	"SELECT object, etag, mime_type, received_ms FROM upload_hashes"
	" JOIN uploads ON uploads.id = upload_hashes.upload"
	" WHERE subject = ?1 AND profile = ?2 AND sha256 = ?3 AND bucket = ?4 AND size = ?5";

#define STATEMENTS(hashes)                                                    \
	{                                                                     \
		{&(hashes)->insert, insert_sql}, {&(hashes)->find, find_sql}, \
		{                                                             \
			0                                                     \
		}                                                             \
	}

bool ledger_hashes_prepare(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->hashes);
	return ledger_prepare(ledger, statements);
}

void ledger_hashes_release(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->hashes);
	ledger_release(statements);
}

bool ledger_hashes_remember(struct ledger *ledger, int64_t id, const struct ledger_entry *entry,
	struct slice subject, struct slice profile)
{
	const struct sql_value values[] = {
		sql_text(subject), sql_text(profile), sql_text(entry->sha256), sql_number(id)};
	if (entry->sha256.len == 0 || subject.len == 0 || !entry->confirmed || entry->found)
		return true;
	return sql_run(ledger->hashes.insert, values, ARRAY_LEN(values));
}

/* ---- Finding ----------------------------------------------------------------------------------
 */

static bool column(struct ledger_search *search, int at, struct slice *ret)
{
	*ret = arena_copy(&search->arena_, sql_get_text(search->job_.ledger->hashes.find, at));
	return ret->ptr != NULL;
}

static bool read_row(struct ledger_search *search)
{
	search->found = true;
	search->received_ms = sql_get_number(search->job_.ledger->hashes.find, 3);
	return column(search, 0, &search->object) && column(search, 1, &search->etag) &&
	       column(search, 2, &search->mime_type);
}

static void run_search(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_search *search = CONTAINER_OF(job, struct ledger_search, job_);
	struct sql_statement *find = ledger->hashes.find;
	const struct sql_value values[] = {sql_text(search->subject), sql_text(search->profile),
		sql_text(search->sha256), sql_text(search->bucket), sql_number(search->size)};
	arena_reset(&search->arena_);
	search->found = false;
	enum sql_step step = sql_first(find, values, ARRAY_LEN(values));
	search->failed = step != SQL_DONE && (step != SQL_ROW || !read_row(search));
	sql_end(find);
	if (search->failed)
		(void)ledger_fault(ledger, "looking up a hash");
}

static void finish_search(struct ledger_job *job, bool synced)
{
	struct ledger_search *search = CONTAINER_OF(job, struct ledger_search, job_);
	search->failed = search->failed || !synced;
	executor_post(search->home, &search->done);
}

void ledger_find(struct ledger *ledger, struct ledger_search *search)
{
	arena_init(&search->arena_, NULL, 0, ANSWER_BYTES_MAX);
	search->job_ = (struct ledger_job){.run = run_search, .finish = finish_search};
	ledger_post(ledger, &search->job_);
}

void ledger_search_release(struct ledger_search *search)
{
	arena_reset(&search->arena_);
}
