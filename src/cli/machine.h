/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine, or the container, lets this process have. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdint.h>

/*
 * The smaller of the machine's memory and what the control group, or one around it, allows. `root`
 * is where /proc and /sys are: "" but in tests. 0 if it is unknown.
 */
uint64_t machine_memory(const char *root);

#endif
