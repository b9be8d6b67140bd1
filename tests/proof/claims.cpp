// SPDX-License-Identifier: Apache-2.0
// Claims about the library's own functions: each returns whether it holds for its arguments. prove.py
// compiles this file to LLVM IR and has an SMT solver show that none of them ever returns false, for
// every argument of full width and every content of the object.
#include <femto/execution.hpp>

#include <cstdint>

using namespace femto;

namespace {

constexpr std::size_t regions = 5;
using segmented = guest_memory<address_space::segmented, regions>;
using small = guest_memory<address_space::segmented, regions, 0xffff>;  // regions of another layout
using flat = guest_memory<address_space::flat, regions>;

template <bool Write, class Memory>
std::uint32_t size_of(const Memory& m, std::uint32_t n) {
    return Write ? m.writable(n) : m.readable(n);
}

/// Granted if and only if the piece lies in the region that the high word names.
template <bool Write, class Memory>
bool segmented_check(const Memory& m, std::uint64_t address, std::uint32_t width) {
    const std::uint64_t number = address >> 32, offset = address & 0xffffffff;
    const bool inside = number != 0 && number < regions &&
                        offset + width <= size_of<Write>(m, static_cast<std::uint32_t>(number));
    return m.template locate<Write>(address, width).granted == inside;
}
/// And it is the bytes at that offset from the region's first one.
bool segmented_place(const segmented& m, std::uint64_t address, std::uint32_t width) {
    const auto a = m.locate<true>(address, width);
    if (!a.granted) return a.at == nullptr;
    const auto first = m.locate<true>(address & ~std::uint64_t{0xffffffff}, 0);
    return first.granted && reinterpret_cast<std::uintptr_t>(a.at) -
                                    reinterpret_cast<std::uintptr_t>(first.at) ==
                                (address & 0xffffffff);
}
/// Granted if and only if the piece lies in the region: its distance from the base, and its end, are at
/// most the size. (Distances are modulo 2^64: no region of an address space wraps around.) With one
/// region, of any base and size.
template <bool Write, std::uint32_t Number>
bool flat_check(std::byte* base, std::uint32_t size, std::uint64_t address, std::uint32_t width) {
    if (size > 0x7fffffff || width == 0) return true;
    flat m;
    if (!m.try_set(Number, {base, size}, Write ? permission::write : permission::read)) return false;
    const std::uint64_t distance = address - m.address_of(Number);
    const bool inside = distance <= size && width <= size - distance;
    const auto a = m.template locate<Write>(address, width);
    return a.granted == inside && (!inside || a.at == base + distance) &&
           !m.template locate<!Write>(address, width).granted;
}
/// Several regions: granted if and only if the memory that has one of them alone grants it, and where the
/// first such one does. With `flat_check` for each of them, this is the whole check.
template <bool Write>
bool flat_regions(const flat& m, std::uint64_t address, std::uint32_t width) {
    if (width == 0) return true;
    decltype(m.template locate<Write>(address, width)) first{};
    for (std::uint32_t n = 1; n < regions; ++n) {
        if (size_of<Write>(m, n) > 0x7fffffff) return true;  // `set` makes none
        flat one;
        const auto base = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(m.address_of(n)));
        const auto as = Write ? permission::write : permission::read;
        if (!one.try_set(n, {base, size_of<Write>(m, n)}, as)) return false;
        const auto a = one.template locate<Write>(address, width);
        if (!first.granted) first = a;
    }
    const auto a = m.template locate<Write>(address, width);
    return a.granted == first.granted && a.at == first.at;
}
/// Distance and slot without wrap-around, as the verifier's comparison needs them.
bool jump(std::uint32_t pc, std::int32_t distance, std::uint32_t begin, std::uint32_t end) {
    if (pc >= end || begin > pc || end > 0x80000000) return true;  // end <= max_instructions <= 2^31
    const std::uint32_t to = detail::jump_target(pc, distance);
    const std::int64_t exact = std::int64_t{pc} + 1 + distance;
    const bool accepted = !(to < begin || to >= end);
    const bool right = exact >= std::int64_t{begin} && exact < std::int64_t{end};
    return accepted == right && (!accepted || std::int64_t{to} == exact);
}

