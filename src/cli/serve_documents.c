/* SPDX-License-Identifier: Apache-2.0 */
/* Where access keys and the like are: in the data folder, in memory, or where all gateways are. */
#include "base/log.h"
#include "cli/serve_internal.h"
#include "ops/access/key_list.h"
#include "ops/access/keys.h"

/* ---- From the data folder into Ceph ---------------------------------------------------------- */

/* The keys come last: as long as they are missing the first start is not complete. */
static const char *const common[] = {
	CALLBACK_KEY_DOCUMENT, KEYS_SEALING_DOCUMENT, KEY_LIST_DOCUMENT};

/* Says so if what is in the folder differs from what all gateways use. */
static enum err compare(
	struct documents *folder, struct documents *to, const char *name, struct slice bytes)
{
	SCOPED_STRBUF(used, DOCUMENT_BYTES_MAX);
	bool found = false;
	enum err e = documents_read(to, name, &used, &found);
	if (e == ERR_OK && !slice_eq(strbuf_slice(&used), bytes))
		log_error("%s/%s is not used: %s/%s, which all gateways use, is another; remove "
			  "the file",
			documents_where(folder), name, documents_where(to), name);
	secret_wipe(used.ptr, used.len);
	return e;
}

static enum err take_over(struct documents *folder, struct documents *to, const char *name)
{
	SCOPED_STRBUF(bytes, DOCUMENT_BYTES_MAX);
	bool found = false;
	bool replaced = false;
	enum err e = documents_read(folder, name, &bytes, &found);
	found = found && bytes.len;
	if (e == ERR_OK && found)
		e = documents_replace(to, name, S(""), strbuf_slice(&bytes), &replaced);
	if (e == ERR_OK && replaced)
		log_info("%s/%s is %s/%s from now on, for all gateways; the file is not used any "
			 "more",
			documents_where(folder), name, documents_where(to), name);
	else if (e == ERR_OK && found)
		e = compare(folder, to, name, strbuf_slice(&bytes));
	secret_wipe(bytes.ptr, bytes.len);
	return e;
}

static enum err take_over_all(struct parts *p)
{
	struct documents *folder;
	enum err e = documents_in_folder(p->config.server_data, &folder);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < ARRAY_LEN(common) && e == ERR_OK; i++)
		e = take_over(folder, p->documents, common[i]);
	documents_close(folder);
	return e;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static enum err open_documents(struct parts *p)
{
	const struct config *c = &p->config;
	if (c->server_ephemeral)
		return documents_in_memory(&p->documents);
	if (c->store_backend != BACKEND_RADOS)
		return documents_in_folder(c->server_data, &p->documents);
	enum err e = rados_documents(p->store, &p->documents);
	if (e == ERR_OK)
		e = rados_marks(p->store, &p->marks);
	if (e == ERR_OK)
		e = rados_log(p->store, "callbacks", &p->shared_log);
	return e == ERR_OK ? take_over_all(p) : e;
}

bool serve_open_documents(struct parts *p, bool *ret_is_first)
{
	bool has = false;
	enum err e = open_documents(p);
	if (e == ERR_OK)
		e = documents_has(p->documents, KEY_LIST_DOCUMENT, &has);
	*ret_is_first = !has;
	return e == ERR_OK;
}
