// SPDX-License-Identifier: MIT
// vsftpd.conf: any content gives settings or problems, and settings survive the way to another
// process.
#include "config/conf_file.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    config::Options options;
    config::Problems problems;
    std::size_t last_line = 0;
    config::parse_conf(input.rest(), "fuzz.conf", problems, [&](const config::Setting& setting) {
        HOLDS(setting.info != nullptr);
        HOLDS(setting.line >= last_line);
        HOLDS(setting.value.find('\n') == std::string::npos);
        last_line = setting.line;
        config::apply(setting, "fuzz.conf", options, problems);
    });
    for (const auto& problem : problems) {
        const auto text = config::to_text(problem);
        HOLDS(!text.empty() && text.find('\n') == std::string::npos);
    }
    if (!config::any_error(problems)) {
        const auto copy = config::deserialise_options(config::serialise(options));
        HOLDS(copy && copy.value() == options);
    }
    return 0;
}
