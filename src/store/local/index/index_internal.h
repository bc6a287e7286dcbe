/* SPDX-License-Identifier: Apache-2.0 */
/* An open index, for the files of this folder that use it. */
#ifndef STORE_LOCAL_INDEX_INDEX_INTERNAL_H
#define STORE_LOCAL_INDEX_INDEX_INTERNAL_H

#include <rocksdb/c.h>
#include <stdatomic.h>

#include "store/local/index/gate.h"
#include "store/local/index/index.h"

/* What was tried when it failed. */
enum doing {
	DOING_OPEN,
	DOING_FLUSH,
	DOING_READ,
	DOING_WRITE,
	DOING_COUNT,
};

struct index {
	struct gate gate; /* of those who use `db`, but for the thread that makes changes */
	rocksdb_t *db;    /* NULL: it is shut */
	char *path;
	rocksdb_options_t *options;
	rocksdb_readoptions_t *read;
	rocksdb_readoptions_t *read_cached;
	rocksdb_writeoptions_t *write;
	void (*told)(const char *message, void *ctx); /* NULL: it is logged */
	void *told_ctx;
	_Atomic int64_t told_ms[DOING_COUNT]; /* when it was last logged; 0: never */
};

/*
 * Logs what RocksDB said, or tells who asked for that, frees it, and says what it is to a client.
 * Any thread.
 */
enum err index_complain(struct index *index, enum doing doing, char *message);

#endif
