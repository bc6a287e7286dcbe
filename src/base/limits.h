/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All limits on what clients control; docs/limits.md explains them. Names contain the unit. "OSS"
 * means that OSS has the same limit.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* HTTP wire */
#define LIMIT_HEAD_BYTES KIB(32)   /* request line and headers */
#define LIMIT_QUERY_PARAMS 256     /* of a request to the store: each is compared with all others */
#define LIMIT_HEADERS 100          /* header lines in a request */
#define LIMIT_TARGET_BYTES KIB(16) /* the request target */
#define LIMIT_CHUNK_LINE_BYTES 1024 /* a chunk-size line with its extensions */
#define LIMIT_TRAILER_BYTES KIB(8)  /* trailers of a chunked body */

/* Connections */
#define LIMIT_CONNECTIONS 20000           /* on all ports, if there are descriptors for so many */
#define LIMIT_CONSOLE_CONNECTIONS 256     /* of them, on the console's port */
#define LIMIT_CONSOLE_CONNECTIONS_PART 16 /* but one in so many at most */
#define LIMIT_APP_CONNECTIONS_PART 8      /* one in so many, on the application server's */
#define LIMIT_DESCRIPTORS_PART 8          /* one in so many for each of the next three */
#define LIMIT_OUTGOING 2000               /* requests to other servers */
#define LIMIT_OUTGOING_PART 8             /* of them one in so many each for keys, ... */
#define LIMIT_RESOLVER_THREADS 16         /* that look up names of hosts */
#define LIMIT_RESOLVER_THREADS_TRUSTED 4  /* of them, for names in our own configuration */
#define LIMIT_NAMES_CACHED 256
#define LIMIT_NAME_KNOWN_MS 30000
#define LIMIT_NAME_UNKNOWN_MS 5000      /* a name that has no address */
#define LIMIT_FILES_RESERVED 4096       /* descriptors that connections leave alone */
#define LIMIT_DESCRIPTORS_OWN 64        /* what the process has open in any case */
#define LIMIT_IDLE_MS 65000             /* between two requests */
#define LIMIT_HEAD_MS 15000             /* first to last byte of a head */
#define LIMIT_BODY_STALL_MS 30000       /* without one more body byte */
#define LIMIT_BODY_RATE_BYTES_PER_S 512 /* averaged over LIMIT_BODY_RATE_MS */
#define LIMIT_BODY_RATE_MS 60000
#define LIMIT_ANSWER_RATE_BYTES_PER_S 1024 /* averaged over LIMIT_ANSWER_RATE_MS */
#define LIMIT_ANSWER_RATE_MS 60000
#define LIMIT_WRITE_STALL_MS 30000 /* without one more byte taken by the client */
#define LIMIT_LINGER_MS 30000      /* reading what a refused upload still sends */
#define LIMIT_STOP_SECONDS 300     /* the most that [server] stop_seconds may be */
#define LIMIT_END_MS 25000         /* beyond twice stop_seconds, from the signal to the end */
#define LIMIT_CHECKED_MS 2000   /* that a block of a file which was checked is not checked again */
#define LIMIT_SCRUB_PLACES 256  /* damaged places that the scrub remembers */
#define LIMIT_CHECKED_RUNS 4096 /* of 1 MiB, of which a loop remembers it */
#define LIMIT_ANSWER_BYTES MIB(16)       /* an answer that is made in memory */
#define LIMIT_REQUEST_ARENA_BYTES MIB(1) /* heap of one request's arena */

/* Memory, in sum (base/budget.h) */
#define LIMIT_MEMORY_BYTES_MIN MIB(16)      /* of [server] memory */
#define LIMIT_MEMORY_MACHINE_PART 4         /* its default is a quarter of the machine's */
#define LIMIT_MEMORY_CONSOLE_PART 16        /* a sixteenth of it, for the console's port */
#define LIMIT_MEMORY_APP_PART 8             /* an eighth, for the application server's */
#define LIMIT_MEMORY_ANONYMOUS_PART 8       /* an eighth, for what nobody has signed yet */
#define LIMIT_MEMORY_STORE_PART 2           /* half of it, for the objects of a store in memory */
#define LIMIT_MEMORY_SMALL_BYTES KIB(64)    /* so much a stranger may have though half is used */
#define LIMIT_MEMORY_ANSWER_BYTES KIB(8)    /* a larger answer may make room */
#define LIMIT_MEMORY_PROGRESS_BYTES KIB(16) /* of a signed request that comes on */
#define LIMIT_MEMORY_PROGRESS_LARGE_BYTES KIB(256) /* of one that holds much */
#define LIMIT_MEMORY_PATIENCE_MS 3000    /* without it may have to make room after so long */
#define LIMIT_BODY_RESERVED_BYTES KIB(8) /* of a body that is read whole, before it has come */
#define LIMIT_PUT_BYTES KIB(16)          /* what a put gathers in first, and its head */

