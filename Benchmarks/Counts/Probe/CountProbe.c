#define _GNU_SOURCE
#include "CountProbe.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

// The program's own definitions come before the C library's, also for the libraries that it loads. glibc exports its allocator under
// these second names.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static uint64_t allocations;
static __thread int ignored;

static void count(void) {
    if (!ignored) __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t members, size_t size) {
    count();
    return __libc_calloc(members, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count();
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *given = __libc_memalign(alignment, size);
    if (given == NULL) return ENOMEM;
    *memory = given;
    return 0;
}

void cp_ignore_this_thread(void) { ignored = 1; }
uint64_t cp_allocations(void) { return __atomic_load_n(&allocations, __ATOMIC_RELAXED); }

static pthread_mutex_t receiving = PTHREAD_MUTEX_INITIALIZER;
static uint64_t batches;

void cp_hold_receive(void) { pthread_mutex_lock(&receiving); }
void cp_let_receive(void) { pthread_mutex_unlock(&receiving); }
uint64_t cp_batches(void) { return __atomic_load_n(&batches, __ATOMIC_RELAXED); }

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    pthread_mutex_lock(&receiving);
    pthread_mutex_unlock(&receiving);
    int received = (int)syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
    if (received > 0) __atomic_fetch_add(&batches, 1, __ATOMIC_RELAXED);
    return received;
}

int cp_is_counted(void) { return RUNNING_ON_VALGRIND != 0; }
void cp_begin(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_TOGGLE_COLLECT;
}
void cp_dump(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }

const char *cp_vectors(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return "avx512";
    if (__builtin_cpu_supports("avx2")) return "avx2";
#endif
    return "baseline";
}
