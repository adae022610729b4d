// Devices that log in by EAP-TLS or PEAP with MSCHAPv2, many at a time, behind one NAS; the benchmark's load for both servers alike.
// One thread. Each reply's Response Authenticator and Message-Authenticator are checked, each Accept's keys against the tunnel's.
// See usage() for the command line; prints one JSON object.
#define OPENSSL_SUPPRESS_DEPRECATED
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/des.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ACCESS_REQUEST = 1, ACCESS_ACCEPT = 2, ACCESS_REJECT = 3, ACCESS_CHALLENGE = 11 };
enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_IDENTITY = 1, EAP_NAK = 3, EAP_TLS = 13, EAP_PEAP = 25, EAP_MSCHAPV2 = 26, EAP_TLV = 33 };
enum { FLAG_LENGTH = 0x80, FLAG_MORE = 0x40, FLAG_START = 0x20 };
// Eight identifiers take turns in each conversation.
enum { PER_SOCKET = 32, TURNS = 8, PACKET = 4096, FRAGMENT = 1200, FLIGHT = 65536, SAMPLES = 1 << 20 };
static const double PATIENCE_SECONDS = 5;

struct conversation {
    int fd, place, turn;
    unsigned user;
    SSL *ssl;
    SSL_SESSION *session;
    unsigned char packet[PACKET];
    int packet_octets;
    unsigned char in[FLIGHT], out[FLIGHT];
    int in_octets, out_octets, out_sent;
    double begun, sent;
    int is_primed;
};

static int port, server_pid, method, count = 64, resumes, stops, users = 1, want13;
static double seconds = 5;
static const char *secret, *password = "", *pattern = "user%08d", *certificate, *key;
static SSL_CTX *context;
static struct conversation *all;
static int *sockets, socket_count;
static long long answered, rejected, bad, resent, resumed, odd;
static float *latencies;
static int counting;
static volatile sig_atomic_t ending;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "eapload: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void end(int number) { (void)number, ending = 1; }

