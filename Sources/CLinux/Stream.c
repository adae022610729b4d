#define _GNU_SOURCE
#include "CLinux.h"
#include "Stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_LIMIT 256

int lm_tcp_bind(const uint8_t *address, uint16_t port, int reuse_port, int buffer_octets) {
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1, off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    // Connections of a server that has ended linger for a minute; they are no reason not to begin anew.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // What is accepted inherits both; set after listen() the window could not follow.
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_octets, sizeof buffer_octets);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_octets, sizeof buffer_octets);
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&local.sin6_addr, address, sizeof local.sin6_addr);
    if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0) {
        int problem = errno;
        close(fd);
        return -problem;
    }
    return fd;
}

int lm_tcp_listen(int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

static void prepare(int fd) {
    int on = 1, idle = 60, interval = 15, count = 4;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

int lm_tcp_accept(int fd, struct lm_address *peer) {
    struct sockaddr_in6 from;
    socklen_t size = sizeof from;
    int accepted = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    prepare(accepted);
    memcpy(peer->octets, &from.sin6_addr, sizeof peer->octets);
    peer->port = ntohs(from.sin6_port);
    peer->scope = from.sin6_scope_id;
    return accepted;
}

// Begins to connect; closes `fd` when that is refused at once.
static int connected(int fd, const struct lm_address *peer) {
    int off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port), .sin6_scope_id = peer->scope};
    memcpy(&to.sin6_addr, peer->octets, sizeof to.sin6_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        int problem = errno;
        close(fd);
        return -problem;
    }
    return fd;
}

int lm_tcp_connect(const struct lm_address *peer) {
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    prepare(fd);
    return connected(fd, peer);
}

int lm_udp_connect(const struct lm_address *peer, int receive_buffer_octets) {
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_octets, sizeof receive_buffer_octets);
    return connected(fd, peer);
}

int lm_socket_error(int fd) {
    int problem = 0;
    socklen_t size = sizeof problem;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0 ? -errno : -problem;
}

long lm_stream_receive(int fd, uint8_t *bytes, size_t capacity) {
    for (;;) {
        ssize_t count = recv(fd, bytes, capacity, MSG_DONTWAIT);
        if (count >= 0) return count;
        if (errno != EINTR) return -errno;
    }
}

long lm_stream_send(int fd, const uint8_t *bytes, size_t count) {
    for (;;) {
        ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) return sent;
        if (errno != EINTR) return -errno;
    }
}

int lm_epoll(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int lm_epoll_set(int epoll, int fd, uint64_t key, uint32_t events) {
    struct epoll_event event = {.data.u64 = key};
    if (events & LM_READABLE) event.events |= EPOLLIN;
    if (events & LM_WRITABLE) event.events |= EPOLLOUT;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
    if (errno != ENOENT) return -errno;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void lm_epoll_remove(int epoll, int fd) { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int lm_epoll_wait(int epoll, struct lm_ready *ready, unsigned count, int timeout_milliseconds) {
    struct epoll_event events[READY_LIMIT];
    if (count > READY_LIMIT) count = READY_LIMIT;
    int found = epoll_wait(epoll, events, (int)count, timeout_milliseconds);
    if (found < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < found; i++) {
        uint32_t seen = events[i].events;
        ready[i].key = events[i].data.u64;
        ready[i].events = (seen & ~(uint32_t)EPOLLOUT ? LM_READABLE : 0) | (seen & EPOLLOUT ? LM_WRITABLE : 0);
    }
    return found;
}

long lm_raise_file_limit(long wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    if (wanted <= 0 || limit.rlim_cur >= (rlim_t)wanted) return (long)limit.rlim_cur;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > (rlim_t)wanted ? (rlim_t)wanted : limit.rlim_max;
    return (long)(setrlimit(RLIMIT_NOFILE, &limit) < 0 ? before : limit.rlim_cur);
}
