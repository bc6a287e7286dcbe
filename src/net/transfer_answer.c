/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl hands back: the answer, piece by piece, and how it ended. */
#include <stdlib.h>

#include "net/outgoing_internal.h"

static void note_content_length(struct transfer *transfer, struct slice value)
{
	struct outgoing_request *request = transfer->request;
	uint64_t length;
	if (!slice_to_u64(value, &length) ||
		(request->has_content_length && length != request->content_length)) {
		transfer->bad_length = true;
		return;
	}
	request->has_content_length = true;
	request->content_length = length;
	if (request->method != OUTGOING_HEAD && length > request->max_answer_bytes)
		transfer->too_long = true;
}

/* An interim answer (1xx) may come before the one that counts. */
static void note_status_line(struct transfer *transfer, struct slice line)
{
	struct slice version, status;
	uint64_t number;
	(void)slice_cut(&line, ' ', &version);
	(void)slice_cut(&line, ' ', &status);
	transfer->request->status = slice_to_u64(slice_trim(status), &number) ? (int)number : 0;
	transfer->request->has_content_length = false;
	transfer->request->content_type[0] = '\0';
	strbuf_clear(&transfer->request->answer_headers);
}

size_t transfer_on_header(char *bytes, size_t one, size_t len, void *state)
{
	(void)one;
	struct transfer *transfer = state;
	struct outgoing_request *request = transfer->request;
	struct slice line = slice_of(bytes, len), name;
	while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	transfer->header_bytes += len;
	if (transfer->header_bytes > TRANSFER_HEADERS_MAX) {
		transfer->too_long = true;
		return 0;
	}
	if (slice_starts(line, S("HTTP/"))) {
		note_status_line(transfer, line);
		return len;
	}
	if (!slice_cut(&line, ':', &name))
		return len;
	struct slice value = slice_trim(line);
	if (request->flags & OUTGOING_KEEP_HEADERS) {
		strbuf_add_slice(&request->answer_headers, name);
		strbuf_adds(&request->answer_headers, ": ");
		strbuf_add_slice(&request->answer_headers, value);
		strbuf_addc(&request->answer_headers, '\n');
	}
	if (slice_eq_nocase(name, S("content-length"))) {
		note_content_length(transfer, value);
	} else if (slice_eq_nocase(name, S("content-type")) &&
		   value.len < sizeof(request->content_type)) {
		memcpy(request->content_type, value.ptr, value.len);
		request->content_type[value.len] = '\0';
	}
	return transfer->bad_length || transfer->too_long ? 0 : len;
}

size_t transfer_on_body(char *bytes, size_t one, size_t len, void *state)
{
	(void)one;
	struct transfer *transfer = state;
	strbuf_add(&transfer->request->answer, bytes, len);
	if (strbuf_broken(&transfer->request->answer)) {
		transfer->starved = strbuf_starved(&transfer->request->answer);
		transfer->too_long = !transfer->starved;
		return 0;
	}
	return len;
}

enum outgoing_kind transfer_outcome(const struct transfer *transfer, CURLcode code)
{
	if (transfer->starved)
		return OUTGOING_BUSY;
	if (transfer->bad_length)
		return OUTGOING_BAD_LENGTH;
	if (transfer->too_long)
		return OUTGOING_TOO_LONG;
	if (transfer->refused && !transfer->opened)
		return OUTGOING_REFUSED;
	if (code == CURLE_OK)
		return OUTGOING_ANSWERED;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return OUTGOING_TIMED_OUT;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return OUTGOING_UNRESOLVED;
	/* libcurl looks at the header before it hands it to transfer_on_header(). */
	if (code == CURLE_WEIRD_SERVER_REPLY &&
		slice_starts(slice_str(transfer->fault), S("Invalid Content-Length")))
		return OUTGOING_BAD_LENGTH;
	if (code == CURLE_OUT_OF_MEMORY)
		return OUTGOING_BUSY;
	return OUTGOING_UNREACHABLE;
}