// User and system time of a process (proc(5)).
static double cpu_seconds(int pid) {
    char path[64], text[1024];
    unsigned long user, system;
    if (!pid) return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) die(path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

// RADIUS

static int name_of(const struct conversation *c, char *name) { return snprintf(name, 64, pattern, c->user); }

static int put(unsigned char *packet, int at, int type, const void *value, int length) {
    packet[at] = (unsigned char)type, packet[at + 1] = (unsigned char)(length + 2);
    memcpy(packet + at + 2, value, (size_t)length);
    return at + 2 + length;
}

static void transmit(struct conversation *c) {
    c->sent = now();
    if (send(c->fd, c->packet, (size_t)c->packet_octets, 0) < 0 && errno != ECONNREFUSED && errno != EAGAIN) die("send");
}

// Sends an EAP packet with the State of the challenge before.
static void ask(struct conversation *c, const unsigned char *eap, int eap_octets, const unsigned char *state, int state_octets) {
    unsigned char kept[256], *p = c->packet, address[4] = {127, 0, 0, 1}, mtu[4] = {0, 0, 5, 20}, station[18];
    char name[64];
    if (state) memcpy(kept, state, (size_t)state_octets);
    c->turn = (c->turn + 1) % TURNS;
    p[0] = ACCESS_REQUEST, p[1] = (unsigned char)(c->place * TURNS + c->turn);
    RAND_bytes(p + 4, 16);
    int at = put(p, 20, 80, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    at = put(p, at, 1, name, name_of(c, name));
    at = put(p, at, 4, address, 4);
    at = put(p, at, 12, mtu, 4);
    snprintf((char *)station, sizeof station, "02-00-%02X-%02X-%02X-%02X", c->user >> 24 & 255, c->user >> 16 & 255, c->user >> 8 & 255,
             c->user & 255);
    at = put(p, at, 31, station, 17);
    if (state) at = put(p, at, 24, kept, state_octets);
    for (int done = 0; done < eap_octets;) {
        int part = eap_octets - done < 253 ? eap_octets - done : 253;
        at = put(p, at, 79, eap + done, part);
        done += part;
    }
    p[2] = (unsigned char)(at >> 8), p[3] = (unsigned char)at;
    HMAC(EVP_md5(), secret, (int)strlen(secret), p, (size_t)at, p + 22, NULL);
    c->packet_octets = at;
    transmit(c);
}

// Whether both authenticators are right.
static int verifies(const struct conversation *c, const unsigned char *reply, int octets) {
    unsigned char copy[PACKET], digest[16], expected[16];
    size_t length = strlen(secret);
    memcpy(copy, reply, (size_t)octets);
    memcpy(copy + 4, c->packet + 4, 16);
    MD5_CTX md5;
    MD5_Init(&md5), MD5_Update(&md5, copy, (size_t)octets), MD5_Update(&md5, secret, length), MD5_Final(digest, &md5);
    if (memcmp(digest, reply + 4, 16)) return 0;
    for (int at = 20; at + 2 <= octets; at += copy[at + 1]) {
        if (copy[at + 1] < 2 || at + copy[at + 1] > octets) return 0;
        if (copy[at] != 80) continue;
        if (copy[at + 1] != 18) return 0;
        memcpy(expected, copy + at + 2, 16);
        memset(copy + at + 2, 0, 16);
        HMAC(EVP_md5(), secret, (int)length, copy, (size_t)octets, digest, NULL);
        return !memcmp(digest, expected, 16);
    }
    return 0;
}

// RFC 2548 section 2.4.2: reveals a key of 32 octets.
static int reveal(const struct conversation *c, const unsigned char *value, int length, unsigned char *clear) {
    unsigned char block[16], text[64];
    if (length != 50) return 0;
    for (int at = 0; at < 48; at += 16) {
        MD5_CTX md5;
        MD5_Init(&md5), MD5_Update(&md5, secret, strlen(secret));
        if (at) MD5_Update(&md5, value + 2 + at - 16, 16);
        else MD5_Update(&md5, c->packet + 4, 16), MD5_Update(&md5, value, 2);
        MD5_Final(block, &md5);
        for (int i = 0; i < 16; i++) text[at + i] = value[2 + at + i] ^ block[i];
    }
    memcpy(clear, text + 1, 32);
    return text[0] == 32;
}

// Whether the Accept's two keys are the tunnel's (RFC 5216 section 2.3, RFC 9190 section 2.3).
static int keys_match(struct conversation *c, const unsigned char *reply, int octets) {
    unsigned char material[128], clear[32], type = (unsigned char)method;
    int found = 0, is13 = SSL_version(c->ssl) == TLS1_3_VERSION;
    const char *label = is13 ? "EXPORTER_EAP_TLS_Key_Material" : "client EAP encryption";
    if (SSL_export_keying_material(c->ssl, material, 128, label, strlen(label), &type, is13 ? 1 : 0, is13) != 1) return 0;
    for (int at = 20; at + 2 <= octets; at += reply[at + 1]) {
        const unsigned char *a = reply + at;
        // Vendor 311: 16 MS-MPPE-Send-Key, 17 MS-MPPE-Recv-Key.
        if (a[0] != 26 || a[1] != 58 || memcmp(a + 2, "\0\0\1\67", 4) || (a[6] != 16 && a[6] != 17)) continue;
        if (!reveal(c, a + 8, 50, clear) || memcmp(clear, material + (a[6] == 16 ? 32 : 0), 32)) return 0;
        found |= a[6] == 16 ? 1 : 2;
    }
    return found == 3;
}

// EAP

static void begin(struct conversation *c) {
    unsigned char eap[80] = {EAP_RESPONSE, 0, 0, 0, EAP_IDENTITY};
    if (!resumes) c->user = (unsigned)(c->user + (unsigned)count) % (unsigned)users;
    int length = 5 + name_of(c, (char *)eap + 5);
    eap[3] = (unsigned char)length;
    c->in_octets = c->out_octets = c->out_sent = 0;
    c->begun = now();
    if (stops && c->ssl) {
        ask(c, eap, length, NULL, 0);
        return;
    }
    SSL_free(c->ssl);
    c->ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!c->ssl || !in || !out) die("out of memory");
    SSL_set_bio(c->ssl, in, out);
    SSL_set_connect_state(c->ssl);
    if (c->session) SSL_set_session(c->ssl, c->session);
    ask(c, eap, length, NULL, 0);
}

// RFC 2759 section 8: the answer to a challenge.
static void nt_response(const unsigned char *theirs, const unsigned char *ours, const char *name, unsigned char *response) {
    unsigned char wide[512], hash[21] = {0}, digest[20];
    size_t length = strlen(password) < 256 ? strlen(password) : 256;
    for (size_t i = 0; i < length; i++) wide[2 * i] = (unsigned char)password[i], wide[2 * i + 1] = 0;
    MD4(wide, 2 * length, hash);
    SHA_CTX sha;
    SHA1_Init(&sha), SHA1_Update(&sha, ours, 16), SHA1_Update(&sha, theirs, 16), SHA1_Update(&sha, name, strlen(name));
    SHA1_Final(digest, &sha);
    for (int part = 0; part < 3; part++) {
        const unsigned char *k = hash + 7 * part;
        DES_cblock expanded;
        DES_key_schedule schedule;
        for (int i = 0; i < 8; i++)
            expanded[i] = (unsigned char)(((i ? k[i - 1] << (8 - i) : 0) | (i < 7 ? k[i] >> i : 0)) & 0xfe);
        DES_set_key_unchecked(&expanded, &schedule);
        DES_ecb_encrypt((const_DES_cblock *)digest, (DES_cblock *)(response + 8 * part), &schedule, DES_ENCRYPT);
    }
}

// PEAP version 0: answers what came through the tunnel.
static void answer_inside(struct conversation *c, const unsigned char *request, int octets) {
    unsigned char reply[256] = {0};
    char name[64];
    int name_octets = name_of(c, name), length = 0;
    // Results have a header, other requests have one or none.
    int has_header = octets >= 5 && request[0] == EAP_REQUEST && (request[2] << 8 | request[3]) == octets;
    const unsigned char *data = has_header ? request + 4 : request;
    if (has_header) octets -= 4;
    if (data[0] == EAP_IDENTITY) {
        reply[0] = EAP_IDENTITY, memcpy(reply + 1, name, (size_t)name_octets), length = 1 + name_octets;
    } else if (data[0] == EAP_MSCHAPV2 && octets >= 22 && data[1] == 1) {
        length = 5 + 50 + name_octets;
        reply[0] = EAP_MSCHAPV2, reply[1] = 2, reply[2] = data[2], reply[4] = (unsigned char)(length - 1), reply[5] = 49;
        RAND_bytes(reply + 6, 16);
        nt_response(data + 6, reply + 6, name, reply + 30);
        memcpy(reply + 55, name, (size_t)name_octets);
    } else if (data[0] == EAP_MSCHAPV2 && octets >= 2 && data[1] == 3) {
        reply[0] = EAP_MSCHAPV2, reply[1] = 3, length = 2;
    } else if (data[0] == EAP_TLV && has_header && octets >= 7 && data[6] == 1) {
        const unsigned char result[11] = {EAP_RESPONSE, request[1], 0, 11, EAP_TLV, 0x80, 3, 0, 2, 0, 1};
        memcpy(reply, result, 11), length = 11;
    } else if (data[0] != EAP_IDENTITY && octets >= 1) {
        reply[0] = EAP_NAK, reply[1] = EAP_MSCHAPV2, length = 2;
    }
    if (length && SSL_write(c->ssl, reply, length) != length) odd++;
}

// Has the tunnel take what has come, and collects what it wants to say.
static void turn_tunnel(struct conversation *c) {
    unsigned char inside[2048];
    BIO_write(SSL_get_rbio(c->ssl), c->in, c->in_octets);
    c->in_octets = 0;
    if (!SSL_is_init_finished(c->ssl)) SSL_do_handshake(c->ssl);
    if (SSL_is_init_finished(c->ssl)) {
        int octets = SSL_read(c->ssl, inside, sizeof inside);
        if (octets > 0 && method == EAP_PEAP) answer_inside(c, inside, octets);
    }
    ERR_clear_error();
    c->out_octets = BIO_read(SSL_get_wbio(c->ssl), c->out, FLIGHT);
    if (c->out_octets < 0) c->out_octets = 0;
    c->out_sent = 0;
}

// The handshake's first words of all devices that stop there.
static void say_hello(struct conversation *c) {
    static unsigned char hello[FRAGMENT];
    static int octets;
    if (!octets) {
        turn_tunnel(c);
        octets = c->out_octets < FRAGMENT ? c->out_octets : FRAGMENT;
        memcpy(hello, c->out, (size_t)octets);
    }
    memcpy(c->out, hello, (size_t)octets);
    c->out_octets = octets, c->out_sent = 0;
}

static void respond(struct conversation *c, const unsigned char *eap, int octets, const unsigned char *state, int state_octets) {
    unsigned char reply[FRAGMENT + 16] = {EAP_RESPONSE, eap[1], 0, 6, (unsigned char)method, 0};
    int length = 6;
    if (stops == 2 || (stops && c->out_octets)) {
        if (counting) latencies[answered++ % SAMPLES] = (float)(now() - c->begun);
        begin(c);
        return;
    }
    if (eap[4] != method) {
        reply[4] = EAP_NAK, reply[5] = (unsigned char)method;
    } else {
        int at = eap[5] & FLAG_LENGTH ? 10 : 6;
        if (octets > at && c->in_octets + octets - at <= FLIGHT) {
            memcpy(c->in + c->in_octets, eap + at, (size_t)(octets - at));
            c->in_octets += octets - at;
        }
        if (stops) say_hello(c);
        else if (!(eap[5] & FLAG_MORE) && c->out_sent == c->out_octets) turn_tunnel(c);
        int part = c->out_octets - c->out_sent < FRAGMENT ? c->out_octets - c->out_sent : FRAGMENT;
        if (part) {
            int is_first = c->out_sent == 0, is_last = c->out_sent + part == c->out_octets;
            if (is_first && !is_last) {
                reply[5] |= FLAG_LENGTH;
                reply[8] = (unsigned char)(c->out_octets >> 8), reply[9] = (unsigned char)c->out_octets, length = 10;
            }
            if (!is_last) reply[5] |= FLAG_MORE;
            memcpy(reply + length, c->out + c->out_sent, (size_t)part);
            c->out_sent += part, length += part;
        }
    }
    reply[2] = (unsigned char)(length >> 8), reply[3] = (unsigned char)length;
    ask(c, reply, length, state, state_octets);
}

static void finish(struct conversation *c, const unsigned char *reply, int octets) {
    if (reply[0] == ACCESS_REJECT) {
        rejected++;
    } else if (!keys_match(c, reply, octets)) {
        bad++;
    } else {
        if (counting) {
            latencies[answered % SAMPLES] = (float)(now() - c->begun);
            answered++, resumed += SSL_session_reused(c->ssl);
        }
        if (resumes) {
            SSL_SESSION *next = SSL_get1_session(c->ssl);
            if (next && SSL_SESSION_is_resumable(next)) SSL_SESSION_free(c->session), c->session = next;
            else SSL_SESSION_free(next);
        }
        c->is_primed = 1;
    }
    // Else libssl would forget the session of a tunnel that nobody closed.
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    begin(c);
}

static void receive(int which) {
    unsigned char reply[PACKET], eap[PACKET];
    for (;;) {
        ssize_t octets = recv(sockets[which], reply, sizeof reply, MSG_DONTWAIT);
        if (octets < 20) return;
        struct conversation *c = NULL;
        int place = reply[1] / TURNS;
        if (which * PER_SOCKET + place < count) c = &all[which * PER_SOCKET + place];
        // The answer to a packet that was sent twice.
        if (!c || reply[1] != c->packet[1]) continue;
        if ((reply[2] << 8 | reply[3]) != octets || !verifies(c, reply, (int)octets)) {
            bad++;
            continue;
        }
        const unsigned char *state = NULL;
        int length = 0;
        for (int at = 20; at + 2 <= octets; at += reply[at + 1]) {
            if (reply[at] == 24) state = reply + at;
            if (reply[at] == 79) memcpy(eap + length, reply + at + 2, (size_t)reply[at + 1] - 2), length += reply[at + 1] - 2;
        }
        if (reply[0] != ACCESS_CHALLENGE) finish(c, reply, (int)octets);
        else if (state && length >= 6 && eap[0] == EAP_REQUEST) respond(c, eap, length, state + 2, state[1] - 2);
        else if (state && length == 5 && eap[0] == EAP_REQUEST && eap[4] != method) respond(c, eap, length, state + 2, state[1] - 2);
        else odd++;
    }
}

// Set up and report

static void open_sockets(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int buffer = 4 << 20;
    socket_count = (count + PER_SOCKET - 1) / PER_SOCKET;
    sockets = calloc((size_t)socket_count, sizeof *sockets);
    all = calloc((size_t)count, sizeof *all);
    latencies = calloc(SAMPLES, sizeof *latencies);
    if (!sockets || !all || !latencies) die("out of memory");
    for (int i = 0; i < socket_count; i++) {
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        if (sockets[i] < 0 || connect(sockets[i], (struct sockaddr *)&to, sizeof to) < 0) die("socket");
    }
    for (int i = 0; i < count; i++)
        all[i].fd = sockets[i / PER_SOCKET], all[i].place = i % PER_SOCKET, all[i].user = (unsigned)i % (unsigned)users;
}

static void open_context(void) {
    int version = want13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, version) || !SSL_CTX_set_max_proto_version(context, version)) die("TLS");
    // The keys prove that the tunnel ends at the server; its chain would be looked at by the devices, not by the server that is measured.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (certificate && (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
                        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)) die(certificate);
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void report(double spent, double cpu) {
    long long samples = answered < SAMPLES ? answered : SAMPLES;
    qsort(latencies, (size_t)samples, sizeof *latencies, compare);
#define AT(part) (samples ? (double)latencies[(long long)((double)(samples - 1) * (part))] * 1e6 : 0.0)
    printf("{\"answered\":%lld,\"answers_per_second\":%.1f,\"seconds\":%.3f,\"rejected\":%lld,\"bad_replies\":%lld,\"odd\":%lld,"
           "\"retransmitted\":%lld,\"resumed\":%lld,\"server_cpu_seconds\":%.2f,\"latency_p50_us\":%.0f,\"latency_p99_us\":%.0f,"
           "\"latency_p999_us\":%.0f}\n",
           answered, (double)answered / spent, spent, rejected, bad, odd, resent, resumed, cpu, AT(0.5), AT(0.99), AT(0.999));
}

