/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "store/rados/fsck/survey.h"

enum {
	VERSION_TEXT_BYTES = 24,
	IDENTITY_BYTES_MAX = 16 << 10,
};

void survey_fail(struct survey *f, enum err e)
{
	if (f->err == ERR_OK)
		f->err = e;
}

void survey_fail_ceph(struct survey *f, int result, const char *object)
{
	enum err e = cluster_err(result, "reading", object);
	if (e != ERR_OK)
		survey_fail(f, e);
}

bool survey_lives(struct survey *f)
{
	struct gateway_list list;
	bool lives = life_is_well(&f->r->life);
	if (lives) {
		int result = gateways_read(f->r, &list);
		/* A row of another one that does not parse is told elsewhere. */
		if (result < 0 && result != -EBADMSG)
			survey_fail_ceph(f, result, "gateways");
		lives = result < 0 || gateway_find(&list, f->r->instance);
		gateway_list_free(&list);
	}
	if (!lives && f->err == ERR_OK) {
		log_error("fsck: the gateways have taken this repair for dead, so it is broken "
			  "off; see that POSTERN_RADOS_BEAT_MS and POSTERN_RADOS_DEAD_BEATS say "
			  "what they have");
		survey_fail(f, ERR_UNAVAILABLE);
	}
	return f->err == ERR_OK;
}

bool survey_progress(struct survey *f, uint64_t bytes)
{
	f->done += bytes;
	if (f->options->progress && !f->options->progress(f->done, f->total, f->options->ctx))
		survey_fail(f, ERR_UNAVAILABLE);
	return f->err == ERR_OK;
}

const char *survey_object(
	struct survey *f, const struct pool *pool, const char *name, char ret[SURVEY_OBJECT_BYTES])
{
	const char *where = pool == f->r->index ? "index" : pool == f->r->small ? "small" : "data";
	(void)snprintf(ret, SURVEY_OBJECT_BYTES, "%s/%s", where, name);
	return ret;
}

static uint64_t *count_of(struct survey *f, enum survey_fate fate)
{
	switch (fate) {
	case FATE_STAYS:
		return &f->result->findings;
	case FATE_LOST:
		return &f->result->lost;
	case FATE_CORRECTED:
		return &f->result->corrected;
	case FATE_HARMLESS:
		break;
	}
	return &f->result->leaked;
}

/* What makes a finding another one than all others. */
static void identify(struct survey *f, const struct rados_finding *finding,
	const struct subject *about, struct strbuf *ret)
{
	const char *fault = about && about->fault ? about->fault : finding->what;
	strbuf_addf(ret, "%" PRIu64 " %s ", about && about->bucket ? about->bucket->id : 0, fault);
	strbuf_add_slice(ret, finding->bucket);
	strbuf_adds(ret, " ");
	strbuf_add_slice(ret, about && about->row.len ? about->row : finding->key);
	if (!about || !about->row.len)
		strbuf_addf(ret, " %s %" PRIu64, finding->version, finding->part);
	if (!about || !about->moves)
		strbuf_addf(ret, " %s", finding->object);
	if (strbuf_broken(ret))
		survey_fail(f, ERR_UNAVAILABLE);
}

/* Counts it, unless it is known; what did not stay after all is counted as what it is. */
static bool is_new(struct survey *f, enum survey_fate fate, struct slice finding)
{
	int before = told_fate(f->told, finding);
	if (before != TOLD_NEVER && (before != FATE_STAYS || fate == FATE_STAYS))
		return false;
	f->result->findings -= before == FATE_STAYS;
	(*count_of(f, fate))++;
	told_note(f->told, finding, (int)fate);
	return true;
}

void survey_tell(struct survey *f, enum survey_fate fate, const struct subject *about,
	const char *object, const char *what)
{
	char version[VERSION_TEXT_BYTES] = "";
	/* It is broken off: nobody knows any more whether it is so. */
	if (f->err != ERR_OK)
		return;
	struct rados_finding finding = {.what = what,
		.is_harmless = fate == FATE_HARMLESS,
		.is_lost = fate == FATE_LOST,
		.is_corrected = fate == FATE_CORRECTED,
		.version = version,
		.object = object};
	if (about && about->bucket)
		finding.bucket = slice_str(about->bucket->name);
	if (about) {
		finding.key = about->key;
		finding.part = about->part;
	}
	if (about && about->version && about->version->is_null)
		(void)snprintf(version, sizeof(version), "null");
	else if (about && about->version)
		(void)snprintf(version, sizeof(version), "%016" PRIX64, about->version->version);
	SCOPED_STRBUF(identity, IDENTITY_BYTES_MAX);
	identify(f, &finding, about, &identity);
	if (!strbuf_broken(&identity) && is_new(f, fate, strbuf_slice(&identity)))
		f->options->found(&finding, f->options->ctx);
}
