/* SPDX-License-Identifier: Apache-2.0 */
/* `postern copy`: all that one store has into another one. */
#ifndef CLI_COPY_H
#define CLI_COPY_H

/* The exit status. */
int cli_copy(int argc, char **argv);

#endif
