/* SPDX-License-Identifier: ISC */
/* What was built: the release (image/release) and the build id. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

extern const char version_release[];
/* A hash of the sources that the build passes in; "unknown" on a host. */
extern const char version_build_id[];

#endif
