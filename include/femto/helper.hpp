// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/memory.hpp>
#include <femto/result.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace femto {

/// What a helper may ask of the run that called it; a helper that wants it takes a `caller&`, which
/// uses no register. Valid during the call only.
class caller {
public:
    constexpr caller(std::int32_t fuel, void* host, const void* host_type)
        : fuel_{fuel}, host_{host}, host_type_{host_type} {}

    /// Takes `instructions` from the fuel of the run, for work that the helper did for it.
    constexpr void charge(std::uint32_t instructions) {
        constexpr std::int64_t lowest = -0x08000000;  // within what the interpreter can count
        fuel_ = static_cast<std::int32_t>(std::max(fuel_ - std::int64_t{instructions}, lowest));
    }
    /// Instructions left, after this call; negative if overdrawn.
    [[nodiscard]] constexpr std::int32_t fuel() const { return fuel_; }

    /// Suspends the run when the helper returns; `resume` continues after the call.
    constexpr void suspend() { request_ = errc::suspended; }
    /// Ends the run when the helper returns, with the helper's result as that of the program.
    constexpr void finish() { finished_ = true; }
    /// Ends the run with `code` when the helper returns, and reports `address` with it.
    constexpr void fail(errc code, std::uint64_t address = 0) {
        request_ = code;
        address_ = address;
    }

    /// The object given to the run, or nullptr if it is not a T.
    template <class T>
    [[nodiscard]] constexpr T* host() const {
        return host_type_ == &type_of<T> ? static_cast<T*>(host_) : nullptr;
    }

    [[nodiscard]] constexpr errc request() const { return request_; }
    [[nodiscard]] constexpr std::uint64_t address() const { return address_; }
    [[nodiscard]] constexpr bool finished() const { return finished_; }

    /// A distinct address for each type: what RTTI would tell, for one byte of flash.
    template <class T>
    static constexpr char type_of = 0;

private:
    std::int32_t fuel_;
    errc request_ = errc::ok;
    bool finished_ = false;
    std::uint64_t address_ = 0;
    void* host_;
    const void* host_type_;
};

/// The object that a run hands to its helpers, and its type; see `caller::host`.
struct host_reference {
    void* object = nullptr;
    const void* type = nullptr;
};
/// In its place where no helper can ask.
struct no_host {
    static constexpr void* object = nullptr;
    static constexpr const void* type = nullptr;
};

namespace detail {

/// Values that a guest can make: an enum needs an underlying type, or most integers are none of its
/// values (and `T{0}` is not written so).
template <class T>
concept guest_integer = std::integral<T> || (std::is_enum_v<T> && requires { T{0}; });

/// What guest memory can be read as. The guest writes any bytes: bool has only two values, and a
/// pointer would be a host address of its choice. Structures are for their author to look through.
template <class T>
concept guest_bytes = std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool> &&
                      !std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                      (!std::is_enum_v<T> || guest_integer<T>);

}  // namespace detail

/// Guest memory for `size()` values of T, checked before the helper runs: two registers, pointer
/// and number of values. Elements are copied in and out, as guest memory may be unaligned.
/// `guest_span<const T>` asks for read permission, `guest_span<T>` for both.
template <class T>
class guest_span {
    static_assert(detail::guest_bytes<std::remove_const_t<T>>,
                  "femto: guest memory holds trivially copyable types whose every bit pattern is a "
                  "value: no bool, no pointer, no enum without an underlying type");

public:
    using value_type = std::remove_const_t<T>;
    using byte_type = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;

    constexpr guest_span() = default;
    constexpr guest_span(byte_type* first, std::uint32_t count) : first_{first}, count_{count} {}

    [[nodiscard]] constexpr std::uint32_t size() const { return count_; }
    [[nodiscard]] constexpr bool empty() const { return count_ == 0; }
    [[nodiscard]] constexpr std::span<byte_type> bytes() const {
        return {first_, std::size_t{count_} * sizeof(T)};
    }
    /// Element `i`, which must be below `size()`.
    [[nodiscard]] value_type operator[](std::uint32_t i) const {
        value_type value;
        std::memcpy(&value, first_ + std::size_t{i} * sizeof(T), sizeof(T));
        return value;
    }
    void set(std::uint32_t i, const value_type& value) const
        requires(!std::is_const_v<T>)
    {
        std::memcpy(first_ + std::size_t{i} * sizeof(T), &value, sizeof(T));
    }

private:
    byte_type* first_ = nullptr;
    std::uint32_t count_ = 0;
};

/// One T in guest memory, checked before the helper runs: one register.
template <class T>
class guest_ref {
public:
    using value_type = std::remove_const_t<T>;
    constexpr guest_ref() = default;
    constexpr explicit guest_ref(guest_span<T> one) : one_{one} {}
    [[nodiscard]] value_type get() const { return one_[0]; }
    void set(const value_type& value) const
        requires(!std::is_const_v<T>)
    {
        one_.set(0, value);
    }

private:
    guest_span<T> one_;
};

/// A string in guest memory that ends with a zero byte inside its region: one register.
struct guest_string {
    std::string_view text;
};

