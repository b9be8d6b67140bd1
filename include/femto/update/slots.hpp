// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/processor.hpp>

namespace femto::update {

/// Memory that keeps its content: bytes that are erased in blocks to 0xff and then programmed,
/// each unit once. Each function returns false if it failed; a failed or interrupted one leaves
/// anything in what it was to write, and nothing elsewhere. Bytes whose writing was interrupted
/// can be read, as anything: an error of reading is a failure of the device and stops updates.
template <class Storage>
concept slot_storage = requires(Storage& storage, std::size_t at, std::span<std::uint8_t> to,
                                bytes from) {
    { Storage::erase_size } -> std::convertible_to<std::size_t>;    ///< bytes of a block
    { Storage::program_size } -> std::convertible_to<std::size_t>;  ///< bytes of a unit, up to 32
    { Storage::volatile_floor } -> std::convertible_to<bool>;  ///< forgets when power is lost
    { storage.read(at, to) } -> std::same_as<bool>;
    { storage.program(at, from) } -> std::same_as<bool>;  ///< whole units
    { storage.erase(at) } -> std::same_as<bool>;          ///< the block that begins at `at`
    { storage.sync() } -> std::same_as<bool>;  ///< what was written before survives a loss of power
};

/// Storage whose bytes can be used where they lie, aligned to 8: containers run in place.
template <class Storage>
concept mapped_storage = slot_storage<Storage> && requires(Storage& storage, std::size_t at) {
    { storage.map(at, at) } -> std::same_as<bytes>;  ///< offset and size
};

/// What a component's record says, apart from its images.
struct slot_record {
    static constexpr std::uint8_t none = 0xff;
    struct image {
        sha256_digest digest{};
        std::uint32_t size = 0;
    };
    std::uint32_t generation = 0;       ///< counts the records ever written
    std::uint64_t sequence_number = 0;  ///< the floor
    sha256_digest manifest_digest{};
    image images[2]{};         ///< in slot 0 and slot 1
    std::uint8_t active = none;  ///< slot that runs
    bool installed = false;    ///< anything ever was
    bool confirmed = true;     ///< false: on trial; `revert` goes back
    bool reverted = false;     ///< what runs is older than the manifest that the floor names
};

/// Two slots and a record for one component, safe against loss of power at any byte written.
///
/// Staging writes only the slot that is not active. Then one record is appended to a log in two
/// blocks of their own, of which one always holds the newest valid record: a cut before its last
/// byte leaves the old version and the old floor, a cut after it the new ones. The floor is not in
/// the slots, so nothing done to an image lowers it. No valid record is an error, never "nothing
/// installed": `format` writes the first one when the device is made.
///
/// The storage holds, from offset 0: two record blocks, slot 0, slot 1: `storage_size` bytes.
/// About 140 bytes of state. Not shared between threads; not for interrupts.
/// Errors: update_storage, and those each function names.
template <slot_storage Storage, streaming_hash Hash, std::size_t Capacity>
class component_slots {
    static constexpr std::size_t block = Storage::erase_size;
    static constexpr std::size_t unit = Storage::program_size;
    static constexpr std::size_t slot_size = (Capacity + block - 1) / block * block;
    static constexpr std::size_t record_size = 128;
    static constexpr std::size_t records = block / record_size;
    static_assert(records > 0 && record_size % unit == 0 && block % unit == 0 && unit <= 32);

public:
    static constexpr std::size_t capacity = Capacity;
    static constexpr std::size_t storage_size = 2 * block + 2 * slot_size;
    static constexpr bool volatile_floor = Storage::volatile_floor;
    static constexpr bool mapped = mapped_storage<Storage>;

    explicit component_slots(Storage& storage) : storage_{storage} {}

    /// Writes the first record: nothing installed, floor 0. For the factory: forgets the floor.
    [[nodiscard]] result<void> format() {
        if (!storage_.erase(0) || !storage_.erase(block)) return storage_error(stage::commit);
        return write(0, slot_record{.generation = 1});
    }

    /// The newest valid record.
    [[nodiscard]] result<slot_record> load() {
        const auto found = find();
        if (!found.has_value()) return failure{found.error()};
        return found->record;
    }

