/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: buckets with settings, and objects by key. This header is the contract that every
 * back end keeps; tests/unit/store/conformance.c checks it.
 *
 * Guarantees, of every back end:
 *  (a) when a change is reported as done it survives loss of power, unless the back end says that
 *      it keeps nothing;
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

#include "base/budget.h"
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
 * string of at most LIMIT_SETTING_BYTES; the empty one means not set.
 */
enum store_setting {
	STORE_SETTING_CORS, /* the XML, as oss/rules/cors.h formats it */
	STORE_SETTING_LIFECYCLE,
	STORE_SETTING_REFERER,
	STORE_SETTING_TAGGING,
	STORE_SETTING_STORAGE_CLASS, /* of objects that say none; set when the bucket is made */
	STORE_SETTING_COUNT,
};

/* Whether a bucket keeps what is replaced or deleted; once begun it can only be suspended. */
enum store_versioning {
	STORE_UNVERSIONED,
	STORE_VERSIONED,            /* each put makes a version, each delete a marker */
	STORE_VERSIONING_SUSPENDED, /* puts and deletes replace the version "null" */
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
	enum store_versioning versioning;
	struct slice settings[STORE_SETTING_COUNT];
};

struct store_bucket_create {
	struct store_wait wait;
	struct slice name; /* a valid bucket name (oss/names.h) */
	enum store_acl acl;
	struct slice storage_class; /* a setting, from the beginning; short */
};

struct store_bucket_change {
	struct store_wait wait;
	struct slice name;
	bool set_acl;
	enum store_acl acl;
	bool set_versioning; /* ERR_INVALID_ARGUMENT to UNVERSIONED */
	enum store_versioning versioning;
	bool set_setting;
	enum store_setting setting;
	struct slice value;
};

struct store_bucket_delete {
	struct store_wait wait;
	struct slice name;
};

/* What a bucket holds. */
struct store_bucket_stats {
	uint64_t objects; /* current ones, delete markers not counted */
	uint64_t bytes;
	uint64_t old_versions; /* and delete markers */
	uint64_t old_bytes;
	uint64_t uploads; /* that are not complete */
	uint64_t part_bytes;
};

/* ---- Objects -------------------------------------------------------------------------------- */

enum store_type {
	STORE_NORMAL,
	STORE_MULTIPART,  /* made of parts */
	STORE_APPENDABLE, /* grows by appending */
	STORE_SYMLINK,    /* has no bytes; its headers say where to */
};

/*
 * What is known of an object, or of an older version of it, or of a delete marker. `headers` are
 * response header lines ready to send, each ended by CRLF ("Content-Type: image/png\r\n
 * x-oss-meta-a: b\r\n"): the store keeps them as they are.
 */
struct store_object {
	uint64_t size;
	int64_t modified_ms; /* when it was committed */
	uint64_t crc64;      /* CRC-64/XZ of the bytes */
	/* Of the bytes; of a MULTIPART the MD5 of its parts' MD5s, each in upper-case hexadecimal
	 * digits; of an APPENDABLE some value that changes with each appending. */
	unsigned char md5[16];
	enum store_acl acl;
	enum store_type type;
	uint32_t parts;       /* of a MULTIPART */
	uint64_t version;     /* differs between any two versions of a key; newer is greater */
	bool is_null;         /* its version id is "null": made while versions were not kept */
	bool is_marker;       /* a delete marker: nothing but modified_ms and the version counts */
	struct slice headers; /* at most 32 KiB */
	struct slice tags;    /* "key=value&key=value", percent-encoded; at most 8 KiB */
};

/* Which version of an object a call is about. All zero: the current one. */
struct store_version {
	bool is_null;
	uint64_t number; /* store_object.version, unless is_null; 0: the current one */
};

/* Where bytes of an object lie: `size` bytes from `offset` of `bytes`, or, if it is NULL, of `fd`.
 */
