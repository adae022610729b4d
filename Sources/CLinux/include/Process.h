// Child processes with another user, an open directory and a death signal: what posix_spawn cannot do.
#ifndef LASTMILE_PROCESS_H
#define LASTMILE_PROCESS_H

#include <stdint.h>

/// What to run and as whom. The child gets its own session, no signal handlers or masks, standard input from /dev/null, and no
/// descriptors of ours but `output` (as standard output and error) and `held`.
struct lm_process {
    const char *path;
    char *const *arguments;    // ends with NULL; the first is the program's name
    char *const *environment;  // ends with NULL
    uint32_t user;                // with change_user: the child gives up root for this user and group, and all other groups
    uint32_t group;
    int change_user;
    int output;
    int held;          // stays open under the same number, or -1
    int niceness;      // added to the priority of the child and of all that it starts; 0...19
    int death_signal;  // sent to the child when the calling THREAD ends, however it ends; 0 = none
};

/// Starts a child. Returns its process id, or -errno; then `stage` names what failed ("fork", "setuid", "exec" ...).
int32_t lm_process_start(const struct lm_process *process, const char **stage);

/// A descriptor that becomes readable when the process ends, or -errno where the kernel has none.
int lm_process_descriptor(int32_t process);

/// 1 when the child has ended, with its exit code (or 128 + signal) in `status`; 0 while it runs. Reaps it. A child that somebody else reaped counts as ended.
int lm_process_ended(int32_t process, int *status);

#endif