    /// The floor, and whether what the record names runs: for `update_device::floor`.
    [[nodiscard]] result<update_floor> floor() {
        const auto record = load();
        if (!record.has_value()) return failure{record.error()};
        const auto running = boot();
        if (!running.has_value()) return failure{running.error()};
        return update_floor{record->sequence_number, record->manifest_digest, record->installed,
                            running->active != slot_record::none && !record->reverted};
    }

    /// The record, its `active` slot `none` unless the image there is the one that the record
    /// names: only that may run. Reads and hashes the image.
    [[nodiscard]] result<slot_record> boot() {
        auto record = load();
        if (!record.has_value() || record->active == slot_record::none) return record;
        const auto& image = record->images[record->active];
        const auto right = matches(record->active, image.size, image.digest);
        if (!right.has_value()) return failure{right.error()};
        if (!*right) record->active = slot_record::none;
        return record;
    }

    /// Reads from the image in a slot.
    [[nodiscard]] bool read(std::uint8_t slot, std::size_t at, std::span<std::uint8_t> to) {
        return at <= Capacity && to.size() <= Capacity - at &&
               storage_.read(slot_at(slot) + at, to);
    }

    /// The image in a slot where it lies.
    [[nodiscard]] bytes map(std::uint8_t slot, std::size_t size)
        requires mapped_storage<Storage>
    {
        return size <= Capacity ? storage_.map(slot_at(slot), size) : bytes{};
    }

    /// Opens the slot that is not active for an image of this size. Errors: update_busy if it is
    /// open already, update_image_too_large.
    [[nodiscard]] result<void> begin(std::uint64_t size) {
        if (open_) return error_at(errc::update_busy, stage::fetch);
        if (size == 0 || size > Capacity)
            return error_at(errc::update_image_too_large, stage::fetch, size);
        const auto record = load();
        if (!record.has_value()) return failure{record.error()};
        staging_ = record->active == 0 ? 1 : 0;
        for (std::size_t at = 0; at < slot_size; at += block)
            if (!storage_.erase(slot_at(staging_) + at)) return storage_error(stage::fetch);
        size_ = static_cast<std::uint32_t>(size);
        received_ = 0;
        open_ = true;
        return {};
    }

    /// The next bytes of the image. Errors: update_fetch_failed if nothing is open or `at` is not
    /// `received()` (a lost, repeated or reordered block: nothing is written, fetching can go on
    /// from there), update_size_mismatch if they are more than announced.
    [[nodiscard]] result<void> write_chunk(std::uint64_t at, bytes data) {
        if (!open_ || at != received_) return error_at(errc::update_fetch_failed, stage::fetch, at);
        if (data.size() > size_ - received_)
            return error_at(errc::update_size_mismatch, stage::fetch, at);
        for (const auto byte : data) {
            pending_[received_++ % unit] = byte;
            if (received_ % unit == 0 && !flush(received_ - unit)) {
                open_ = false;
                return storage_error(stage::fetch);
            }
        }
        return {};
    }
    /// Bytes staged so far: where an interrupted fetch goes on.
    [[nodiscard]] std::uint32_t received() const { return received_; }
    [[nodiscard]] bool is_open() const { return open_; }

    /// Closes the image and reads it back. Errors: update_fetch_failed, update_size_mismatch (it
    /// stays open), update_digest_mismatch. After an error of another kind nothing is staged.
    /// Returns the slot that holds the image, for the device to look at the program in it.
    [[nodiscard]] result<std::uint8_t> finish(const sha256_digest& expected) {
        if (!open_) return error_at(errc::update_fetch_failed, stage::image);
        if (received_ != size_) return error_at(errc::update_size_mismatch, stage::image, received_);
        open_ = false;
        if (const auto rest = received_ % unit; rest != 0) {
            std::fill(pending_.begin() + static_cast<std::ptrdiff_t>(rest), pending_.end(),
                      std::uint8_t{0xff});
            if (!flush(received_ - rest)) return storage_error(stage::image);
        }
        const auto right = matches(staging_, size_, expected);
        if (!right.has_value()) return failure{right.error()};
        if (!*right) return error_at(errc::update_digest_mismatch, stage::image);
        staged_ = true;
        staged_digest_ = expected;
        return staging_;
    }

