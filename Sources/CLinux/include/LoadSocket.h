// Sockets of the load generator: connected to one server, so that the kernel looks up neither route nor peer for each datagram.
#ifndef LASTMILE_LOAD_SOCKET_H
#define LASTMILE_LOAD_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/// Octets somewhere else; laid out as the system's struct iovec.
struct lm_octets {
    uint8_t *bytes;
    size_t count;
};

struct lm_address;

/// Opens a non-blocking UDP socket that is connected to `peer`. Returns fd or -errno.
int lm_load_open(const struct lm_address *peer, int receive_buffer_bytes);

/// Sends up to LM_BATCH datagrams. With `segment`, neighbours of equal length go to the kernel as one (UDP_SEGMENT) and arrive apart.
/// What the kernel refuses is left out. Returns how many it took.
int lm_load_send(int fd, const struct lm_octets *datagrams, unsigned count, int segment);

/// Receives up to LM_BATCH datagrams without waiting; each of `slots` says where one goes and how long it may be, and then how long
/// it is in `counts`. Returns how many, or -errno.
int lm_load_receive(int fd, const struct lm_octets *slots, uint32_t *counts, unsigned count);

#endif
