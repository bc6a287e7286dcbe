/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store is that is copied: `local:FOLDER`, or `rados:NAMESPACE`. */
#ifndef CLI_COPY_PLACE_H
#define CLI_COPY_PLACE_H

#include "documents/documents.h"
#include "store/rados/rados.h"
#include "store/store.h"

struct copy_place {
	const char *folder; /* NULL: it is on Ceph */
	struct rados_options rados;
};

/* `rados` says how to get at Ceph. False if it is neither of both. Borrows the text. */
bool copy_place_parse(
	const char *text, const struct rados_options *rados, struct copy_place *ret) MUST_USE;
/* Both log why they fail. A source has to be there. */
enum err copy_place_open(const struct copy_place *from, struct store **ret) MUST_USE;
/* A folder is made if it is not there; one that has something takes only the source it began with.
 */
enum err copy_place_open_target(
	const struct copy_place *to, const struct copy_place *from, struct store **ret) MUST_USE;
/*
 * What a store has besides: access keys, and the keys of STS and of callbacks. Those that the
 * target has not are copied; if it has another one, that stays, and it is said.
 */
enum err copy_place_documents(const struct copy_place *from, const struct copy_place *to) MUST_USE;

#endif