static void usage(void) {
    fprintf(stderr, "usage: eapload port=N secret=S method=tls|peap [pid=SERVER] [conversations=64] [seconds=5] [resume=1] [stop=1|2] [tls=1.3]\n"
                    "    [users=N] [pattern=user%%08d] [password=P] [certificate=FILE key=FILE]\n"
                    "pid is whose CPU time is reported. resume: every device logs in once before the clock starts, then again and again.\n"
                    "stop: every device leaves when it has the server's first words of the handshake (1) or of all (2), and begins again.\n");
    exit(2);
}

static void read_words(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) usage();
        *value++ = 0;
        const char *word = argv[i];
        if (!strcmp(word, "port")) port = atoi(value);
        else if (!strcmp(word, "secret")) secret = value;
        else if (!strcmp(word, "method")) method = !strcmp(value, "tls") ? EAP_TLS : !strcmp(value, "peap") ? EAP_PEAP : 0;
        else if (!strcmp(word, "pid")) server_pid = atoi(value);
        else if (!strcmp(word, "conversations")) count = atoi(value);
        else if (!strcmp(word, "seconds")) seconds = atof(value);
        else if (!strcmp(word, "resume")) resumes = atoi(value);
        else if (!strcmp(word, "stop")) stops = atoi(value);
        else if (!strcmp(word, "tls")) want13 = !strcmp(value, "1.3");
        else if (!strcmp(word, "users")) users = atoi(value);
        else if (!strcmp(word, "pattern")) pattern = value;
        else if (!strcmp(word, "password")) password = value;
        else if (!strcmp(word, "certificate")) certificate = value;
        else if (!strcmp(word, "key")) key = value;
        else usage();
    }
    if (port < 1 || !secret || !method || count < 1 || users < 1 || (certificate && !key)) usage();
}

