// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "container.hpp"
#include "deploy/commands.hpp"
#include "host_helpers.hpp"

#include <femto/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    using namespace femto_tool;
    CLI::App app{"Builds, inspects, verifies and runs eBPF containers for femto."};
    app.set_version_flag("--version", std::string{femto::version_string});
    app.require_subcommand(1);
    const std::string footer =
        "Exit status: 0 done; 1 the container was refused, faulted or did not compile;\n"
        "2 a file or an argument is wrong.\n\n"
        "Example:\n"
        "  femto build fletcher32.c -o fletcher32.o\n"
        "  femto run fletcher32.o --context 6162636465";
    app.footer(footer);

    build_options b;
    auto* build_command = app.add_subcommand("build", "Compile a C or C++ source with clang");
    build_command->add_option("source", b.sources, "The source file")->required();
    build_command->add_option("-o,--output", b.output, "The object to write; default: source.o");
    build_command->add_option("--cpu", b.cpu, "Instruction set; v4 needs clang 18 or later")
        ->check(CLI::IsMember({"v1", "v2", "v3", "v4"}))
        ->capture_default_str();
    build_command->add_option("--compiler", b.compiler, "The clang to use; default: the newest there is");
    build_command->add_option("--flag", b.extra, "One more argument for the compiler; repeatable")
        ->allow_extra_args(false);

    pack_options k;
    auto* pack_command = app.add_subcommand("pack", "Make a container image of an object");
    pack_command->add_option("object", k.path, "The object file, - for standard input")->required();
    pack_command->add_option("-o,--output", k.output, "The image to write; default: object.fmtc");
    pack_command
        ->add_option("--hook", k.hooks,
                     "The hook that a function is for: HOOK, or FUNCTION=HOOK if there are several\n"
                     "functions; a UUID, or the name of one of `femto device`'s; repeatable")
        ->allow_extra_args(false);
    pack_command->add_option("--fuel", k.fuel, "Instructions it wants for a run; default: 10000");
    pack_command->add_option("--stack", k.stack, "Bytes of stack; default: what verification finds");
    pack_command->add_option("--stores", k.stores, "Entries it wants in stores; default: 0");
    pack_command->add_option("--region", k.regions, "Firmware memory: NUMBER:r, :w or :rw; repeatable")
        ->allow_extra_args(false);
    pack_command
        ->add_option("--helper", k.helpers, "A helper beside those it calls by number; repeatable")
        ->allow_extra_args(false);
    pack_command->add_flag("--suspends", k.suspends,
                           "It waits; found out for the helpers 0x61, 0x62 and 0x63");
    pack_command->add_option("--c-array", k.c_array,
                             "Write C source with the image as an array of this name");
    pack_command->footer("What is not said comes from FEMTO_HOOK and FEMTO_REQUEST in the source, then\n"
                         "from the object.\n\n" + footer);

    std::string path;
    bool no_disassembly = false;
    auto* inspect_command = app.add_subcommand(
        "inspect", "Show sections, functions, helpers, stack use and code with source lines");
    inspect_command->add_option("object", path, "An object or an image, - for standard input")->required();
    inspect_command->add_flag("--no-code", no_disassembly, "Leave out the disassembly");

    auto* verify_command =
        app.add_subcommand("verify", "Say whether a device would run it, and why not");
    verify_command->add_option("object", path, "An object or an image, - for standard input")->required();

    const auto add_engine = [&](CLI::App* command, auto& options) {
        std::vector<std::string> dispatchers{"compact", "threaded"};
        if constexpr (requires { options.prepared; }) dispatchers.emplace_back("prepared");
        command
            ->add_option_function<std::string>(
                "--dispatch",
                [&](const std::string& s) {
                    options.dispatch = s == "compact" ? femto::dispatch::compact
                                                      : femto::dispatch::threaded;
                    if constexpr (requires { options.prepared; }) options.prepared = s == "prepared";
                },
                "Which interpreter")
            ->check(CLI::IsMember(dispatchers))
            ->default_str("threaded");
        command
            ->add_option_function<std::string>(
                "--address-space",
                [&](const std::string& s) {
                    options.address_space = s == "flat" ? femto::address_space::flat
                                                        : femto::address_space::segmented;
                },
                "What guest addresses are")
            ->check(CLI::IsMember({"segmented", "flat"}))
            ->default_str("segmented");
    };

    run_options r;
    auto* run_command = app.add_subcommand("run", "Verify and run a container here");
    run_command->add_option("object", r.path, "An object or an image, - for standard input")->required();
    run_command->add_option("function", r.function, "The function to call; default: the first");
    run_command->add_option("--context", r.context, "What r1 points to: a file, or hexadecimal bytes");
    run_command
        ->add_option("--region", r.regions,
                     "Memory to grant, FILE:ro, FILE:rw or SIZE:rw; the first one is at guest\n"
                     "address 0x500000000, the next at 0x600000000; repeatable")
        ->allow_extra_args(false);
    run_command->add_option("--fuel", r.fuel, "Instructions it may execute; it stops at the first jump or call after")
        ->check(CLI::Range(std::uint32_t{1}, femto::max_fuel))
        ->capture_default_str();
    run_command->add_flag("--trace", r.trace, "Print each instruction before it is executed");
    run_command->add_flag("--json", r.json,
                          "Print one JSON object: result, instructions, verify_ns, run_ns, printed, and\n"
                          "error (stage, name, message, and where) if there is one");
    add_engine(run_command, r);
    std::string helpers = "Helpers that a container can call here:";
    for (const auto& h : host_helpers::prototypes) (helpers += "\n  ").append(h.name);
    run_command->footer(helpers + "\n\n" + footer);

    plugin_options p;
    auto* plugin_command = app.add_subcommand(
        "conformance-plugin", "Run one program for the public suite bpf_conformance");
    plugin_command->add_option("memory", p.memory, "Hexadecimal bytes that r1 points to");
    plugin_command->add_option("--program", p.program, "Hexadecimal bytes; default: standard input");
    add_engine(plugin_command, p);

    std::function<int()> deploying;
    add_deploy_commands(app, deploying);

    try {
        app.parse(argc, argv);
    } catch (const CLI::RequiredError& e) {
        // CLI11 misses the command before it minds what stands in its place.
        if (argc < 2 || !app.get_subcommands().empty()) return app.exit(e) == 0 ? 0 : 2;
        std::fprintf(stderr, "femto: there is no command `%s`; see femto --help\n", argv[1]);
        return 2;
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    try {
        if (deploying) return deploying();
        if (*build_command) return build(b);
        if (*pack_command) return pack(k);
        if (*inspect_command) return inspect(path, !no_disassembly);
        if (*verify_command) return verify(path);
        if (*run_command) return run(r);
        return conformance_plugin(p);
    } catch (const user_error& e) {
        std::fprintf(stderr, "femto: %s\n", e.message.c_str());
        return 2;
    }
}
