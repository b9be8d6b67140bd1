// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/slots.hpp>

#include <string_view>
#include <tuple>

namespace femto::update {

/// A part of the device that updates replace: `hook_component` is one. `prepare` has no effect on
/// what runs, `activate` is only called after the slot was committed.
template <class Component>
concept update_component = requires(Component& component, std::uint8_t slot, std::uint32_t size) {
    { component.id() } -> std::same_as<bytes>;
    component.slots().boot();
    { component.ready() } -> std::same_as<bool>;  ///< the slot that is not active may be written
    { component.prepare(slot, size) } -> std::same_as<result<void>>;
    { component.activate() } -> std::same_as<result<void>>;
    component.discard();  ///< forgets what was prepared; also if nothing was
    component.poll();
};

/// How far an update is.
enum class update_progress : std::uint8_t {
    receiving,  ///< more of the envelope is to come
    fetching,   ///< an image is to be fetched: `updater::wanted`
    switched,   ///< done: the new versions run, on trial
};

/// An image that is to be fetched from `uri`, from byte `at` on.
struct update_request {
    bytes uri{};
    std::uint32_t at = 0;
    std::uint32_t size = 0;  ///< of the whole image
};

/// A piece of an envelope or image, as it comes from a transport.
struct update_chunk {
    std::uint64_t at = 0;  ///< its offset
    bytes data{};
    bool more = false;     ///< it is not the last one
};

/// Whom the device believes, what it is, and from where it fetches. The caller's; must outlive the
/// updater.
struct update_policy {
    std::span<const trust_anchor> anchors{};
    device_identity identity{};
    std::span<const std::string_view> schemes{};  ///< URIs it fetches begin so: "coap://"
    std::uint32_t patience = 60;  ///< `poll`'s time for a whole envelope, and between chunks of images
};

/// Takes updates from a transport to the components: receives an envelope in chunks, checks it,
/// receives the images that it names, checks them and the programs in them, commits them and puts
/// them on their hooks. One update at a time; whoever begins another one meanwhile gets update_busy.
///
/// All images are received, matched with their digests and prepared before the first is committed:
/// until then any error, and any loss of power, leaves all that runs as it is. Components are
/// committed one after the other, so power lost in between leaves some old and some new; the same
/// envelope sent again does the rest.
///
/// Transports give chunks in order. One that does not follow the last gets update_fetch_failed with
/// stage `envelope` or `fetch`; nothing is lost, and `received()` or `wanted()->at` is where to go
/// on, at once or after the connection was interrupted. Every other error ends the update; `cause()`
/// then says what the component found, if the program was refused.
///
/// State: the envelope and about 150 bytes, 90 for each further component. Call from one thread, the
/// one that also polls the engine.
template <limits Limits, crypto Crypto, update_component... Components>
class updater {
    static_assert(sizeof...(Components) > 0, "femto: an updater needs a component");

public:
    static constexpr std::size_t max_envelope = Limits.envelope;  ///< bytes

    updater(Crypto& backend, const update_policy& policy, Components&... components)
        : crypto_{backend}, policy_{policy}, components_{components...} {}
    updater(const updater&) = delete;
    updater& operator=(const updater&) = delete;

    /// The next bytes of an envelope; one at offset 0 begins it, and begins it again for the same
    /// sender, which is any number by which the transport tells its peers apart. With the last chunk
    /// everything is checked that needs no image, images in the envelope are installed, and, if
    /// there are no others, all is switched.
    result<update_progress> envelope_chunk(std::uint32_t sender, const update_chunk& chunk) {
        if (state_ == state::fetching || (state_ == state::receiving && sender != sender_))
            return stop_at(errc::update_busy, stage::envelope);
        if (chunk.at == 0) {
            if (state_ == state::idle) touched_ = now_;
            state_ = state::receiving;
            sender_ = sender;
            received_ = 0;
        }
        if (state_ == state::idle || chunk.at != received_)
            return stop_at(errc::update_fetch_failed, stage::envelope, chunk.at);
        if (chunk.data.size() > Limits.envelope - received_)
            return end(errc::update_too_large, stage::envelope, received_ + chunk.data.size());
        std::ranges::copy(chunk.data, envelope_.begin() + static_cast<std::ptrdiff_t>(received_));
        received_ += chunk.data.size();
        if (chunk.more) return update_progress::receiving;

        const auto plan = prepare_update<Limits>(crypto_, policy_.anchors, policy_.identity, *this,
                                                 bytes{envelope_}.first(received_));
        if (!plan.has_value()) return end(plan.error());
        plan_ = *plan;
        next_ = 0;
        state_ = state::fetching;
        for (std::size_t n = 0; n < plan_.count; ++n) {
            if (!to_fetch(n)) continue;
            const auto begun = with(plan_.components[n].component, [&](auto& c) {
                return c.ready() ? c.slots().begin(plan_.components[n].size)
                                 : result<void>{fail(errc::update_busy,
                                                     static_cast<std::uint32_t>(stage::fetch))};
            });
            if (!begun.has_value()) return end(begun.error());
        }
        return advance();
    }
    /// Bytes of the envelope received so far.
    [[nodiscard]] std::size_t received() const {
        return state_ == state::receiving ? received_ : 0;
    }

