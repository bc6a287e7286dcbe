/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/ask.h"

#include "base/limits.h"
#include "net/outgoing_wait.h"

#define ANSWER_BYTES_MAX KIB(64)

enum err asker_init(struct asker *asker, const char *ca_file)
{
	const struct outgoing_options options = {.ca_file = ca_file};
	return outgoing_new(&options, &asker->outgoing);
}

void asker_release(struct asker *asker)
{
	outgoing_free(asker->outgoing);
}

void asker_ask(struct asker *asker, struct outgoing_request *request)
{
	request->class = OUTGOING_STORE;
	request->flags |= OUTGOING_SNI | OUTGOING_ANY_ADDRESS | OUTGOING_KEEP_HEADERS;
	request->timeout_ms = LIMIT_DOCTOR_MS;
	request->max_answer_bytes = ANSWER_BYTES_MAX;
	strbuf_init(&request->answer, 0);
	strbuf_init(&request->answer_headers, 0);
	outgoing_wait(asker->outgoing, request);
}
