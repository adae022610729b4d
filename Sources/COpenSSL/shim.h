#ifndef LASTMILE_OPENSSL_SHIM_H
#define LASTMILE_OPENSSL_SHIM_H

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/http.h>
#include <openssl/httperr.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Swift sees no macros with arguments: these say the same as functions.

static inline int lm_ssl_ctx_set_versions(SSL_CTX *context, int least, int most) {
    return SSL_CTX_set_min_proto_version(context, least) == 1 && SSL_CTX_set_max_proto_version(context, most) == 1;
}

/// The same of one conversation.
static inline int lm_ssl_set_versions(SSL *connection, int least, int most) {
    return SSL_set_min_proto_version(connection, least) == 1 && SSL_set_max_proto_version(connection, most) == 1;
}

/// Renegotiation costs more than it is good for, compression leaks, and the disguise for middleboxes adds octets to every flight.
static inline void lm_ssl_ctx_set_habits(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(context, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

/// Sessions stay with us and are named by a number, instead of going to the peer in a sealed ticket.
static inline void lm_ssl_ctx_keep_sessions(SSL_CTX *context) { SSL_CTX_set_options(context, SSL_OP_NO_TICKET); }

static inline void lm_ssl_ctx_set_cache_mode(SSL_CTX *context, long mode) { SSL_CTX_set_session_cache_mode(context, mode); }

static inline void lm_ssl_ctx_set_certificate_list_limit(SSL_CTX *context, long octets) { SSL_CTX_set_max_cert_list(context, octets); }

/// Chooses what goes with a key shared beforehand, which has SHA-256, wherever the peer has it at all (RFC 8446 §4.2.11).
static inline int lm_ssl_ctx_prefer_sha256(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    return SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") == 1;
}

static inline int lm_ssl_ctx_add_chain(SSL_CTX *context, X509 *certificate) { return SSL_CTX_add1_chain_cert(context, certificate) == 1; }

/// Puts above our certificate what the context's store has of its issuers. Without all of them up to a root it sends those that it has.
static inline bool lm_ssl_ctx_complete_chain(SSL_CTX *context) {
    return SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR | SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR) > 0;
}

/// Certificates above our own that handshakes show.
static inline int lm_ssl_ctx_chain_count(SSL_CTX *context) {
    STACK_OF(X509) *chain = NULL;
    return SSL_CTX_get0_chain_certs(context, &chain) == 1 && chain ? sk_X509_num(chain) : 0;
}

/// One of them, which stays the context's; 0 is the issuer of our own.
static inline X509 *lm_ssl_ctx_chain(SSL_CTX *context, int place) {
    STACK_OF(X509) *chain = NULL;
    return SSL_CTX_get0_chain_certs(context, &chain) == 1 && chain ? sk_X509_value(chain, place) : NULL;
}

/// Sends the chain as it is, instead of looking for issuers in the store once more in each handshake.
static inline void lm_ssl_ctx_keep_chain(SSL_CTX *context) { SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN); }

/// Datagrams are as long as `lm_ssl_set_mtu` says, since the BIOs do not know.
static inline void lm_ssl_ctx_keep_mtu(SSL_CTX *context) { SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU); }

static inline void lm_ssl_set_mtu(SSL *connection, long octets) { SSL_set_mtu(connection, octets); }

/// 1 when a flight was sent again, 0 when its time has not come, negative after too many times.
static inline int lm_ssl_handle_timeout(SSL *connection) { return (int)DTLSv1_handle_timeout(connection); }

static inline int lm_ssl_set_server_name(SSL *connection, const char *name) { return SSL_set_tlsext_host_name(connection, name) == 1; }

