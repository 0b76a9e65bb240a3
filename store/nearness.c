/* store/nearness.c - see nearness.h. */
#include "store/nearness.h"
#include "store/directory.h"

static uint64_t percent_of(uint32_t held, uint32_t limit)
{
	if (held == 0)
		return 0;
	return limit == 0 ? 100 : (uint64_t)held * 100 / limit;
}

uint32_t nearness_limit_of_all(struct site *site, struct user_id user)
{
	struct arena arena = {0};
	struct directory_user row;
	struct err e;
	bool is_administrator = directory_user_by_id(site, user, &arena, &row, &e) == 0 && directory_user_is_privileged(&row);

	arena_fini(&arena);
	return setting_get(site, session_limit_of_all(is_administrator));
}

struct nearness nearness_of(struct site *site, const struct holder *holder)
{
	struct nearness to = {
	    .of_all = setting_get(site, SETTING_SESSIONS_PER_USER),
	    .of_service = setting_get(site, SETTING_SERVICE_SESSIONS_PER_USER),
	};

	if (percent_of(holder->counts.all, to.of_all) >= setting_get(site, SETTING_METRICS_NEAR_LIMIT))
		to.of_all = nearness_limit_of_all(site, holder->id);
	to.percent_of_all = percent_of(holder->counts.all, to.of_all);
	to.percent_of_service = percent_of(holder->counts.service, to.of_service);
	return to;
}

uint64_t nearness_percent(const struct nearness *to)
{
	return to->percent_of_all > to->percent_of_service ? to->percent_of_all : to->percent_of_service;
}
