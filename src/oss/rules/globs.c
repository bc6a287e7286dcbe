/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/rules/globs.h"

#include <stdlib.h>

enum {
	WORD_BITS = 64,
	BYTES = 256,
};

/*
 * A pattern of n elements, stars not counted, has n + 1 states: how many of them the text has had
 * so far. Bit i of a set is state i; the states of all patterns stand one behind the other.
 */
struct globs {
	size_t words; /* of a set */
	unsigned char class_of[BYTES];
	uint64_t *begin;  /* where each pattern begins */
	uint64_t *end;    /* where it has been found */
	uint64_t *stay;   /* a star follows: any byte may come */
	uint64_t *next[]; /* by class of the byte: states that it leads on from */
};

static void set(uint64_t *bits, size_t at)
{
	bits[at / WORD_BITS] |= UINT64_C(1) << (at % WORD_BITS);
}

static size_t count_states(const struct slice *patterns, size_t count)
{
	size_t states = 0;
	for (size_t i = 0; i < count; i++)
		states += patterns[i].len + 1;
	return states;
}

/* Bytes that no pattern has are all alike. Returns how many classes there are. */
static size_t classify(const struct slice *patterns, size_t count, unsigned char *class_of)
{
	bool used[BYTES] = {false};
	size_t classes = 1;
	memset(class_of, 0, BYTES);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < patterns[i].len; j++)
			used[(unsigned char)ascii_lower(patterns[i].ptr[j])] = true;
	/* Class 0 is those that are not used; there is at least one, for capitals are not. */
	for (size_t byte = 0; byte < BYTES; byte++)
		if (used[byte])
			class_of[byte] = (unsigned char)classes++;
	for (size_t byte = 'A'; byte <= 'Z'; byte++)
		class_of[byte] = class_of[(unsigned char)ascii_lower((char)byte)];
	return classes;
}

static size_t add_pattern(struct globs *globs, size_t classes, struct slice pattern, size_t at)
{
	set(globs->begin, at);
	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];
		if (c == '*') {
			set(globs->stay, at);
			continue;
		}
		for (size_t j = 0; j < classes; j++)
			if (c == '?' || j == globs->class_of[(unsigned char)c])
				set(globs->next[j], at);
		at++;
	}
	set(globs->end, at);
	return at + 1;
}

struct globs *globs_new(const struct slice *patterns, size_t count)
{
	unsigned char class_of[BYTES];
	size_t classes = classify(patterns, count, class_of);
	size_t states = count_states(patterns, count);
	size_t words = states / WORD_BITS + 1;
	if (states >= GLOBS_BYTES)
		return NULL;
	struct globs *globs = calloc(1, sizeof(*globs) + classes * sizeof(globs->next[0]));
	uint64_t *bits = calloc((classes + 3) * words, sizeof(*bits));
	if (!globs || !bits) {
		free(globs);
		free(bits);
		return NULL;
	}
	globs->words = words;
	memcpy(globs->class_of, class_of, sizeof(class_of));
	globs->begin = bits;
	globs->end = bits + words;
	globs->stay = bits + 2 * words;
	for (size_t i = 0; i < classes; i++)
		globs->next[i] = bits + (3 + i) * words;
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		at = add_pattern(globs, classes, patterns[i], at);
	return globs;
}

void globs_free(struct globs *globs)
{
	if (!globs)
		return;
	free(globs->begin);
	free(globs);
}

static bool meet(const uint64_t *a, const uint64_t *b, size_t words)
{
	uint64_t both = 0;
	for (size_t i = 0; i < words; i++)
		both |= a[i] & b[i];
	return both != 0;
}

bool globs_begin(const struct globs *globs, struct slice text)
{
	size_t words = globs->words;
	uint64_t states[GLOBS_BYTES / WORD_BITS];
	memcpy(states, globs->begin, words * sizeof(*states));
	bool found = meet(states, globs->end, words);
	bool alive = true;
	for (size_t t = 0; t < text.len && !found && alive; t++) {
		const uint64_t *next = globs->next[globs->class_of[(unsigned char)text.ptr[t]]];
		uint64_t carry = 0;
		uint64_t any = 0;
		uint64_t ended = 0;
		for (size_t i = 0; i < words; i++) {
			uint64_t moved = states[i] & next[i];
			uint64_t now = (moved << 1) | carry | (states[i] & globs->stay[i]);
			carry = moved >> (WORD_BITS - 1);
			states[i] = now;
			any |= now;
			ended |= now & globs->end[i];
		}
		found = ended != 0;
		alive = any != 0;
	}
	return found;
}
