// SPDX-License-Identifier: Apache-2.0
// Images: what is written is read, every malformed one is refused with its place.
#include "catch.hpp"

#include <femto/image_writer.hpp>
#include <femto/rbpf_image.hpp>
#include <femto/vm.hpp>

#include <cstring>
#include <string>
#include <vector>

using namespace femto;

namespace {

constexpr instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0,
                         std::int32_t offset = 0, std::int32_t imm = 0) {
    return instruction::make(opcode, dst, src, offset, imm);
}

// r1 = &data; r0 = *(u32*)r1; r2 = &rodata; r2 = *(u8*)(r2 + 1); r0 += r2; exit
constexpr std::array text{op(0x18, 1, 2, 0, 1), op(0), op(0x61, 0, 1), op(0x18, 2, 2, 0, 0),
                          op(0), op(0x71, 2, 2, 1), op(0x0f, 0, 2), op(0x95), op(0x95)};
constexpr std::array rodata{std::byte{1}, std::byte{2}, std::byte{3}};
constexpr std::array data{std::byte{40}, std::byte{0}, std::byte{0}, std::byte{0}};
constexpr std::array<image_contents::entry, 2> entries{{{small_uuid(1), 0}, {small_uuid(2), 8}}};
constexpr std::array<image::region_request, 1> regions{{{5, permission::read}}};
constexpr std::array<std::uint32_t, 2> helpers{0x20, 0x11};
constexpr image_contents contents{text, rodata, data, 12, entries, regions, helpers,
                                  {500, 64, 3, true}};
constexpr std::size_t written_size = image_size(contents);
constexpr auto written = [] {
    std::array<std::byte, written_size> bytes{};
    if (!write_image(contents, bytes).has_value()) bytes = {};
    return bytes;
}();
static_assert(parse_image(written).has_value());  // also by the compiler
static_assert(written_size == 40 + 72 + 8 + 8 + 40 + 4 + 8);

struct aligned_bytes {
    explicit aligned_bytes(std::span<const std::byte> from) : words((from.size() + 7) / 8 + 1) {
        std::memcpy(words.data(), from.data(), from.size());
        bytes = std::as_writable_bytes(std::span{words}).first(from.size());
    }
    void set(std::size_t at, std::uint32_t word) { store_little(&bytes[at], word); }
    std::vector<std::uint64_t> words;
    std::span<std::byte> bytes;
};

error refused(std::size_t at, unsigned value) {
    aligned_bytes changed{written};
    changed.bytes[at] = static_cast<std::byte>(value);
    const auto r = parse_image(changed.bytes);
    return r ? error{} : r.error();
}

void put(std::vector<std::byte>& to, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

std::vector<std::byte> rbpf_bytes(std::vector<instruction> code, std::uint32_t offset = 0,
                                  std::uint32_t name = 2) {
    std::vector<std::byte> bytes;
    for (const std::size_t w : std::array<std::size_t, 7>{0x46504272, 0, 0, 4, 7, code.size() * 8, 1}) {
        put(bytes, static_cast<std::uint32_t>(w), 4);
    }
    put(bytes, 40, 4);                                            // data
    for (const char c : {'\1', '\2', 'r', 'u', 'n', '\0', 'x'}) put(bytes, static_cast<unsigned char>(c), 1);
    for (const auto& i : code) put(bytes, i.fields, 4), put(bytes, i.immediate, 4);
    put(bytes, name, 2);
    put(bytes, 0, 2);
    put(bytes, offset, 2);
    return bytes;
}
const std::vector<instruction> rbpf_text{op(0xb8, 1), op(0), op(0x61, 0, 1), op(0xd8, 2, 0, 0, 1),
                                         op(0), op(0x71, 2, 2), op(0x0f, 0, 2), op(0x95)};

struct storage {
    std::array<std::byte, 64> bytes{};
    std::array<function, 4> functions{};
    std::array<instruction, 32> code{};
    image_storage view() { return {bytes, functions, code}; }
};

}  // namespace

