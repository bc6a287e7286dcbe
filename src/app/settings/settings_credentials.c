/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/settings_internal.h"

void settings_read_credentials(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	c->pair.id = settings_need_text(r, "access_key_id", options->access_key_id);
	c->pair.secret = settings_need_text(r, "access_key_secret", options->access_key_secret);
	c->pair.token = settings_keep_text(r, "security_token_file", options->security_token);
	c->pair.expires = CREDENTIALS_FOREVER;
	c->grant_secret = settings_keep_text(r, "grant_secret_file", options->grant_secret);
}
