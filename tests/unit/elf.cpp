// SPDX-License-Identifier: Apache-2.0
// Objects are compiled from tests/objects by each BPF compiler that was found; see CMakeLists.txt.
#include "catch.hpp"
#include "objects.hpp"

#include <femto/elf.hpp>
#include <femto/vm.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

using namespace femto;

namespace {

std::uint32_t now_ms() { return 1000; }
std::uint32_t five(std::uint32_t x) { return x * 100; }
using helpers = helper_set<helper<0x20, "now_ms", &now_ms>, helper<5, "five", &five>>;

using bytes = std::vector<std::byte>;

using test::read_object;

template <address_space Space>
std::uint64_t run(const bytes& file, const char* name) {
    using machine = vm<config{.address_space = Space}, helpers>;
    test::loaded_object object{file};
    const auto p = object.load(Space, helper_names<helpers>{});
    REQUIRE(p.has_value());
    std::vector<std::uint8_t> scratch(p->text.size());
    const auto verified = machine::verify(*p, scratch);
    REQUIRE(verified.has_value());
    machine m;
    const std::uint64_t context[2]{21, 0};
    const auto entry = verified->entry(name);
    REQUIRE(entry.has_value());
    const auto r = m.run(*verified, *entry, std::as_bytes(std::span{context}), 10000);
    REQUIRE(r.has_value());
    return *r;
}

error open_error(const bytes& file) {
    const auto object = elf_object::open(file);
    REQUIRE(!object.has_value());
    return object.error();
}
error load_error(const bytes& file) {
    test::loaded_object object{file};
    const auto p = object.load(address_space::segmented, helper_names<helpers>{});
    REQUIRE(!p.has_value());
    return p.error();
}

template <class T>
void put(bytes& file, std::uint64_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof value);
}
template <class T>
T get(const bytes& file, std::uint64_t at) {
    T value;
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
}
/// File offset of the header of the first section of a type (and, for rel, about section `info`).
std::uint64_t header_of(const bytes& file, std::uint32_t type, std::uint32_t* number = nullptr) {
    const auto table = get<std::uint64_t>(file, 40);
    for (std::uint32_t n = 1; n < get<std::uint16_t>(file, 60); ++n) {
        if (get<std::uint32_t>(file, table + n * 64 + 4) == type) {
            if (number != nullptr) *number = n;
            return table + n * 64;
        }
    }
    FAIL("no such section");
    return 0;
}
constexpr std::uint32_t progbits = 1, symtab = 2, rel = 9;
const char* const sample = "clang-14-v3.everything.o";

}  // namespace

TEST_CASE("elf: objects of every compiler load and run in both address spaces") {
    unsigned seen = 0;
    for (const auto& name : test::object_names()) {
        INFO(name);
        const bytes file = read_object(name);
        const auto check = [&](const char* entry, std::uint64_t expected) {
            CHECK(run<address_space::segmented>(file, entry) == expected);
            CHECK(run<address_space::flat>(file, entry) == expected);
            ++seen;
        };
        const bool gcc = name.starts_with("gcc");
        if (name.find("everything") != name.npos) {
            check("entry", gcc ? 1163 : 1869);
            check("with_addend", 15);
            check("other", 11);
        } else if (name.find("in_place") != name.npos) {
            check("entry", 64);
        } else if (name.find("sections") != name.npos) {
            check("entry", 36);
        } else if (name.find("common") != name.npos) {
            check("entry", 9);
        }
    }
    CHECK(seen >= 18);  // three compilers' at least
}

TEST_CASE("elf: the first entry is the global function outside .text") {
    const bytes file = read_object(sample);
    const auto object = elf_object::open(file);
    REQUIRE(object.has_value());
    test::loaded_object s{file};
    const auto p = s.load(address_space::segmented, helper_names<helpers>{});
    REQUIRE(p.has_value());
    REQUIRE(p->functions.size() == 5);
    CHECK(p->functions[0].name == "entry");
    CHECK(p->functions[4].name == "inner");  // local ones come last
    const auto at = object->locate(p->functions[0].start + 2);
    CHECK(at.section_name == "hook/timer");
    CHECK(at.offset == 16);
}

