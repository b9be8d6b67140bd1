// SPDX-License-Identifier: Apache-2.0
// Lua 5.4 and Duktape with a workload: what the benchmarks of this machine and of boards run. C++17.
#pragma once

#include <climits>  // for luaconf.h: newlib's <limits.h> alone does not define LLONG_MAX

extern "C" {
#include <duktape.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace peers {

/// Lua with the one library that the workloads use.
class lua {
public:
    static constexpr std::string_view name = "lua";
    explicit lua(std::string_view text) : state_{lua_newstate(&allocate, nullptr)} {
        if (state_ == nullptr) return;
        luaL_requiref(state_, "table", &luaopen_table, 1);
        lua_settop(state_, 0);
        ok_ = luaL_loadbufferx(state_, text.data(), text.size(), "workload", "t") == LUA_OK &&
              lua_pcallk(state_, 0, 0, 0, 0, nullptr) == LUA_OK;
    }
    lua(const lua&) = delete;
    lua& operator=(const lua&) = delete;
    ~lua() { lua_close(state_); }
    [[nodiscard]] bool ok() const { return ok_; }
    std::uint64_t run() {
        lua_getglobal(state_, "workload");
        if (lua_pcallk(state_, 0, 1, 0, 0, nullptr) != LUA_OK) return 0;
        const auto value = static_cast<std::uint64_t>(lua_tointegerx(state_, -1, nullptr));
        lua_settop(state_, 0);
        return value;
    }

private:
    static void* allocate(void*, void* old, std::size_t, std::size_t size) {
        if (size != 0) return std::realloc(old, size);
        std::free(old);
        return nullptr;
    }
    lua_State* state_;
    bool ok_ = false;
};

class duktape {
public:
    static constexpr std::string_view name = "duktape";
    explicit duktape(std::string_view text)
        : heap_{duk_create_heap(nullptr, nullptr, nullptr, nullptr, nullptr)} {
        ok_ = duk_peval_lstring(heap_, text.data(), text.size()) == 0;
        duk_pop(heap_);
    }
    duktape(const duktape&) = delete;
    duktape& operator=(const duktape&) = delete;
    ~duktape() { duk_destroy_heap(heap_); }
    [[nodiscard]] bool ok() const { return ok_; }
    std::uint64_t run() {
        duk_get_global_string(heap_, "workload");
        const bool failed = duk_pcall(heap_, 0) != 0;
        // 64 bits as hexadecimal digits: its numbers have 53.
        const char* const text = duk_get_string(heap_, -1);
        const std::uint64_t value =
            failed || text == nullptr ? 0 : std::strtoull(text, nullptr, 16);
        duk_pop(heap_);
        return value;
    }

private:
    duk_context* heap_;
    bool ok_ = false;
};

}  // namespace peers
