/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open store on RADOS: what all of its parts know. Nothing of what is stored is here but the
 * buckets; whatever else a gateway remembers is a guess.
 */
#ifndef STORE_RADOS_STATE_STATE_H
#define STORE_RADOS_STATE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/thread_queue.h"
#include "store/rados/cluster/cluster.h"
#include "store/rados/state/directory.h"
#include "store/rados/state/life.h"
#include "store/shared/buckets.h"
#include "store/store.h"

enum {
	RADOS_TABLET_THREADS = 16,
	RADOS_COUNTING_LOCKS = 16,
	RADOS_READ_THREADS = 16,
	RADOS_NAME_BYTES = 48,  /* of the name of an object of RADOS, with its NUL */
	RADOS_NUMBER_BITS = 40, /* of a number; in front of them is that of the gateway */
};

/* The object that is the table of buckets, and the rows in it. */
#define RADOS_BUCKETS "buckets"
#define RADOS_BUCKET_ROW 'b'  /* b name: the bucket */
#define RADOS_SETTING_ROW 's' /* s name end setting: one of its settings */
#define RADOS_DELETED_ROW 'x' /* x number: a bucket that has tablets, but no row of its own: */
#define RADOS_DELETED "\1"    /* it was deleted, and they have to go */
#define RADOS_MAKING "\2"     /* it is being made, unless whoever does that has died */
#define RADOS_BUCKET_COUNT "n"

/* Sizes, which tests make small. */
struct rados_sizes {
	size_t inline_bytes; /* objects up to this are in their tablet */
	size_t small_bytes;  /* data up to this is in the pool `small` */
	size_t chunk_bytes;  /* of a chunk of data */
	unsigned batch;      /* changes in one operation, at most */
	uint64_t split;    /* a tablet with so many objects, older versions and uploads is split */
	uint64_t merge;    /* two that have fewer together become one */
	unsigned own_rows; /* of gateways, that are read of a tablet at a time; 0: as many as Ceph
			      gives */
	unsigned fold;     /* so many of them, of gateways that have ended, are made one */
};

/* Times, which tests make short. */
struct rados_timers {
	unsigned beat_ms;    /* between two times that the others hear of a gateway */
	unsigned dead_beats; /* of another one, in which it has heard nothing: then it is dead */
	unsigned epoch_ms;   /* a garbage epoch */
	unsigned collect_ms; /* between two collections */
	unsigned frozen_ms;  /* in which whoever freezes a tablet goes on, or is dead */
	unsigned look_ms;    /* between two looks at documents of which nobody said a word */
	uint64_t claim;      /* numbers of data that a gateway has in advance */
};

struct observer; /* store/rados/cluster/observer.h */
struct tablet;   /* store/rados/tablet/tablet.h */

struct rados {
	struct store store;
	const struct clock *clock;
	struct rados_sizes sizes;
	struct rados_timers timers;
	struct cluster *cluster;
	struct pool *index; /* tablets, the table of buckets */
	struct pool *small; /* small data */
	struct pool *data;  /* the rest */

	uint64_t instance;       /* of this start; no other has it */
	_Atomic uint64_t number; /* of the last thing that was numbered */
	_Atomic uint64_t version;

	struct directory *directory;
	struct buckets *buckets;  /* changed by the thread of `watcher` alone */
	struct observer *watcher; /* of the table of buckets, which it reads when it has changed */
	bool has_table;           /* it was read once; of whoever reads it */

	/* Tablets are shared out among them: what is below belongs to one of these threads. */
	struct thread_queue *tablet_threads[RADOS_TABLET_THREADS];
	struct tablet *tablets[RADOS_TABLET_THREADS]; /* lists */
	/*
	 * That of its bucket is held while what a batch came to is added to what is known of the
	 * bucket, so that no older count of a tablet takes the place of a later one. A tablet that
	 * is new is read meanwhile, so other buckets have others.
	 */
	pthread_mutex_t counting[RADOS_COUNTING_LOCKS];
	struct thread_queue *readers;
	struct thread_queue *admin; /* changes buckets */

	struct life life;
	struct gateways *gateways;   /* what the others are doing (store/rados/gateways) */
	struct collector *collector; /* of garbage (store/rados/garbage) */

	atomic_bool closes;
	atomic_bool is_full; /* the pool `index`: nothing is begun that needs room */
	/*
	 * Puts, changes, and removals of chunks, that have not ended: an abort does not wait for
	 * them.
	 */
	_Atomic uint64_t transfers;
	_Atomic uint64_t commits;
	_Atomic uint64_t syncs;
	_Atomic uint64_t lost;    /* operations whose outcome had to be settled */
	_Atomic uint64_t splits;  /* of tablets, by this gateway */
	_Atomic uint64_t merges;  /* likewise */
	_Atomic uint64_t removed; /* data that was garbage, likewise */
	_Atomic uint64_t living;  /* gateways, as was last heard */
	_Atomic uint64_t damaged_reads;
};

static inline struct rados *rados_of(struct store *store)
{
	return CONTAINER_OF(store, struct rados, store);
}

/* A number that nothing else of this namespace has, nor will have. */
uint64_t rados_number(struct rados *r);
/*
 * A version number: greater than all that this process has given out, and, as clocks are right,
 * than those of others. Greater than `after` in any case.
 */
uint64_t rados_version(struct rados *r, uint64_t after);

/* The one of `counting` that is the bucket's. */
static inline pthread_mutex_t *rados_counting_of(struct rados *r, uint64_t bucket)
{
	return &r->counting[(bucket ^ bucket >> RADOS_NUMBER_BITS) % RADOS_COUNTING_LOCKS];
}

/* The thread that changes the tablet: an index of tablet_threads. */
static inline unsigned rados_thread_of(uint64_t bucket, uint64_t tablet)
{
	uint64_t both = bucket + tablet;
	return (unsigned)((both ^ both >> RADOS_NUMBER_BITS) % RADOS_TABLET_THREADS);
}

/* Where data of so many bytes is. */
static inline struct pool *rados_pool_of(struct rados *r, uint64_t size)
{
	return size <= r->sizes.small_bytes ? r->small : r->data;
}

/* The name of the object that is a tablet, or a chunk of data. */
const char *rados_tablet_name(char name[RADOS_NAME_BYTES], uint64_t bucket, uint64_t tablet);
const char *rados_chunk_name(char name[RADOS_NAME_BYTES], uint64_t data, uint64_t chunk);

#endif
