/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads, their parts, completing them, and appending. */
#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/rules/rules_internal.h"

/* ---- Uploads and parts ----------------------------------------------------------------------- */

enum err rules_upload_begin(struct rules *rules)
{
	struct store_object *object = &rules->effects->object;
	*object = *rules->mutation->object;
	object->version = rules->version;
	object->modified_ms = rules->now_ms;
	rules->effects->made = RULES_MADE_UPLOAD;
	return ERR_OK;
}

enum err rules_upload_part(struct rules *rules)
{
	const struct rules_view *view = rules->view;
	struct store_object *object = &rules->effects->object;
	if (!rules_know(rules, RULES_UPLOAD))
		return ERR_OK;
	if (!view->upload)
		return ERR_NO_SUCH_UPLOAD;
	if (!rules_know(rules, RULES_PART))
		return ERR_OK;
	*object = *rules->mutation->object;
	object->modified_ms = rules->now_ms;
	rules->effects->made = RULES_MADE_PART;
	if (view->part)
		rules->effects->part = RULES_GOES;
	return ERR_OK;
}

enum err rules_upload_abort(struct rules *rules)
{
	if (!rules_know(rules, RULES_UPLOAD))
		return ERR_OK;
	if (!rules->view->upload)
		return ERR_NO_SUCH_UPLOAD;
	if (rules_know(rules, RULES_PARTS))
		rules->effects->upload = RULES_GOES;
	return ERR_OK;
}

/* ---- Completing ------------------------------------------------------------------------------ */

/* What the parts come to. */
struct sum {
	size_t named; /* of those that were named, how many have been found */
	struct digest_md5 md5s;
	struct store_object object;
	const struct store_part *last;
};

static enum err refuse_part(struct rules *rules, enum err e, uint32_t part)
{
	rules->effects->bad_part = part;
	return e;
}

/* Whether the part is one of those that were asked for. */
static enum err is_asked_for(
	struct rules *rules, struct sum *sum, const struct store_part *part, bool *ret)
{
	const struct store_multipart_complete *asked = rules->mutation->complete;
	*ret = !asked->parts;
	if (!asked->parts || sum->named == asked->part_count)
		return ERR_OK;
	const struct store_part_named *next = &asked->parts[sum->named];
	if (next->number > part->number)
		return ERR_OK;
	if (next->number < part->number || memcmp(next->md5, part->md5, MD5_BYTES) != 0)
		return refuse_part(rules, ERR_INVALID_PART, next->number);
	sum->named++;
	*ret = true;
	return ERR_OK;
}

/* As OSS makes them: of the parts' MD5s in upper-case hexadecimal digits, not of their bytes. */
static void add_tag(struct digest_md5 *md5s, const unsigned char *md5)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[2 * MD5_BYTES];
	for (size_t i = 0; i < MD5_BYTES; i++) {
		hex[2 * i] = digits[md5[i] >> 4];
		hex[2 * i + 1] = digits[md5[i] & 15];
	}
	digest_md5_update(md5s, slice_of(hex, sizeof(hex)));
}

static enum err add_part(struct rules *rules, struct sum *sum, const struct store_part *part)
{
	struct store_object *object = &sum->object;
	bool take;
	enum err e = is_asked_for(rules, sum, part, &take);
	if (e != ERR_OK || !take)
		return e;
	if (sum->last && sum->last->size < rules->mutation->complete->part_bytes_min)
		return refuse_part(rules, ERR_ENTITY_TOO_SMALL, sum->last->number);
	object->crc64 = crc64_combine(object->crc64, part->crc64, part->size);
	object->size += part->size;
	object->parts++;
	sum->last = part;
	add_tag(&sum->md5s, part->md5);
	return ERR_OK;
}

static enum err add_up(struct rules *rules, struct sum *sum)
{
	const struct store_multipart_complete *asked = rules->mutation->complete;
	enum err e = ERR_OK;
	digest_md5_init(&sum->md5s);
	for (size_t i = 0; i < rules->view->part_count && e == ERR_OK; i++)
		e = add_part(rules, sum, &rules->view->parts[i]);
	if (e == ERR_OK && asked->parts && sum->named < asked->part_count)
		e = refuse_part(rules, ERR_INVALID_PART, asked->parts[sum->named].number);
	digest_md5_final(&sum->md5s, sum->object.md5);
	return e;
}

enum err rules_upload_complete(struct rules *rules)
{
	const struct store_multipart_complete *asked = rules->mutation->complete;
	const struct store_object *began = rules->view->upload;
	struct sum sum = {.object.type = STORE_MULTIPART};
	if (!rules_know(rules, RULES_UPLOAD))
		return ERR_OK;
	if (!began)
		return ERR_NO_SUCH_UPLOAD;
	if (!rules_know(rules, RULES_PARTS))
		return ERR_OK;
	enum err e = add_up(rules, &sum);
	if (e != ERR_OK || !rules_make_way(rules))
		return e;
	sum.object.acl = asked->acl != STORE_ACL_DEFAULT ? asked->acl : began->acl;
	sum.object.headers = began->headers;
	sum.object.tags = began->tags;
	rules_make_current(rules, &sum.object);
	rules->effects->upload = RULES_IS_COMPLETE;
	return rules_check(rules, rules->view->current);
}

bool rules_takes_part(const struct store_multipart_complete *complete, uint32_t number)
{
	size_t low = 0;
	size_t high = complete->part_count;
	if (!complete->parts)
		return true;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (complete->parts[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < complete->part_count && complete->parts[low].number == number;
}

/* ---- Appending ------------------------------------------------------------------------------- */

void rules_grow(struct store_object *object, const struct store_object *piece, int64_t now_ms)
{
	unsigned char md5s[2 * MD5_BYTES];
	memcpy(md5s, object->md5, MD5_BYTES);
	memcpy(md5s + MD5_BYTES, piece->md5, MD5_BYTES);
	md5_of(slice_of((const char *)md5s, sizeof(md5s)), object->md5);
	object->crc64 = crc64_combine(object->crc64, piece->crc64, piece->size);
	object->size += piece->size;
	object->modified_ms = now_ms;
	if (piece->acl != STORE_ACL_DEFAULT)
		object->acl = piece->acl;
}

/* All bytes at once of an object that was appended to elsewhere. */
static enum err keep_appendable(struct rules *rules)
{
	enum err e = rules_keep(rules);
	if (e != ERR_OK || rules->effects->needs || !rules_make_way(rules))
		return e;
	rules_make_current(rules, rules->mutation->object);
	rules->effects->reported = rules->effects->object;
	return rules_check(rules, rules->view->current);
}

enum err rules_append(struct rules *rules)
{
	const struct store_object *current = rules->view->current;
	struct rules_effects *effects = rules->effects;
	struct store_object first = *rules->mutation->object;
	if (rules->mutation->kept)
		return keep_appendable(rules);
	if (!rules_know(rules, RULES_CURRENT))
		return ERR_OK;
	if (current)
		effects->reported = *current;
	enum err e = rules_check(rules, current);
	if (e == ERR_OK && current && current->type != STORE_APPENDABLE)
		e = ERR_NOT_APPENDABLE;
	if (e == ERR_OK && effects->reported.size != rules->mutation->position)
		e = ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	if (e != ERR_OK)
		return e;
	first.type = STORE_APPENDABLE;
	if (current) {
		effects->object = *current;
		effects->current = RULES_GROWS;
		rules_grow(&effects->object, rules->mutation->object, rules->now_ms);
	} else if (rules_make_way(rules)) {
		rules_make_current(rules, &first);
	}
	effects->reported = effects->object;
	return ERR_OK;
}
