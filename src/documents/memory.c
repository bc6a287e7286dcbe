/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in memory alone. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "documents/place.h"

struct document {
	struct document *next;
	char *name;
	struct secret bytes;
};

struct memory {
	struct documents base;
	pthread_mutex_t lock; /* of the list; below that of the base */
	struct document *list;
};

static struct memory *memory_of(struct documents *d)
{
	return CONTAINER_OF(d, struct memory, base);
}

static struct document *find(struct memory *memory, const char *name)
{
	struct document *document = memory->list;
	while (document && strcmp(document->name, name) != 0)
		document = document->next;
	return document;
}

static enum err read_memory(
	struct documents *d, const char *name, struct strbuf *out, bool *ret_found)
{
	struct memory *memory = memory_of(d);
	(void)pthread_mutex_lock(&memory->lock);
	const struct document *document = find(memory, name);
	/* One that could not be made for want of memory is empty. */
	*ret_found = document && !secret_is_empty(&document->bytes);
	if (*ret_found)
		strbuf_add_slice(out, secret_slice(&document->bytes));
	(void)pthread_mutex_unlock(&memory->lock);
	return strbuf_broken(out) ? ERR_UNAVAILABLE : ERR_OK;
}

static void document_free(struct document *document)
{
	secret_release(&document->bytes);
	free(document->name);
	free(document);
}

/* An empty one; NULL without memory. */
static struct document *add(struct memory *memory, const char *name)
{
	struct document *document = calloc(1, sizeof(*document));
	if (!document)
		return NULL;
	document->name = strdup(name);
	if (!document->name) {
		document_free(document);
		return NULL;
	}
	document->next = memory->list;
	memory->list = document;
	return document;
}

static enum err replace(struct memory *memory, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced)
{
	struct document *document = find(memory, name);
	struct slice now = document ? secret_slice(&document->bytes) : S("");
	*ret_replaced = slice_eq(now, was);
	if (!*ret_replaced)
		return ERR_OK;
	if (!document)
		document = add(memory, name);
	return document && secret_set(&document->bytes, bytes) ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err replace_memory(struct documents *d, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced)
{
	struct memory *memory = memory_of(d);
	(void)pthread_mutex_lock(&memory->lock);
	enum err e = replace(memory, name, was, bytes, ret_replaced);
	(void)pthread_mutex_unlock(&memory->lock);
	return e;
}

static void close_memory(struct documents *d)
{
	struct memory *memory = memory_of(d);
	while (memory->list) {
		struct document *document = memory->list;
		memory->list = document->next;
		document_free(document);
	}
	(void)pthread_mutex_destroy(&memory->lock);
	documents_release(d);
	free(memory);
}

static const struct documents_ops ops = {
	.read = read_memory,
	.replace = replace_memory,
	.close = close_memory,
};

enum err documents_in_memory(struct documents **ret)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	if (!memory)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&memory->lock, NULL);
	if (!documents_init(&memory->base, &ops, "memory")) {
		close_memory(&memory->base);
		return ERR_UNAVAILABLE;
	}
	*ret = &memory->base;
	return ERR_OK;
}
