// CRC-32C: eight octets an instruction where the processor has it, else by table.
#include "CLinux.h"

#include <string.h>

static const uint32_t polynomial = 0x82f63b78;  // Castagnoli's, reflected (RFC 3720 appendix B.4)
static uint32_t crc_table[256];

__attribute__((constructor)) static void fill_table(void) {
    for (uint32_t octet = 0; octet < 256; octet++) {
        uint32_t crc = octet;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        crc_table[octet] = crc;
    }
}

uint32_t lm_crc32c_table(uint32_t seed, const uint8_t *bytes, size_t count) {
    uint32_t crc = ~seed;
    for (size_t i = 0; i < count; i++) crc = crc_table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t seed, const uint8_t *bytes, size_t count) {
    uint64_t crc = ~seed;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; count > 0; bytes++, count--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *bytes);
    return ~(uint32_t)crc;
}

uint32_t lm_crc32c(uint32_t seed, const uint8_t *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? by_instruction(seed, bytes, count) : lm_crc32c_table(seed, bytes, count);
}
#else
uint32_t lm_crc32c(uint32_t seed, const uint8_t *bytes, size_t count) { return lm_crc32c_table(seed, bytes, count); }
#endif
