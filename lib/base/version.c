/* SPDX-License-Identifier: ISC */
#include "lib/base/version.h"

#include "version.inc"

const char version_release[] = KEYROOM_VERSION;
const char version_build_id[] = KEYROOM_BUILD_ID;
