// SPDX-License-Identifier: Apache-2.0
// One part of femto in one configuration, for size.py: PART is verifier, compact, threaded, prepared or helpers,
// CONFIGURATION one of the constants below. Only what `part` needs is linked in.
#include <femto/vm.hpp>

using namespace femto;

namespace {

constexpr config smallest{.address_space = address_space::segmented,
                          .dispatch = dispatch::compact,
                          .allowed = groups::base,
                          .max_instructions = 256,
                          .stack_size = 64,
                          .max_call_depth = 0,
                          .max_regions = 5};
constexpr config base64_divmul64{.dispatch = dispatch::compact,
                                 .allowed = groups::base | group::divmul64};
constexpr config standard{};
constexpr config everything{.address_space = address_space::flat,
                            .max_instructions = 65536,
                            .max_call_depth = 8,
                            .max_regions = 16};

constexpr config with(config c, dispatch d) {
    c.dispatch = d;
    return c;
}

std::uint32_t value(std::uint32_t a, std::uint32_t b) { return a ^ b; }
std::uint32_t first(guest_span<const std::uint8_t> bytes) { return bytes.empty() ? 0 : bytes[0]; }
void put(guest_ref<std::uint32_t> to) { to.set(1); }
std::size_t length(guest_string text) { return text.text.size(); }
using four = helper_set<helper<1, "value", &value>, helper<2, "first", &first>, helper<3, "put", &put>,
                        helper<4, "length", &length>>;

}  // namespace

#if defined(VERIFIER)
using measured_vm = vm<CONFIGURATION>;
extern "C" bool part(const program& p, std::span<std::uint8_t> scratch) {
    return measured_vm::verify(p, scratch).has_value();
}
#elif defined(HELPERS)
// The calls of four helpers, one of each kind of argument, with their checks.
using measured_memory = vm<CONFIGURATION>::memory_type;
extern "C" errc part(std::uint32_t id, caller& from, std::uint64_t* r, const measured_memory& m,
                     std::uint64_t& address) {
    return four::call(id, from, r, m, address);
}
#elif defined(PREPARED)
// Preparing, and running what is prepared only.
using measured_vm = vm<with(CONFIGURATION, dispatch::threaded)>;
extern "C" std::uint64_t part(measured_vm& m, const measured_vm::verified& p, std::span<std::byte> context,
                              const std::span<prepared_instruction>& code) {
    const auto prepared = measured_vm::prepare(p, code);
    return prepared ? m.run(*prepared, prepared->entry(), context, 1000).value_or(0) : 0;
}
#else
using measured_vm = vm<with(CONFIGURATION, dispatch::DISPATCH)>;
extern "C" std::uint64_t part(measured_vm& m, const measured_vm::verified& p, std::span<std::byte> context) {
    return m.run(p, p.entry(), context, 1000).value_or(0);
}
/// Its size is the RAM of a machine.
measured_vm ram_of_a_machine;
#endif
