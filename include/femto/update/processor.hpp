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
    bytes image_digest{};       ///< 32 bytes, empty if the manifest names none
    std::uint64_t size = 0;     ///< bytes, 0 if the manifest names none
    bool current = false;       ///< its part was done before: nothing to do
    bool fetch = false;         ///< an image is to be fetched, checked and installed
    bytes uri{};                ///< from where; or
    bytes payload{};            ///< the image itself, if it came with the envelope
    bool integrated = false;
    bool matched = false;       ///< checked by install after the fetch
    bool validated = false;     ///< checked by validate
    bool invoked = false;
    bytes vendor_id{}, class_id{}, device_id{};
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

namespace detail {

/// The dry pass. The profile has no control flow, so running the commands without effects yields
/// all that they would do: the plan.
template <limits Limits, update_device Device>
class dry_pass {
public:
    using plan = update_plan<Limits.components>;

    dry_pass(Device& device, const device_identity& identity, const authenticated& envelope,
             plan& out, error& first)
        : device_{device}, identity_{identity}, envelope_{envelope}, plan_{out}, error_{first} {}

    void run(const manifest& steps) {
        // Commands that the profile knows in each sequence, one bit for each code.
        constexpr auto codes = [](auto... code) { return ((std::uint32_t{1} << code) | ...); };
        sequence(steps.shared, codes(12, 20, 1, 2, 24), false);
        sequence(steps.install, codes(12, 20, 21, 3), true);
        sequence(steps.validate, codes(12, 1, 2, 3), false);
        sequence(steps.invoke, codes(12, 23), false);
        for (std::size_t n = 0; n < plan_.count && error_.code == errc::ok; ++n) {
            const auto& one = plan_.components[n];
            if (!one.validated || one.fetch != one.matched)
                error_ = {errc::update_missing_image_match,
                          static_cast<std::uint32_t>(stage::commands), envelope_.manifest.offset};
        }
    }

private:
    void sequence(region commands, std::uint32_t allowed, bool install) {
        if (commands.data.empty()) {
            if (commands.offset != 0 && error_.code == errc::ok)  // a string, but not an array
                error_ = {errc::update_truncated, static_cast<std::uint32_t>(stage::commands),
                          commands.offset};
            return;
        }
        cbor_reader reader{commands, error_, static_cast<std::uint32_t>(stage::commands)};
        const auto items = reader.array();
        if (items % 2 != 0) reader.refuse(errc::update_malformed_cbor, commands.offset);
        if (items / 2 > Limits.commands) reader.refuse(errc::update_too_complex, commands.offset);
        component_plan* selected = plan_.count == 1 ? &plan_.components[0] : nullptr;
        for (std::size_t n = 0; n < items && !reader.failed(); n += 2) {
            const auto at = reader.offset();
            const auto code = reader.integer();
            if (code < 0 || code > 31 || (allowed >> code & 1u) == 0) {
                reader.refuse(errc::update_unsupported_command, at);
            } else if (code == 12) {
                // True (all components) and lists are not in the profile.
                const auto index = reader.peek() == cbor_type::uint ? reader.uint() : plan_.count;
                if (index >= plan_.count) reader.refuse(errc::update_bad_component_index, at);
                else selected = &plan_.components[static_cast<std::size_t>(index)];
            } else if (selected == nullptr) {
                reader.refuse(errc::update_bad_component_index, at);
            } else if (code == 20) {
                override_parameters(reader, *selected);
            } else {
                const auto policy_at = reader.offset();
                if (reader.uint() > 15) reader.refuse(errc::update_bad_parameter, policy_at);
                if (!reader.failed()) command(reader, code, at, *selected, install);
            }
        }
        reader.end();
    }

