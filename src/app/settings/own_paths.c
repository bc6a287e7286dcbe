/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/own_paths.h"

static const struct {
	struct slice path;
	enum own_path at, below;
} own[] = {
	{SLICE_LIT("/"), OWN_PATH_TOKEN, OWN_PATH_NONE},
	{SLICE_LIT("/get_post_signature_for_oss_upload"), OWN_PATH_SAMPLE, OWN_PATH_NONE},
	{SLICE_LIT("/grant"), OWN_PATH_GRANT, OWN_PATH_NONE},
	{SLICE_LIT("/grants"), OWN_PATH_GRANTS, OWN_PATH_STATE},
	{SLICE_LIT("/duplicates"), OWN_PATH_DUPLICATES, OWN_PATH_NONE},
	{SLICE_LIT("/upload"), OWN_PATH_PAGE, OWN_PATH_PAGE},
	{SLICE_LIT("/client"), OWN_PATH_NONE, OWN_PATH_PAGE},
};

bool own_path_is_below(struct slice path, struct slice folder)
{
	return slice_starts(path, folder) && path.len > folder.len && path.ptr[folder.len] == '/';
}

enum own_path own_path_at(struct slice path)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (slice_eq(path, own[i].path))
			return own[i].at;
		if (own_path_is_below(path, own[i].path))
			return own[i].below;
	}
	return OWN_PATH_NONE;
}

bool own_path_takes_callback(struct slice path)
{
	enum own_path at = own_path_at(path);
	return at == OWN_PATH_NONE || at == OWN_PATH_TOKEN || at == OWN_PATH_PAGE;
}

bool own_path_is_taken(struct slice path)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (slice_eq(path, own[i].path))
			return true;
	return own_path_at(path) != OWN_PATH_NONE;
}
