/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "documents/documents.h"
#include "ops/access/key_list.h"
#include "ops/access/keys.h"
#include "tap.h"

static char folder[] = "/tmp/postern-test-keys-XXXXXX";

static struct documents *documents;

/* Writes the list if it is still what it was. */
static enum key_edit save(const struct key_list *list, struct slice was)
{
	SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
	bool replaced = false;
	bool ok =
		key_list_format(list, &text) && documents_replace(documents, KEY_LIST_DOCUMENT, was,
							strbuf_slice(&text), &replaced) == ERR_OK;
	return ok && replaced ? KEY_EDIT_DONE : KEY_EDIT_FAILED;
}

static enum key_edit edit(const char *what, const char *id)
{
	struct key_entry entry;
	SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
	bool found = false;
	if (documents_read(documents, KEY_LIST_DOCUMENT, &text, &found) != ERR_OK || !found)
		return KEY_EDIT_FAILED;
	struct key_list *list = key_list_parse(strbuf_slice(&text));
	enum key_edit result = KEY_EDIT_FAILED;
	if (!list)
		return result;
	if (strcmp(what, "add") == 0)
		result = key_list_add(list, id, "its secret", &entry);
	else if (strcmp(what, "add again") == 0)
		result = key_list_add(list, id, "another secret", &entry);
	else if (strcmp(what, "remove") == 0)
		result = key_list_remove(list, slice_str(id));
	else
		result = key_list_enable(list, slice_str(id), strcmp(what, "enable") == 0);
	if (result == KEY_EDIT_DONE)
		result = save(list, strbuf_slice(&text));
	key_list_free(list);
	return result;
}

static void editing(void)
{
	OK(edit("add", "first") == KEY_EDIT_EXISTS, "an id is there once");
	OK(edit("disable", "first") == KEY_EDIT_LAST, "the last is not disabled");
	OK(edit("remove", "first") == KEY_EDIT_LAST, "nor removed");
	OK(edit("add", "second") == KEY_EDIT_DONE, "a second");
	OK(edit("disable", "first") == KEY_EDIT_DONE, "the first is disabled");
	OK(edit("disable", "first") == KEY_EDIT_DONE, "which it stays");
	OK(edit("remove", "second") == KEY_EDIT_LAST, "the last enabled one is not removed");
	OK(edit("remove", "third") == KEY_EDIT_UNKNOWN, "what is not there is not removed");
	OK(edit("enable", "third") == KEY_EDIT_UNKNOWN, "nor enabled");
}

/* Whether the key is found, with this secret. */
static bool finds(struct keys *keys, const char *id, const char *secret)
{
	struct arena arena;
	struct access_key key;
	arena_init(&arena, NULL, 0, 1 << 16);
	bool found = keys_find(keys, slice_str(id), &arena, &key) == ERR_OK &&
		     slice_eq(key.id, slice_str(id)) && slice_eq(key.secret, slice_str(secret));
	arena_reset(&arena);
	return found;
}

static void following(struct keys *keys)
{
	SCOPED_STRBUF(id, 256);
	struct secret secret = SECRET_INIT;
	OK(finds(keys, "first", "my secret") && !finds(keys, "second", "its secret"),
		"the keys are those of the start");
	documents_look(documents, false);
	OK(!finds(keys, "first", "my secret") && finds(keys, "second", "its secret"),
		"until the file is looked at again");
	OK(keys_first(keys, &id, &secret) == ERR_OK && slice_eq(strbuf_slice(&id), S("second")),
		"the first is the first that is enabled");
	secret_release(&secret);
	OK(private_file_write(folder, KEY_LIST_DOCUMENT, S("nonsense")) == ERR_OK, "a broken file");
	documents_look(documents, false);
	OK(finds(keys, "second", "its secret"), "changes nothing");
	SCOPED_STRBUF(path, 256);
	strbuf_addf(&path, "%s/" KEY_LIST_DOCUMENT, folder);
	OK(unlink(path.ptr) == 0, "no file");
	documents_look(documents, true);
	OK(finds(keys, "second", "its secret"), "neither");
	OK(private_file_write(folder, KEY_LIST_DOCUMENT,
		   S("{\"access_keys\":[{\"id\":\"first\",\"secret\":\"my secret\","
		     "\"enabled\":true}]}")) == ERR_OK,
		"as it was");
	documents_look(documents, false);
	OK(finds(keys, "first", "my secret"), "it is read again");
}