    void command(cbor_reader& reader, std::int64_t code, std::size_t at, component_plan& one,
                 bool install) {
        const auto compare = [&](bytes asked, bytes ours, errc mismatch) {
            if (asked.empty()) reader.refuse(errc::update_missing_parameter, at);
            else if (!same(asked, ours)) reader.refuse(mismatch, at);
        };
        switch (code) {
        case 1:
            compare(one.vendor_id, identity_.vendor_id, errc::update_vendor_mismatch);
            vendor_checked_ = true;
            break;
        case 2:
            compare(one.class_id, identity_.class_id, errc::update_class_mismatch);
            class_checked_ = true;
            break;
        case 24:
            compare(one.device_id, identity_.device_id, errc::update_device_mismatch);
            break;
        case 3:
            if (one.image_digest.empty()) reader.refuse(errc::update_missing_parameter, at);
            if (install && !one.fetch) reader.refuse(errc::update_bad_order, at);
            (install ? one.matched : one.validated) = true;
            break;
        case 21: fetch(reader, at, one); break;
        default: one.invoked = true; break;
        }
    }

    void fetch(cbor_reader& reader, std::size_t at, component_plan& one) {
        if (!vendor_checked_ || !class_checked_) reader.refuse(errc::update_missing_id_check, at);
        if (one.image_digest.empty() || one.size == 0 || one.uri.empty())
            reader.refuse(errc::update_missing_parameter, at);
        if (one.fetch) reader.refuse(errc::update_bad_order, at);
        if (reader.failed()) return;
        one.fetch = true;
        one.integrated = one.uri[0] == '#';
        if (!one.integrated) {
            if (!device_.fetches(one.uri)) reader.refuse(errc::update_bad_uri, at);
            return;
        }
        cbor_reader others{envelope_.others, error_, reader.stage()};
        bool there = false;
        for (std::size_t n = 0; n < envelope_.other_count && !there; ++n) {
            const bool text = others.peek() == cbor_type::text;
            const auto key = text ? others.text().data : (others.uint(), bytes{});
            const auto payload = others.byte_string();
            there = text && same(key, one.uri);
            if (there) one.payload = payload.data;
        }
        if (!there) reader.refuse(errc::update_bad_uri, at);
        else if (one.payload.size() != one.size) reader.refuse(errc::update_size_mismatch, at);
    }

    void override_parameters(cbor_reader& reader, component_plan& one) {
        cbor_reader::key_order order;
        const auto pairs = reader.map();
        for (std::size_t n = 0; n < pairs && !reader.failed(); ++n) {
            const auto at = reader.offset();
            const auto key = reader.integer();
            order.done(reader, at);
            const auto type = reader.peek();
            const auto wanted = key == 14   ? cbor_type::uint
                                : key == 21 ? cbor_type::text
                                            : cbor_type::octets;
            if (key != 1 && key != 2 && key != 3 && key != 14 && key != 21 && key != 24)
                reader.refuse(errc::update_unsupported_parameter, at);
            else if (type != wanted || (one.fetch && (key == 3 || key == 14 || key == 21)))
                reader.refuse(errc::update_bad_parameter, at);
            if (reader.failed()) return;
            if (key == 14) {
                one.size = reader.uint();
                if (one.size == 0 || one.size > device_.capacity(one.component))
                    reader.refuse(errc::update_image_too_large, at);
            } else if (key == 21) {
                one.uri = reader.text().data;
                if (one.uri.empty() || one.uri.size() > Limits.uri)
                    reader.refuse(errc::update_bad_uri, at);
            } else if (key == 3) {
                auto named = reader.embedded();
                if (named.array() != 2 || named.integer() != -16)
                    named.refuse(errc::update_bad_parameter, at);
                one.image_digest = named.byte_string().data;
                if (one.image_digest.size() != 32) named.refuse(errc::update_bad_parameter, at);
                named.end();
            } else {
                const auto id = reader.byte_string().data;
                if (id.size() != 16) reader.refuse(errc::update_bad_parameter, at);
                (key == 1 ? one.vendor_id : key == 2 ? one.class_id : one.device_id) = id;
            }
        }
    }

