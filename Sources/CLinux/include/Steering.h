// What the kernel does with datagrams before we read them: which socket of a group takes one, and how full a socket is.
#ifndef LASTMILE_STEERING_H
#define LASTMILE_STEERING_H

#include <stdint.h>

/// Makes the kernel choose among the `sockets` UDP sockets that share a port (SO_REUSEPORT) by source address, source port and the
/// payload's second octet, which is the identifier of a RADIUS packet. `fd` is any bound socket of the group; the order of the group is
/// the order in which its sockets were bound. Returns 0 or -errno; the kernel then goes on choosing by addresses and ports alone.
int lm_steer(int fd, uint32_t sockets);

/// How full a socket's receive queue is.
struct lm_receive_queue {
    uint32_t octets;   // charged now, the kernel's overhead for each datagram included; may lag a quarter of `limit` behind
    uint32_t limit;    // SO_RCVBUF as the kernel keeps it
    uint32_t dropped;  // datagrams lost because it was full, since the socket was opened; wraps
};

/// Reads the state of a socket's receive queue. Returns 0 or -errno.
int lm_receive_queue_state(int fd, struct lm_receive_queue *state);

/// Asks for a receive buffer of `octets` beyond net.core.rmem_max, which needs CAP_NET_ADMIN, else for what is allowed. Returns the
/// octets granted, or -errno.
int lm_receive_buffer(int fd, int octets);

#endif
