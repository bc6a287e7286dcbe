/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/local.h"

#include <stdio.h>

#include "base/limits.h"
#include "tap.h"
#include "unit/store/blocking.h"

int main(void)
{
	char path[] = "/tmp/postern-store-XXXXXX";
	OK(mkdtemp(path) != NULL, "a folder");
	struct local_options o = {.path = path, .clock = &clock_system};
	struct store *s = NULL;
	IS_INT(local_store_open(&o, &s), ERR_OK, "opens");
	IS_INT(bucket_create(s, S("one"), STORE_ACL_PRIVATE), ERR_OK, "a bucket");
	IS_INT(bucket_create(s, S("one"), STORE_ACL_PRIVATE), ERR_BUCKET_ALREADY_EXISTS, "again");
	uint64_t id = bucket_id(s, S("one"));
	struct slice big = {malloc(5000001), 5000001};
	memset((void *)(uintptr_t)big.ptr, 'b', big.len);
	IS_INT(put_object(s, id, S("k"), S("hello"), NULL), ERR_OK, "small");
	IS_INT(put_object(s, id, S("big"), big, NULL), ERR_OK, "large");
	IS_INT(put_object(s, id, S("none"), S(""), NULL), ERR_OK, "empty");
	for (int i = 0; i < 2; i++) {
		OK(object_is(s, id, S("k"), S("hello")), "k");
		OK(object_is(s, id, S("big"), big), "big");
		OK(object_is(s, id, S("none"), S("")), "none");
		IS_INT(head_object(s, id, S("x")), ERR_NO_SUCH_KEY, "no key");
		struct store_list list = {.bucket_id = id, .max_entries = 2};
		IS_INT(list_objects(s, &list), ERR_OK, "list");
		IS_INT(list.count, 2, "count");
		OK(list.truncated, "truncated");
		IS(list.entries[0].key, S("big"), "first");
		store_list_release(s, &list);
		store_close(s);
		IS_INT(local_store_open(&o, &s), ERR_OK, "opens again");
	}
	IS_INT(bucket_delete(s, S("one")), ERR_BUCKET_NOT_EMPTY, "not empty");
	IS_INT(put_object(s, id, S("big"), S("small"), NULL), ERR_OK, "overwrite");
	OK(object_is(s, id, S("big"), S("small")), "small");
	IS_INT(delete_object(s, id, S("big"), NULL), ERR_OK, "delete");
	IS_INT(delete_object(s, id, S("k"), NULL), ERR_OK, "delete");
	IS_INT(delete_object(s, id, S("none"), NULL), ERR_OK, "delete");
	IS_INT(bucket_delete(s, S("one")), ERR_OK, "empty");
	store_close(s);
	free((void *)(uintptr_t)big.ptr);
	return tap_done();
}
