/*
 * OpenMetrics 1.0 as text: families, and samples with their labels.  A family is begun once, with all its samples behind it.
 */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include "base/str.h"

#include <stdint.h>

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* unit: "seconds", which the name ends with then; NULL: none. */
void metric_family(struct str_buf *out, const char *name, enum metric_type type, const char *unit, const char *help);

struct metric_label {
	const char *name, *value;
};
#define METRIC_LABELS_MAX 4
/* suffix: "_total" of counters, "_info"; labels end at the first without a name.  Values are quoted; what is no UTF-8 in one
 * becomes U+FFFD. */
void metric_sample(struct str_buf *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t value);
/* The same of a time. */
void metric_seconds(struct str_buf *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t ns);
void metric_end(struct str_buf *out);

#define METRIC_LABELS(...) ((const struct metric_label[METRIC_LABELS_MAX + 1]){__VA_ARGS__})

#endif