TEST_CASE("elf: text that needs no relocation stays in the object") {
    bytes file = read_object("clang-14-v3.in_place.o");
    const auto object = elf_object::open(file);
    REQUIRE(object.has_value());
    const auto needs = object->requirements();
    REQUIRE(needs.text_in_place);
    CHECK(needs.rodata_in_place);
    CHECK(needs.data == 0);
    std::vector<function> functions(needs.functions);
    const auto p = load_elf(*object, {{}, {}, {}, functions}, address_space::segmented,
                            helper_names<helpers>{});
    REQUIRE(p.has_value());
    CHECK(reinterpret_cast<const std::byte*>(p->text.data()) > file.data());
    CHECK(reinterpret_cast<const std::byte*>(p->text.data()) < file.data() + file.size());
}

TEST_CASE("elf: unwind tables are passed over with their relocations") {
    bytes file = read_object("clang-14-v3.in_place_unwind.o");
    const auto object = elf_object::open(file);
    REQUIRE(object.has_value());
    std::uint32_t frames = 0;
    while (++frames < object->sections() && object->name_of(object->section(frames)) != ".eh_frame") {
    }
    REQUIRE(frames < object->sections());
    REQUIRE((object->section(frames).flags & elf::section_flag::alloc) != 0);
    std::uint32_t table = 0;
    const auto rel_at = header_of(file, rel, &table);
    REQUIRE(get<std::uint32_t>(file, rel_at + 44) == frames);
    const auto needs = object->requirements();
    CHECK(needs.text_in_place);
    CHECK(needs.rodata == 0);
    CHECK(run<address_space::segmented>(file, "entry") == 64);

    // LLVM before 13 wrote R_BPF_64_64 there, which belongs to instructions.
    put(file, get<std::uint64_t>(file, rel_at + 24) + 8, elf::relocation_type::insn64);
    CHECK(run<address_space::segmented>(file, "entry") == 64);
    // What would be rodata by any other name is loaded, and then its relocation is refused.
    const auto names = get<std::uint64_t>(file, 40) + get<std::uint16_t>(file, 62) * 64;
    const auto at = get<std::uint64_t>(file, 40) + frames * 64;
    put(file, get<std::uint64_t>(file, names + 24) + get<std::uint32_t>(file, at), 'x');
    CHECK(load_error(file) == error{errc::elf_unsupported_relocation, frames, 1});
}

TEST_CASE("elf: storage that is too small is refused with the size needed") {
    const bytes file = read_object(sample);
    for (int which = 0; which < 4; ++which) {
        test::loaded_object s{file};
        const std::size_t sizes[]{s.text.size(), s.rodata.size(), s.data.size(), s.functions.size()};
        const std::size_t needed = sizes[which];
        if (which == 0) s.text.pop_back();
        if (which == 1) s.rodata.pop_back();
        if (which == 2) s.data.pop_back();
        if (which == 3) s.functions.pop_back();
        const auto p = s.load(address_space::segmented, helper_names<helpers>{});
        REQUIRE(!p.has_value());
        CHECK(p.error() == error{errc::no_space, 0, needed});
    }
}