struct store_blob {
	const char *bytes;
	int fd;
	uint64_t offset;
	uint64_t size;
	void *pin; /* the back end's */
};

struct store_get {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	bool head_only;             /* do not fill `blob` */
	struct store_object object; /* result; its slices live until store_get_release() */
	/*
	 * Result: all bytes, or the first of them if blob.size is less than object.size: then
	 * store_read() finds the others. Readable until store_get_release(), whatever happens to
	 * the object meanwhile.
	 */
	struct store_blob blob;
	void *held; /* the back end's */
};

/* Finds the bytes of an object that do not lie in one place. */
struct store_read {
	struct store_wait wait;
	struct store_get *get;  /* that succeeded, not head_only, and is not released */
	uint64_t at;            /* less than object.size */
	struct store_blob blob; /* result: some bytes from `at` on, until store_read_release() */
};

/* What a put makes. */
enum store_put_kind {
	STORE_PUT_OBJECT,
	STORE_PUT_PART,   /* a part of an upload, in the place of one with that number */
	STORE_PUT_APPEND, /* the end of an appendable object, or a new one */
};

struct store_put_spec {
	enum store_put_kind kind;
	uint64_t bucket_id;
	struct slice key; /* a valid object key; copied */
	/* Of an object, and of the first appending: */
	struct slice headers; /* copied */
	struct slice tags;    /* copied */
	enum store_acl acl;   /* a later appending changes it to this, unless it is DEFAULT */
	enum store_type type; /* NORMAL or SYMLINK, for STORE_PUT_OBJECT */
	/* Of a part: */
	uint64_t upload;
	uint32_t part; /* 1.. */
	/* Of an appending: */
	uint64_t position;  /* has to be the size of the object */
	uint64_t size_hint; /* the size if it is known, else 0; a hint only */
	/*
	 * The memory that was counted for it. The put takes it over if it begins, and closes it
	 * when it holds none any more, which may be after it was aborted.
	 */
	struct budget_account memory;
	unsigned buffers; /* of 1 MiB, for bytes that wait for the disk; 0: as it likes */
};

struct store_put;

/* A change that is made only to the version that the caller has seen. */
struct store_only_if {
	bool set;
	uint64_t version; /* ERR_PRECONDITION_FAILED unless the version that the call is about is
			     this */
};

/* Whose a change is: ERR_ACCESS_DENIED if what the key has does not let them make it. */
enum store_public {
	STORE_OWNERS,        /* the owner's: all is allowed */
	STORE_PUBLIC_BUCKET, /* anybody's: an object with an ACL of its own must let all write */
	STORE_PUBLIC_OBJECT, /* the same, and the bucket lets nobody: there must be such an object
			      */
};

struct store_put_commit {
	struct store_wait wait;
	bool forbid_overwrite;           /* ERR_FILE_ALREADY_EXISTS if the key has an object */
	enum store_public as_public;     /* see there */
	const unsigned char *expect_md5; /* 16 bytes, or NULL: ERR_INVALID_DIGEST if it differs */
	/*
	 * Result; `headers` and `tags` are not filled. Of a part: size, modified_ms, crc64 and
	 * md5. Of an appending: the whole object, also (its size alone) if it fails with
	 * ERR_POSITION_NOT_EQUAL_TO_LENGTH. Else ERR_NO_SUCH_UPLOAD and ERR_NOT_APPENDABLE.
	 */
	struct store_object object;
};

/*
 * Deletes an object, as the bucket's versioning says: at once, or by a delete marker. With a
 * version it deletes that one, and the next older becomes current if it was.
 */
struct store_delete {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	struct store_only_if only_if;
	enum store_public as_public;
	/* Results. Deleting what is not there is a success. */
	bool existed;
	bool made_marker;    /* `marker` is its version, `marker_is_null` likewise */
	bool deleted_marker; /* what was deleted was a marker */
	bool marker_is_null;
	uint64_t marker;
};

