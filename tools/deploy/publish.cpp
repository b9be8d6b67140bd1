// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "coap.hpp"
#include "envelope_view.hpp"
#include "files.hpp"
#include "host_port.hpp"
#include "key_file.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

namespace femto_tool {
namespace {

struct published {
    octets content;
    std::string what;
};

std::string path_of(const std::string& uri) {
    const auto host = uri.find("://");
    const auto slash = uri.find('/', host == uri.npos ? 0 : host + 3);
    return slash == uri.npos ? "" : uri.substr(slash + 1);
}

/// Envelopes under their file's name, images where the envelopes say that they are. An image is
/// known by its digest, so that what is published is what was signed.
std::map<std::string, published> collect(const std::vector<std::string>& files) {
    std::map<std::string, published> out;
    struct other {
        std::string file;
        octets content, digest;
    };
    std::vector<other> others;
    std::vector<std::pair<std::string, envelope_view>> envelopes;
    for (const auto& file : files) {
        auto content = read_octets(file);
        if (content.size() > 1 && content[0] == 0xd8 && content[1] == 107) {
            envelopes.emplace_back(file, read_envelope(content, file));
            const auto name = std::filesystem::path{file}.filename().string();
            out[name] = {std::move(content), "envelope, sequence " +
                                                 std::to_string(
                                                     envelopes.back().second.manifest.sequence_number)};
        } else {
            const auto digest = digest_of(content);
            others.push_back({file, std::move(content), {digest.begin(), digest.end()}});
        }
    }
    for (const auto& [file, view] : envelopes) {
        if (view.uri.empty() || view.uri[0] == '#') continue;
        const auto found = std::ranges::find(others, view.image_digest, &other::digest);
        if (found == others.end()) {
            throw user_error{file + ": its image, to be fetched from " + view.uri +
                             ", is not among the files\n  femto sign wrote it beside the envelope (.img)"};
        }
        const auto path = path_of(view.uri);
        if (path.empty() || path.find("..") != path.npos)
            throw user_error{file + ": " + view.uri + " has no path that can be a file"};
        out[path] = {found->content, "image of " + file};
    }
    for (const auto& one : others) {
        const auto names_it = [&](const auto& envelope) { return envelope.second.image_digest == one.digest; };
        if (std::ranges::none_of(envelopes, names_it))
            throw user_error{one.file + ": no envelope among the files names it"};
    }
    return out;
}

int serve(const std::map<std::string, published>& all, const publish_options& o) {
    coap_node node;
    const host_port where{o.serve};
    const auto port = node.listen(where.host, where.port);
    std::vector<std::string> paths;
    for (const auto& [path, one] : all) paths.push_back(path);
    if (o.lose > 0) lose_messages(o.lose);
    node.serve(
        [&](const coap_request& request) -> coap_reply {
            std::this_thread::sleep_for(std::chrono::milliseconds{o.pace});
            const auto found = all.find(request.path);
            if (found == all.end()) return {404};
            if (request.method != COAP_REQUEST_CODE_GET) return {405};
            coap_reply reply{205};
            reply.format = 42;  // application/octet-stream
            reply.payload = found->second.content;
            return reply;
        },
        paths);
    for (const auto& [path, one] : all)
        std::printf("coap://%s/%s  %s, %zu bytes\n", where.with_port(port).c_str(), path.c_str(),
                    one.what.c_str(), one.content.size());
    std::printf("serving; stop with Ctrl-C\n");
    std::fflush(stdout);
    for (;;) node.run(1000);
}

}  // namespace

int publish(const publish_options& o) {
    start_crypto();
    if (o.folder.empty() == o.serve.empty())
        throw user_error{"say where: either --to FOLDER or --serve HOST:PORT"};
    const auto all = collect(o.files);
    if (!o.serve.empty()) return serve(all, o);
    for (const auto& [path, one] : all) {
        const auto file = std::filesystem::path{o.folder} / path;
        std::filesystem::create_directories(file.parent_path());
        write_file(file.string(), one.content);
        std::printf("%s  %s, %zu bytes\n", file.c_str(), one.what.c_str(), one.content.size());
    }
    return 0;
}

}  // namespace femto_tool
