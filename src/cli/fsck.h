/* SPDX-License-Identifier: Apache-2.0 */
/* `postern fsck`: checks all of a data folder, and changes nothing. */
#ifndef CLI_FSCK_H
#define CLI_FSCK_H

/* The exit status. */
int cli_fsck(int argc, char **argv);

#endif
