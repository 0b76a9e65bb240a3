/* base/conf.c - an ini file as a list of (section, key, value); inih does the reading. */
#include "base/conf.h"
#include "base/io.h"
#include "base/mem.h"

#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONF_BYTES_MAX 65536

struct conf_row {
	struct conf_row *next;
	char *section, *key, *value;
};

struct conf {
	struct conf_row *rows;
};

static int add_row(void *user, const char *section, const char *key, const char *value)
{
	struct conf *c = user;
	struct conf_row *row = mem_alloc(sizeof *row);

	row->section = mem_str(section);
	row->key = mem_str(key);
	row->value = mem_str(value);
	row->next = c->rows;
	c->rows = row;
	return 1;
}

int conf_load(int dir_fd, const char *name, struct conf **conf_r, struct err *e)
{
	struct str_buf text = {0};
	struct conf *c;
	int bad_line;

	if (io_read_file(dir_fd, name, CONF_BYTES_MAX, &text, e) < 0) {
		str_buf_fini(&text);
		return -1;
	}
	c = mem_alloc(sizeof *c);
	bad_line = ini_parse_string(text.p ? text.p : "", add_row, c);
	str_buf_fini(&text);
	if (bad_line != 0) {
		conf_free(&c);
		return err_set(e, ERR_INVALID, "%s: line %d is neither [section] nor key = value", name,
		    bad_line);
	}
	*conf_r = c;
	return 0;
}

void conf_free(struct conf **conf)
{
	if (!*conf)
		return;
	while ((*conf)->rows) {
		struct conf_row *row = (*conf)->rows;

		(*conf)->rows = row->next;
		free(row->section);
		free(row->key);
		free(row->value);
		free(row);
	}
	mem_free(conf);
}

const char *conf_get(const struct conf *c, const char *section, const char *key)
{
	for (const struct conf_row *row = c->rows; row; row = row->next)
		if (strcasecmp(row->section, section) == 0 && strcasecmp(row->key, key) == 0)
			return row->value;
	return NULL;
}

/* Whether a row is the first of its section, further down in the file being nearer in the list. */
static bool opens_section(const struct conf_row *row)
{
	for (const struct conf_row *before = row->next; before; before = before->next)
		if (strcasecmp(before->section, row->section) == 0)
			return false;
	return true;
}

const char *conf_section(const struct conf *c, const char *prefix, size_t i)
{
	size_t n = 0;

	/* The list has the file's last row first. */
	for (const struct conf_row *row = c->rows; row; row = row->next)
		n += strncasecmp(row->section, prefix, strlen(prefix)) == 0 && opens_section(row);
	for (const struct conf_row *row = c->rows; row; row = row->next)
		if (strncasecmp(row->section, prefix, strlen(prefix)) == 0 && opens_section(row) && --n == i)
			return row->section;
	return NULL;
}

bool conf_says(const struct conf *c, const char *prefix, const char *key, const char *value)
{
	/* A key that is given twice has the value that conf_get finds. */
	for (const struct conf_row *row = c->rows; row; row = row->next)
		if (strncasecmp(row->section, prefix, strlen(prefix)) == 0 && strcasecmp(row->key, key) == 0 &&
		    strcmp(row->value, value) == 0 && conf_get(c, row->section, key) == row->value)
			return true;
	return false;
}