/* The store on Ceph RADOS (store/rados) */
#define LIMIT_RADOS_INLINE_BYTES KIB(4)  /* an object that is in its tablet */
#define LIMIT_RADOS_SMALL_BYTES KIB(64)  /* data in the pool `small` */
#define LIMIT_RADOS_CHUNK_BYTES MIB(4)   /* of data */
#define LIMIT_RADOS_EXTENTS_BYTES MIB(1) /* the list of an object's data, 16 bytes each */
#define LIMIT_RADOS_BATCH 64             /* changes in one operation */
#define LIMIT_RADOS_SPLIT 10000 /* objects, older versions and uploads in a tablet: it is split */
#define LIMIT_RADOS_MERGE 4     /* this part of that in two tablets together: they become one */
#define LIMIT_RADOS_MERGE_OBJECTS 5000  /* but not more than this */
#define LIMIT_RADOS_MERGE_ROWS 20000    /* of all kinds, in the one that moves */
#define LIMIT_RADOS_MERGE_BYTES MIB(16) /* of those rows */
#define LIMIT_RADOS_FOLD 16 /* rows of gateways that have ended, in a tablet: they are made one */
#define LIMIT_RADOS_OPERATION_S 30    /* until an operation is taken for lost */
#define LIMIT_RADOS_CONFLICT_MS 30000 /* beginning anew because others were faster */
#define LIMIT_RADOS_SETTLE_MS 40000   /* asking what has become of a lost operation */
#define LIMIT_RADOS_FROZEN_MS 5000    /* for whoever deletes a bucket, splits or merges */
#define LIMIT_RADOS_NOTIFY_MS 5000    /* for all gateways to read what has changed */
#define LIMIT_RADOS_LOOK_MS 10000     /* until documents are read though nobody said so */
#define LIMIT_RADOS_TABLE_BEATS 5     /* until the table of buckets is read likewise */
#define LIMIT_RADOS_RING 1000         /* entries of a gateway's part of a log */
#define LIMIT_RADOS_BEAT_MS 2000      /* between two signs of life of a gateway */
#define LIMIT_RADOS_DEAD_BEATS 45     /* of another one without any: it is dead */
#define LIMIT_RADOS_SILENT_BEATS 5    /* of its own without an answer: not ready */
#define LIMIT_RADOS_EPOCH_MS 30000    /* of garbage */
#define LIMIT_RADOS_COLLECT_MS 30000  /* between two collections */
#define LIMIT_RADOS_CLAIM 16384       /* numbers of data that a gateway has in advance */

/* Forms (OSS: PostObject) */
#define LIMIT_BOUNDARY_BYTES 200 /* RFC 2046 says 70; some clients use more */
#define LIMIT_PART_HEADERS_BYTES KIB(16)
#define LIMIT_FIELD_NAME_BYTES KIB(8)   /* OSS */
#define LIMIT_FIELD_VALUE_BYTES MIB(2)  /* OSS */
#define LIMIT_FORM_PREDATA_BYTES MIB(8) /* OSS: everything before the file */
#define LIMIT_FORM_FIELDS 1000
#define LIMIT_POLICY_BYTES KIB(64) /* the JSON text */

