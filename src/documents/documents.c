/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents.h"

#include <stdlib.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "documents/place.h"

enum {
	ATTEMPTS_MAX = 10 /* of making a document that others remove */
};

const char *documents_where(const struct documents *d)
{
	return d->where;
}

void documents_close(struct documents *d)
{
	if (d)
		d->ops->close(d);
}

enum err documents_read(struct documents *d, const char *name, struct strbuf *out, bool *ret_found)
{
	return d->ops->read(d, name, out, ret_found);
}

enum err documents_has(struct documents *d, const char *name, bool *ret_has)
{
	static const struct document_mark none;
	SCOPED_STRBUF(bytes, DOCUMENT_BYTES_MAX);
	if (d->ops->mark) {
		struct document_mark mark = d->ops->mark(d, name);
		*ret_has = memcmp(mark.words, none.words, sizeof(none.words)) != 0;
		return ERR_OK;
	}
	enum err e = documents_read(d, name, &bytes, ret_has);
	secret_wipe(bytes.ptr, bytes.len);
	return e;
}

enum err documents_replace(struct documents *d, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced)
{
	return d->ops->replace(d, name, was, bytes, ret_replaced);
}

enum err documents_read_or_make(struct documents *d, const char *name,
	enum err (*make)(struct strbuf *out), struct strbuf *out)
{
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		bool done = false;
		enum err e = documents_read(d, name, out, &done);
		if (e != ERR_OK || done)
			return e;
		e = make(out);
		if (e == ERR_OK && strbuf_broken(out))
			e = ERR_UNAVAILABLE;
		if (e == ERR_OK)
			e = documents_replace(d, name, S(""), strbuf_slice(out), &done);
		if (e != ERR_OK || done)
			return e;
		secret_wipe(out->ptr, out->len);
		strbuf_clear(out);
	}
	log_error("%s/%s comes and goes", d->where, name);
	return ERR_INTERNAL;
}

/* ---- Changes --------------------------------------------------------------------------------- */

static struct document_mark mark_of_bytes(bool found, struct slice bytes)
{
	struct document_mark mark = {.words = {found}};
	uint8_t digest[SHA256_BYTES];
	sha256_of(bytes, digest);
	memcpy(&mark.words[1], digest, sizeof(digest));
	return mark;
}

static bool is_marked(const struct document_follower *follower, const struct document_mark *mark)
{
	return memcmp(follower->mark, mark->words, sizeof(mark->words)) == 0;
}

/*
 * Has the follower take the document, if it is another one than was taken last. If it is `needed`
 * one that is not there is not taken. Under the lock.
 */
static enum err tell(struct documents *d, struct document_follower *follower, bool force,
	bool needed, bool *ret_found)
{
	struct document_mark mark = {.words = {0}};
	SCOPED_STRBUF(bytes, DOCUMENT_BYTES_MAX);
	bool found = false;
	/* Before it is read: what is changed meanwhile looks changed afterwards. */
	if (d->ops->mark)
		mark = d->ops->mark(d, follower->name);
	if (d->ops->mark && !force && is_marked(follower, &mark))
		return ERR_OK;
	enum err e = documents_read(d, follower->name, &bytes, &found);
	if (!d->ops->mark)
		mark = mark_of_bytes(found, strbuf_slice(&bytes));
	if (e == ERR_OK && (found || !needed) && (force || !is_marked(follower, &mark)))
		e = follower->take(follower, found, strbuf_slice(&bytes)) ? ERR_OK : ERR_INTERNAL;
	secret_wipe(bytes.ptr, bytes.len);
	if (e == ERR_OK) {
		memcpy(follower->mark, mark.words, sizeof(mark.words));
		*ret_found = found;
	}
	return e;
}

bool documents_tell(struct documents *d, bool force)
{
	bool all = true;
	bool found;
	(void)pthread_mutex_lock(&d->lock);
	for (struct document_follower *f = d->followers; f; f = f->next)
		all = tell(d, f, force, false, &found) == ERR_OK && all;
	(void)pthread_mutex_unlock(&d->lock);
	return all;
}

enum err documents_follow(struct documents *d, struct document_follower *follower, bool *ret_found)
{
	*ret_found = false;
	(void)pthread_mutex_lock(&d->lock);
	enum err e = tell(d, follower, true, true, ret_found);
	if (e == ERR_OK && *ret_found) {
		follower->documents = d;
		follower->next = d->followers;
		d->followers = follower;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return e;
}

void documents_unfollow(struct document_follower *follower)
{
	struct documents *d = follower->documents;
	if (!d)
		return;
	(void)pthread_mutex_lock(&d->lock);
	struct document_follower **at = &d->followers;
	while (*at != follower)
		at = &(*at)->next;
	*at = follower->next;
	follower->documents = NULL;
	(void)pthread_mutex_unlock(&d->lock);
}

void documents_look(struct documents *d, bool force)
{
	if (d->ops->look)
		d->ops->look(d, force);
	else
		(void)documents_tell(d, force);
}

/* ---- For places ------------------------------------------------------------------------------ */

bool documents_init(struct documents *d, const struct documents_ops *ops, const char *where)
{
	d->ops = ops;
	d->where = strdup(where);
	(void)pthread_mutex_init(&d->lock, NULL);
	return d->where;
}

void documents_release(struct documents *d)
{
	for (struct document_follower *f = d->followers; f; f = f->next)
		f->documents = NULL;
	(void)pthread_mutex_destroy(&d->lock);
	free(d->where);
}
