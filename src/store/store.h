/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: buckets with settings, and objects by key. This header is the contract that every
 * back end keeps; tests/unit/store/conformance.c checks it.
 *
 * Guarantees, of every back end:
 *  (a) when a change is reported as done it survives loss of power;
 *  (b) a reader sees an object as it was before or after a change, never a mix, never a part;
 *  (c) a put that is aborted, fails or is cut off leaves nothing visible, does not touch an older
 *      object of that key, and its space comes back;
 *  (d) list, get and head after a reported change show it;
 *  (e) when the disk is full, changes fail with ERR_DISK_FULL, reading goes on, and changes work
 *      again once there is room. Deletes work on a full disk.
 *
 * Waiting. Nothing here blocks on a disk. A call that may have to wait takes a `struct store_wait`
 * that the caller embeds in its own structure and fills with where to go on: when the work is done
 * `wait.err` is set and `wait.task` is posted to `wait.home`. Calls returning `enum store_now` may
 * finish at once instead: STORE_DONE means that wait.err is set and the task will not be posted,
 * STORE_WAIT that it will be. Until then the caller keeps the structure, and everything that it
 * borrows to the call, where it is.
 *
 * Threads. Any thread may call; a `struct store_put` is used by one thread at a time. Tasks run on
 * their home.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/task.h"

struct store;

enum store_now {
	STORE_DONE,
	STORE_WAIT
};

struct store_wait {
	struct task task; /* task.run is the caller's */
	struct executor *home;
	enum err err;
};

enum store_acl {
	STORE_ACL_DEFAULT, /* an object's: as its bucket */
	STORE_ACL_PRIVATE,
	STORE_ACL_PUBLIC_READ,
	STORE_ACL_PUBLIC_READ_WRITE,
};

/* ---- Buckets -------------------------------------------------------------------------------- */

/*
 * The settings of a bucket that the store keeps without looking inside. Each value is a byte
 * string of at most 64 KiB; the empty one means not set.
 */
enum store_setting {
	STORE_SETTING_CORS, /* the XML, as oss/cors.h formats it */
	STORE_SETTING_COUNT,
};

/*
 * A bucket as it was at one moment: never changes, counted. `generation` differs between any two
 * states of any bucket of this store, so that what was made from the settings can be cached by it.
 */
struct store_bucket {
	struct slice name;
	uint64_t id; /* of this incarnation: never used again after a delete */
	uint64_t generation;
	int64_t created_ms;
	enum store_acl acl; /* never DEFAULT */
	struct slice settings[STORE_SETTING_COUNT];
};

struct store_bucket_create {
	struct store_wait wait;
	struct slice name; /* a valid bucket name (oss/names.h) */
	enum store_acl acl;
};

struct store_bucket_change {
	struct store_wait wait;
	struct slice name;
	bool set_acl;
	enum store_acl acl;
	bool set_setting;
	enum store_setting setting;
	struct slice value;
};

struct store_bucket_delete {
	struct store_wait wait;
	struct slice name;
};

/* ---- Objects -------------------------------------------------------------------------------- */

/*
 * What is known of an object. `headers` are response header lines ready to send, each ended by
 * CRLF ("Content-Type: image/png\r\nx-oss-meta-a: b\r\n"): the store keeps them as they are.
 */
struct store_object {
	uint64_t size;
	int64_t modified_ms; /* when it was committed */
	uint64_t crc64;      /* CRC-64/XZ of the bytes */
	unsigned char md5[16];
	enum store_acl acl;
	struct slice headers; /* at most 32 KiB */
};

/* Where an object's bytes lie: `size` bytes from `offset` of `fd`. */
struct store_blob {
	int fd;
	uint64_t offset;
	uint64_t size;
	void *pin; /* the back end's */
};

struct store_get {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	bool head_only;             /* do not fill `blob` */
	struct store_object object; /* result; object.headers lives until store_get_release() */
	struct store_blob blob;     /* result; readable until store_get_release(), whatever happens
				       to the object meanwhile */
	void *held;                 /* the back end's */
};

struct store_put_spec {
	uint64_t bucket_id;
	struct slice key;     /* a valid object key; copied */
	struct slice headers; /* copied */
	enum store_acl acl;
	uint64_t size_hint; /* the size if it is known, else 0; a hint only */
};

struct store_put;

struct store_put_commit {
	struct store_wait wait;
	bool forbid_overwrite;           /* ERR_FILE_ALREADY_EXISTS if the key has an object */
	bool as_public;                  /* see struct store_delete */
	const unsigned char *expect_md5; /* 16 bytes, or NULL: ERR_INVALID_DIGEST if it differs */
	struct store_object object;      /* result; `headers` is not filled */
};

struct store_delete {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	/*
	 * The change is not the owner's: ERR_ACCESS_DENIED if the key has an object with an ACL of
	 * its own that does not let everybody write.
	 */
	bool as_public;
	bool existed; /* result; deleting what is not there is a success */
};

/* One row of a listing. */
struct store_entry {
	struct slice key; /* or the common prefix */
	bool is_prefix;
	struct store_object object; /* not for a prefix */
};

/*
 * Keys in byte order, from the first that is greater than `marker` and begins with `prefix`. With
 * a non-empty `delimiter`, keys that have it behind the prefix are rolled up into one entry with
 * the text up to and including it; a roll-up not greater than `marker` is left out, and so is
 * every key rolled up under a marker that ends with the delimiter. The cost does not grow with the
 * number of keys under a roll-up.
 */
struct store_list {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice prefix;
	struct slice marker;
	struct slice delimiter;
	uint32_t max_entries;        /* 1..1000 */
	struct store_entry *entries; /* result: `count` entries, until store_list_release() */
	uint32_t count;
	bool truncated; /* there is at least one more entry */
	void *held;     /* the back end's */
};

