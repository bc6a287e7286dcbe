/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: buckets with settings, and objects by key. This header is the contract that every
 * back end keeps; tests/unit/store/conformance.c checks it.
 *
 * Guarantees, of every back end:
 *  (a) a change that is reported as done survives loss of power, unless the back end says that it
 *      keeps nothing;
 *  (b) a reader sees an object as it was before or after a change, never a mixture or a part;
 *  (c) a put that is aborted, fails or is interrupted leaves nothing visible, does not touch an
 *      older object of that key, and its space is freed;
 *  (d) list, get and head show every change that was reported as done;
 *  (e) when the disk is full, changes fail with ERR_DISK_FULL and reading works; changes work
 *      again once there is room. Deletes work on a full disk.
 *
 * Waiting. No call blocks on the disk. A call that may have to wait takes a `struct store_wait`,
 * which the caller embeds in its own structure and fills with a task and its home. When the work is
 * done, `wait.err` is set and `wait.task` is posted to `wait.home`. A call that returns `enum
 * store_now` may finish at once instead: STORE_DONE means that wait.err is set and the task will
 * not be posted, STORE_WAIT that it will be. Until then the structure, and everything it points
 * to, must stay in place.
 *
 * Threads. Any thread may call. A `struct store_put` is used by one thread at a time. Tasks run on
 * their home.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/task.h"
#include "crypto/block_check.h"

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

/* For back ends: ends a wait. Any thread. */
static inline void store_answer(struct store_wait *wait, enum err e)
{
	wait->err = e;
	executor_post(wait->home, &wait->task);
}

enum store_acl {
	STORE_ACL_DEFAULT, /* for an object: as its bucket */
	STORE_ACL_PRIVATE,
	STORE_ACL_PUBLIC_READ,
	STORE_ACL_PUBLIC_READ_WRITE,
};

/* ---- Buckets -------------------------------------------------------------------------------- */

/*
 * Settings of a bucket that the store keeps without interpreting them. Each value is a byte string
 * of at most LIMIT_SETTING_BYTES; an empty one means that the setting is not set.
 */
enum store_setting {
	STORE_SETTING_CORS, /* the XML, as oss/rules/cors.h formats it */
	STORE_SETTING_LIFECYCLE,
	STORE_SETTING_REFERER,
	STORE_SETTING_TAGGING,
	STORE_SETTING_STORAGE_CLASS, /* default for objects; set when the bucket is created */
	STORE_SETTING_COUNT,
};

/* Whether a bucket keeps older versions. Once enabled, versioning can only be suspended. */
enum store_versioning {
	STORE_UNVERSIONED,
	STORE_VERSIONED,            /* each put creates a version, each delete a marker */
	STORE_VERSIONING_SUSPENDED, /* puts and deletes replace the version "null" */
};

/*
 * A snapshot of a bucket: immutable and reference-counted. `generation` differs between any two
 * states of any bucket of this store, so it can be the key of a cache of compiled settings.
 */
struct store_bucket {
	struct slice name;
	uint64_t id; /* never used again after a delete, even for a bucket of that name */
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
	struct slice storage_class; /* the setting of that name */
	int64_t created_ms;         /* of one that is copied from another store; 0: now */
};

struct store_bucket_update {
	struct store_wait wait;
	struct slice name;
	bool set_acl;
	enum store_acl acl;
	bool set_versioning; /* ERR_INVALID_ARGUMENT if to UNVERSIONED */
	enum store_versioning versioning;
	bool set_setting;
	enum store_setting setting;
	struct slice value;
};

struct store_bucket_delete {
	struct store_wait wait;
	struct slice name;
};

/* The contents of a bucket, in numbers. */
struct store_bucket_stats {
	uint64_t objects; /* current ones, without delete markers */
	uint64_t bytes;
	uint64_t old_versions; /* including delete markers */
	uint64_t old_bytes;
	uint64_t uploads; /* multipart uploads that are not complete */
	uint64_t part_bytes;
};

/* Asks what a bucket holds, as of now. ERR_NO_SUCH_BUCKET. */
struct store_bucket_count {
	struct store_wait wait;
	uint64_t bucket_id;
	struct store_bucket_stats stats; /* result; zeros unless ERR_OK */
};

/* ---- Objects -------------------------------------------------------------------------------- */

