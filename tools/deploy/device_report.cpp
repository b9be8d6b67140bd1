// SPDX-License-Identifier: Apache-2.0
#include "device_report.hpp"

#include <femto/update/cbor.hpp>

#include <algorithm>

namespace femto_tool {
namespace {

constexpr std::uint64_t version = 1;

/// One walk over the members for both directions, so that they cannot differ.
class report_writer {
public:
    void array(std::size_t items) { out.array(items); }
    void number(std::uint64_t value) { out.uint(value); }
    void truth(bool value) { out.boolean(value); }
    void text(const std::string& value) { out.text(value); }
    void id(const femto::uuid& value) { out.byte_string(value.bytes); }
    void error(const femto::error& value) {
        out.array(3).integer(static_cast<std::int64_t>(value.code)).uint(value.pc).uint(value.address);
    }
    void state(femto::container_state value) { out.uint(static_cast<std::uint64_t>(value)); }
    template <class T, class F>
    void list(const std::vector<T>& all, F each) {
        out.array(all.size());
        for (const auto& one : all) each(one);
    }
    cbor_writer out;
};

class report_reader {
public:
    report_reader(const octets& data) : reader{{data, 0}, first} {}
    void array(std::size_t items) {
        if (reader.array() != items) refuse();
    }
    void number(std::uint64_t& value) { value = reader.uint(); }
    void truth(bool& value) {
        const auto at = reader.offset();
        reader.skip(0);
        const auto item = reader.since(at).data;
        if (item.size() != 1 || (item[0] != 0xf4 && item[0] != 0xf5)) return refuse();
        value = item[0] == 0xf5;
    }
    void text(std::string& value) {
        const auto bytes = reader.text().data;
        // It will be printed: no control characters, which terminals obey.
        for (const auto b : bytes)
            if (b < 0x20 || b == 0x7f) return refuse();
        value.assign(bytes.begin(), bytes.end());
    }
    void id(femto::uuid& value) {
        const auto bytes = reader.byte_string().data;
        if (bytes.size() != value.bytes.size()) return refuse();
        std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
    }
    void error(femto::error& value) {
        array(3);
        value.code = static_cast<femto::errc>(reader.integer());
        value.pc = static_cast<std::uint32_t>(reader.uint());
        value.address = reader.uint();
    }
    void state(femto::container_state& value) {
        const auto number = reader.uint();
        if (number > static_cast<std::uint64_t>(femto::container_state::disabled)) refuse();
        else value = static_cast<femto::container_state>(number);
    }
    template <class T, class F>
    void list(std::vector<T>& all, F each) {
        for (auto left = reader.array(); left > 0 && !reader.failed(); --left)
            each(all.emplace_back());
    }
    void refuse() { reader.refuse(femto::errc::update_malformed_cbor); }
    femto::error first;
    femto::update::cbor_reader reader;
};

void walk(auto& to, auto& report) {
    to.array(11);
    to.id(report.vendor);
    to.id(report.device_class);
    to.number(report.uptime);
    to.truth(report.updating);
    to.number(report.received);
    to.number(report.size);
    to.error(report.last_error);
    to.error(report.cause);
    to.text(report.note);
    to.array(2);
    to.number(report.accepted);
    to.number(report.refused);
    to.list(report.components, [&](auto& c) {
        to.array(18);
        to.id(c.hook);
        to.text(c.name);
        to.text(c.tenant);
        to.number(c.sequence);
        to.truth(c.installed);
        to.truth(c.on_trial);
        to.truth(c.reverted);
        to.number(c.image_size);
        to.state(c.state);
        to.number(c.runs);
        to.number(c.instructions);
        to.number(c.longest_run);
        to.number(c.stack);
        to.number(c.faults);
        to.number(c.missed);
        to.number(c.throttled);
        to.error(c.last_fault);
        to.error(c.trial_fault);
    });
}

}  // namespace

octets write_report(const device_report& report) {
    report_writer writer;
    writer.out.array(2).uint(version);
    walk(writer, report);
    return writer.out.bytes();
}

std::optional<device_report> read_report(const octets& data) {
    report_reader reader{data};
    device_report report;
    reader.array(2);
    std::uint64_t found = 0;
    reader.number(found);
    if (found != version) return std::nullopt;
    walk(reader, report);
    reader.reader.end();
    if (reader.reader.failed()) return std::nullopt;
    return report;
}

const char* word_of(femto::container_state state) {
    switch (state) {
    case femto::container_state::empty: return "nothing";
    case femto::container_state::verified: return "detached";
    case femto::container_state::attached:
    case femto::container_state::running: return "running";
    case femto::container_state::suspended: return "waiting";
    case femto::container_state::faulted: return "backing off";
    case femto::container_state::disabled: return "disabled";
    }
    return "?";
}

}  // namespace femto_tool