/// How the verifier and tools see one register of a helper's signature.
enum class argument_kind : std::uint8_t { none, value, readable, writable, length, string };

/// What a helper asks for; derived from its C++ signature.
struct helper_prototype {
    std::uint32_t id = 0;
    std::string_view name;
    std::array<argument_kind, 5> arguments{};
};

namespace detail {

template <class>
inline constexpr bool always_false = false;

/// Binding of one C++ parameter type to registers.
template <class T>
struct argument {
    static_assert(always_false<T>,
                  "femto: a helper's parameter must be an integer, enum, bool, guest_span<T>, "
                  "guest_ref<T>, guest_string or caller&");
};

template <guest_integer T>
struct argument<T> {
    static constexpr std::array kinds{argument_kind::value};
    using storage = T;
    template <class Memory>
    static constexpr bool fetch(storage& to, const std::uint64_t* r, const Memory&) {
        if constexpr (std::same_as<T, bool>) {
            to = *r != 0;
        } else {
            to = static_cast<T>(*r);
        }
        return true;
    }
};

template <class T>
struct argument<guest_span<T>> {
    static constexpr std::array kinds{
        std::is_const_v<T> ? argument_kind::readable : argument_kind::writable,
        argument_kind::length};
    using storage = guest_span<T>;
    template <class Memory>
    static constexpr bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        if (r[1] == 0) return true;  // an empty span needs no memory, so no valid pointer either
        if (r[1] > 0x7fffffffu / sizeof(T)) return false;
        const auto count = static_cast<std::uint32_t>(r[1]);
        const auto size = static_cast<std::uint32_t>(count * sizeof(T));
        auto* at = memory.template find<false>(r[0], size);
        if constexpr (!std::is_const_v<T>) {
            if (memory.template find<true>(r[0], size) != at) return false;
        }
        to = {at, count};
        return at != nullptr;
    }
};

template <class T>
struct argument<guest_ref<T>> {
    static constexpr std::array kinds{std::is_const_v<T> ? argument_kind::readable
                                                         : argument_kind::writable};
    using storage = guest_ref<T>;
    template <class Memory>
    static constexpr bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        const std::uint64_t one[2]{r[0], 1};
        guest_span<T> span;
        if (!argument<guest_span<T>>::fetch(span, one, memory)) return false;
        to = guest_ref<T>{span};
        return true;
    }
};

template <>
struct argument<guest_string> {
    static constexpr std::array kinds{argument_kind::string};
    using storage = guest_string;
    template <class Memory>
    static bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        const std::uint32_t left = memory.readable_from(r[0]);
        const auto* first = memory.template find<false>(r[0], left);
        if (first == nullptr) return false;
        const auto* end = std::find(first, first + left, std::byte{0});
        if (end == first + left) return false;
        to.text = {reinterpret_cast<const char*>(first), static_cast<std::size_t>(end - first)};
        return true;
    }
};

/// What uses no register is made from the caller.
template <>
struct argument<caller&> {
    static constexpr std::array<argument_kind, 0> kinds{};
    static constexpr caller& of(caller& c) { return c; }
};
template <class T>
concept from_caller = argument<T>::kinds.size() == 0;

template <std::size_t N>
[[nodiscard]] consteval bool have_distinct_ids(const std::array<helper_prototype, N>& prototypes) {
    for (std::size_t i = 1; i < N; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (prototypes[i].id == prototypes[j].id) return false;
        }
    }
    return true;
}

template <class F>
struct signature : signature<decltype(&F::operator())> {};
template <class R, class... A>
struct signature<R (*)(A...)> {
    using result_type = R;
    using arguments = std::tuple<A...>;
};
template <class R, class... A>
struct signature<R (*)(A...) noexcept> : signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct signature<R (C::*)(A...) const> : signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct signature<R (C::*)(A...) const noexcept> : signature<R (*)(A...)> {};