enum store_type {
	STORE_NORMAL,
	STORE_MULTIPART,  /* made of parts */
	STORE_APPENDABLE, /* grows by appending */
	STORE_SYMLINK,    /* has no bytes; its headers name the target */
};

/*
 * Describes an object, an older version or a delete marker. `headers` are response header lines
 * ready to send, each ended by CRLF ("Content-Type: image/png\r\nx-oss-meta-a: b\r\n"). The store
 * keeps them as they are.
 */
struct store_object {
	uint64_t size;
	int64_t modified_ms; /* when it was committed */
	uint64_t crc64;      /* CRC-64/XZ of the bytes */
	/* Of the bytes. For a MULTIPART, the MD5 of its parts' MD5s, each in upper-case hexadecimal
	 * digits; for an APPENDABLE, a value that changes with each append. */
	unsigned char md5[16];
	enum store_acl acl;
	enum store_type type;
	uint32_t parts;       /* for a MULTIPART: how many */
	uint64_t version;     /* differs between any two versions of a key; newer is greater */
	bool is_null;         /* its version id is "null": stored while versions were not kept */
	bool is_marker;       /* a delete marker: only modified_ms and version are meaningful */
	struct slice headers; /* at most 32 KiB */
	struct slice tags;    /* "key=value&key=value", percent-encoded; at most 8 KiB */
};

/* Selects a version of an object. All zero: the current one. */
struct store_version {
	bool is_null;
	uint64_t number; /* store_object.version, unless is_null; 0: the current one */
};

static inline bool store_version_is_named(const struct store_version *which)
{
	return which->is_null || which->number;
}

/*
 * Where bytes of an object lie: `size` bytes from `offset` of `bytes`, or, if that is NULL, of
 * `fd`. The reader has to check them: they are inside the run that `check` describes, which may
 * begin before them and end behind them.
 */
struct store_blob {
	const char *bytes;
	int fd;
	uint64_t offset;
	uint64_t size;
	struct block_check check;
	size_t held; /* memory that it holds until it is released, counted by store_get.holder */
	void *pin;   /* the back end's */
	uint64_t number; /* the back end's: which file it is */
	bool in_log;     /* the back end's: that file is a segment of the log */
};

/* Bytes that are not what was stored, as their reader found. */
struct store_damage {
	const struct store_get *get;
	const struct store_blob *blob;
	uint64_t offset;      /* in the file */
	struct slice request; /* whose reading it was, for the log */
};

struct store_get {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	bool head_only; /* do not fill `blob` */
	/* Whose memory holds the bytes, if the back end has to: an empty account, which is copied.
	 * Zeroed: that of signed requests, and nobody's share. */
	struct budget_account holder;
	struct store_object object; /* result; its slices live until store_get_release() */
	/*
	 * Result: all bytes, or only the first ones if blob.size is less than object.size; then
	 * store_read() finds the rest. Readable until store_get_release(), even if the object is
	 * replaced or deleted meanwhile.
	 */
	struct store_blob blob;
	void *held; /* private to the back end */
};

/*
 * What a version has that is copied from another store, instead of what this one would give it.
 * ERR_PRECONDITION_FAILED if the key has a version, or marker, that is as new: the oldest has to
 * come first. ERR_INVALID_ARGUMENT if this store cannot keep it: one that is not "null", or a
 * marker, in a bucket that never kept versions; a number that this store may give itself; or, of an
 * appendable object, one that another key's has, in a folder.
 * A number must not come back that the key has had here before. If a version is "null", it replaces
 * the one that is; any other becomes an older one, whatever the bucket's versioning.
 */
struct store_kept {
	uint64_t version; /* greater than 0 */
	bool is_null;
	int64_t modified_ms;
	/* Not of a marker: */
	unsigned char md5[16];
	enum store_type type; /* APPENDABLE with STORE_PUT_APPEND at 0, others with _OBJECT */
	uint32_t parts;
};

/* Finds further bytes of an object that has more than one extent. */
struct store_read {
	struct store_wait wait;
	struct store_get *get;  /* succeeded, without head_only, and not yet released */
	uint64_t at;            /* less than object.size */
	struct store_blob blob; /* result: bytes from `at` on, valid until store_read_release() */
};

/* What a put creates. */
enum store_put_kind {
	STORE_PUT_OBJECT,
	STORE_PUT_PART,   /* a part of a multipart upload; replaces one of that number */
	STORE_PUT_APPEND, /* more bytes of an appendable object, or a new one */
};

