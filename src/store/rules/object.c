/* SPDX-License-Identifier: Apache-2.0 */
/* Puts, deletes, delete markers, and changes of what is known of a version. */
#include "store/rules/rules_internal.h"

enum err rules_check(const struct rules *rules, const struct store_object *old)
{
	const struct rules_mutation *m = rules->mutation;
	if (old && m->forbid_overwrite)
		return ERR_FILE_ALREADY_EXISTS;
	enum store_acl acl = old ? old->acl : STORE_ACL_DEFAULT;
	bool open = acl == STORE_ACL_PUBLIC_READ_WRITE ||
		    (acl == STORE_ACL_DEFAULT && m->caller == STORE_CALLER_PUBLIC_BUCKET);
	return m->caller == STORE_CALLER_OWNER || open ? ERR_OK : ERR_ACCESS_DENIED;
}

/* ---- What is kept of another store ----------------------------------------------------------- */

enum store_versioning rules_versioning(
	const struct rules_view *view, const struct rules_mutation *mutation)
{
	if (!mutation->kept || view->versioning == STORE_UNVERSIONED)
		return view->versioning;
	return mutation->kept->is_null ? STORE_VERSIONING_SUSPENDED : STORE_VERSIONED;
}

static bool is_before(const struct store_object *object, const struct store_kept *kept)
{
	return !object || object->version < kept->version;
}

enum err rules_keep(struct rules *rules)
{
	const struct rules_view *view = rules->view;
	const struct store_kept *kept = rules->mutation->kept;
	if (!kept)
		return ERR_OK;
	bool unversioned = view->versioning == STORE_UNVERSIONED;
	bool is_marker = rules->mutation->kind == RULES_DELETE;
	if (kept->version == 0 || (unversioned && (is_marker || !kept->is_null)))
		return ERR_INVALID_ARGUMENT;
	/* Where versions were never kept there is no older one. */
	if (!rules_know(rules, RULES_CURRENT | (unversioned ? 0 : RULES_NEWEST)))
		return ERR_OK;
	return is_before(view->current, kept) && is_before(view->newest, kept)
		       ? ERR_OK
		       : ERR_PRECONDITION_FAILED;
}

/* ---- New versions ---------------------------------------------------------------------------- */

bool rules_make_way(struct rules *rules)
{
	const struct rules_view *view = rules->view;
	enum store_versioning versioning = rules_versioning(view, rules->mutation);
	if (!rules_know(rules, RULES_CURRENT))
		return false;
	bool null_is_current = view->current && view->current->is_null;
	/* There is one version "null" at most, wherever it is. */
	if (versioning == STORE_VERSIONING_SUSPENDED && !null_is_current) {
		if (!rules_know(rules, RULES_NULL))
			return false;
		if (view->null)
			rules->effects->null = RULES_GOES;
	}
	if (!view->current)
		return true;
	bool goes = versioning == STORE_UNVERSIONED || view->current_is_damaged ||
		    (versioning == STORE_VERSIONING_SUSPENDED && null_is_current);
	rules->effects->current = goes ? RULES_GOES : RULES_BECOMES_OLDER;
	return true;
}

/* The version and the time of what is made, which are kept, or given now. */
static void number(struct rules *rules, struct store_object *made)
{
	const struct store_kept *kept = rules->mutation->kept;
	made->version = kept ? kept->version : rules->version;
	made->modified_ms = kept ? kept->modified_ms : rules->now_ms;
	made->is_null = rules_versioning(rules->view, rules->mutation) != STORE_VERSIONED;
}

void rules_make_current(struct rules *rules, const struct store_object *object)
{
	struct store_object *made = &rules->effects->object;
	const struct store_kept *kept = rules->mutation->kept;
	*made = *object;
	number(rules, made);
	if (kept) {
		memcpy(made->md5, kept->md5, sizeof(made->md5));
		made->type = kept->type;
		made->parts = kept->parts;
	}
	rules->effects->made = RULES_MADE_CURRENT;
}

enum err rules_put(struct rules *rules)
{
	enum err e = rules_keep(rules);
	if (e != ERR_OK || rules->effects->needs || !rules_make_way(rules))
		return e;
	rules_make_current(rules, rules->mutation->object);
	return rules_check(rules, rules->view->current);
}

static void make_marker(struct rules *rules)
{
	struct store_object *made = &rules->effects->object;
	made->is_marker = true;
	number(rules, made);
	rules->effects->made = RULES_MADE_MARKER;
}

