/* imapd/thread: the algorithms of RFC 5256 3 step by step, and what tries to make them slow. */
#include "imapd/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct said {
	uint64_t id, refs[6];
	const char *subject; /* "Re: " makes it a reply */
	int64_t date;        /* 0: its number */
};

static uint32_t same(void *arg, uint32_t seq)
{
	(void)arg;
	return seq;
}

static void put_all(const struct thread *t, struct str_buf *out)
{
	struct thread_walk walk = {0};

	while (thread_put(t, &walk, out, same, NULL))
		continue;
}

static const char *threaded(enum thread_how how, const struct said *list, struct str_buf *out)
{
	struct thread t = {.how = how};

	for (uint32_t i = 0; list[i].subject; i++) {
		const struct said *m = &list[i];
		const char *subject = m->subject;
		struct message_keys keys = {.id = m->id, .refs = m->refs};

		keys.is_reply = strncmp(subject, "Re: ", 4) == 0;
		subject += keys.is_reply ? 4 : 0;
		keys.subject = str_view(subject, strlen(subject));
		keys.sent_ms = m->date ? m->date : i + 1;
		keys.arrival_ms = i + 1;
		while (keys.refs_n < 6 && m->refs[keys.refs_n])
			keys.refs_n++;
		thread_add(&t, &keys, i + 1);
	}
	thread_build(&t);
	str_buf_clear(out);
	put_all(&t, out);
	thread_fini(&t);
	return out->n ? out->p : "";
}

static void references_by_the_letter(void **state)
{
	static const struct {
		const char *name, *is;
		struct said list[9];
	} cases[] = {
		{"nothing", "", {{0}}},
		{"no references", "(1)(2)", {{.subject = "a"}, {.subject = "b"}}},
		{"a chain", "(1 2 3)",
		    {{1, {0}, "a", 0}, {2, {1}, "Re: a", 0}, {3, {1, 2}, "Re: a", 0}}},
		{"a branch", "(1 (2)(3))", {{1, {0}, "a", 0}, {2, {1}, "b", 0}, {3, {1}, "c", 0}}},
		{"children before their parents", "(3 2 1)",
		    {{3, {1, 2}, "x", 9}, {2, {1}, "y", 8}, {1, {0}, "z", 7}}},
		{"1.A: a link that is there stays", "(1 2 3)",
		    {{1, {0}, "a", 0}, {2, {1}, "b", 0}, {3, {4, 2}, "c", 0}}},
		{"1.B: the last reference is the parent, and references link too", "(3 1 2)",
		    {{1, {0}, "a", 0}, {2, {3, 1}, "b", 0}, {3, {0}, "c", 0}}},
		{"1.B: a link that others made is broken", "(2 3 1)",
		    {{9, {1, 3}, "", 99}, {2, {0}, "b", 0}, {3, {2}, "c", 0}}},
		{"a loop is refused", "(2 1)", {{1, {2}, "a", 0}, {2, {1}, "b", 0}}},
		{"a message that refers to itself", "(1)", {{1, {1}, "a", 0}}},
		{"an id that comes twice is two messages", "(1 3)(2)",
		    {{1, {0}, "a", 0}, {1, {0}, "b", 0}, {3, {1}, "c", 0}}},
		{"3.A: dummies of nothing go", "(1)", {{1, {7, 8, 9}, "a", 0}}},
		{"3.B: a dummy of two children stays a root", "((1)(2))",
		    {{1, {9}, "a", 0}, {2, {9}, "b", 0}}},
		{"3.B: a dummy within is replaced by its children", "(1 (2)(3))",
		    {{1, {0}, "a", 0}, {2, {1, 9}, "b", 0}, {3, {1, 9}, "c", 0}}},
		{"3.B: below a root dummy too", "((1)(2)(3))",
		    {{1, {8, 9}, "a", 0}, {2, {8, 9}, "b", 0}, {3, {8}, "c", 0}}},
		{"4: roots by date, a dummy by its first child", "(3)((2)(1))(4)",
		    {{1, {9}, "a", 30}, {2, {9}, "b", 20}, {3, {0}, "c", 10}, {4, {0}, "d", 25}}},
		{"equal dates by number", "(1)(2)", {{1, {0}, "a", 5}, {2, {0}, "b", 5}}},
		{"5: a reply goes below its original", "(1 2)", {{.subject = "a"}, {.subject = "Re: a"}}},
		{"5: whichever comes first", "(2 1)", {{.subject = "Re: a"}, {.subject = "a"}}},
		{"5: two originals meet under a dummy", "((1)(2))", {{.subject = "a"}, {.subject = "a"}}},
		{"5: two replies too", "((1)(2)(3))",
		    {{.subject = "Re: a"}, {.subject = "Re: a"}, {.subject = "Re: a"}}},
		{"5: empty subjects never", "(1)(2)", {{.subject = ""}, {.subject = ""}}},
		{"5: two dummies are one", "((1)(2)(3)(4))",
		    {{1, {8}, "a", 0}, {2, {8}, "x", 0}, {3, {9}, "a", 0}, {4, {9}, "y", 0}}},
		{"5: a message goes below a dummy", "((1)(2)(3))",
		    {{1, {8}, "a", 0}, {2, {8}, "x", 0}, {3, {0}, "a", 0}}},
		{"5: a reply with children of its own", "(1 (2)(3 4))",
		    {{1, {0}, "a", 0}, {2, {1}, "Re: a", 0}, {3, {0}, "Re: a", 0}, {4, {3}, "Re: a", 0}}},
		{"6: siblings by date", "(1 (3)(2))",
		    {{1, {0}, "a", 0}, {2, {1}, "b", 20}, {3, {1}, "c", 10}}},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *is = threaded(THREAD_REFERENCES, cases[i].list, &out);

		if (strcmp(is, cases[i].is) != 0)
			print_message("%s\n", cases[i].name);
		assert_string_equal(is, cases[i].is);
	}
	str_buf_fini(&out);
}

