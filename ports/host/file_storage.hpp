// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/slots.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace femto::port::host {

/// Slots in a file of a POSIX system; `sync` waits until the disk has it.
template <std::size_t Size, std::size_t Block = 256>
class file_storage {
public:
    static constexpr std::size_t erase_size = Block;
    static constexpr std::size_t program_size = 1;
    static constexpr bool volatile_floor = false;

    /// Opens the file, or makes one of `Size` bytes. `good` tells whether that worked.
    explicit file_storage(const char* path)
        : file_{::open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)} {
        struct stat now {};
        if (file_ < 0 || ::fstat(file_, &now) != 0) return;
        fresh_ = now.st_size == 0;
        good_ = fresh_ ? ::ftruncate(file_, Size) == 0 : now.st_size == Size;
    }
    file_storage(const file_storage&) = delete;
    file_storage& operator=(const file_storage&) = delete;
    ~file_storage() {
        if (file_ >= 0) ::close(file_);
    }
    [[nodiscard]] bool good() const { return good_; }
    /// The file was made just now: `component_slots::format` has never been called.
    [[nodiscard]] bool fresh() const { return fresh_; }

    bool read(std::size_t at, std::span<std::uint8_t> to) const {
        return inside(at, to.size()) &&
               ::pread(file_, to.data(), to.size(), static_cast<off_t>(at)) ==
                   static_cast<ssize_t>(to.size());
    }
    bool program(std::size_t at, update::bytes from) {
        return inside(at, from.size()) &&
               ::pwrite(file_, from.data(), from.size(), static_cast<off_t>(at)) ==
                   static_cast<ssize_t>(from.size());
    }
    bool erase(std::size_t at) {
        std::array<std::uint8_t, Block> blank;
        blank.fill(0xff);
        return program(at, blank);
    }
    bool sync() { return good_ && ::fdatasync(file_) == 0; }

private:
    [[nodiscard]] bool inside(std::size_t at, std::size_t size) const {
        return good_ && at <= Size && size <= Size - at;
    }
    int file_;
    bool good_ = false;
    bool fresh_ = false;
};

}  // namespace femto::port::host
