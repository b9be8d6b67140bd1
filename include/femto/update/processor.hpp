// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/manifest.hpp>

#include <optional>

namespace femto::update {

/// Who the device is: 16 bytes each, compared with what manifests ask for.
struct device_identity {
    bytes vendor_id{};
    bytes class_id{};
    bytes device_id{};
    [[nodiscard]] constexpr std::array<bytes, 3> ids() const { return {vendor_id, class_id, device_id}; }
};

/// What the device knows about a component: nothing with a lower sequence number is accepted.
struct update_floor {
    std::uint64_t sequence_number = 0;
    sha256_digest manifest_digest{};
    bool installed = false;  ///< false: never, so the other members say nothing
    bool current = false;    ///< the image of that manifest is what runs
};

/// The device as the processor sees it; nothing here has an effect.
template <class Device>
concept update_device = requires(Device& device, bytes data, std::size_t component) {
    /// Index of the component with this identifier (one byte string), if there is one.
    { device.find(data) } -> std::same_as<std::optional<std::size_t>>;
    /// Bytes that a slot of this component holds.
    { device.capacity(component) } -> std::convertible_to<std::uint64_t>;
    /// Its floor; an error is never read as "never installed".
    { device.floor(component) } -> std::same_as<result<update_floor>>;
    /// Whether the device fetches from this URI.
    { device.fetches(data) } -> std::same_as<bool>;
};

/// What is to be done with one component. Refers to the envelope's bytes.
struct component_plan {
    std::size_t component = 0;  ///< index at the device
    const std::uint8_t* image_digest = nullptr;  ///< 32 bytes, null if the manifest names none
    std::uint32_t size = 0;     ///< bytes, 0 if the manifest names none
    bytes uri{};                ///< from where the image is fetched; or
    bytes payload{};            ///< the image itself, if it came with the envelope
    std::array<const std::uint8_t*, 3> ids{};  ///< 16 bytes: vendor, class, device; null if not named
    bool current = false;       ///< its part was done before: nothing to do
    bool fetch = false;         ///< an image is to be fetched, checked and installed
    bool integrated = false;    ///< it came with the envelope
    bool matched = false;       ///< checked by install after the fetch
    bool validated = false;     ///< checked by validate
    bool invoked = false;
};

/// An update that passed every check possible before its images are there.
template <std::size_t MaxComponents>
struct update_plan {
    std::uint64_t sequence_number = 0;
    sha256_digest manifest_digest{};
    const trust_anchor* anchor = nullptr;
    std::size_t count = 0;
    std::array<component_plan, MaxComponents> components{};
};

/// Whether a manifest may follow what the floor says: ok, update_already_current,
/// update_rollback or update_sequence_conflict. An equal number with the same digest is ok while
/// its image does not run: so an update that a power cut interrupted can be applied again.
[[nodiscard]] constexpr errc compare_floor(const update_floor& floor, std::uint64_t sequence_number,
                                           const sha256_digest& manifest_digest) {
    if (!floor.installed || sequence_number > floor.sequence_number) return errc::ok;
    if (sequence_number < floor.sequence_number) return errc::update_rollback;
    if (!same(manifest_digest, floor.manifest_digest)) return errc::update_sequence_conflict;
    return floor.current ? errc::update_already_current : errc::ok;
}

namespace detail {

/// What follows the signature: components and rights, floors, and the dry pass. The profile has no
/// control flow, so running the commands without effects yields all that they would do: the plan.
template <limits Limits, update_device Device>
struct planning {
    using plan = update_plan<Limits.components>;
    static constexpr std::uint32_t fetch_command = 21;

    Device& device;
    const device_identity& identity;
    const authenticated& envelope;
    plan& out;
    error& first;
    // One bit for each identifier. Per manifest, not per component: one device has one vendor and one
    // class.
    std::uint32_t checked = 0;

    void run(const manifest& steps) {
        enter(stage::components);
        read_components(steps.components);
        if (failed()) return;
        enter(stage::sequence);
        first.address = steps.sequence_offset;  // of every error of this stage
        first.code = compare_floors();
        if (failed()) return;
        enter(stage::commands);
        read_commands(steps);
    }
    void enter(stage s) { first.pc = static_cast<std::uint32_t>(s); }
    [[nodiscard]] bool failed() const { return first.code != errc::ok; }