TEST_CASE("elf: malformed files are refused with a cause and a place") {
    const bytes good = read_object(sample);
    const auto with = [&](auto change) {
        bytes file = good;
        change(file);
        return file;
    };
    CHECK(open_error({}) == error{errc::elf_not_elf, 0, 64});
    CHECK(open_error(bytes(100)) == error{errc::elf_not_elf, 0, 0});
    CHECK(open_error({good.begin(), good.begin() + 63}) == error{errc::elf_truncated, 0, 64});
    // 32 bits; big-endian; executable; x86-64; section headers of another size
    for (const auto& [at, value, place] :
         {std::array{4, 1, 4}, {5, 2, 4}, {16, 2, 16}, {18, 62, 18}, {58, 40, 58}}) {
        const auto refused = open_error(with([at = at, value = value](bytes& f) {
            f[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
        }));
        CHECK(refused == error{errc::elf_wrong_kind, 0, static_cast<std::uint64_t>(place)});
    }
    CHECK(open_error(with([](bytes& f) { put<std::uint64_t>(f, 40, ~0ull - 5); })).code ==
          errc::elf_truncated);
    CHECK(open_error(with([](bytes& f) { put<std::uint16_t>(f, 60, 0xffff); })) ==
          error{errc::elf_too_complex, 0, 0xffff});
    CHECK(open_error(with([](bytes& f) { put<std::uint16_t>(f, 62, 0x100); })).code ==
          errc::elf_bad_section);

    std::uint32_t text = 0, symbols = 0, table = 0;
    const auto text_at = header_of(good, progbits, &text);
    const auto symbols_at = header_of(good, symtab, &symbols);
    const auto rel_at = header_of(good, rel, &table);
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, text_at + 24, ~0ull); })).pc ==
          text);
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, text_at + 32, 9); })) ==
          error{errc::elf_bad_section, text, 9});
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, text_at + 48, 3); })) ==
          error{errc::elf_bad_section, text, 3});
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, text_at + 48, 8192); })) ==
          error{errc::elf_bad_section, text, 8192});
    CHECK(elf_object::open(with([&](bytes& f) { put<std::uint64_t>(f, text_at + 48, 4096); })));
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, symbols_at + 56, 0); })) ==
          error{errc::elf_bad_section, symbols, 0});
    CHECK(open_error(with([&](bytes& f) { put<std::uint64_t>(f, rel_at + 56, 24); })) ==
          error{errc::elf_bad_section, table, 24});
    const auto first_symbol = get<std::uint64_t>(good, symbols_at + 24);
    CHECK(open_error(with([&](bytes& f) {
              put<std::uint16_t>(f, first_symbol + 24 + 6, 1);
              put<std::uint64_t>(f, first_symbol + 24 + 8, 0x10000);
          })) == error{errc::elf_bad_symbol, 1, 0x10000});

    const auto first = get<std::uint64_t>(good, rel_at + 24);
    const auto about = get<std::uint32_t>(good, rel_at + 44);
    CHECK(load_error(with([&](bytes& f) { put<std::uint64_t>(f, first, 0x7777); })) ==
          error{errc::elf_bad_relocation, about, 0x7777});
    CHECK(load_error(with([&](bytes& f) { put<std::uint64_t>(f, first, 4); })) ==
          error{errc::elf_bad_relocation, about, 4});
    CHECK(load_error(with([&](bytes& f) { put<std::uint32_t>(f, first + 12, 0xffff); })).code ==
          errc::elf_bad_relocation);
    CHECK(load_error(with([&](bytes& f) { put<std::uint32_t>(f, first + 8, 99); })) ==
          error{errc::elf_unsupported_relocation, about, 99});
    CHECK(load_error(with([&](bytes& f) { put<std::uint32_t>(f, rel_at + 44, 0xfff); })) ==
          error{errc::elf_bad_section, table, 0xfff});
    CHECK(load_error(with([&](bytes& f) { put<std::uint32_t>(f, rel_at + 4, 4); })).code ==
          errc::elf_bad_section);  // with addends, which BPF objects do not have
}

TEST_CASE("elf: an empty section does not lengthen text that stays in place") {
    bytes file = read_object("clang-14-v3.in_place.o");
    std::uint32_t text = 0;
    const auto text_at = header_of(file, progbits, &text);
    const auto flags = get<std::uint64_t>(file, text_at + 8);
    put<std::uint64_t>(file, text_at + 32, 24);  // three slots; aligned to 16 there would be four
    const auto table = get<std::uint64_t>(file, 40);
    const auto last = table + (get<std::uint16_t>(file, 60) - 1u) * 64u;
    REQUIRE(last > text_at);
    put<std::uint32_t>(file, last + 4, progbits);
    put<std::uint64_t>(file, last + 8, flags);
    put<std::uint64_t>(file, last + 32, 0);
    put<std::uint64_t>(file, last + 48, 16);
    const auto object = elf_object::open(file);
    if (!object) {
        CHECK(object.error().code == errc::elf_bad_section);  // the last one had the symbols
        return;
    }
    CHECK(object->requirements().text == 3);
    const auto p = load_elf(*object, {}, address_space::segmented, helper_names<helpers>{});
    REQUIRE(p.has_value());
    CHECK(p->text.size() == 3);
}

TEST_CASE("elf: a second table of relocations for a section is refused") {
    bytes file = read_object(sample);
    std::uint32_t first = 0;
    const auto at = header_of(file, rel, &first);
    const auto table = get<std::uint64_t>(file, 40);
    for (std::uint32_t n = first + 1; n < get<std::uint16_t>(file, 60); ++n) {
        if (get<std::uint32_t>(file, table + n * 64 + 4) != rel) continue;
        put(file, table + n * 64 + 44, get<std::uint32_t>(file, at + 44));
        CHECK(open_error(file) == error{errc::elf_bad_section, n, get<std::uint32_t>(file, at + 44)});
        return;
    }
    FAIL("no second table");
}

