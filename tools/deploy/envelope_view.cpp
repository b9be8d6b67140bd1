// SPDX-License-Identifier: Apache-2.0
#include "envelope_view.hpp"

#include "../container.hpp"
#include "files.hpp"

#include <femto/describe.hpp>

#include <algorithm>

namespace femto_tool {
namespace {

using femto::update::bytes;
using femto::update::cbor_reader;
using femto::update::cbor_type;
using femto::update::region;

octets copy(bytes data) { return {data.begin(), data.end()}; }

/// Takes the envelope apart as `authenticate` does, without authenticating.
void read_frame(const octets& envelope, femto::error& first, envelope_view& view) {
    cbor_reader outer{{envelope, 0}, first, 1};
    if (outer.peek() != cbor_type::tag || outer.tag() != 107)
        outer.refuse(femto::errc::update_bad_envelope, 0);
    const auto members = outer.map();
    if (outer.uint() != 2) outer.refuse(femto::errc::update_bad_envelope);
    cbor_reader wrapper = outer.embedded();
    if (outer.uint() != 3) outer.refuse(femto::errc::update_bad_envelope);
    view.parts.manifest = outer.byte_string();
    view.parts.others = {bytes{envelope}.subspan(std::min(outer.offset(), envelope.size())),
                         outer.offset()};
    view.parts.other_count = members < 2 ? 0 : members - 2;

    const auto blocks = wrapper.array();
    wrapper.byte_string();
    for (std::size_t n = 1; n < blocks && !wrapper.failed(); ++n) {
        auto block = wrapper.embedded();
        view.algorithms.push_back(read_sign1(block).algorithm);
    }
    cbor_reader others{view.parts.others, first, 1};
    for (std::size_t n = 0; n < view.parts.other_count && !others.failed(); ++n) {
        const auto at = others.offset();
        others.skip(1);
        const auto key = others.since(at).data;
        const auto value = others.byte_string();
        if (!key.empty() && key[0] >> 5 == 3) view.payload = copy(value.data);
    }
}

struct command_name {
    std::int64_t code;
    const char* words;
};
constexpr command_name command_names[]{
    {1, "go on only if the vendor is the one named"},
    {2, "go on only if the class is the one named"},
    {24, "go on only if the device is the one named"},
    {3, "go on only if the image has the digest named"},
    {21, "fetch the image into the slot that is not in use"},
    {23, "run it"},
};

void parameters(cbor_reader& reader, envelope_view& view) {
    for (auto left = reader.map(); left > 0 && !reader.failed(); --left) {
        switch (reader.integer()) {
        case 1: view.vendor = copy(reader.byte_string().data); break;
        case 2: view.device_class = copy(reader.byte_string().data); break;
        case 24: view.device = copy(reader.byte_string().data); break;
        case 14: view.image_size = reader.uint(); break;
        case 21: {
            const auto text = reader.text().data;
            view.uri.assign(text.begin(), text.end());
            break;
        }
        case 3: {
            auto digest = reader.embedded();
            digest.array();
            digest.integer();
            view.image_digest = copy(digest.byte_string().data);
            break;
        }
        default: reader.skip(2);
        }
    }
}

void sequence(const char* when, region commands, femto::error& first, envelope_view& view) {
    if (commands.data.empty()) return;
    cbor_reader reader{commands, first, 8};
    for (auto left = reader.array(); left >= 2 && !reader.failed(); left -= 2) {
        const auto code = reader.integer();
        if (code == 20) {
            parameters(reader, view);
            continue;
        }
        const auto known = std::ranges::find(command_names, code, &command_name::code);
        view.steps.push_back(std::string{when} + ": " +
                             (known != std::end(command_names)
                                  ? known->words
                                  : "command " + std::to_string(code) +
                                        ", which devices of this profile refuse"));
        reader.skip(4);
    }
}

}  // namespace

std::string in_words(const femto::error& e) {
    constexpr const char* stages[]{"",          "envelope",   "wrapper",  "manifest digest",
                                   "signature", "manifest",   "components", "sequence number",
                                   "commands",  "fetch",      "image",    "program",
                                   "commit"};
    const auto d = femto::describe(e.code);
    std::string text{d.what};
    if (e.pc > 0 && e.pc < std::size(stages)) text += std::string{" (stage "} + stages[e.pc];
    if (e.pc > 0 && e.address != 0) text += ", byte " + std::to_string(e.address);
    if (e.pc > 0 && e.pc < std::size(stages)) text += ")";
    return text + " [" + std::string{d.name} + "]";
}

envelope_view read_envelope(const octets& envelope, const std::string& path) {
    envelope_view view;
    femto::error first;
    read_frame(envelope, first, view);
    const auto refuse = [&] { throw user_error{path + ": " + in_words(first)}; };
    if (first.code != femto::errc::ok) refuse();
    const auto steps = femto::update::read_manifest(view.parts);
    if (!steps) {
        first = steps.error();
        refuse();
    }
    view.manifest = *steps;
    cbor_reader list{steps->components, first, 6};
    if (list.array() > 0) {
        for (auto parts = list.array(); parts > 0 && !list.failed(); --parts)
            view.component.push_back(copy(list.byte_string().data));
    }
    sequence("before all", steps->shared, first, view);
    sequence("install", steps->install, first, view);
    sequence("each start", steps->validate, first, view);
    sequence("each start", steps->invoke, first, view);
    if (first.code != femto::errc::ok) refuse();
    return view;
}

}  // namespace femto_tool
