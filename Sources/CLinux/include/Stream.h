// TCP sockets and epoll, without the macros and packed structures that Swift does not see.
#ifndef LASTMILE_STREAM_H
#define LASTMILE_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct lm_address;

/// What a descriptor is ready for, or shall be watched for. A hang-up or an error counts as readable: reading tells which.
static const uint32_t LM_READABLE = 1, LM_WRITABLE = 2;

/// One descriptor that is ready.
struct lm_ready {
    uint64_t key;  // what it was watched under
    uint32_t events;
};

/// Opens a non-blocking dual-stack TCP socket bound to the 16 octets of `address` and to `port`, which does not listen yet. What it
/// accepts has kernel buffers of about `buffer_octets` each way. Returns fd or -errno.
int lm_tcp_bind(const uint8_t *address, uint16_t port, int reuse_port, int buffer_octets);

/// Begins to listen. Returns 0 or -errno.
int lm_tcp_listen(int fd, int backlog);

/// Accepts one connection, non-blocking, without delay for small packets, with keep-alive. Returns fd or -errno.
int lm_tcp_accept(int fd, struct lm_address *peer);

/// Begins to connect to `peer` from any address; writable, or an error, tells what came of it. Returns fd or -errno.
int lm_tcp_connect(const struct lm_address *peer);

/// Opens a non-blocking UDP socket that sends to `peer` and receives from nobody else. Returns fd or -errno.
int lm_udp_connect(const struct lm_address *peer, int receive_buffer_octets);

/// The error that waits at a socket, cleared: 0 or -errno.
int lm_socket_error(int fd);

/// Receives without waiting. Returns octets, 0 at the peer's end, or -errno.
long lm_stream_receive(int fd, uint8_t *bytes, size_t capacity);

/// Sends without waiting and without a signal. Returns octets that the kernel took, or -errno.
long lm_stream_send(int fd, const uint8_t *bytes, size_t count);

/// Returns fd or -errno.
int lm_epoll(void);

/// Watches `fd` for `events` under `key`, anew or instead of what it was watched for. Returns 0 or -errno.
int lm_epoll_set(int epoll, int fd, uint64_t key, uint32_t events);

/// Watches `fd` no more.
void lm_epoll_remove(int epoll, int fd);

/// Waits until something is ready. Returns how many, 0 after a timeout or a signal, or -errno.
int lm_epoll_wait(int epoll, struct lm_ready *ready, unsigned count, int timeout_milliseconds);

/// Raises this process's limit of open files to `wanted` as far as the system allows. Returns the limit in force.
long lm_raise_file_limit(long wanted);

#endif