TEST_CASE("image: what was written is read, in place") {
    aligned_bytes flash{written};
    const auto i = parse_image(flash.bytes);
    REQUIRE(i.has_value());
    CHECK(i->request().fuel == 500);
    CHECK(i->request().stack == 64);
    CHECK(i->request().store_entries == 3);
    CHECK(i->request().suspends);
    CHECK(i->entry_hook(1) == small_uuid(2));
    CHECK(i->entry_pc(1) == 8);
    CHECK(i->region(0).id == 5);
    CHECK(i->region(0).wanted == permission::read);
    CHECK(i->helper(0) == 0x20);
    CHECK(i->helper(1) == 0x11);

    storage ram;
    ram.bytes.fill(std::byte{0xff});
    const auto p = load(*i, ram.view());
    REQUIRE(p.has_value());
    CHECK(reinterpret_cast<const std::byte*>(p->text.data()) == flash.bytes.data() + 40);
    CHECK(p->data.size() == 16);
    CHECK(p->data[15] == std::byte{0});
    using machine = vm<config{.dispatch = dispatch::compact}>;
    std::array<std::uint8_t, 9> scratch{};
    const auto verified = machine::verify(*p, scratch);
    REQUIRE(verified.has_value());
    const uuid hook = small_uuid(1);
    const auto at = verified->entry({reinterpret_cast<const char*>(hook.bytes.data()), 16});
    REQUIRE(at.has_value());
    machine m;
    const auto r = m.run(*verified, *at, 100);
    REQUIRE(r.has_value());
    CHECK(*r == 42);
}

TEST_CASE("image: truncated at every length, and followed by something else") {
    for (std::size_t size = 0; size < written.size(); ++size) {
        aligned_bytes cut{std::span{written}.first(size)};
        const std::size_t needed = size < 40 ? 40 : written.size();
        CHECK(parse_image(cut.bytes).error() == error{errc::image_truncated, 0, needed});
    }
    std::vector<std::byte> longer{written.begin(), written.end()};
    longer.resize(longer.size() + 5);
    aligned_bytes padded{longer};
    const auto i = parse_image(padded.bytes);
    REQUIRE(i.has_value());
    CHECK(i->bytes().size() == written.size());
}

TEST_CASE("image: every refusal, with its place") {
    CHECK(refused(0, 0).code == errc::image_bad_magic);
    CHECK(refused(0, 0).address == 0x63746d00);
    CHECK(refused(4, 2) == error{errc::image_bad_version, 0, 2});
    CHECK(refused(5, 3) == error{errc::image_bad_header, 0, 5});
    CHECK(refused(6, 0) == error{errc::image_bad_header, 0, 6});
    CHECK(refused(7, 9) == error{errc::image_bad_header, 0, 8});
    CHECK(refused(12, 9) == error{errc::image_bad_header, 0, 8});
    CHECK(refused(14, 1) == error{errc::image_bad_header, 0, 14});
    CHECK(refused(16, 73) == error{errc::image_bad_header, 0, 16});
    CHECK(refused(16, 0) == error{errc::image_bad_header, 0, 16});
    CHECK(refused(23, 0xff) == error{errc::image_bad_header, 0, 20});
    CHECK(refused(27, 0xff) == error{errc::image_bad_header, 0, 24});
    CHECK(refused(31, 0xff) == error{errc::image_bad_header, 0, 28});
    const std::size_t table = 40 + 72 + 8 + 8;
    CHECK(refused(table + 16, 9) == error{errc::image_bad_entry, 0, 9});
    CHECK(refused(table + 35, 1) == error{errc::image_bad_entry, 1, 0});  // the same hook twice
    CHECK(refused(table + 40 + 2, 0) == error{errc::image_bad_header, 0, table + 40});
    CHECK(refused(table + 40 + 3, 1) == error{errc::image_bad_header, 0, table + 40});

    aligned_bytes moved{std::span{written}};
    CHECK(parse_image(moved.bytes.subspan(4)).error() == error{errc::image_misaligned, 0, 4});

    aligned_bytes flash{written};
    const auto i = parse_image(flash.bytes);
    REQUIRE(i.has_value());
    storage ram;
    CHECK(load(*i, {std::span{ram.bytes}.first(15), ram.functions, {}}).error() ==
          error{errc::storage_too_small, 0, 16});
    CHECK(load(*i, {ram.bytes, std::span{ram.functions}.first(1), {}}).error() ==
          error{errc::storage_too_small, 0, 2});
    std::array<std::byte, 100> small{};
    CHECK(write_image(contents, small).error() == error{errc::storage_too_small, 0, written_size});
}

TEST_CASE("image: no mutation of a byte leads outside the bytes") {
    storage ram;
    std::size_t accepted = 0;
    for (std::size_t at = 0; at < written.size(); ++at) {
        for (unsigned value = 0; value < 256; value += 5) {
            aligned_bytes changed{written};
            changed.bytes[at] ^= static_cast<std::byte>(value);
            const auto i = parse_image(changed.bytes);
            if (!i) continue;
            ++accepted;
            CHECK(i->bytes().size() <= written.size());
            for (std::uint32_t n = 0; n < i->entries(); ++n) CHECK(i->entry_pc(n) < i->text_size() / 8);
            for (std::uint32_t n = 0; n < i->helpers(); ++n) static_cast<void>(i->helper(n));
            static_cast<void>(load(*i, ram.view()));
        }
    }
    CHECK(accepted > 100);  // text and data may be anything
}

