/* limits/holder.c - see holder.h. */
#include "limits/holder.h"

#include <stdlib.h>
#include <string.h>

static int by_user(const void *a, const void *b)
{
	const struct session_info *x = a, *y = b;

	return (x->actor.n > y->actor.n) - (x->actor.n < y->actor.n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct holder *)a)->name, ((const struct holder *)b)->name);
}

static void add(struct holder *holder, const struct session_info *s)
{
	holder->counts.all++;
	holder->counts.service += session_service_class(s->service) == SESSION_CLASS_SERVICE;
	holder->counts.by_service[s->service]++;
	if (s->active_ms > holder->active_ms)
		holder->active_ms = s->active_ms;
}

void holders_find(struct session_info *list, size_t n, struct arena *arena, struct holder **holders_r, size_t *holders_n_r)
{
	struct holder *holders = ARENA_ARRAY(arena, struct holder, n + 1);
	size_t holders_n = 0;

	if (n)
		qsort(list, n, sizeof *list, by_user);
	for (size_t i = 0; i < n; i++) {
		if (!session_counts_for_user(list[i].service))
			continue;
		if (holders_n == 0 || holders[holders_n - 1].id.n != list[i].actor.n)
			holders[holders_n++] = (struct holder){.name = list[i].actor_name, .id = list[i].actor};
		add(&holders[holders_n - 1], &list[i]);
	}
	if (holders_n)
		qsort(holders, holders_n, sizeof *holders, by_name);
	*holders_r = holders;
	*holders_n_r = holders_n;
}
