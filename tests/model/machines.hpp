// SPDX-License-Identifier: Apache-2.0
// One program on the model and on the machines of one configuration: they must agree on the result,
// registers, memory, executed instructions, and the code, place and address of a fault, in one go and
// in small portions of fuel. Shared by the differential test and the fuzzer.
#pragma once

#include "generator.hpp"
#include "legal.hpp"
#include "model.hpp"

#include "../unit/every_vm.hpp"

#include <femto/vm.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace model {

/// Everything that a run depends on.
struct scenario {
    std::vector<slot> text;
    std::vector<std::uint32_t> functions;  ///< entry points; the first one is run
    std::vector<std::uint8_t> context, rodata, data, extra;
    bool context_writable = true;
    int extra_permission = 3;
    std::uint64_t granted = ~std::uint64_t{0};  ///< bit n: helper n + 1
    std::uint32_t fuel = 2000;
    std::uint32_t portion = 7;
};

inline constexpr int stack_size = 512;
inline constexpr int call_depth = 4;

namespace helpers {

using namespace femto;

inline std::uint64_t add(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                         std::uint64_t e) {
    return a + b + c + d + e;
}
inline std::uint32_t charge(caller& c, std::uint32_t n) {
    c.charge(n & 0xfff);
    return n;
}
inline std::uint32_t suspend(caller& c) {
    c.suspend();
    return 3;
}
inline std::uint64_t finish(caller& c, std::uint64_t value) {
    if (value % 2 != 0) c.finish();
    return value;
}
inline void fail(caller& c, std::uint32_t at) { c.fail(errc::helper_failed, at); }
inline std::uint32_t copy(guest_span<std::byte> to, guest_span<const std::byte> from) {
    const auto n = std::min(to.size(), from.size());
    if (n != 0) std::memmove(to.bytes().data(), from.bytes().data(), n);
    return n;
}
inline std::size_t length(guest_string s) { return s.text.size(); }
inline std::uint32_t increment(guest_ref<std::uint32_t> value) {
    value.set(value.get() + 1);
    return value.get();
}
enum class signed_byte : std::int8_t {};
inline std::int64_t narrow(std::int8_t a, std::uint16_t b, bool c, std::int32_t d, signed_byte e) {
    return a + std::int64_t{b} * 3 + (c ? 1000 : 0) + d + static_cast<int>(e);
}
inline std::uint16_t sum(guest_span<const std::uint16_t> values, std::int16_t start) {
    auto total = static_cast<std::uint16_t>(start);
    for (std::uint32_t i = 0; i < values.size(); ++i) {
        total = static_cast<std::uint16_t>(total + values[i]);
    }
    return total;
}
inline std::int16_t negative(std::int16_t a) { return a; }

using all = helper_set<helper<1, "add", &add>, helper<2, "charge", &charge>,
                       helper<3, "suspend", &suspend>, helper<4, "finish", &finish>,
                       helper<5, "fail", &fail>, helper<6, "copy", &copy>,
                       helper<7, "length", &length>, helper<8, "increment", &increment>,
                       helper<9, "narrow", &narrow>, helper<10, "sum", &sum>,
                       helper<11, "negative", &negative>>;

/// The same once more, on the model.
inline void modelled(machine& m, std::uint32_t id) {
    auto& r = m.r;
    const auto low = [](std::uint64_t v, int bits) { return extend(v, bits); };
    // Where r[n] bytes of r[n + 1] elements lie; faults unless they are all there.
    const auto span = [&](std::size_t n, std::uint64_t size, bool write, std::uint8_t*& at) {
        at = nullptr;
        if (r[n + 1] == 0) return true;
        const std::uint64_t bytes = r[n + 1] * size;
        if (r[n + 1] <= 0x7fffffffu / size) at = m.around().find(r[n], bytes, write);
        if (at != nullptr && m.around().find(r[n], bytes, false) == at) return true;
        m.request(end::illegal_memory, r[n]);
        return false;
    };
    std::uint8_t *to = nullptr, *from = nullptr;
    switch (id) {
        case 1: r[0] = r[1] + r[2] + r[3] + r[4] + r[5]; break;
        case 2:
            m.charge(r[1] & 0xfff);
            r[0] = r[1] & 0xffffffffu;
            break;
        case 3:
            m.request(end::suspended);
            r[0] = 3;
            break;
        case 4:
            if ((r[1] & 1) != 0) m.finish();
            r[0] = r[1];
            break;
        case 5:
            m.request(end::helper_failed, r[1] & 0xffffffffu);
            r[0] = 0;
            break;
        case 6: {
            if (!span(1, 1, true, to) || !span(3, 1, false, from)) return;
            const std::uint64_t n = r[2] < r[4] ? r[2] : r[4];
            const std::vector<std::uint8_t> copied(from, from + n);
            for (std::uint64_t k = 0; k < n; ++k) to[k] = copied[k];
            r[0] = n;
            break;
        }
        case 7: {
            std::uint64_t n = 0;
            while ((from = m.around().find(r[1] + n, 1, false)) != nullptr && *from != 0) ++n;
            if (from == nullptr) return m.request(end::illegal_memory, r[1]);
            r[0] = n;
            break;
        }
        case 8: {
            to = m.around().find(r[1], 4, true);
            if (to == nullptr || m.around().find(r[1], 4, false) == nullptr) {
                return m.request(end::illegal_memory, r[1]);
            }
            store(to, 4, load(to, 4) + 1);
            r[0] = load(to, 4);
            break;
        }
        case 9:
            r[0] = low(r[1], 8) + (r[2] & 0xffff) * 3 + (r[3] != 0 ? 1000 : 0) + low(r[4], 32) +
                   low(r[5], 8);
            break;
        case 10: {
            if (!span(1, 2, false, from)) return;
            std::uint64_t total = r[3];
            for (std::uint64_t k = 0; k < r[2]; ++k) total += load(from + 2 * k, 2);
            r[0] = total & 0xffff;
            break;
        }
        default: r[0] = low(r[1], 16); break;
    }
}

}  // namespace helpers

