/* store/check_sql.c */
#include "store/store.h"

int store_check(struct store *store, struct str_buf *report, size_t *findings_r, struct err *e)
{
	(void)store, (void)report, (void)findings_r;
	return err_set(e, ERR_UNSUPPORTED, "check is not built yet");
}
