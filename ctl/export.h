/* An export under way. */
#ifndef CTL_EXPORT_H
#define CTL_EXPORT_H

#include "ctl/mail_form.h"
#include "ctl/mbox.h"
#include "store/message.h"

#define EXPORT_SLICE 262144 /* octets of a message read at a time */

struct export {
	struct store *store;
	int dir_fd, mbox_fd;   /* the target; the mbox file being written, else -1 */
	struct str_buf path;   /* of the folder, below dir_fd */
	uint32_t uidvalidity;
	int forwarded_bit;     /* of the keyword $Forwarded, -1: none */
	char *slice;
	struct str_buf out, quoted, exceptions;
	uint64_t messages, octets;
};

/* A folder's name as a path below the target, put into out. */
void export_path(const char *folder, struct str_buf *out);
/* A component of such a path as it was in the folder's name, added to out; any other stays as it is. */
void export_component_read(const char *name, struct str_buf *out);

#endif