/* A read that fails once must not leave a key valid that was disabled. */
static void read_fails_once(struct keys *keys)
{
	struct rlimit before;
	OK(edit("add", "second") == KEY_EDIT_DONE, "a second key");
	documents_look(documents, false);
	OK(edit("disable", "second") == KEY_EDIT_DONE, "is disabled");
	if (getrlimit(RLIMIT_NOFILE, &before) != 0)
		abort();
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &none) != 0)
		abort();
	documents_look(documents, false);
	if (setrlimit(RLIMIT_NOFILE, &before) != 0)
		abort();
	OK(finds(keys, "second", "its secret"), "without a descriptor the list is not read");
	documents_look(documents, false);
	OK(!finds(keys, "second", "its secret"), "with one it is, though the file is the same");
	OK(edit("remove", "second") == KEY_EDIT_DONE, "the second key is removed");
	documents_look(documents, false);
}

struct opening {
	struct keys *keys;
	enum err e;
};

static void *open_on(void *ctx)
{
	struct opening *opening = ctx;
	bool made;
	opening->e = keys_open(documents, NULL, NULL, &opening->keys, &made);
	return NULL;
}

/* The list is a pipe, so that it can be replaced while it is being read. */
static void edited_while_opened(void)
{
	static const struct slice old =
		SLICE_LIT("{\"access_keys\":[{\"id\":\"old\",\"secret\":\"s\",\"enabled\":true}]}");
	static const struct slice new =
		SLICE_LIT("{\"access_keys\":[{\"id\":\"new\",\"secret\":\"s\",\"enabled\":true}]}");
	struct opening opening = {0};
	SCOPED_STRBUF(path, 256);
	SCOPED_STRBUF(aside, 256);
	pthread_t thread;
	strbuf_addf(&path, "%s/" KEY_LIST_DOCUMENT, folder);
	strbuf_addf(&aside, "%s/aside", folder);
	OK(rename(path.ptr, aside.ptr) == 0 && mkfifo(path.ptr, 0600) == 0,
		"a list that is a pipe");
	if (pthread_create(&thread, NULL, open_on, &opening) != 0)
		abort();
	int fd = open(path.ptr, O_WRONLY | O_CLOEXEC); /* waits until it is being read */
	OK(write(fd, old.ptr, old.len) == (ssize_t)old.len &&
			private_file_write(folder, KEY_LIST_DOCUMENT, new) == ERR_OK,
		"is replaced when its bytes are on their way");
	close(fd);
	pthread_join(thread, NULL);
	OK(opening.e == ERR_OK && finds(opening.keys, "old", "s"), "the old one is opened");
	documents_look(documents, false);
	OK(finds(opening.keys, "new", "s") && !finds(opening.keys, "old", "s"),
		"and the edit is noticed");
	keys_free(opening.keys);
	OK(rename(aside.ptr, path.ptr) == 0, "the list as it was");
}

struct issued {
	struct arena arena;
	struct session session;
	struct strbuf token;
};

static bool issue(struct keys *keys, const char *parent, struct issued *ret)
{
	struct access_key key;
	arena_init(&ret->arena, NULL, 0, 1 << 16);
	strbuf_init(&ret->token, 1 << 16);
	ret->session = (struct session){.expires_ms = 1000, .restricted = true, .policy = S("p")};
	return keys_find(keys, slice_str(parent), &ret->arena, &key) == ERR_OK &&
	       keys_issue(keys, &key, &ret->arena, &ret->session, &ret->token) == ERR_OK;
}

static enum err use(struct keys *keys, struct slice id, const struct issued *issued, int64_t now_ms)
{
	struct arena arena;
	struct session got;
	arena_init(&arena, NULL, 0, 1 << 16);
	enum err e =
		keys_find_session(keys, id, strbuf_slice(&issued->token), now_ms, &arena, &got);
	if (e == ERR_OK && (!slice_eq(got.secret, issued->session.secret) || !got.restricted ||
				   !slice_eq(got.policy, S("p"))))
		e = ERR_INTERNAL;
	arena_reset(&arena);
	return e;
}

static void temporary(struct keys *keys)
{
	struct issued one;
	OK(edit("add", "parent") == KEY_EDIT_DONE, "a key");
	documents_look(documents, false);
	OK(issue(keys, "parent", &one), "a temporary key of it");
	struct slice id = one.session.id;
	OK(slice_starts(id, S("STS.")), "which looks like one");
	OK(use(keys, id, &one, 0) == ERR_OK, "is good");
	OK(use(keys, id, &one, 999) == ERR_OK, "until its end");
	OK(use(keys, id, &one, 1000) == ERR_SECURITY_TOKEN_EXPIRED, "and no longer");
	OK(use(keys, S("parent"), &one, 0) == ERR_INVALID_SECURITY_TOKEN, "for its id alone");
	OK(edit("disable", "parent") == KEY_EDIT_DONE, "its parent is disabled");
	documents_look(documents, false);
	OK(use(keys, id, &one, 0) == ERR_INVALID_ACCESS_KEY, "and it with it");
	OK(edit("enable", "parent") == KEY_EDIT_DONE, "its parent is enabled");
	documents_look(documents, false);
	OK(use(keys, id, &one, 0) == ERR_OK, "and it with it");
	struct keys *again = NULL;
	bool made = true;
	OK(keys_open(documents, NULL, NULL, &again, &made) == ERR_OK && !made, "another start");
	if (again)
		OK(use(again, id, &one, 0) == ERR_OK, "does not end it");
	keys_free(again);
	OK(edit("remove", "parent") == KEY_EDIT_DONE &&
			edit("add again", "parent") == KEY_EDIT_DONE,
		"its parent gets another secret");
	documents_look(documents, false);
	OK(use(keys, id, &one, 0) == ERR_INVALID_ACCESS_KEY, "which ends it");
	strbuf_release(&one.token);
	arena_reset(&one.arena);
}