struct store_put_spec {
	enum store_put_kind kind;
	uint64_t bucket_id;
	struct slice key; /* a valid object key; copied */
	/* For an object, and for the first append: */
	struct slice headers; /* copied */
	struct slice tags;    /* copied */
	enum store_acl acl;   /* a later append sets it too, unless it is DEFAULT */
	enum store_type type; /* NORMAL or SYMLINK, for STORE_PUT_OBJECT */
	/* For a part: */
	uint64_t upload;
	uint32_t part; /* 1.. */
	/* For an append: */
	uint64_t position;  /* must be the object's size */
	uint64_t size_hint; /* the expected size, or 0; a hint only */
	/*
	 * The memory reserved for the put, which takes more when it needs more: LIMIT_PUT_BYTES and
	 * what it gathers, or store_put_bytes(). If put_begin succeeds the put owns it, and closes
	 * it when it holds no more memory, which may be after it was aborted.
	 */
	struct budget_account memory;
	unsigned buffers; /* of 1 MiB, for bytes that wait for the disk; 0: the back end decides */
};

/* What a put of more than LIMIT_INLINE_BYTES holds: those buffers, and the one being filled. */
static inline size_t store_put_bytes(unsigned buffers)
{
	return MIB(1) * ((size_t)buffers + 1);
}

struct store_put;

/* Makes a change conditional on the version that the caller has seen. */
struct store_only_if {
	bool set;
	uint64_t version; /* ERR_PRECONDITION_FAILED if the selected version is another one */
};

/* Who makes a change. ERR_ACCESS_DENIED if the ACLs do not permit it. */
enum store_caller {
	STORE_CALLER_OWNER, /* all is allowed */
	/* Anybody, in a bucket that all may write to: if the object has an ACL of its own, that
	 * must let all write too. */
	STORE_CALLER_PUBLIC_BUCKET,
	/* Anybody, in a bucket that not all may write to: there must be an object whose own ACL
	 * lets all write. */
	STORE_CALLER_PUBLIC_OBJECT,
};

struct store_put_commit {
	struct store_wait wait;
	bool forbid_overwrite; /* ERR_FILE_ALREADY_EXISTS if the key has an object */
	enum store_caller caller;
	const unsigned char *expect_md5; /* 16 bytes, or NULL: ERR_INVALID_DIGEST if it differs */
	const uint64_t *expect_crc64;    /* or NULL: ERR_INVALID_DIGEST if it differs */
	const struct store_kept *kept;   /* or NULL; not for a part */
	/*
	 * Result, without `headers` and `tags`. For a part only size, modified_ms, crc64 and md5;
	 * for an append the whole object. If an append fails with
	 * ERR_POSITION_NOT_EQUAL_TO_LENGTH, `size` is the object's.
	 */
	struct store_object object;
};

/*
 * Deletes an object: for good, or by a delete marker if the bucket keeps versions. If `version` is
 * given, deletes that version for good; if it was the current one, the next older one becomes
 * current.
 */
struct store_delete {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	struct store_only_if only_if;
	enum store_caller caller;
	const struct store_kept *kept; /* without `version`: the marker that is made; or NULL */
	/* Results. Deleting what is not there is a success. */
	bool existed;
	bool made_marker;    /* `marker` and `marker_is_null` are its version */
	bool deleted_marker; /* the deleted version was a marker */
	bool marker_is_null;
	uint64_t marker;
};

/* Changes an object's metadata and not its bytes. Makes no new version. */
struct store_metadata_update {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct store_version version;
	struct store_only_if only_if;
	bool set_acl;
	enum store_acl acl;
	bool set_headers; /* also sets modified_ms to the time of the commit */
	struct slice headers;
	bool set_tags;
	struct slice tags;
	/* Result, without `headers` and `tags`. For a delete marker, filled in as by store_get().
	 */
	struct store_object object;
};

/* One row of a listing. */
struct store_entry {
	struct slice key; /* or the common prefix */
	bool is_prefix;
	bool is_latest; /* in a list of versions: the newest version or marker of the key */
	struct store_object object; /* not for a prefix */
};

