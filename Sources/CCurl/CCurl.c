#include "CCurl.h"

#include <netinet/in.h>
#include <sys/socket.h>

CURLcode lm_curl_set_text(CURL *handle, CURLoption option, const char *value) { return curl_easy_setopt(handle, option, value); }

CURLcode lm_curl_set_number(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }

CURLcode lm_curl_set_headers(CURL *handle, struct curl_slist *headers) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}

CURLcode lm_curl_set_body_sink(CURL *handle, lm_curl_sink sink, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, sink);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

CURLcode lm_curl_set_header_sink(CURL *handle, lm_curl_sink sink, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, sink);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
}

CURLcode lm_curl_set_body(CURL *handle, const void *bytes, long count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}

CURLcode lm_curl_set_progress(CURL *handle, lm_curl_progress progress, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

long lm_curl_status(CURL *handle) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static curl_socket_t open_allowed(void *context, curlsocktype purpose, struct curl_sockaddr *to) {
    const lm_curl_gate *gate = context;
    const void *octets = NULL;
    int count = 0;
    if (to->family == AF_INET) {
        octets = &((const struct sockaddr_in *)&to->addr)->sin_addr;
        count = 4;
    } else if (to->family == AF_INET6) {
        octets = &((const struct sockaddr_in6 *)&to->addr)->sin6_addr;
        count = 16;
    }
    if (purpose != CURLSOCKTYPE_IPCXN || count == 0 || !gate->allows(gate->context, octets, count)) return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

CURLcode lm_curl_set_gate(CURL *handle, lm_curl_gate *gate) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_allowed);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, gate);
}

long long lm_curl_retry_after(CURL *handle) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
    return seconds;
}

CURLMcode lm_curl_multi_wait(CURLM *multi, int wake, int milliseconds) {
    struct curl_waitfd also = {.fd = wake, .events = CURL_WAIT_POLLIN};
    return curl_multi_poll(multi, wake < 0 ? NULL : &also, wake < 0 ? 0 : 1, milliseconds, NULL);
}

CURL *lm_curl_multi_finished(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}
