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

/* ---- New versions ---------------------------------------------------------------------------- */

bool rules_make_way(struct rules *rules)
{
	const struct rules_view *view = rules->view;
	if (!rules_know(rules, RULES_CURRENT))
		return false;
	bool null_is_current = view->current && view->current->is_null;
	/* There is one version "null" at most, wherever it is. */
	if (view->versioning == STORE_VERSIONING_SUSPENDED && !null_is_current) {
		if (!rules_know(rules, RULES_NULL))
			return false;
		if (view->null)
			rules->effects->null = RULES_GOES;
	}
	if (!view->current)
		return true;
	bool goes = view->versioning == STORE_UNVERSIONED || view->current_is_damaged ||
		    (view->versioning == STORE_VERSIONING_SUSPENDED && null_is_current);
	rules->effects->current = goes ? RULES_GOES : RULES_BECOMES_OLDER;
	return true;
}

void rules_make_current(struct rules *rules, const struct store_object *object)
{
	struct store_object *made = &rules->effects->object;
	*made = *object;
	made->version = rules->version;
	made->is_null = rules->view->versioning != STORE_VERSIONED;
	made->modified_ms = rules->now_ms;
	rules->effects->made = RULES_MADE_CURRENT;
}

enum err rules_put(struct rules *rules)
{
	if (!rules_make_way(rules))
		return ERR_OK;
	rules_make_current(rules, rules->mutation->object);
	return rules_check(rules, rules->view->current);
}

static void make_marker(struct rules *rules)
{
	struct store_object *made = &rules->effects->object;
	made->is_marker = true;
	made->version = rules->version;
	made->is_null = rules->view->versioning != STORE_VERSIONED;
	made->modified_ms = rules->now_ms;
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
	if (!rules_make_way(rules))
		return ERR_OK;
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
