#include "MD5Lanes.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define MOST_LANES 16

static const uint8_t nothing[64];

/// What stands in the lanes: state word by word, and for each lane its job, where it is and what is left.
struct lanes {
    _Alignas(64) uint32_t state[4][MOST_LANES];
    const uint8_t *at[MOST_LANES];
    uint32_t step[MOST_LANES];  // 64, or 0 for a lane without a job
    uint32_t left[MOST_LANES];
    struct lm_md5_job *job[MOST_LANES];
};

typedef void compress_lanes(struct lanes *, uint32_t blocks);

// One lane.

#define CONSTANT(k) (k##u)
#define ADD(x, y) ((x) + (y))
#define TURN(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

static void compress_one(uint32_t state[4], const uint8_t *at, uint32_t blocks) {
    for (; blocks > 0; blocks--, at += 64) {
        uint32_t x[16];
        for (int i = 0; i < 16; i++)
            x[i] = at[4 * i] | (uint32_t)at[4 * i + 1] << 8 | (uint32_t)at[4 * i + 2] << 16 | (uint32_t)at[4 * i + 3] << 24;
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
#include "MD5Rounds.h"
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    }
}

#undef CONSTANT
#undef TURN
#undef G
#undef I

// Four lanes, in the vectors that every processor of the architecture has.

typedef uint32_t four __attribute__((vector_size(16)));

#define CONSTANT(k) ((four){k##u, k##u, k##u, k##u})
#define TURN(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
#define G(x, y, z) F(z, x, y)
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

static inline uint32_t word(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static void compress_four(struct lanes *lanes, uint32_t blocks) {
    four before[4];
    for (int i = 0; i < 4; i++) memcpy(&before[i], lanes->state[i], sizeof before[i]);
    for (; blocks > 0; blocks--) {
        four x[16];
        for (int i = 0; i < 16; i++)
            x[i] = (four){word(lanes->at[0] + 4 * i), word(lanes->at[1] + 4 * i), word(lanes->at[2] + 4 * i), word(lanes->at[3] + 4 * i)};
        for (int lane = 0; lane < 4; lane++) lanes->at[lane] += lanes->step[lane];
        four a = before[0], b = before[1], c = before[2], d = before[3];
#include "MD5Rounds.h"
        before[0] += a, before[1] += b, before[2] += c, before[3] += d;
    }
    for (int i = 0; i < 4; i++) memcpy(lanes->state[i], &before[i], sizeof before[i]);
}

#undef CONSTANT
#undef ADD
#undef TURN
#undef F
#undef G
#undef H
#undef I

#if defined(__x86_64__)

// Eight lanes.

#define CONSTANT(k) _mm256_set1_epi32((int)k##u)
#define ADD(x, y) _mm256_add_epi32(x, y)
#define TURN(x, n) turned8(x, n, 32 - n)
#define F(x, y, z) _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
#define G(x, y, z) F(z, x, y)
#define H(x, y, z) _mm256_xor_si256(_mm256_xor_si256(x, y), z)
#define I(x, y, z) _mm256_xor_si256(y, _mm256_or_si256(x, _mm256_xor_si256(z, ones)))

__attribute__((target("avx2"), always_inline)) static inline __m256i turned8(__m256i x, int left, int right) {
    return _mm256_or_si256(_mm256_slli_epi32(x, left), _mm256_srli_epi32(x, right));
}

/// Loads 32 octets of each of eight lanes and turns rows into columns: word i of all lanes becomes x[i].
__attribute__((target("avx2"), always_inline)) static inline void load8(const uint8_t *const *at, int offset, __m256i x[8]) {
    __m256i row[8], pair[8], quad[8];
    for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_si256((const __m256i *)(at[i] + offset));
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            quad[i + 2 * j] = _mm256_unpacklo_epi64(pair[i + j], pair[i + j + 2]);
            quad[i + 2 * j + 1] = _mm256_unpackhi_epi64(pair[i + j], pair[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x20);
        x[i + 4] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x31);
    }
}

__attribute__((target("avx2"))) static void compress_eight(struct lanes *lanes, uint32_t blocks) {
    const __m256i ones = _mm256_set1_epi32(-1);
    __m256i before[4];
    for (int i = 0; i < 4; i++) before[i] = _mm256_loadu_si256((const __m256i *)lanes->state[i]);
    for (; blocks > 0; blocks--) {
        __m256i x[16];
        load8(lanes->at, 0, x);
        load8(lanes->at, 32, x + 8);
        for (int lane = 0; lane < 8; lane++) lanes->at[lane] += lanes->step[lane];
        __m256i a = before[0], b = before[1], c = before[2], d = before[3];
#include "MD5Rounds.h"
        before[0] = ADD(before[0], a), before[1] = ADD(before[1], b), before[2] = ADD(before[2], c), before[3] = ADD(before[3], d);
    }
    for (int i = 0; i < 4; i++) _mm256_storeu_si256((__m256i *)lanes->state[i], before[i]);
}

#undef CONSTANT
#undef ADD
#undef TURN
#undef F
#undef G
#undef H
#undef I

// Sixteen lanes; each of the mixing functions is one instruction, named by its truth table.

#define CONSTANT(k) _mm512_set1_epi32((int)k##u)
#define ADD(x, y) _mm512_add_epi32(x, y)
#define TURN(x, n) _mm512_rol_epi32(x, n)
#define F(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define G(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe4)
#define H(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define I(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x39)