    /// The image that is to be fetched next, until the update is done.
    [[nodiscard]] std::optional<update_request> wanted() {
        if (state_ != state::fetching) return std::nullopt;
        const auto& plan = plan_.components[next_];
        return update_request{plan.uri,
                              with(plan.component, [](auto& c) { return c.slots().received(); }),
                              plan.size};
    }
    /// The next bytes of the image that `wanted` names.
    result<update_progress> image_chunk(const update_chunk& chunk) {
        if (state_ != state::fetching)
            return stop_at(errc::update_fetch_failed, stage::fetch, chunk.at);
        const auto& plan = plan_.components[next_];
        touched_ = now_;
        const auto written = with(plan.component, [&](auto& c) {
            return c.slots().write_chunk(chunk.at, chunk.data);
        });
        if (!written.has_value()) {
            const bool again = written.error().code == errc::update_fetch_failed &&
                               with(plan.component, [](auto& c) { return c.slots().is_open(); });
            return again ? failure{written.error()} : end(written.error());
        }
        const bool complete = chunk.at + chunk.data.size() == plan.size;
        if (complete == chunk.more)
            return end(errc::update_size_mismatch, stage::fetch, chunk.at + chunk.data.size());
        if (!complete) return update_progress::fetching;
        const auto ready = finish(plan);
        if (!ready.has_value()) return end(ready.error());
        ++next_;
        return advance();
    }
    /// Fetches the image from its beginning: what is at the URI was changed meanwhile.
    result<void> restart_image() {
        if (state_ != state::fetching) return fail(errc::update_fetch_failed);
        const auto& plan = plan_.components[next_];
        const auto begun = with(plan.component, [&](auto& c) {
            c.slots().abort();
            return c.slots().begin(plan.size);
        });
        if (!begun.has_value()) static_cast<void>(end(begun.error()));
        return begun;
    }

    /// Drops the update that is going on: it cannot be fetched, or nobody wants it any more.
    void abort(errc why = errc::update_fetch_failed) { static_cast<void>(end(why, stage::fetch)); }
    [[nodiscard]] bool idle() const { return state_ == state::idle; }
    /// Why the last update ended that did not succeed; ok after one that did.
    [[nodiscard]] const error& last_error() const { return last_error_; }
    /// With update_program_rejected: what parsing, verifying or the hook's contract found.
    [[nodiscard]] const error& cause() const { return cause_; }

    /// To be called now and then, with a time that never goes backwards (and may wrap around): drops
    /// an update whose sender was too slow, and lets each component `poll`.
    void poll(std::uint32_t now) {
        now_ = now;
        if (!idle() && now_ - touched_ > policy_.patience) abort();
        std::apply([](auto&... c) { (c.poll(), ...); }, components_);
    }

    /// The device as `prepare_update` sees it.
    [[nodiscard]] std::optional<std::size_t> find(bytes id) const {
        std::size_t at = 0;
        const bool found = std::apply(
            [&](auto&... c) { return ((same(c.id(), id) || (++at, false)) || ...); }, components_);
        return found ? std::optional{at} : std::nullopt;
    }
    [[nodiscard]] std::uint64_t capacity(std::size_t component) {
        return with(component, [](auto& c) -> std::uint64_t { return c.slots().capacity; });
    }
    [[nodiscard]] result<update_floor> floor(std::size_t component) {
        return with(component, [](auto& c) { return c.slots().floor(); });
    }
    [[nodiscard]] bool fetches(bytes uri) const {
        return std::ranges::any_of(policy_.schemes, [&](std::string_view scheme) {
            return uri.size() > scheme.size() &&
                   std::ranges::equal(scheme, uri.first(scheme.size()), {}, [](char c) {
                       return static_cast<std::uint8_t>(c);
                   });
        });
    }

private:
    enum class state : std::uint8_t { idle, receiving, fetching };

