// SPDX-License-Identifier: Apache-2.0
// Counts instructions on a board: each workload natively and on the four machines, and what starting
// it takes. A line of `key=value` for each figure, which boards.py reads.
#include "instruction_count.hpp"

#include "../workloads/helpers.hpp"

#include <support/hook.hpp>

#include <femto/image.hpp>
#include <femto/vm.hpp>

#include <board.hpp>

#include <array>
#include <new>
#include <span>
#include <string_view>

extern "C" {
#define FEMTO_WORKLOAD(name, expected)                      \
    std::uint64_t workload_##name(void*, std::uint64_t);    \
    extern const std::byte image_##name[], image_end_##name[];
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
}

namespace {

struct workload {
    std::string_view name;
    std::uint64_t (*native)(void*, std::uint64_t);
    std::span<const std::byte> image;
    std::uint64_t expected;
};
const workload workloads_[] = {
#define FEMTO_WORKLOAD(name, expected) \
    {#name, &workload_##name, {image_##name, image_end_##name}, expected},
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
};

using femto::board::write;

void write_number(std::uint64_t value) {
    char text[20];
    std::size_t at = sizeof text;
    do text[--at] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    write({text + at, sizeof text - at});
}
void field(std::string_view key, std::uint64_t value) {
    write(" ");
    write(key);
    write("=");
    write_number(value);
}
void field(std::string_view key, std::string_view value) {
    write(" ");
    write(key);
    write("=");
    write(value);
}
[[noreturn]] void give_up(std::string_view what, std::string_view where, std::uint64_t value = 0) {
    write(what);
    field("in", where);
    field("value", value);
    write("\n");
    femto::board::exit(1);
}

// What a program runs in, each time another one.
alignas(8) std::array<std::byte, 4096> data;
std::array<std::uint8_t, 4096> scratch;
std::array<femto::function, 1> functions;
alignas(8) std::array<std::byte, 64> context;

void native(bench::instruction_count& count, const workload& w) {
    auto* volatile function = w.native;
    std::uint64_t value = 0;
    const auto instructions = count.of([&] { value = function(context.data(), context.size()); });
    if (value != w.expected) give_up("wrong result", w.name, value);
    write("native");
    field("workload", w.name);
    field("instructions", instructions);
    write("\n");
}

/// `Prepares`: code for the threaded dispatcher is made ahead of the run, in RAM.
template <femto::dispatch Dispatch, femto::address_space Space, bool Prepares>
void on_machine(bench::instruction_count& count, const workload& w, std::string_view dispatch,
                std::string_view space) {
    using machine =
        femto::vm<femto::config{.address_space = Space, .dispatch = Dispatch}, workloads::helpers>;
    const auto image = femto::parse_image(w.image);
    if (!image) give_up("no image", w.name);
    const auto program = femto::load(*image, {data, functions, {}});
    if (!program) give_up("not loaded", w.name);
    const auto verified = machine::verify(*program, scratch);
    if (!verified) give_up("not verified", w.name, static_cast<std::uint64_t>(verified.error().code));
    static machine m;
    std::uint64_t value = 0;
    const auto measure = [&](const auto& runnable) {
        return count.of([&] {
            value = m.run(runnable, runnable.entry(), context, 1'000'000).value_or(0);
        });
    };
    std::uint32_t instructions = 0;
    if constexpr (Prepares) {
        static std::array<femto::prepared_instruction, 512> code;
        const auto prepared = machine::prepare(*verified, code);
        if (!prepared) give_up("not prepared", w.name);
        instructions = measure(*prepared);
    } else {
        instructions = measure(*verified);
    }
    if (value != w.expected) give_up("wrong result", w.name, value);
    write("run");
    field("workload", w.name);
    field("dispatch", dispatch);
    field("address_space", space);
    field("instructions", instructions);
    field("ebpf_instructions", m.executed());
    write("\n");
}

/// What every start has to do at least: look at each byte.
[[gnu::noinline]] std::uint32_t pass_over(std::span<const std::byte> bytes) {
    std::uint32_t sum = 0;
    for (const std::byte b : bytes) sum += std::to_integer<std::uint32_t>(b);
    return sum;
}

/// From the bytes of an image in flash to a verified program in the default configuration, and from
/// nothing to a machine that has executed its first instruction.
void start(bench::instruction_count& count, const workload& w) {
    using machine = femto::vm<femto::config{}, workloads::helpers>;
    volatile std::uint32_t sink = 0;
    const auto pass = count.of([&] { sink = pass_over(w.image); });

    femto::program program;
    const auto load = count.of([&] {
        const auto image = femto::parse_image(w.image);
        if (image) program = femto::load(*image, {data, functions, {}}).value_or(femto::program{});
    });
    bool accepted = false;
    const auto verify = count.of([&] { accepted = machine::verify(program, scratch).has_value(); });
    if (!accepted) give_up("not verified", w.name);
    static std::array<femto::prepared_instruction, 512> code;
    const auto to_prepare = machine::verify(program, scratch);
    const auto prepare = count.of([&] { accepted = machine::prepare(*to_prepare, code).has_value(); });
    if (!accepted) give_up("not prepared", w.name);

    static constexpr std::array only_exit{femto::instruction::make(0x95)};
    const auto verified = machine::verify({only_exit, {}, {}, {}}, scratch);
    alignas(machine) static std::array<std::byte, sizeof(machine)> storage;
    const auto first = count.of([&] {
        auto* const m = new (storage.data()) machine;
        accepted = m->run(*verified, verified->entry(), context, 1).has_value();
    });
    if (!accepted) give_up("not run", w.name);
    write("start");
    field("workload", w.name);
    field("bytes", w.image.size());
    field("slots", program.text.size());
    field("pass_over_bytes", pass);
    field("load", load);
    field("verify", verify);
    field("first_instruction", first);
    field("prepare", prepare);
    write("\n");
}

/// Firing a hook without a container, and one with the paper's thread counter.
template <femto::dispatch Dispatch, femto::address_space Space>
void fire(bench::instruction_count& count, std::string_view dispatch, std::string_view space) {
    constexpr femto::config configured{.address_space = Space, .dispatch = Dispatch};
    static bench::hooked_device<configured, bench::critical_section> device;
    typename decltype(device)::thread_switch s{1, 2};
    std::uint8_t ran = 0;
    const auto empty = count.of([&] { ran = device.fire(s); });
    if (ran != 0 || !device.attach_counter() || device.fire(s) != 1) give_up("hook", dispatch);
    const auto counter = count.of([&] { ran = device.fire(s); });
    if (ran != 1 || device.count(2) != 2) give_up("hook", dispatch, device.count(2));
    write("hook");
    field("dispatch", dispatch);
    field("address_space", space);
    field("empty", empty);
    field("thread_counter", counter);
    write("\n");
}

/// Calls `f` with each dispatcher and address space and their names.
template <class F>
void each_machine(F&& f) {
    using enum femto::dispatch;
    using enum femto::address_space;
    f.template operator()<compact, segmented>("compact", "segmented");
    f.template operator()<compact, flat>("compact", "flat");
    f.template operator()<threaded, segmented>("threaded", "segmented");
    f.template operator()<threaded, flat>("threaded", "flat");
}

}  // namespace

int femto_main() {
    bench::instruction_count count;
    if (!count.works()) give_up("instructions are not counted", "the loop of known length", count.counted());
    for (const workload& w : workloads_) native(count, w);
    for (const workload& w : workloads_) start(count, w);
    each_machine([&]<femto::dispatch Dispatch, femto::address_space Space>(
                     std::string_view dispatch, std::string_view space) {
        for (const workload& w : workloads_) {
            on_machine<Dispatch, Space, false>(count, w, dispatch, space);
            if constexpr (Dispatch == femto::dispatch::threaded) {
                on_machine<Dispatch, Space, true>(count, w, "prepared", space);
            }
        }
        fire<Dispatch, Space>(count, dispatch, space);
    });
    write("end\n");
    return 0;
}