/* Changes what is known of an object, not its bytes: no new version comes of it. */
struct store_object_change {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	struct store_only_if only_if;
	bool set_acl;
	enum store_acl acl;
	bool set_headers; /* and modified_ms becomes now */
	struct slice headers;
	bool set_tags;
	struct slice tags;
	/* Result; `headers` and `tags` are not filled. Of a marker that is told of as by a get. */
	struct store_object object;
};

/* One row of a listing. */
struct store_entry {
	struct slice key; /* or the common prefix */
	bool is_prefix;
	bool is_latest;             /* in a list of versions: the current one, or its marker */
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
	uint32_t max_entries; /* 1..1000 */
	/*
	 * All versions and delete markers, newest first, instead of the current objects. With
	 * `after_version`, the versions of the key `marker` that are older than it come first.
	 */
	bool versions;
	uint64_t after_version;      /* 0: none */
	enum budget_pool pool;       /* where its memory is counted; UNASSIGNED: nowhere */
	struct store_entry *entries; /* result: `count` entries, until store_list_release() */
	uint32_t count;
	bool truncated; /* there is at least one more entry */
	void *held;     /* the back end's */
};

/* ---- Uploads in parts ------------------------------------------------------------------------ */

/* Begins an upload, which is known by its number and key. ERR_NO_SUCH_BUCKET. */
struct store_upload_begin {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct slice headers; /* of the object that it will be */
	struct slice tags;
	enum store_acl acl;
	uint64_t upload; /* result; greater than 0, never used again */
};

/* Drops an upload with its parts. ERR_NO_SUCH_UPLOAD. */
struct store_upload_abort {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
};

struct store_part_named {
	uint32_t number;
	unsigned char md5[16];
};

/*
 * Makes an object of the parts, which stay where they are; parts that are not named are dropped.
 * Of no parts an empty object is made.
 * ERR_NO_SUCH_UPLOAD; ERR_INVALID_PART if one is not there or has another MD5;
 * ERR_ENTITY_TOO_SMALL if one that is not the last has less than `part_bytes_min`.
 */
struct store_upload_complete {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
	const struct store_part_named *parts; /* ascending; NULL: all that there are */
	size_t part_count;
	uint64_t part_bytes_min;
	enum store_acl acl;    /* DEFAULT: what the upload was begun with */
	bool forbid_overwrite; /* as in struct store_put_commit */
	enum store_public as_public;
	struct store_object object; /* result; `headers` and `tags` are not filled */
	uint32_t bad_part;          /* result: which the error is about, if about one */
};

struct store_part {
	uint32_t number;
	uint64_t size;
	int64_t modified_ms;
	uint64_t crc64;
	unsigned char md5[16];
};

/* The parts of an upload with numbers greater than `after`, ascending. ERR_NO_SUCH_UPLOAD. */
struct store_list_parts {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
	uint32_t after;
	uint32_t max_parts;       /* 1..1000; 0 asks only whether the upload is there */
	struct store_part *parts; /* result: `count`, until store_list_parts_release() */
	uint32_t count;
	bool truncated;
	void *held; /* the back end's */
};

struct store_upload {
	struct slice key; /* or the common prefix */
	bool is_prefix;
	uint64_t upload;
	int64_t initiated_ms;
};

/*
 * Uploads in order of key, then of number, rolled up as in struct store_list: those with a key
 * greater than `key_marker`, and with `upload_marker` also those of that key with greater numbers.
 */
struct store_list_uploads {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice prefix;
	struct slice delimiter;
	struct slice key_marker;
	uint64_t upload_marker;       /* 0: none */
	uint32_t max_uploads;         /* 1..1000 */
	struct store_upload *uploads; /* result: `count`, until store_list_uploads_release() */
	uint32_t count;
	bool truncated;
	enum budget_pool pool; /* as in struct store_list */
	void *held;            /* the back end's */
};

