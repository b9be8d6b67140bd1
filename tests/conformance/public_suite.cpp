// SPDX-License-Identifier: Apache-2.0
// Runs a checkout of the public conformance suite (Alan-Jowett/bpf_conformance) against the plugin:
//   femto_public_suite FEMTO FOLDER
// with every `.data` file of FOLDER in each dispatcher and address space. A file has sections that
// begin with `-- name`: `asm` or `raw`, perhaps `mem`, and `result` or `error`.
#include <femto/assembler.hpp>
#include <femto/describe.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using sections = std::map<std::string, std::string>;

sections read(const std::filesystem::path& path) {
    sections found;
    std::ifstream file{path};
    std::string line, name;
    while (std::getline(file, line)) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.starts_with("-- ")) {
            name = line.substr(3);
            found[name] = "";
        } else if (!name.empty()) {
            found[name] += line + "\n";
        }
    }
    return found;
}

std::string hexadecimal(const femto::instruction& i) {
    char text[24];
    std::snprintf(text, sizeof text, "%02x%02x", i.opcode(), i.dst() | i.src() << 4);
    std::string all = text;
    for (int n = 0; n < 2; ++n) {
        std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(i.offset()) >> (8 * n) & 255);
        all += text;
    }
    for (int n = 0; n < 4; ++n) {
        std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(i.imm()) >> (8 * n) & 255);
        all += text;
    }
    return all;
}

/// The program as hexadecimal bytes.
std::string program_of(const sections& s) {
    if (const auto raw = s.find("raw"); raw != s.end()) {
        std::string all;
        std::istringstream words{raw->second};
        for (std::string w; words >> w;) {
            if (!w.starts_with("0x")) {
                all += w;
                continue;
            }
            auto value = std::stoull(w, nullptr, 16);  // a slot as a number
            for (int n = 0; n < 8; ++n, value >>= 8) {
                char two[3];
                std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(value & 255));
                all += two;
            }
        }
        return all;
    }
    const auto source = s.find("asm");
    if (source == s.end()) throw std::runtime_error{"neither asm nor raw"};
    std::vector<femto::instruction> text(4096);
    const auto size = femto::assemble(source->second, text);
    if (!size) {
        throw std::runtime_error{std::string{femto::describe(size.error().code).what} +
                                 " in line " + std::to_string(size.error().pc) + " of asm"};
    }
    std::string all;
    for (std::size_t n = 0; n < *size; ++n) all += hexadecimal(text[n]);
    return all;
}

std::string memory_of(const sections& s) {
    const auto m = s.find("mem");
    if (m == s.end()) return {};
    std::string all = m->second;
    std::replace(all.begin(), all.end(), '\n', ' ');
    return all;
}

/// What a command prints, and its exit status.
std::pair<std::string, int> run(const std::string& command) {
    std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error{"cannot run " + command};
    std::string output;
    char part[256];
    while (std::fgets(part, sizeof part, pipe) != nullptr) output += part;
    const int status = pclose(pipe);
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return {output, status};
}

/// Empty, or why the file does not pass.
std::string check(const sections& s, const std::string& plugin) {
    const auto [output, status] =
        run(plugin + " --program '" + program_of(s) + "' '" + memory_of(s) + "'");
    if (const auto result = s.find("result"); result != s.end()) {
        const auto expected = std::stoull(result->second, nullptr, 16);
        if (status != 0) return output;
        const auto value = std::stoull(output, nullptr, 16);
        return value == expected ? "" : "0x" + output + " instead of " + result->second;
    }
    if (s.count("error") == 0) return "neither result nor error";
    return status != 0 ? "" : output + " instead of an error";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 || !std::filesystem::is_directory(argv[2])) {
        std::fprintf(stderr, "usage: femto_public_suite FEMTO FOLDER_WITH_DATA_FILES\n");
        return 2;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{argv[2]}) {
        if (entry.path().extension() == ".data") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) {
        std::fprintf(stderr, "%s has no .data files: name the folder `tests` of the suite\n", argv[2]);
        return 2;
    }
    bool good = true;
    for (const std::string dispatch : {"compact", "threaded", "prepared"}) {
        for (const std::string space : {"segmented", "flat"}) {
            const std::string plugin = std::string{"'"} + argv[1] +
                                       "' conformance-plugin --dispatch " + dispatch +
                                       " --address-space " + space;
            std::size_t passed = 0;
            for (const auto& path : files) {
                std::string why;
                try {
                    why = check(read(path), plugin);
                } catch (const std::exception& e) {
                    why = e.what();
                }
                if (why.empty()) {
                    ++passed;
                } else {
                    std::printf("FAILED: %s: %s\n", path.filename().c_str(), why.c_str());
                }
            }
            std::printf("%s, %s: %zu of %zu files pass\n", dispatch.c_str(), space.c_str(), passed,
                        files.size());
            std::fflush(stdout);
            good = good && passed == files.size();
        }
    }
    return good ? 0 : 1;
}
