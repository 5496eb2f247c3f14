/* SPDX-License-Identifier: ISC */
/* What was built: the release (image/release) and the build id. */
#ifndef LIB_BASE_VERSION_H
#define LIB_BASE_VERSION_H

extern const char version_release[];
/* A hash of the sources that the build passes in; "unknown" on a host. */
extern const char version_build_id[];

#endif
