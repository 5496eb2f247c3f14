/* SPDX-License-Identifier: ISC */
#include "tools/evidence/verify.h"

#include "lib/base/buf.h"
#include "lib/base/stop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const uint8_t script[] = {
#include "verify_log.inc"
};

void verify_script(struct buf *out)
{
	buf_bytes(out, script, sizeof(script));
}

bool verify_log(const char *folder, struct err *err)
{
	struct buf text = BUF_EMPTY;

	verify_script(&text);
	if (buf_ok(&text, err)) {
		stop_default_output();
		execlp("sh", "sh", "-c", buf_string(&text), "ceremony-log",
			folder, (char *)NULL);
		stop_ignore_output();
		err_set(err, ERR_INPUT, "cannot start a shell: %s",
			strerror(errno));
	}
	buf_free(&text);
	return false;
}
