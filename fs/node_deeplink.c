/* fs/node_deeplink.c - a link to a message, one directory further down: in view/USER/search/<query>/ and
 * view/USER/thread/<id>/. */
#include "fs/tree.h"

const struct node_row node_deeplink_row = {
	.name = "deeplink",
	.attr = fs_link_attr,
	.folder = tree_folder,
	.readlink = fs_link_read,
};