    Device& device_;
    const device_identity& identity_;
    const authenticated& envelope_;
    plan& plan_;
    error& error_;
    // Per manifest, not per component: one device has one vendor and one class.
    bool vendor_checked_ = false;
    bool class_checked_ = false;
};

}  // namespace detail

/// Whether a manifest may follow what the floor says: ok, update_already_current,
/// update_rollback or update_sequence_conflict. An equal number with the same digest is ok while
/// its image does not run: so an update that a power cut interrupted can be applied again.
[[nodiscard]] constexpr errc compare_floor(const update_floor& floor, std::uint64_t sequence_number,
                                           const sha256_digest& manifest_digest) {
    if (!floor.installed || sequence_number > floor.sequence_number) return errc::ok;
    if (sequence_number < floor.sequence_number) return errc::update_rollback;
    if (manifest_digest != floor.manifest_digest) return errc::update_sequence_conflict;
    return floor.current ? errc::update_already_current : errc::ok;
}

/// Everything that can be checked before an image is there, without any effect, in this order:
/// signature, manifest, components and the key's rights, floors, dry pass over all commands.
/// The plan refers to `envelope`, which must not change until the update is done.
/// Errors: every update_* but those of fetching, storing and switching; `pc` the stage, `address`
/// the offset in the envelope. No state is kept; not shared between threads.
template <limits Limits = limits{}, crypto Crypto, update_device Device>
[[nodiscard]] result<update_plan<Limits.components>> prepare_update(
    Crypto& backend, std::span<const trust_anchor> anchors, const device_identity& identity,
    Device& device, bytes envelope) {
    const auto signed_by = authenticate(backend, anchors, envelope, Limits);
    if (!signed_by.has_value()) return failure{signed_by.error()};
    const auto steps = read_manifest(*signed_by);
    if (!steps.has_value()) return failure{steps.error()};

    update_plan<Limits.components> plan;
    plan.sequence_number = steps->sequence_number;
    plan.manifest_digest = signed_by->manifest_digest;
    plan.anchor = signed_by->anchor;

    error first;
    cbor_reader list{steps->components, first, static_cast<std::uint32_t>(stage::components)};
    const auto count = list.array();
    if (count == 0 || count > Limits.components)
        list.refuse(errc::update_too_many_components, steps->components.offset);
    for (; plan.count < count && !list.failed(); ++plan.count) {
        const auto at = list.offset();
        const auto parts = list.array();
        const auto id = list.byte_string();
        const auto found = parts == 1 && !list.failed() ? device.find(id.data) : std::nullopt;
        if (!found) {
            list.refuse(errc::update_unknown_component, at);
            break;
        }
        if (!plan.anchor->may_update(id.data)) list.refuse(errc::update_not_authorised, at);
        for (std::size_t n = 0; n < plan.count; ++n)  // one component named twice has two plans
            if (plan.components[n].component == *found)
                list.refuse(errc::update_unknown_component, at);
        plan.components[plan.count].component = *found;
    }
    list.end();
    if (first.code != errc::ok) return failure{first};

    std::size_t current = 0;
    for (std::size_t n = 0; n < plan.count; ++n) {
        const auto floor = device.floor(plan.components[n].component);
        const auto number = static_cast<std::uint32_t>(stage::sequence);
        if (!floor.has_value()) return fail(errc::update_storage, number, steps->sequence_offset);
        const auto verdict = compare_floor(*floor, plan.sequence_number, plan.manifest_digest);
        plan.components[n].current = verdict == errc::update_already_current;
        if (plan.components[n].current) ++current;
        else if (verdict != errc::ok) return fail(verdict, number, steps->sequence_offset);
    }
    if (current == plan.count)
        return fail(errc::update_already_current, static_cast<std::uint32_t>(stage::sequence),
                    steps->sequence_offset);

    detail::dry_pass<Limits, Device>{device, identity, *signed_by, plan, first}.run(*steps);
    if (first.code != errc::ok) return failure{first};
    return plan;
}

}  // namespace femto::update
