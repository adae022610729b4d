// What the count driver sees and steers of its own process: allocations, the moment when the server may receive, callgrind's dumps.
#ifndef LASTMILE_COUNT_PROBE_H
#define LASTMILE_COUNT_PROBE_H

#include <stdint.h>

/// Leaves the calling thread's allocations out of `cp_allocations`.
void cp_ignore_this_thread(void);

/// Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc and memalign so far, by all threads that are not ignored.
uint64_t cp_allocations(void);

/// From here on `recvmmsg` waits, in any thread, until `cp_let_receive`: the batch that is being sent is received whole.
void cp_hold_receive(void);
void cp_let_receive(void);

/// Calls of `recvmmsg` that brought at least one datagram.
uint64_t cp_batches(void);

/// Whether this process runs under valgrind.
int cp_is_counted(void);

/// Has callgrind count from here on; before, the process runs faster.
void cp_begin(void);

/// Has callgrind write what every thread did since the last call, with `name` in the file, and begin anew.
void cp_dump(const char *name);

/// The widest vector instructions that this process is told of: "avx512", "avx2" or "baseline".
const char *cp_vectors(void);

#endif
