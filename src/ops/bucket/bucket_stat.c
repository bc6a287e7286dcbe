/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetBucketStat, /?stat: what a bucket holds, as of now. Older versions count by their bytes but
 * are no objects. All is counted under the bucket's storage class, which objects can differ from
 * in name only (spec: REST API section 5).
 */
#include <inttypes.h>

#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

/* One class: `name` as clients know it, `prefix` as the elements do. */
static void add_class(struct strbuf *out, const struct request *r, const char *name,
	const char *prefix, const struct store_bucket_stats *stats)
{
	bool is_this = slice_eq(elements_storage_class(r->bucket), slice_str(name));
	uint64_t bytes = is_this ? stats->bytes + stats->old_bytes : 0;
	uint64_t objects = is_this ? stats->objects : 0;
	strbuf_addf(out, "<%sStorage>%" PRIu64 "</%sStorage>", prefix, bytes, prefix);
	if (strcmp(name, "Standard") != 0)
		strbuf_addf(
			out, "<%sRealStorage>%" PRIu64 "</%sRealStorage>", prefix, bytes, prefix);
	strbuf_addf(out, "<%sObjectCount>%" PRIu64 "</%sObjectCount>", prefix, objects, prefix);
}

static void answer(struct request *r, const struct store_bucket_stats *stats)
{
	bool empty = !stats->objects && !stats->old_versions && !stats->uploads;
	int64_t now_ms = empty ? 0 : clock_wall_ms(r->ops->options.clock);
	SCOPED_STRBUF(xml, KIB(8));
	strbuf_adds(&xml, XML_PROLOG "<BucketStat>");
	xml_element_u64(&xml, "Storage", stats->bytes + stats->old_bytes);
	xml_element_u64(&xml, "ObjectCount", stats->objects);
	xml_element_u64(&xml, "MultipartUploadCount", stats->uploads);
	xml_element_u64(&xml, "MultipartPartStorage", stats->part_bytes);
	xml_element_u64(&xml, "LiveChannelCount", 0);
	xml_element_u64(&xml, "LastModifiedTime", (uint64_t)(now_ms / 1000));
	add_class(&xml, r, "Standard", "Standard", stats);
	add_class(&xml, r, "IA", "InfrequentAccess", stats);
	add_class(&xml, r, "Archive", "Archive", stats);
	add_class(&xml, r, "ColdArchive", "ColdArchive", stats);
	add_class(&xml, r, "DeepColdArchive", "DeepColdArchive", stats);
	strbuf_adds(&xml, "</BucketStat>\n");
	respond_xml(r, &xml);
}

struct bucket_stat {
	struct request *r;
	struct store_bucket_count count;
};

static void on_counted(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_count *count = CONTAINER_OF(wait, struct store_bucket_count, wait);
	struct request *r = CONTAINER_OF(count, struct bucket_stat, count)->r;
	if (wait->err == ERR_OK)
		answer(r, &count->stats);
	else
		respond_error(r, wait->err);
	request_release(r);
}

static void finish(struct request *r)
{
	struct bucket_stat *state = r->state;
	if (!require_bucket(r))
		return;
	state->r = r;
	state->count = (struct store_bucket_count){
		.wait = {.task.run = on_counted, .home = r->home}, .bucket_id = r->bucket->id};
	request_hold(r);
	store_bucket_count(r->ops->options.store, &state->count);
}

const struct op op_get_bucket_stat = {
	.name = "GetBucketStat",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "stat",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketStat",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct bucket_stat),
	.finish = finish,
};