static int all_primed(void) {
    for (int i = 0; i < count; i++)
        if (!all[i].is_primed) return 0;
    return 1;
}

int main(int argc, char **argv) {
    read_words(argc, argv);
    signal(SIGTERM, end), signal(SIGINT, end);
    open_sockets();
    open_context();
    struct pollfd waiting[socket_count];
    for (int i = 0; i < socket_count; i++) waiting[i] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
    double started = now(), since = started, looked = started, cpu = 0, time = started;
    for (int i = 0; i < count; i++) begin(&all[i]);
    // Whoever waits for devices that cannot log in waits a minute.
    for (; !ending && (counting ? time < since + seconds : time < started + 60 && rejected + bad < 1000); time = now()) {
        if (!counting && (all_primed() || !resumes)) counting = 1, since = time, cpu = cpu_seconds(server_pid);
        if (poll(waiting, (nfds_t)socket_count, 100) > 0)
            for (int i = 0; i < socket_count; i++)
                if (waiting[i].revents) receive(i);
        if (time < looked + 0.5) continue;
        looked = time;
        for (int i = 0; i < count; i++)
            if (all[i].sent + PATIENCE_SECONDS < time) resent++, transmit(&all[i]);
    }
    report(time - since, counting ? cpu_seconds(server_pid) - cpu : 0);
    return 0;
}
