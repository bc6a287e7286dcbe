/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/copy_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "callback/key.h"
#include "crypto/secret.h"
#include "ops/access/key_list.h"
#include "ops/access/keys.h"
#include "store/local/local.h"

bool copy_place_parse(const char *text, const struct rados_options *rados, struct copy_place *ret)
{
	static const char local[] = "local:";
	static const char on_ceph[] = "rados:";
	*ret = (struct copy_place){.rados = *rados};
	if (strncmp(text, local, sizeof(local) - 1) == 0) {
		ret->folder = text + sizeof(local) - 1;
		return ret->folder[0] != '\0';
	}
	if (strncmp(text, on_ceph, sizeof(on_ceph) - 1) != 0)
		return false;
	ret->rados.space = text + sizeof(on_ceph) - 1;
	return true;
}

/* Whether the folder has a store: opening would make one. */
static bool has_store(const char *folder)
{
	struct stat st;
	SCOPED_STRBUF(path, KIB(8));
	strbuf_addf(&path, "%s/format", folder);
	if (!strbuf_broken(&path) && stat(path.ptr, &st) == 0)
		return true;
	log_error("%s is no data folder of postern: %s", path.ptr, strerror(errno));
	return false;
}

enum err copy_place_open(const struct copy_place *from, struct store **ret)
{
	if (!from->folder)
		return rados_store_open(&from->rados, ret);
	if (!has_store(from->folder))
		return ERR_INTERNAL;
	const struct local_options options = {.path = from->folder, .clock = &clock_system};
	return local_store_open(&options, ret);
}

/* The same for the same place, however it was named. */
static bool add_name(struct strbuf *to, const struct copy_place *place)
{
	if (!place->folder) {
		strbuf_addf(to, "rados:%s", place->rados.space);
		return !strbuf_broken(to);
	}
	char *path = realpath(place->folder, NULL);
	if (path)
		strbuf_addf(to, "local:%s", path);
	free(path);
	return path && !strbuf_broken(to);
}

enum err copy_place_open_target(
	const struct copy_place *to, const struct copy_place *from, struct store **ret)
{
	SCOPED_STRBUF(name, KIB(8));
	if (!to->folder)
		return rados_store_open(&to->rados, ret);
	if (!add_name(&name, from)) {
		log_error("copy: cannot tell where %s is", from->folder);
		return ERR_INTERNAL;
	}
	const struct local_options options = {
		.path = to->folder, .clock = &clock_system, .copy_of = name.ptr};
	return local_store_open(&options, ret);
}

/* ---- Documents ------------------------------------------------------------------------------- */

static enum err open_documents(const struct copy_place *place, struct documents **ret)
{
	return place->folder ? documents_in_folder(place->folder, ret)
			     : rados_documents_open(&place->rados, ret);
}

/* Says so if the target has another one. */
static enum err compare(struct documents *to, const char *name, struct slice bytes)
{
	SCOPED_STRBUF(there, DOCUMENT_BYTES_MAX);
	bool found = false;
	enum err e = documents_read(to, name, &there, &found);
	if (e == ERR_OK && !slice_eq(strbuf_slice(&there), bytes))
		printf("%s/%s stays as it is: the source has another\n", documents_where(to), name);
	secret_wipe(there.ptr, there.len);
	return e;
}

static enum err copy_document(struct documents *from, struct documents *to, const char *name)
{
	SCOPED_STRBUF(bytes, DOCUMENT_BYTES_MAX);
	bool found = false;
	bool replaced = false;
	enum err e = documents_read(from, name, &bytes, &found);
	if (e == ERR_OK && found && bytes.len) {
		e = documents_replace(to, name, S(""), strbuf_slice(&bytes), &replaced);
		if (e == ERR_OK && !replaced)
			e = compare(to, name, strbuf_slice(&bytes));
	}
	secret_wipe(bytes.ptr, bytes.len);
	return e;
}

enum err copy_place_documents(const struct copy_place *from, const struct copy_place *to)
{
	/* The access keys come last: without them a first start makes what is missing. */
	static const char *const names[] = {
		CALLBACK_KEY_DOCUMENT, KEYS_SEALING_DOCUMENT, KEY_LIST_DOCUMENT};
	struct documents *source = NULL;
	struct documents *target = NULL;
	enum err e = open_documents(from, &source);
	if (e == ERR_OK)
		e = open_documents(to, &target);
	for (size_t i = 0; i < ARRAY_LEN(names) && e == ERR_OK; i++)
		e = copy_document(source, target, names[i]);
	documents_close(source);
	documents_close(target);
	return e;
}
