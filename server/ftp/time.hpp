// SPDX-License-Identifier: MIT
// Times on the wire (RFC 3659): MDTM, MFMT and the modify fact; runs in the session.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ftp {

struct Timestamp {
    std::int64_t seconds = 0;  // since 1970, UTC
    std::uint32_t nanoseconds = 0;

    bool operator==(const Timestamp&) const = default;
};

// YYYYMMDDHHMMSS, always UTC; no fraction is sent.
[[nodiscard]] std::string format_time(std::int64_t seconds);
// The same and parts of such, at the end of a text.
void add_time(std::string& to, std::int64_t seconds);
void add_year(std::string& to, const std::tm& moment);
void add_two_digits(std::string& to, int number);

// YYYYMMDDHHMMSS[.fraction]; only what is in the calendar (1583 to 9999; a second 60 is the next
// minute's 0).
[[nodiscard]] std::optional<Timestamp> parse_time(std::string_view text);

// "TIME FILE", as MFMT has it and, with date_alone also YYYYMMDD, the setting form of MDTM. The
// file is what follows the one blank. Nothing when the first word is no valid time or no file
// follows.
struct TimeAndFile {
    Timestamp time;
    std::string_view file;
};
[[nodiscard]] std::optional<TimeAndFile> parse_time_and_file(std::string_view argument,
                                                             bool date_alone);

// The first word looks like a time (8 or 14 digits, perhaps a fraction), valid or not.
[[nodiscard]] bool looks_like_time(std::string_view argument);

// Broken-down time for listings: the date and the time of day. `local_calendar` needs the time zone
// loaded (tzset) before the jail closes.
using Calendar = std::tm (*)(std::int64_t seconds);
[[nodiscard]] std::tm utc_calendar(std::int64_t seconds);
[[nodiscard]] std::tm local_calendar(std::int64_t seconds);

}  // namespace ftp