/*
 * Lists the keys that begin with `prefix` and are greater than `marker`, in byte order. If
 * `delimiter` is not empty, keys that contain it after the prefix are rolled up into one entry, a
 * common prefix that ends with the first delimiter. A common prefix that is not greater than
 * `marker` is left out. If `marker` is itself a common prefix, all keys under it are left out. The
 * cost does not grow with the number of keys under a common prefix.
 */
struct store_list {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice prefix;
	struct slice marker;
	struct slice delimiter;
	uint32_t max_entries; /* 1..1000 */
	/*
	 * Lists all versions and delete markers, newest first, instead of the current objects. If
	 * `after_version` is set, the list begins with the older versions of the key `marker`.
	 */
	bool versions;
	uint64_t after_version;      /* 0: none */
	enum budget_pool pool;       /* which pool its memory is counted in; UNASSIGNED: none */
	struct store_entry *entries; /* result: `count` entries, valid until the release */
	uint32_t count;
	bool truncated; /* there are more entries */
	void *held;     /* private to the back end */
};

/* ---- Multipart uploads ----------------------------------------------------------------------- */

/* Begins a multipart upload, which its number and key identify. ERR_NO_SUCH_BUCKET. */
struct store_multipart_begin {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	struct slice headers; /* of the object to be made */
	struct slice tags;
	enum store_acl acl;
	uint64_t upload; /* result; greater than 0, never used again */
};

/* Drops a multipart upload and its parts. ERR_NO_SUCH_UPLOAD. */
struct store_multipart_abort {
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
 * Makes an object of the named parts, whose bytes are not copied. Other parts are dropped. Without
 * parts the object is empty.
 * ERR_NO_SUCH_UPLOAD; ERR_INVALID_PART if a part does not exist or has another MD5;
 * ERR_ENTITY_TOO_SMALL if a part other than the last has less than `part_bytes_min`.
 */
struct store_multipart_complete {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
	const struct store_part_named *parts; /* ascending; NULL: all existing parts */
	size_t part_count;
	uint64_t part_bytes_min;
	enum store_acl acl;    /* DEFAULT: that of store_multipart_begin */
	bool forbid_overwrite; /* as in struct store_put_commit */
	enum store_caller caller;
	struct store_object object; /* result; `headers` and `tags` are not filled */
	uint32_t bad_part;          /* result: the part that the error is about, or 0 */
};

struct store_part {
	uint32_t number;
	uint64_t size;
	int64_t modified_ms;
	uint64_t crc64;
	unsigned char md5[16];
};

/* Lists the parts with numbers greater than `after`, ascending. ERR_NO_SUCH_UPLOAD. */
struct store_list_parts {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
	uint32_t after;
	uint32_t max_parts;       /* 1..1000; 0: only checks that the upload exists */
	struct store_part *parts; /* result: `count` parts, valid until the release */
	uint32_t count;
	bool truncated;
	void *held; /* private to the back end */
};

struct store_multipart {
	struct slice key; /* or the common prefix */
	bool is_prefix;
	uint64_t upload;
	int64_t initiated_ms;
};

/*
 * Lists multipart uploads by key, then by number, rolled up as in struct store_list: those with a
 * key greater than `key_marker`, and, if `upload_marker` is set, those of that key with a greater
 * number.
 */
struct store_list_multiparts {
	struct store_wait wait;
	uint64_t bucket_id;
	struct slice prefix;
	struct slice delimiter;
	struct slice key_marker;
	uint64_t upload_marker; /* 0: none */
	uint32_t max_uploads;   /* 1..1000 */
	struct store_multipart
		*uploads; /* result: `count`, until store_list_multiparts_release() */
	uint32_t count;
	bool truncated;
	enum budget_pool pool; /* as in struct store_list */
	void *held;            /* private to the back end */
};

/* The check of all that is stored, in the background. All zeros: there is none. */
struct store_scrub {
	uint64_t rate;       /* bytes a second, at most */
	uint64_t bytes;      /* read since the start */
	uint64_t records;    /* of the log, since the start */
	uint64_t files;      /* of large objects and parts, since the start */
	uint64_t sums_added; /* to files that had no sums of their blocks, since the start */
	uint64_t damaged;    /* places that are known to be damaged */
	uint64_t pass_bytes; /* read in this pass, of about pass_total; 0: none is under way */
	uint64_t pass_total;
	int64_t ended_ms; /* when the last whole pass ended; 0: none has yet */
};

/* A store on a cluster. All zeros: it is on none. */
enum {
	STORE_OPERATIONS = 5,
	STORE_RESULTS = 5,
};

struct store_cluster {
	const char *const *operations; /* names; NULL: there is no cluster */
	const char *const *results;
	uint64_t counts[STORE_OPERATIONS][STORE_RESULTS]; /* since the start */
	struct histogram_sum latency[STORE_OPERATIONS];
	uint64_t lost;          /* changes whose outcome had to be asked for */
	uint64_t changes;       /* that wait for a thread; others are under way */
	uint64_t reads;         /* likewise */
	uint64_t tablets;       /* that this process knows of */
	uint64_t splits;        /* of them, by this process */
	uint64_t merges;        /* likewise */
	uint64_t removed;       /* data that nothing referred to, by this process */
	uint64_t gateways;      /* that serve the store, as it was last heard */
	bool is_full;           /* what needs room is refused */
	uint64_t heard_seconds; /* since the others last heard of this one */
};

/* For metrics and tests. */
struct store_stats {
	uint64_t objects;
	uint64_t bytes;         /* of objects */
	uint64_t disk_bytes;    /* of all files of the store, including the index */
	uint64_t commits;       /* changes made durable since the start */
	uint64_t syncs;         /* the group commits for them */
	uint64_t damaged_reads; /* how often bytes that were read were not what was stored */
	uint64_t start_damage;  /* what was found damaged when the store was opened */
	struct store_scrub scrub;
	struct store_cluster cluster;
	const char *refusing; /* why changes are refused now; NULL: they are not */
	const char *silent;   /* why it can do nothing now, not even read; NULL: it can */
	bool is_over;         /* it never will again: it has to be opened anew */
};

struct store_ops {
	/* Finishes what was begun and frees the store. No call may be in progress. */
	void (*close)(struct store *store);

