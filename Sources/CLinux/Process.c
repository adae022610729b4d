#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAGE_SIGNALS, STAGE_DESCRIPTORS, STAGE_USER, STAGE_DEATH_SIGNAL, STAGE_EXEC };
static const char *const stage_names[] = {"signals", "descriptors", "setuid", "death signal", "exec"};

struct report {
    int stage;
    int problem;
};

static int default_signals(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);  // SIGKILL and SIGSTOP refuse; no harm
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int arrange_descriptors(const struct lm_process *process, int report) {
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(process->output, 1) < 0 || dup2(process->output, 2) < 0) return -1;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3u, ~0u, 4u) < 0)  // 4 = CLOSE_RANGE_CLOEXEC
#endif
        for (int fd = 3; fd < 4096; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (process->held > 2 && fcntl(process->held, F_SETFD, 0) < 0) return -1;
    return fcntl(report, F_SETFD, FD_CLOEXEC);
}

// By the kernel's calls: the library's make every thread change, which a fork of a process with many threads must not try (nptl(7)).
static int become(const struct lm_process *process) {
    if (!process->change_user) return 0;
    if (syscall(SYS_setgroups, 0, NULL) < 0) return -1;
    if (syscall(SYS_setresgid, process->group, process->group, process->group) < 0) return -1;
    return (int)syscall(SYS_setresuid, process->user, process->user, process->user);
}

// A change of user clears the death signal, so it comes after; and the parent may have died meanwhile.
static int arm_death_signal(const struct lm_process *process, pid_t parent) {
    if (!process->death_signal) return 0;
    if (prctl(PR_SET_PDEATHSIG, process->death_signal) < 0) return -1;
    if (getppid() != parent) _exit(127);
    return 0;
}

static void run_child(const struct lm_process *process, pid_t parent, int report) {
    struct report failed = {STAGE_SIGNALS, 0};
    int result = default_signals();
    if (result == 0) failed.stage = STAGE_DESCRIPTORS, result = arrange_descriptors(process, report);
    if (result == 0) failed.stage = STAGE_USER, result = become(process);
    if (result == 0) failed.stage = STAGE_DEATH_SIGNAL, result = arm_death_signal(process, parent);
    if (result == 0) {
        setsid();
        nice(process->niceness);
        if (chdir("/") < 0) _exit(127);
        failed.stage = STAGE_EXEC;
        execve(process->path, process->arguments, process->environment);
    }
    failed.problem = errno;
    while (write(report, &failed, sizeof failed) < 0 && errno == EINTR) {}
    _exit(127);
}

pid_t lm_process_start(const struct lm_process *process, const char **stage) {
    int channel[2];
    *stage = "pipe";
    if (pipe2(channel, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    *stage = "fork";
    pid_t child = fork();
    if (child == 0) run_child(process, parent, channel[1]);
    int problem = errno;
    close(channel[1]);
    struct report failed;
    ssize_t count = 0;
    if (child > 0)
        while ((count = read(channel[0], &failed, sizeof failed)) < 0 && errno == EINTR) {}
    close(channel[0]);
    if (child < 0) return -problem;
    if (count != (ssize_t)sizeof failed) return child;
    *stage = stage_names[failed.stage];
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return -failed.problem;
}

int lm_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
    long fd = syscall(SYS_pidfd_open, process, 0);
    return fd < 0 ? -errno : (int)fd;
#else
    (void)process;
    return -ENOSYS;
#endif
}

int lm_process_ended(pid_t process, int *status) {
    int raw = 0;
    pid_t ended;
    while ((ended = waitpid(process, &raw, WNOHANG)) < 0 && errno == EINTR) {}
    if (ended == 0) return 0;
    *status = ended < 0 ? 255 : WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return 1;
}
