/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the fields of an upload form, as name=value:  cc upload_form.c $(pkg-config --cflags
 * --libs libpostern);  ./a.out BUCKET FOLDER CALLBACK, with the key in the environment. */
#include <postern.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	const struct postern_field bound[] = {
		{"success_action_status", "200"}, {"callback", argv[3]}}; /* in base64 */
	const struct postern_signer signer = {.size = sizeof(signer),
		.access_key_id = getenv("OSS_ACCESS_KEY_ID"),
		.access_key_secret = getenv("OSS_ACCESS_KEY_SECRET"),
		.region = "cn-hangzhou",
		.version = 4};
	const struct postern_policy policy = {.size = sizeof(policy),
		.now = time(NULL),
		.expires = time(NULL) + 300,
		.bucket = argv[1],
		.key_prefix = argv[2],
		.max_bytes = 1000000,
		.bound = bound,
		.bound_count = 2};
	struct postern_field fields[POSTERN_OWN_FIELDS + 2];
	size_t count = sizeof(fields) / sizeof(fields[0]);
	char buffer[16384];
	int result = postern_policy_sign(&policy, &signer, buffer, sizeof(buffer), fields, &count);
	if (result != POSTERN_OK)
		return fprintf(stderr, "%s\n", postern_result_text(result)), 1;
	for (size_t i = 0; i < count; i++)
		printf("%s=%s\n", fields[i].name, fields[i].value);
	return 0;
}