/* ---- One version ----------------------------------------------------------------------------- */

/* The version that a mutation is about, and where its fate is told. */
struct found {
	const struct store_object *object; /* NULL: it is not there */
	enum rules_fate *fate;
};

/* False: something has to be looked up. */
static bool find(struct rules *rules, struct found *ret)
{
	const struct rules_view *view = rules->view;
	const struct store_version *which = &rules->mutation->version;
	if (!rules_know(rules, RULES_CURRENT))
		return false;
	*ret = (struct found){view->current, &rules->effects->current};
	if (!store_version_is_named(which))
		return true;
	if (view->current &&
		(which->is_null ? view->current->is_null : view->current->version == which->number))
		return true;
	if (!rules_know(rules, which->is_null ? RULES_NULL : RULES_NAMED))
		return false;
	if (which->is_null)
		*ret = (struct found){view->null, &rules->effects->null};
	else
		*ret = (struct found){view->named, &rules->effects->named};
	return true;
}

static bool is_as_seen(const struct rules *rules, const struct found *found)
{
	const struct store_only_if *only_if = &rules->mutation->only_if;
	return !only_if->set || (found->object && found->object->version == only_if->version);
}

/* Without a current object the newest of the others is it, unless it is a marker. */
static bool promote(struct rules *rules)
{
	const struct store_object *newest = rules->view->newest;
	if (!rules_know(rules, RULES_NEWEST))
		return false;
	if (newest && !newest->is_marker)
		rules->effects->newest = RULES_BECOMES_CURRENT;
	return true;
}

/* For good. */
static enum err delete_version(struct rules *rules, const struct found *found)
{
	bool is_current = found->object == rules->view->current;
	rules->effects->existed = found->object != NULL;
	if (!found->object)
		return ERR_OK;
	enum err e = rules_check(rules, found->object);
	if (e != ERR_OK)
		return e;
	if ((is_current || !rules->view->current) && !promote(rules))
		return ERR_OK;
	*found->fate = RULES_GOES;
	rules->effects->deleted_marker = found->object->is_marker;
	return ERR_OK;
}

/* As the bucket's versioning says. */
static enum err delete_object(struct rules *rules)
{
	enum err e = rules_keep(rules);
	if (e != ERR_OK || rules->effects->needs || !rules_make_way(rules))
		return e;
	rules->effects->existed = rules->view->current != NULL;
	if (rules->view->versioning != STORE_UNVERSIONED)
		make_marker(rules);
	return rules_check(rules, rules->view->current);
}

enum err rules_delete(struct rules *rules)
{
	struct found found;
	if (!find(rules, &found))
		return ERR_OK;
	if (!is_as_seen(rules, &found))
		return ERR_PRECONDITION_FAILED;
	if (store_version_is_named(&rules->mutation->version))
		return delete_version(rules, &found);
	return delete_object(rules);
}

/* ---- What is known of a version -------------------------------------------------------------- */

static void report_marker(struct rules *rules, const struct store_object *object)
{
	if (!object || !object->is_marker)
		return;
	rules->effects->reported = (struct store_object){
		.is_marker = true,
		.is_null = object->is_null,
		.version = object->version,
		.modified_ms = object->modified_ms,
	};
}

static void set(struct rules *rules, const struct found *found)
{
	const struct store_metadata_update *change = rules->mutation->change;
	struct store_object *object = &rules->effects->object;
	*object = *found->object;
	*found->fate = RULES_IS_CHANGED;
	if (change->set_acl)
		object->acl = change->acl;
	if (change->set_headers) {
		object->headers = change->headers;
		object->modified_ms = rules->now_ms;
	}
	if (change->set_tags)
		object->tags = change->tags;
	rules->effects->reported = *object;
}

enum err rules_change(struct rules *rules)
{
	struct found found;
	if (!find(rules, &found))
		return ERR_OK;
	if (!found.object && store_version_is_named(&rules->mutation->version))
		return ERR_NO_SUCH_VERSION;
	if (!found.object) {
		/* Perhaps a marker says so. */
		if (!rules_know(rules, RULES_NEWEST))
			return ERR_OK;
		report_marker(rules, rules->view->newest);
		return ERR_NO_SUCH_KEY;
	}
	report_marker(rules, found.object);
	if (found.object->is_marker)
		return ERR_METHOD_NOT_ALLOWED;
	if (!is_as_seen(rules, &found))
		return ERR_PRECONDITION_FAILED;
	set(rules, &found);
	return ERR_OK;
}
