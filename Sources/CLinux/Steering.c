#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

// Fibonacci hashing: 2^32 divided by the golden ratio. Keys in a row, and keys in even steps, fall evenly over the range.
#define MIX 0x9e3779b1u

#define NETWORK (uint32_t)SKF_NET_OFF

// Where the program's scratch memory holds the identifier.
#define IDENTIFIER 0

int lm_steer(int fd, uint32_t sockets) {
    // Loads from offset 0 on read the UDP payload; loads from SKF_NET_OFF on read the IP header. A load outside of the datagram ends the
    // program with 0, and a number without a socket makes the kernel choose by itself.
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),  // identifier
        BPF_STMT(BPF_ST, IDENTIFIER),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 6, 0),
        // IPv4: X = source port << 8, A = source address
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, NETWORK),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, NETWORK),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK + 12),
        BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0),
        // IPv6: X = source port << 8, or 0 when extension headers stand before it; A = last 32 bits of the source address
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK + 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NETWORK + 40),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK + 20),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        // A = (address + (port << 8) + identifier) mixed to 16 bits, times the sockets, over 2^16
        BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, IDENTIFIER),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, MIX),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, sockets),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog steering = {.len = sizeof program / sizeof program[0], .filter = program};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &steering, sizeof steering) < 0 ? -errno : 0;
}

int lm_receive_queue_state(int fd, struct lm_receive_queue *state) {
    uint32_t figures[SK_MEMINFO_VARS];
    socklen_t size = sizeof figures;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size) < 0) return -errno;
    if (size < (SK_MEMINFO_DROPS + 1) * sizeof figures[0]) return -ENOTSUP;
    state->octets = figures[SK_MEMINFO_RMEM_ALLOC];
    state->limit = figures[SK_MEMINFO_RCVBUF];
    state->dropped = figures[SK_MEMINFO_DROPS];
    return 0;
}

int lm_receive_buffer(int fd, int octets) {
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) < 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets) < 0)
        return -errno;
    int granted = 0;
    socklen_t size = sizeof granted;
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) < 0) return -errno;
    return granted;
}
