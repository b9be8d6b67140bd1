// SPDX-License-Identifier: Apache-2.0
// Instructions a second for each class of instruction, and for memory by what is accessed and how
// many regions there are.
#include "loop.hpp"

namespace {

using bench::add;
using bench::op;

const bool added = [] {
    struct row {
        const char* name;
        bench::text body;
    };
    const row rows[]{
        {"alu64/add_imm", {op(0x07, 0, 0, 0, 7)}},
        {"alu64/add_reg", {op(0x0f, 0, 8)}},
        {"alu64/mul_reg", {op(0x2f, 0, 8)}},
        {"alu64/div_reg", {op(0x3f, 0, 8)}},
        {"alu64/sdiv_reg", {op(0x3f, 0, 8, 1)}},
        {"alu64/shift_reg", {op(0x6f, 0, 8)}},
        {"alu64/mov_reg", {op(0xbf, 0, 8)}},
        {"alu64/movsx8", {op(0xbf, 0, 8, 8)}},
        {"alu64/lddw", {op(0x18, 0, 0, 0, 7), op(0)}},
        {"alu32/add_imm", {op(0x04, 0, 0, 0, 7)}},
        {"alu32/add_reg", {op(0x0c, 0, 8)}},
        {"alu32/mul_reg", {op(0x2c, 0, 8)}},
        {"alu32/div_reg", {op(0x3c, 0, 8)}},
        {"bytes/be32", {op(0xdc, 0, 0, 0, 32)}},
        {"bytes/bswap64", {op(0xd7, 0, 0, 0, 64)}},
        {"jump/always", {op(0x05)}},
        {"jump/taken", {op(0x55, 8)}},
        {"jump/not_taken", {op(0x15, 8)}},
        {"jump32/taken", {op(0x56, 8)}},
        {"load/context_8", {op(0x71, 0, 7, 3)}},
        {"load/context_32", {op(0x61, 0, 7, 4)}},
        {"load/context_64", {op(0x79, 0, 7, 8)}},
        {"load/context_unaligned", {op(0x79, 0, 7, 3)}},
        {"load/sign_extended", {op(0x91, 0, 7, 3)}},
        {"load/stack_64", {op(0x79, 0, 10, -8)}},
        {"store/context_32", {op(0x63, 7, 8, 4)}},
        {"store/context_imm_32", {op(0x62, 7, 0, 4, 9)}},
        {"store/stack_64", {op(0x7b, 10, 8, -8)}},
        {"atomic/add_64", {op(0xdb, 7, 8, 8, 0)}},
        {"atomic/fetch_add_32", {op(0xc3, 7, 8, 8, 1)}},
        {"atomic/compare_exchange_64", {op(0xdb, 7, 8, 8, 0xf1)}},
    };
    for (const row& r : rows) add(std::string{"instruction/"} + r.name, bench::repeat(r.body));
    for (const std::size_t regions : {0u, 4u, 16u, 32u}) {
        add("regions/" + std::to_string(regions) + "/load_64",
            bench::repeat({op(0x79, 0, 7, 8)}), regions);
    }
    return true;
}();

}  // namespace
