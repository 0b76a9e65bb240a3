/* imapd/special_use.c - attributes of RFC 6154 2.  \All and \Flagged are views of messages that stand in
 * other folders, which no client can make here; neither is there \Important (RFC 8457). */
#include "imapd/special_use.h"

#include <string.h>

const char *special_use_name(enum folder_use use)
{
	switch (use) {
	case FOLDER_NO_USE:
		return "";
	case FOLDER_SENT:
		return "\\Sent";
	case FOLDER_DRAFTS:
		return "\\Drafts";
	case FOLDER_TRASH:
		return "\\Trash";
	case FOLDER_JUNK:
		return "\\Junk";
	case FOLDER_ARCHIVE:
		return "\\Archive";
	case FOLDER_FLAGGED:
		return "\\Flagged";
	case FOLDER_ALL:
		return "\\All";
	}
	return "";
}

bool special_use_from(struct str_view attribute, enum folder_use *use_r)
{
	static const enum folder_use uses[] = {FOLDER_SENT, FOLDER_DRAFTS, FOLDER_TRASH, FOLDER_JUNK,
	    FOLDER_ARCHIVE};

	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		const char *name = special_use_name(uses[i]);

		if (!str_equal_nocase(attribute, str_view(name, strlen(name))))
			continue;
		*use_r = uses[i];
		return true;
	}
	return false;
}