    void read_components(region identifiers) {
        cbor_reader list{identifiers, first};
        const auto count = list.array();
        if (count - 1 >= Limits.components) list.refuse(errc::update_too_many_components);
        for (; out.count < count && !failed(); ++out.count) {
            const bool one_part = list.array() == 1;
            const auto id = list.byte_string().data;
            if (failed()) return;
            const auto found = one_part ? device.find(id) : std::nullopt;
            if (!found) return list.refuse(errc::update_unknown_component);
            if (!out.anchor->may_update(id)) list.refuse(errc::update_not_authorised);
            for (std::size_t n = 0; n < out.count; ++n)  // one component named twice has two plans
                if (out.components[n].component == *found)
                    list.refuse(errc::update_unknown_component);
            out.components[out.count].component = *found;
        }
    }

    errc compare_floors() {
        auto all = errc::update_already_current;
        for (std::size_t n = 0; n < out.count; ++n) {
            auto& one = out.components[n];
            const auto floor = device.floor(one.component);
            if (!floor.has_value()) return errc::update_storage;
            const auto verdict = compare_floor(*floor, out.sequence_number, out.manifest_digest);
            one.current = verdict == errc::update_already_current;
            if (one.current) continue;
            if (verdict != errc::ok) return verdict;
            all = verdict;
        }
        return all;
    }

    void read_commands(const manifest& steps) {
        // Commands that the profile knows in each sequence, one bit for each code.
        constexpr auto codes = [](auto... code) { return ((std::uint32_t{1} << code) | ...); };
        sequence(steps.shared, codes(12, 20, 1, 2, 24));
        sequence(steps.install, codes(12, 20, fetch_command, 3));
        sequence(steps.validate, codes(12, 1, 2, 3));
        sequence(steps.invoke, codes(12, 23));
        cbor_reader end{envelope.manifest, first};
        for (std::size_t n = 0; n < out.count; ++n) {
            const auto& one = out.components[n];
            if (!one.validated || one.fetch != one.matched)
                end.refuse(errc::update_missing_image_match, envelope.manifest.offset);
        }
    }

    void sequence(const region& all, std::uint32_t allowed) {
        if (all.offset == 0) return;
        cbor_reader reader{all, first};
        auto left = reader.array();
        if (left / 2 > Limits.commands) reader.refuse(errc::update_too_complex);
        component_plan* selected = out.count == 1 ? &out.components[0] : nullptr;
        for (; left > 0; left -= 2) {
            if (left == 1) return reader.refuse(errc::update_malformed_cbor);
            const auto code = number_or_none(reader);
            if (failed()) return;
            if (code > 31 || (allowed >> code & 1) == 0)
                return reader.refuse(errc::update_unsupported_command);
            if (code == 12) {
                // True (all components) and lists are not in the profile.
                const auto index = number_or_none(reader);
                selected = index < out.count ? &out.components[index] : nullptr;
            }
            if (selected == nullptr) return reader.refuse(errc::update_bad_component_index);
            if (code == 20) override_parameters(reader, *selected);
            else if (code != 12) command(reader, code, *selected, (allowed >> fetch_command & 1) != 0);
        }
        reader.end();
    }
    static std::uint32_t number_or_none(cbor_reader& reader) {
        reader.mark();
        return reader.peek() == cbor_type::uint ? reader.small(cbor_type::uint) : cbor_map::none;
    }

    void command(cbor_reader& reader, std::uint32_t code, component_plan& one, bool install) {
        // The reporting policy: nobody reports.
        if (reader.small(cbor_type::uint) > 15) reader.refuse(errc::update_bad_parameter);
        if (code == 3) {
            if (one.image_digest == nullptr) reader.refuse(errc::update_missing_parameter);
            if (install && !one.fetch) reader.refuse(errc::update_bad_order);
            (install ? one.matched : one.validated) = true;
        } else if (code == fetch_command) {
            fetch(reader, one);
        } else if (code == 23) {
            one.invoked = true;
        } else {
            const auto which = identifier(code);
            const auto* const asked = one.ids[which];
            if (asked == nullptr) return reader.refuse(errc::update_missing_parameter);
            static_assert(static_cast<int>(errc::update_vendor_mismatch) - 2 ==
                          static_cast<int>(errc::update_device_mismatch));
            if (!same({asked, 16}, identity.ids()[which]))
                reader.refuse(static_cast<errc>(static_cast<int>(errc::update_vendor_mismatch) -
                                                static_cast<int>(which)));
            checked |= 1u << which;
        }
    }
    /// Place among the identifiers of the command or parameter 1, 2 or 24.
    static std::uint32_t identifier(std::uint32_t code) { return code > 2 ? 2 : code - 1; }

