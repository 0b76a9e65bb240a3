/* The outer forms of mail files: what a file is, by its first octets, and what names and lines tell. */
#ifndef CTL_MAIL_FORM_H
#define CTL_MAIL_FORM_H

#include "base/str.h"
#include "ctl/mail_sink.h"

/* "Name:" as RFC 5322 2.2 has it. */
bool mail_begins_with_header(struct str_view octets);
/* A From_ line with a date in it (RFC 4155; asctime, a zone before or after the year or none: UTC). */
bool mail_from_line(struct str_view line, int64_t *ms_r, int *zone_min_r);
/* The Date: field of the header that begins here, in any line ends; false: none, or unreadable. */
bool mail_header_date(struct str_view octets, int64_t *ms_r, int *zone_min_r);
/* The flags in a Maildir file's name: what follows ":2,". */
void mail_maildir_flags(const char *name, struct mail_about *about);
/* ":2,FLAGS" for a name. */
void mail_maildir_info(uint32_t flags, bool forwarded, struct str_buf *out);
/* A header line of mbox, "Status: RO" or "X-Status: AF": adds its flags. */
void mail_status_line(struct str_view line, uint32_t *flags);

#endif
