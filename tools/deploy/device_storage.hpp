// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../ports/host/file_storage.hpp"
#include "../container.hpp"

#include <femto/update/ram_storage.hpp>

#include <memory>
#include <string>

namespace femto_tool {

/// Slots in a file, or in memory if `path` is empty: then the device forgets them with its process.
template <std::size_t Size>
class device_storage {
public:
    static constexpr std::size_t erase_size = 256;
    static constexpr std::size_t program_size = 1;
    static constexpr bool volatile_floor = false;  // as far as it was asked for

    explicit device_storage(const std::string& path) {
        if (path.empty()) {
            memory_ = std::make_unique<femto::update::ram_storage<Size>>();
            return;
        }
        file_ = std::make_unique<femto::port::host::file_storage<Size>>(path.c_str());
        if (!file_->good()) throw user_error{path + ": cannot be opened, or holds no slots"};
    }
    /// No record was ever written.
    [[nodiscard]] bool fresh() const { return memory_ != nullptr || file_->fresh(); }

    bool read(std::size_t at, std::span<std::uint8_t> to) const {
        return memory_ ? memory_->read(at, to) : file_->read(at, to);
    }
    bool program(std::size_t at, femto::update::bytes from) {
        return memory_ ? memory_->program(at, from) : file_->program(at, from);
    }
    bool erase(std::size_t at) { return memory_ ? memory_->erase(at) : file_->erase(at); }
    bool sync() { return memory_ ? memory_->sync() : file_->sync(); }

private:
    std::unique_ptr<femto::update::ram_storage<Size>> memory_;
    std::unique_ptr<femto::port::host::file_storage<Size>> file_;
};

}  // namespace femto_tool
