/*
 * store/search_fields.c - the header fields that people search, decoded and mapped, to be kept in memory.
 *
 * Without them a search for a subject reads and decodes a header for each message, microseconds; with them,
 * it looks through octets that lie one behind the other (content_cache_priv.h).
 */
#include "store/search_priv.h"

#include "mime/decode.h"

static const struct str_view names[SEARCH_FIELDS_N] = {{"subject", 7}, {"from", 4}, {"to", 2},
    {"cc", 2}, {"bcc", 3}, {"message-id", 10}};

#define VALUE_END '\xff'

size_t search_field_of(struct str_view name)
{
	size_t field = 0;

	while (field < SEARCH_FIELDS_N && !str_equal_nocase(names[field], name))
		field++;
	return field;
}

void search_fields_make(struct str_view header, struct str_buf *out)
{
	struct str_buf values[SEARCH_FIELDS_N] = {0}, text = {0};
	struct search_fields fields;
	struct str_view name, value;
	uint32_t at = 0;

	while (mime_header_next(&header, &name, &value)) {
		size_t field = search_field_of(name);

		if (field == SEARCH_FIELDS_N)
			continue;
		str_buf_clear(&text);
		mime_header_value(value, &text);
		mime_casemap(str_buf_view(&text), &values[field]);
		str_buf_putc(&values[field], VALUE_END);
	}
	for (size_t i = 0; i < SEARCH_FIELDS_N; i++)
		fields.end[i] = at += (uint32_t)values[i].n;
	str_buf_clear(out);
	str_buf_put(out, &fields, sizeof fields);
	for (size_t i = 0; i < SEARCH_FIELDS_N; i++) {
		str_buf_put(out, values[i].p, values[i].n);
		str_buf_fini(&values[i]);
	}
	str_buf_fini(&text);
}
