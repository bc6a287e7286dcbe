/* SPDX-License-Identifier: Apache-2.0 */
/* The table of confirmed uploads: which may be recorded, and recording. */
#include "app/ledger/ledger_internal.h"
#include "base/clock.h"

/*
 * Whether the callback, and the state of the object, are there; whether the grant is used up; whose
 * it is.
 */
static const char look_sql[] =
	"SELECT EXISTS (SELECT 1 FROM uploads WHERE grant_id = ?1 AND request_id = ?2),"
	" EXISTS (SELECT 1 FROM uploads WHERE confirmed = 1 AND grant_id = ?1 AND bucket = ?3"
	"  AND object = ?4 AND etag = ?5 AND last_modified = ?6 AND version_id = ?7),"
	" count(*) >= CAST(?8 AS BIGINT),"
	" coalesce(sum(CAST(size AS DOUBLE PRECISION)), 0) + CAST(?9 AS BIGINT)"
	"  > CAST(?10 AS BIGINT),"
	" (SELECT subject FROM grants WHERE id = ?1), (SELECT profile FROM grants WHERE id = ?1),"
	" (SELECT variables FROM grants WHERE id = ?1)"
	" FROM uploads WHERE grant_id = ?1";

/* With RETURNING SQLite takes twice as long: only if somebody wants to know the id. */
#define INSERT                                                                                     \
	"INSERT INTO uploads (received_ms, grant_id, request_id, bucket, object, etag, mime_type," \
	" size, width, height, client_ip, body, confirmed, last_modified, version_id,"             \
	" source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
static const char insert_sql[] = INSERT;
static const char insert_known_sql[] = INSERT " RETURNING id";

#define STATEMENTS(uploads)                                                     \
	{                                                                       \
		{&(uploads)->look, look_sql}, {&(uploads)->insert, insert_sql}, \
			{&(uploads)->insert_known, insert_known_sql},           \
		{                                                               \
			0                                                       \
		}                                                               \
	}

bool ledger_uploads_prepare(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->uploads);
	return ledger_prepare(ledger, statements);
}

void ledger_uploads_release(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->uploads);
	ledger_release(statements);
}

/* With the answer to `look` at hand; what is known of the grant is valid until that ends. */
static enum ledger_result judge(struct sql_statement *look, const struct ledger_entry *entry,
	struct ledger_upload_grant *ret)
{
	*ret = (struct ledger_upload_grant){.subject = sql_get_text(look, 4),
		.profile = sql_get_text(look, 5),
		.variables = sql_get_text(look, 6)};
	if (sql_get_number(look, 0))
		return LEDGER_REPEATED;
	if (sql_get_number(look, 1))
		return LEDGER_KNOWN;
	if ((entry->max_uploads > 0 && sql_get_number(look, 2)) ||
		(entry->max_bytes > 0 && sql_get_number(look, 3)))
		return LEDGER_EXHAUSTED;
	return LEDGER_RECORDED;
}

/* Whether the entry may be recorded; the caller ends `look`. Nothing is known about what has no
 * grant. */
static enum ledger_result look(struct sql_statement *look, const struct ledger_entry *entry,
	struct ledger_upload_grant *ret)
{
	const struct sql_value values[] = {sql_known_text(entry->grant_id),
		sql_known_text(entry->request_id), sql_text(entry->bucket), sql_text(entry->object),
		sql_text(entry->etag),
		entry->confirmed ? sql_number(entry->last_modified) : sql_null(),
		entry->confirmed ? sql_text(entry->version_id) : sql_null(),
		sql_number(entry->max_uploads), sql_number(entry->size > 0 ? entry->size : 0),
		sql_number(entry->max_bytes)};
	*ret = (struct ledger_upload_grant){.subject = S(""), .profile = S(""), .variables = S("")};
	if (entry->grant_id.len == 0)
		return LEDGER_RECORDED;
	if (sql_first(look, values, ARRAY_LEN(values)) != SQL_ROW)
		return LEDGER_FAILED;
	return judge(look, entry, ret);
}

static bool insert(struct ledger *ledger, const struct ledger_entry *entry,
	const struct ledger_upload_grant *grant)
{
	const struct sql_value values[] = {sql_number(entry->received_ms),
		sql_known_text(entry->grant_id), sql_known_text(entry->request_id),
		sql_text(entry->bucket), sql_text(entry->object), sql_text(entry->etag),
		sql_text(entry->mime_type), sql_known_number(entry->size),
		sql_known_number(entry->width), sql_known_number(entry->height),
		sql_text(entry->client_ip), sql_bytes(entry->body), sql_number(entry->confirmed),
		entry->confirmed ? sql_number(entry->last_modified) : sql_null(),
		entry->confirmed ? sql_text(entry->version_id) : sql_null(),
		sql_text(entry->found ? S("store") : S("callback"))};
	if (!ledger_events_are_kept(ledger) && entry->sha256.len == 0)
		return sql_run(ledger->uploads.insert, values, ARRAY_LEN(values));
	struct sql_statement *insert = ledger->uploads.insert_known;
	bool ok = sql_first(insert, values, ARRAY_LEN(values)) == SQL_ROW;
	int64_t id = ok ? sql_get_number(insert, 0) : 0;
	ok = ok && sql_next(insert) == SQL_DONE;
	sql_end(insert);
	return ok && ledger_hashes_remember(ledger, id, entry, grant->subject, grant->profile) &&
	       ledger_events_of_upload(ledger, id, entry, grant);
}

static enum ledger_result look_and_insert(struct ledger *ledger, const struct ledger_entry *entry)
{
	struct ledger_upload_grant grant;
	enum ledger_result result = look(ledger->uploads.look, entry, &grant);
	if (result == LEDGER_RECORDED && !insert(ledger, entry, &grant))
		result = LEDGER_FAILED;
	if (result == LEDGER_FAILED)
		(void)ledger_fault(ledger, "insert");
	sql_end(ledger->uploads.look);
	return result;
}

static void run_entry(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_entry *entry = CONTAINER_OF(job, struct ledger_entry, job_);
	if (entry->deadline_ms > 0 && clock_monotonic_ms() >= entry->deadline_ms) {
		entry->result = LEDGER_LATE;
		return;
	}
	entry->result = look_and_insert(ledger, entry);
	/* The upload is what counts; a fault with the grant was logged. */
	if (entry->result == LEDGER_RECORDED)
		(void)!ledger_grants_set_state(
			ledger, &(const struct ledger_change){.id = entry->grant_id,
					.state = entry->found ? GRANT_FOUND : GRANT_CONFIRMED,
					.now_ms = entry->received_ms});
}

static void finish_entry(struct ledger_job *job, bool synced)
{
	struct ledger_entry *entry = CONTAINER_OF(job, struct ledger_entry, job_);
	if (!synced)
		entry->result = LEDGER_FAILED;
	executor_post(entry->home, &entry->done);
}

void ledger_record(struct ledger *ledger, struct ledger_entry *entry)
{
	entry->job_ = (struct ledger_job){.run = run_entry, .finish = finish_entry};
	ledger_post(ledger, &entry->job_);
}
