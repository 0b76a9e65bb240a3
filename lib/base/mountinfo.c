/* base/mountinfo.c - reads /proc/self/mountinfo. */
#include "base/mountinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE " - fuse.postern "

/* Blanks and the like stand as three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; to++)
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to = *s++;
		}
	*to = '\0';
}

static bool parse(const char *line, struct mountinfo *mount)
{
	if (!strstr(line, TYPE) || sscanf(line, "%*s %*s %31s %*s %4095s", mount->device, mount->path) != 2)
		return false;
	unescape(mount->path);
	return true;
}

/* The last is the one that stands over the others. */
bool mountinfo_find(const char *path, const char *device, struct mountinfo *found_r)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mountinfo mount;
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return false;
	while (getline(&line, &size, f) > 0)
		if (parse(line, &mount) && (!path || strcmp(mount.path, path) == 0) &&
		    (!device || strcmp(mount.device, device) == 0)) {
			*found_r = mount;
			found = true;
		}
	free(line);
	fclose(f);
	return found;
}

bool mountinfo_real_path(const char *path, char real_r[PATH_MAX])
{
	char folder[PATH_MAX], real[PATH_MAX], *slash;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof folder)
		return false;
	memcpy(folder, path, n);
	folder[n] = '\0';
	slash = strrchr(folder, '/');
	/* "." and ".." are no names. */
	if (strcmp(slash ? slash + 1 : folder, ".") == 0 || strcmp(slash ? slash + 1 : folder, "..") == 0 ||
	    (slash && !slash[1]))
		return realpath(path, real_r) != NULL;
	if (slash)
		*slash = '\0';
	if (!realpath(!slash ? "." : folder[0] ? folder : "/", real))
		return false;
	return snprintf(real_r, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : folder) < PATH_MAX;
}
