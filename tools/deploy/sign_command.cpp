// SPDX-License-Identifier: Apache-2.0
// Signing by somebody else's program: see sign_by_command.
#include "crypto.hpp"
#include "files.hpp"
#include "key_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace femto_tool {
namespace {

/// What `sh -c command` writes when `input` is its standard input and its $1.
octets output_of(const std::string& command, const std::string& input) {
    int ends[2];
    if (pipe(ends) != 0) throw user_error{std::string{"no pipe: "} + std::strerror(errno)};
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        const int file = open(input.c_str(), O_RDONLY);
        dup2(file, STDIN_FILENO);
        execl("/bin/sh", "sh", "-c", command.c_str(), "sh", input.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    octets out;
    std::uint8_t buffer[256];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
        out.insert(out.end(), buffer, buffer + got);
    close(ends[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        throw user_error{"the signing command failed: " + command};
    return out;
}

/// r || s of an ECDSA-Sig-Value (RFC 3279): 30 length (02 length r) (02 length s).
bool from_der(const octets& der, signature& to) {
    if (der.size() < 8 || der[0] != 0x30 || der[1] != der.size() - 2) return false;
    std::size_t at = 2;
    for (std::size_t half = 0; half < 2; ++half) {
        if (der.size() - at < 2 || der[at] != 2 || der[at + 1] > der.size() - at - 2) return false;
        std::size_t length = der[at + 1];
        at += 2;
        for (; length > 0 && der[at] == 0; --length) ++at;
        if (length > 32) return false;
        std::copy_n(der.begin() + static_cast<std::ptrdiff_t>(at), length,
                    to.begin() + static_cast<std::ptrdiff_t>(32 * (half + 1) - length));
        at += length;
    }
    return at == der.size();
}

/// A file with the message, gone with this.
struct message_file {
    std::string path = (std::filesystem::temp_directory_path() / "femto-sign-XXXXXX").string();
    explicit message_file(femto::update::bytes message) {
        const int file = mkstemp(path.data());
        if (file < 0 || write(file, message.data(), message.size()) !=
                            static_cast<ssize_t>(message.size()))
            throw user_error{path + ": cannot be written"};
        close(file);
    }
    message_file(const message_file&) = delete;
    ~message_file() { unlink(path.c_str()); }
};

}  // namespace

signature sign_by_command(const std::string& command, const public_key& key,
                          femto::update::bytes message) {
    const message_file input{message};
    const auto answer = output_of(command, input.path);
    signature out{};
    if (answer.size() == out.size()) {
        std::copy(answer.begin(), answer.end(), out.begin());
    } else if (key.type != femto::update::key_type::p256 || !from_der(answer, out)) {
        throw user_error{"the signing command wrote " + std::to_string(answer.size()) +
                         " bytes that are no signature: " + command};
    }
    host_crypto crypto;
    if (!crypto.both.verify(key.type, key.key, message, out))
        throw user_error{"the signing command signed with another key than the public one given"};
    return out;
}

}  // namespace femto_tool