/// New, empty indices for values that belong to an SSL_CTX or an SSL; negative when there is no memory.
static inline int lm_ssl_ctx_new_index(void) { return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

static inline int lm_ssl_new_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

static inline int lm_general_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline GENERAL_NAME *lm_general_name(const GENERAL_NAMES *names, int position) { return sk_GENERAL_NAME_value(names, position); }

static inline int lm_general_names_append(GENERAL_NAMES *names, GENERAL_NAME *name) { return sk_GENERAL_NAME_push(names, name); }

static inline STACK_OF(X509) *lm_x509_list(void) { return sk_X509_new_null(); }

/// The list takes no part in ownership.
static inline int lm_x509_list_append(STACK_OF(X509) *list, X509 *certificate) { return sk_X509_push(list, certificate); }

static inline void lm_x509_list_free(STACK_OF(X509) *list) { sk_X509_free(list); }

static inline int lm_x509_count(const STACK_OF(X509) *list) { return sk_X509_num(list); }

/// Stays the list's.
static inline X509 *lm_x509(const STACK_OF(X509) *list, int place) { return sk_X509_value(list, place); }

static inline int lm_string_count(const STACK_OF(OPENSSL_STRING) *list) { return sk_OPENSSL_STRING_num(list); }

static inline const char *lm_string(const STACK_OF(OPENSSL_STRING) *list, int place) { return sk_OPENSSL_STRING_value(list, place); }

static inline void lm_openssl_free(void *octets) { OPENSSL_free(octets); }

static inline long long lm_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/// Waits until a connection that was begun is there; 0, or why it is not.
static inline int lm_await_connection(int descriptor, long long deadline) {
    int count, trouble = 0;
    socklen_t size = sizeof trouble;
    do {
        long long left = deadline - lm_milliseconds();
        struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
        count = poll(&ready, 1, left > 0 ? (int)left : 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return ETIMEDOUT;
    if (count < 0 || getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &trouble, &size) != 0) return errno;
    return trouble;
}

/// The addresses of a host, which may stand in brackets; NULL without any, then `trouble` is of `errno`, or negative and of `getaddrinfo`.
static inline struct addrinfo *lm_look_up(const char *host, const char *port, int *trouble) {
    char name[256];
    size_t count = strlen(host);
    bool bracketed = count > 2 && host[0] == '[' && host[count - 1] == ']';
    if (count >= sizeof name) {
        *trouble = ENAMETOOLONG;
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)(bracketed ? count - 2 : count), bracketed ? host + 1 : host);
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int status = getaddrinfo(name, port, &wanted, &found);
    if (status == 0) return found;
    *trouble = status == EAI_SYSTEM ? errno : status;
    return NULL;
}

/// A connection that does not block; NULL without one, then `trouble` is of `errno`. OpenSSL's own way tries again until the time is over,
/// also where it is refused.
static inline BIO *lm_connect(const struct addrinfo *addresses, long long deadline, int *trouble) {
    BIO *connection = NULL;
    for (const struct addrinfo *one = addresses; one && !connection; one = one->ai_next) {
        int descriptor = socket(one->ai_family, one->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, one->ai_protocol);
        if (descriptor < 0) {
            *trouble = errno;
            continue;
        }
        *trouble = connect(descriptor, one->ai_addr, one->ai_addrlen) == 0 ? 0 : errno;
        if (*trouble == EINPROGRESS) *trouble = lm_await_connection(descriptor, deadline);
        if (*trouble == 0) connection = BIO_new_socket(descriptor, BIO_CLOSE);
        if (!connection) close(descriptor);
    }
    return connection;
}

/// Sends an OCSP request by HTTP (RFC 6960 appendix A), past any proxy, and waits `seconds` at most; NULL without an answer of at most 64 KB.
/// The look-up of the host's name is not counted. `trouble`: why there is no connection, as above; 0 where there was one.
static inline BIO *lm_ocsp_post(const char *url, const unsigned char *octets, int count, int seconds, int *trouble) {
    *trouble = 0;
    char *host = NULL, *port = NULL, *path = NULL;
    int tls = 0;
    BIO *answer = NULL;
    if (OSSL_HTTP_parse_url(url, &tls, NULL, &host, &port, NULL, &path, NULL, NULL) != 1) return NULL;
    BIO *request = tls ? NULL : BIO_new_mem_buf(octets, count);
    struct addrinfo *addresses = request ? lm_look_up(host, port, trouble) : NULL;
    long long deadline = lm_milliseconds() + seconds * 1000LL;
    BIO *connection = lm_connect(addresses, deadline, trouble);
    if (addresses) freeaddrinfo(addresses);
    long long left = (deadline - lm_milliseconds() + 999) / 1000;
    if (connection)
        answer = OSSL_HTTP_transfer(
            NULL, host, port, path, 0, NULL, NULL, connection, connection, NULL, NULL, 0, NULL, "application/ocsp-request", request,
            "application/ocsp-response", 1, 65536, left > 0 ? (int)left : 1, 0);
    BIO_free(connection);
    BIO_free(request);
    OPENSSL_free(host);
    OPENSSL_free(port);
    OPENSSL_free(path);
    return answer;
}

/// Whether the oldest error of this thread says that a server sent something, though not what was asked for.
static inline bool lm_http_was_answered(void) {
    unsigned long error = ERR_peek_error();
    return ERR_GET_LIB(error) == ERR_LIB_HTTP && ERR_GET_REASON(error) != HTTP_R_FAILED_READING_DATA;
}

static inline OCSP_RESPONSE *lm_ocsp_response(BIO *answer) { return d2i_OCSP_RESPONSE_bio(answer, NULL); }

static inline long lm_bio_contents(BIO *bio, const unsigned char **octets) { return BIO_get_mem_data(bio, (char **)octets); }

/// RFC 4514 text in UTF-8; control characters and quotes come out escaped.
static inline unsigned long lm_name_flags(void) {
    return (XN_FLAG_RFC2253 | ASN1_STRFLGS_UTF8_CONVERT) & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
}

#endif
