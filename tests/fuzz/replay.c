/*
 * Runs a fuzz target over files, so that what a fuzzer once found is an ordinary test.  Arguments are
 * files or folders of them; says how many there were, and skips (77) where there are none.
 */
#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static size_t files_n;

static int replay(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type != FTW_F)
		return 0;
	size_t n = (size_t)st->st_size;
	uint8_t *octets = malloc(n ? n : 1); /* of exact size, for the sanitizers */
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!octets || fd < 0 || read(fd, octets, n) != (ssize_t)n) {
		perror(path);
		exit(1);
	}
	close(fd);
	LLVMFuzzerTestOneInput(octets, n);
	free(octets);
	files_n++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS) != 0) {
			perror(argv[i]);
			return 1;
		}
	printf("%zu inputs\n", files_n);
	return files_n ? 0 : 77;
}
