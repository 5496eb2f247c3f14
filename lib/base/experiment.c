/* SPDX-License-Identifier: ISC */
#include "lib/base/experiment.h"

static bool is_on;

void experiment_set(bool on)
{
	is_on = on;
}

bool experiment_is_on(void)
{
	return is_on;
}

const char *experiment_mark(void)
{
	return is_on ? EXPERIMENT_MARK : "";
}