inline femto::instruction convert(const slot& i) {
    return femto::instruction::make(i.opcode, i.registers & 15u, i.registers >> 4u, i.offset, i.imm);
}

/// The ids of the helpers that `s` is granted.
inline std::set<std::uint32_t> granted_helpers(const scenario& s) {
    std::set<std::uint32_t> ids;
    for (const auto& p : helpers::all::prototypes) {
        if ((helpers::all::bit_of(p.id) & s.granted) != 0) ids.insert(p.id);
    }
    return ids;
}

namespace detail {

/// What a step of a run came to.
struct step {
    end how{};
    std::uint64_t value = 0, pc = 0, address = 0, executed = 0;
    std::array<std::uint64_t, 11> r{};
    friend bool operator==(const step&, const step&) = default;
};

inline std::vector<std::byte> as_bytes(const std::vector<std::uint8_t>& from) {
    std::vector<std::byte> to(from.size());
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
    return to;
}
inline bool same(const std::vector<std::byte>& a, const std::vector<std::uint8_t>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// Runs `s` on `Machine` with `portion` fuel at a time until it ends or `most` is used up, beside the
/// model; empty, or what differs. `last` is the last step, with the instructions of all.
template <class Machine, class Verified>
std::string side_by_side(const scenario& s, const Verified& verified, const legality& judged,
                         Machine& m, const std::vector<std::byte>& rodata,
                         std::vector<std::byte>& data, std::uint32_t portion, std::uint64_t most,
                         step& last) {
    auto context = as_bytes(s.context);
    auto extra = as_bytes(s.extra);
    if (!s.data.empty()) std::memcpy(data.data(), s.data.data(), s.data.size());
    if (s.extra_permission != 0) {
        const auto at = m.map(extra, static_cast<femto::permission>(s.extra_permission));
        if (!at) return "map";
    }
    std::uint64_t total = 0;
    const auto observe = [&](const femto::result<std::uint64_t>& result) {
        step now;
        if (result) {
            now.value = *result;
        } else {
            now.how = static_cast<end>(result.error().code);
            now.pc = result.error().pc;
            now.address = result.error().address;
        }
        now.executed = m.executed();
        now.r = m.state().r;
        return now;
    };
    const auto entry = verified.entry();
    step real = s.context_writable
                    ? observe(m.run(verified, entry, std::span{context}, portion))
                    : observe(m.run(verified, entry, std::span<const std::byte>{context}, portion));

    auto model_context = s.context, model_rodata = s.rodata, model_data = s.data,
         model_extra = s.extra;
    // What calls save is none of the guest's.
    std::vector<std::uint8_t> stack(
        static_cast<std::size_t>(stack_size - judged.call_limit * saved_by_call));
    environment around;
    namespace number = femto::region_number;
    const auto at = [&](std::uint32_t n) { return m.memory().address_of(n); };
    around.regions = {{at(number::stack), &stack, true, true},
                      {at(number::context), &model_context, true, s.context_writable},
                      {at(number::rodata), &model_rodata, true, false},
                      {at(number::data), &model_data, true, true},
                      {at(number::first_free), &model_extra, (s.extra_permission & 1) != 0,
                       (s.extra_permission & 2) != 0}};
    around.rodata_at = at(number::rodata);
    around.data_at = at(number::data);
    around.entries = judged.entries;
    around.frame_size = judged.frame_size;
    around.call_limit = static_cast<std::size_t>(judged.call_limit);
    const auto granted = granted_helpers(s);
    machine model{s.text, around, granted, helpers::modelled};
    model.r[1] = at(number::context);
    model.r[2] = s.context.size();
    model.r[10] = at(number::stack) + stack.size();
    model.pc = entry.pc();
    const auto expect = [&](end how) {
        step now;
        now.how = how;
        if (how == end::exit) {
            now.value = model.r[0];
        } else {
            now.pc = model.pc;
            now.address = model.address;
        }
        now.executed = model.executed;
        now.r = model.r;
        return now;
    };
    step expected = expect(model.go(portion));
    while (true) {
        if (real.how != expected.how) return "how it ended";
        if (real.pc != expected.pc) return "where it stopped";
        if (real.address != expected.address) return "the address of the fault";
        if (real.executed != expected.executed) return "instructions executed";
        if (!(real == expected)) return "registers";
        total += real.executed;
        const bool goes_on = real.how == end::out_of_fuel || real.how == end::suspended;
        if (!goes_on || total >= most) break;
        real = observe(m.resume(verified, portion));
        expected = expect(model.go(portion));
    }
    if (!same(context, model_context)) return "the context afterwards";
    if (!same(data, model_data)) return "the data afterwards";
    if (!same(extra, model_extra)) return "the region afterwards";
    if (!same(rodata, model_rodata)) return "the rodata afterwards";
    if (m.memory().readable(number::stack) != stack.size()) return "the size of the stack";
    const auto* frames =
        m.memory().template find<false>(at(number::stack), static_cast<std::uint32_t>(stack.size()));
    if (std::memcmp(frames, stack.data(), stack.size()) != 0) return "the stack afterwards";
    last = real;
    last.executed = total;
    return {};
}

}  // namespace detail

/// What a scenario came to on a machine and on the model.
struct verdict {
    bool legal = false;  ///< whether the verifier, and the judgement it has to agree with, accept it
    end how{};           ///< if legal, in one go
};

/// Runs `s` on a kind of machine; empty, or what differs.
template <class Kind>
std::string compare(const scenario& s, verdict& v) {
    constexpr femto::config Config = Kind::value;
    using vm = typename Kind::template vm<helpers::all>;
    std::vector<femto::instruction> text;
    for (const auto& i : s.text) text.push_back(convert(i));
    std::vector<femto::function> functions;
    for (const auto f : s.functions) functions.push_back({"f", f});
    const auto rodata = detail::as_bytes(s.rodata);
    auto data = detail::as_bytes(s.data);
    std::vector<std::uint8_t> scratch(text.size());
    const legality judged = judge(s.text, s.functions,
                                  {Config.max_instructions, stack_size, call_depth,
                                   granted_helpers(s)});
    const auto verified = vm::verify({text, rodata, data, functions}, scratch, s.granted);
    v.legal = judged.legal;
    if (verified.has_value() != v.legal) {
        return v.legal ? "refused although it is legal" : "accepted although it is not legal";
    }
    if (!v.legal) return {};
    if (verified->frame_size() != judged.frame_size) return "the size of frames";
    if (verified->call_limit() != judged.call_limit) return "how deep calls may nest";

    // In one go; then in portions, which must come to the same.
    alignas(vm) static std::byte place[sizeof(vm)];
    detail::step whole, parts;
    const auto run = [&](std::uint32_t portion, detail::step& last) {
        auto* m = new (place) vm;
        const auto why = detail::side_by_side(s, *verified, judged, *m, rodata, data,
                                              portion, s.fuel, last);
        m->~vm();
        return why;
    };
    std::string why = run(s.fuel, whole);
    v.how = whole.how;
    if (!why.empty()) return why;
    why = run(s.portion, parts);
    if (!why.empty()) return "in portions: " + why;
    const auto ended = [](end how) { return how != end::out_of_fuel && how != end::suspended; };
    // Flat addresses differ from run to run.
    if (Config.address_space == femto::address_space::segmented && ended(whole.how) &&
        ended(parts.how) && !(whole == parts)) {
        return "portions come to something else";
    }
    return {};
}

/// The scenario that follows from a seed.
inline scenario make_scenario(std::uint64_t seed) {
    random r{seed};
    scenario s;
    s.text = make_program(r);
    if (r.one_in(8)) {  // one bit, for the verifier to find out whether it matters
        const std::uint32_t bit = r.below(64);
        auto& i = s.text[r.below(static_cast<std::uint32_t>(s.text.size()))];
        if (bit < 8) i.opcode = static_cast<std::uint8_t>(i.opcode ^ 1u << bit);
        else if (bit < 16) i.registers = static_cast<std::uint8_t>(i.registers ^ 1u << (bit - 8));
        else if (bit < 32) i.offset = static_cast<std::int16_t>(i.offset ^ 1 << (bit - 16));
        else i.imm = static_cast<std::int32_t>(static_cast<std::uint32_t>(i.imm) ^ 1u << (bit - 32));
    }
    const auto bytes = [&](std::uint32_t size) {
        std::vector<std::uint8_t> made(size);
        for (auto& b : made) b = static_cast<std::uint8_t>(r.one_in(4) ? 0 : r.next());
        return made;
    };
    s.context = bytes(r.one_in(4) ? r.below(8) : 64);
    s.rodata = bytes(r.below(40));
    s.data = bytes(r.below(40));
    s.extra = bytes(r.below(16));
    s.context_writable = !r.one_in(8);
    s.extra_permission = static_cast<int>(r.below(4));
    s.granted = r.one_in(16) ? r.next() : ~std::uint64_t{0};
    s.fuel = r.one_in(4) ? 1 + r.below(100) : 2000;
    s.portion = 1 + r.below(30);
    return s;
}

/// The machines that are compared. Small, so that its limits are met.
inline constexpr femto::config compared{.stack_size = stack_size, .max_call_depth = call_depth,
                                        .max_regions = 6};

}  // namespace model
