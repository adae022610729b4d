// Many datagrams with one call, and neighbours of one length as one message.
#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    // What every IPv6 path carries (RFC 8200 §5: 1280 octets), rounded down. A segment may not be cut into fragments.
    LONGEST_SEGMENT = 1200,
    // The most that one message may hold, all its segments together: 65535 less the headers of IPv4 and UDP.
    LONGEST_MESSAGE = 65507,
    LOCAL_OCTETS = CMSG_SPACE(sizeof(struct in6_pktinfo)),
    SEGMENT_OCTETS = CMSG_SPACE(sizeof(uint16_t)),
    // A power of two above twice the number of peers, so that a search soon ends.
    PLACES = 256,
    NOBODY = 255,
};

_Static_assert(LM_BATCH <= 64, "before Linux 6.9 a message has at most 64 segments (UDP_MAX_SEGMENTS)");
_Static_assert((int)LM_BATCH <= (int)NOBODY, "a run's number fits one octet");

// The messages of one call and all that they point to.
struct outgoing {
    struct mmsghdr headers[LM_BATCH];
    struct iovec vectors[LM_BATCH];
    struct sockaddr_in6 peers[LM_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[LM_BATCH][LOCAL_OCTETS + SEGMENT_OCTETS];
};

// Datagrams of one length, the last perhaps shorter, from one of our addresses to one peer.
struct run {
    const struct lm_datagram *first;
    uint32_t octets;
    uint8_t count;
    uint8_t is_complete;
};

// Message `position` goes where `datagram` goes, from the same address, with `count` vectors from `vectors` on.
static void begin(
    struct outgoing *out, unsigned position, const struct lm_datagram *datagram, struct iovec *vectors, unsigned count
) {
    static const uint8_t anywhere[16];
    struct sockaddr_in6 *peer = &out->peers[position];
    *peer = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(datagram->peer.port), .sin6_scope_id = datagram->peer.scope};
    memcpy(&peer->sin6_addr, datagram->peer.octets, sizeof datagram->peer.octets);
    struct msghdr *message = &out->headers[position].msg_hdr;
    *message = (struct msghdr){.msg_name = peer, .msg_namelen = sizeof *peer, .msg_iov = vectors, .msg_iovlen = count};
    if (memcmp(datagram->local, anywhere, sizeof anywhere) == 0) return;
    message->msg_control = out->control[position];
    message->msg_controllen = LOCAL_OCTETS;
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
    struct in6_pktinfo info = {.ipi6_ifindex = datagram->interface_index};
    memcpy(&info.ipi6_addr, datagram->local, sizeof datagram->local);
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

// Has the kernel cut message `position` every `octets` octets.
static void segment(struct outgoing *out, unsigned position, uint16_t octets) {
    struct msghdr *message = &out->headers[position].msg_hdr;
    struct cmsghdr *c = (struct cmsghdr *)(void *)(out->control[position] + message->msg_controllen);
    message->msg_control = out->control[position];
    message->msg_controllen += SEGMENT_OCTETS;
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof octets);
    memcpy(CMSG_DATA(c), &octets, sizeof octets);
}

// Sends in order until one is refused. Returns how many messages went; `problem` is 0, or why the next did not.
static unsigned transmit(int fd, struct mmsghdr *headers, unsigned count, int *problem) {
    unsigned sent = 0;
    *problem = 0;
    while (sent < count) {
        int n = sendmmsg(fd, headers + sent, count - sent, 0);
        int reason = errno;
        if (n > 0) {
            sent += (unsigned)n;
        } else if (reason == EAGAIN) {
            struct pollfd waiting = {fd, POLLOUT, 0};
            if (poll(&waiting, 1, 100) > 0) continue;
            *problem = EAGAIN;
            return sent;
        } else if (reason != EINTR) {
            *problem = reason;
            return sent;
        }
    }
    return sent;
}

// Sends messages of one datagram each.
static int send_each(int fd, struct mmsghdr *headers, unsigned count) {
    unsigned sent = 0;
    int first = 0;
    for (unsigned next = 0; next < count; next++) {
        int problem;
        unsigned n = transmit(fd, headers + next, count - next, &problem);
        sent += n;
        next += n;
        if (first == 0) first = problem;
        if (problem == EAGAIN) break;
        // One unreachable peer must not cost the others their replies.
    }
    return sent > 0 ? (int)sent : -first;
}

int lm_send(int fd, const struct lm_datagram *slots, unsigned count) {
    struct outgoing out;
    unsigned used = 0;
    if (count > LM_BATCH) count = LM_BATCH;
    for (unsigned i = 0; i < count; i++) {
        if (slots[i].count == 0) continue;
        out.vectors[used] = (struct iovec){slots[i].bytes, slots[i].count};
        begin(&out, used, &slots[i], &out.vectors[used], 1);
        used++;
    }
    return send_each(fd, out.headers, used);
}

int lm_sends_runs(int fd) {
    int octets;
    socklen_t size = sizeof octets;
    // An older kernel would not refuse the control message but overlook it, and send a run as one datagram.
    return getsockopt(fd, SOL_UDP, UDP_SEGMENT, &octets, &size) == 0;
}

