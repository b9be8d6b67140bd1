// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#include <version>
#if defined(__cpp_lib_expected)
#include <expected>
#endif

namespace femto {

/// Every way in which femto refuses or stops. 0 to -9 are the numbers of Femto-Containers and never
/// change; ours continue at -10. A number is never given a second meaning.
enum class errc : std::int8_t {
    ok = 0,
    illegal_instruction = -1,  ///< opcode that RFC 9669 does not define
    illegal_memory = -2,       ///< access outside every region, or past the end of one
    illegal_jump = -3,         ///< jump target outside the function
    illegal_call = -4,         ///< call target that is no function, or a helper that is not granted
    illegal_length = -5,       ///< program empty, too long, or larger than the scratch allows
    illegal_register = -6,     ///< register above r10
    no_return = -7,            ///< execution could run past the end of a function
    out_of_fuel = -8,          ///< the run used up its fuel; it can be resumed with more
    division = -9,             ///< never returned: RFC 9669 defines division by zero
    unsupported_group = -10,   ///< instruction of a conformance group that is not configured
    unsupported_instruction = -11,  ///< named by RFC 9669, refused by femto (legacy packet access)
    nonzero_field = -12,       ///< a field that the instruction does not use is not zero
    undefined_variant = -13,   ///< a field selects no defined form of the instruction
    frame_pointer_write = -14, ///< r10 is read-only
    incomplete_load = -15,     ///< lddw without its second slot, or with a malformed one
    jump_into_load = -16,      ///< jump or call into the second slot of lddw
    illegal_stack_access = -17,  ///< constant offset from r10 outside the frame
    stack_too_small = -18,     ///< the deepest chain of calls needs more stack than configured
    call_too_deep = -19,       ///< more nested local calls than configured
    recursion = -20,           ///< a function calls itself, directly or not
    illegal_write = -21,       ///< write to a region that may only be read
    helper_failed = -22,       ///< a helper reported a failure
    suspended = -23,           ///< a helper suspended the run; it can be resumed
    not_resumable = -24,       ///< resume of a run that is neither suspended nor out of fuel
    too_many_regions = -25,    ///< no free region for this mapping
    unknown_function = -26,    ///< no function of that name
    no_space = -27,            ///< the storage given is too small; address is what is needed, if known

    // The assembler: pc is the line, address the column, both counted from 1.
    syntax_error = -28,        ///< no instruction looks like this
    value_out_of_range = -29,  ///< a number does not fit its field
    undefined_label = -30,     ///< a label that no line defines

    region_too_large = -31,    ///< memory of address bytes, more than `config::max_region_size`

    // The ELF loader; see elf.hpp for what pc and address are.
    elf_truncated = -40,       ///< a header or section lies outside the file; address is its end
    elf_not_elf = -41,         ///< no ELF file
    elf_wrong_kind = -42,      ///< ELF, but no relocatable little-endian 64-bit BPF object
    elf_bad_section = -43,     ///< section pc has a malformed header, link or size
    elf_bad_symbol = -44,      ///< symbol pc lies outside its section or has no name
    elf_bad_relocation = -45,  ///< relocation of section pc at offset address is outside it
    elf_unsupported_relocation = -46,  ///< section pc has a relocation of type address
    elf_undefined_symbol = -47,  ///< slot pc (or byte of data) refers to undefined symbol address
    elf_unknown_helper = -48,  ///< slot pc calls undefined symbol address, which is no known helper
    elf_unsupported_section = -49,  ///< section pc is of a kind that has no meaning here (maps)
    elf_too_complex = -50,     ///< more sections than `elf_object::max_sections`

    // Stores, images, containers, hooks and tenants.
    store_full = -60,       ///< the pool has no free entry; address is the key
    store_quota = -61,      ///< the tenant holds as many entries as it may; address is the key
    store_corrupt = -62,    ///< a snapshot that `save` did not write; address is the byte
    image_truncated = -63,  ///< the image ends before byte address
    image_bad_magic = -64,  ///< no image; address is the magic found
    image_bad_version = -65,    ///< an image of version address
    image_bad_header = -66,     ///< the field at byte address has an impossible value
    image_misaligned = -67,     ///< the bytes do not begin at a multiple of 8
    image_bad_entry = -68,      ///< entry pc has target or name address, which does not exist
    image_bad_load = -69,       ///< slot pc: 0xb8 or 0xd8 with an offset outside its section
    storage_too_small = -70,    ///< storage given for the container; address is what it needs
    contract_exceeded = -71,    ///< request beyond the offer; address is a `contract_part`
    wrong_hook = -72,           ///< the container has no entry for this hook
    hook_full = -73,            ///< every place of the hook is taken
    container_busy = -74,       ///< a run is going on: ask again
    tenant_quota = -75,         ///< the tenant has all it may have; address is a `contract_part`
    wrong_state = -76,          ///< not in this state; address is the `container_state`
    no_machine = -77,           ///< every machine is in use
    bad_format = -79,           ///< printf: a conversion that is not allowed; address is its place

