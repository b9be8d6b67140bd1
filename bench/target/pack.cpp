// SPDX-License-Identifier: Apache-2.0
// Makes a container image of a workload's object: pack OBJECT FUNCTION IMAGE.
#include <support/packed.hpp>

#include <cstdio>

int main(int count, char** arguments) {
    if (count != 4) return 2;
    bench::object object{arguments[1]};
    const auto packed = bench::pack(object, arguments[2]);
    const auto image = femto::parse_image(std::as_bytes(std::span{packed}));
    if (!image) {
        std::fprintf(stderr, "%s: no object with the function %s; error %d\n", arguments[1],
                     arguments[2], static_cast<int>(object.error().code));
        return 1;
    }
    std::ofstream out{arguments[3], std::ios::binary};
    out.write(reinterpret_cast<const char*>(image->bytes().data()),
              static_cast<std::streamsize>(image->bytes().size()));
    return out.good() ? 0 : 1;
}