	/* The bucket with a reference for the caller, or NULL if it does not exist. Never waits. */
	const struct store_bucket *(*bucket_get)(struct store *store, struct slice name);
	void (*bucket_unref)(struct store *store, const struct store_bucket *bucket);
	/*
	 * Calls `row` for each bucket in byte order of names. `bucket` is valid during the call.
	 * No lock is held during it.
	 */
	void (*bucket_each)(struct store *store,
		void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx);
	/* Creates a bucket. ERR_BUCKET_ALREADY_EXISTS, ERR_TOO_MANY_BUCKETS. */
	void (*bucket_create)(struct store *store, struct store_bucket_create *create);
	/* Sets the ACL, the versioning and one setting, whichever are chosen. ERR_NO_SUCH_BUCKET.
	 */
	void (*bucket_update)(struct store *store, struct store_bucket_update *change);
	/*
	 * Deletes a bucket. ERR_NO_SUCH_BUCKET; ERR_BUCKET_NOT_EMPTY if it has objects, versions or
	 * multipart uploads.
	 */
	void (*bucket_delete)(struct store *store, struct store_bucket_delete *del);
	void (*bucket_count)(struct store *store, struct store_bucket_count *count);

	/*
	 * Begins a put, which becomes visible when it is committed. ERR_DISK_FULL, or
	 * ERR_UNAVAILABLE if there is no memory. The back end computes the digests, so that it can
	 * overlap them with I/O.
	 */
	enum err (*put_begin)(struct store *store, const struct store_put_spec *spec,
		struct store_put **ret) MUST_USE;
	/*
	 * Takes all of `bytes`; they are copied or written before it returns. STORE_WAIT asks the
	 * caller to write no more until `wait` is posted, which bounds the memory for one upload.
	 * Bytes that the caller has already read meanwhile are written with `wait` NULL. An error
	 * is sticky and is returned by put_commit; STORE_DONE with wait->err set reports it early,
	 * so that the caller can stop reading.
	 */
	enum store_now (*put_write)(
		struct store_put *put, struct slice bytes, struct store_wait *wait);
	/*
	 * Makes the object durable and visible, or changes nothing. Consumes `put` whatever the
	 * result. ERR_NO_SUCH_BUCKET if the bucket was deleted meanwhile, ERR_NO_SUCH_UPLOAD for a
	 * part, ERR_NOT_APPENDABLE and ERR_POSITION_NOT_EQUAL_TO_LENGTH for an append.
	 */
	void (*put_commit)(struct store_put *put, struct store_put_commit *commit);
	/* Drops and consumes `put`, which may be NULL. Not while a put_write waits. */
	void (*put_abort)(struct store_put *put);