/* Objects and buckets (OSS) */
#define LIMIT_KEY_BYTES 1023
#define LIMIT_OBJECT_BYTES GIB(5) /* by PutObject and PostObject, and by appending */
#define LIMIT_PARTS 10000         /* of an upload; their numbers, too */
#define LIMIT_PART_BYTES GIB(5)
#define LIMIT_PART_BYTES_MIN KIB(100) /* but of the last */
#define LIMIT_USER_META_BYTES KIB(8)
#define LIMIT_BUCKETS 100
#define LIMIT_LIST_KEYS 1000
#define LIMIT_XML_BODY_BYTES MIB(2)
#define LIMIT_XML_ATTRIBUTES 64
#define LIMIT_XML_TOKEN_BYTES KIB(64)
#define LIMIT_ERROR_BODY_BYTES 4096 /* oss2 reads no more */
#define LIMIT_CLOCK_SKEW_MS 900000
#define LIMIT_PRESIGN_SECONDS 604800
#define LIMIT_ACCESS_KEYS 1000

/* Temporary keys (STS) */
#define LIMIT_SESSION_SECONDS_MIN 900
#define LIMIT_SESSION_SECONDS 3600
#define LIMIT_RAM_POLICY_BYTES 2048 /* the JSON text */
#define LIMIT_STS_BODY_BYTES KIB(32)
#define LIMIT_STS_PARAMS 64
#define LIMIT_STS_NONCES 262144 /* remembered, so that no request is answered twice */

/* Tags (OSS) */
#define LIMIT_TAGGING_BODY_BYTES KIB(64)
#define LIMIT_OBJECT_TAGS 10
#define LIMIT_OBJECT_TAG_KEY_CHARACTERS 128
#define LIMIT_OBJECT_TAG_VALUE_CHARACTERS 256
#define LIMIT_BUCKET_TAGS_BODY_BYTES KIB(64)
#define LIMIT_BUCKET_TAGS 20
#define LIMIT_BUCKET_TAG_KEY_BYTES 64
#define LIMIT_BUCKET_TAG_VALUE_BYTES 128

/* Settings of buckets */
#define LIMIT_SETTING_BYTES KIB(256) /* as it is kept */
#define LIMIT_LIFECYCLE_BODY_BYTES KIB(512)
#define LIMIT_LIFECYCLE_RULES 1000 /* OSS */
#define LIMIT_LIFECYCLE_BATCH 100  /* changes under way at a time */
#define LIMIT_LIFECYCLE_CHANGES_PER_S 2000
#define LIMIT_LIFECYCLE_PAGES_PER_S 100 /* of a thousand keys */
#define LIMIT_REFERER_BODY_BYTES KIB(64)
#define LIMIT_REFERER_LIST_BYTES KIB(20) /* OSS: all patterns */
#define LIMIT_REFERER_PATTERN_BYTES KIB(1)
#define LIMIT_REFERER_BYTES 4096 /* of the header; browsers send no more */

/* CORS (OSS) */
#define LIMIT_CORS_BODY_BYTES KIB(16)
#define LIMIT_CORS_RULES 20
#define LIMIT_CORS_MAX_AGE_SECONDS 999999999

/* Callbacks (OSS) */
#define LIMIT_CALLBACK_URLS 5
#define LIMIT_CALLBACK_HEADER_BYTES KIB(5)
#define LIMIT_CALLBACK_MS 5000 /* each URL: connect and answer */
#define LIMIT_CALLBACK_ANSWER_BYTES MIB(1)
#define LIMIT_CALLBACK_BODY_BYTES MIB(4) /* what we send, after substitution */
#define LIMIT_IMAGE_HEAD_BYTES MIB(16)   /* of a multipart object, for its size as an image */

/* The configuration file */
#define LIMIT_CONFIG_BYTES MIB(1)

/* The log */
#define LIMIT_LOG_BYTES MIB(1)  /* handed over and not written yet */
#define LIMIT_LOG_FLUSH_MS 2000 /* at the end, for a reader that has stalled */

/* The log of callbacks */
#define LIMIT_CALLBACK_HISTORY_ENTRIES 1000
#define LIMIT_CALLBACK_HISTORY_MESSAGE_BYTES KIB(64) /* a longer one cannot be sent again */
#define LIMIT_CALLBACK_HISTORY_URL_BYTES KIB(2)
#define LIMIT_CALLBACK_HISTORY_ANSWER_BYTES 1024 /* the beginning of each answer */
#define LIMIT_CALLBACK_HISTORY_QUEUE 1000        /* records that wait for the disk */
#define LIMIT_CALLBACK_HISTORY_PAGE 100          /* in one answer of the API */