template <std::size_t N>
struct fixed_string {
    char text[N];
    consteval fixed_string(const char (&from)[N]) { std::copy_n(from, N, text); }
    [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace detail

/// Binds the C++ function `Function` as helper `Id`. Its parameters are fetched from r1 to r5 and
/// checked against the guest's regions before it runs; its result, an integer, enum, bool or
/// nothing (0), goes to r0.
template <std::uint32_t Id, detail::fixed_string Name, auto Function>
struct helper {
    using signature = detail::signature<std::remove_cv_t<decltype(Function)>>;
    using arguments = typename signature::arguments;
    using result_type = typename signature::result_type;
    static constexpr std::size_t arity = std::tuple_size_v<arguments>;
    static_assert(std::is_void_v<result_type> || std::integral<result_type> ||
                      std::is_enum_v<result_type>,
                  "femto: a helper returns an integer, an enum, bool or nothing");

    static constexpr std::uint32_t id = Id;

    /// Whether a parameter is made from the caller, as `caller&` is.
    static constexpr bool takes_caller = []<std::size_t... I>(std::index_sequence<I...>) {
        return (detail::from_caller<std::tuple_element_t<I, arguments>> || ...);
    }(std::make_index_sequence<arity>{});

    /// The register (0 for r1) at which parameter `I` begins; `I == arity` gives their number.
    template <std::size_t I>
    static constexpr std::size_t first_register = []<std::size_t... J>(std::index_sequence<J...>) {
        return (std::size_t{0} + ... +
                detail::argument<std::tuple_element_t<J, arguments>>::kinds.size());
    }(std::make_index_sequence<I>{});
    static_assert(first_register<arity> <= 5, "femto: a helper has five registers, r1 to r5");

    static constexpr helper_prototype prototype = [] {
        helper_prototype p{Id, Name.view(), {}};
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (std::ranges::copy(detail::argument<std::tuple_element_t<I, arguments>>::kinds,
                               p.arguments.begin() + first_register<I>),
             ...);
        }(std::make_index_sequence<arity>{});
        return p;
    }();

    /// Fetches, checks and calls. Errors: illegal_memory with the offending address.
    template <class Memory>
    static constexpr errc call(caller& from, std::uint64_t* r, const Memory& memory,
                               std::uint64_t& address) {
        return invoke(from, r, memory, address, std::make_index_sequence<arity>{});
    }

private:
    template <class T>
    struct slot {
        typename detail::argument<T>::storage value{};
    };
    template <class T>
        requires detail::from_caller<T>
    struct slot<T> {};

    template <class T, std::size_t Register, class Memory>
    static constexpr bool fetch(slot<T>& to, const std::uint64_t* r, const Memory& memory,
                                std::uint64_t& address) {
        if constexpr (detail::from_caller<T>) {
            return true;
        } else {
            if (detail::argument<T>::fetch(to.value, r + 1 + Register, memory)) return true;
            address = r[1 + Register];
            return false;
        }
    }
    template <class T>
    static constexpr decltype(auto) pass(slot<T>& from, caller& c) {
        if constexpr (detail::from_caller<T>) {
            return detail::argument<T>::of(c);
        } else {
            return (from.value);
        }
    }

    template <class Memory, std::size_t... I>
    static constexpr errc invoke(caller& from, std::uint64_t* r, const Memory& memory,
                                 std::uint64_t& address, std::index_sequence<I...>) {
        std::tuple<slot<std::tuple_element_t<I, arguments>>...> values;
        if (!(fetch<std::tuple_element_t<I, arguments>, first_register<I>>(std::get<I>(values), r,
                                                                          memory, address) &&
              ...)) {
            return errc::illegal_memory;
        }
        if constexpr (std::is_void_v<result_type>) {
            Function(pass<std::tuple_element_t<I, arguments>>(std::get<I>(values), from)...);
            r[0] = 0;
        } else {
            const result_type value =
                Function(pass<std::tuple_element_t<I, arguments>>(std::get<I>(values), from)...);
            if constexpr (std::signed_integral<result_type>) {
                r[0] = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
            } else {
                r[0] = static_cast<std::uint64_t>(value);
            }
        }
        return errc::ok;
    }
};

/// The helpers that programs of one machine may call: a type, so that looking one up is a switch.
template <class... Helpers>
struct helper_set {
    static_assert(sizeof...(Helpers) <= 64, "femto: a helper_set holds at most 64 helpers");
    static constexpr std::array<helper_prototype, sizeof...(Helpers)> prototypes{
        Helpers::prototype...};
    static_assert(detail::have_distinct_ids(prototypes), "femto: two helpers of a helper_set have the same id");

    /// What a machine keeps of its host for these helpers.
    using host = std::conditional_t<(Helpers::takes_caller || ...), host_reference, no_host>;

    /// The place of helper `id` in the set as a bit, or 0 if it is not in it.
    [[nodiscard]] static constexpr std::uint64_t bit_of([[maybe_unused]] std::uint32_t id) {
        std::uint64_t found = 0;
        [[maybe_unused]] std::uint64_t bit = 1;
        ((found |= Helpers::id == id ? bit : 0, bit <<= 1), ...);
        return found;
    }

    /// Calls helper `id` with r1 to r5 of `r`. Errors: illegal_call if it is not in the set,
    /// illegal_memory with the offending address if a pointer fails its check.
    template <class Memory>
    static constexpr errc call([[maybe_unused]] std::uint32_t id, [[maybe_unused]] caller& from,
                               [[maybe_unused]] std::uint64_t* r,
                               [[maybe_unused]] const Memory& memory,
                               [[maybe_unused]] std::uint64_t& address) {
        errc code = errc::illegal_call;
        static_cast<void>(
            ((Helpers::id == id && (code = Helpers::call(from, r, memory, address), true)) || ...));
        return code;
    }
};

/// The set whose members are the helpers of the given sets.
template <class... Sets>
struct joined_helpers;
template <class... A>
struct joined_helpers<helper_set<A...>> {
    using type = helper_set<A...>;
};
template <class... A, class... B, class... Rest>
struct joined_helpers<helper_set<A...>, helper_set<B...>, Rest...>
    : joined_helpers<helper_set<A..., B...>, Rest...> {};
template <class... Sets>
using join_helpers = typename joined_helpers<Sets...>::type;

}  // namespace femto
