/* fs/maildir_name.c - names in the Maildir view. */
#include "fs/maildir_name.h"

#include "mime/decode.h"
#include "store/maildir_letters.h"

#include <errno.h>
#include <string.h>

#define OWN_TAIL ".postern"
/* ",U=4294967295:2,DFPRST" */
#define TAIL_MAX 22u

/* Where ",U=<number>" stands in the first n octets of a name: mbsync looks anywhere. */
static bool find_uid(const char *name, size_t n, size_t *from_r, size_t *to_r, uint32_t *uid_r)
{
	for (size_t i = 0; i + 3 < n; i++) {
		size_t digits;
		uint64_t uid;

		if (memcmp(name + i, ",U=", 3) != 0)
			continue;
		digits = strspn(name + i + 3, "0123456789");
		if (i + 3 + digits > n || !str_number(str_view(name + i + 3, digits), UINT32_MAX, &uid) || uid == 0)
			continue;
		*from_r = i;
		*to_r = i + 3 + digits;
		*uid_r = (uint32_t)uid;
		return true;
	}
	return false;
}

bool maildir_name_parse(const char *name, struct maildir_name *r)
{
	size_t all = strlen(name), n = strcspn(name, ":"), from, to;

	if (n == 0 || all > NAME_MAX_BYTES || name[0] == '.')
		return false;
	r->uid = 0;
	if (!find_uid(name, n, &from, &to, &r->uid))
		from = to = n;
	if (from + (n - to) == 0)
		return false;
	memcpy(r->base, name, from);
	memcpy(r->base + from, name + to, n - to);
	r->base[from + (n - to)] = '\0';
	r->flags = 0;
	r->forwarded = false;
	if (n == all) {
		r->info = MAILDIR_NO_INFO;
	} else if (strncmp(name + n, ":2,", 3) != 0) {
		r->info = MAILDIR_OTHER_INFO;
	} else {
		r->info = MAILDIR_LETTERS;
		r->forwarded = maildir_letters_get(str_view(name + n + 3, all - n - 3), &r->flags);
	}
	return true;
}

void maildir_own_base(int64_t idate_ms, uint32_t uid, struct str_buf *out)
{
	str_buf_put_number(out, idate_ms > 0 ? (uint64_t)(idate_ms / 1000) : 0);
	str_buf_putc(out, '.');
	str_buf_put_number(out, uid);
	str_buf_put(out, OWN_TAIL, sizeof OWN_TAIL - 1);
}

bool maildir_is_own_base(const char *base, uint32_t *uid_r)
{
	size_t seconds = strspn(base, "0123456789"), digits;
	uint64_t uid;

	if (seconds == 0 || base[seconds] != '.')
		return false;
	base += seconds + 1;
	digits = strspn(base, "0123456789");
	if (strcmp(base + digits, OWN_TAIL) != 0 ||
	    !str_number(str_view(base, digits), UINT32_MAX, &uid) || uid == 0)
		return false;
	*uid_r = (uint32_t)uid;
	return true;
}

void maildir_tail_put(uint32_t uid, bool in_cur, uint32_t flags, bool forwarded, struct str_buf *out)
{
	if (uid) {
		str_buf_put(out, ",U=", 3);
		str_buf_put_number(out, uid);
	}
	if (in_cur || flags || forwarded) {
		str_buf_put(out, ":2,", 3);
		maildir_letters_put(flags, forwarded, out);
	}
}

bool maildir_base_fits(const char *base)
{
	return base[0] && base[0] != '.' && strlen(base) + TAIL_MAX <= NAME_MAX_BYTES && !strchr(base, ':') &&
	    !strstr(base, ",U=") && !strchr(base, '/');
}

const char *maildir_name_to_keep(const struct maildir_name *name)
{
	return maildir_base_fits(name->base) && mime_utf8_valid(str_view(name->base, strlen(name->base)))
	    ? name->base
	    : NULL;
}

static bool is_hex(char c)
{
	return c && strchr("0123456789ABCDEFabcdef", c);
}

void maildir_folder_encode(const char *path, struct str_buf *out)
{
	str_buf_putc(out, '.');
	for (const char *c = path; *c; c++)
		if (*c == '/')
			str_buf_putc(out, '.');
		else if ((unsigned char)*c < ' ' || *c == 127 || *c == '.' ||
		    (*c == '%' && is_hex(c[1]) && is_hex(c[2])))
			str_buf_printf(out, "%%%02X", (unsigned char)*c);
		else
			str_buf_putc(out, *c);
}

/* One component of the path behind what is in raw. */
static bool decode_component(const char *name, size_t n, struct str_buf *raw)
{
	struct str_buf component = {0};
	size_t from = raw->n;

	str_buf_put(&component, name, n);
	name_text_decode(component.p, raw);
	str_buf_fini(&component);
	return raw->n > from && !memchr(raw->p + from, '\0', raw->n - from) &&
	    !memchr(raw->p + from, '/', raw->n - from);
}

int maildir_folder_decode(const char *name, struct str_buf *out)
{
	struct str_buf raw = {0}, again = {0};
	int err = ENOENT;

	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (name[0] != '.')
		return ENOENT;
	for (const char *c = name; *c == '.';) {
		size_t n = strcspn(c + 1, ".");

		if (raw.n)
			str_buf_putc(&raw, '/');
		if (!decode_component(c + 1, n, &raw))
			goto out;
		c += 1 + n;
	}
	out->n = 0;
	if (!mime_nfc(str_buf_view(&raw), out)) {
		err = EILSEQ;
		goto out;
	}
	/* One folder, one name (but for NFD). */
	maildir_folder_encode(raw.p, &again);
	if (strcmp(again.p, name) == 0)
		err = 0;
out:
	str_buf_fini(&raw);
	str_buf_fini(&again);
	return err;
}
