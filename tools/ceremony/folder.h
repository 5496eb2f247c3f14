/* SPDX-License-Identifier: ISC */
/* What a ceremony's public folder holds; ceremony-public(5). */
#ifndef TOOLS_CEREMONY_FOLDER_H
#define TOOLS_CEREMONY_FOLDER_H

#define FOLDER_PAGE "index.html"
#define FOLDER_SCRIPT "script.md"     /* as it was played, byte for byte */
#define FOLDER_PAPER "script.pdf"     /* its pages, without what was written */
#define FOLDER_NOTES "annotated.md"   /* what was done */
#define FOLDER_SIGNED "annotated.pdf" /* the same on pages */
#define FOLDER_DISC "disc.txt"        /* its name, SHA-256 and words */
#define FOLDER_LOG "log"              /* the ceremony's folder as it was left */
#define FOLDER_JOURNAL "journal"      /* in that */
#define FOLDER_SUMS "SHA256SUMS"      /* of every other file, names sorted */
#define FOLDER_SEAL "SHA256SUMS.sig"  /* openssl pkeyutl -rawin over that */

#endif
