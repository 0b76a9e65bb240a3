/* limits/event.c - the Application log: for now the program log only. */
#include "limits/event_priv.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

struct event_log {
	int store_fd, runtime_fd;
};

struct event_log *event_log_new(int store_fd, int runtime_fd)
{
	struct event_log *log = mem_alloc(sizeof *log);

	log->store_fd = store_fd;
	log->runtime_fd = runtime_fd;
	return log;
}

void event_log_free(struct event_log **log)
{
	mem_free(log);
}

void event_log_refusal(struct site *site, uint64_t user, const char *user_name,
    const char *setting, uint32_t limit, const char *object)
{
	(void)site;
	(void)user;
	log_warn("limit-exceeded", "user=%s setting=\"%s\" limit=%u object=%s", LOG_Q(user_name),
	    setting, limit, object);
}
