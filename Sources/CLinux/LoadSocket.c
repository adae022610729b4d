#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

_Static_assert(
    sizeof(struct lm_octets) == sizeof(struct iovec) && offsetof(struct lm_octets, count) == offsetof(struct iovec, iov_len),
    "lm_octets is handed to the system as iovec");

int lm_load_open(const struct lm_address *peer, int receive_buffer_bytes) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port), .sin6_scope_id = peer->scope};
    int is_four = memcmp(peer->octets, mapped, sizeof mapped) == 0;
    memcpy(&four.sin_addr, peer->octets + 12, 4);
    memcpy(&six.sin6_addr, peer->octets, 16);
    int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (receive_buffer_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    const struct sockaddr *name = is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six;
    if (connect(fd, name, is_four ? sizeof four : sizeof six) < 0) {
        int problem = errno;
        close(fd);
        return -problem;
    }
    return fd;
}

// Waits for room. Returns 0 when the kernel has none for long.
static int room(int fd) {
    struct pollfd waiting = {fd, POLLOUT, 0};
    return poll(&waiting, 1, 100) > 0;
}

static unsigned send_each(int fd, const struct lm_octets *datagrams, unsigned count) {
    struct mmsghdr headers[LM_BATCH];
    for (unsigned i = 0; i < count; i++)
        headers[i].msg_hdr = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)&datagrams[i], .msg_iovlen = 1};
    unsigned taken = 0;
    for (unsigned next = 0; next < count;) {
        int n = sendmmsg(fd, headers + next, count - next, 0);
        if (n > 0) {
            next += (unsigned)n;
            taken += (unsigned)n;
        } else if (errno == EAGAIN) {
            if (!room(fd)) return taken;
        } else if (errno != EINTR) {
            // Mostly the refusal of an earlier datagram, which is told once.
            next++;
        }
    }
    return taken;
}

// Sends datagrams of one length. Returns whether the kernel took them.
static int send_segments(int fd, const struct lm_octets *datagrams, unsigned count) {
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct msghdr message = {
        .msg_iov = (struct iovec *)(uintptr_t)datagrams, .msg_iovlen = count,
        .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t length = (uint16_t)datagrams[0].count;
    memcpy(CMSG_DATA(c), &length, sizeof length);
    for (;;) {
        if (sendmsg(fd, &message, 0) >= 0) return 1;
        if (errno == EINTR) continue;
        if (errno != EAGAIN || !room(fd)) return 0;
    }
}

int lm_load_send(int fd, const struct lm_octets *datagrams, unsigned count, int segment) {
    if (count > LM_BATCH) count = LM_BATCH;
    if (!segment) return (int)send_each(fd, datagrams, count);
    unsigned taken = 0;
    for (unsigned start = 0, end; start < count; start = end) {
        // One datagram may not exceed 65507 octets, so that neither may what is cut into segments.
        size_t whole = datagrams[start].count;
        for (end = start + 1; end < count && datagrams[end].count == datagrams[start].count; end++) {
            if (whole + datagrams[end].count > 60000) break;
            whole += datagrams[end].count;
        }
        if (end - start > 1 && send_segments(fd, datagrams + start, end - start)) {
            taken += end - start;
        } else {
            taken += send_each(fd, datagrams + start, end - start);
        }
    }
    return (int)taken;
}

int lm_load_receive(int fd, const struct lm_octets *slots, uint32_t *counts, unsigned count) {
    struct mmsghdr headers[LM_BATCH];
    if (count > LM_BATCH) count = LM_BATCH;
    for (unsigned i = 0; i < count; i++)
        headers[i].msg_hdr = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)&slots[i], .msg_iovlen = 1};
    int received = recvmmsg(fd, headers, count, MSG_DONTWAIT, NULL);
    if (received < 0) return -errno;
    for (int i = 0; i < received; i++) counts[i] = headers[i].msg_len;
    return received;
}
