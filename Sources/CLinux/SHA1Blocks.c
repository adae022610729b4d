#include "SHA1Blocks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline uint32_t turned(uint32_t x, int n) { return x << n | x >> (32 - n); }

// One step, with the schedule's word made where the one 16 before it stood.
#define WORD(i) \
    ((i) < 16 ? w[(i) & 15] : (w[(i) & 15] = turned(w[((i) + 13) & 15] ^ w[((i) + 8) & 15] ^ w[((i) + 2) & 15] ^ w[(i) & 15], 1)))
#define STEP(a, b, c, d, e, mixed, constant, i) \
    e += turned(a, 5) + (mixed) + WORD(i) + constant; \
    b = turned(b, 30);
// Five steps, after which every word stands in its own place again.
#define FIVE(MIX, constant, i) \
    STEP(a, b, c, d, e, MIX(b, c, d), constant, i) STEP(e, a, b, c, d, MIX(a, b, c), constant, (i) + 1) \
    STEP(d, e, a, b, c, MIX(e, a, b), constant, (i) + 2) STEP(c, d, e, a, b, MIX(d, e, a), constant, (i) + 3) \
    STEP(b, c, d, e, a, MIX(c, d, e), constant, (i) + 4)
#define TWENTY(MIX, constant, i) \
    FIVE(MIX, constant, i) FIVE(MIX, constant, (i) + 5) FIVE(MIX, constant, (i) + 10) FIVE(MIX, constant, (i) + 15)
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define PARITY(x, y, z) ((x) ^ (y) ^ (z))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

void lm_sha1_blocks_plain(uint32_t state[5], const uint8_t *at, uint32_t count) {
    for (; count > 0; count--, at += 64) {
        uint32_t w[16];
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)at[4 * i] << 24 | (uint32_t)at[4 * i + 1] << 16 | (uint32_t)at[4 * i + 2] << 8 | at[4 * i + 3];
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        TWENTY(CHOOSE, 0x5a827999, 0)
        TWENTY(PARITY, 0x6ed9eba1, 20)
        TWENTY(MAJORITY, 0x8f1bbcdc, 40)
        TWENTY(PARITY, 0xca62c1d6, 60)
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
}

#if defined(__x86_64__)

// Four steps: `m` is the schedule's words 4g...4g+3 in the place of those 16 words before.
#define WORDS(g) m[(g) & 3] = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(m[(g) & 3], m[((g) + 1) & 3]), m[((g) + 2) & 3]), m[((g) + 3) & 3]);
#define FOUR(g) \
    if ((g) >= 4) { WORDS(g) } \
    e = (g) == 0 ? _mm_add_epi32(e, m[0]) : _mm_sha1nexte_epu32(earlier, m[(g) & 3]); \
    earlier = abcd; \
    abcd = _mm_sha1rnds4_epu32(abcd, e, (g) / 5);

__attribute__((target("sha,ssse3,sse4.1"))) static void with_instructions(uint32_t state[5], const uint8_t *at, uint32_t count) {
    const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0x1b);
    __m128i last = _mm_set_epi32((int)state[4], 0, 0, 0);
    for (; count > 0; count--, at += 64) {
        __m128i m[4], e = last, earlier = abcd;
        const __m128i before = abcd;
        for (int i = 0; i < 4; i++) m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)at + i), reversed);
        FOUR(0) FOUR(1) FOUR(2) FOUR(3) FOUR(4) FOUR(5) FOUR(6) FOUR(7) FOUR(8) FOUR(9)
        FOUR(10) FOUR(11) FOUR(12) FOUR(13) FOUR(14) FOUR(15) FOUR(16) FOUR(17) FOUR(18) FOUR(19)
        last = _mm_sha1nexte_epu32(earlier, last);
        abcd = _mm_add_epi32(abcd, before);
    }
    _mm_storeu_si128((__m128i *)state, _mm_shuffle_epi32(abcd, 0x1b));
    state[4] = (uint32_t)_mm_extract_epi32(last, 3);
}

static int has_instructions;

__attribute__((constructor)) static void find_instructions(void) {
    unsigned eax, ebx, ecx, edx;
    __builtin_cpu_init();
    __asm__("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(7), "c"(0));
    has_instructions = (ebx >> 29 & 1) && __builtin_cpu_supports("sse4.1");  // leaf 7: SHA
}

#endif

void lm_sha1_blocks(uint32_t state[5], const uint8_t *blocks, uint32_t count) {
#if defined(__x86_64__)
    if (has_instructions) {
        with_instructions(state, blocks, count);
        return;
    }
#endif
    lm_sha1_blocks_plain(state, blocks, count);
}
