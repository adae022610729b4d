// What Swift cannot see of Linux by itself: GNU calls behind macros, and macros with casts.
#ifndef LASTMILE_CLINUX_H
#define LASTMILE_CLINUX_H

// Only these: a structure of the system that is defined through this header would be this module's in Swift, or Glibc's, by the order
// of loading.
#include <stddef.h>
#include <stdint.h>

#include "LoadSocket.h"
#include "MD5Lanes.h"
#include "Process.h"
#include "SHA1Blocks.h"
#include "Steering.h"
#include "Stream.h"

/// Where a datagram comes from or goes to.
struct lm_address {
    uint8_t octets[16];  // IPv4 stands here as ::ffff:a.b.c.d
    uint16_t port;       // host order
    uint32_t scope;      // interface of a link-local address, else 0
};

/// One datagram slot: where its bytes lie, how many there are, and the peer's address.
struct lm_datagram {
    uint8_t *bytes;
    uint32_t capacity;
    uint32_t count;
    struct lm_address peer;
    uint8_t local[16];         // the address that the peer sent to; the reply leaves from it; zeros let the system choose
    uint32_t interface_index;  // scope of a link-local local address, else 0
    uint32_t truncated;        // 1 when the datagram was longer than capacity
};

/// Most datagrams that one call moves.
enum { LM_BATCH = 64 };

/// Receives up to `count` datagrams without waiting. Returns how many, or -errno.
int lm_receive(int fd, struct lm_datagram *slots, unsigned count);

/// Sends `count` datagrams, skipping those whose `count` is 0. Returns how many the kernel took, or -errno of the first refusal.
int lm_send(int fd, const struct lm_datagram *slots, unsigned count);

/// Whether the kernel can cut one message of this socket into datagrams (UDP_SEGMENT, Linux 4.18): 1 or 0.
int lm_sends_runs(int fd);

/// Sends as `lm_send` does, but what goes to one peer with the same length, at most LM_BATCH datagrams, leaves as one message that the
/// kernel cuts. The peer sees no difference: the datagrams are the same and in the same order. `sends_runs` holds what `lm_sends_runs`
/// said and becomes 0 for good when kernel, route or device refuses; what was refused is sent again, each datagram by itself.
int lm_send_runs(int fd, const struct lm_datagram *slots, unsigned count, int *sends_runs);

/// Opens a non-blocking dual-stack UDP socket, bound to the 16 octets of `address` and to `port`; one that is bound to all addresses
/// learns the local address of each datagram. Returns fd or -errno.
int lm_udp_open(const uint8_t *address, uint16_t port, int reuse_port, int receive_buffer_bytes);

/// Pins the calling thread to one processor; returns 0 or -errno.
int lm_pin_thread(int processor);

/// Names the calling thread (at most 15 octets are kept).
void lm_name_thread(const char *name);

/// Takes the exclusive lock of an open file (flock(2)) if it is free now or within `milliseconds`: a child that this process has just
/// forked holds all its locks, too, until it has become another program. Returns 0 or -errno, -EWOULDBLOCK for a lock that others keep.
int lm_lock(int fd, uint32_t milliseconds);

/// Lets the calling thread alone give way to others by `niceness`, 0...19. Needs no privilege.
void lm_yield_priority(int niceness);

/// Lets writes to a connection whose peer is gone fail on the calling thread, instead of ending the process.
void lm_block_broken_pipes(void);

/// Monotonic and wall clock in nanoseconds.
uint64_t lm_monotonic_nanoseconds(void);
uint64_t lm_realtime_nanoseconds(void);

/// Gives memory that was freed back to the system, which the allocator would keep; glibc's malloc_trim.
void lm_give_back_memory(void);

/// eventfd and epoll without the macros.
int lm_eventfd(void);
void lm_eventfd_signal(int fd);
void lm_eventfd_drain(int fd);

/// Waits until one of up to eight descriptors is readable; bit N = descriptor N; 0 = timeout or signal; negative = -errno.
int lm_wait(const int *descriptors, unsigned count, int timeout_milliseconds);

/// The port that a socket is bound to, or -errno.
int lm_bound_port(int fd);

/// Asks the processor to bring the cache line at `place` nearer; any address is allowed.
static inline void lm_prefetch(const void *place) { __builtin_prefetch(place); }

/// CRC-32C (Castagnoli) of `count` octets, continued from `seed` (0 to begin).
uint32_t lm_crc32c(uint32_t seed, const uint8_t *bytes, size_t count);

/// The same without the processor's instruction; to compare with.
uint32_t lm_crc32c_table(uint32_t seed, const uint8_t *bytes, size_t count);

#endif