    void fetch(cbor_reader& reader, component_plan& one) {
        if ((checked & 3) != 3) reader.refuse(errc::update_missing_id_check);
        if (one.image_digest == nullptr || one.size == 0 || one.uri.empty())
            return reader.refuse(errc::update_missing_parameter);
        if (one.fetch) reader.refuse(errc::update_bad_order);
        one.fetch = true;
        one.integrated = one.uri[0] == '#';
        if (one.integrated) {
            const auto place = first.address;
            one.payload = find_payload(envelope, one.uri, first);
            if (!failed()) first.address = place;
            if (one.payload.empty()) reader.refuse(errc::update_bad_uri);
            if (one.payload.size() != one.size) reader.refuse(errc::update_size_mismatch);
        } else if (!device.fetches(one.uri)) {
            reader.refuse(errc::update_bad_uri);
        }
    }

    void override_parameters(cbor_reader& reader, component_plan& one) {
        cbor_map pairs{reader};
        for (std::uint32_t key; (key = pairs.next()) != cbor_map::none;) {
            const auto type = reader.peek();
            if (key == 3 || key == 14 || key == 21)
                if (one.fetch) reader.refuse(errc::update_bad_parameter);
            if (key == 14) {
                if (type != cbor_type::uint) return reader.refuse(errc::update_bad_parameter);
                one.size = reader.small(cbor_type::uint);
                if (one.size - 1 >= device.capacity(one.component))
                    reader.refuse(errc::update_image_too_large);
            } else if (key == 21) {
                if (type != cbor_type::text) return reader.refuse(errc::update_bad_parameter);
                // A URI is ASCII (RFC 3986), so it is UTF-8, too.
                one.uri = reader.string(type).data;
                if (one.uri.size() - 1 >= Limits.uri ||
                    std::ranges::any_of(one.uri, [](auto byte) { return byte > 0x7e; }))
                    reader.refuse(errc::update_bad_uri);
            } else if (key == 3) {
                auto named = reader.embedded();
                one.image_digest = read_digest(named, errc::update_bad_parameter);
                named.end();
            } else if (key == 1 || key == 2 || key == 24) {
                reader.expect(0x50, errc::update_bad_parameter);  // 16 bytes
                one.ids[identifier(key)] = reader.take(16);
            } else {
                reader.refuse(errc::update_unsupported_parameter);
            }
        }
    }
};

}  // namespace detail

/// Everything that can be checked before an image is there, without any effect, in this order:
/// signature, manifest, components and the key's rights, floors, dry pass over all commands.
/// The plan refers to `envelope`, which must not change until the update is done.
/// Errors: every update_* but those of fetching, storing and switching; `pc` the stage, `address`
/// the offset in the envelope. No state is kept; not shared between threads.
template <limits Limits = limits{}, crypto Crypto, update_device Device>
[[nodiscard]] result<update_plan<Limits.components>> prepare_update(
    Crypto& backend, std::span<const trust_anchor> anchors, const device_identity& identity,
    Device& device, bytes envelope) {
    static constexpr limits bounds = Limits;
    detail::authentication<Crypto> steps{bounds};
    steps.run(backend, anchors, envelope);
    manifest found;
    update_plan<Limits.components> plan;
    if (!steps.failed()) detail::read_manifest(steps.out, found, steps.first);
    if (!steps.failed()) {
        plan.sequence_number = found.sequence_number;
        plan.manifest_digest = steps.out.manifest_digest;
        plan.anchor = steps.out.anchor;
        detail::planning<Limits, Device>{device, identity, steps.out, plan, steps.first}.run(found);
    }
    if (steps.failed()) return failure{steps.first};
    return plan;
}

}  // namespace femto::update