    // Updates. pc is the stage (update/stage.hpp), address the byte offset in the envelope.
    update_too_large = -80,    ///< the envelope is longer than `limits::envelope`
    update_truncated = -81,    ///< an item reaches past the end of the bytes that hold it
    update_malformed_cbor = -82,  ///< not CBOR, or bytes after the item
    update_non_canonical = -83,   ///< not deterministic: long head, indefinite, unsorted, duplicate
    update_bad_envelope = -84, ///< tag, order or kind of the envelope's members
    update_unsigned = -85,     ///< no authentication block
    update_unsupported_auth = -86,  ///< not a detached, tagged COSE_Sign1 with empty unprotected part
    update_unsupported_algorithm = -87,  ///< no anchor or backend for this algorithm
    update_unknown_key = -88,  ///< no anchor has this key identifier
    update_bad_signature = -89,  ///< the signature is not of any candidate key
    update_manifest_digest = -90,  ///< the manifest is not the one that was signed
    update_unsupported_version = -91,  ///< manifest version other than 1
    update_rollback = -92,     ///< sequence number below the floor
    update_sequence_conflict = -93,  ///< the floor's sequence number with another manifest
    update_already_current = -94,  ///< this manifest is what runs already; nothing to do
    update_too_many_components = -95,  ///< more components than `limits::components`, or none
    update_unknown_component = -96,  ///< no component of the device has this identifier
    update_not_authorised = -97,  ///< the key may not update this component
    update_unsupported_element = -98,  ///< manifest member that the profile does not know
    update_severed_element = -99,  ///< manifest member given only as a digest
    update_unsupported_command = -100,  ///< command that the profile refuses in this sequence
    update_unsupported_parameter = -101,  ///< parameter that the profile refuses
    update_bad_parameter = -102,  ///< parameter of another type or length, or changed too late
    update_missing_parameter = -103,  ///< a command without the parameters it needs
    update_bad_component_index = -104,  ///< no such component, or none selected
    update_missing_id_check = -105,  ///< a fetch before vendor and class were checked
    update_missing_image_match = -106,  ///< an image that install or validate does not check
    update_vendor_mismatch = -107,  ///< for another vendor's devices
    update_class_mismatch = -108,  ///< for another class of device
    update_device_mismatch = -109,  ///< for another device
    update_image_too_large = -110,  ///< image of no bytes, or more than the slot holds
    update_bad_uri = -111,     ///< URI that the device does not fetch, or a payload that is missing
    update_fetch_failed = -112,  ///< a chunk that does not follow the one before
    update_size_mismatch = -113,  ///< payload longer or shorter than the manifest says
    update_digest_mismatch = -114,  ///< the image is not the one in the manifest
    update_program_rejected = -115,  ///< the device refused the program; nothing was switched
    update_storage = -116,     ///< reading or writing failed, or there is no valid record
    update_busy = -117,        ///< another update of this component is open
    update_bad_order = -118,   ///< a second fetch of one component
    update_too_complex = -119, ///< more commands, signatures or nesting than the limits
    update_crypto = -120,      ///< the cryptographic backend failed
};

/// What went wrong and where. `pc` counts instruction slots (8 bytes) from the start of the text;
/// `address` is the guest address or the offending value, 0 where there is none.
struct error {
    errc code = errc::ok;
    std::uint32_t pc = 0;
    std::uint64_t address = 0;

    friend constexpr bool operator==(const error&, const error&) = default;
};

#if defined(__cpp_lib_expected)
template <class T>
using result = std::expected<T, error>;
using failure = std::unexpected<error>;
#else
/// An error on its way into a `result`.
class failure {
public:
    constexpr explicit failure(femto::error cause) : cause_{cause} {}
    [[nodiscard]] constexpr const femto::error& error() const { return cause_; }

private:
    femto::error cause_;
};

/// A value or an error: the part of `std::expected` that femto needs, for C++20 libraries.
/// The value lies in a union only so that a T without a default constructor can be left out.
template <class T>
class [[nodiscard]] result {
    static_assert(std::is_trivially_copyable_v<T>, "femto::result holds trivial types only");

public:
    using value_type = T;
    constexpr result(const T& value) : value_{value} {}
    constexpr result(const failure& refused) : error_{refused.error()} {}
    /// Makes the value where it will be.
    template <class... Arguments>
    constexpr explicit result(std::in_place_t, Arguments&&... arguments)
        : value_{std::forward<Arguments>(arguments)...} {}

    [[nodiscard]] constexpr bool has_value() const { return error_.code == errc::ok; }
    constexpr explicit operator bool() const { return has_value(); }
    /// The value; only after `has_value()`.
    [[nodiscard]] constexpr const T& operator*() const { return value_; }
    [[nodiscard]] constexpr T& operator*() { return value_; }
    [[nodiscard]] constexpr const T* operator->() const { return &value_; }
    [[nodiscard]] constexpr T* operator->() { return &value_; }
    /// The error; only without `has_value()`.
    [[nodiscard]] constexpr const femto::error& error() const { return error_; }
    template <class U>
    [[nodiscard]] constexpr T value_or(U&& other) const {
        return has_value() ? value_ : static_cast<T>(std::forward<U>(other));
    }

private:
    union {
        T value_;
    };
    femto::error error_{};
};

template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;
    constexpr result() = default;
    constexpr result(const failure& refused) : error_{refused.error()} {}

    [[nodiscard]] constexpr bool has_value() const { return error_.code == errc::ok; }
    constexpr explicit operator bool() const { return has_value(); }
    [[nodiscard]] constexpr const femto::error& error() const { return error_; }

private:
    femto::error error_{};
};
#endif

/// Shorthand for `return fail(errc::..., pc, address);`.
[[nodiscard]] constexpr failure fail(errc code, std::uint32_t pc = 0, std::uint64_t address = 0) {
    return failure{error{code, pc, address}};
}

}  // namespace femto
