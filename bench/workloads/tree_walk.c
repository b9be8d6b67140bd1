// SPDX-License-Identifier: Apache-2.0
// A binary search tree of 128 nodes in an array, filled and walked in order without recursion: each
// node knows its parent.
#include "workload.h"

#define NODES 128
#define NONE 0xff

struct node {
    uint32_t key;
    uint8_t left;
    uint8_t right;
    uint8_t parent;
    uint8_t visits;
};

static struct node nodes[NODES];

WORKLOAD(tree_walk) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < NODES; ++i) {
        const uint32_t key = next_number(&seed);
        nodes[i].key = key;
        nodes[i].left = nodes[i].right = nodes[i].parent = NONE;
        nodes[i].visits = 0;
        uint32_t at = 0;
        while (i != 0) {
            uint8_t *side = key < nodes[at].key ? &nodes[at].left : &nodes[at].right;
            if (*side == NONE) {
                *side = (uint8_t)i;
                nodes[i].parent = (uint8_t)at;
                break;
            }
            at = *side;
        }
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < 4; ++round) {
        uint32_t from = NONE;
        uint32_t at = 0;
        while (at != NONE) {
            struct node *const n = &nodes[at];
            uint32_t to;
            if (from == n->parent && n->left != NONE) {
                to = n->left;
            } else {
                // Coming from the parent with nothing on the left, or from the left: this node's
                // turn.
                const bool from_right = from == n->right && n->right != NONE;
                if (!from_right) {
                    sum = fold(sum, n->key);
                    ++n->visits;
                }
                to = from_right || n->right == NONE ? n->parent : n->right;
            }
            from = at;
            at = to;
        }
    }
    for (uint32_t i = 0; i < NODES; ++i) sum += nodes[i].visits;
    return sum;
}
