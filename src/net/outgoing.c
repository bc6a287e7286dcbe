/* SPDX-License-Identifier: Apache-2.0 */
#include "net/outgoing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/outgoing_internal.h"

#define IDLE_POLL_MS 60000
/* What libcurl and OpenSSL hold for one request. */
#define TRANSFER_BYTES KIB(32)

static void finish(struct outgoing_request *request, enum outgoing_kind kind, const char *fault)
{
	request->kind = kind;
	request->fault = fault;
	/* The answer alone stays. */
	size_t answer = request->answer.size + request->answer_headers.size;
	budget_give(&request->memory_, request->memory_.bytes - answer);
	executor_post(request->home, &request->done);
}

/* From now on it ends by end_transfer(). */
static void transfer_start(struct outgoing *outgoing, struct transfer *transfer)
{
	outgoing->resolving++;
	transfer->deadline_ms = clock_monotonic_ms() + transfer->request->timeout_ms;
	transfer->next = outgoing->running;
	transfer->link = &outgoing->running;
	if (transfer->next)
		transfer->next->link = &transfer->next;
	outgoing->running = transfer;
}

static void leave(struct outgoing *outgoing, const struct outgoing_request *request)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	outgoing->in_flight--;
	outgoing->of_class[request->class]--;
	if (request->class == OUTGOING_CALLBACK)
		shares_give(&outgoing->callbacks, request->slots_);
	(void)pthread_mutex_unlock(&outgoing->lock);
}

static void end_transfer(struct transfer *transfer, enum outgoing_kind kind, const char *fault)
{
	struct outgoing *outgoing = transfer->outgoing;
	struct outgoing_request *request = transfer->request;
	transfer_free(transfer);
	leave(outgoing, request);
	finish(request, kind, fault);
}

/* With the result of the lookup in transfer->name. */
static void address_found(struct outgoing *outgoing, struct transfer *transfer)
{
	if (!transfer->name.found)
		end_transfer(transfer, OUTGOING_UNRESOLVED, "the host's name has no address");
	else if (!transfer_connect(outgoing, transfer))
		end_transfer(transfer, OUTGOING_BUSY, "no memory");
}

static void find_address(struct outgoing *outgoing, struct transfer *transfer)
{
	const struct outgoing_request *request = transfer->request;
	transfer->name.found = true;
	enum resolver_now now = RESOLVER_DONE;
	if (transfer->alias)
		now = resolver_ask(outgoing->resolver, transfer->host, request->requester,
			request->class != OUTGOING_CALLBACK, clock_monotonic_ms(), &transfer->name);
	if (now == RESOLVER_DONE)
		address_found(outgoing, transfer);
	else if (now == RESOLVER_BUSY)
		end_transfer(transfer, OUTGOING_BUSY, "no memory");
}

static void begin(struct outgoing *outgoing, struct outgoing_request *request)
{
	struct transfer *transfer = NULL;
	strbuf_init_counted(&request->answer, request->max_answer_bytes, &request->memory_);
	strbuf_init_counted(
		&request->answer_headers, TRANSFER_HEADERS_MAX + KIB(4), &request->memory_);
	enum outgoing_kind kind = transfer_new(outgoing, request, &transfer);
	if (kind != OUTGOING_ANSWERED) {
		leave(outgoing, request);
		finish(request, kind,
			kind == OUTGOING_BUSY ? "no memory" : "not an HTTP URL, or not a header");
		return;
	}
	transfer_start(outgoing, transfer);
	find_address(outgoing, transfer);
}

/* Names that have been looked up, and those for which it takes too long. */
static void go_on_with_names(struct outgoing *outgoing)
{
	int64_t now = clock_monotonic_ms();
	struct resolver_wait *wait;
	while ((wait = resolver_take(outgoing->resolver, now)))
		address_found(outgoing, CONTAINER_OF(wait, struct transfer, name));
	struct transfer *next = outgoing->resolving ? outgoing->running : NULL;
	while (next) {
		struct transfer *transfer = next;
		next = transfer->next;
		if (!transfer->added && transfer->deadline_ms <= now)
			end_transfer(transfer, OUTGOING_TIMED_OUT, "its name was not resolved");
	}
}