TEST_CASE("rbpf: data and rodata loads are rewritten and run") {
    const auto bytes = rbpf_bytes(rbpf_text);
    CHECK(is_rbpf_image(bytes));
    storage ram;
    const auto p = load_rbpf(bytes, ram.view());
    REQUIRE(p.has_value());
    REQUIRE(p->functions.size() == 1);
    CHECK(p->functions[0].name == "run");
    using machine = vm<config{.dispatch = dispatch::compact}>;
    std::array<std::uint8_t, 9> scratch{};
    const auto verified = machine::verify(*p, scratch);
    REQUIRE(verified.has_value());
    machine m;
    const auto r = m.run(*verified, verified->entry(), 100);
    REQUIRE(r.has_value());
    CHECK(*r == 42);
}

TEST_CASE("rbpf: every refusal, with its place") {
    const auto whole = rbpf_bytes(rbpf_text);
    storage ram;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = load_rbpf(std::span{whole}.first(size), ram.view());
        CHECK(cut.error() == error{errc::image_truncated, 0, size < 28 ? 28 : whole.size()});
    }
    const auto changed = [&](std::size_t at, std::uint32_t value) {
        auto bytes = whole;
        store_little(&bytes[at], value);
        const auto r = load_rbpf(bytes, ram.view());
        return r ? error{} : r.error();
    };
    CHECK(changed(0, 1) == error{errc::image_bad_magic, 0, 1});
    CHECK(changed(4, 1) == error{errc::image_bad_version, 0, 1});
    CHECK(changed(8, 1) == error{errc::image_bad_header, 0, 8});
    CHECK(changed(12, 0xffffffff) == error{errc::image_bad_header, 0, 12});
    CHECK(changed(16, 0xffffffff) == error{errc::image_bad_header, 0, 16});
    CHECK(changed(20, 0) == error{errc::image_bad_header, 0, 20});
    CHECK(changed(20, 63) == error{errc::image_bad_header, 0, 20});
    CHECK(changed(24, 0) == error{errc::image_bad_header, 0, 24});
    CHECK(changed(24, 0xffffffff) == error{errc::image_bad_header, 0, 24});

    const auto text_refused = [&](std::vector<instruction> code) {
        const auto r = load_rbpf(rbpf_bytes(std::move(code)), ram.view());
        return r ? error{} : r.error();
    };
    CHECK(text_refused({op(0xb8, 1, 0, 0, 4), op(0), op(0x95)}) == error{});  // one past the end
    CHECK(text_refused({op(0xb8, 1, 0, 0, 5), op(0)}) == error{errc::image_bad_load, 0, 5});
    CHECK(text_refused({op(0xd8, 1, 0, 0, -1), op(0)}) == error{errc::image_bad_load, 0, 0xffffffff});
    CHECK(text_refused({op(0xd8, 1), op(0, 0, 0, 0, 1)}) == error{errc::image_bad_load, 0, 0});
    CHECK(text_refused({op(0x95), op(0xd8, 1)}) == error{errc::image_bad_load, 1, 0});
    CHECK(text_refused({op(0xd8, 1, 1), op(0)}) == error{errc::image_bad_load, 0, 0});
    // what looks like 0xb8 in the second slot of a lddw is left to the verifier
    CHECK(text_refused({op(0x18, 1), op(0xb8, 0, 0, 0, 99), op(0x95)}) == error{});

    CHECK(load_rbpf(rbpf_bytes(rbpf_text, 4), ram.view()).error() == error{errc::image_bad_entry, 0, 4});
    CHECK(load_rbpf(rbpf_bytes(rbpf_text, 64), ram.view()).error() == error{errc::image_bad_entry, 0, 64});
    CHECK(load_rbpf(rbpf_bytes(rbpf_text, 0, 6), ram.view()).error() == error{errc::image_bad_entry, 0, 6});
    CHECK(load_rbpf(rbpf_bytes(rbpf_text, 0, 7), ram.view()).error() == error{errc::image_bad_entry, 0, 7});

    auto view = ram.view();
    view.text = view.text.first(7);
    CHECK(load_rbpf(whole, view).error() == error{errc::storage_too_small, 0, 64});
    view = ram.view();
    view.data = view.data.first(3);
    CHECK(load_rbpf(whole, view).error() == error{errc::storage_too_small, 0, 4});
    view = ram.view();
    view.functions = {};
    CHECK(load_rbpf(whole, view).error() == error{errc::storage_too_small, 0, 1});
}
