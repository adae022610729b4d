// The floor that servers are measured against: receives datagrams in batches and sends each back as it came.
// One thread, one socket, on 127.0.0.1; prints `ready PORT`. Ends at SIGTERM.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

// LM_BATCH of Sources/CLinux/include/CLinux.h.
enum { BATCH = 64, OCTETS = 4096 };

static struct mmsghdr headers[BATCH];
static struct iovec vectors[BATCH];
static struct sockaddr_in peers[BATCH];
static unsigned char bytes[BATCH][OCTETS];

static int complain(const char *what) {
    perror(what);
    return 1;
}

int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof local;
    int buffer = 4 << 20;
    if (fd < 0) return complain("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&local, size) < 0) return complain("bind");
    if (getsockname(fd, (struct sockaddr *)&local, &size) < 0) return complain("getsockname");
    printf("ready %d\n", ntohs(local.sin_port));
    fflush(stdout);
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){bytes[i], OCTETS};
            headers[i].msg_hdr = (struct msghdr){
                .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
        }
        int count = recvmmsg(fd, headers, BATCH, MSG_WAITFORONE, NULL);
        if (count < 0) return complain("recvmmsg");
        for (int i = 0; i < count; i++) vectors[i].iov_len = headers[i].msg_len;
        for (int sent = 0; sent < count;) {
            int more = sendmmsg(fd, headers + sent, (unsigned)(count - sent), 0);
            if (more < 0) return complain("sendmmsg");
            sent += more;
        }
    }
}
