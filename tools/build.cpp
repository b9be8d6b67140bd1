// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "container.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fcntl.h>

namespace femto_tool {
namespace {

/// Runs a program without a shell; returns its exit status, 127 if there is none.
int execute(const std::vector<std::string>& command, bool quiet) {
    std::vector<char*> arguments;
    for (const auto& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        if (quiet) {
            const int null = open("/dev/null", O_RDWR);
            for (const int fd : {0, 1, 2}) dup2(null, fd);
        }
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// A clang that knows the BPF target and the instruction set: the one asked for, or the newest there is.
std::string find_clang(const std::string& wanted, const std::string& cpu) {
    std::vector<std::string> candidates;
    if (!wanted.empty()) {
        candidates.push_back(wanted);
    } else {
        for (int version = 30; version >= 14; --version) {
            candidates.push_back("clang-" + std::to_string(version));
        }
        candidates.emplace_back("clang");
    }
    for (const auto& c : candidates) {
        if (execute({c, "-target", "bpf", "-mcpu=" + cpu, "-x", "c", "-c", "/dev/null", "-o",
                     "/dev/null"}, true) == 0) {
            return c;
        }
    }
    const std::string what = " with the BPF target and -mcpu=" + cpu;
    throw user_error{(wanted.empty() ? "no clang" + what + " was found"
                                     : wanted + ": not a clang" + what) +
                     "\n  on Debian and Ubuntu: apt-get install clang" +
                     (cpu == "v4" ? "-19 (v4 needs clang 18 or later)" : "") +
                     "\n  or name one with --compiler"};
}

/// Where the container author's headers are: beside the installed command, or in the source tree.
std::string sdk_folder() {
    std::error_code ignored;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const auto installed = self.parent_path().parent_path() / "share" / "femto" / "sdk";
    return std::filesystem::exists(installed) ? installed.string() : FEMTO_SDK_FOLDER;
}

}  // namespace

int build(const build_options& o) {
    for (const auto& s : o.sources) {
        if (!std::filesystem::exists(s)) throw user_error{s + ": no such file"};
        if (std::filesystem::is_directory(s)) throw user_error{s + ": is a folder, not a source file"};
    }
    if (o.sources.size() != 1) {
        throw user_error{"one source file makes one container; include the others from it"};
    }
    std::string output = o.output;
    if (output.empty()) {
        output = std::filesystem::path{o.sources[0]}.replace_extension(".o").filename().string();
    }
    std::vector<std::string> command{
        find_clang(o.compiler, o.cpu), "-target", "bpf", "-mcpu=" + o.cpu, "-O2", "-g", "-Wall",
        "-ffreestanding", "-fno-builtin", "-fno-jump-tables", "-fno-exceptions",
        // A loop must stay a loop: BPF has no memcpy and memset to call.
        "-mllvm", "-disable-loop-idiom-all", "-I", sdk_folder()};
    if (std::filesystem::path{o.sources[0]}.extension() == ".c") {
        std::erase(command, "-fno-exceptions");
    } else {
        command.emplace_back("-fno-rtti");
    }
    command.insert(command.end(), o.extra.begin(), o.extra.end());
    for (const auto& a : {std::string{"-c"}, o.sources[0], std::string{"-o"}, output}) {
        command.push_back(a);
    }
    const int status = execute(command, false);
    if (status != 0) {
        std::string text;
        for (const auto& a : command) text += " " + a;
        std::fprintf(stderr, "femto build: the compiler failed:%s\n", text.c_str());
        return 1;
    }
    return 0;
}

}  // namespace femto_tool
