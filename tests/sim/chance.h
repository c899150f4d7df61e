/* This file is chance, the same for the same seed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdint.h>

static uint64_t random_state;

static inline uint64_t next_random(void)
{
	random_state += 0x9e3779b97f4a7c15u;
	uint64_t mixed = random_state;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

static inline int below(int bound)
{
	return (int)(next_random() % (uint64_t)bound);
}

#endif