/* When the next of those has to be looked at. */
static void wait_for_names(const struct outgoing *outgoing, int *wait_ms)
{
	int64_t now = clock_monotonic_ms();
	for (const struct transfer *t = outgoing->resolving ? outgoing->running : NULL; t;
		t = t->next)
		if (!t->added && t->deadline_ms - now < *wait_ms)
			*wait_ms = t->deadline_ms > now ? (int)(t->deadline_ms - now) : 0;
}

/* Whether there was any. */
static bool finish_completed(struct outgoing *outgoing)
{
	bool any = false;
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(outgoing->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		struct transfer *transfer;
		CURLcode code = message->data.result;
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) !=
			CURLE_OK)
			abort();
		enum outgoing_kind kind = transfer_outcome(transfer, code);
		end_transfer(transfer, kind,
			kind == OUTGOING_ANSWERED  ? NULL
			: kind == OUTGOING_REFUSED ? "an address we do not connect to"
						   : curl_easy_strerror(code));
		any = true;
	}
	return any;
}

/* Takes what was submitted; *ret_close says that the thread has to end. */
static struct outgoing_request *take_submitted(
	struct outgoing *outgoing, bool *ret_close, int *ret_wait_ms)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	struct outgoing_request *list = outgoing->submitted;
	outgoing->submitted = NULL;
	outgoing->submitted_last = &outgoing->submitted;
	*ret_wait_ms = IDLE_POLL_MS;
	*ret_close = false;
	if (outgoing->stopping) {
		int64_t left = outgoing->stop_at_ms - clock_monotonic_ms();
		*ret_close = outgoing->closed = outgoing->in_flight == 0 || left <= 0;
		if (left < *ret_wait_ms)
			*ret_wait_ms = left > 0 ? (int)left : 0;
	}
	(void)pthread_mutex_unlock(&outgoing->lock);
	return list;
}

static void cancel_all(struct outgoing *outgoing, struct outgoing_request *submitted)
{
	while (submitted) {
		struct outgoing_request *request = submitted;
		submitted = request->next_;
		leave(outgoing, request);
		finish(request, OUTGOING_STOPPED, "stopping");
	}
	while (outgoing->running)
		end_transfer(outgoing->running, OUTGOING_STOPPED, "stopping");
}

static void *outgoing_main(void *argument)
{
	struct outgoing *outgoing = argument;
	for (;;) {
		bool close;
		int wait_ms, running;
		struct outgoing_request *list = take_submitted(outgoing, &close, &wait_ms);
		if (close) {
			cancel_all(outgoing, list);
			return NULL;
		}
		while (list) {
			struct outgoing_request *request = list;
			list = request->next_;
			begin(outgoing, request);
		}
		go_on_with_names(outgoing);
		wait_for_names(outgoing, &wait_ms);
		(void)curl_multi_perform(outgoing->multi, &running);
		/* What has ended may have been the last that stopping waits for. */
		if (!finish_completed(outgoing))
			(void)curl_multi_poll(outgoing->multi, NULL, 0, wait_ms, NULL);
	}
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void outgoing_release(struct outgoing *outgoing)
{
	resolver_free(outgoing->resolver);
	if (outgoing->multi)
		(void)curl_multi_cleanup(outgoing->multi);
	(void)pthread_mutex_destroy(&outgoing->lock);
	free(outgoing->ca_file);
	free(outgoing);
}

static void share_places(struct outgoing *outgoing, size_t places, enum outgoing_class most)
{
	size_t part = places / LIMIT_OUTGOING_PART;
	for (size_t i = 0; i < OUTGOING_CLASSES; i++)
		outgoing->max[i] = part ? part : 1;
	outgoing->max[most] = places - (OUTGOING_CLASSES - 1) * part;
	shares_init(&outgoing->callbacks, outgoing->max[OUTGOING_CALLBACK]);
}

static void names_ready(void *ctx)
{
	struct outgoing *outgoing = ctx;
	(void)curl_multi_wakeup(outgoing->multi);
}

enum err outgoing_new(const struct outgoing_options *options, struct outgoing **ret)
{
	(void)pthread_once(&curl_once, start_curl);
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&outgoing->lock, NULL);
	outgoing->submitted_last = &outgoing->submitted;
	share_places(outgoing, options->max_in_flight ? options->max_in_flight : LIMIT_OUTGOING,
		options->most);
	outgoing->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
	outgoing->multi = curl_multi_init();
	const struct resolver_options names = {
		.look_up = options->look_up, .ready = names_ready, .ctx = outgoing};
	if ((options->ca_file && !outgoing->ca_file) || !outgoing->multi ||
		resolver_new(&names, &outgoing->resolver) != ERR_OK ||
		!thread_start(
			&outgoing->thread, "outgoing", THREAD_SERVERS, outgoing_main, outgoing)) {
		outgoing_release(outgoing);
		return ERR_UNAVAILABLE;
	}
	*ret = outgoing;
	return ERR_OK;
}

