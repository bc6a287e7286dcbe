/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/first_start.h"

#include "oss/rules/cors.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

enum {
	PORT = 8888
};

/* Whether a page of this machine may upload into the bucket. */
static bool page_may_post(struct store *store)
{
	const struct store_bucket *bucket = store_bucket_get(store, S(FIRST_BUCKET));
	const struct cors_request post = {
		.origin = S("http://127.0.0.1:8888"), .method = S("POST")};
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(headers, 16384);
	struct cors *cors = NULL;
	bool may = bucket && bucket->settings[STORE_SETTING_CORS].len > 0 &&
		   cors_parse(bucket->settings[STORE_SETTING_CORS], &cors, &reason) == ERR_OK &&
		   cors_preflight(cors, &post, &headers) == ERR_OK;
	cors_free(cors);
	store_bucket_unref(store, bucket);
	return may;
}

static bool make_bucket(struct store *store)
{
	return first_start_make_bucket(store, FIRST_BUCKET, PORT, "http://127.0.0.1:8888") ==
	       ERR_OK;
}

static void named(struct store *store)
{
	OK(first_start_make_bucket(store, "photos", PORT, "http://127.0.0.1:8888") == ERR_OK &&
			bucket_delete(store, S("photos")) == ERR_OK,
		"a bucket of another name");
	OK(first_start_make_bucket(store, "No Bucket", PORT, "http://127.0.0.1:8888") ==
			ERR_INVALID_BUCKET_NAME,
		"what is no name is not made");
}

static void whole(struct store *store)
{
	OK(make_bucket(store) && page_may_post(store), "a first start makes bucket and rule");
	OK(bucket_delete(store, S(FIRST_BUCKET)) == ERR_OK, "the bucket is deleted");
}

static void interrupted(struct store *store)
{
	OK(bucket_create(store, S(FIRST_BUCKET), STORE_ACL_PRIVATE) == ERR_OK,
		"a start that ended once it had made the bucket");
	OK(!page_may_post(store), "has set no rule");
	OK(make_bucket(store) && page_may_post(store), "the next one does");
}

static void kept(struct store *store)
{
	static const struct slice rule =
		SLICE_LIT("<CORSConfiguration><CORSRule><AllowedOrigin>http://a</AllowedOrigin>"
			  "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>");
	const struct store_bucket_update change = {.name = S(FIRST_BUCKET),
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = rule};
	OK(bucket_change(store, change) == ERR_OK, "a rule of the user's own");
	OK(make_bucket(store), "stays");
	const struct store_bucket *bucket = store_bucket_get(store, S(FIRST_BUCKET));
	if (bucket)
		IS(bucket->settings[STORE_SETTING_CORS], rule, "as it is");
	store_bucket_unref(store, bucket);
}

int main(void)
{
	char folder[FOLDER_PATH_MAX];
	struct store *store;
	folder_make(folder);
	const struct local_options options = {.path = folder, .clock = &clock_system};
	if (local_store_open(&options, &store) != ERR_OK)
		return 1;
	whole(store);
	named(store);
	interrupted(store);
	kept(store);
	store_close(store);
	folder_remove(folder);
	return tap_done();
}
