#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_OCTETS 64

int lm_receive(int fd, struct lm_datagram *slots, unsigned count) {
    struct mmsghdr headers[LM_BATCH];
    struct iovec vectors[LM_BATCH];
    struct sockaddr_in6 peers[LM_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[LM_BATCH][CONTROL_OCTETS];
    if (count > LM_BATCH) count = LM_BATCH;
    for (unsigned i = 0; i < count; i++) {
        vectors[i] = (struct iovec){slots[i].bytes, slots[i].capacity};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &peers[i], .msg_namelen = sizeof peers[i],
            .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = control[i], .msg_controllen = CONTROL_OCTETS};
    }
    int received = recvmmsg(fd, headers, count, MSG_DONTWAIT, NULL);
    if (received < 0) return -errno;
    for (int i = 0; i < received; i++) {
        struct lm_datagram *slot = &slots[i];
        slot->count = headers[i].msg_len;
        slot->truncated = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        memcpy(slot->peer.octets, &peers[i].sin6_addr, sizeof slot->peer.octets);
        slot->peer.port = ntohs(peers[i].sin6_port);
        slot->peer.scope = peers[i].sin6_scope_id;
        memset(slot->local, 0, sizeof slot->local);
        slot->interface_index = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&headers[i].msg_hdr); c; c = CMSG_NXTHDR(&headers[i].msg_hdr, c)) {
            if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO) continue;
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(slot->local, &info.ipi6_addr, sizeof slot->local);
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) slot->interface_index = info.ipi6_ifindex;
        }
    }
    return received;
}

static int is_wildcard(const uint8_t *address) {
    static const uint8_t ipv6[16], ipv4[16] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, ipv6, sizeof ipv6) == 0 || memcmp(address, ipv4, sizeof ipv4) == 0;
}

int lm_udp_open(const uint8_t *address, uint16_t port, int reuse_port, int receive_buffer_bytes) {
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1, off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    // Only a socket of all addresses must be told where a datagram went; to be told costs each datagram.
    if (is_wildcard(address)) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (receive_buffer_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&local.sin6_addr, address, sizeof local.sin6_addr);
    if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0) {
        int problem = errno;
        close(fd);
        return -problem;
    }
    return fd;
}

int lm_pin_thread(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void lm_name_thread(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof kept - 1);
    pthread_setname_np(pthread_self(), kept);
}

int lm_lock(int fd, uint32_t milliseconds) {
    const struct timespec pause = {0, 10 * 1000 * 1000};
    for (uint32_t waited = 0;; waited += 10) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
        if (errno != EWOULDBLOCK || waited >= milliseconds) return -errno;
        nanosleep(&pause, NULL);
    }
}

void lm_block_broken_pipes(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

// Linux keeps the niceness of each thread apart, whatever POSIX says (setpriority(2), "C library/kernel differences").
void lm_yield_priority(int niceness) {
    errno = 0;
    int present = getpriority(PRIO_PROCESS, 0);
    if (errno == 0 && present >= niceness) return;
    setpriority(PRIO_PROCESS, 0, niceness);
}

static uint64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t lm_monotonic_nanoseconds(void) { return now(CLOCK_MONOTONIC); }
uint64_t lm_realtime_nanoseconds(void) { return now(CLOCK_REALTIME); }

void lm_give_back_memory(void) { malloc_trim(0); }

int lm_eventfd(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void lm_eventfd_signal(int fd) {
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {}
}

void lm_eventfd_drain(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {}
}

int lm_wait(const int *descriptors, unsigned count, int timeout_milliseconds) {
    struct pollfd waiting[8];
    if (count > 8) return -EINVAL;
    for (unsigned i = 0; i < count; i++) waiting[i] = (struct pollfd){descriptors[i], POLLIN, 0};
    if (poll(waiting, count, timeout_milliseconds) < 0) return errno == EINTR ? 0 : -errno;
    int readable = 0;
    for (unsigned i = 0; i < count; i++)
        if (waiting[i].revents) readable |= 1 << i;
    return readable;
}

int lm_bound_port(int fd) {
    struct sockaddr_in6 local;
    socklen_t size = sizeof local;
    if (getsockname(fd, (struct sockaddr *)&local, &size) < 0) return -errno;
    return ntohs(local.sin6_port);
}
