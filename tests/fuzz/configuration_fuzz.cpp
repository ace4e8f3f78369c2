// SPDX-License-Identifier: MIT
// The configuration as it travels between processes: any bytes are refused or come out as they went
// in.
#include "config/configuration.hpp"
#include "config/options.hpp"
#include "config/serialise.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    if (const auto options = config::deserialise_options(input.rest())) {
        const auto again = config::deserialise_options(config::serialise(options.value()));
        HOLDS(again && again.value() == options.value());
    }
    if (const auto all = config::deserialise(input.rest())) {
        const auto bytes = config::serialise(all.value());
        const auto again = config::deserialise(bytes);
        HOLDS(again && config::serialise(again.value()) == bytes);
    }
    config::Options options;
    const auto applied = config::apply_overrides(options, input.rest());
    HOLDS(applied || !applied.error().text().empty());
    return 0;
}