static int goes_with(const struct lm_datagram *a, const struct lm_datagram *b) {
    return a->peer.port == b->peer.port && memcmp(a->peer.octets, b->peer.octets, sizeof a->peer.octets) == 0
        && memcmp(a->local, b->local, sizeof a->local) == 0 && a->peer.scope == b->peer.scope
        && a->interface_index == b->interface_index;
}

static unsigned place(const struct lm_datagram *datagram) {
    uint64_t low;
    memcpy(&low, datagram->peer.octets + 8, sizeof low);
    return (unsigned)(((low ^ (uint64_t)datagram->peer.port << 48) * 0x9e3779b97f4a7c15u) >> 56);
}

static int has_room(const struct run *run, uint32_t octets) {
    return !run->is_complete && octets <= run->first->count && run->octets + octets <= LONGEST_MESSAGE;
}

// Puts each datagram into the latest run of its peer, where it fits, so that each peer's keep their order. `member` tells the run of
// each slot, NOBODY of an empty one. Returns the number of runs.
static unsigned gather(const struct lm_datagram *slots, unsigned count, struct run *runs, uint8_t *member) {
    uint8_t latest[PLACES];
    unsigned used = 0;
    memset(latest, NOBODY, sizeof latest);
    for (unsigned i = 0; i < count; i++) {
        const struct lm_datagram *slot = &slots[i];
        member[i] = NOBODY;
        if (slot->count == 0) continue;
        unsigned at = place(slot);
        while (latest[at] != NOBODY && !goes_with(runs[latest[at]].first, slot)) at = (at + 1) % PLACES;
        if (latest[at] == NOBODY || !has_room(&runs[latest[at]], slot->count)) {
            runs[used] = (struct run){.first = slot, .is_complete = slot->count > LONGEST_SEGMENT};
            latest[at] = (uint8_t)used++;
        }
        struct run *run = &runs[latest[at]];
        run->octets += slot->count;
        run->count++;
        // Only the last segment may be shorter.
        if (slot->count < run->first->count) run->is_complete = 1;
        member[i] = latest[at];
    }
    return used;
}

// Sends the datagrams of a message that the kernel would not cut. Returns how many it took.
static int send_apart(int fd, const struct msghdr *message) {
    struct mmsghdr headers[LM_BATCH];
    size_t local = message->msg_controllen - SEGMENT_OCTETS;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        headers[i].msg_hdr = *message;
        headers[i].msg_hdr.msg_iov = message->msg_iov + i;
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_control = local > 0 ? message->msg_control : NULL;
        headers[i].msg_hdr.msg_controllen = local;
    }
    int sent = send_each(fd, headers, (unsigned)message->msg_iovlen);
    return sent > 0 ? sent : 0;
}

// Whether a refusal may be of cutting as such: the datagrams are to be encrypted (EIO), the route is narrow (EMSGSIZE, once EINVAL),
// the socket has no checksums (EINVAL). An unreachable peer, or a moment without memory, says nothing about the next run.
static int forbids_runs(int problem) {
    return problem == EIO || problem == EINVAL || problem == EMSGSIZE || problem == EOPNOTSUPP;
}

static int send_runs(int fd, struct outgoing *out, unsigned count, int *sends_runs) {
    int sent = 0, first = 0;
    for (unsigned next = 0; next < count; next++) {
        int problem;
        unsigned end = next + transmit(fd, out->headers + next, count - next, &problem);
        for (; next < end; next++) sent += (int)out->headers[next].msg_hdr.msg_iovlen;
        if (first == 0) first = problem;
        if (problem == EAGAIN) break;
        if (next == count || out->headers[next].msg_hdr.msg_iovlen == 1) continue;
        int apart = send_apart(fd, &out->headers[next].msg_hdr);
        if (apart > 0 && forbids_runs(problem)) *sends_runs = 0;
        sent += apart;
    }
    return sent > 0 ? sent : -first;
}

int lm_send_runs(int fd, const struct lm_datagram *slots, unsigned count, int *sends_runs) {
    struct outgoing out;
    struct run runs[LM_BATCH];
    uint8_t member[LM_BATCH], next[LM_BATCH];
    if (!*sends_runs || count < 2) return lm_send(fd, slots, count);
    if (count > LM_BATCH) count = LM_BATCH;
    unsigned used = gather(slots, count, runs, member);
    unsigned vectors = 0;
    for (unsigned i = 0; i < used; i++) {
        begin(&out, i, runs[i].first, &out.vectors[vectors], runs[i].count);
        if (runs[i].count > 1) segment(&out, i, (uint16_t)runs[i].first->count);
        next[i] = (uint8_t)vectors;
        vectors += runs[i].count;
    }
    for (unsigned i = 0; i < count; i++)
        if (member[i] != NOBODY) out.vectors[next[member[i]]++] = (struct iovec){slots[i].bytes, slots[i].count};
    return send_runs(fd, &out, used, sends_runs);
}
