// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/critical_section.hpp>
#include <femto/memory.hpp>
#include <femto/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace femto {

/// Whose key it is: each container, each tenant and the device have keys of their own.
enum class store_kind : std::uint8_t { local = 1, tenant = 2, global = 3 };

/// One store of a device; 0 to 255 containers and tenants have one each, the device one.
struct store_scope {
    store_kind kind = store_kind::global;
    std::uint8_t owner = 0;
    friend constexpr bool operator==(const store_scope&, const store_scope&) = default;
};

/// Who pays for new entries, and how many entries, of all its stores together, it may hold.
struct store_account {
    std::uint8_t tenant = 0;
    std::uint16_t quota = 0xffff;
};

/// All stores of a device, u32 -> u32, in one pool of `Capacity` entries, 12 bytes each; quotas say
/// how it is divided. A missing key reads 0, so storing 0 frees the entry. Every operation looks at
/// each entry at most once, inside one `Guard`: with a guard that masks interrupts, threads and ISRs
/// may use one store.
template <std::size_t Capacity, critical_section Guard = no_critical_section>
class store_pool {
public:
    static constexpr std::size_t capacity = Capacity;

    /// The value of `key`, 0 if there is none.
    [[nodiscard]] constexpr std::uint32_t fetch(store_scope scope, std::uint32_t key) const {
        [[maybe_unused]] const Guard inside;
        for (const auto& e : entries_) {
            if (e.value != 0 && e.scope == scope && e.key == key) return e.value;
        }
        return 0;
    }

    /// Sets `key`. Errors: store_full, store_quota (address: the key); nothing changes then.
    constexpr result<void> store(store_scope scope, store_account payer, std::uint32_t key,
                                 std::uint32_t value) {
        const auto set = change(scope, payer, key, [=](std::uint32_t) { return value; });
        if (!set) return failure{set.error()};
        return {};
    }

    /// Adds (modulo 2^32) and returns what was there before, in one step. Errors as `store`.
    constexpr result<std::uint32_t> add(store_scope scope, store_account payer, std::uint32_t key,
                                        std::uint32_t value) {
        return change(scope, payer, key, [=](std::uint32_t old) { return old + value; });
    }

    /// Frees every entry of a store, as when its container is gone.
    constexpr void erase(store_scope scope) {
        [[maybe_unused]] const Guard inside;
        for (auto& e : entries_) {
            if (e.scope == scope) e = {};
        }
    }

    /// Entries that `tenant` pays for.
    [[nodiscard]] constexpr std::size_t used_by(std::uint8_t tenant) const {
        [[maybe_unused]] const Guard inside;
        std::size_t used = 0;
        for (const auto& e : entries_) used += e.value != 0 && e.payer == tenant ? 1u : 0u;
        return used;
    }

    /// Calls `f(scope, payer, key, value)` for a copy of each entry; may use the store itself.
    template <class F>
    constexpr void for_each(F f) const {
        for (const auto& at : entries_) {
            const entry e = [&] {
                [[maybe_unused]] const Guard inside;
                return at;
            }();
            if (e.value != 0) f(e.scope, e.payer, e.key, e.value);
        }
    }

private:
    struct entry {
        std::uint32_t key = 0;
        std::uint32_t value = 0;  ///< 0: free
        store_scope scope{};
        std::uint8_t payer = 0;
    };
    static_assert(sizeof(entry) == 12);

    template <class F>
    constexpr result<std::uint32_t> change(store_scope scope, store_account payer,
                                           std::uint32_t key, F next) {
        [[maybe_unused]] const Guard inside;
        entry* free = nullptr;
        std::uint32_t held = 0;
        for (auto& e : entries_) {
            if (e.value == 0) {
                if (free == nullptr) free = &e;
                continue;
            }
            if (e.scope == scope && e.key == key) {
                const std::uint32_t old = e.value;
                e.value = next(old);
                return old;
            }
            held += e.payer == payer.tenant ? 1u : 0u;
        }
        const std::uint32_t value = next(0);
        if (value == 0) return std::uint32_t{0};
        if (held >= payer.quota) return fail(errc::store_quota, 0, key);
        if (free == nullptr) return fail(errc::store_full, 0, key);
        *free = {key, value, scope, payer.tenant};
        return std::uint32_t{0};
    }

