/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a store on Ceph is, for commands that have no configuration (keys, fsck, copy): the options
 * --rados-config and so on, with what the environment says as their defaults; and the times that
 * all who join the gateways have to have in common, which the environment alone says. Names,
 * defaults and ranges are those of the section [rados] (options.def).
 */
#ifndef CLI_RADOS_PLACE_H
#define CLI_RADOS_PLACE_H

#include "base/strbuf.h"
#include "cli/command_line.h"
#include "cli/config.h"
#include "store/rados/rados.h"

/* What the command line says. Borrowed texts. */
struct rados_place {
	const char *config;
	const char *id;
	const char *space;
	const char *index_pool;
	const char *small_pool;
	const char *data_pool;
};

/* Rows of a table of flags, for a command's structure that has a `struct rados_place rados`. */
/* clang-format off */
#define RADOS_PLACE_FLAGS(type) \
	{"rados-config", "FILE", offsetof(type, rados.config), \
		"of Ceph; default: /etc/ceph/ceph.conf"}, \
	{"rados-id", "NAME", offsetof(type, rados.id), "user of Ceph; default: postern"}, \
	{"rados-index-pool", "NAME", offsetof(type, rados.index_pool), "default: index"}
#define RADOS_PLACE_SPACE_FLAG(type) \
	{"rados-namespace", "NAME", offsetof(type, rados.space), "of the store; default: none"}
#define RADOS_PLACE_DATA_FLAGS(type) \
	{"rados-small-pool", "NAME", offsetof(type, rados.small_pool), "default: small"}, \
	{"rados-data-pool", "NAME", offsetof(type, rados.data_pool), "default: data"}
/* clang-format on */
/* For --help, of whoever joins the gateways. */
#define RADOS_PLACE_TIMES_HELP                                                              \
	"A command that changes a store on Ceph is one of its gateways for so long: the "   \
	"environment's\n"                                                                   \
	"POSTERN_RADOS_BEAT_MS, _DEAD_BEATS, _OPERATION_SECONDS, _LEASE_MS, _EPOCH_MS, "    \
	"_COLLECT_MS and\n"                                                                 \
	"_SPLIT_OBJECTS have to say what the gateways have in [rados], unless that is the " \
	"default.\n"

/* What the environment says, and the defaults of the rest. */
struct rados_place rados_place_default(void);
/*
 * With the times of the environment. False: one of those is no number that is allowed; `why` says
 * which. Borrows the texts.
 */
bool rados_place_options(
	const struct rados_place *place, struct rados_options *ret, struct strbuf *why) MUST_USE;
/* What a configuration says. Points into it. */
struct rados_options rados_options_of(const struct config *config);

#endif
