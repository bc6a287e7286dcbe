/* SPDX-License-Identifier: Apache-2.0 */
/* `postern keys`: the access keys of a data folder. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

/* The exit status. */
int cli_keys(int argc, char **argv);

#endif
