/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are kept when more are asked for than there is room for. */
#include "app/public_keys.h"

#include "base/limits.h"
#include "loopback.h"
#include "tap.h"
#include "waiting.h"

static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n"
			  "C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n"
			  "-----END PUBLIC KEY-----\n";

static struct waiting here;
static struct loopback server;
static struct public_keys *keys;

struct call {
	struct public_key_wait wait;
	bool done;
};

static void on_done(struct task *task)
{
	struct public_key_wait *wait = CONTAINER_OF(task, struct public_key_wait, done);
	CONTAINER_OF(wait, struct call, wait)->done = true;
}

/* Whether there is a key. */
static bool get(const char *path, bool pinned)
{
	char url[200];
	struct call call = {
		.wait = {.home = &here.executor, .pinned = pinned, .done.run = on_done}};
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	if (!public_keys_get(keys, slice_str(url), NULL, &call.wait))
		waiting_until(&here, &call.done);
	bool found = call.wait.key != NULL;
	public_key_release(call.wait.key);
	return found;
}

static void flush(void)
{
	for (int i = 0; i < 3 * LIMIT_PUBLIC_KEYS_CACHED; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/missing/%d", i);
		if (get(path, false))
			abort();
	}
}

int main(void)
{
	char answer[1024], text[64];
	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(pem), pem);
	const struct loopback_answer answers[] = {
		{"/key", answer}, {"/missing", "HTTP/1.1 404 No\r\n\r\n"}, {NULL, NULL}};
	struct outgoing *outgoing = NULL;
	struct allow_list *allow = NULL;
	loopback_start(&server, answers);
	waiting_init(&here);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
	if (outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK ||
		allow_list_parse(slice_str(text), &allow, NULL) != ERR_OK ||
		public_keys_new(outgoing, allow, &clock_system, &keys) != ERR_OK)
		return 1;
	OK(public_keys_add(keys, S("http://own/"), slice_str(pem)) == ERR_OK, "a key of our own");
	OK(get("/key/pinned", true), "the key of a URL that is named");
	OK(get("/key/other", false), "and of one that is trusted by its beginning");
	flush();
	int before = loopback_connections(&server);
	OK(get("/key/pinned", true), "after many others, it is there");
	IS_INT(loopback_connections(&server), before, "and was not fetched again");
	OK(public_keys_has_fixed(keys, S("http://own/")), "so is our own");
	OK(get("/key/other", false), "the other can be had");
	IS_INT(loopback_connections(&server), before + 1, "by asking again");
	for (int i = 0; i < 3 * LIMIT_PUBLIC_KEYS_CACHED; i++) {
		(void)snprintf(text, sizeof(text), "/key/named/%d", i);
		if (!get(text, true))
			abort();
	}
	before = loopback_connections(&server);
	OK(get("/key/other", false), "many that are named do not displace it");
	IS_INT(loopback_connections(&server), before, "either");
	outgoing_free(outgoing);
	public_keys_free(keys);
	allow_list_free(allow);
	loopback_stop(&server);
	return tap_done();
}
