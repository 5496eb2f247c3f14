/* SPDX-License-Identifier: ISC */
/* KSR-FILE and SKR-FILE: what reading found. */
#include "signer/checks/catalogue.h"

void check_ksr_file(
	const struct check_context *context, struct finding *finding)
{
	if (context->request_err != NULL)
		finding_fail(finding, "%s", context->request_err->text);
}

void check_skr_file(
	const struct check_context *context, struct finding *finding)
{
	if (context->previous_err != NULL) {
		finding_fail(finding, "%s", context->previous_err->text);
	} else if (context->previous == NULL) {
		finding->result = CHECK_SKIP;
		finding_note(finding, "no previous response: %s",
			context->no_previous != NULL ? context->no_previous
						     : "none given");
	}
}
