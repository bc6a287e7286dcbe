/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of librdkafka that are used: it is loaded when events go to Kafka (decision 91). */
#ifndef APP_EVENTS_LIBRDKAFKA_H
#define APP_EVENTS_LIBRDKAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define RDKAFKA_FUNCTIONS(FUNCTION)              \
	FUNCTION(rd_kafka_conf_new)              \
	FUNCTION(rd_kafka_conf_dup)              \
	FUNCTION(rd_kafka_conf_destroy)          \
	FUNCTION(rd_kafka_conf_set)              \
	FUNCTION(rd_kafka_conf_set_opaque)       \
	FUNCTION(rd_kafka_conf_set_dr_msg_cb)    \
	FUNCTION(rd_kafka_conf_set_error_cb)     \
	FUNCTION(rd_kafka_conf_set_log_cb)       \
	FUNCTION(rd_kafka_new)                   \
	FUNCTION(rd_kafka_opaque)                \
	FUNCTION(rd_kafka_destroy)               \
	FUNCTION(rd_kafka_produceva)             \
	FUNCTION(rd_kafka_headers_new)           \
	FUNCTION(rd_kafka_header_add)            \
	FUNCTION(rd_kafka_headers_destroy)       \
	FUNCTION(rd_kafka_error_code)            \
	FUNCTION(rd_kafka_error_destroy)         \
	FUNCTION(rd_kafka_poll)                  \
	FUNCTION(rd_kafka_purge)                 \
	FUNCTION(rd_kafka_fatal_error)           \
	FUNCTION(rd_kafka_err2str)               \
	FUNCTION(rd_kafka_queue_get_main)        \
	FUNCTION(rd_kafka_queue_io_event_enable) \
	FUNCTION(rd_kafka_queue_destroy)

struct librdkafka {
#define FUNCTION(name) __typeof__(&name) name;
	RDKAFKA_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

/* False, with a sentence in `why`, if it is not installed. */
bool librdkafka_load(struct librdkafka *ret, char *why, size_t why_size) MUST_USE;

#endif
