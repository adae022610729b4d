// SHA-1 over whole blocks (RFC 3174), with the processor's own instructions where it has them.
#ifndef LASTMILE_SHA1_BLOCKS_H
#define LASTMILE_SHA1_BLOCKS_H

#include <stdint.h>

/// Takes `count` blocks of 64 octets into the five words of `state`.
void lm_sha1_blocks(uint32_t state[5], const uint8_t *blocks, uint32_t count);

/// The same without special instructions, for comparison.
void lm_sha1_blocks_plain(uint32_t state[5], const uint8_t *blocks, uint32_t count);

#endif