/* `postern doctor` */
#define LIMIT_DOCTOR_MS 10000          /* each of its requests */
#define LIMIT_MIRROR_BODY_BYTES KIB(8) /* a callback of its own that it is shown */
#define LIMIT_MIRROR_PASS_SECONDS 300  /* how long its callback URL is good for */

/* The application server */
#define LIMIT_APP_BODY_BYTES KIB(64)  /* a callback it receives */
#define LIMIT_PUBLIC_KEY_BYTES KIB(8) /* a key it fetches */
#define LIMIT_PRIVATE_KEY_BYTES KIB(64)
#define LIMIT_PUBLIC_KEYS_CACHED 16
#define LIMIT_PUBLIC_KEYS_UNPINNED 4  /* of them, for URLs of which only a beginning is trusted */
#define LIMIT_RSA_BITS 8192           /* of a key of either kind */
#define LIMIT_RSA_BITS_MIN 2048       /* of a key that signs tokens */
#define LIMIT_HMAC_KEY_BYTES_MIN 32   /* of a secret that signs tokens */
#define LIMIT_JWT_BYTES KIB(8)        /* a token */
#define LIMIT_JWT_KEYS 64             /* in one set */
#define LIMIT_JWT_KEYS_BYTES KIB(256) /* the text of a set */
#define LIMIT_JWT_KID_BYTES 255
#define LIMIT_JWT_CACHED 1024 /* tokens that verified before */
#define LIMIT_CLAIM_BYTES 255 /* `sub`, and each claim that stands in an object's name */
#define LIMIT_CLAIMS 8        /* of those */
#define LIMIT_PROFILES 32     /* besides the default one */
#define LIMIT_PROFILE_NAME_BYTES 32
#define LIMIT_OUTCOME_PROFILES 64          /* that metrics tell apart, earlier ones included */
#define LIMIT_PROFILE_METADATA 16          /* entries that a profile gives to each object */
#define LIMIT_VARIABLES 16                 /* that a back end has a callback bring */
#define LIMIT_VARIABLES_BYTES KIB(1)       /* all of them, as JSON */
#define LIMIT_FILE_NAME_BYTES 255          /* of an uploader's file, in an object's name */
#define LIMIT_GRANT_FILES 100              /* in one POST /grants */
#define LIMIT_GRANT_REQUEST_BYTES KIB(128) /* its body */
#define LIMIT_UPLOAD_REQUEST_BYTES KIB(16) /* the body that begins an upload in parts */
#define LIMIT_FILE_BYTES (LIMIT_PARTS * LIMIT_OBJECT_BYTES)
#define LIMIT_PART_URLS 1000             /* in one request for URLs of parts */
#define LIMIT_PARTS_REQUEST_BYTES MIB(1) /* the list of an upload's parts */
#define LIMIT_PART_REQUEST_BYTES 256     /* for each part that the upload can have, and one more */
#define LIMIT_PARTS_ANSWER_BYTES MIB(4)  /* of the store, about an upload in parts */
#define LIMIT_UPLOADS_COUNTED 4096       /* whose signed parts are counted */
#define LIMIT_MULTIPART_SECONDS 604800   /* of an upload in parts */
#define LIMIT_SECURITY_TOKEN_BYTES KIB(8)
#define LIMIT_OIDC_TOKEN_BYTES KIB(16)
#define LIMIT_CREDENTIALS_BYTES KIB(16)  /* a file or an answer that has credentials */
#define LIMIT_CREDENTIALS_MS 5000        /* each request for them */
#define LIMIT_CREDENTIALS_RETRY_MS 60000 /* the longest pause after failures */
#define LIMIT_ROLE_SECONDS 43200         /* of a temporary key that postern asks for */
#define LIMIT_GRANT_KEYS 4               /* which grants have been made with, one after the other */
#define LIMIT_RULES_KEPT 8               /* by which grants were given, before today's */
#define LIMIT_RECONCILE_SECONDS 3600
#define LIMIT_RATES 4096                   /* callers whose requests are counted */
#define LIMIT_RATE 1000000                 /* requests a minute that a caller may be allowed */
#define LIMIT_STORE_MS 30000               /* for one request to the store about it */
#define LIMIT_FORWARD_ANSWER_BYTES KIB(16) /* of the back end that decides who may upload */
#define LIMIT_ADMISSION_MS 3000            /* for keys of tokens to come */
#define LIMIT_GRANT_SECONDS 86400
#define LIMIT_GRANT_UPLOADS 100000
#define LIMIT_GRANTS 100000000            /* that are written down, without an upload */
#define LIMIT_GRANTS_WAITING_BYTES MIB(4) /* of rows for the ledger that no answer waits for */
#define LIMIT_GRANT_NOTE_MS 10 /* that such a row waits for others to share a sync with */
#define LIMIT_GRANTS_KEEP_DAYS 3650
#define LIMIT_EVENTS 100000000 /* that are written down */
#define LIMIT_EVENTS_KEEP_DAYS 3650
#define LIMIT_EVENT_TRIES 1000
#define LIMIT_EVENT_HOURS 8760
#define LIMIT_EVENTS_IN_FLIGHT 16
#define LIMIT_EVENT_MS 10000           /* for the back end's answer to an event */
#define LIMIT_EVENTS_PAGE 100          /* in one answer of the console's API */
#define LIMIT_KAFKA_FILE_BYTES KIB(64) /* of [app] events_kafka_file */
#define LIMIT_EVENT_PAUSE_MS 1000      /* after the first try that failed */
#define LIMIT_EVENT_PAUSE_MAX_MS 3600000
#define LIMIT_FOLLOW_PAUSE_MAX_MS 60000
#define LIMIT_APP_CALLBACK_MS 4500 /* from a callback's head to its answer: the store waits 5 s */
#define LIMIT_CHECK_TYPE_BYTES KIB(16) /* of an upload, given to libmagic */
#define LIMIT_CHECK_PIECE_BYTES MIB(1) /* of an upload, read and given to clamd */
#define LIMIT_CHECK_THREADS 4          /* uploads that are checked at the same time */
#define LIMIT_CHECK_MS 120000          /* to check an upload that nobody waits for */
#define LIMIT_CHECKS_RECONCILED 2      /* of them, that the reconciler has under way */
#define LIMIT_CHECK_RESERVE_MS 500     /* of LIMIT_APP_CALLBACK_MS, for what follows the checks */
#define LIMIT_CONFIRMING_IN_FLIGHT 2000
#define LIMIT_LEDGER_RECOUNT_MS 30000 /* after which rows that others write are counted, too */
#define LIMIT_POSTGRES_CONNECT_SECONDS 2
#define LIMIT_POSTGRES_STATEMENT_MS 3000 /* for one statement, or for the right to write */
#define LIMIT_POSTGRES_LOCK_MS 500       /* for a table to which a column is added */
#define LIMIT_POSTGRES_IDLE_MS 5000      /* that a transaction of a stopped copy lasts */
#define LIMIT_POSTGRES_SILENCE_MS 4000   /* after which what was sent counts as lost */
#define LIMIT_POSTGRES_LOOK_MS 5000      /* between two looks at an idle connection */
#define LIMIT_POSTGRES_PAUSE_MS 250      /* after the first try to connect that failed */
#define LIMIT_POSTGRES_PAUSE_MAX_MS 5000
#define LIMIT_LEDGER_MEMORY_BYTES MIB(64) /* of a ledger that is not a file */

/* The application server and the console */
#define LIMIT_DUPLICATES_ASKED 64 /* questions to the store whether a file is there already */
#define LIMIT_HOSTS 160 /* names a port answers to; more than lists in its options can have */

/* The local store */
#define LIMIT_INLINE_BYTES KIB(512) /* larger objects get a file of their own */
#define LIMIT_COMMIT_BATCH 512      /* records in one group commit */
#define LIMIT_COMMIT_BATCH_BYTES MIB(32)
#define LIMIT_LARGE_BUFFERS 4 /* 1 MiB buffers in flight for one upload */
/* Ahead of the clock the numbers of a folder begin that is filled by a copy. */
#define LIMIT_COPY_AHEAD_MS UINT64_C(2592000000)

/* `postern copy` */
#define LIMIT_COPY_WORKERS 8       /* keys that are copied at the same time */
#define LIMIT_COPY_PAGE 1000       /* rows of a listing */
#define LIMIT_COPY_PIECE MIB(1)    /* read at a time */
#define LIMIT_COPY_BUCKET_MS 60000 /* until a bucket could be made, or changed */

#endif
