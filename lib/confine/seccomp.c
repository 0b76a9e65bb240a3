/*
 * confine/seccomp.c - the system calls that a daemon makes, and what becomes of others (libseccomp).
 *
 * A door's list is what it and its libraries call.  What isn't on it fails with EPERM, since a library that
 * learns a new call has a way around it, and a mail server that dies of an upgrade serves nobody.  But what
 * no library falls back from and only an intruder would try ends the process, and the kernel logs it: to
 * start a program, to look into another process, to load code into the kernel, to change what is mounted.
 *
 * The mount starts programs (users' own mounts) and unmounts: for it that last list, without these, is all.
 *
 * Most calls are allowed whatever their arguments are: the kernel keeps those in a bitmap and does not even
 * run the filter (since 5.11); the others are found by a binary tree.
 */
#include "confine/confine_priv.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CALL(name) SCMP_SYS(name)

static const int door_calls[] = {
    /* memory */
    CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(membarrier),
    CALL(msync), CALL(mincore),
    /* threads, signals, time */
    CALL(futex), CALL(set_robust_list), CALL(get_robust_list), CALL(rseq), CALL(set_tid_address), CALL(exit),
    CALL(exit_group), CALL(gettid), CALL(getpid), CALL(getppid), CALL(tgkill), CALL(sched_yield),
    CALL(sched_getaffinity), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigtimedwait),
    CALL(sigaltstack), CALL(restart_syscall), CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep),
    CALL(nanosleep), CALL(gettimeofday), CALL(time), CALL(getrusage), CALL(sysinfo), CALL(uname), CALL(getrandom),
    CALL(prlimit64), CALL(getrlimit), CALL(getcpu), CALL(times),
    /* who we are */
    CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getresuid), CALL(getresgid), CALL(getgroups),
    CALL(capget),
    /* descriptors */
    CALL(read), CALL(readv), CALL(pread64), CALL(preadv), CALL(preadv2), CALL(write), CALL(writev), CALL(pwrite64),
    CALL(pwritev), CALL(pwritev2), CALL(lseek), CALL(close), CALL(close_range), CALL(dup), CALL(dup2), CALL(dup3),
    CALL(fcntl), CALL(flock), CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(ftruncate),
    CALL(fallocate), CALL(fadvise64), CALL(copy_file_range), CALL(sendfile), CALL(readahead), CALL(pipe2),
    CALL(pipe), CALL(syncfs),
    /* files */
    CALL(open), CALL(openat), CALL(creat), CALL(stat), CALL(fstat), CALL(lstat), CALL(newfstatat), CALL(statx),
    CALL(statfs), CALL(fstatfs), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(getdents64), CALL(getcwd),
    CALL(mkdir), CALL(mkdirat), CALL(rmdir), CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
    CALL(renameat2), CALL(link), CALL(linkat), CALL(readlink), CALL(readlinkat), CALL(truncate), CALL(chmod),
    CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(utimensat), CALL(umask), CALL(fgetxattr), CALL(getxattr),
    /* waiting */
    CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(poll),
    CALL(ppoll), CALL(select), CALL(pselect6), CALL(eventfd2), CALL(timerfd_create), CALL(timerfd_settime),
    CALL(timerfd_gettime), CALL(inotify_init1), CALL(inotify_add_watch), CALL(inotify_rm_watch),
    /* sockets that are there; new ones below */
    CALL(accept), CALL(accept4), CALL(connect), CALL(bind), CALL(listen), CALL(getsockname), CALL(getpeername),
    CALL(getsockopt), CALL(setsockopt), CALL(shutdown), CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg),
    CALL(sendmmsg), CALL(recvmmsg), CALL(socketpair),
};

/* What nobody but an intruder calls. */
static const int deadly_calls[] = {
    CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(pidfd_getfd), CALL(kcmp),
    CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load), CALL(bpf),
    CALL(perf_event_open), CALL(userfaultfd), CALL(keyctl), CALL(add_key), CALL(request_key), CALL(pivot_root),
    CALL(chroot), CALL(setns), CALL(unshare), CALL(move_mount), CALL(open_tree), CALL(fsopen), CALL(fsconfig),
    CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(swapon), CALL(swapoff), CALL(reboot), CALL(acct),
    CALL(iopl), CALL(ioperm), CALL(quotactl), CALL(settimeofday), CALL(clock_settime), CALL(clock_adjtime),
    CALL(adjtimex), CALL(sethostname), CALL(setdomainname), CALL(syslog), CALL(modify_ldt), CALL(personality),
    CALL(io_uring_setup), CALL(open_by_handle_at), CALL(nfsservctl), CALL(vhangup), CALL(lookup_dcookie),
};

static const int deadly_door_calls[] = {CALL(execve), CALL(execveat), CALL(mount), CALL(umount2), CALL(fork), CALL(vfork)};

static int add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = calls[i] < 0 ? 0 : seccomp_rule_add(ctx, action, calls[i], 0); /* < 0: not this processor's */

		if (r < 0)
			return r;
	}
	return 0;
}
#define ADD_ALL(ctx, action, calls) add_all(ctx, action, calls, sizeof(calls) / sizeof *(calls))

/* By arguments: threads and no processes (clone3 takes its flags where a filter can't look, and libc falls back
 * from it), local sockets, questions to a terminal or a pipe. */
static int add_door_by_arguments(scmp_filter_ctx ctx)
{
	static const unsigned long ioctls[] = {TCGETS, FIONREAD, FIONBIO};
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	for (size_t i = 0; r == 0 && i < sizeof ioctls / sizeof *ioctls; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, ioctls[i], 0));
	/* A thread's name; what CAP_AMBIENT and the like would change needs capabilities anyway. */
	return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prctl), 0);
}

static int add_rules(scmp_filter_ctx ctx, enum confine_role role)
{
	int r = ADD_ALL(ctx, SCMP_ACT_KILL_PROCESS, deadly_calls);

	if (r < 0 || role == CONFINE_MOUNT)
		return r;
	if ((r = ADD_ALL(ctx, SCMP_ACT_KILL_PROCESS, deadly_door_calls)) < 0 ||
	    (r = ADD_ALL(ctx, SCMP_ACT_ALLOW, door_calls)) < 0)
		return r;
	return add_door_by_arguments(ctx);
}

int confine_seccomp(enum confine_role role)
{
	scmp_filter_ctx ctx = seccomp_init(role == CONFINE_MOUNT ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx) {
		errno = ENOMEM;
		return -1;
	}
	/* A call of another processor's kind (32 bits) would get around the numbers.  No code of a stranger's runs in
	 * here, so that the kernel need not slow speculation down for the filter's sake. */
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_rules(ctx, role);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}