TEST_CASE("elf: common symbols cannot wrap the size of the data around") {
    bytes file = read_object("clang-14-v3.common.o");
    const auto symbols_at = header_of(file, symtab);
    const auto first = get<std::uint64_t>(file, symbols_at + 24);
    const auto count = get<std::uint64_t>(file, symbols_at + 32) / 24;
    for (std::uint32_t n = 1; n < count; ++n) {
        if (get<std::uint16_t>(file, first + n * 24 + 6) != 0xfff2) continue;
        put<std::uint64_t>(file, first + n * 24 + 16, 0x10000000);
        CHECK(open_error(file) == error{errc::elf_bad_symbol, n, 0x10000000});
        return;
    }
    FAIL("no common symbol");
}

TEST_CASE("elf: undefined symbols are named") {
    const auto number_of = [](const bytes& file, std::string_view name) {
        const auto object = elf_object::open(file);
        REQUIRE(object.has_value());
        std::uint64_t n = 0;
        while (n < 100 && object->symbol_name(n) != name) ++n;
        return n;
    };
    for (const auto& compiler : {"clang-14-v3", "clang-14-v1"}) {
        const std::string prefix{compiler};
        const bytes data = read_object(prefix + ".undefined_data.o");
        CHECK(load_error(data) == error{errc::elf_undefined_symbol, 0, number_of(data, "nowhere")});
        const bytes text = read_object(prefix + ".undefined.o");
        CHECK(load_error(text) == error{errc::elf_undefined_symbol, 0, number_of(text, "nowhere")});
        const bytes call = read_object(prefix + ".undefined_helper.o");
        CHECK(load_error(call) ==
              error{errc::elf_unknown_helper, 0, number_of(call, "no_such_helper")});
    }
}

TEST_CASE("elf: a map is refused by section") {
    bytes file = read_object(sample);
    std::uint32_t number = 0;
    const auto at = header_of(file, 8, &number);  // .bss; rename it
    const auto names = get<std::uint64_t>(file, 40) + get<std::uint16_t>(file, 62) * 64;
    const auto strings = get<std::uint64_t>(file, names + 24);
    std::memcpy(file.data() + strings + get<std::uint32_t>(file, at), "maps", 5);
    CHECK(open_error(file) == error{errc::elf_unsupported_section, number, 0});
}

namespace {
/// Loads, verifies and runs whatever comes; only sanitizers and the checks inside can fail.
void try_out(std::span<const std::byte> file) {
    using machine = vm<config{.dispatch = dispatch::compact}, helpers>;
    const auto object = elf_object::open(file);
    if (!object) return;
    const auto needs = object->requirements();
    if (needs.text > 100000 || needs.rodata > 100000 || needs.data > 10000000) return;
    for (const bool in_place : {false, true}) {
        test::loaded_object s{file};
        elf_storage view = s.view();
        if (in_place) view.text = {}, view.rodata = {};
        const auto p = load_elf(*object, view, address_space::segmented, helper_names<helpers>{});
        if (!p) continue;
        std::vector<std::uint8_t> scratch(p->text.size());
        const auto verified = machine::verify(*p, scratch);
        if (!verified) continue;
        machine m;
        std::byte context[16]{};
        (void)m.run(*verified, verified->entry(), context, 1000).has_value();
    }
}
}  // namespace

TEST_CASE("elf: cut off anywhere, and with any byte changed, an object does no harm") {
    // On an emulated board every 97th byte is enough to show that nothing there is different.
#if defined(FEMTO_TARGET_TEST)
    constexpr std::size_t step = 97;
#else
    constexpr std::size_t step = 1;
#endif
    for (const auto* name : {sample, "gcc.everything.o", "clang-14-v3.common.o",
                             "clang-14-v3.in_place.o"}) {
        const bytes good = read_object(name);
        for (std::size_t size = 0; size < good.size(); size += step) {
            const bytes cut{good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)};
            try_out(cut);
        }
        bytes changed = good;
        for (std::size_t at = 0; at < good.size(); at += step) {
            for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
                changed[at] = static_cast<std::byte>(value);
                try_out(changed);
            }
            changed[at] = good[at];
        }
    }
    SUCCEED();
}