static void refs_knows_no_subjects_and_sorts_by_the_latest(void **state)
{
	static const struct said list[] = {
		{1, {0}, "a", 0}, {2, {0}, "Re: a", 0}, {3, {1}, "b", 0}, {4, {9}, "c", 0}, {5, {9}, "d", 0},
		{6, {2}, "e", 0}, {.subject = NULL}};
	struct str_buf out = {0};

	(void)state;
	assert_string_equal(threaded(THREAD_REFS, list, &out), "(1 3)((4)(5))(2 6)");
	str_buf_fini(&out);
}

static void orderedsubject_has_no_grandchildren(void **state)
{
	static const struct said list[] = {
		{1, {0}, "b", 40}, {2, {0}, "Re: a", 30}, {3, {2}, "a", 20}, {4, {0}, "Re: b", 50},
		{5, {4}, "b", 60}, {6, {0}, "", 10}, {7, {0}, "", 70}, {.subject = NULL}};
	struct str_buf out = {0};

	(void)state;
	assert_string_equal(threaded(THREAD_ORDEREDSUBJECT, list, &out), "(6 7)(3 2)(1 (4)(5))");
	str_buf_fini(&out);
}

static void add(struct thread *t, uint32_t seq, uint64_t id, const uint64_t *refs, size_t refs_n,
    const char *subject)
{
	struct message_keys keys = {.id = id, .refs = refs, .refs_n = refs_n, .sent_ms = seq,
	    .arrival_ms = seq, .subject = str_view(subject, strlen(subject)), .is_reply = seq % 3 == 0};

	thread_add(t, &keys, seq);
}