/// Loads a block of each of 16 lanes and turns rows into columns: word i of all lanes becomes x[i].
__attribute__((target("avx512f"), always_inline)) static inline void load16(const uint8_t *const *at, __m512i x[16]) {
    __m512i row[16], pair[16], quad[16];
    for (int i = 0; i < 16; i++) row[i] = _mm512_loadu_si512(at[i]);
    for (int i = 0; i < 16; i += 2) {
        pair[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
        pair[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            quad[i + 2 * j] = _mm512_unpacklo_epi64(pair[i + j], pair[i + j + 2]);
            quad[i + 2 * j + 1] = _mm512_unpackhi_epi64(pair[i + j], pair[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) {
        __m512i even0 = _mm512_shuffle_i32x4(quad[i], quad[i + 4], 0x88), odd0 = _mm512_shuffle_i32x4(quad[i], quad[i + 4], 0xdd);
        __m512i even1 = _mm512_shuffle_i32x4(quad[i + 8], quad[i + 12], 0x88), odd1 = _mm512_shuffle_i32x4(quad[i + 8], quad[i + 12], 0xdd);
        x[i] = _mm512_shuffle_i32x4(even0, even1, 0x88);
        x[i + 4] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);
        x[i + 8] = _mm512_shuffle_i32x4(even0, even1, 0xdd);
        x[i + 12] = _mm512_shuffle_i32x4(odd0, odd1, 0xdd);
    }
}

__attribute__((target("avx512f"))) static void compress_sixteen(struct lanes *lanes, uint32_t blocks) {
    __m512i before[4];
    for (int i = 0; i < 4; i++) before[i] = _mm512_load_si512(lanes->state[i]);
    for (; blocks > 0; blocks--) {
        __m512i x[16];
        load16(lanes->at, x);
        for (int lane = 0; lane < 16; lane++) lanes->at[lane] += lanes->step[lane];
        __m512i a = before[0], b = before[1], c = before[2], d = before[3];
#include "MD5Rounds.h"
        before[0] = ADD(before[0], a), before[1] = ADD(before[1], b), before[2] = ADD(before[2], c), before[3] = ADD(before[3], d);
    }
    for (int i = 0; i < 4; i++) _mm512_store_si512(lanes->state[i], before[i]);
}

#endif

// Which job stands in which lane.

/// Puts the next job that has blocks into `lane`. Returns whether there was one.
static int begin(struct lanes *lanes, unsigned lane, struct lm_md5_job **next, struct lm_md5_job *end) {
    while (*next < end && (*next)->count == 0) (*next)++;
    int found = *next < end;
    lanes->job[lane] = found ? *next : NULL;
    lanes->at[lane] = found ? (*next)->blocks : nothing;
    lanes->left[lane] = found ? (*next)->count : UINT32_MAX;
    lanes->step[lane] = found ? 64 : 0;
    if (!found) return 0;
    for (int i = 0; i < 4; i++) lanes->state[i][lane] = (*next)->state[i];
    (*next)++;
    return 1;
}

static void finish(struct lanes *lanes, unsigned lane) {
    for (int i = 0; i < 4; i++) lanes->job[lane]->state[i] = lanes->state[i][lane];
}

static void run(compress_lanes *compress, unsigned width, struct lm_md5_job *jobs, unsigned count) {
    struct lanes lanes;
    struct lm_md5_job *next = jobs, *end = jobs + count;
    unsigned busy = 0;
    for (unsigned lane = 0; lane < width; lane++) busy += (unsigned)begin(&lanes, lane, &next, end);
    while (busy > 1) {
        uint32_t blocks = UINT32_MAX;
        for (unsigned lane = 0; lane < width; lane++)
            if (lanes.left[lane] < blocks) blocks = lanes.left[lane];
        compress(&lanes, blocks);
        for (unsigned lane = 0; lane < width; lane++) {
            if (!lanes.job[lane]) continue;
            lanes.left[lane] -= blocks;
            if (lanes.left[lane]) continue;
            finish(&lanes, lane);
            if (!begin(&lanes, lane, &next, end)) busy--;
        }
    }
    // A job that is alone is faster outside the vectors.
    for (unsigned lane = 0; busy && lane < width; lane++) {
        if (!lanes.job[lane]) continue;
        finish(&lanes, lane);
        compress_one(lanes.job[lane]->state, lanes.at[lane], lanes.left[lane]);
        busy = 0;
    }
}

static int has_lanes(unsigned lanes) {
#if defined(__x86_64__)
    if (lanes == 16) return __builtin_cpu_supports("avx512f") != 0;
    if (lanes == 8) return __builtin_cpu_supports("avx2") != 0;
#endif
    return lanes == 4 || lanes == 1;
}

int lm_md5_many_with(unsigned lanes, struct lm_md5_job *jobs, unsigned count) {
    if (!has_lanes(lanes)) return 0;
    switch (lanes) {
#if defined(__x86_64__)
    case 16: run(compress_sixteen, 16, jobs, count); break;
    case 8: run(compress_eight, 8, jobs, count); break;
#endif
    case 4: run(compress_four, 4, jobs, count); break;
    default:
        for (unsigned i = 0; i < count; i++) compress_one(jobs[i].state, jobs[i].blocks, jobs[i].count);
    }
    return 1;
}

static unsigned widest;

__attribute__((constructor)) static void find_widest(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    widest = has_lanes(16) ? 16 : has_lanes(8) ? 8 : 4;
}

unsigned lm_md5_lanes(void) { return widest; }

void lm_md5_many(struct lm_md5_job *jobs, unsigned count) {
    if (count == 1)
        compress_one(jobs->state, jobs->blocks, jobs->count);
    else
        lm_md5_many_with(widest, jobs, count);
}
