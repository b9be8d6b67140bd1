// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include "../container.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace femto_tool {
namespace {

void write_all(int file, const std::string& path, const void* data, std::size_t size) {
    const auto* from = static_cast<const char*>(data);
    while (size > 0) {
        const auto done = write(file, from, size);
        if (done <= 0) {
            close(file);
            throw user_error{path + ": cannot be written: " + std::strerror(errno)};
        }
        from += done;
        size -= static_cast<std::size_t>(done);
    }
    if (fsync(file) != 0 || close(file) != 0)
        throw user_error{path + ": cannot be written: " + std::strerror(errno)};
}

}  // namespace

octets read_octets(const std::string& path) {
    const auto content = read_file(path);
    octets out(content.size());
    std::memcpy(out.data(), content.data(), content.size());
    return out;
}

void write_new_file(const std::string& path, std::string_view content, mode_t mode) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) {
        throw user_error{path + (errno == EEXIST ? ": is there already, and is not replaced"
                                                 : ": cannot be made: " +
                                                       std::string{std::strerror(errno)})};
    }
    fchmod(file, mode);  // whatever the umask
    write_all(file, path, content.data(), content.size());
}

void write_file(const std::string& path, std::span<const std::uint8_t> content) {
    const std::string beside = path + ".new";
    const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) throw user_error{path + ": cannot be written: " + std::strerror(errno)};
    write_all(file, beside, content.data(), content.size());
    if (std::rename(beside.c_str(), path.c_str()) != 0)
        throw user_error{path + ": cannot be written: " + std::strerror(errno)};
}

std::string hex(std::span<const std::uint8_t> data) {
    std::string text;
    for (const auto byte : data) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

femto::update::sha256_digest digest_of(std::span<const std::uint8_t> data) {
    femto::update::sha256 hash;
    femto::update::sha256_digest out{};
    hash.update(data);
    hash.finish(out);
    return out;
}

}  // namespace femto_tool
