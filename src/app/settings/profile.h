/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be uploaded: the default profile, which is the section [app], or a section [profile
 * NAME]. Read once (settings_profile.c) and immutable: any thread.
 */
#ifndef APP_SETTINGS_PROFILE_H
#define APP_SETTINGS_PROFILE_H

#include <stdint.h>

#include "app/settings/key_template.h"
#include "base/limits.h"

#define SETTINGS_WORDS_MAX 64 /* in one list */

struct settings_list {
	size_t count;
	struct slice words[SETTINGS_WORDS_MAX];
};

/* What is checked before an upload is believed. */
struct profile_checks {
	bool object; /* size and ETag */
	bool type;   /* the first bytes, against the declared type */
	bool virus;  /* all of it, by ClamAV */
	bool any;    /* one of them */
};

/* What becomes of an upload that a check cannot judge. */
enum profile_unknown {
	PROFILE_UNKNOWN_PENDING, /* it is checked again */
	PROFILE_UNKNOWN_ACCEPT,
	PROFILE_UNKNOWN_REJECT,
};

struct profile_metadata {
	struct slice name; /* with x-oss-meta- in front */
	struct slice value;
};

/* Whether it can stand behind x-oss-meta-, and is not our own. */
bool profile_metadata_name(struct slice name);

/* Texts that are empty are not set. */
struct profile {
	struct slice name;       /* empty: the default one */
	struct key_template dir; /* ends in `/`, or is empty */
	bool has_key;            /* the key is given, not chosen: */
	struct key_template key; /* what is behind `dir`; ${uuid}${ext} unless it is set */
	int64_t min_size;
	int64_t max_size;
	struct settings_list types;
	struct settings_list extensions; /* small letters, without the dot */
	bool forbid_overwrite;
	struct slice acl; /* "default" unless it is set */
	struct slice storage_class;
	struct slice cache_control;
	struct slice content_disposition;
	size_t metadata_count;
	struct profile_metadata metadata[LIMIT_PROFILE_METADATA];
	struct slice callback_answer; /* JSON */
	struct profile_checks checks;
	enum profile_unknown on_unknown;
	bool duplicates; /* a subject may ask whether a content is among its uploads */
};

#endif
