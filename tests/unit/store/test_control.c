/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a store that is open: `postern fsck` gets it, and finds what is wrong with it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "store/local/control/ask.h"
#include "store/local/control/control.h"
#include "store/local/local.h"
#include "store/local/state/local_internal.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/checked.h"
#include "unit/store/folder.h"

static char path[FOLDER_PATH_MAX];

static struct store *open_store(void)
{
	struct store *s;
	const struct local_options options = {
		.path = path, .clock = &clock_system, .gc_interval_ms = 3600000};
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

static bool has(const char *name)
{
	char whole[2 * FOLDER_PATH_MAX];
	(void)snprintf(whole, sizeof(whole), "%s/%s", path, name);
	return access(whole, F_OK) == 0;
}

/* The lines of what was found. */
static void note(const struct fsck_finding *finding, void *ctx)
{
	char *text = ctx;
	size_t len = strlen(text);
	(void)snprintf(text + len, 1000 - len, "%.*s:%s\n", SLICE_FMT(finding->key), finding->what);
}

/* What a check of the open store finds; NULL if it did not compare the index. */
static const char *findings(void)
{
	static char text[1000];
	struct fsck_result result;
	text[0] = '\0';
	enum err e = fsck(
		&(struct fsck_options){.path = path, .temp = "/tmp", .found = note, .ctx = text},
		&result);
	return e == ERR_OK && result.is_in_use && result.is_compared ? text : NULL;
}

static bool is_found(const char *what)
{
	const char *text = findings();
	if (text && strstr(text, what))
		return true;
	printf("# found: %s\n", text ? text : "(not compared)");
	return false;
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* Changes the row of `name`; an empty value removes it. No change is being made meanwhile. */
static void set_row(struct store *s, uint64_t id, const char *name, struct slice value)
{
	struct index_tx *tx = index_tx_new(local_of(s)->index);
	struct key key;
	key_object(&key, id, slice_str(name));
	if (!tx)
		abort();
	if (value.len)
		index_tx_put(tx, &key, value);
	else
		index_tx_delete(tx, &key);
	if (index_tx_write(tx) != ERR_OK)
		abort();
	index_tx_free(tx);
}

static struct slice row_of(struct store *s, uint64_t id, const char *name, char *to)
{
	struct index_value value;
	struct key key;
	key_object(&key, id, slice_str(name));
	if (index_get(local_of(s)->index, &key, false, &value) != INDEX_FOUND)
		abort();
	size_t len = value.bytes.len;
	memcpy(to, value.bytes.ptr, len);
	index_value_release(&value);
	return slice_of(to, len);
}

static void rows(void)
{
	char bytes[1000];
	char other[1000];
	folder_make(path);
	struct store *s = open_store();
	OK(findings() == NULL, "before the first change there is nothing to compare");
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	uint64_t id = bucket_id(s, S("bucket"));
	OK(put_object(s, id, S("a"), S("bytes"), NULL) == ERR_OK &&
			put_object(s, id, S("b"), S("others"), NULL) == ERR_OK,
		"two objects");
	const char *text = findings();
	OK(text && text[0] == '\0', "the index of a store that is open is clean");
	OK(has("control") && !has(CONTROL_FOLDER), "no copy of it is left");
	struct slice row = row_of(s, id, "a", bytes);
	set_row(s, id, "a", S(""));
	OK(is_found("a:the log gives an entry that the index lacks"), "a row that is missing");
	set_row(s, id, "a", row);
	set_row(s, id, "c", row);
	OK(is_found("c:"), "one that is too much");
	set_row(s, id, "c", S(""));
	memcpy(other, row.ptr, row.len);
	other[row.len - 1] ^= 1;
	set_row(s, id, "a", slice_of(other, row.len));
	OK(is_found("a:"), "one with another value");
	set_row(s, id, "a", slice_of(other, row.len - 1));
	OK(is_found("a:the entry is damaged"), "one that is too short");
	set_row(s, id, "a", row);
	text = findings();
	OK(text && text[0] == '\0', "and it is clean again");
	store_close(s);
	OK(checked_clean(path), "closed as well");
	OK(!has("control"), "and there is no socket");
	folder_remove(path);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* A question of another user, to whom all was opened. */
static int ask_as_another(int dir)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		int fd;
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		_exit(control_ask(dir, &fd) == 0 ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
}

static int send_text(int dir, const char *text)
{
	struct sockaddr_un address;
	char byte;
	control_address(dir, &address);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		abort();
	/* Closed with something unread it is a reset. */
	ssize_t got = recv(fd, &byte, 1, 0);
	(void)close(fd);
	return (int)got;
}

static void questions(void)
{
	int fd;
	folder_make(path);
	struct store *s = open_store();
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	OK(send_text(dir, "nonsense, and a long one\n") <= 0, "another question has no answer");
	OK(send_text(dir, "checkpoint?") <= 0, "nor has one that is nearly right");
	struct stat st;
	OK(fstatat(dir, "control", &st, 0) == 0 && (st.st_mode & 0777) == 0600,
		"the socket is ours alone");
	(void)chmod(path, 0755);
	if (fchmodat(dir, "control", 0666, 0) != 0)
		abort();
	/* To be another user takes root. */
	if (geteuid() == 0)
		IS_INT(ask_as_another(dir), 1, "a user who is let in by mistake is refused");
	OK(control_ask(dir, &fd) == 0 && has(CONTROL_FOLDER), "the index is given");
	store_close(s);
	OK(!has(CONTROL_FOLDER), "closing does not wait for who has it");
	control_end(fd);
	/* As after a kill. */
	OK(mkdirat(dir, CONTROL_FOLDER, 0700) == 0 &&
			mkdirat(dir, CONTROL_FOLDER ".tmp", 0700) == 0,
		"copies that were left");
	int socket = openat(dir, "control", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	s = open_store();
	OK(!has(CONTROL_FOLDER) && !has(CONTROL_FOLDER ".tmp"), "a start removes them");
	OK(socket >= 0 && control_ask(dir, &fd) == 0, "and listens");
	control_end(fd);
	OK(!has(CONTROL_FOLDER), "nothing is left in the end");
	(void)close(socket);
	store_close(s);
	(void)close(dir);
	folder_remove(path);
}

int main(void)
{
	rows();
	questions();
	return tap_done();
}