/* Every message once, and parentheses that match. */
static void check_output(struct thread *t, uint32_t n)
{
	struct str_buf out = {0};
	bool *seen = calloc(n + 1, sizeof *seen);
	uint32_t number = 0, told = 0;
	long depth = 0;

	thread_build(t);
	put_all(t, &out);
	for (size_t i = 0; i < out.n; i++) {
		char c = out.p[i];

		depth += (c == '(') - (c == ')');
		assert_true(depth >= 0);
		if (c >= '0' && c <= '9') {
			number = number * 10 + (uint32_t)(c - '0');
			continue;
		}
		if (number) {
			assert_true(number <= n && !seen[number]);
			seen[number] = true;
			told++;
		}
		number = 0;
	}
	assert_int_equal(depth, 0);
	assert_int_equal(told, n);
	free(seen);
	str_buf_fini(&out);
	thread_fini(t);
}

/* 200,000 messages of each shape; the test's time-out is the judge. */
static void bombs_take_linear_time(void **state)
{
	enum { N = 200000 };
	struct thread t;
	uint64_t refs[2];

	(void)state;
	t = (struct thread){.how = THREAD_REFERENCES}; /* one chain */
	for (uint32_t i = 1; i <= N; i++)
		add(&t, i, i, (refs[0] = i - 1, refs), i > 1, "a");
	check_output(&t, N);
	t = (struct thread){.how = THREAD_REFERENCES}; /* from its end */
	for (uint32_t i = 1; i <= N; i++)
		add(&t, i, N - i + 1, (refs[0] = N - i, refs), i < N, "a");
	check_output(&t, N);
	t = (struct thread){.how = THREAD_REFERENCES}; /* pairs, hung below the end of a long chain */
	for (uint32_t i = 1; i <= N / 2; i++)
		add(&t, i, i, (refs[0] = i - 1, refs), i > 1, "a");
	for (uint32_t i = N / 2 + 1; i <= N; i++)
		add(&t, i, 0, (refs[0] = N / 2, refs[1] = i, refs), 2, "a");
	check_output(&t, N);
	t = (struct thread){.how = THREAD_REFERENCES};
	for (uint32_t i = 1; i <= N / 2; i++)
		add(&t, i, i, (refs[0] = i - 1, refs), i > 1, "a");
	for (uint32_t i = N / 2 + 1; i <= N; i += 2) {
		add(&t, i, i + 1, (refs[0] = i, refs), 1, "");
		add(&t, i + 1, i, (refs[0] = N / 2, refs), 1, "");
	}
	check_output(&t, N);
	t = (struct thread){.how = THREAD_REFERENCES}; /* one parent of all, taken away from it again */
	for (uint32_t i = 1; i <= N; i++)
		add(&t, i, i, (refs[0] = N + 1, refs[1] = i + 1, refs), 2, "");
	check_output(&t, N);
	t = (struct thread){.how = THREAD_REFERENCES}; /* all of one subject */
	for (uint32_t i = 1; i <= N; i++)
		add(&t, i, 0, NULL, 0, "a");
	check_output(&t, N);
}

static void any_references_make_a_forest(void **state)
{
	(void)state;
	srand(5256);
	for (int round = 0; round < 300; round++) {
		struct thread t = {.how = (enum thread_how)(round % 3)};
		uint32_t n = (uint32_t)rand() % 60 + 1, ids = (uint32_t)rand() % 40 + 1;
		static const char *const subjects[] = {"", "a", "b", "c"};

		for (uint32_t i = 1; i <= n; i++) {
			uint64_t refs[8];
			size_t refs_n = (size_t)rand() % 8;

			for (size_t k = 0; k < refs_n; k++)
				refs[k] = (uint64_t)rand() % ids + 1;
			add(&t, i, (uint64_t)rand() % ids, refs, refs_n, subjects[rand() % 4]);
		}
		check_output(&t, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_by_the_letter),
		cmocka_unit_test(refs_knows_no_subjects_and_sorts_by_the_latest),
		cmocka_unit_test(orderedsubject_has_no_grandchildren),
		cmocka_unit_test(bombs_take_linear_time),
		cmocka_unit_test(any_references_make_a_forest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
