/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the object store; each is the one subject of its file. */
#include "ops/op.h"

extern const struct op op_abort_multipart_upload;
extern const struct op op_append_object;
extern const struct op op_complete_multipart_upload;
extern const struct op op_copy_object;
extern const struct op op_delete_bucket;
extern const struct op op_delete_bucket_cors;
extern const struct op op_delete_bucket_lifecycle;
extern const struct op op_delete_bucket_tags;
extern const struct op op_delete_object;
extern const struct op op_delete_object_tagging;
extern const struct op op_delete_objects;
extern const struct op op_get_bucket_acl;
extern const struct op op_get_bucket_cors;
extern const struct op op_get_bucket_info;
extern const struct op op_get_bucket_lifecycle;
extern const struct op op_get_bucket_location;
extern const struct op op_get_bucket_referer;
extern const struct op op_get_bucket_stat;
extern const struct op op_get_bucket_tags;
extern const struct op op_get_bucket_versioning;
extern const struct op op_get_object;
extern const struct op op_get_object_acl;
extern const struct op op_get_object_meta;
extern const struct op op_get_object_tagging;
extern const struct op op_get_symlink;
extern const struct op op_head_bucket;
extern const struct op op_head_object;
extern const struct op op_head_object_meta;
extern const struct op op_initiate_multipart_upload;
extern const struct op op_list_buckets;
extern const struct op op_list_multipart_uploads;
extern const struct op op_list_object_versions;
extern const struct op op_list_objects;
extern const struct op op_list_objects_v2;
extern const struct op op_list_parts;
extern const struct op op_options;
extern const struct op op_post_object;
extern const struct op op_put_bucket;
extern const struct op op_put_bucket_acl;
extern const struct op op_put_bucket_cors;
extern const struct op op_put_bucket_lifecycle;
extern const struct op op_put_bucket_referer;
extern const struct op op_put_bucket_tags;
extern const struct op op_put_bucket_versioning;
extern const struct op op_put_object;
extern const struct op op_put_object_acl;
extern const struct op op_put_object_tagging;
extern const struct op op_put_symlink;
extern const struct op op_upload_part;
extern const struct op op_upload_part_copy;

/* Those of absent.def. */
#define ABSENT_GET(name, ...) extern const struct op op_absent_##name;
#define ABSENT_DELETE(name, ...) extern const struct op op_absent_##name;
#include "ops/absent.def"
#undef ABSENT_GET
#undef ABSENT_DELETE

const struct op *const op_table[] = {
	&op_abort_multipart_upload,
	&op_append_object,
	&op_complete_multipart_upload,
	&op_copy_object,
	&op_delete_bucket,
	&op_delete_bucket_cors,
	&op_delete_bucket_lifecycle,
	&op_delete_bucket_tags,
	&op_delete_object,
	&op_delete_object_tagging,
	&op_delete_objects,
	&op_get_bucket_acl,
	&op_get_bucket_cors,
	&op_get_bucket_info,
	&op_get_bucket_lifecycle,
	&op_get_bucket_location,
	&op_get_bucket_referer,
	&op_get_bucket_stat,
	&op_get_bucket_tags,
	&op_get_bucket_versioning,
	&op_get_object,
	&op_get_object_acl,
	&op_get_object_meta,
	&op_get_object_tagging,
	&op_get_symlink,
	&op_head_bucket,
	&op_head_object,
	&op_head_object_meta,
	&op_initiate_multipart_upload,
	&op_list_buckets,
	&op_list_multipart_uploads,
	&op_list_object_versions,
	&op_list_objects,
	&op_list_objects_v2,
	&op_list_parts,
	&op_options,
	&op_post_object,
	&op_put_bucket,
	&op_put_bucket_acl,
	&op_put_bucket_cors,
	&op_put_bucket_lifecycle,
	&op_put_bucket_referer,
	&op_put_bucket_tags,
	&op_put_bucket_versioning,
	&op_put_object,
	&op_put_object_acl,
	&op_put_object_tagging,
	&op_put_symlink,
	&op_upload_part,
	&op_upload_part_copy,
#define ABSENT_GET(name, ...) &op_absent_##name,
#define ABSENT_DELETE(name, ...) &op_absent_##name,
#include "ops/absent.def"
	NULL,
};
