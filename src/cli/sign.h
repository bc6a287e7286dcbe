/* SPDX-License-Identifier: Apache-2.0 */
/* `postern sign`: prints a signed upload form for given limits. */
#ifndef CLI_SIGN_H
#define CLI_SIGN_H

/* argv[0] is "sign". Returns the exit status: 0, 1 (a fault) or 2 (usage). */
int cli_sign(int argc, char **argv);

#endif