	/*
	 * Finds an object. ERR_NO_SUCH_KEY; if a delete marker is the reason, get->object describes
	 * it and its is_marker is set. ERR_NO_SUCH_VERSION. ERR_METHOD_NOT_ALLOWED if the version
	 * is a marker, which get->object describes. After ERR_OK, and only then, the caller must
	 * call store_get_release().
	 */
	enum store_now (*get)(struct store *store, struct store_get *get);
	void (*get_release)(struct store *store, struct store_get *get);
	/*
	 * One at a time for each get. After ERR_OK, and only then, the caller must call
	 * store_read_release().
	 */
	enum store_now (*read)(struct store *store, struct store_read *read);
	void (*read_release)(struct store *store, struct store_read *read);
	/* Logs and counts it. Never waits. */
	void (*damaged)(struct store *store, const struct store_damage *damage);

	/* Deleting an object that does not exist succeeds. ERR_PRECONDITION_FAILED,
	 * ERR_ACCESS_DENIED. */
	void (*delete)(struct store *store, struct store_delete *del);
	/* ERR_NO_SUCH_KEY, ERR_NO_SUCH_VERSION, ERR_METHOD_NOT_ALLOWED as for get. */
	void (*metadata_update)(struct store *store, struct store_metadata_update *change);

	/* After ERR_OK, and only then, the caller must call list_release(). */
	void (*list)(struct store *store, struct store_list *list);
	void (*list_release)(struct store *store, struct store_list *list);

	void (*multipart_begin)(struct store *store, struct store_multipart_begin *begin);
	void (*multipart_abort)(struct store *store, struct store_multipart_abort *abort);
	void (*multipart_complete)(struct store *store, struct store_multipart_complete *complete);
	/* After ERR_OK, and only then, the caller must call the release. */
	void (*list_parts)(struct store *store, struct store_list_parts *list);
	void (*list_parts_release)(struct store *store, struct store_list_parts *list);
	void (*list_multiparts)(struct store *store, struct store_list_multiparts *list);
	void (*list_multiparts_release)(struct store *store, struct store_list_multiparts *list);

	void (*stats)(struct store *store, struct store_stats *ret);
};

/* Every back end embeds this as its first member. */
struct store {
	const struct store_ops *ops;
};

/* ---- Calls ----------------------------------------------------------------------------------- */

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

static inline void store_bucket_update(struct store *s, struct store_bucket_update *change)
{
	s->ops->bucket_update(s, change);
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

static inline void store_bucket_count(struct store *s, struct store_bucket_count *count)
{
	s->ops->bucket_count(s, count);
}

static inline enum store_now store_read(struct store *s, struct store_read *read)
{
	return s->ops->read(s, read);
}

static inline void store_read_release(struct store *s, struct store_read *read)
{
	s->ops->read_release(s, read);
}

static inline void store_damaged(struct store *s, const struct store_damage *damage)
{
	s->ops->damaged(s, damage);
}

static inline void store_metadata_update(struct store *s, struct store_metadata_update *change)
{
	s->ops->metadata_update(s, change);
}

static inline void store_multipart_begin(struct store *s, struct store_multipart_begin *begin)
{
	s->ops->multipart_begin(s, begin);
}

static inline void store_multipart_abort(struct store *s, struct store_multipart_abort *abort)
{
	s->ops->multipart_abort(s, abort);
}

static inline void store_multipart_complete(
	struct store *s, struct store_multipart_complete *complete)
{
	s->ops->multipart_complete(s, complete);
}

static inline void store_list_parts(struct store *s, struct store_list_parts *list)
{
	s->ops->list_parts(s, list);
}

static inline void store_list_parts_release(struct store *s, struct store_list_parts *list)
{
	s->ops->list_parts_release(s, list);
}

static inline void store_list_multiparts(struct store *s, struct store_list_multiparts *list)
{
	s->ops->list_multiparts(s, list);
}

static inline void store_list_multiparts_release(
	struct store *s, struct store_list_multiparts *list)
{
	s->ops->list_multiparts_release(s, list);
}

static inline void store_stats(struct store *s, struct store_stats *ret)
{
	s->ops->stats(s, ret);
}

#endif
