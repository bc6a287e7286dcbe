/* SPDX-License-Identifier: Apache-2.0 */
/* `postern verify`: says whether a callback is authentic, and if it is not, why. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

/* argv[0] is "verify". Returns the exit status: 0 authentic, 1 not, 2 usage or unreadable files. */
int cli_verify(int argc, char **argv);

#endif
