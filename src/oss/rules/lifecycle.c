/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/rules/lifecycle.h"

#include "oss/rules/lifecycle_internal.h"
#include "oss/rules/tagging.h"

/* ---- Judging -------------------------------------------------------------------------------- */

static bool tags_fit(const struct tag *wanted, struct slice tags)
{
	for (; wanted; wanted = wanted->next)
		if (!tagging_has(tags, wanted->key, wanted->value))
			return false;
	return true;
}

static bool rule_fits(const struct rule *rule, const struct lifecycle_facts *facts)
{
	if (!rule->enabled || !slice_starts(facts->key, rule->prefix))
		return false;
	if (facts->subject == LIFECYCLE_UPLOAD || facts->subject == LIFECYCLE_MARKER)
		return !rule->has_not || !slice_starts(facts->key, rule->not_prefix);
	if ((rule->has_min && facts->size <= rule->greater_than) ||
		(rule->has_max && facts->size >= rule->less_than))
		return false;
	if (rule->has_not && slice_starts(facts->key, rule->not_prefix) &&
		tags_fit(rule->not_tag, facts->tags))
		return false;
	return tags_fit(rule->tags, facts->tags);
}

/* What the rule says about such a subject. */
static struct when when_of(const struct rule *rule, enum lifecycle_subject subject)
{
	static const struct when never = {WHEN_NEVER, 0};
	bool markers = rule->expiration.kind == WHEN_MARKER;
	switch (subject) {
	case LIFECYCLE_CURRENT:
		return markers ? never : rule->expiration;
	case LIFECYCLE_MARKER:
		return markers ? rule->expiration : never;
	case LIFECYCLE_NONCURRENT:
		return rule->noncurrent;
	case LIFECYCLE_UPLOAD:
		return rule->abort;
	}
	return never;
}

/* False: it never ends. */
static bool end_of(struct when when, int64_t since_ms, int64_t *ret_ms)
{
	switch (when.kind) {
	case WHEN_NEVER:
		return false;
	case WHEN_DAYS:
		*ret_ms = since_ms + when.value * DAY_MS;
		if (*ret_ms % DAY_MS)
			*ret_ms += DAY_MS - *ret_ms % DAY_MS;
		return true;
	case WHEN_BEFORE:
		*ret_ms = since_ms;
		return since_ms < when.value;
	case WHEN_DATE:
		*ret_ms = when.value;
		return true;
	case WHEN_MARKER:
		*ret_ms = since_ms;
		return true;
	}
	return false;
}

bool lifecycle_find(const struct lifecycle *lifecycle, const struct lifecycle_facts *facts,
	int64_t *ret_ms, struct slice *ret_rule)
{
	bool found = false;
	for (const struct rule *rule = lifecycle->first; rule; rule = rule->next) {
		int64_t end_ms;
		if (!end_of(when_of(rule, facts->subject), facts->since_ms, &end_ms) ||
			(found && end_ms >= *ret_ms) || !rule_fits(rule, facts))
			continue;
		found = true;
		*ret_ms = end_ms;
		*ret_rule = rule->id;
	}
	return found;
}

/* ---- Walking -------------------------------------------------------------------------------- */

static bool is_about(const struct rule *rule, unsigned subjects)
{
	if (!rule->enabled)
		return false;
	for (unsigned subject = LIFECYCLE_CURRENT; subject <= LIFECYCLE_UPLOAD; subject++)
		if ((subjects & LIFECYCLE_BIT(subject)) &&
			when_of(rule, (enum lifecycle_subject)subject).kind != WHEN_NEVER)
			return true;
	return false;
}

/* Prefixes within another stand behind it in byte order, and nothing else between them. */
bool lifecycle_next_prefix(
	const struct lifecycle *lifecycle, unsigned subjects, struct slice *prefix)
{
	struct slice next = {NULL, 0};
	for (const struct rule *rule = lifecycle->first; rule; rule = rule->next) {
		if (!is_about(rule, subjects) ||
			(prefix->ptr && (slice_starts(rule->prefix, *prefix) ||
						slice_cmp(rule->prefix, *prefix) < 0)))
			continue;
		if (!next.ptr || slice_cmp(rule->prefix, next) < 0)
			next = rule->prefix;
	}
	if (next.ptr)
		*prefix = next;
	return next.ptr;
}

/* ---- Overlapping ----------------------------------------------------------------------------- */

static bool has_tag(const struct rule *rule, const struct tag *wanted)
{
	for (const struct tag *tag = rule->tags; tag; tag = tag->next)
		if (slice_eq(tag->key, wanted->key) && slice_eq(tag->value, wanted->value))
			return true;
	return false;
}

static bool has_tags_of(const struct rule *rule, const struct rule *other)
{
	for (const struct tag *tag = other->tags; tag; tag = tag->next)
		if (!has_tag(rule, tag))
			return false;
	return true;
}

/* Whether the rule leaves out all that the other is about. */
static bool leaves_out(const struct rule *rule, const struct rule *other)
{
	return rule->has_not && !rule->not_tag && slice_starts(other->prefix, rule->not_prefix);
}

bool lifecycle_rules_overlap(const struct rule *a, const struct rule *b)
{
	return (slice_starts(a->prefix, b->prefix) || slice_starts(b->prefix, a->prefix)) &&
	       (has_tags_of(a, b) || has_tags_of(b, a)) && !leaves_out(a, b) && !leaves_out(b, a);
}
