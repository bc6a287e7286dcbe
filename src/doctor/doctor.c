/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/source.h"
#include "crypto/random.h"
#include "doctor/doctor_internal.h"

#define NAME_DIGITS 16

/* Below what is the same for all users of the default profile. */
static void name_object(struct doctor *d)
{
	struct slice folder = slice_str(d->options->app->upload_dir);
	size_t variable = slice_find_slice(folder, S("${"));
	char digits[NAME_DIGITS];
	random_hex_upper(digits, sizeof(digits));
	folder = slice_head(folder, variable);
	strbuf_add_slice(&d->key, folder);
	if (folder.len > 0 && !slice_ends(folder, S("/")) &&
		variable == slice_str(d->options->app->upload_dir).len)
		strbuf_addc(&d->key, '/');
	strbuf_adds(&d->key, "postern-doctor-");
	strbuf_add(&d->key, digits, sizeof(digits));
}

/* False, reported, if there are none to check anything with. */
static bool find_credentials(struct doctor *d)
{
	struct source_call call = {.options = &d->settings.credentials,
		.pair = &d->settings.credentials.pair,
		.outgoing = d->asker.outgoing,
		.clock = d->options->clock,
		.arena = &d->arena,
		.fault = STRBUF_INIT(KIB(2))};
	bool ok = source_fetch(&call);
	if (!ok)
		report_add(d->report, FINDING_FAILED, "credentials",
			"see docs/credentials.md for what [app] credentials needs",
			"there are no credentials: %s.", call.fault.ptr);
	d->who = call.values;
	strbuf_release(&call.fault);
	return ok;
}

static void run(struct doctor *d)
{
	if (!find_credentials(d))
		return;
	bool usable = doctor_check_store(d);
	doctor_check_origins(d);
	if (usable)
		doctor_check_upload(d);
	doctor_check_webhook(d);
	doctor_check_clamd(d);
}

enum err doctor_run(
	const struct doctor_options *options, struct report *report, char *why, size_t why_size)
{
	struct doctor d = {
		.options = options, .report = report, .key = STRBUF_INIT(LIMIT_KEY_BYTES)};
	enum err e = settings_init(&d.settings, options->app, why, why_size);
	if (!e) {
		e = asker_init(&d.asker, options->ca_file);
		if (!e) {
			name_object(&d);
			arena_init(&d.arena, NULL, 0, DOCTOR_TEXT_BYTES_MAX);
			run(&d);
			doctor_check_ledger(&d);
			arena_reset(&d.arena);
		}
		asker_release(&d.asker);
	}
	settings_release(&d.settings);
	strbuf_release(&d.key);
	return e;
}