    std::array<entry, Capacity> entries_{};
};

/// Where a snapshot of the stores survives a restart: flash, a file. Both return the bytes done.
template <class T>
concept store_storage = requires(T& storage, std::span<const std::byte> from,
                                 std::span<std::byte> to, std::size_t offset) {
    { storage.write(offset, from) } -> std::same_as<bool>;
    { storage.read(offset, to) } -> std::same_as<bool>;
};

/// A snapshot is "fmts", the number of entries, 12 bytes for each (key, value, kind, owner, payer,
/// 0), and the sum of all those words; all little-endian u32. The header is written last, so that a
/// snapshot that was cut short is none.
inline constexpr std::uint32_t snapshot_magic = 0x73746d66;

/// Writes the tenant and global entries (local ones live as long as their container).
/// False if the storage refused.
template <std::size_t Capacity, critical_section Guard, store_storage Storage>
[[nodiscard]] bool save(const store_pool<Capacity, Guard>& pool, Storage& storage) {
    std::uint32_t count = 0;
    std::uint32_t sum = 0;
    bool written = true;
    pool.for_each([&](store_scope scope, std::uint8_t payer, std::uint32_t key,
                      std::uint32_t value) {
        if (scope.kind == store_kind::local) return;
        std::array<std::byte, 12> bytes{};
        const std::uint32_t who = static_cast<std::uint32_t>(scope.kind) |
                                  static_cast<std::uint32_t>(scope.owner) << 8 |
                                  static_cast<std::uint32_t>(payer) << 16;
        store_little(&bytes[0], key);
        store_little(&bytes[4], value);
        store_little(&bytes[8], who);
        sum += key + value + who;
        written = written && storage.write(12 + std::size_t{count} * 12, bytes);
        ++count;
    });
    std::array<std::byte, 12> header{};
    store_little(&header[0], snapshot_magic);
    store_little(&header[4], count);
    store_little(&header[8], sum + count);
    return written && storage.write(0, header);
}

/// Puts the entries of a snapshot into the pool. The whole snapshot is checked before the first is
/// taken. Errors: store_corrupt with the byte, store_full.
template <std::size_t Capacity, critical_section Guard, store_storage Storage>
[[nodiscard]] result<void> restore(store_pool<Capacity, Guard>& pool, Storage& storage) {
    std::array<std::byte, 12> bytes{};
    const auto word = [&](std::size_t at) { return load_little<std::uint32_t>(&bytes[at]); };
    if (!storage.read(0, bytes) || word(0) != snapshot_magic) return fail(errc::store_corrupt, 0, 0);
    const std::uint32_t count = word(4);
    const std::uint32_t expected = word(8);
    if (count > Capacity) return fail(errc::store_corrupt, 0, 4);
    std::uint32_t sum = count;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = 12 + std::size_t{i} * 12;
        if (!storage.read(at, bytes)) return fail(errc::store_corrupt, 0, at);
        const std::uint32_t kind = word(8) & 0xff;
        if ((kind != 2 && kind != 3) || word(8) >> 24 != 0 || word(4) == 0) {
            return fail(errc::store_corrupt, 0, at);
        }
        sum += word(0) + word(4) + word(8);
    }
    if (sum != expected) return fail(errc::store_corrupt, 0, 8);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = 12 + std::size_t{i} * 12;
        if (!storage.read(at, bytes)) return fail(errc::store_corrupt, 0, at);
        const store_scope scope{static_cast<store_kind>(word(8) & 0xff),
                                static_cast<std::uint8_t>(word(8) >> 8)};
        const auto put = pool.store(scope, {static_cast<std::uint8_t>(word(8) >> 16)}, word(0),
                                    word(4));
        if (!put) return put;
    }
    return {};
}

}  // namespace femto