/* What a store is doing, for metrics and tests. */
struct store_stats {
	uint64_t objects;
	uint64_t bytes;      /* of objects */
	uint64_t disk_bytes; /* files of the store on disk, index included */
	uint64_t commits;    /* changes made durable since the start */
	uint64_t syncs;      /* and the group commits they took */
};

struct store_ops {
	/* Stops, after finishing what was begun; no call may be running. */
	void (*close)(struct store *store);

	/*
	 * The bucket, with a reference for the caller, or NULL if there is none. Never waits.
	 */
	const struct store_bucket *(*bucket_get)(struct store *store, struct slice name);
	void (*bucket_unref)(struct store *store, const struct store_bucket *bucket);
	/*
	 * All buckets in byte order of their names: calls `row` for each, under no lock of the
	 * caller's concern; `bucket` is valid during the call.
	 */
	void (*bucket_each)(struct store *store,
		void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx);
	/* ERR_BUCKET_ALREADY_EXISTS, ERR_TOO_MANY_BUCKETS. */
	void (*bucket_create)(struct store *store, struct store_bucket_create *create);
	/* ERR_NO_SUCH_BUCKET. */
	void (*bucket_change)(struct store *store, struct store_bucket_change *change);
	/* ERR_NO_SUCH_BUCKET, ERR_BUCKET_NOT_EMPTY. */
	void (*bucket_delete)(struct store *store, struct store_bucket_delete *del);

	/*
	 * Begins an object. It becomes visible at commit. ERR_DISK_FULL if there is no room to
	 * begin, ERR_UNAVAILABLE without memory. Digests are computed inside, so that back ends
	 * can overlap them with I/O.
	 */
	enum err (*put_begin)(struct store *store, const struct store_put_spec *spec,
		struct store_put **ret) MUST_USE;
	/*
	 * Takes all of `bytes`, which are copied or written before it returns. STORE_WAIT asks the
	 * caller to write no more until `wait` is posted (memory for one upload is bounded); what
	 * the caller must write all the same meanwhile, because it was already read, is given with
	 * `wait` NULL. An error is sticky and comes out of put_commit; STORE_DONE with wait->err
	 * set reports it early so that the caller can stop reading.
	 */
	enum store_now (*put_write)(
		struct store_put *put, struct slice bytes, struct store_wait *wait);
	/*
	 * Makes the object durable and visible, or nothing at all. Consumes `put` whatever the
	 * result. ERR_NO_SUCH_BUCKET if the bucket has gone meanwhile.
	 */
	void (*put_commit)(struct store_put *put, struct store_put_commit *commit);
	/* Forgets it; consumes `put`, which may be NULL. Not while a put_write is waiting. */
	void (*put_abort)(struct store_put *put);

	/* ERR_NO_SUCH_KEY. On ERR_OK, and only then, store_get_release() is due. */
	enum store_now (*get)(struct store *store, struct store_get *get);
	void (*get_release)(struct store *store, struct store_get *get);

	void (*delete)(struct store *store, struct store_delete *del);

	/* On ERR_OK, and only then, list_release() is due. */
	void (*list)(struct store *store, struct store_list *list);
	void (*list_release)(struct store *store, struct store_list *list);

	void (*stats)(struct store *store, struct store_stats *ret);
};

/* A back end embeds this as its first member. */
struct store {
	const struct store_ops *ops;
};

/* ---- Calls, so that users read store_get(s, &get) ------------------------------------------- */

static inline void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

static inline const struct store_bucket *store_bucket_get(struct store *s, struct slice name)
{
	return s->ops->bucket_get(s, name);
}

static inline void store_bucket_unref(struct store *s, const struct store_bucket *bucket)
{
	if (bucket)
		s->ops->bucket_unref(s, bucket);
}

static inline void store_bucket_each(
	struct store *s, void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	s->ops->bucket_each(s, row, ctx);
}

static inline void store_bucket_create(struct store *s, struct store_bucket_create *create)
{
	s->ops->bucket_create(s, create);
}

static inline void store_bucket_change(struct store *s, struct store_bucket_change *change)
{
	s->ops->bucket_change(s, change);
}

static inline void store_bucket_delete(struct store *s, struct store_bucket_delete *del)
{
	s->ops->bucket_delete(s, del);
}

static inline enum err store_put_begin(
	struct store *s, const struct store_put_spec *spec, struct store_put **ret)
{
	return s->ops->put_begin(s, spec, ret);
}

static inline enum store_now store_put_write(
	struct store *s, struct store_put *put, struct slice bytes, struct store_wait *wait)
{
	return s->ops->put_write(put, bytes, wait);
}

static inline void store_put_commit(
	struct store *s, struct store_put *put, struct store_put_commit *commit)
{
	s->ops->put_commit(put, commit);
}

static inline void store_put_abort(struct store *s, struct store_put *put)
{
	if (put)
		s->ops->put_abort(put);
}

static inline enum store_now store_get(struct store *s, struct store_get *get)
{
	return s->ops->get(s, get);
}

static inline void store_get_release(struct store *s, struct store_get *get)
{
	s->ops->get_release(s, get);
}

static inline void store_delete(struct store *s, struct store_delete *del)
{
	s->ops->delete (s, del);
}

static inline void store_list(struct store *s, struct store_list *list)
{
	s->ops->list(s, list);
}

static inline void store_list_release(struct store *s, struct store_list *list)
{
	s->ops->list_release(s, list);
}

static inline void store_stats(struct store *s, struct store_stats *ret)
{
	s->ops->stats(s, ret);
}

#endif
