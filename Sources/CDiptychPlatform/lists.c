#include "kernels.h"

#include <assert.h>

/* The largest step is fc1's row of inputs for 256 x 256 images and 256 channels. */
static_assert((DP_LIST_DEPTH - 1) * (256LL * 128 * 128) <= INT32_MAX, "a list's places are 32 bits");

#define MEMBER(set, i) ((set) >> (i) & 1 ? (uint64_t)(i) << 8 * __builtin_popcount((set) & ((1u << (i)) - 1)) : 0)
#define ONE(set) (MEMBER(set, 0) | MEMBER(set, 1) | MEMBER(set, 2) | MEMBER(set, 3) | MEMBER(set, 4) | MEMBER(set, 5) | MEMBER(set, 6) | MEMBER(set, 7))
#define FOUR(set) ONE(set), ONE((set) + 1u), ONE((set) + 2u), ONE((set) + 3u)
#define SIXTEEN(set) FOUR(set), FOUR((set) + 4u), FOUR((set) + 8u), FOUR((set) + 12u)
#define SIXTY_FOUR(set) SIXTEEN(set), SIXTEEN((set) + 16u), SIXTEEN((set) + 32u), SIXTEEN((set) + 48u)

const uint64_t dp_members[256] = {SIXTY_FOUR(0u), SIXTY_FOUR(64u), SIXTY_FOUR(128u), SIXTY_FOUR(192u)};
