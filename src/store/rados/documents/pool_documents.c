/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/documents/pool_documents.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "documents/place.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/cluster/observer.h"

struct pool_documents {
	struct documents base;
	struct pool *pool;
	struct cluster *own;       /* closed with it; NULL: somebody else's */
	struct observer *observer; /* NULL: followers look */
};

static struct pool_documents *of(struct documents *d)
{
	return CONTAINER_OF(d, struct pool_documents, base);
}

static enum err read_row(struct documents *d, const char *name, struct strbuf *out, bool *ret_found)
{
	struct slice key = slice_str(name);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(fetch, &key, 1);
	int result = fetch_run(fetch, of(d)->pool, RADOS_DOCUMENTS);
	/* Nobody has written anything yet. */
	bool none = result == -ENOENT;
	enum err e = none ? ERR_OK : cluster_err(result, "reading", d->where);
	if (e == ERR_OK) {
		struct slice value = none ? S("") : fetched_value(fetch_rows(fetch, number), key);
		strbuf_add_slice(out, value);
		*ret_found = value.len;
	}
	fetch_free(fetch);
	if (e != ERR_OK || !strbuf_broken(out))
		return e;
	log_error("%s/%s is too long", d->where, name);
	return ERR_INTERNAL;
}

static enum err replace_row(struct documents *d, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced)
{
	struct pool *pool = of(d)->pool;
	struct edit edit = edit_begin(pool);
	edit_ensure(&edit);
	edit_compare(&edit, slice_str(name), was);
	edit_set(&edit, slice_str(name), bytes);
	int result = edit_run(&edit, RADOS_DOCUMENTS);
	*ret_replaced = result == 0;
	if (result == -ECANCELED)
		return ERR_OK;
	enum err e = cluster_err(result, "changing", d->where);
	/* What has been replaced is replaced. */
	if (e == ERR_OK && pool_tell(pool, RADOS_DOCUMENTS) != ERR_OK)
		log_error("%s/%s was changed, but not all gateways have confirmed it: those that "
			  "reach Ceph take it within %d s",
			d->where, name, LIMIT_RADOS_LOOK_MS / 1000);
	return e;
}

static void look(struct documents *d, bool force)
{
	if (!of(d)->observer)
		(void)documents_tell(d, force);
	else if (force)
		observer_look(of(d)->observer);
}

static enum err read_on_observer(void *ctx)
{
	return documents_tell(ctx, false) ? ERR_OK : ERR_UNAVAILABLE;
}

static void close_pool(struct documents *d)
{
	struct pool_documents *documents = of(d);
	observer_free(documents->observer);
	cluster_close(documents->own);
	documents_release(d);
	free(documents);
}

static const struct documents_ops ops = {
	.read = read_row,
	.replace = replace_row,
	.look = look,
	.close = close_pool,
};

enum err documents_in_own_pool(struct pool *pool, struct cluster *cluster, struct documents **ret)
{
	struct pool_documents *documents = calloc(1, sizeof(*documents));
	if (!documents) {
		cluster_close(cluster);
		return ERR_UNAVAILABLE;
	}
	documents->pool = pool;
	documents->own = cluster;
	if (!documents_init(&documents->base, &ops, "ceph:" RADOS_DOCUMENTS)) {
		close_pool(&documents->base);
		return ERR_UNAVAILABLE;
	}
	*ret = &documents->base;
	return ERR_OK;
}

/* What is watched has to be there. */
static enum err make_object(struct pool *pool)
{
	struct edit edit = edit_begin(pool);
	edit_ensure(&edit);
	return cluster_err(edit_run(&edit, RADOS_DOCUMENTS), "making", RADOS_DOCUMENTS);
}

enum err documents_in_pool(struct pool *pool, unsigned look_ms, struct documents **ret)
{
	struct documents *d;
	enum err e = make_object(pool);
	if (e == ERR_OK)
		e = documents_in_own_pool(pool, NULL, &d);
	if (e != ERR_OK)
		return e;
	const struct observer_options options = {.pool = pool,
		.object = RADOS_DOCUMENTS,
		.thread = "rados-documents",
		.read = read_on_observer,
		.ctx = d,
		.every_ms = look_ms};
	e = observer_new(&options, &of(d)->observer);
	if (e == ERR_OK)
		*ret = d;
	else
		documents_close(d);
	return e;
}
