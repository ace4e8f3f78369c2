// SPDX-License-Identifier: MIT
// MDTM and MFMT: a time that is understood is the one that is written.
#include "ftp/time.hpp"
#include "input.hpp"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    const auto text = input.rest();
    for (const bool date_alone : {false, true}) {
        const auto both = ftp::parse_time_and_file(text, date_alone);
        if (!both) continue;
        HOLDS(ftp::looks_like_time(text));
        HOLDS(!both->file.empty() && text.ends_with(both->file));
        HOLDS(both->time.nanoseconds < 1'000'000'000);
    }
    if (const auto time = ftp::parse_time(text)) {
        const auto written = ftp::format_time(time->seconds);
        HOLDS(written.size() == 14);
        HOLDS(text.substr(12, 2) == "60" || text.starts_with(written));
        HOLDS(ftp::parse_time(written)->seconds == time->seconds);
    }
    return 0;
}
