/* ctl/ctl_folder.c - postern folder list|create|rename|delete */
#include "ctl/json.h"
#include "ctl/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool as_json;
static const char *special_use;

static const struct {
	const char *name; /* RFC 6154 2, without the backslash */
	enum folder_use use;
} uses[] = {
    {"Sent", FOLDER_SENT},
    {"Drafts", FOLDER_DRAFTS},
    {"Trash", FOLDER_TRASH},
    {"Junk", FOLDER_JUNK},
    {"Archive", FOLDER_ARCHIVE},
    {"Flagged", FOLDER_FLAGGED},
    {"All", FOLDER_ALL},
};

static const char *use_name(enum folder_use use)
{
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
		if (uses[i].use == use)
			return uses[i].name;
	return NULL;
}

static int use_parse(const char *name, enum folder_use *use_r)
{
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
		if (strcasecmp(name + (*name == '\\'), uses[i].name) == 0) {
			*use_r = uses[i].use;
			return 0;
		}
	return -1;
}

static void folder_json(struct json *j, const struct folder_info *f)
{
	json_open(j, '{');
	json_key(j, "name");
	json_text(j, f->name);
	json_key(j, "messages");
	json_number(j, f->exists);
	json_key(j, "unseen");
	json_number(j, f->unseen);
	json_key(j, "bytes");
	json_number(j, (int64_t)f->bytes);
	json_key(j, "uidvalidity");
	json_number(j, f->uidvalidity);
	json_key(j, "uidnext");
	json_number(j, f->uidnext ? f->uidnext : 4294967296);
	json_key(j, "use");
	json_text(j, use_name(f->use));
	json_key(j, "subscribed");
	json_bool(j, f->subscribed);
	json_close(j, '}');
}

static void folders_print(const struct folder_info *list, size_t n)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		const char *use = use_name(list[i].use);

		folder_json(&j, &list[i]);
		if (!as_json)
			printf("%8" PRIu32 " messages %8" PRIu32 " unseen %12" PRIu64
			       " bytes  %s%s%s%s\n", list[i].exists, list[i].unseen, list[i].bytes,
			    list[i].name, use ? " (" : "", use ? use : "", use ? ")" : "");
	}
	json_close(&j, ']');
	if (as_json)
		puts(out.p);
	str_buf_fini(&out);
}

/* What is left of every action once the mailbox is open. */
static int folder_result(struct mailbox *m, int r, const struct err *e)
{
	ctl_mailbox_close(m);
	return r == 0 ? CTL_OK : ctl_fail_err(e);
}

static int folder_list_run(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct folder_info *list;
	struct mailbox m;
	size_t list_n;
	struct err e;
	int r;

	(void)n;
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	r = folder_list(m.store, &arena, &list, &list_n, &e);
	if (r == 0)
		folders_print(list, list_n);
	arena_fini(&arena);
	return folder_result(&m, r, &e);
}

static int folder_create_run(struct ctl *ctl, char **operands, int n)
{
	enum folder_use use = FOLDER_NO_USE;
	struct folder_id id;
	struct mailbox m;
	struct err e;

	(void)n;
	if (special_use && use_parse(special_use, &use) < 0)
		return ctl_usage(ctl, "there is no special use `%s` (RFC 6154)", special_use);
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	return folder_result(&m, folder_create(m.store, operands[1], use, &id, &e), &e);
}

static int folder_rename_run(struct ctl *ctl, char **operands, int n)
{
	struct mailbox m;
	struct err e;

	(void)n;
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	return folder_result(&m, folder_rename(m.store, operands[1], operands[2], &e), &e);
}

static int folder_delete_run(struct ctl *ctl, char **operands, int n)
{
	struct mailbox m;
	struct err e;

	(void)n;
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	return folder_result(&m, folder_delete(m.store, operands[1], &e), &e);
}

static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "one JSON array"},
    {0},
};
static const struct verb_option create_options[] = {
    {0, "use", "USE", &special_use, "Sent, Drafts, Trash, Junk, Archive, Flagged or All"},
    {0},
};

const struct verb ctl_verb_folder = {
    .name = "folder",
    .summary = "list, make, rename and delete a user's folders",
    .help = "Folder names are UTF-8, with `/` between the levels: Archive/2026. Deleting a folder\n"
	    "deletes its messages, not its subfolders; INBOX stays.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"list", "NAME", 1, 1, list_options, folder_list_run, "a user's folders"},
	    {"create", "NAME FOLDER", 2, 2, create_options, folder_create_run,
		"a folder, and its parents"},
	    {"rename", "NAME FROM TO", 3, 3, NULL, folder_rename_run, "with its subfolders"},
	    {"delete", "NAME FOLDER", 2, 2, NULL, folder_delete_run, "with its messages"},
	    {0},
	},
};