    /// Calls `f` with component `n`.
    template <std::size_t At = 0, class F>
    decltype(auto) with(std::size_t n, F&& f) {
        if constexpr (At + 1 == sizeof...(Components)) return f(std::get<At>(components_));
        else return n == At ? f(std::get<At>(components_)) : with<At + 1>(n, f);
    }
    [[nodiscard]] bool to_fetch(std::size_t n) const {
        return plan_.components[n].fetch && !plan_.components[n].current;
    }

    static failure stop_at(errc code, stage where, std::uint64_t at = 0) {
        return fail(code, static_cast<std::uint32_t>(where), at);
    }
    failure end(errc code, stage where, std::uint64_t at = 0) {
        return end({code, static_cast<std::uint32_t>(where), at});
    }
    /// Ends the update without success: nothing of it is left.
    failure end(const error& why) {
        if (state_ == state::fetching)
            for (std::size_t n = 0; n < plan_.count; ++n)
                if (to_fetch(n))
                    with(plan_.components[n].component, [](auto& c) {
                        c.slots().abort();
                        c.discard();
                    });
        if (state_ != state::idle) last_error_ = why;
        state_ = state::idle;
        return failure{why};
    }

    /// Image-match, then the component looks at the program.
    result<void> finish(const component_plan& plan) {
        return with(plan.component, [&](auto& c) -> result<void> {
            sha256_digest expected{};
            std::copy_n(plan.image_digest, expected.size(), expected.begin());
            const auto slot = c.slots().finish(expected);
            if (!slot.has_value()) return failure{slot.error()};
            const auto fits = c.prepare(*slot, plan.size);
            if (fits.has_value()) return {};
            cause_ = fits.error();
            return fail(errc::update_program_rejected, static_cast<std::uint32_t>(stage::program));
        });
    }

    /// Goes on with images that came with the envelope, up to one that is to be fetched, or the end.
    result<update_progress> advance() {
        for (; next_ < plan_.count; ++next_) {
            const auto& plan = plan_.components[next_];
            if (!to_fetch(next_)) continue;
            touched_ = now_;
            if (!plan.integrated) return update_progress::fetching;
            const auto written = with(plan.component, [&](auto& c) {
                return c.slots().write_chunk(0, plan.payload);
            });
            if (!written.has_value()) return end(written.error());
            const auto ready = finish(plan);
            if (!ready.has_value()) return end(ready.error());
        }
        return conclude();
    }

    /// Commits and switches each component. After the first commit an error does not stop the rest:
    /// what is durable must run.
    result<update_progress> conclude() {
        error first;
        for (std::size_t n = 0; n < plan_.count; ++n) {
            const auto& plan = plan_.components[n];
            if (plan.current) continue;
            const auto done = with(plan.component, [&](auto& c) {
                if (!plan.fetch)
                    return c.slots().retain(plan_.sequence_number, plan_.manifest_digest,
                                            {plan.image_digest, sha256_digest{}.size()});
                const auto committed =
                    c.slots().commit(plan_.sequence_number, plan_.manifest_digest);
                if (committed.has_value()) return c.activate();
                c.discard();
                return committed;
            });
            if (!done.has_value() && first.code == errc::ok) first = done.error();
        }
        state_ = state::idle;
        last_error_ = first;
        if (first.code != errc::ok) return failure{first};
        return update_progress::switched;
    }

    Crypto& crypto_;
    const update_policy& policy_;
    std::tuple<Components&...> components_;
    update_plan<Limits.components> plan_{};
    std::array<std::uint8_t, Limits.envelope> envelope_{};
    std::size_t received_ = 0;  ///< bytes of the envelope
    std::size_t next_ = 0;      ///< component whose image is to come
    std::uint32_t sender_ = 0;
    std::uint32_t touched_ = 0;  ///< when the envelope began, or the last chunk of an image came
    std::uint32_t now_ = 0;
    error last_error_{};
    error cause_{};
    state state_ = state::idle;
};

}  // namespace femto::update
