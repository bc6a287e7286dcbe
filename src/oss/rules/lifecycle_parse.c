/* SPDX-License-Identifier: Apache-2.0 */
/* From the XML of lifecycle rules to the rules, and back. */
#include <inttypes.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "oss/rules/lifecycle_internal.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

#define ARENA_BYTES MIB(2) /* more than LIMIT_LIFECYCLE_BODY_BYTES of XML can take */
#define ID_BYTES 255       /* OSS */
#define DAYS_MAX INT32_MAX
#define NEW_ID_BYTES 32

static enum err malformed(struct strbuf *reason, const char *why)
{
	strbuf_adds(reason, why);
	return ERR_MALFORMED_XML;
}

static enum err invalid(struct strbuf *reason, const char *why)
{
	strbuf_adds(reason, why);
	return ERR_INVALID_ARGUMENT;
}

static struct rule *current(void *ctx)
{
	struct lifecycle *lifecycle = ctx;
	return lifecycle->last;
}

/* Fills in what may be said once: ptr is NULL until then. */
static enum err set_text(
	void *ctx, struct slice *field, struct slice text, const char *name, struct strbuf *reason)
{
	struct lifecycle *lifecycle = ctx;
	if (field->ptr) {
		strbuf_addf(reason, "More than one %s where there may be one.", name);
		return ERR_MALFORMED_XML;
	}
	*field = arena_copy(&lifecycle->arena, text);
	return field->ptr ? ERR_OK : ERR_UNAVAILABLE;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static enum err open_rule(void *ctx, struct strbuf *reason)
{
	struct lifecycle *lifecycle = ctx;
	if (lifecycle->count == LIMIT_LIFECYCLE_RULES) {
		strbuf_addf(
			reason, "A bucket has at most %d lifecycle rules.", LIMIT_LIFECYCLE_RULES);
		return ERR_INVALID_ARGUMENT;
	}
	struct rule *rule = arena_zalloc(&lifecycle->arena, sizeof(*rule));
	if (!rule)
		return ERR_UNAVAILABLE;
	rule->last_tag = &rule->tags;
	*(lifecycle->last ? &lifecycle->last->next : &lifecycle->first) = rule;
	lifecycle->last = rule;
	lifecycle->count++;
	return ERR_OK;
}

static enum err set_id(void *ctx, struct slice text, struct strbuf *reason)
{
	struct slice id = xml_trim(text);
	if (id.len > ID_BYTES)
		return invalid(reason, "The ID of a rule has at most 255 bytes.");
	return set_text(ctx, &current(ctx)->id, id, "ID", reason);
}

static enum err set_prefix(void *ctx, struct slice text, struct strbuf *reason)
{
	if (text.len > LIMIT_KEY_BYTES)
		return invalid(reason, "A Prefix is longer than a key can be.");
	return set_text(ctx, &current(ctx)->prefix, text, "Prefix", reason);
}

static enum err set_status(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	struct slice word = xml_trim(text);
	rule->enabled = slice_eq(word, S("Enabled"));
	if (!rule->enabled && !slice_eq(word, S("Disabled")))
		return malformed(reason, "The Status of a rule must be Enabled or Disabled.");
	return set_text(ctx, &rule->status, word, "Status", reason);
}

/* ---- Tags ------------------------------------------------------------------------------------ */

static enum err new_tag(void *ctx, struct tag **at)
{
	struct lifecycle *lifecycle = ctx;
	*at = arena_zalloc(&lifecycle->arena, sizeof(**at));
	return *at ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err check_tag(const struct tag *tag, struct strbuf *reason)
{
	if (tag->key.len && tag->value.ptr)
		return ERR_OK;
	return malformed(reason, "A Tag has no Key or no Value.");
}

static enum err open_tag(void *ctx, struct strbuf *reason UNUSED)
{
	return new_tag(ctx, current(ctx)->last_tag);
}

static enum err close_tag(void *ctx, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	struct tag *tag = *rule->last_tag;
	rule->last_tag = &tag->next;
	return check_tag(tag, reason);
}

static enum err set_key(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_text(ctx, &(*current(ctx)->last_tag)->key, text, "Key", reason);
}

static enum err set_value(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_text(ctx, &(*current(ctx)->last_tag)->value, text, "Value", reason);
}

/* ---- Filters --------------------------------------------------------------------------------- */

static enum err open_filter(void *ctx, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	if (rule->has_filter)
		return malformed(reason, "A rule has more than one Filter.");
	rule->has_filter = true;
	return ERR_OK;
}

static enum err open_not(void *ctx, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	if (rule->has_not)
		return malformed(reason, "A Filter has more than one Not.");
	rule->has_not = true;
	return ERR_OK;
}

static enum err close_not(void *ctx, struct strbuf *reason)
{
	if (current(ctx)->not_prefix.ptr)
		return ERR_OK;
	return malformed(reason, "A Not has no Prefix.");
}

static enum err set_not_prefix(void *ctx, struct slice text, struct strbuf *reason)
{
	if (text.len > LIMIT_KEY_BYTES)
		return invalid(reason, "A Prefix is longer than a key can be.");
	return set_text(ctx, &current(ctx)->not_prefix, text, "Prefix", reason);
}

static enum err open_not_tag(void *ctx, struct strbuf *reason)
{
	if (current(ctx)->not_tag)
		return malformed(reason, "A Not has more than one Tag.");
	return new_tag(ctx, &current(ctx)->not_tag);
}

static enum err close_not_tag(void *ctx, struct strbuf *reason)
{
	return check_tag(current(ctx)->not_tag, reason);
}

static enum err set_not_key(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_text(ctx, &current(ctx)->not_tag->key, text, "Key", reason);
}

static enum err set_not_value(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_text(ctx, &current(ctx)->not_tag->value, text, "Value", reason);
}

static enum err set_size(
	struct slice text, const char *name, bool *has, uint64_t *size, struct strbuf *reason)
{
	if (*has) {
		strbuf_addf(reason, "A Filter has more than one %s.", name);
		return ERR_MALFORMED_XML;
	}
	*has = true;
	if (slice_to_u64(xml_trim(text), size))
		return ERR_OK;
	strbuf_addf(reason, "%s must be a number of bytes.", name);
	return ERR_INVALID_ARGUMENT;
}

static enum err set_greater(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	return set_size(text, "ObjectSizeGreaterThan", &rule->has_min, &rule->greater_than, reason);
}

static enum err set_less(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	return set_size(text, "ObjectSizeLessThan", &rule->has_max, &rule->less_than, reason);
}

/* ---- Actions --------------------------------------------------------------------------------- */

static enum err set_when(
	struct when *when, enum when_kind kind, int64_t value, struct strbuf *reason)
{
	if (when->kind != WHEN_NEVER)
		return malformed(reason, "An action says more than once when it is due.");
	*when = (struct when){kind, value};
	return ERR_OK;
}

static enum err set_days(struct when *when, struct slice text, struct strbuf *reason)
{
	uint64_t days;
	if (!slice_to_u64(xml_trim(text), &days) || days < 1 || days > DAYS_MAX)
		return invalid(reason, "Days must be a positive integer.");
	return set_when(when, WHEN_DAYS, (int64_t)days, reason);
}

static enum err set_date(
	struct when *when, enum when_kind kind, struct slice text, struct strbuf *reason)
{
	int64_t ms;
	if (!iso8601_parse(xml_trim(text), &ms) || ms % DAY_MS)
		return invalid(reason, "A date must be a midnight of UTC, as "
				       "2002-10-11T00:00:00.000Z.");
	return set_when(when, kind, ms, reason);
}

static enum err set_expiration_days(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_days(&current(ctx)->expiration, text, reason);
}

static enum err set_expiration_before(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_date(&current(ctx)->expiration, WHEN_BEFORE, text, reason);
}

static enum err set_expiration_date(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_date(&current(ctx)->expiration, WHEN_DATE, text, reason);
}

static enum err set_expiration_marker(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	struct slice word = xml_trim(text);
	if (rule->has_marker_word)
		return malformed(reason, "More than one ExpiredObjectDeleteMarker.");
	rule->has_marker_word = true;
	if (slice_eq_nocase(word, S("true")))
		return set_when(&rule->expiration, WHEN_MARKER, 0, reason);
	if (slice_eq_nocase(word, S("false")))
		return ERR_OK;
	return invalid(reason, "ExpiredObjectDeleteMarker must be true or false.");
}

static enum err set_abort_days(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_days(&current(ctx)->abort, text, reason);
}

static enum err set_abort_before(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_date(&current(ctx)->abort, WHEN_BEFORE, text, reason);
}

static enum err set_noncurrent_days(void *ctx, struct slice text, struct strbuf *reason)
{
	return set_days(&current(ctx)->noncurrent, text, reason);
}

static enum err check_said(const struct when *when, struct strbuf *reason)
{
	if (when->kind != WHEN_NEVER)
		return ERR_OK;
	return malformed(reason, "An action does not say when it is due.");
}

static enum err close_expiration(void *ctx, struct strbuf *reason)
{
	return check_said(&current(ctx)->expiration, reason);
}

static enum err close_abort(void *ctx, struct strbuf *reason)
{
	return check_said(&current(ctx)->abort, reason);
}

static enum err close_noncurrent(void *ctx, struct strbuf *reason)
{
	return check_said(&current(ctx)->noncurrent, reason);
}

static enum err refuse_transition(void *ctx UNUSED, struct strbuf *reason)
{
	strbuf_adds(reason, "This store has one storage class, so that a lifecycle rule cannot "
			    "move objects to another.");
	return ERR_NOT_IMPLEMENTED;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static enum err check_filter(const struct rule *rule, struct strbuf *reason)
{
	if (rule->has_not && !slice_starts(rule->not_prefix, rule->prefix))
		return invalid(reason, "The Prefix of a Not must begin with the rule's.");
	if (rule->has_not && !rule->not_tag && rule->not_prefix.len == rule->prefix.len)
		return invalid(reason, "The Prefix of a Not without a Tag must be longer than the "
				       "rule's.");
	if (rule->has_min && rule->has_max && rule->greater_than >= rule->less_than)
		return invalid(
			reason, "ObjectSizeGreaterThan must be less than ObjectSizeLessThan.");
	return ERR_OK;
}

static enum err close_rule(void *ctx, struct strbuf *reason)
{
	struct lifecycle *lifecycle = ctx;
	struct rule *rule = current(ctx);
	if (!rule->prefix.ptr)
		rule->prefix = S("");
	if (!rule->status.ptr)
		return malformed(reason, "A rule has no Status.");
	if (rule->expiration.kind == WHEN_NEVER && rule->abort.kind == WHEN_NEVER &&
		rule->noncurrent.kind == WHEN_NEVER)
		return malformed(reason, "A rule does nothing: it has no Expiration, "
					 "AbortMultipartUpload or NoncurrentVersionExpiration.");
	if (rule->tags && (rule->abort.kind != WHEN_NEVER || rule->expiration.kind == WHEN_MARKER))
		return invalid(reason, "Uploads and delete markers have no tags: a rule with a Tag "
				       "cannot be about them.");
	if (rule->id.len == 0) {
		char id[NEW_ID_BYTES];
		random_alnum(id, sizeof(id));
		rule->id = arena_copy(&lifecycle->arena, slice_of(id, sizeof(id)));
		if (!rule->id.ptr)
			return ERR_UNAVAILABLE;
	}
	return check_filter(rule, reason);
}

/* The action that both rules have, or NULL. */
static const char *same_action(const struct rule *a, const struct rule *b)
{
	if (a->expiration.kind != WHEN_NEVER && b->expiration.kind != WHEN_NEVER)
		return "Expiration";
	if (a->abort.kind != WHEN_NEVER && b->abort.kind != WHEN_NEVER)
		return "AbortMultipartUpload";
	if (a->noncurrent.kind != WHEN_NEVER && b->noncurrent.kind != WHEN_NEVER)
		return "NoncurrentVersionExpiration";
	return NULL;
}

static enum err check_pair(const struct lifecycle *lifecycle, const struct rule *a,
	const struct rule *b, struct strbuf *reason)
{
	if (slice_eq(a->id, b->id))
		return invalid(reason, "Two rules have the same ID.");
	const char *action = lifecycle->allow_overlap ? NULL : same_action(a, b);
	if (!action || !lifecycle_rules_overlap(a, b))
		return ERR_OK;
	strbuf_addf(reason, "Overlap for same action type %s", action);
	return ERR_INVALID_REQUEST;
}

static enum err close_configuration(void *ctx, struct strbuf *reason)
{
	const struct lifecycle *lifecycle = ctx;
	enum err e = ERR_OK;
	if (!lifecycle->first)
		return malformed(reason, "The LifecycleConfiguration has no Rule.");
	for (const struct rule *a = lifecycle->first; a; a = a->next)
		for (const struct rule *b = a->next; b && e == ERR_OK; b = b->next)
			e = check_pair(lifecycle, a, b, reason);
	return e;
}

/*
 * OSS passes over what it does not know in a rule (ali-oss writes Days beside Expiration). Not so
 * this store where it might keep objects from being deleted: in a Filter, and what restricts a rule
 * but is spelt otherwise or stands in another place, as `prefix`, or a size outside the Filter.
 */
static bool restricts(struct slice name)
{
	static const struct slice names[] = {SLICE_LIT("Prefix"), SLICE_LIT("Tag"),
		SLICE_LIT("Filter"), SLICE_LIT("Not"), SLICE_LIT("And"), SLICE_LIT("ObjectSize"),
		SLICE_LIT("Key"), SLICE_LIT("Status"), SLICE_LIT("NewerNoncurrentVersions")};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(slice_head(name, names[i].len), names[i]))
			return true;
	return false;
}

#define RULE "/LifecycleConfiguration/Rule"
static const struct xml_element elements[] = {
	{.path = "/LifecycleConfiguration", .close = close_configuration},
	{.path = RULE,
		.skips_unknown = true,
		.minds = restricts,
		.open = open_rule,
		.close = close_rule},
	{.path = RULE "/ID", .text = set_id},
	{.path = RULE "/Prefix", .text = set_prefix},
	{.path = RULE "/Status", .text = set_status},
	{.path = RULE "/Tag", .open = open_tag, .close = close_tag},
	{.path = RULE "/Tag/Key", .text = set_key},
	{.path = RULE "/Tag/Value", .text = set_value},
	{.path = RULE "/Filter", .open = open_filter},
	{.path = RULE "/Filter/Not", .open = open_not, .close = close_not},
	{.path = RULE "/Filter/Not/Prefix", .text = set_not_prefix},
	{.path = RULE "/Filter/Not/Tag", .open = open_not_tag, .close = close_not_tag},
	{.path = RULE "/Filter/Not/Tag/Key", .text = set_not_key},
	{.path = RULE "/Filter/Not/Tag/Value", .text = set_not_value},
	{.path = RULE "/Filter/ObjectSizeGreaterThan", .text = set_greater},
	{.path = RULE "/Filter/ObjectSizeLessThan", .text = set_less},
	{.path = RULE "/Expiration",
		.skips_unknown = true,
		.minds = restricts,
		.close = close_expiration},
	{.path = RULE "/Expiration/Days", .text = set_expiration_days},
	{.path = RULE "/Expiration/CreatedBeforeDate", .text = set_expiration_before},
	{.path = RULE "/Expiration/Date", .text = set_expiration_date},
	{.path = RULE "/Expiration/ExpiredObjectDeleteMarker", .text = set_expiration_marker},
	{.path = RULE "/AbortMultipartUpload",
		.skips_unknown = true,
		.minds = restricts,
		.close = close_abort},
	{.path = RULE "/AbortMultipartUpload/Days", .text = set_abort_days},
	{.path = RULE "/AbortMultipartUpload/CreatedBeforeDate", .text = set_abort_before},
	{.path = RULE "/NoncurrentVersionExpiration",
		.skips_unknown = true,
		.minds = restricts,
		.close = close_noncurrent},
	{.path = RULE "/NoncurrentVersionExpiration/NoncurrentDays", .text = set_noncurrent_days},
	{.path = RULE "/Transition", .open = refuse_transition},
	{.path = RULE "/NoncurrentVersionTransition", .open = refuse_transition},
};

enum err lifecycle_parse(
	struct slice xml, bool allow_overlap, struct lifecycle **ret, struct strbuf *reason)
{
	struct lifecycle *lifecycle = calloc(1, sizeof(*lifecycle));
	if (!lifecycle)
		return ERR_UNAVAILABLE;
	arena_init(&lifecycle->arena, NULL, 0, ARENA_BYTES);
	lifecycle->allow_overlap = allow_overlap;
	enum err e = xml_read(xml, elements, ARRAY_LEN(elements), lifecycle, reason);
	if (e != ERR_OK) {
		lifecycle_free(lifecycle);
		return e;
	}
	*ret = lifecycle;
	return ERR_OK;
}

void lifecycle_free(struct lifecycle *lifecycle)
{
	if (!lifecycle)
		return;
	arena_reset(&lifecycle->arena);
	free(lifecycle);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void format_tag(struct strbuf *out, const struct tag *tag)
{
	xml_open(out, "Tag");
	xml_element_exact(out, "Key", tag->key);
	xml_element_exact(out, "Value", tag->value);
	xml_close(out, "Tag");
}

static void format_filter(struct strbuf *out, const struct rule *rule)
{
	xml_open(out, "Filter");
	if (rule->has_not) {
		xml_open(out, "Not");
		xml_element_exact(out, "Prefix", rule->not_prefix);
		if (rule->not_tag)
			format_tag(out, rule->not_tag);
		xml_close(out, "Not");
	}
	if (rule->has_min)
		xml_element_u64(out, "ObjectSizeGreaterThan", rule->greater_than);
	if (rule->has_max)
		xml_element_u64(out, "ObjectSizeLessThan", rule->less_than);
	xml_close(out, "Filter");
}

static void format_date(struct strbuf *out, const char *name, int64_t ms)
{
	xml_open(out, name);
	iso8601_add(out, ms);
	xml_close(out, name);
}

static void format_when(
	struct strbuf *out, const char *action, const char *days, const struct when *when)
{
	if (when->kind == WHEN_NEVER)
		return;
	xml_open(out, action);
	switch (when->kind) {
	case WHEN_NEVER:
		break;
	case WHEN_DAYS:
		xml_element_u64(out, days, (uint64_t)when->value);
		break;
	case WHEN_BEFORE:
		format_date(out, "CreatedBeforeDate", when->value);
		break;
	case WHEN_DATE:
		format_date(out, "Date", when->value);
		break;
	case WHEN_MARKER:
		xml_element(out, "ExpiredObjectDeleteMarker", S("true"));
		break;
	}
	xml_close(out, action);
}

void lifecycle_format(const struct lifecycle *lifecycle, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<LifecycleConfiguration>");
	for (const struct rule *rule = lifecycle->first; rule; rule = rule->next) {
		xml_open(out, "Rule");
		xml_element_exact(out, "ID", rule->id);
		xml_element_exact(out, "Prefix", rule->prefix);
		xml_element(out, "Status", rule->status);
		for (const struct tag *tag = rule->tags; tag; tag = tag->next)
			format_tag(out, tag);
		if (rule->has_filter)
			format_filter(out, rule);
		format_when(out, "Expiration", "Days", &rule->expiration);
		format_when(out, "AbortMultipartUpload", "Days", &rule->abort);
		format_when(
			out, "NoncurrentVersionExpiration", "NoncurrentDays", &rule->noncurrent);
		xml_close(out, "Rule");
	}
	xml_close(out, "LifecycleConfiguration");
}
