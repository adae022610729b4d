// Many MD5 digests side by side, one in each lane of a vector (RFC 1321).
#ifndef LASTMILE_MD5_LANES_H
#define LASTMILE_MD5_LANES_H

#include <stdint.h>

/// One message: whole blocks of 64 octets, its padding among them, and the state that they are taken into.
struct lm_md5_job {
    const uint8_t *blocks;
    uint32_t count;     // of blocks; 0 leaves the state as it is
    uint32_t state[4];  // before: MD5's beginning or a midstate; after: the digest, to be stored lowest octet first
};

/// Computes `count` jobs with the widest vectors that the processor has. A single job costs what scalar code costs.
void lm_md5_many(struct lm_md5_job *jobs, unsigned count);

/// Lanes that `lm_md5_many` uses here: 16 (AVX-512F), 8 (AVX2), 4 (SSE2, NEON).
unsigned lm_md5_lanes(void);

/// The same with 16, 8, 4 or 1 lanes. Returns 0 and does nothing where the processor does not have them.
int lm_md5_many_with(unsigned lanes, struct lm_md5_job *jobs, unsigned count);

/// Writes what ends a message (RFC 1321 §3.1, §3.2) behind the `tail` octets in front of `end`, which begin with a whole block.
/// `octets` is the length of the whole message. At most 72 octets are written. Returns the number of blocks that the tail now fills.
static inline uint32_t lm_md5_end(uint8_t *end, uint32_t tail, uint64_t octets) {
    uint32_t blocks = (tail + 8) / 64 + 1;
    uint32_t zeros = blocks * 64 - tail - 8;
    end[0] = 0x80;
    __builtin_memset(end + 1, 0, zeros - 1);
    uint64_t bits = octets * 8;
    for (int i = 0; i < 8; i++) end[zeros + i] = (uint8_t)(bits >> (8 * i));
    return blocks;
}

#endif
