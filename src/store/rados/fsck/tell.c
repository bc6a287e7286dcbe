/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "store/rados/fsck/survey.h"

enum {
	VERSION_TEXT_BYTES = 24
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

void survey_tell(struct survey *f, enum survey_fate fate, const struct subject *about,
	const char *object, const char *what)
{
	char version[VERSION_TEXT_BYTES] = "";
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
	(*count_of(f, fate))++;
	f->options->found(&finding, f->options->ctx);
}
