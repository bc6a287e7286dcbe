/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a store on Ceph, while gateways serve it or not: that the tablets of each bucket cover its
 * keys once, that rows agree with each other and counts with rows, that all data is there and is
 * what was stored, and that each object of RADOS belongs to something. Without `repairs` nothing is
 * changed. docs/on-rados.md says what is found while gateways run.
 *
 *	fsck.c        all of it, in order
 *	buckets.c     the table of buckets
 *	chain.c       the tablets of a bucket, and those that no bucket leads to
 *	walk.c        one tablet, a page of keys at a time
 *	rest.c        its other rows: garbage, and what is none of ours
 *	counts.c      whether its counts are those of its rows
 *	gather.c      all rows of one key
 *	key.c         whether they agree
 *	confirm.c     the same again, before it is told
 *	bytes.c       whether data is what was stored
 *	references.c  who refers to what data, in a temporary file
 *	objects.c     the objects of RADOS against those
 *	documents.c   what else all gateways have in common
 *	mend.c        moving aside what is damaged
 *	tell.c        findings
 *	told.c        which of them were told
 */
#ifndef STORE_RADOS_FSCK_FSCK_H
#define STORE_RADOS_FSCK_FSCK_H

#include "store/rados/rados.h"

/* Something that is not as it should be. Borrowed while it is told. */
struct rados_finding {
	const char *what;
	/* It takes room, and no more: nothing refers to it. Not counted among the findings. */
	bool is_harmless;
	bool is_lost;        /* it was moved aside, and is not there any more */
	bool is_corrected;   /* nothing was lost */
	struct slice bucket; /* its name; empty: it is about no bucket, or none that is known */
	struct slice key;    /* empty: it is about no key */
	const char *version; /* its id; "": it is about no version */
	uint64_t part;       /* of an upload; or 0 */
	const char *object;  /* of RADOS: POOL/NAME; "": none */
};

/* What the store keeps for others, who know whether it is whole. */
enum rados_kept {
	RADOS_KEPT_DOCUMENT,
	RADOS_KEPT_CALLBACK, /* an entry of the log `callbacks` */
};

struct rados_fsck_options {
	const struct rados_options *store;
	const char *temp; /* a folder for a file of references, which is gone in the end */
	bool skips_bytes; /* of data it is only looked whether it is there, and how long it is */
	bool repairs;     /* moves aside what is damaged */
	/* Told now and then of bytes that were looked at; false to break off. May be NULL. */
	bool (*progress)(uint64_t done, uint64_t total, void *ctx);
	void (*found)(const struct rados_finding *finding, void *ctx);
	/* Whether it is whole. */
	bool (*fits)(enum rados_kept what, struct slice name, struct slice value, void *ctx);
	void *ctx;
};

struct rados_fsck_result {
	uint64_t findings;  /* that stay; when it repairs, those that it could not */
	uint64_t lost;      /* that were moved aside */
	uint64_t corrected; /* without a loss */
	uint64_t buckets;
	uint64_t tablets;
	uint64_t standing; /* tablets that take no changes at the moment: frozen, or being split */
	/* Tablets that do not keep versions as their bucket says; they are told at the next
	 * collection. */
	uint64_t differing;
	uint64_t moving; /* tablets, or keys, that never stood still for long enough */
	struct rados_fsck_tally {
		uint64_t objects;  /* current ones */
		uint64_t versions; /* older ones, and markers */
		uint64_t uploads;
		uint64_t parts;
		uint64_t bytes; /* of all of these */
	} tally;
	uint64_t data;      /* objects of RADOS that were listed in the pools of data */
	uint64_t garbage;   /* data that is to go */
	uint64_t under_way; /* objects that a gateway may still be writing */
	uint64_t leaked;    /* objects that nothing refers to: they were told */
	char aside[48];     /* the object where that is which was moved aside; "": nothing was */
};

/* ERR_OK whatever was found. Else it could not be done, or was broken off; logs why. Waits. */
enum err rados_fsck(
	const struct rados_fsck_options *options, struct rados_fsck_result *ret) MUST_USE;

#endif
