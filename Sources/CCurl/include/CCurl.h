// libcurl's option setters are variadic, which Swift cannot call: these are the ones in use, with their types.
#ifndef LASTMILE_CCURL_H
#define LASTMILE_CCURL_H

#include <curl/curl.h>

typedef size_t (*lm_curl_sink)(char *bytes, size_t size, size_t count, void *context);

CURLcode lm_curl_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode lm_curl_set_number(CURL *handle, CURLoption option, long value);
CURLcode lm_curl_set_headers(CURL *handle, struct curl_slist *headers);
CURLcode lm_curl_set_body_sink(CURL *handle, lm_curl_sink sink, void *context);
CURLcode lm_curl_set_header_sink(CURL *handle, lm_curl_sink sink, void *context);
CURLcode lm_curl_set_body(CURL *handle, const void *bytes, long count);
typedef int (*lm_curl_progress)(
    void *context, curl_off_t download_total, curl_off_t downloaded, curl_off_t upload_total, curl_off_t uploaded);
CURLcode lm_curl_set_progress(CURL *handle, lm_curl_progress progress, void *context);
long lm_curl_status(CURL *handle);

// Asked for each address before a connection to it is opened: 4 or 16 octets in network order. 0 forbids it.
typedef struct {
    int (*allows)(void *context, const void *octets, int count);
    void *context;
} lm_curl_gate;
// The gate outlives the handle's transfer.
CURLcode lm_curl_set_gate(CURL *handle, lm_curl_gate *gate);
// Seconds that Retry-After asks for; 0 without one.
long long lm_curl_retry_after(CURL *handle);

// Waits for the transfers, or until `wake` can be read; -1 for none.
CURLMcode lm_curl_multi_wait(CURLM *multi, int wake, int milliseconds);
// A transfer that ended, and how; NULL when there is none. It is to be removed before the next call.
CURL *lm_curl_multi_finished(CURLM *multi, CURLcode *result);

#endif
