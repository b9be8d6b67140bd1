// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include "../container.hpp"
#include "files.hpp"

#include <fstream>
#include <map>

namespace femto_tool {
namespace {

std::string trimmed(std::string line) {
    line = line.substr(0, line.find('#'));
    const auto first = line.find_first_not_of(" \t\r");
    if (first == line.npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::size_t share(const std::string& text, std::size_t whole, bool up, const char* option) {
    const bool percent = text.ends_with('%');
    const auto digits = percent ? text.substr(0, text.size() - 1) : text;
    if (digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != digits.npos ||
        (percent && std::stoul(digits) > 100)) {
        throw user_error{std::string{option} + " " + text + ": write a number, or 0% to 100%"};
    }
    const std::size_t number = std::stoul(digits);
    return std::min(whole, percent ? (whole * number + (up ? 99 : 0)) / 100 : number);
}

std::vector<fleet_device> read_fleet(const std::string& path) {
    std::ifstream file{path};
    if (!file) throw user_error{path + ": cannot be read; does the file exist?"};
    std::vector<fleet_device> devices;
    std::map<std::string, std::size_t> seen;
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        auto uri = trimmed(line);
        if (uri.empty()) continue;
        const auto where = path + ":" + std::to_string(number) + ": ";
        if (!uri.starts_with("coap://")) throw user_error{where + "write coap://HOST[:PORT]"};
        const auto [before, fresh] = seen.emplace(uri, number);
        if (!fresh)
            throw user_error{where + uri + " is in line " + std::to_string(before->second) +
                             " already"};
        devices.push_back({std::move(uri)});
    }
    if (devices.empty()) throw user_error{path + ": no device in it"};
    return devices;
}

rollout_state::rollout_state(const std::string& path, const octets& envelope,
                             std::vector<fleet_device>& devices) {
    const auto head = "femto rollout of " + hex(digest_of(envelope));
    std::ifstream before{path};
    std::string line;
    bool fresh = true;
    if (before && std::getline(before, line)) {
        fresh = false;
        if (line != head)
            throw user_error{path + ": is the state of another envelope's rollout\n"
                                    "  give this one another file with --state"};
        std::map<std::string, fleet_device*> by_uri;
        for (auto& d : devices) by_uri[d.uri] = &d;
        while (std::getline(before, line)) {
            const auto first = line.find('\t'), second = line.find('\t', first + 1);
            if (second == line.npos) continue;  // cut short when it was killed
            const auto found = by_uri.find(line.substr(first + 1, second - first - 1));
            if (found == by_uri.end()) continue;
            for (const auto o : {outcome::confirmed, outcome::on_trial, outcome::current})
                if (line.substr(0, first) == word_of(o))
                    found->second->result = {o, line.substr(second + 1)};
        }
    }
    file_ = std::fopen(path.c_str(), "a");
    if (file_ == nullptr) throw user_error{path + ": cannot be written"};
    if (fresh) std::fprintf(file_, "%s\n", head.c_str());
    else std::fprintf(file_, "\n");  // ends a line that was cut short
    std::fflush(file_);
}

rollout_state::~rollout_state() { std::fclose(file_); }

void rollout_state::add(const fleet_device& device) {
    std::string words = device.result->words;
    for (auto& c : words)
        if (c == '\n' || c == '\t') c = ' ';
    std::fprintf(file_, "%s\t%s\t%s\n", word_of(device.result->how), device.uri.c_str(),
                 words.c_str());
    std::fflush(file_);
}

}  // namespace femto_tool
