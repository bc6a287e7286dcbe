/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes of uploads: whose are found, and which uploads have one. */
#include <stdio.h>
#include <string.h>

#include "app/ledger/ledger.h"
#include "backend.h"
#include "tap.h"
#include "waiting.h"

#define NOW_S 1700000000
#define HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define OTHER_HASH "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"

static struct waiting here;
static struct ledger *ledger;

static void open_ledger(void)
{
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens");
	ledger_keep_grants(ledger, 100, 3600);
}

struct issue {
	struct ledger_grant grant;
	bool done;
};

static void on_issued(struct task *task)
{
	struct ledger_grant *grant = CONTAINER_OF(task, struct ledger_grant, done);
	CONTAINER_OF(grant, struct issue, grant)->done = true;
}

static void issue(const char *id, const char *subject, const char *profile)
{
	struct issue issue = {.grant = {.id = slice_str(id),
				      .subject = slice_str(subject),
				      .dir = S("d/"),
				      .key = S(""),
				      .upload = S(""),
				      .profile = slice_str(profile),
				      .issued_ms = (int64_t)NOW_S * 1000,
				      .expires = NOW_S + 300,
				      .due = NOW_S + 300 + LEDGER_SLACK_SECONDS,
				      .home = &here.executor,
				      .done.run = on_issued}};
	ledger_issue(ledger, &issue.grant);
	waiting_until(&here, &issue.done);
	OK(issue.grant.recorded, "a grant");
}

struct call {
	struct ledger_entry entry;
	bool done;
};

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	CONTAINER_OF(entry, struct call, entry)->done = true;
}

static struct call call_of(const char *grant_id, const char *object)
{
	return (struct call){.entry = {.received_ms = 1700000000123,
				     .grant_id = slice_str(grant_id),
				     .request_id = slice_str(object),
				     .bucket = S("uploads"),
				     .object = slice_str(object),
				     .etag = S("ABC"),
				     .mime_type = S("text/plain"),
				     .size = 5,
				     .width = -1,
				     .height = -1,
				     .client_ip = S("::1"),
				     .body = S("body"),
				     .sha256 = S(HASH),
				     .confirmed = true,
				     .last_modified = NOW_S,
				     .version_id = S(""),
				     .home = &here.executor,
				     .done.run = on_recorded}};
}

static void record(struct call *call)
{
	ledger_record(ledger, &call->entry);
	waiting_until(&here, &call->done);
	IS_INT(call->entry.result, LEDGER_RECORDED, "an upload");
}

struct find {
	struct ledger_search search;
	bool done;
};

static void on_found(struct task *task)
{
	struct ledger_search *search = CONTAINER_OF(task, struct ledger_search, done);
	CONTAINER_OF(search, struct find, search)->done = true;
}

/* The object that is found, or "-". */
static const char *find(const char *subject, const char *profile, const char *sha256, int64_t size)
{
	static char object[64];
	struct find find = {.search = {.subject = slice_str(subject),
				    .profile = slice_str(profile),
				    .bucket = S("uploads"),
				    .sha256 = slice_str(sha256),
				    .size = size,
				    .home = &here.executor,
				    .done.run = on_found}};
	ledger_find(ledger, &find.search);
	waiting_until(&here, &find.done);
	OK(!find.search.failed, "no fault");
	if (find.search.found)
		IS(find.search.etag, S("ABC"), "with its ETag");
	(void)snprintf(object, sizeof(object), "%.*s",
		find.search.found ? (int)find.search.object.len : 1,
		find.search.found ? find.search.object.ptr : "-");
	ledger_search_release(&find.search);
	return object;
}

static void is_found(const char *subject, const char *profile, const char *object, const char *what)
{
	IS(slice_str(find(subject, profile, HASH, 5)), slice_str(object), what);
}

static void of_whom(void)
{
	backend_clear();
	open_ledger();
	issue("a", "ann", "");
	is_found("ann", "", "-", "nothing before it is there");
	struct call call = call_of("a", "d/1");
	record(&call);
	is_found("ann", "", "d/1", "the subject's own");
	is_found("bob", "", "-", "not another's");
	is_found("", "", "-", "nor nobody's");
	is_found("ann", "film", "-", "nor one of another profile");
	IS(slice_str(find("ann", "", OTHER_HASH, 5)), S("-"), "nor other bytes");
	IS(slice_str(find("ann", "", HASH, 6)), S("-"), "nor another size");
	issue("f", "ann", "film");
	call = call_of("f", "d/film");
	record(&call);
	is_found("ann", "film", "d/film", "that of the profile");
	is_found("ann", "", "d/1", "each its own");
	call = call_of("a", "d/2");
	record(&call);
	is_found("ann", "", "d/2", "the latest");
	ledger_close(ledger);
	open_ledger();
	is_found("ann", "", "d/2", "after a restart, too");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT count(*) FROM upload_hashes")), S("2"),
		"one row for each content");
}

static void of_which(void)
{
	backend_clear();
	open_ledger();
	issue("a", "ann", "");
	issue("n", "", "");
	struct call call = call_of("a", "d/unconfirmed");
	call.entry.confirmed = false;
	record(&call);
	is_found("ann", "", "-", "not what the store has not confirmed");
	call = call_of("a", "d/found");
	call.entry.found = true;
	record(&call);
	is_found("ann", "", "-", "nor what no callback told of");
	call = call_of("a", "d/none");
	call.entry.sha256 = S("");
	record(&call);
	is_found("ann", "", "-", "nor what has no hash");
	call = call_of("unwritten", "d/unwritten");
	record(&call);
	call = call_of("n", "d/nobody");
	record(&call);
	is_found("", "", "-", "nor what is nobody's");
	call = call_of("a", "d/elsewhere");
	call.entry.bucket = S("other");
	record(&call);
	is_found("ann", "", "-", "nor what is in another bucket");
	call = call_of("a", "d/1");
	record(&call);
	is_found("ann", "", "d/1", "but what is confirmed");
	ledger_close(ledger);
}

/* What there was before: no hashes. In PostgreSQL, where earlier programs go on, it has the same
 * version. */
static void upgraded(void)
{
	backend_clear();
	open_ledger();
	issue("a", "ann", "");
	struct call call = call_of("a", "d/1");
	record(&call);
	ledger_close(ledger);
	(void)backend_query("DROP TABLE upload_hashes");
	(void)backend_query("ALTER TABLE grants DROP COLUMN variables");
	if (backend_is_file())
		(void)backend_query("PRAGMA user_version = 5");
	open_ledger();
	is_found("ann", "", "-", "of what was before nothing is known");
	call = call_of("a", "d/2");
	record(&call);
	is_found("ann", "", "d/2", "of what is new it is");
	ledger_close(ledger);
	IS(slice_str(backend_query(backend_is_file() ? "PRAGMA user_version"
						     : "SELECT version FROM ledger_version")),
		backend_is_file() ? S("7") : S("5"), "and which version it is");
	backend_clear();
}

static void all(void)
{
	of_whom();
	of_which();
	upgraded();
}

int main(void)
{
	waiting_init(&here);
	backend_each(all);
	return tap_done();
}