/* Under the lock. */
static bool has_place(struct outgoing *outgoing, struct outgoing_request *request)
{
	if (request->class != OUTGOING_CALLBACK)
		return outgoing->of_class[request->class] < outgoing->max[request->class];
	request->slots_ = shares_slots(&outgoing->callbacks, request->requester);
	return shares_may(&outgoing->callbacks, request->slots_);
}

void outgoing_stats(struct outgoing *outgoing, struct outgoing_stats *ret)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	ret->refused = outgoing->refused;
	for (size_t i = 0; i < OUTGOING_CLASSES; i++)
		ret->in_flight[i] = outgoing->of_class[i];
	(void)pthread_mutex_unlock(&outgoing->lock);
}

void outgoing_send(struct outgoing *outgoing, struct outgoing_request *request)
{
	request->memory_ = (struct budget_account){.pool = BUDGET_SIGNED};
	strbuf_init_counted(&request->answer, 0, &request->memory_);
	strbuf_init_counted(&request->answer_headers, 0, &request->memory_);
	request->next_ = NULL;
	if (!budget_take(&request->memory_, TRANSFER_BYTES)) {
		finish(request, OUTGOING_BUSY, "not enough memory");
		return;
	}
	(void)pthread_mutex_lock(&outgoing->lock);
	bool closed = outgoing->closed;
	bool taken = !closed && has_place(outgoing, request);
	if (taken) {
		outgoing->in_flight++;
		outgoing->of_class[request->class]++;
		if (request->class == OUTGOING_CALLBACK)
			shares_take(&outgoing->callbacks, request->slots_);
		*outgoing->submitted_last = request;
		outgoing->submitted_last = &request->next_;
		/* Under the lock: outgoing_free() may follow as soon as it is given back. */
		(void)curl_multi_wakeup(outgoing->multi);
	}
	outgoing->refused += !closed && !taken;
	(void)pthread_mutex_unlock(&outgoing->lock);
	if (!taken)
		finish(request, closed ? OUTGOING_STOPPED : OUTGOING_BUSY,
			closed ? "stopping" : "too many requests in flight");
}

/* How many headers of that name the answer has; *ret is the last one's value. */
static size_t find_header(
	const struct outgoing_request *request, struct slice name, struct slice *ret)
{
	struct slice rest = strbuf_slice(&request->answer_headers), line, own;
	size_t count = 0;
	while (slice_cut(&rest, '\n', &line)) {
		if (!slice_cut(&line, ':', &own) || !slice_eq_nocase(own, name))
			continue;
		*ret = slice_trim(line);
		count++;
	}
	return count;
}

bool outgoing_has_header(const struct outgoing_request *request, struct slice name)
{
	struct slice value;
	return find_header(request, name, &value) > 0;
}

struct slice outgoing_answer_header(const struct outgoing_request *request, struct slice name)
{
	struct slice value;
	return find_header(request, name, &value) == 1 ? value : (struct slice){NULL, 0};
}

void outgoing_request_release(struct outgoing_request *request)
{
	strbuf_release(&request->answer_headers);
	strbuf_release(&request->answer);
	budget_close(&request->memory_);
}

void outgoing_stop(struct outgoing *outgoing, int64_t grace_ms)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	outgoing->stopping = true;
	outgoing->stop_at_ms = clock_monotonic_ms() + grace_ms;
	(void)curl_multi_wakeup(outgoing->multi);
	(void)pthread_mutex_unlock(&outgoing->lock);
	(void)pthread_join(outgoing->thread, NULL);
	outgoing->joined = true;
}

void outgoing_free(struct outgoing *outgoing)
{
	if (!outgoing)
		return;
	if (!outgoing->joined)
		outgoing_stop(outgoing, 0);
	outgoing_release(outgoing);
}