/* What a store is doing, for metrics and tests. */
struct store_stats {
	uint64_t objects;
	uint64_t bytes;       /* of objects */
	uint64_t disk_bytes;  /* files of the store on disk, index included */
	uint64_t commits;     /* changes made durable since the start */
	uint64_t syncs;       /* and the group commits they took */
	const char *refusing; /* why changes are refused now: a constant text; NULL: they are not */
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
	/* ERR_NO_SUCH_BUCKET; ERR_BUCKET_NOT_EMPTY if there are objects, versions or uploads. */
	void (*bucket_delete)(struct store *store, struct store_bucket_delete *del);
	/* All zero if it does not exist. Never waits. */
	void (*bucket_stats)(
		struct store *store, uint64_t bucket_id, struct store_bucket_stats *ret);

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

	/*
	 * ERR_NO_SUCH_KEY, and get->object tells of the delete marker if is_marker is set there;
	 * ERR_NO_SUCH_VERSION; ERR_METHOD_NOT_ALLOWED for a version that is a marker, which
	 * get->object tells of. On ERR_OK, and only then, store_get_release() is due.
	 */
	enum store_now (*get)(struct store *store, struct store_get *get);
	void (*get_release)(struct store *store, struct store_get *get);
	/* One at a time for each get. On ERR_OK, and only then, store_read_release() is due. */
	enum store_now (*read)(struct store *store, struct store_read *read);
	void (*read_release)(struct store *store, struct store_read *read);

	void (*delete)(struct store *store, struct store_delete *del);
	/* ERR_NO_SUCH_KEY, ERR_NO_SUCH_VERSION, ERR_METHOD_NOT_ALLOWED as for get. */
	void (*object_change)(struct store *store, struct store_object_change *change);

	/* On ERR_OK, and only then, list_release() is due. */
	void (*list)(struct store *store, struct store_list *list);
	void (*list_release)(struct store *store, struct store_list *list);

	void (*upload_begin)(struct store *store, struct store_upload_begin *begin);
	void (*upload_abort)(struct store *store, struct store_upload_abort *abort);
	void (*upload_complete)(struct store *store, struct store_upload_complete *complete);
	/* On ERR_OK, and only then, the releases are due. */
	void (*list_parts)(struct store *store, struct store_list_parts *list);
	void (*list_parts_release)(struct store *store, struct store_list_parts *list);
	void (*list_uploads)(struct store *store, struct store_list_uploads *list);
	void (*list_uploads_release)(struct store *store, struct store_list_uploads *list);

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

static inline void store_bucket_stats(
	struct store *s, uint64_t bucket_id, struct store_bucket_stats *ret)
{
	s->ops->bucket_stats(s, bucket_id, ret);
}

static inline enum store_now store_read(struct store *s, struct store_read *read)
{
	return s->ops->read(s, read);
}

static inline void store_read_release(struct store *s, struct store_read *read)
{
	s->ops->read_release(s, read);
}

static inline void store_object_change(struct store *s, struct store_object_change *change)
{
	s->ops->object_change(s, change);
}

static inline void store_upload_begin(struct store *s, struct store_upload_begin *begin)
{
	s->ops->upload_begin(s, begin);
}

static inline void store_upload_abort(struct store *s, struct store_upload_abort *abort)
{
	s->ops->upload_abort(s, abort);
}

static inline void store_upload_complete(struct store *s, struct store_upload_complete *complete)
{
	s->ops->upload_complete(s, complete);
}

static inline void store_list_parts(struct store *s, struct store_list_parts *list)
{
	s->ops->list_parts(s, list);
}

static inline void store_list_parts_release(struct store *s, struct store_list_parts *list)
{
	s->ops->list_parts_release(s, list);
}

static inline void store_list_uploads(struct store *s, struct store_list_uploads *list)
{
	s->ops->list_uploads(s, list);
}

static inline void store_list_uploads_release(struct store *s, struct store_list_uploads *list)
{
	s->ops->list_uploads_release(s, list);
}

static inline void store_stats(struct store *s, struct store_stats *ret)
{
	s->ops->stats(s, ret);
}

#endif
