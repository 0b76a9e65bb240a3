/* auth/service_admit.c - whether there is room for one more connection.  A door's callbacks see the site only. */
#include "auth/service.h"
#include "auth/service_priv.h"
#include "limits/tally.h"
#include "base/log.h"

#include <stddef.h>

static const struct service *admitting; /* one service per process */

void service_admit_by(const struct service *service)
{
	admitting = service;
}

/* Whose sessions its connections will be. */
static enum session_service counted_as(const struct service *service)
{
	switch (setting_rows[service->max_connections].scope) {
	case REG_IMAP4:
		return SESSION_IMAP4;
	case REG_POP3:
		return SESSION_POP3;
	case REG_DELIVERY:
		return SESSION_TRANSPORT;
	default:
		return SESSION_ADMIN;
	}
}

bool service_admit(void *door_arg, uint32_t total, uint32_t from_address, const char **say_r)
{
	const struct service *service = admitting;
	struct site *site = door_arg;
	const char *limit = NULL;

	if (total > setting_get(site, service->max_connections)) {
		limit = setting_rows[service->max_connections].name;
		*say_r = service->say_max_connections;
	} else if (from_address > setting_get(site, service->max_from_address)) {
		limit = setting_rows[service->max_from_address].name;
		*say_r = service->say_max_from_address;
	}
	if (!limit)
		return true;
	log_warn("connection-refused", "layer=accept limit=%s connections=%u from_address=%u", limit, total, from_address);
	tally_refused_of(site, counted_as(service), limit);
	return false;
}