    /// Makes the staged image the active one, on trial until `confirm`. Durable when it returns.
    /// Compares the floor again, as another update may have been committed meanwhile. Errors:
    /// update_fetch_failed if nothing is staged, update_rollback, update_sequence_conflict.
    [[nodiscard]] result<void> commit(std::uint64_t sequence_number,
                                      const sha256_digest& manifest_digest) {
        if (!staged_) return error_at(errc::update_fetch_failed, stage::commit);
        staged_ = false;
        return advance(sequence_number, manifest_digest, [this](slot_record& record) {
            record.images[staging_] = {staged_digest_, size_};
            record.active = staging_;
            record.confirmed = false;
        });
    }

    /// For a manifest that brings no image: raises the floor if the active image is the one that it
    /// names. Errors: update_digest_mismatch, and those of `commit`.
    [[nodiscard]] result<void> retain(std::uint64_t sequence_number,
                                      const sha256_digest& manifest_digest, bytes image_digest) {
        const auto record = boot();
        if (!record.has_value()) return failure{record.error()};
        if (record->active == slot_record::none ||
            !same(record->images[record->active].digest, image_digest))
            return error_at(errc::update_digest_mismatch, stage::image);
        return advance(sequence_number, manifest_digest, [](slot_record&) {});
    }

    /// Drops what is staged or being fetched.
    void abort() { open_ = staged_ = false; }

    /// Ends the trial: the active image stays.
    [[nodiscard]] result<void> confirm() {
        auto found = find();
        if (!found.has_value()) return failure{found.error()};
        if (found->record.confirmed) return {};
        found->record.confirmed = true;
        return append(*found);
    }

    /// Ends a trial that went wrong: the previous image becomes active if there is one and it is
    /// still whole, otherwise the active one stays. The floor stays. Returns whether it went back;
    /// false for a confirmed image.
    [[nodiscard]] result<bool> revert() {
        auto found = find();
        if (!found.has_value()) return failure{found.error()};
        auto& record = found->record;
        if (record.confirmed || record.active == slot_record::none) return false;
        abort();
        const auto other = static_cast<std::uint8_t>(1 - record.active);
        const auto whole = matches(other, record.images[other].size, record.images[other].digest);
        if (!whole.has_value()) return failure{whole.error()};
        if (*whole) {
            record.images[record.active] = {};
            record.active = other;
            record.reverted = true;
        }
        record.confirmed = true;
        const auto done = append(*found);
        if (!done.has_value()) return failure{done.error()};
        return *whole;
    }

private:
    struct place {
        slot_record record{};
        std::size_t at = 0;
    };
    using encoded = std::array<std::uint8_t, record_size>;

    static failure error_at(errc code, stage where, std::uint64_t at = 0) {
        return fail(code, static_cast<std::uint32_t>(where), at);
    }
    static failure storage_error(stage where) { return error_at(errc::update_storage, where); }
    static constexpr std::size_t slot_at(std::uint8_t slot) { return 2 * block + slot * slot_size; }
    bool flush(std::size_t at) {
        return storage_.program(slot_at(staging_) + at, {pending_.data(), unit});
    }

    result<bool> matches(std::uint8_t slot, std::uint32_t size, const sha256_digest& expected) {
        Hash hash;
        std::array<std::uint8_t, 32> piece;
        if (size > Capacity) return false;
        for (std::size_t at = 0; at < size; at += piece.size()) {
            const auto length = std::min<std::size_t>(piece.size(), size - at);
            if (!storage_.read(slot_at(slot) + at, {piece.data(), length}))
                return storage_error(stage::image);
            if (!hash.update({piece.data(), length}))
                return error_at(errc::update_crypto, stage::image);
        }
        sha256_digest actual{};
        if (!hash.finish(actual)) return error_at(errc::update_crypto, stage::image);
        return actual == expected;
    }