/// What a helper charges is what is taken, and never becomes fuel.
bool charge(std::int32_t fuel, std::uint32_t instructions) {
    constexpr std::int64_t lowest = -0x08000000;
    if (fuel < lowest) return true;  // no run has less
    caller c{fuel, nullptr, nullptr};
    c.charge(instructions);
    const std::int64_t exact = std::int64_t{fuel} - instructions;
    return c.fuel() == (exact < lowest ? lowest : exact) && c.fuel() <= fuel;
}

/// The deadline of `detail::execution`, restated for a core of either width: whatever the place of the
/// text and however its addresses wrap around, what is left is the fuel less what was executed.
template <class Word, class Signed>
bool deadline(Word place, std::int32_t fuel, std::uint32_t executed) {
    constexpr std::int32_t lowest = -0x08000000, most_text = 0x04000000;  // 2^26 slots: 512 MiB
    if (fuel < lowest || fuel > static_cast<std::int32_t>(max_fuel)) return true;
    // A run that has fuel stops at most one straight stretch after it is used up.
    if (fuel > 0 ? executed > static_cast<std::uint32_t>(fuel) + most_text : executed != 0) return true;
    const Word at = place + static_cast<Word>(executed) * 8;
    const Word end = place + static_cast<Word>(fuel) * 8;
    const Signed left = static_cast<Signed>(end - at);
    return left / 8 == static_cast<std::int64_t>(fuel) - executed &&
           (left > 0) == (static_cast<std::int64_t>(fuel) > executed);
}

/// A swap of a swap is what was there, less the bits that are not swapped.
template <std::uint32_t Bits>
bool swap_twice(std::uint64_t a) {
    return semantics::byte_swap(semantics::byte_swap(a, Bits), Bits) == semantics::zero_extend(a, Bits);
}

}  // namespace

extern "C" {
bool claim_segmented_read(const segmented* m, std::uint64_t a, std::uint32_t w) { return segmented_check<false>(*m, a, w); }
bool claim_segmented_write(const segmented* m, std::uint64_t a, std::uint32_t w) { return segmented_check<true>(*m, a, w); }
bool claim_small_read(const small* m, std::uint64_t a, std::uint32_t w) { return segmented_check<false>(*m, a, w); }
bool claim_small_write(const small* m, std::uint64_t a, std::uint32_t w) { return segmented_check<true>(*m, a, w); }
bool claim_segmented_place(const segmented* m, std::uint64_t a, std::uint32_t w) { return segmented_place(*m, a, w); }
bool claim_flat_read(std::byte* b, std::uint32_t s, std::uint64_t a, std::uint32_t w) { return flat_check<false, 1>(b, s, a, w); }
bool claim_flat_write(std::byte* b, std::uint32_t s, std::uint64_t a, std::uint32_t w) { return flat_check<true, 1>(b, s, a, w); }
bool claim_flat_regions_read(const flat* m, std::uint64_t a, std::uint32_t w) { return flat_regions<false>(*m, a, w); }
bool claim_flat_regions_write(const flat* m, std::uint64_t a, std::uint32_t w) { return flat_regions<true>(*m, a, w); }
bool claim_jump(std::uint32_t pc, std::int32_t d, std::uint32_t b, std::uint32_t e) { return jump(pc, d, b, e); }
bool claim_charge(std::int32_t f, std::uint32_t n) { return charge(f, n); }
bool claim_deadline_32(std::uint32_t p, std::int32_t f, std::uint32_t n) { return deadline<std::uint32_t, std::int32_t>(p, f, n); }
bool claim_deadline_64(std::uint64_t p, std::int32_t f, std::uint32_t n) { return deadline<std::uint64_t, std::int64_t>(p, f, n); }
bool claim_swap_16(std::uint64_t a) { return swap_twice<16>(a); }
bool claim_swap_32(std::uint64_t a) { return swap_twice<32>(a); }
bool claim_swap_64(std::uint64_t a) { return swap_twice<64>(a); }
/// Not true: the prover must say so.
bool false_claim_width(const segmented* m, std::uint64_t a, std::uint32_t w) {
    return !m->locate<false>(a, w).granted || (a & 0xffffffff) + w < m->readable(static_cast<std::uint32_t>(a >> 32));
}
bool false_claim_sum(std::uint32_t a, std::uint32_t b) { return a + b >= a; }
}