struct finder {
	struct keys *keys;
	atomic_bool stop;
	unsigned missed;
};

static void *find_on(void *ctx)
{
	struct finder *finder = ctx;
	while (!atomic_load(&finder->stop))
		finder->missed += !finds(finder->keys, "first", "my secret");
	return NULL;
}

/* A list is replaced while others look into it. For the sanitizers as much as for the result. */
static void at_once(struct keys *keys)
{
	struct finder finders[2] = {{.keys = keys}, {.keys = keys}};
	pthread_t threads[2];
	unsigned done = 0;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, find_on, &finders[i]) != 0)
			abort();
	for (unsigned i = 0; i < 50; i++) {
		done += edit(i % 2 ? "enable" : "disable", "second") == KEY_EDIT_DONE;
		documents_look(documents, false);
		done += finds(keys, "second", "its secret") == (i % 2 != 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		atomic_store(&finders[i].stop, true);
		pthread_join(threads[i], NULL);
	}
	IS_INT(done, 100, "the list is replaced again and again");
	IS_INT(finders[0].missed + finders[1].missed, 0, "what stays in it is always found");
}

static void files(void)
{
	SCOPED_STRBUF(path, 256);
	struct stat info;
	struct keys *keys = NULL;
	bool made;
	strbuf_addf(&path, "%s/sts_key", folder);
	OK(stat(path.ptr, &info) == 0 && (info.st_mode & 0777) == 0600, "the token key is private");
	OK(private_file_write(folder, "sts_key", S("short\n")) == ERR_OK &&
			keys_open(documents, NULL, NULL, &keys, &made) == ERR_INTERNAL,
		"and a broken one is not taken");
	unlink(path.ptr);
	strbuf_clear(&path);
	strbuf_addf(&path, "%s/" KEY_LIST_DOCUMENT, folder);
	unlink(path.ptr);
	rmdir(folder);
}

/* Without a folder: new ones at each start, and no file to look at. */
static void in_memory(void)
{
	struct keys *keys = NULL;
	struct keys *others = NULL;
	struct access_key found;
	struct arena arena;
	SCOPED_STRBUF(id, 64);
	SCOPED_SECRET struct secret secret = SECRET_INIT;
	bool made = false;
	arena_init(&arena, NULL, 0, KIB(16));
	struct documents *memory[2] = {NULL, NULL};
	if (documents_in_memory(&memory[0]) != ERR_OK || documents_in_memory(&memory[1]) != ERR_OK)
		abort();
	OK(keys_open(memory[0], NULL, NULL, &keys, &made) == ERR_OK && made, "a pair in memory");
	OK(keys_open(memory[1], NULL, NULL, &others, &made) == ERR_OK && made, "another");
	documents_look(memory[0], true);
	OK(keys_first(keys, &id, &secret) == ERR_OK && id.len > 0, "it stays");
	OK(keys_find(keys, strbuf_slice(&id), &arena, &found) == ERR_OK &&
			slice_eq(found.secret, secret_slice(&secret)),
		"and is found");
	OK(keys_find(others, strbuf_slice(&id), &arena, &found) == ERR_INVALID_ACCESS_KEY,
		"where it was made");
	arena_reset(&arena);
	keys_free(keys);
	documents_close(memory[0]);
	/* The other way about is allowed, too. */
	documents_close(memory[1]);
	keys_free(others);
}

int main(void)
{
	struct keys *keys = NULL;
	bool made = false;
	if (!mkdtemp(folder) || documents_in_folder(folder, &documents) != ERR_OK)
		return 1;
	OK(keys_open(documents, "first", "my secret", &keys, &made) == ERR_OK && made,
		"a first start");
	if (!keys)
		return tap_done();
	editing();
	following(keys);
	read_fails_once(keys);
	edited_while_opened();
	temporary(keys);
	OK(edit("add", "second") == KEY_EDIT_DONE, "a second");
	at_once(keys);
	keys_free(keys);
	files();
	documents_close(documents);
	in_memory();
	return tap_done();
}