    /// CRC-32 (IEEE 802.3): tells a torn record from a whole one; it is no protection against
    /// somebody who can write the storage.
    static std::uint32_t checksum(bytes data) {
        std::uint32_t crc = ~std::uint32_t{0};
        for (const auto byte : data) {
            crc ^= byte;
            for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
        return ~crc;
    }

    /// Little-endian: "FSR1", generation, sequence number, manifest digest, twice image digest
    /// and size, active, installed, confirmed, reverted, checksum: 128 bytes.
    template <class Byte, class Number>
    static void each(Byte&& byte, Number&& number, slot_record& record) {
        std::uint32_t magic = 0x31525346;
        number(magic);
        number(record.generation);
        number(record.sequence_number);
        for (auto& b : record.manifest_digest) byte(b);
        for (auto& image : record.images) {
            for (auto& b : image.digest) byte(b);
            number(image.size);
        }
        byte(record.active);
    }
    static encoded encode(slot_record record) {
        encoded out{};
        std::size_t at = 0;
        const auto number = [&](auto value) {
            for (std::size_t n = 0; n < sizeof value; ++n)
                out[at++] = static_cast<std::uint8_t>(value >> (8 * n));
        };
        each([&](std::uint8_t b) { out[at++] = b; }, number, record);
        out[at++] = record.installed;
        out[at++] = record.confirmed;
        out[at++] = record.reverted;
        at = record_size - 4;
        number(checksum({out.data(), at}));
        return out;
    }
    static bool decode(encoded in, slot_record& record) {
        std::size_t at = 0;
        const auto number = [&](auto& value) {
            value = 0;
            for (std::size_t n = 0; n < sizeof value; ++n)
                value |= static_cast<std::remove_reference_t<decltype(value)>>(in[at++]) << (8 * n);
        };
        each([&](std::uint8_t& b) { b = in[at++]; }, number, record);
        record.installed = in[at++] != 0;
        record.confirmed = in[at++] != 0;
        record.reverted = in[at++] != 0;
        // The encoding is unique, so what encodes to the same bytes is whole: magic and checksum.
        return encode(record) == in && (record.active < 2 || record.active == slot_record::none);
    }

    result<place> find() {
        place newest;
        encoded raw;
        for (std::size_t n = 0; n < 2 * records; ++n) {
            const auto at = n / records * block + n % records * record_size;
            slot_record record;
            if (!storage_.read(at, raw)) return storage_error(stage::commit);
            if (decode(raw, record) && record.generation > newest.record.generation)
                newest = {record, at};
        }
        if (newest.record.generation == 0) return storage_error(stage::commit);
        return newest;
    }

    /// Writes a record with a higher floor, or the same once more.
    template <class Change>
    result<void> advance(std::uint64_t sequence_number, const sha256_digest& manifest_digest,
                         Change change) {
        auto found = find();
        if (!found.has_value()) return failure{found.error()};
        auto& record = found->record;
        const auto verdict = compare_floor({record.sequence_number, record.manifest_digest,
                                            record.installed, false},
                                           sequence_number, manifest_digest);
        if (verdict != errc::ok) return error_at(verdict, stage::commit);
        record.sequence_number = sequence_number;
        record.manifest_digest = manifest_digest;
        record.installed = true;
        record.reverted = false;
        change(record);
        return append(*found);
    }

    /// Writes a record after the newest one: into the first blank place behind it in its block,
    /// or into the other block, which holds only older records and is erased first.
    result<void> append(const place& newest) {
        auto record = newest.record;
        ++record.generation;
        const auto home = newest.at / block * block;
        for (auto at = newest.at + record_size; at + record_size <= home + records * record_size;
             at += record_size) {
            encoded raw;
            if (!storage_.read(at, raw)) return storage_error(stage::commit);
            if (std::ranges::all_of(raw, [](auto b) { return b == 0xff; })) return write(at, record);
        }
        const auto other = block - home;
        if (!storage_.erase(other)) return storage_error(stage::commit);
        return write(other, record);
    }
    result<void> write(std::size_t at, const slot_record& record) {
        const auto raw = encode(record);
        encoded back;
        // The image before the record, the record before anybody relies on it.
        if (!storage_.sync() || !storage_.program(at, raw) || !storage_.sync() ||
            !storage_.read(at, back) || back != raw)
            return storage_error(stage::commit);
        return {};
    }

    Storage& storage_;
    std::array<std::uint8_t, unit> pending_{};
    sha256_digest staged_digest_{};
    std::uint32_t size_ = 0;
    std::uint32_t received_ = 0;
    std::uint8_t staging_ = 0;
    bool open_ = false;
    bool staged_ = false;
};

}  // namespace femto::update
